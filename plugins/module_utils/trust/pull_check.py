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
from ansible_collections.longshore.delivery.plugins.module_utils.node.client import EngineRefusal
from ansible_collections.longshore.delivery.plugins.module_utils.node.connect import puller
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import PODMAN, Engine
from ansible_collections.longshore.delivery.plugins.module_utils.node.login import login_for
from ansible_collections.longshore.delivery.plugins.module_utils.node.pull_faults import PullFault, fault_in
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.trust.canary import Canary

BY_PULL = "pull"
BY_ANSWER = "answer"
NOT_CHECKED = "not checked"
PULL_SECONDS = 60  # for a few hundred bytes
SETTLING = 5.0  # seconds within which CRI-O has taken over what a SIGHUP told it; nothing of it can be asked
# An engine that has not taken over its files yet says one of these; another error stays what it is.
_STALE = ("ca", "https_on_http", "tls", "unauthorized")
_NOT_FOUND = "not_found"


class CannotPull(Exception):
    """An engine that does not trust a registry, or cannot pull from it for another reason.

    :param said: what the engine said.
    """

    def __init__(self, fault: PullFault, said: str) -> None:
        super().__init__(said)
        self.fault = fault
        self.said = said


@dataclasses.dataclass(frozen=True)
class Check:
    """What was found out for one engine and one registry.

    :param how: by a pull; by the registry's answer that it has not what was asked for, where it takes no push; or not
        at all.
    :param milliseconds: how long the engine took.
    :param remark: what else is to be said, such as why nothing was checked.
    :param upstream: by whose name it was pulled, where that is not the registry's own.
    """

    engine: str
    registry: str
    how: str
    milliseconds: int = 0
    remark: str = ""
    upstream: str = ""


def can_pull(engine: Engine, run_command: RunCommand) -> bool:
    """Whether there is something on this node through which the engine pulls."""
    return puller(engine, run_command) is not None


def check(
    engine: Engine,
    registry: RegistrySettings,
    canary: Canary,
    run_command: RunCommand,
    was_reloaded: bool,
    stale: t.Optional[t.Sequence[str]] = _STALE,
) -> Check:
    """Let an engine pull a canary, and remove it from the engine again.

    :param stale: the faults that an engine has which has not taken over its files yet; None for all.
    :raises CannotPull: it cannot.
    """
    names = engine.name, str(registry.endpoint)
    if engine.is_stopped:
        return Check(*names, NOT_CHECKED, remark="it does not run")
    client = puller(engine, run_command, PULL_SECONDS)
    if client is None:
        program = "podman or skopeo" if engine.name == PODMAN else "crictl"
        return Check(*names, NOT_CHECKED, remark="there is no %s on this node to pull with" % program)
    started = time.monotonic()
    deadline = started + (SETTLING if was_reloaded else 0.0)  # what begins after that is what the engine has come to
    while True:
        begun = time.monotonic()
        try:
            client.pull(canary.reference, login_for(canary.reference, registry))
            break
        except EngineRefusal as refusal:
            fault = _fault(str(refusal), canary)
            if canary.digest is None and fault.kind == _NOT_FOUND:
                return Check(*names, BY_ANSWER, _since(started), "the registry takes no push from this user")
            # what began before that may have failed late: by the upstream of a mirror that it did not know yet, say
            if (stale is not None and fault.kind not in stale) or begun >= deadline:
                raise CannotPull(fault, str(refusal)) from None
            time.sleep(0.1)
    elapsed = _since(started)
    remark = ""
    try:
        client.remove(canary.reference)
    except EngineRefusal as refusal:
        remark = "%s stays in %s: %s" % (canary.reference, engine.name, refusal)
    return Check(*names, BY_PULL, elapsed, remark)


def _fault(said: str, canary: Canary) -> PullFault:
    """What the engine's words tell of; a canary that was pushed just now is in the registry, whatever the engine says."""
    fault = fault_in(said, str(canary.reference))
    if fault.kind != _NOT_FOUND:
        return fault
    return dataclasses.replace(
        fault,
        way_out="Something between this node and the registry answers in its place, or two registries have this name: look what "
        "the name resolves to on this node.",
    )


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
