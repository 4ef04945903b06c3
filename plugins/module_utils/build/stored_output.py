# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Images that are to be in an OCI layout or a registry, whichever engine builds them.

Each is first written as a layout of its own in a private directory, looked at there, and then brought to where it is to be: by
this process, with the registry's own CA and login, which neither the engine nor the builder has to know.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import tempfile
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.absolute_path import check_absolute
from ansible_collections.longshore.delivery.plugins.module_utils.build.builder import (
    BuildEngine,
    Builder,
    BuildRequest,
    Built,
    NoTemporaryDirectory,
    Show,
    outside,
)
from ansible_collections.longshore.delivery.plugins.module_utils.build.kept_image import kept_image, kept_images
from ansible_collections.longshore.delivery.plugins.module_utils.build.leftovers import taken_away
from ansible_collections.longshore.delivery.plugins.module_utils.build.output import LAYOUT, REGISTRY, Work
from ansible_collections.longshore.delivery.plugins.module_utils.build.record import joined
from ansible_collections.longshore.delivery.plugins.module_utils.digest import BlobDigest, ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.image import Image
from ansible_collections.longshore.delivery.plugins.module_utils.image.layout_writer import (
    Parts,
    below,
    blob_pieces,
    check_place,
    named,
    published,
    staging,
    top_of,
)
from ansible_collections.longshore.delivery.plugins.module_utils.image.names import Names
from ansible_collections.longshore.delivery.plugins.module_utils.image.naming import give_names
from ansible_collections.longshore.delivery.plugins.module_utils.image.oci_layout import LayoutError, OciLayout
from ansible_collections.longshore.delivery.plugins.module_utils.image.recorded_inputs import DIGEST_LABEL
from ansible_collections.longshore.delivery.plugins.module_utils.image.registry_image import RegistryImages
from ansible_collections.longshore.delivery.plugins.module_utils.image.tag_plan import TagStep
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient, RegistryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.errors import NOT_THERE
from ansible_collections.longshore.delivery.plugins.module_utils.registry.manifest import MEDIA_TYPES
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings

_SECONDS = 300.0  # a registry may be silent for while it stores a large layer
_Deliver = t.Callable[[str, str, t.Sequence[TagStep]], None]


class _StagedWork:
    """
    :param directory: private, for layouts of what is built.
    :param deliver: takes such a layout, the image's digest, and the names.
    """

    def __init__(self, engine: BuildEngine, digest: str, directory: str, deliver: _Deliver) -> None:
        self._engine = engine
        self._digest = digest
        self._directory = directory
        self._deliver = deliver
        self._count = 0
        self._places: t.Dict[str, str] = {}

    def build(self, builder: Builder, request: BuildRequest, show: Show) -> Built:
        try:
            return self._build(builder, request, show)
        except OSError as error:
            raise NoTemporaryDirectory(
                "The image that was built cannot be written to %s: %s. Make room there, or choose another place, which is beside "
                "the layout, else by TMPDIR." % (os.path.dirname(self._directory), error.strerror)
            ) from None

    def _build(self, builder: Builder, request: BuildRequest, show: Show) -> Built:
        self._count += 1
        place = os.path.join(self._directory, "built-%d" % self._count)
        if builder.writes_layouts:
            built = builder.build(dataclasses.replace(request, layout=place), show)
            if built.image_id:
                built = dataclasses.replace(built, image_id=str(top_of(place)["digest"]))
        else:
            built = self._exported(builder, request, place, show)
        if built.image_id:
            self._places[built.image_id] = place
        return built

    def image(self, image_id: str) -> t.Optional[Image]:
        place = self._places.get(image_id)
        if place is None:
            return None
        with OciLayout(place) as layout:
            return kept_image(layout.images(Names()))

    def drop(self, image_id: str) -> None:
        """It goes with the directory."""

    def keep(self, image_id: str) -> None:
        self._deliver(self._places[image_id], image_id, ())

    def name(self, image_id: str, steps: t.Sequence[TagStep]) -> None:
        if steps:
            self._deliver(self._places[image_id], image_id, steps)

    def _exported(self, builder: Builder, request: BuildRequest, place: str, show: Show) -> Built:
        """Build into the engine, platform by platform, and take away from there what it gave away."""
        parts = Parts(place)
        images, records = [], []
        for platform in request.platforms or (None,):
            one = request if platform is None else dataclasses.replace(request, platforms=(platform,))
            with taken_away(self._engine, self._digest, always=True) as made:
                built = builder.build(one, show)
                made.image_id = built.image_id
                if not built.image_id:
                    return built
                images.append(self._engine.export(built.image_id, parts, request.annotations))
            records.append(built.record)
        top = images[0][0] if len(images) == 1 else parts.index(images, request.annotations)
        return Built(parts.finish(top), joined(records, show))


