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
from ansible_collections.longshore.delivery.plugins.module_utils.node.choice import Chosen, choose
from ansible_collections.longshore.delivery.plugins.module_utils.node.client import EngineRefusal, ImageStore, asked_as
from ansible_collections.longshore.delivery.plugins.module_utils.node.connect import image_store
from ansible_collections.longshore.delivery.plugins.module_utils.node.discovery import look
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import (
    AUTO,
    CONTAINERD,
    CRIO,
    DOCKER,
    PODMAN,
)
from ansible_collections.longshore.delivery.plugins.module_utils.node.held_images import HeldImage
from ansible_collections.longshore.delivery.plugins.module_utils.node.login import login_for
from ansible_collections.longshore.delivery.plugins.module_utils.node.pull_faults import ENGINE_SILENT, fault_in
from ansible_collections.longshore.delivery.plugins.module_utils.pull.engine_error import EngineError, engine_error
from ansible_collections.longshore.delivery.plugins.module_utils.pull.pull_plan import PullStep, pinned, plan_pull
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import (
    REGISTRY_SPEC,
    RegistrySettings,
)


class Pulls:
    """The pulls of one call.

    :ivar pulled: what was pulled, also where its tag could not be set afterwards.
    :ivar tagged: what got its tag.
    :ivar seconds: how long each took of these.
    :ivar failures: what could not be had as it is wanted.
    """

    def __init__(self, engine: ImageStore, where: str, registry: t.Optional[RegistrySettings]) -> None:
        self._engine = engine
        self._where = where
        self._registry = registry
        self.pulled: t.Set[Reference] = set()
        self.tagged: t.Set[Reference] = set()
        self.seconds: t.Dict[Reference, float] = {}
        self.failures: t.Dict[Reference, EngineError] = {}

    def held(self) -> t.List[HeldImage]:
        """:raises EngineError: the engine does not answer."""
        try:
            return self._engine.images()
        except EngineRefusal as refusal:
            raise engine_error("Listing the images", self._where, "", ENGINE_SILENT, str(refusal)) from None

    def apply(self, steps: t.Sequence[PullStep]) -> None:
        """Carry the steps out. What fails for its registry as a whole is not tried for that registry's other images."""
        given_up: t.Dict[str, EngineError] = {}
        for step in steps:
            endpoint = str(step.wanted.endpoint)
            if endpoint in given_up:
                self.failures[step.wanted] = given_up[endpoint]
                continue
            start, doing = time.monotonic(), "Pulling"
            try:
                if step.pull:
                    self._engine.pull(step.wanted, login_for(step.wanted, self._registry))
                    self.pulled.add(step.wanted)
                if step.tag:
                    doing = "Setting the tag of"
                    self._engine.tag(step.wanted)
                    self.tagged.add(step.wanted)
            except EngineRefusal as refusal:
                said = str(refusal)
                fault = fault_in(said, str(step.wanted))
                error = engine_error("%s %s" % (doing, step.wanted), self._where, endpoint, fault, said)
                self.failures[step.wanted] = error
                if fault.of_registry:
                    given_up[endpoint] = error
            if self.has_changed(step.wanted):
                self.seconds[step.wanted] = round(time.monotonic() - start, 3)

    def has_changed(self, wanted: Reference) -> bool:
        return wanted in self.pulled or wanted in self.tagged

    def verify(self, steps: t.Sequence[PullStep]) -> None:
        """Ask the engine for the digests and tags of what was done. One that is silent by then may have it all the same."""
        done = [step.wanted for step in steps if self.has_changed(step.wanted)]
        if not done:
            return
        try:
            held = self.held()
        except EngineError as error:
            self.failures.update(dict.fromkeys(done, error))
            return
        for step in plan_pull(done, held, self._engine.sets_tags):
            if step.pull or (step.tag and step.wanted in self.tagged):
                self.failures[step.wanted] = EngineError(
                    "%s says that it pulled %s, and does not list it by this %s afterwards. Its log says more; another "
                    "process may have removed it." % (self._where, step.wanted, "digest" if step.pull else "tag"),
                    "digest",
                )
                self.tagged.discard(step.wanted)
            if step.pull:
                self.pulled.discard(step.wanted)
            if not self.has_changed(step.wanted):
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
    chosen = choose(params["engine"], look(), node)
    engine = image_store(chosen.engine, context.run_command)
    if engine is None:
        raise ValueError(chosen)  # what is chosen can hold images
    pulls = Pulls(engine, "%s on %s" % (chosen.engine.name, node), registry)
    steps = plan_pull(wanted, pulls.held(), engine.sets_tags)
    missing = [step for step in steps if step.changes]
    if missing and not context.check:
        pulls.apply(missing)
        pulls.verify(missing)
    result = _result(chosen, steps, pulls, context)
    if pulls.failures:
        raise _failure(pulls.failures, result)
    return result


def _result(chosen: Chosen, steps: t.Sequence[PullStep], pulls: Pulls, context: Context) -> t.Dict[str, t.Any]:
    done = [step for step in steps if step.changes and (context.check or pulls.has_changed(step.wanted))]
    result: t.Dict[str, t.Any] = {
        "changed": bool(done),
        "engine": chosen.engine.name,
        "engine_reason": chosen.why,
        "images": [
            {
                "reference": str(step.wanted),
                "digest": str(step.wanted.digest),
                "present": not step.pull or step.wanted in pulls.pulled,
                "pulled": step.wanted in pulls.pulled,
                "seconds": pulls.seconds.get(step.wanted, 0.0),
            }
            for step in steps
        ],
    }
    if context.diff:
        before = [str(step.wanted) for step in steps if not step.changes]
        after = [asked_as(step.wanted) if step.wanted in pulls.failures else str(step.wanted) for step in done]
        result["diff"] = {
            "before_header": "wanted images held by %s" % chosen.engine.name,
            "after_header": "wanted images held by %s" % chosen.engine.name,
            "before": "".join(line + "\n" for line in sorted(before)),
            "after": "".join(line + "\n" for line in sorted([*before, *after])),
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
            "choices": [AUTO, CONTAINERD, CRIO, DOCKER, PODMAN],
            "default": AUTO,
        },
    },
)
