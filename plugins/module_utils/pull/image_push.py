# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Have a registry serve an engine's image under the wanted tags."""

from __future__ import annotations

import contextlib
import dataclasses
import time
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Capability, Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import (
    ADDRESS_SPEC,
    DockerAddress,
)
from ansible_collections.longshore.delivery.plugins.module_utils.node.pull_faults import fault_in
from ansible_collections.longshore.delivery.plugins.module_utils.pull.engine_error import engine_error
from ansible_collections.longshore.delivery.plugins.module_utils.pull.push_plan import (
    LocalImage,
    PushPlan,
    ServedTag,
    plan_push,
)
from ansible_collections.longshore.delivery.plugins.module_utils.pull.push_progress import PushProgress
from ansible_collections.longshore.delivery.plugins.module_utils.pull.pushing_engine import PushingEngine
from ansible_collections.longshore.delivery.plugins.module_utils.reference import InvalidReference, Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import (
    Manifest,
    RegistryClient,
    RegistryError,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import (
    REGISTRY_SPEC,
    RegistrySettings,
    registry_of,
)

UNKNOWN = "known after the push"
FORESEEN = "%s In check mode: %s would be pushed; its digest is not known yet, so that no pull of it is foreseen."


class ImageNotBuilt(DeliveryError):
    """The engine has no image under any of the names."""


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What is to be served where.

    ``written`` is the image's name as the user wrote it, without a tag: an engine may know it without the registry.
    """

    settings: RegistrySettings
    written: str
    target: Reference
    tags: t.Tuple[str, ...]

    @classmethod
    def from_params(cls, params: t.Mapping[str, t.Any]) -> Wanted:
        """:raises DeliveryError: name, tags and registry do not say one place, or are none."""
        name = params["name"]
        registry, reference = registry_of(name, params.get("registry"))
        if reference.digest is not None:
            raise InvalidReference(
                "The image %s is named by a digest; a push sets tags. Write its name, and the tags in 'tags'." % name
            )
        tags = ([reference.tag] if reference.tag else []) + [str(tag) for tag in params.get("tags") or []]
        if not tags:
            raise InvalidReference("The image %s is to be pushed without a tag. Set 'tags'." % name)
        written = name[: -len(reference.tag) - 1] if reference.tag else name
        for tag in tags:
            reference.with_tag(tag)  # an invalid one is refused before anything is asked
        return cls(registry, written, reference.with_tag(tags[0]), tuple(dict.fromkeys(tags)))

    def served_as(self, tag: str) -> Reference:
        return self.target.with_tag(tag)


def observe_engine(engine: PushingEngine, wanted: Wanted) -> LocalImage:
    """The image to push.

    The engine is asked by the name with the registry and by the name as it is written. A tag that the engine does not have is
    set to the image of those that it has.

    :raises ImageNotBuilt: there is none.
    :raises DeliveryError: it is not one image.
    """
    names = dict.fromkeys((wanted.target.name, wanted.written))
    asked = ["%s:%s" % (name, tag) for name in names for tag in wanted.tags]
    found = [image for image in map(engine.find, asked) if image]
    if not found:
        raise ImageNotBuilt(
            "%s has no image %s. Build it there, or correct 'name' and 'tags'; 'docker_host' says which engine is asked."
            % (_capital(engine), " or ".join(asked))
        )
    other = next((image for image in found if image.image_id != found[0].image_id), None)
    if other:
        raise DeliveryError(
            "%s and %s are two images on %s, and it is not said which of them is to be pushed. Write the name as the engine has "
            "it, or tag the right one again; two images are pushed by two tasks." % (found[0].name, other.name, engine)
        )
    return found[0]


def _capital(engine: PushingEngine) -> str:
    text = str(engine)
    return text[0].upper() + text[1:]


def fetch_manifest(registry: RegistryClient, repository: str, tag: str) -> t.Optional[Manifest]:
    """What a tag serves; None if nothing, and then a registry that takes the login has said so."""
    try:
        return registry.get_manifest(repository, tag)
    except RegistryError as error:
        if error.kind != "not_found":
            raise
    registry.ping()
    return None


def observe_registry(registry: RegistryClient, wanted: Wanted) -> t.Dict[str, t.Optional[Manifest]]:
    return {tag: fetch_manifest(registry, wanted.target.repository, tag) for tag in wanted.tags}


def foresee_engine(engine: PushingEngine, wanted: Wanted, context: Context) -> t.Optional[LocalImage]:
    """The image to push; in check mode None for one that the build, which has built nothing either, would have left there."""
    try:
        return observe_engine(engine, wanted)
    except ImageNotBuilt as missing:
        if not context.check:
            raise
        context.warn(FORESEEN % (missing, wanted.target))
        return None


def foresee_registry(registry: RegistryClient, wanted: Wanted, context: Context) -> t.Dict[str, t.Optional[Manifest]]:
    """What the tags serve; in check mode nothing where no registry is yet, as one that would have been set up before."""
    try:
        return observe_registry(registry, wanted)
    except RegistryError as error:
        if error.kind != "refused" or not context.check:
            raise
        context.warn(FORESEEN % (error, wanted.target))
        return dict.fromkeys(wanted.tags)


@contextlib.contextmanager
def after_a_change() -> t.Iterator[None]:
    """What fails from here on fails when the registry serves something else than before, and its error says so."""
    try:
        yield
    except DeliveryError as error:
        error.facts["changed"] = True
        raise


@contextlib.contextmanager
def named_for_push(engine: PushingEngine, image: LocalImage, target: Reference) -> t.Iterator[None]:
    """Let the image have the name that a push needs, and leave the engine's names as they were."""
    before = engine.find(str(target))
    if before is not None and before.image_id == image.image_id:
        yield
        return
    engine.tag(image.image_id, target)
    try:
        yield
    finally:
        if before is None:
            engine.remove(str(target))
        else:
            engine.tag(before.image_id, target)


def upload(
    engine: PushingEngine, registry: RegistryClient, image: LocalImage, target: Reference, context: Context
) -> t.Tuple[Manifest, t.Dict[str, int]]:
    """Let the engine push, then ask the registry what it serves.

    :returns: the manifest and how many layers were pushed, mounted, existing.
    :raises DeliveryError: the engine cannot, or the registry serves something else afterwards.
    """
    endpoint = str(registry.settings.endpoint)
    progress = PushProgress("%s:%s" % (target.repository, target.tag), context.progress, time.monotonic)
    with named_for_push(engine, image, target):
        for event in engine.push(target, registry.settings):
            progress.take(event)
    if progress.error:
        fault = fault_in(progress.error, str(target))
        raise engine_error("Pushing %s" % target, str(engine), endpoint, fault, progress.error)
    with after_a_change():
        manifest = registry.get_manifest(target.repository, target.tag or "")
        if progress.digest and manifest.digest != ManifestDigest.parse(progress.digest):
            raise DeliveryError(
                "%s pushed %s as %s, and the registry serves %s there: somebody else pushed the same tag at the same time. Run "
                "this again." % (_capital(engine), target, progress.digest, manifest.digest)
            )
    context.progress("%s: %s" % (target.path, progress.summary))
    return manifest, progress.layers


def point(registry: RegistryClient, repository: str, tag: str, manifest: Manifest) -> None:
    """Let a tag serve a manifest that the repository has, and see that it does."""
    registry.put_manifest(repository, tag, manifest.media_type, manifest.body)
    with after_a_change():
        head = registry.head_manifest(repository, tag)
        if head is None or head.digest != manifest.digest:
            raise DeliveryError(
                "The registry %s took %s for %s:%s and serves %s there: somebody else pushed the same tag at the same time. Run "
                "this again."
                % (registry.settings.endpoint, manifest.digest, repository, tag, head.digest if head else "nothing")
            )


def run(params: t.Dict[str, t.Any], context: Context) -> t.Dict[str, t.Any]:
    """Observe the registry and the engine, push what is missing, verify in the registry.

    :raises DeliveryError: before anything is pushed where it can be known before.
    """
    wanted = Wanted.from_params(params)
    repository = wanted.target.repository
    address = DockerAddress.find(params.get("docker_host"), params.get("docker_cert_path"))
    with RegistryClient(wanted.settings) as registry:
        served = foresee_registry(registry, wanted, context)
        with PushingEngine(address) as engine:
            image = foresee_engine(engine, wanted, context)
            tags = [
                ServedTag(
                    tag,
                    manifest,
                    image is not None
                    and manifest is not None
                    and image.is_served_by(manifest, wanted.target.endpoint, repository),
                )
                for tag, manifest in served.items()
            ]
            plan = plan_push(tags)
            manifest, layers = plan.manifest, None
            if plan.upload and image and not context.check:
                manifest, layers = upload(engine, registry, image, wanted.served_as(plan.upload), context)
        if manifest is not None and not context.check:
            for number, tag in enumerate(plan.point):
                with after_a_change() if plan.upload or number else contextlib.nullcontext():
                    point(registry, repository, tag, manifest)
    return _result(wanted, image, tags, plan, manifest, layers, context)


def _result(
    wanted: Wanted,
    image: t.Optional[LocalImage],
    tags: t.Sequence[ServedTag],
    plan: PushPlan,
    manifest: t.Optional[Manifest],
    layers: t.Optional[t.Dict[str, int]],
    context: Context,
) -> t.Dict[str, t.Any]:
    new = str(manifest.digest) if manifest else None
    told = [
        {
            "tag": tag.tag,
            "reference": str(wanted.served_as(tag.tag)),
            "before": str(tag.digest) if tag.digest else None,
            "digest": str(tag.digest) if tag.is_wanted else new,
        }
        for tag in tags
    ]
    pinned = str(wanted.target.with_digest(manifest.digest)) if manifest else None
    result: t.Dict[str, t.Any] = {
        "changed": plan.changes,
        "digest": new,
        "reference": pinned,
        "image_id": image.image_id if image else None,
        "tags": told,
    }
    if layers is not None:
        result["layers"] = layers
    if context.diff:
        result["diff"] = {
            "before_header": wanted.target.name,
            "after_header": wanted.target.name,
            "before": {entry["tag"]: entry["before"] for entry in told},
            "after": {entry["tag"]: entry["digest"] or UNKNOWN for entry in told},
        }
    return result


CAPABILITY = Capability(
    run=run,
    argument_spec={
        "name": {"type": "str", "required": True},
        "tags": {"type": "list", "elements": "str"},
        "registry": REGISTRY_SPEC,
        **ADDRESS_SPEC,
    },
    needs=("docker",),
)
