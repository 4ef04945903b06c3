# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Remove images of an engine that nothing uses, and say what was gained."""

from __future__ import annotations

import contextlib
import datetime
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Capability, Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import ADDRESS_SPEC
from ansible_collections.longshore.delivery.plugins.module_utils.image.local_engine import LocalEngine, find_engine
from ansible_collections.longshore.delivery.plugins.module_utils.image.names import Names
from ansible_collections.longshore.delivery.plugins.module_utils.image.prune_plan import (
    PrunePlan,
    check_selection,
    gained,
    plan_prune,
)
from ansible_collections.longshore.delivery.plugins.module_utils.image.pruning import PruningEngine, pruning
from ansible_collections.longshore.delivery.plugins.module_utils.image.selection import Selection
from ansible_collections.longshore.delivery.plugins.module_utils.node.client import EngineRefusal
from ansible_collections.longshore.delivery.plugins.module_utils.node.cri import Cri
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import AUTO, DOCKER, PODMAN
from ansible_collections.longshore.delivery.plugins.module_utils.node.said import core_of


class PruneError(DeliveryError):
    """Images that cannot be removed."""


def run(params: t.Dict[str, t.Any], context: Context) -> t.Dict[str, t.Any]:
    """Observe images and containers, plan, remove, ask the engine again.

    :raises DeliveryError: an option cannot be meant, or the engine refuses.
    """
    check_selection(params)
    names = Names.parse(params["references"], params["globs"])
    selection = Selection.of(params, datetime.datetime.now(datetime.timezone.utc))
    with contextlib.ExitStack() as opened:
        engine = find_engine(params, context, opened)
        if isinstance(engine.client, Cri):
            raise PruneError(
                "%s is spoken to by the CRI, by which an image is removed also under names that were not meant. The kubelet "
                "removes what no pod uses. Set 'engine' to docker or podman, or run this where one of them is."
                % engine.where,
                **engine.told,
            )
        client = pruning(engine.client)
        changed = False
        try:
            plan = plan_prune(client.images(), names, selection, params["keep"])
            bytes_gained = gained(client.measured(plan.going), plan.staying)
            for step in () if context.check else plan.steps:
                context.progress("%s: removing %s" % (engine.where, ", ".join(map(str, step.names)) or step.image.id))
                for name in step.removals:
                    client.discard(name)
                    changed = True
            if changed:
                _verify(client, engine, plan)
        except (EngineRefusal, DeliveryError) as error:
            if isinstance(error, DeliveryError):
                error.facts.update({**engine.told, "changed": changed})
                raise
            said = core_of(str(error)) or "nothing"
            raise PruneError(
                "%s does not do it. It said: %s" % (engine.where, said), **engine.told, changed=changed
            ) from None
    return {**_result(plan, bytes_gained, context, engine), **engine.told}


def _result(
    plan: PrunePlan, bytes_gained: t.Optional[int], context: Context, engine: LocalEngine
) -> t.Dict[str, t.Any]:
    result: t.Dict[str, t.Any] = {
        "changed": bool(plan.steps),
        "removed": [
            {
                "id": step.image.id,
                "references": [str(name) for name in step.names],
                "whole": step.whole,
                "size": step.image.size,
            }
            for step in plan.steps
        ],
        "kept": [
            {"id": kept.image.id, "references": [str(name) for name in kept.image.references], "why": kept.why}
            for kept in plan.kept
        ],
        "bytes_gained": bytes_gained,
    }
    if context.diff:
        lines = ["%s %s\n" % (name, step.image.id) for step in plan.steps for name in step.names or ("<none>",)]
        header = "images in %s" % engine.where
        result["diff"] = {"before_header": header, "after_header": header, "before": "".join(lines), "after": ""}
    return result


def _verify(client: PruningEngine, engine: LocalEngine, plan: PrunePlan) -> None:
    held = {image.image_id: image.references for image in client.held()}
    left = [
        str(name) for step in plan.steps for name in step.names if step.image.id in held and name in held[step.image.id]
    ]
    left += [step.image.id for step in plan.steps if step.whole and step.image.id in held]
    if left:
        raise PruneError(
            "%s removed the images, and afterwards %s is there. Another process may have brought it back."
            % (engine.where, ", ".join(left))
        )


CAPABILITY = Capability(
    run=run,
    argument_spec={
        **ADDRESS_SPEC,
        "engine": {"type": "str", "choices": [AUTO, DOCKER, PODMAN], "default": AUTO},
        "references": {"type": "list", "elements": "str"},
        "globs": {"type": "list", "elements": "str"},
        "labels": {"type": "list", "elements": "str"},
        "dangling": {"type": "bool"},
        "older_than": {"type": "str"},
        "keep": {"type": "int"},
    },
    constraints={
        "mutually_exclusive": [["dangling", "keep"]],
        "required_one_of": [["references", "globs", "labels", "dangling", "older_than", "keep"]],
    },
)
