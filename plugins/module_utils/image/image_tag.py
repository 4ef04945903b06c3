# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Give an image of an engine further names, and say from which image each of them moved."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Capability, Context
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import ADDRESS_SPEC
from ansible_collections.longshore.delivery.plugins.module_utils.image.local_engine import LocalEngine, find_engine
from ansible_collections.longshore.delivery.plugins.module_utils.image.names import Glob
from ansible_collections.longshore.delivery.plugins.module_utils.image.naming import check_names, give_names
from ansible_collections.longshore.delivery.plugins.module_utils.image.tag_plan import (
    TagError,
    image_id_of,
    plan_tags,
    wanted_names,
)
from ansible_collections.longshore.delivery.plugins.module_utils.node.client import EngineRefusal
from ansible_collections.longshore.delivery.plugins.module_utils.node.cri import Cri
from ansible_collections.longshore.delivery.plugins.module_utils.node.docker_socket import DockerSocket
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import AUTO, DOCKER, PODMAN
from ansible_collections.longshore.delivery.plugins.module_utils.node.held_images import HeldImage
from ansible_collections.longshore.delivery.plugins.module_utils.node.podman import Podman
from ansible_collections.longshore.delivery.plugins.module_utils.node.said import core_of
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference

if t.TYPE_CHECKING:
    from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.client import DockerEngine


class TagClient(t.Protocol):
    """What names images; every method raises C(EngineRefusal) or C(DeliveryError)."""

    def images(self) -> t.List[HeldImage]:
        """All images of the engine."""

    def name(self, image_id: str, reference: Reference) -> None:
        """Name an image; the name is taken from whatever image has it."""

    def remove(self, reference: Reference) -> None:
        """Take a name away."""


class _AddressedDocker:
    """Docker at an address, as the stages have it that build and push."""

    def __init__(self, engine: DockerEngine) -> None:
        self._engine = engine

    def images(self) -> t.List[HeldImage]:
        return [HeldImage.of_docker(listed) for listed in self._engine.listed()]

    def name(self, image_id: str, reference: Reference) -> None:
        self._engine.tag(image_id, reference)

    def remove(self, reference: Reference) -> None:
        self._engine.remove(str(reference))


def _client_of(client: t.Union[DockerSocket, DockerEngine, Podman]) -> TagClient:
    return client if isinstance(client, (DockerSocket, Podman)) else _AddressedDocker(client)


def run(params: t.Dict[str, t.Any], context: Context) -> t.Dict[str, t.Any]:
    """Observe the engine's images, plan, give the names, ask the engine again.

    :raises DeliveryError: there is no such image, a name may not move, or the engine refuses.
    """
    wanted = wanted_names(params["references"])
    immutable = [Glob.parse(text, "immutable") for text in params["immutable"] or ()]
    with contextlib.ExitStack() as opened:
        engine = find_engine(params, context, opened)
        if isinstance(engine.client, Cri):
            raise TagError(
                "%s is spoken to by the CRI, which gives images no names. Set 'engine' to docker or podman, or run this where "
                "one of them is." % engine.where,
                **engine.told,
            )
        try:
            return _tagged(engine, _client_of(engine.client), params["image"], wanted, immutable, context)
        except EngineRefusal as refusal:
            said = core_of(str(refusal)) or "nothing"
            raise TagError("%s does not do it. It said: %s" % (engine.where, said), **engine.told) from None


def _tagged(
    engine: LocalEngine,
    client: TagClient,
    image: str,
    wanted: t.Sequence[Reference],
    immutable: t.Sequence[Glob],
    context: Context,
) -> t.Dict[str, t.Any]:
    held = client.images()
    image_id = image_id_of(image, held)
    if image_id is None:
        missing = "%s has no image %s." % (engine.where, image)
        if not context.check:
            raise TagError("%s Build or pull it first; image_info shows what is there." % missing, **engine.told)
        context.warn("%s What comes before in the same playbook may change that." % missing)
    steps = plan_tags(image_id, wanted, held, immutable)
    changes = [step for step in steps if step.changes]
    if image_id is not None and changes and not context.check:
        # one without a name would be removed with its last one: what it got is left to it should a later one fail
        is_named = any(image.image_id == image_id and image.references for image in held)
        give_names(image_id, changes, client.name, client.remove if is_named else None)
        owners = {reference: image.image_id for image in client.images() for reference in image.references}
        check_names(image_id, changes, owners.get, engine.where, engine.told)
    result = {
        "changed": bool(changes),
        **engine.told,
        "image_id": image_id,
        "tags": [
            {"reference": str(step.reference), "before": step.before, "image_id": image_id, "moved": step.moves}
            for step in steps
        ],
    }
    if context.diff:
        result["diff"] = {
            "before_header": "names in %s" % engine.where,
            "after_header": "names in %s" % engine.where,
            "before": "".join("%s -> %s\n" % (step.reference, step.before) for step in steps if step.before),
            "after": "".join("%s -> %s\n" % (step.reference, image_id or "the image to come") for step in steps),
        }
    return result


CAPABILITY = Capability(
    run=run,
    argument_spec={
        **ADDRESS_SPEC,
        "image": {"type": "str", "required": True},
        "references": {"type": "list", "elements": "str", "required": True},
        "immutable": {"type": "list", "elements": "str"},
        "engine": {"type": "str", "choices": [AUTO, DOCKER, PODMAN], "default": AUTO},
    },
)
