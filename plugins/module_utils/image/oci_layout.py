# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The images of an OCI layout (image specification 1.1), a directory or an uncompressed tar of one."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import posixpath
import tarfile
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.absolute_path import check_absolute
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.digest import Digest, IndexDigest, ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.image.contents import ImageContents
from ansible_collections.longshore.delivery.plugins.module_utils.image.manifest_contents import contents_of
from ansible_collections.longshore.delivery.plugins.module_utils.image.names import Names
from ansible_collections.longshore.delivery.plugins.module_utils.reference import InvalidReference, Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.manifest import INDEX_MEDIA_TYPES, Manifest
from ansible_collections.longshore.delivery.plugins.module_utils.verified_stream import Readable, VerifiedStream

# What the specification has for the name, mostly a tag alone, and what BuildKit and containerd write beside it.
FULL_NAME = "io.containerd.image.name"
REF_NAME = "org.opencontainers.image.ref.name"
_DOCUMENT_LIMIT = 16 * 1024 * 1024  # bytes: manifests and configurations are held in memory
_DEEPEST = 8  # lists within lists, of which real ones have two


class LayoutError(DeliveryError):
    """A path with no layout, or one with a part that is missing or damaged."""


class Files(t.Protocol):
    """The files of a layout."""

    def open(self, name: str) -> t.Optional[t.IO[bytes]]:
        """A file by its path in the layout; None where there is none."""


class _Directory:
    def __init__(self, path: str) -> None:
        self._path = path

    def open(self, name: str) -> t.Optional[t.IO[bytes]]:
        try:
            return open(os.path.join(self._path, name), "rb")
        except (FileNotFoundError, NotADirectoryError):
            return None


class _Archive:
    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._members = {posixpath.normpath(member.name): member for member in tar if member.isfile()}

    def open(self, name: str) -> t.Optional[t.IO[bytes]]:
        member = self._members.get(name)
        return self._tar.extractfile(member) if member else None


class Layout:
    """What the files of a layout say, wherever they are.

    :param path: of the layout, as messages name it.
    """

    def __init__(self, files: Files, path: str) -> None:
        self._files = files
        self._path = path

    def images(self, wanted: Names) -> t.List[ImageContents]:
        """The images that are meant, each platform's for itself.

        :raises LayoutError: a part of one is missing or damaged.
        """
        entries = self._document("index.json", self._read("index.json")).get("manifests") or ()
        found: t.Dict[str, ImageContents] = {}
        for entry in entries:
            for image in self._below(entry, wanted):
                # one image under several names has an entry for each
                found[image.id] = _merged(found[image.id], image) if image.id in found else image
        return list(found.values())

    @contextlib.contextmanager
    def open_blob(self, digest: Digest) -> t.Iterator[Readable]:
        """A blob of any size, read in pieces and verified at its end.

        :raises LayoutError: it is missing, cannot be read, or has another digest.
        """
        try:
            file = self._files.open(blob_path(digest))
        except OSError as error:
            raise self._damaged("%s cannot be read (%s)" % (digest, error.strerror)) from None
        if file is None:
            raise self._damaged("%s is missing" % digest)
        with file:
            yield VerifiedStream(
                file, digest, lambda is_now: self._damaged("the bytes of %s have another digest" % digest)
            )

    def _below(self, entry: t.Any, wanted: Names) -> t.Iterator[ImageContents]:
        try:
            digest = ManifestDigest.parse(entry["digest"])
            references, names = _names(entry.get("annotations") or {})
        except (InvalidReference, LookupError, TypeError, AttributeError) as error:
            raise self._damaged("index.json has an entry that is none (%s)" % error) from None
        pinned = [reference.with_digest(digest) for reference in references]
        if not wanted.wants([*references, *pinned], names):
            return
        top = self._manifest(digest, entry.get("mediaType", ""))
        if top is None:
            raise self._damaged("the manifest %s is missing, which index.json lists" % digest)
        for manifest, index in self._images_of(top, None, _DEEPEST):
            yield self._image(manifest, index, references, pinned, names)

    def _images_of(
        self, manifest: Manifest, index: t.Optional[IndexDigest], depth: int
    ) -> t.Iterator[t.Tuple[Manifest, t.Optional[IndexDigest]]]:
        """The images' own manifests below one, each with the list that names it."""
        if not manifest.is_index:
            yield manifest, index
            return
        if not depth:
            raise self._damaged("the index %s has lists within lists without end" % manifest.digest)
        own = IndexDigest(manifest.digest.algorithm, manifest.digest.encoded)
        for child in manifest.children:
            below = self._manifest(child.digest, child.media_type)
            if below is not None:  # a layout of some platforms has the list of all
                yield from self._images_of(below, own, depth - 1)

    def _image(
        self,
        manifest: Manifest,
        index: t.Optional[IndexDigest],
        references: t.Sequence[Reference],
        pinned: t.Sequence[Reference],
        names: t.Sequence[str],
    ) -> ImageContents:
        config = None
        if manifest.config_digest is not None and manifest.has_image_config:
            config = self._blob(manifest.config_digest)
            if config is None:
                raise self._damaged(
                    "the configuration %s of the image %s is missing" % (manifest.config_digest, manifest.digest)
                )
        try:
            return contents_of(manifest, config, index, references, pinned, names)
        except (ValueError, InvalidReference) as error:
            raise self._damaged(
                "the image %s has a configuration that is none (%s)" % (manifest.digest, error)
            ) from None

    def _manifest(self, digest: ManifestDigest, media_type: str) -> t.Optional[Manifest]:
        body = self._blob(digest)
        if body is None:
            return None
        what = "the manifest %s" % digest
        document = self._document(what, body)
        own_type = document.get("mediaType") or media_type
        if not own_type and "manifests" in document:
            own_type = INDEX_MEDIA_TYPES[0]
        manifest = Manifest(digest, own_type, body, document)
        try:
            manifest.check()
        except (InvalidReference, LookupError, TypeError, AttributeError) as error:
            raise self._damaged("%s is none (%s)" % (what, error)) from None
        return manifest

    def _blob(self, digest: Digest) -> t.Optional[bytes]:
        body = self._read(blob_path(digest))
        if body is not None and len(body) > _DOCUMENT_LIMIT:
            raise self._damaged("%s has more than the %d bytes of a document" % (digest, _DOCUMENT_LIMIT))
        if body is not None and not digest.matches(body):
            raise self._damaged("the bytes of %s have another digest" % digest)
        return body

    def _read(self, name: str) -> t.Optional[bytes]:
        """A file, at most one byte more than the limit of a document; None where there is none."""
        file = self._files.open(name)
        if file is None:
            return None
        with file:
            return file.read(_DOCUMENT_LIMIT + 1)

    def _document(self, what: str, body: t.Optional[bytes]) -> t.Dict[str, t.Any]:
        try:
            document = json.loads(body.decode()) if body is not None else None
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise self._damaged("%s is %s" % (what, "missing" if body is None else "no JSON object"))
        return document

    def _damaged(self, cause: str) -> LayoutError:
        return LayoutError("The OCI layout %s is damaged: %s. Have it written again." % (self._path, cause))