class LayoutOutput:
    """
    :param path: of the layout, absolute.
    :param sources: directories that the build reads.
    :raises LayoutError: there can be none.
    """

    kind = LAYOUT
    shows_whole = True

    def __init__(self, engine: BuildEngine, path: str, sources: t.Sequence[str]) -> None:
        check_absolute("layout", path, LayoutError)
        self._engine = engine
        self._path = os.path.normpath(path)
        own = os.path.join(os.path.realpath(path), "")
        inside = next((one for one in sources if own.startswith(os.path.join(os.path.realpath(one), ""))), None)
        if inside is not None:
            raise LayoutError(
                "layout: %s is in %s, from which the image is built: it would be one of its inputs. Choose a place outside."
                % (path, inside)
            )
        check_place(self._path)

    @property
    def where(self) -> str:
        return "the OCI layout %s" % self._path

    @property
    def short(self) -> str:
        return self.where

    def close(self) -> None:
        """Nothing is open."""

    def image(self, reference: Reference) -> t.Optional[Image]:
        with self._opened() as layout:
            return kept_image(layout.images(Names((reference,)))) if layout else None

    def with_inputs(self, digest: str, made: str) -> t.Iterator[Image]:
        with self._opened() as layout:
            found = layout.images(Names()) if layout else []
        yield from (image for image in kept_images(found) if image.labels.get(DIGEST_LABEL) == digest)

    def unnamed(self, image_id: str) -> t.Optional[Image]:
        """A layout keeps what has a name."""

    def forget(self, image_id: str) -> None:
        """Likewise."""

    def name(self, image_id: str, steps: t.Sequence[TagStep]) -> None:
        named(self._path, image_id, [step.reference for step in steps])

    @contextlib.contextmanager
    def work(self, digest: str) -> t.Iterator[Work]:
        def deliver(place: str, image_id: str, steps: t.Sequence[TagStep]) -> None:
            published(place, top_of(place), self._path, [step.reference for step in steps])

        with staging(self._path) as directory:
            yield _StagedWork(self._engine, digest, directory, deliver)

    @contextlib.contextmanager
    def _opened(self) -> t.Iterator[t.Optional[OciLayout]]:
        if not os.path.isdir(self._path) or not os.listdir(self._path):
            yield None
            return
        with OciLayout(self._path) as layout:
            yield layout


class RegistryOutput:
    """
    :param name: of the image.
    :param sources: directories that the build reads.
    :param show: is given a line for what is pushed.
    :param may_come: is given a warning where the registry is not there, which then counts as empty; None where that is an error.
    """

    kind = REGISTRY
    shows_whole = True

    def __init__(
        self,
        engine: BuildEngine,
        settings: RegistrySettings,
        name: Reference,
        sources: t.Sequence[str],
        show: Show,
        may_come: t.Optional[Show] = None,
    ) -> None:
        self._engine = engine
        self._name = name
        self._sources = sources
        self._client = RegistryClient(settings, _SECONDS)
        self._images = RegistryImages(self._client, lambda line: None)
        self._show = show
        self._may_come = may_come
        self._is_away = False
        self._is_known = False  # whether the registry answered, with this login

    @property
    def where(self) -> str:
        return "the registry %s" % self._client.settings.endpoint

    @property
    def short(self) -> str:
        return self.where

    def close(self) -> None:
        self._client.close()

    def image(self, reference: Reference) -> t.Optional[Image]:
        try:
            return None if self._is_away else self._asked(reference)
        except RegistryError as error:
            if self._may_come is None or error.kind not in NOT_THERE:
                raise
            self._is_away = True
            self._may_come(
                "%s In check mode it is taken for one without images, as a play may set it up before. A run that finds no "
                "registry there fails." % error
            )
            return None

    def _asked(self, reference: Reference) -> t.Optional[Image]:
        head = self._client.head_manifest(reference.repository, reference.tag or "")
        if head is None:
            if not self._is_known:
                self._client.ping()  # a registry that takes the login says so
                self._is_known = True
            return None
        found = kept_image(self._images.images(Names((reference,))))
        # a list of which it has no image is something else that has the name
        return found or Image(str(head.digest), {}, (str(reference),))

    def with_inputs(self, digest: str, made: str) -> t.Iterator[Image]:
        """A registry cannot be asked for that, but for the one that was noted."""
        found = self.unnamed(made) if made else None
        if found is not None:  # it is called by its digest: its tags are not asked for
            yield dataclasses.replace(found, references=found.repository_digests)

    def unnamed(self, image_id: str) -> t.Optional[Image]:
        if self._is_away:
            return None
        return kept_image(self._images.images(Names((self._name.with_digest(ManifestDigest.parse(image_id)),))))

    def forget(self, image_id: str) -> None:
        """What has no name goes when the registry collects its garbage."""

    def name(self, image_id: str, steps: t.Sequence[TagStep]) -> None:
        def tag(digest: str, reference: Reference) -> None:
            manifest = self._client.get_manifest(reference.repository, ManifestDigest.parse(digest))
            self._client.put_manifest(reference.repository, reference.tag or "", manifest.media_type, manifest.body)

        give_names(image_id, steps, tag, None)

    @contextlib.contextmanager
    def work(self, digest: str) -> t.Iterator[Work]:
        with tempfile.TemporaryDirectory(prefix="longshore-build-", dir=outside(self._sources)) as directory:
            yield _StagedWork(self._engine, digest, directory, self._push)

    def _push(self, place: str, image_id: str, steps: t.Sequence[TagStep]) -> None:
        repository = self._name.repository
        sent = there = 0
        for part in below(place, top_of(place)):
            if part["mediaType"] in MEDIA_TYPES:
                body = b"".join(blob_pieces(place, part["digest"]))
                digest = ManifestDigest.parse(part["digest"])
                self._client.put_manifest(repository, digest, part["mediaType"], body)
                continue
            blob = BlobDigest.parse(part["digest"])
            if self._client.push_pieces(repository, blob, functools.partial(blob_pieces, place, str(blob))):
                sent += part["size"]
            else:
                there += part["size"]
        self._show("pushed %.1f MB to %s; %.1f MB were there" % (sent / 1e6, self.where, there / 1e6))
        self.name(image_id, steps)
