# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Have a node's own engine hold images, each the very one that its digest says."""

from __future__ import annotations

import platform
import time
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Capability, Context
from ansible_collections.longshore.delivery.plugins.module_utils.pull import node_engine
from ansible_collections.longshore.delivery.plugins.module_utils.pull.cri_engine import CriEngine
from ansible_collections.longshore.delivery.plugins.module_utils.pull.docker_socket import DockerSocket
from ansible_collections.longshore.delivery.plugins.module_utils.pull.engine_faults import (
    OF_THE_REGISTRY,
    EngineError,
    engine_error,
)
from ansible_collections.longshore.delivery.plugins.module_utils.pull.held_images import HeldImage
from ansible_collections.longshore.delivery.plugins.module_utils.pull.podman import Podman
from ansible_collections.longshore.delivery.plugins.module_utils.pull.pull_plan import PullStep, pinned, plan_pull
from ansible_collections.longshore.delivery.plugins.module_utils.pull.pulling import Login, PullFailed, PullingEngine
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import (
    REGISTRY_SPEC,
    RegistrySettings,
)


def connect(chosen: node_engine.Chosen, context: Context) -> PullingEngine:
    """The way to speak to the chosen engine."""
    if chosen.name == node_engine.DOCKER:
        return DockerSocket(chosen.socket)
    if chosen.name == node_engine.PODMAN:
        return Podman(context.run_command, chosen.program)
    return CriEngine(context.run_command, chosen.program, chosen.socket)


def login_for(reference: Reference, registry: t.Optional[RegistrySettings]) -> t.Optional[Login]:
    """The login for an image; a password goes to the registry that it belongs to, and to no other."""
    if registry is None or registry.username is None or registry.password is None:
        return None
    if not reference.endpoint.same_server(registry.endpoint, registry.scheme):
        return None
    return Login(reference.endpoint, registry.username, registry.password)


class Pulls:
    """The pulls of one call: what was done, and what failed."""

    def __init__(self, engine: PullingEngine, where: str, registry: t.Optional[RegistrySettings]) -> None:
        self._engine = engine
        self._where = where
        self._registry = registry
        self.seconds: t.Dict[Reference, float] = {}
        self.failures: t.Dict[Reference, EngineError] = {}

    def held(self, registry: str) -> t.List[HeldImage]:
        """:raises EngineError: the engine does not answer."""
        try:
            return self._engine.images()
        except PullFailed as failed:
            raise engine_error("Listing the images", self._where, registry, str(failed), "engine") from None

    def apply(self, steps: t.Sequence[PullStep]) -> None:
        """Carry the steps out. What fails for its registry as a whole is not tried for that registry's other images."""
        given_up: t.Dict[str, EngineError] = {}
        for step in steps:
            endpoint = str(step.wanted.endpoint)
            if endpoint in given_up:
                self.failures[step.wanted] = given_up[endpoint]
                continue
            start = time.monotonic()
            try:
                if step.pull:
                    self._engine.pull(step.wanted, login_for(step.wanted, self._registry))
                if step.tag:
                    self._engine.tag(step.wanted)
            except PullFailed as failed:
                error = engine_error("Pulling %s" % step.wanted, self._where, endpoint, str(failed))
                self.failures[step.wanted] = error
                if error.kind in OF_THE_REGISTRY:
                    given_up[endpoint] = error
            else:
                self.seconds[step.wanted] = round(time.monotonic() - start, 3)

    def verify(self, steps: t.Sequence[PullStep]) -> None:
        """Ask the engine for the digests of what was pulled."""
        left = plan_pull(list(self.seconds), self.held(""), self._engine.sets_tags) if self.seconds else ()
        for step in left:
            if step.changes:
                self.failures[step.wanted] = EngineError(
                    "%s says that it pulled %s, and does not list it by this digest afterwards. Its log says more; another "
                    "process may have removed it." % (self._where, step.wanted),
                    "digest",
                )
                del self.seconds[step.wanted]


def run(params: t.Dict[str, t.Any], context: Context) -> t.Dict[str, t.Any]:
    """Observe the node's engine, pull what it lacks, ask it again.

    :raises DeliveryError: no engine; or an image could not be had, all of them named, with those that could be as facts.
    """
    wanted = pinned(params["images"])
    registry = RegistrySettings.from_params(params["registry"]) if params.get("registry") else None
    if not wanted:
        return {"changed": False, "images": []}
    node = platform.node()
    chosen = node_engine.choose(params["engine"], node_engine.look(), node)
    engine = connect(chosen, context)
    pulls = Pulls(engine, "%s on %s" % (chosen.name, node), registry)
    steps = plan_pull(wanted, pulls.held(""), engine.sets_tags)
    missing = [step for step in steps if step.changes]
    if missing and not context.check:
        pulls.apply(missing)
        pulls.verify(missing)
    result = _result(chosen, steps, pulls, context)
    if pulls.failures:
        raise _failure(pulls.failures, result)
    return result


def _result(
    chosen: node_engine.Chosen, steps: t.Sequence[PullStep], pulls: Pulls, context: Context
) -> t.Dict[str, t.Any]:
    done = [step for step in steps if step.changes and (context.check or step.wanted in pulls.seconds)]
    result: t.Dict[str, t.Any] = {
        "changed": bool(done),
        "engine": chosen.name,
        "engine_reason": chosen.why,
        "images": [
            {
                "reference": str(step.wanted),
                "digest": str(step.wanted.digest),
                "present": not step.pull or step.wanted in pulls.seconds,
                "pulled": step.wanted in pulls.seconds and step.pull,
                "seconds": pulls.seconds.get(step.wanted, 0.0),
            }
            for step in steps
        ],
    }
    if context.diff:
        before = sorted(str(step.wanted) for step in steps if not step.changes)
        result["diff"] = {
            "before_header": "wanted images held by %s" % chosen.name,
            "after_header": "wanted images held by %s" % chosen.name,
            "before": "".join(line + "\n" for line in before),
            "after": "".join(line + "\n" for line in sorted([*before, *(str(step.wanted) for step in done)])),
        }
    return result


def _failure(failures: t.Mapping[Reference, EngineError], result: t.Dict[str, t.Any]) -> EngineError:
    told = list(dict.fromkeys(failures.values()))
    images = ", ".join(str(reference) for reference in failures)
    message = "\n".join(str(error) for error in told)
    if len(failures) > 1:
        message = "%s\nNot pulled: %s." % (message, images)
    return EngineError(message, told[0].kind, **result)


CAPABILITY = Capability(
    run=run,
    argument_spec={
        "images": {"type": "list", "elements": "str", "required": True},
        "registry": REGISTRY_SPEC,
        "engine": {
            "type": "str",
            "choices": [
                node_engine.AUTO,
                node_engine.CONTAINERD,
                node_engine.CRIO,
                node_engine.DOCKER,
                node_engine.PODMAN,
            ],
            "default": node_engine.AUTO,
        },
    },
)