class OciLayout(Layout):
    """A layout; a context manager that closes it.

    :param path: of the directory or the tar, absolute.
    :raises LayoutError: there is none.
    """

    def __init__(self, path: str) -> None:
        self._open = contextlib.ExitStack()
        check_absolute("layout", path, LayoutError)
        try:
            super().__init__(self._opened(path), path)
            if self._read("oci-layout") is None:
                other = self._read("manifest.json") is not None
                raise LayoutError(
                    "%s is no OCI layout: it has no file oci-layout. %s"
                    % (
                        path,
                        "It is an archive of 'docker save' in the older format: load it, and ask the engine."
                        if other
                        else "Give the directory or the tar that 'image_build', buildx or skopeo wrote as one.",
                    )
                )
        except (OSError, tarfile.TarError) as error:
            self.close()
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise LayoutError(
                "The OCI layout %s cannot be read: %s. It has to be a directory or an uncompressed tar, where the task runs."
                % (path, reason)
            ) from None
        except LayoutError:
            self.close()
            raise

    def __enter__(self) -> OciLayout:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        self._open.close()

    def _opened(self, path: str) -> Files:
        if os.path.isdir(path):
            return _Directory(path)
        return _Archive(self._open.enter_context(tarfile.open(path, "r:")))


def blob_path(digest: Digest) -> str:
    """Where a blob is in a layout."""
    return "blobs/%s/%s" % (digest.algorithm, digest.encoded)


def _names(annotations: t.Mapping[str, str]) -> t.Tuple[t.List[Reference], t.List[str]]:
    """The references and the other names of an entry. What has no tag is no reference: a tag alone reads like a repository."""
    full, short = annotations.get(FULL_NAME), annotations.get(REF_NAME)
    for text in (full, short):
        if text:
            with contextlib.suppress(InvalidReference):
                reference = Reference.parse(text)
                if reference.tag is not None:
                    return [reference.with_tag(reference.tag)], []
    return [], [short] if short else []


def _merged(one: ImageContents, other: ImageContents) -> ImageContents:
    """One image with the names of both."""

    def both(name: str) -> t.Tuple[t.Any, ...]:
        return tuple(dict.fromkeys([*getattr(one, name), *getattr(other, name)]))

    return dataclasses.replace(one, references=both("references"), pinned=both("pinned"), names=both("names"))
