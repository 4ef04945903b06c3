# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Ask an engine itself whether it goes to a mirror: let it pull, by the upstream's name, a canary that only the mirror has."""

from __future__ import annotations

import dataclasses

from ansible_collections.longshore.delivery.plugins.module_utils.capability import RunCommand
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import CONTAINERD, DOCKER, Engine
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Endpoint
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient, RegistryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.trust.canary import REPOSITORY, Canary
from ansible_collections.longshore.delivery.plugins.module_utils.trust.mirrors import DOCKER_HUB, Upstream
from ansible_collections.longshore.delivery.plugins.module_utils.trust.pull_check import NOT_CHECKED, Check, check

_ASKS_FOR_LOGIN = ("unauthorized", "forbidden")


def can_have(engine: Engine, upstream: Endpoint, mirror: RegistrySettings) -> bool:
    """Whether this engine asks this mirror of that registry: Docker knows those of Docker Hub alone, and no paths."""
    return engine.name != DOCKER or (upstream == DOCKER_HUB and not mirror.path_for(upstream))


def lets_anybody_pull(canary: Canary, mirror: RegistrySettings) -> bool:
    """Whether a mirror gives a canary to who does not log in.

    :raises RegistryError: it does not answer.
    """
    with RegistryClient(dataclasses.replace(mirror, username=None, password=None)) as client:
        try:
            return client.head_manifest(canary.reference.repository, str(canary.reference.tag)) is not None
        except RegistryError as error:
            if error.kind not in _ASKS_FOR_LOGIN:
                raise
            return False


def check_mirror(
    engine: Engine,
    mirror: RegistrySettings,
    upstream: Upstream,
    canary: Canary,
    is_open: bool,
    run_command: RunCommand,
    was_reloaded: bool,
) -> Check:
    """Let an engine pull the mirror's canary by the upstream's name.

    The mirror's login is not given to it: where no mirror answered, the engine would show it to the upstream. One of the
    upstream's own is, as pods have it that pull by that name; containerd alone shows it to mirrors.

    :param is_open: whether the mirror gives its images to who does not log in.
    :raises CannotPull: it cannot.
    """
    names = engine.name, str(mirror.endpoint)
    if canary.digest is None:
        return Check(*names, NOT_CHECKED, 0, "it takes no push from this user", str(upstream.endpoint))
    has_login = engine.name == CONTAINERD and upstream.settings.username is not None
    if not is_open and not has_login:
        remark = "it asks for a login, and an engine has none for it that pulls from %s" % upstream.endpoint
        return Check(*names, NOT_CHECKED, 0, remark, str(upstream.endpoint))
    reference = dataclasses.replace(canary.reference, endpoint=upstream.endpoint, repository=REPOSITORY)
    by_name = dataclasses.replace(canary, reference=reference)
    done = check(engine, upstream.settings, by_name, run_command, was_reloaded, stale=None)
    return dataclasses.replace(done, registry=str(mirror.endpoint), upstream=str(upstream.endpoint))


def told(upstream: Upstream, mirror: RegistrySettings) -> str:
    """What a pull that failed was of."""
    return "%s by the name of its upstream %s, of an image that the mirror alone has, failed" % (
        mirror.endpoint,
        upstream.endpoint,
    )


__all__ = ["can_have", "check_mirror", "lets_anybody_pull", "told"]
