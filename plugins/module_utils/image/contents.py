# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What is inside an image, wherever it is: one shape for engines, registries and OCI layouts. Pure."""

from __future__ import annotations

import dataclasses
import datetime
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.digest import (
    BlobDigest,
    ConfigDigest,
    DiffId,
    IndexDigest,
    ManifestDigest,
)
from ansible_collections.longshore.delivery.plugins.module_utils.moments import shown_moment, time_of
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.manifest import platform_of

# The image configuration's settings by the OCI image specification, and those that Docker adds; engines show others of their
# own, as a container's host name. Labels are told apart from them.
SETTINGS = (
    "User",
    "ExposedPorts",
    "Env",
    "Entrypoint",
    "Cmd",
    "Volumes",
    "WorkingDir",
    "StopSignal",
    "Healthcheck",
    "OnBuild",
    "Shell",
)


@dataclasses.dataclass(frozen=True)
class Digests:
    """What an image is called by, each kind for itself; None where the store does not tell it.

    :param index: of the list that the image was found by, which names it for its platform.
    """

    config: t.Optional[ConfigDigest] = None
    manifest: t.Optional[ManifestDigest] = None
    index: t.Optional[IndexDigest] = None


@dataclasses.dataclass(frozen=True)
class Layer:
    """A layer; what a store does not tell is None.

    :param index: 0 for the lowest.
    :param digest: of the layer as it is stored, compressed most often.
    :param compressed_size: in bytes, as it is stored.
    :param size: in bytes, unpacked.
    :param created_by: the instruction that made it.
    """

    index: int
    diff_id: t.Optional[DiffId] = None
    digest: t.Optional[BlobDigest] = None
    compressed_size: t.Optional[int] = None
    size: t.Optional[int] = None
    created_by: t.Optional[str] = None


@dataclasses.dataclass(frozen=True)
class ImageContents:
    """An image.

    :param id: what its store calls it.
    :param references: its names by tag.
    :param pinned: its names by digest, a manifest's or an index's.
    :param names: what a layout calls it where that is no reference, as "1.4".
    :param config: its OCI configuration, as a document; of an engine, what the engine tells of it, in OCI's words.
    :param size: in bytes, as its store counts.
    """

    id: str
    references: t.Tuple[Reference, ...] = ()
    pinned: t.Tuple[Reference, ...] = ()
    names: t.Tuple[str, ...] = ()
    digests: Digests = dataclasses.field(default_factory=Digests)
    config: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    layers: t.Tuple[Layer, ...] = ()
    size: t.Optional[int] = None

    @property
    def platform(self) -> t.Optional[str]:
        """As in 'linux/arm/v7'; None where the configuration names no architecture."""
        return platform_of(self.config)

    @property
    def created(self) -> t.Optional[datetime.datetime]:
        return time_of(self.config.get("created"))

    @property
    def labels(self) -> t.Dict[str, str]:
        return dict(_mapping(self.config.get("config")).get("Labels") or {})

    @property
    def settings(self) -> t.Dict[str, t.Any]:
        """What containers of it are started with, without what is not set."""
        written = _mapping(self.config.get("config"))
        return {name: written[name] for name in SETTINGS if written.get(name)}

    @property
    def history(self) -> t.Tuple[t.Mapping[str, t.Any], ...]:
        """What made it, the oldest first."""
        return tuple(_mapping(entry) for entry in self.config.get("history") or ())

    @property
    def is_dangling(self) -> bool:
        """Whether nothing names it but digests, as is left of an image whose tag was moved."""
        return not self.references and not self.names

    def shown(self) -> t.Dict[str, t.Any]:
        """As a task's result has it."""
        created = self.created
        return {
            "id": self.id,
            "references": [str(reference) for reference in self.references],
            "repository_digests": [str(reference) for reference in self.pinned],
            "names": list(self.names),
            "digests": {
                "config": _text(self.digests.config),
                "manifest": _text(self.digests.manifest),
                "index": _text(self.digests.index),
            },
            "platform": self.platform,
            "size": self.size,
            "layers": [
                {
                    "diff_id": _text(layer.diff_id),
                    "digest": _text(layer.digest),
                    "compressed_size": layer.compressed_size,
                    "size": layer.size,
                    "created_by": layer.created_by,
                }
                for layer in self.layers
            ],
            "created": shown_moment(created),
            "labels": self.labels,
            "config": self.settings,
        }


def layers_of(
    config: t.Mapping[str, t.Any],
    blobs: t.Sequence[t.Tuple[BlobDigest, t.Optional[int]]] = (),
    sizes: t.Sequence[int] = (),
) -> t.Tuple[Layer, ...]:
    """The layers of a configuration, the lowest first.

    :param config: an OCI configuration.
    :param blobs: digest and size of each layer as it is stored; none where that is not known.
    :param sizes: of each layer unpacked; none where they are not known.
    :raises InvalidReference: a diffID is none.
    """
    rootfs = _mapping(config.get("rootfs"))
    diff_ids = [DiffId.parse(text) for text in rootfs.get("diff_ids") or ()]
    makers = [_mapping(entry) for entry in config.get("history") or ()]
    made_by = [entry.get("created_by") for entry in makers if not entry.get("empty_layer")]
    count = max(len(diff_ids), len(blobs))

    def at(values: t.Sequence[t.Any], index: int) -> t.Any:
        # what does not count as the layers do belongs to none of them
        return values[index] if len(values) == count else None

    return tuple(
        Layer(
            index,
            at(diff_ids, index),
            digest=at([digest for digest, _size in blobs], index),
            compressed_size=at([size for _digest, size in blobs], index),
            size=at(sizes, index),
            created_by=at(made_by, index) or None,
        )
        for index in range(count)
    )


def _mapping(value: t.Any) -> t.Mapping[str, t.Any]:
    return value if isinstance(value, dict) else {}


def _text(value: t.Any) -> t.Optional[str]:
    return None if value is None else str(value)
