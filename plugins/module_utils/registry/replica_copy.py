# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Copying what a registry serves to another one, by digest: blobs first, then what names them, a tag at the very end.

Cut off at any point it leaves nothing that names what is not there, and what was copied is not copied again.
"""

from __future__ import annotations

import dataclasses
import time
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.digest import BlobDigest, ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.errors import RegistryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.manifest import Manifest
from ansible_collections.longshore.delivery.plugins.module_utils.registry.uploads import PIECE

_TAKES_NOTHING_NOW = (429, 503)
_PAUSE = 2.0

Done = t.TypeVar("Done")


@dataclasses.dataclass
class Copied:
    """What was copied, or would be; C(size) in bytes."""

    manifests: int = 0
    blobs: int = 0
    size: int = 0


class Copier:
    """Copies from one registry to another.

    :param deadline: until when, by C(time.monotonic()), one that takes no writes now is tried again.
    :param rehearse: whether it is only looked at what would be copied.
    """

    def __init__(self, source: RegistryClient, target: RegistryClient, deadline: float, rehearse: bool = False) -> None:
        self._source = source
        self._target = target
        self._deadline = deadline
        self._rehearse = rehearse
        self._rehearsed: t.Set[t.Tuple[str, str]] = set()
        self.copied = Copied()

    def image(self, repository: str, digest: ManifestDigest) -> bool:
        """Have a manifest there with all that it names; whether it was not.

        :raises RegistryError: one of the two does not do its part; of C(kind) C(not_found) where the source has it no more.
        """
        if self._is_new(repository, str(digest)) and self._target.head_manifest(repository, digest) is None:
            manifest = self._source.get_manifest(repository, digest)
            self._needed(repository, manifest)
            self._count(repository, str(digest), len(manifest.body))
            self.copied.manifests += 1
            if not self._rehearse:
                self._patiently(
                    lambda: self._target.put_manifest(repository, digest, manifest.media_type, manifest.body)
                )
            return True
        return False

    def tag(self, repository: str, tag: str, digest: ManifestDigest, may_be: t.Callable[[], bool]) -> bool:
        """Have a tag lead to what was copied; whether it does.

        :param may_be: asked before each attempt, since somebody may push while the registry takes nothing.
        """
        if self._rehearse:
            return may_be()
        manifest = self._target.get_manifest(repository, digest)

        def written() -> bool:
            if not may_be():
                return False
            self._target.put_manifest(repository, tag, manifest.media_type, manifest.body)
            return True

        return self._patiently(written)

    def _needed(self, repository: str, manifest: Manifest) -> None:
        for child in manifest.listed:
            self.image(repository, child.digest)
        elsewhere = {
            str(layer["digest"]) for layer in manifest.document.get("layers") or () if layer.get("urls")
        }  # need not have been pushed (OCI image specification, non-distributable layers)
        for name, size in manifest.blobs.items():
            try:
                self._blob(repository, BlobDigest.parse(name), size or 0)
            except RegistryError as error:
                if error.kind != "not_found" or name not in elsewhere:
                    raise

    def _blob(self, repository: str, digest: BlobDigest, size: int) -> None:
        def pieces() -> t.Iterator[bytes]:
            with self._source.open_blob(repository, digest) as stream:
                piece = stream.read(PIECE)
                while piece:
                    yield piece
                    piece = stream.read(PIECE)

        if not self._is_new(repository, str(digest)):
            return
        if self._rehearse:
            sent = not self._target.has_blob(repository, digest)
        else:
            sent = self._patiently(lambda: self._target.push_pieces(repository, digest, pieces))
        if sent:
            self._count(repository, str(digest), size)
            self.copied.blobs += 1

    def _is_new(self, repository: str, digest: str) -> bool:
        """In a rehearsal nothing gets there, so that what was counted has to be known."""
        return (repository, digest) not in self._rehearsed

    def _count(self, repository: str, digest: str, size: int) -> None:
        self.copied.size += size
        if self._rehearse:
            self._rehearsed.add((repository, digest))

    def _patiently(self, act: t.Callable[[], Done]) -> Done:
        """Do it again as long as the registry says that it takes nothing now, as while garbage is collected."""
        while True:
            try:
                return act()
            except RegistryError as error:
                refused = error.status in _TAKES_NOTHING_NOW and error.endpoint == str(self._target.settings.endpoint)
                if not refused or time.monotonic() + _PAUSE > self._deadline:
                    raise
            time.sleep(_PAUSE)
