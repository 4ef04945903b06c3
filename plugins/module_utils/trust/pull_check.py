# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Ask an engine itself whether it trusts a registry: let it pull a canary."""

from __future__ import annotations

import dataclasses
import time
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import RunCommand
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.trust.canary import Canary
from ansible_collections.longshore.delivery.plugins.module_utils.trust.complaint import NOT_FOUND, PullFailed
from ansible_collections.longshore.delivery.plugins.module_utils.trust.cri import Cri
from ansible_collections.longshore.delivery.plugins.module_utils.trust.docker_api import DockerApi
from ansible_collections.longshore.delivery.plugins.module_utils.trust.engine import DOCKER, PODMAN, Engine
from ansible_collections.longshore.delivery.plugins.module_utils.trust.podman import Podman

BY_PULL = "pull"
BY_ANSWER = "answer"
NOT_CHECKED = "not checked"
SETTLING = 5.0  # seconds within which CRI-O has taken over what a SIGHUP told it; nothing of it can be asked
# An engine that has not taken over its files yet says one of these; another error stays what it is.
_STALE = ("ca", "https_on_http", "tls", "unauthorized")


class Puller(t.Protocol):
    """What pulls: the three clients of the engines."""

    def pull(self, reference: Reference, registry: RegistrySettings) -> None: ...

    def remove(self, reference: Reference) -> None: ...


@dataclasses.dataclass(frozen=True)
class Check:
    """What was found out for one engine and one registry.

    :param how: by a pull; by the registry's answer that it has not what was asked for, where it takes no push; or not
        at all.
    :param milliseconds: how long the engine took.
    :param remark: what else is to be said, such as why nothing was checked.
    """

    engine: str
    registry: str
    how: str
    milliseconds: int = 0
    remark: str = ""


def puller(engine: Engine, run_command: RunCommand) -> t.Optional[Puller]:
    """The client through which this engine pulls, None if there is none on the node."""
    if engine.name == DOCKER:
        return DockerApi(engine.socket)
    if not engine.client:
        return None
    return (
        Podman(run_command, engine.client) if engine.name == PODMAN else Cri(run_command, engine.client, engine.socket)
    )


def check(
    engine: Engine, registry: RegistrySettings, canary: Canary, run_command: RunCommand, was_reloaded: bool
) -> Check:
    """Let an engine pull a canary, and remove it from the engine again.

    :raises PullFailed: the engine does not trust the registry, or cannot pull for another reason.
    """
    names = engine.name, str(registry.endpoint)
    if engine.is_stopped:
        return Check(*names, NOT_CHECKED, remark="it does not run")
    client = puller(engine, run_command)
    if client is None:
        program = "podman or skopeo" if engine.name == PODMAN else "crictl"
        return Check(*names, NOT_CHECKED, remark="there is no %s on this node to pull with" % program)
    started = time.monotonic()
    deadline = started + (SETTLING if was_reloaded else 0.0)
    while True:
        try:
            client.pull(canary.reference, registry)
            break
        except PullFailed as failure:
            if canary.digest is None and failure.kind == NOT_FOUND:
                return Check(*names, BY_ANSWER, _since(started), "the registry takes no push from this user")
            if failure.kind not in _STALE or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
    elapsed = _since(started)
    remark = ""
    try:
        client.remove(canary.reference)
    except OSError as error:
        remark = "%s stays in %s: %s" % (canary.reference, engine.name, error)
    return Check(*names, BY_PULL, elapsed, remark)


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
