# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""An image as a Docker engine shows it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import typing as t

# of what a container inherits
_SETTINGS = (
    "Cmd",
    "Entrypoint",
    "Env",
    "ExposedPorts",
    "Healthcheck",
    "OnBuild",
    "Shell",
    "StopSignal",
    "User",
    "Volumes",
    "WorkingDir",
)


@dataclasses.dataclass(frozen=True)
class Image:
    """An image in an engine.

    :param id: its ID: the config digest in the classic store, the manifest's in the containerd store.
    :param references: its tags, as the engine shows them.
    :param repository_digests: the manifest digests it has in registries, as 'repository@digest'.
    :param layers: the digests of its uncompressed layers; none where it was only listed.
    :param content: stands for its configuration with those layers, whatever attests or lists it, and whichever the store is;
        empty where it was only listed.
    :param settings: stands for what its containers are started with; empty where that is not known.
    :param on_build: its ONBUILD instructions; None where the engine does not tell them.
    """

    id: str
    labels: t.Dict[str, str]
    references: t.Tuple[str, ...] = ()
    repository_digests: t.Tuple[str, ...] = ()
    layers: t.Tuple[str, ...] = ()
    content: str = ""
    settings: str = ""
    on_build: t.Optional[t.Tuple[str, ...]] = None

    @classmethod
    def of_api(cls, found: t.Mapping[str, t.Any], labels: t.Optional[t.Mapping[str, str]]) -> Image:
        """
        :param found: an image as the API shows or lists it.
        """
        shown = "RootFS" in found
        return cls(
            id=found["Id"],
            labels=dict(labels or {}),
            references=tuple(name for name in found.get("RepoTags") or () if name != "<none>:<none>"),
            repository_digests=tuple(found.get("RepoDigests") or ()),
            layers=tuple((found.get("RootFS") or {}).get("Layers") or ()),
            content=content_of(found) if shown else "",
            settings=_settings_of(found) if shown else "",
            on_build=tuple((found.get("Config") or {}).get("OnBuild") or ()) if shown else None,
        )

    def is_made_from(self, other: Image) -> bool:
        """Whether it has all layers of another, and more than those or other settings."""
        if self.id == other.id or self.layers[: len(other.layers)] != other.layers:
            return False
        return len(self.layers) > len(other.layers) or self.settings != other.settings

    def is_same_as(self, other: t.Optional[Image]) -> bool:
        """Whether it is the same image, also where an attestation gives each build of it another ID."""
        return other is not None and (self.id == other.id or (bool(self.content) and self.content == other.content))

    @property
    def config_digest(self) -> t.Optional[str]:
        """The config digest, where the ID is one: in the containerd store it is the digest under which the image is named."""
        return None if any(named.endswith("@" + self.id) for named in self.repository_digests) else self.id


def _settings_of(shown: t.Mapping[str, t.Any]) -> str:
    """What stands for the settings that a container inherits, which labels are not."""
    config = shown.get("Config") or {}
    parts = {name: config.get(name) or None for name in _SETTINGS}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def content_of(shown: t.Mapping[str, t.Any]) -> str:
    """What stands for an image's configuration, of what an engine shows of it."""
    parts = {
        name: shown.get(name) for name in ("Created", "Author", "Config", "RootFS", "Os", "Architecture", "Variant")
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
