# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Making an OCI layout (image specification 1.1), and bringing images from one into another that stays whole all the while."""

from __future__ import annotations

import contextlib
import fcntl
import glob
import gzip
import hashlib
import json
import os
import shutil
import tempfile
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.image.oci_layout import (
    FULL_NAME,
    REF_NAME,
    LayoutError,
)
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.manifest import (
    INDEX_MEDIA_TYPES,
    OCI_INDEX,
    OCI_MANIFEST,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.uploads import PIECE
from ansible_collections.longshore.delivery.plugins.module_utils.verified_stream import Readable

OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"  # and the compression, as in +gzip
_PIECE = 1024 * 1024  # bytes
_GZIP = b"\x1f\x8b"
_INDEX, _MARK = "index.json", "oci-layout"
# the latter lists parts that a layout may come to have, or to keep, without an image that needs them
_STAGING, _DOUBTFUL = ".longshore-", "doubtful.json"

Descriptor = t.Dict[str, t.Any]


class Parts:
    """The parts of images, written into a new directory.

    :param path: of the directory; it is made.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        os.makedirs(os.path.join(path, "blobs", "sha256"))
        mark(path)

    def document(self, media_type: str, content: bytes) -> Descriptor:
        """Keep a manifest or a configuration."""
        digest = hashlib.sha256(content).hexdigest()
        _write(_blob(self.path, "sha256:" + digest), content)
        return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(content)}

    def layer(self, stream: Readable) -> Descriptor:
        """Keep a layer, compressed; one that comes compressed stays as it is. The same bytes give the same digest each time."""
        first = stream.read(_PIECE)
        with tempfile.NamedTemporaryFile(dir=self.path, delete=False) as file:
            hashed = _Hashed(file)
            with contextlib.ExitStack() as stack:
                out: t.Any = hashed
                if first[:2] != _GZIP:
                    out = stack.enter_context(gzip.GzipFile("", "wb", 6, t.cast("t.Any", hashed), mtime=0))
                piece = first
                while piece:
                    out.write(piece)
                    piece = stream.read(_PIECE)
            size = file.tell()
        digest = "sha256:" + hashed.digest.hexdigest()
        os.chmod(file.name, 0o644)
        os.replace(file.name, _blob(self.path, digest))
        return {"mediaType": OCI_LAYER + "+gzip", "digest": digest, "size": size}

    def image(
        self, config: bytes, layers: t.Sequence[Descriptor], annotations: t.Mapping[str, str]
    ) -> t.Tuple[Descriptor, t.Dict[str, str]]:
        """Keep an image's manifest, whose layers are kept already.

        :returns: what stands for it, and its platform.
        """
        document: Descriptor = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": self.document(OCI_CONFIG, config),
            "layers": list(layers),
        }
        if annotations:
            document["annotations"] = dict(annotations)
        known = json.loads(config.decode())
        platform = {name: known[name] for name in ("architecture", "os", "variant") if known.get(name)}
        return self.document(OCI_MANIFEST, _json(document)), platform

    def index(
        self, images: t.Sequence[t.Tuple[Descriptor, t.Dict[str, str]]], annotations: t.Mapping[str, str]
    ) -> Descriptor:
        """Keep a list of images, each with its platform."""
        document: Descriptor = {
            "schemaVersion": 2,
            "mediaType": OCI_INDEX,
            "manifests": [{**image, "platform": platform} for image, platform in images],
        }
        if annotations:
            document["annotations"] = dict(annotations)
        return self.document(OCI_INDEX, _json(document))

    def finish(self, top: Descriptor) -> str:
        """Make it a layout of this image, which has no name there; returns its digest."""
        list_image(self.path, top)
        return str(top["digest"])


def mark(path: str) -> None:
    """Say that a directory is a layout."""
    _write(os.path.join(path, _MARK), json.dumps({"imageLayoutVersion": "1.0.0"}).encode())


def list_image(path: str, image: Descriptor) -> None:
    """Write the index.json of a layout with this image alone, which has no name there."""
    _write(os.path.join(path, _INDEX), _json({"schemaVersion": 2, "manifests": [image]}))


def top_of(path: str) -> Descriptor:
    """What stands for the only image of a layout that was just written."""
    with open(os.path.join(path, _INDEX), encoding="utf-8") as file:
        [entry] = json.load(file)["manifests"]
    return {name: entry[name] for name in ("mediaType", "digest", "size")}


def below(path: str, descriptor: Descriptor) -> t.Iterator[Descriptor]:
    """All that an image is made of, whatever is needed before what names it, and itself at the end; what attests it too.

    :param path: of a layout. What of a list is not there, as of a platform that was not asked for, is passed over.
    """
    try:
        with open(_blob(path, descriptor["digest"]), encoding="utf-8") as file:
            document = json.load(file)
    except FileNotFoundError:
        return
    if descriptor["mediaType"] in INDEX_MEDIA_TYPES:
        for child in document["manifests"]:
            yield from below(path, child)
    else:
        yield from (document["config"], *document["layers"])
    yield descriptor


def blob_pieces(path: str, digest: str, size: int = PIECE) -> t.Iterator[bytes]:
    """What a part of an image is, in pieces of this many bytes."""
    with open(_blob(path, digest), "rb") as file:
        piece = file.read(size)
        while piece:
            yield piece
            piece = file.read(size)


def published(staged: str, descriptor: Descriptor, path: str, references: t.Sequence[Reference]) -> None:
    """Bring an image of one layout into another under these names, which other images of it lose; those that have no name left
    go. Whoever reads the other finds all of what was there, or all of what is there afterwards.

    :param staged: on the same file system; its files are moved.
    :param path: a layout, or where one is to be.
    :raises LayoutError: it cannot be written.
    """
    try:
        with _alone(path):
            if not os.path.lexists(path):
                _write(os.path.join(staged, _INDEX), _json(_renamed({}, descriptor, references)))
                os.rename(staged, path)
                return
            _merged(staged, descriptor, path, references)
    except OSError as error:
        raise LayoutError(
            "The OCI layout %s cannot be written: %s (%s). What was there is as it was."
            % (path, error.strerror, error.filename)
        ) from None


def _merged(staged: str, descriptor: Descriptor, path: str, references: t.Sequence[Reference]) -> None:
    before = _entries(path)
    after = _renamed(before, descriptor, references)
    os.makedirs(os.path.join(path, "blobs", "sha256"), exist_ok=True)
    parts = [part["digest"] for part in below(staged, descriptor)]
    new = [digest for digest in dict.fromkeys(parts) if not os.path.exists(_blob(path, digest))]
    old = {part["digest"] for entry in before.get("manifests") or () for part in below(path, entry)}
    _write(os.path.join(staged, _DOUBTFUL), json.dumps([*new, *sorted(old)]).encode())
    try:
        for digest in new:
            os.rename(_blob(staged, digest), _blob(path, digest))
        if not os.path.exists(os.path.join(path, _MARK)):
            os.rename(os.path.join(staged, _MARK), os.path.join(path, _MARK))
        _write(os.path.join(staged, _INDEX), _json(after))
        os.replace(os.path.join(staged, _INDEX), os.path.join(path, _INDEX))
    except BaseException:
        _forget(path, new)
        raise
    _forget(path, old)


def _forget(path: str, digests: t.Iterable[str]) -> None:
    """Remove those of these parts that no image of a layout needs."""
    entries = _entries(path).get("manifests") or ()
    kept = {part["digest"] for entry in entries for part in below(path, entry)}
    for digest in digests:
        if digest not in kept:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(_blob(path, digest))


def named(path: str, digest: str, references: t.Sequence[Reference]) -> None:
    """Give names to an image that a layout has.

    :raises LayoutError: it cannot be written, or has no such image.
    """
    entries = _entries(path).get("manifests") or ()
    found = next((entry for entry in entries if entry.get("digest") == digest), None)
    if found is None:
        raise LayoutError("The OCI layout %s does not have the image %s any more. Run it again." % (path, digest))
    with staging(path) as staged:
        Parts(os.path.join(staged, "names"))
        published(os.path.join(staged, "names"), found, path, references)


@contextlib.contextmanager
def staging(path: str) -> t.Iterator[str]:
    """A private directory on the file system of a layout, for what is to go there; it goes at the end, and at the next time what
    one that was killed left.

    :raises LayoutError: there can be none.
    """
    parent = path if os.path.isdir(path) else os.path.dirname(path.rstrip("/"))
    try:
        with _alone(path):
            _tidy(path, parent)
            directory = tempfile.mkdtemp(prefix=_STAGING, dir=parent)
            own = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(own, fcntl.LOCK_EX)  # as long as it is held, this run lives
    except OSError as error:
        raise LayoutError(
            "The OCI layout %s cannot be written: %s (%s). Make the directory, or choose another."
            % (path, error.strerror, parent)
        ) from None
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        os.close(own)


def _tidy(path: str, parent: str) -> None:
    """Take away what runs left that live no more."""
    for left in glob.glob(os.path.join(glob.escape(parent), _STAGING + "*")):
        descriptor = os.open(left, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            continue
        finally:
            os.close(descriptor)
        for doubtful in glob.glob(os.path.join(glob.escape(left), "*", _DOUBTFUL)):
            with open(doubtful, encoding="utf-8") as file, contextlib.suppress(ValueError):
                _forget(path, json.load(file))
        shutil.rmtree(left)


def check_place(path: str) -> None:
    """See that there is a layout, or nothing that would be lost.

    :raises LayoutError: there is something else.
    """
    try:
        is_other = os.path.lexists(path) and not os.path.isdir(path)
        names = [] if is_other or not os.path.isdir(path) else os.listdir(path)
    except OSError as error:
        raise LayoutError("layout: %s cannot be read: %s." % (path, error.strerror)) from None
    if is_other or (names and _MARK not in names):
        raise LayoutError(
            "layout: %s is there and is no OCI layout, which is a directory with a file %s. Give another path; nothing there is "
            "overwritten." % (path, _MARK)
        )


def _renamed(index: t.Mapping[str, t.Any], descriptor: Descriptor, references: t.Sequence[Reference]) -> Descriptor:
    """An index.json in which these names are those of one image."""
    taken = {str(reference) for reference in references}
    kept = [
        entry for entry in index.get("manifests") or () if (entry.get("annotations") or {}).get(FULL_NAME) not in taken
    ]
    plain = {name: descriptor[name] for name in ("mediaType", "digest", "size")}
    named_so = [
        {**plain, "annotations": {FULL_NAME: str(reference), REF_NAME: reference.tag}} for reference in references
    ]
    return {**index, "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [*kept, *named_so]}


def _entries(path: str) -> t.Dict[str, t.Any]:
    """A layout's index.json; nothing where there is none yet."""
    try:
        with open(os.path.join(path, _INDEX), encoding="utf-8") as file:
            document = json.load(file)
    except FileNotFoundError:
        return {}
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise LayoutError("The OCI layout %s is damaged: index.json is no JSON object. Have it written again." % path)
    return document


@contextlib.contextmanager
def _alone(path: str) -> t.Iterator[None]:
    """Have no other run write a layout of the same directory at the same time."""
    parent = os.open(os.path.dirname(path.rstrip("/")), os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(parent, fcntl.LOCK_EX)
        yield
    finally:
        os.close(parent)


class _Hashed:
    """Writes to a file what it is given, and knows its digest."""

    def __init__(self, file: t.Any) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        self._file.write(data)
        return len(data)

    def flush(self) -> None:
        self._file.flush()


def _blob(path: str, digest: str) -> str:
    known = ManifestDigest.parse(digest)  # a path is made of it
    return os.path.join(path, "blobs", known.algorithm, known.encoded)


def _json(document: t.Any) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _write(path: str, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
