# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The images that an engine of a node holds, by what a registry calls them."""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.reference import InvalidReference, Reference

_ALGORITHM = "sha256:"


def with_algorithm(image_id: str) -> str:
    """An ID as all engines' are shown: Podman, Buildah and CRI-O write theirs without the algorithm."""
    return image_id if ":" in image_id or not image_id else _ALGORITHM + image_id


def without_algorithm(name: str) -> str:
    """An ID as every program takes it; a reference stays what it is."""
    return name[len(_ALGORITHM) :] if name.startswith(_ALGORITHM) else name


@dataclasses.dataclass(frozen=True)
class HeldImage:
    """An image of an engine: its ID with the algorithm, and its references by tag and by digest. A list's digest counts like a
    manifest's.
    """

    image_id: str
    references: t.Tuple[Reference, ...]

    @classmethod
    def of(cls, image_id: str, names: t.Iterable[str]) -> HeldImage:
        """Make one of an engine's texts, the ID in either form; those that name nothing, as C(<none>@<none>), are left out."""
        references: t.List[Reference] = []
        for name in names:
            with contextlib.suppress(InvalidReference):
                references.append(Reference.parse(name))
        return cls(with_algorithm(image_id), tuple(references))

    @classmethod
    def of_docker(cls, listed: t.Mapping[str, t.Any]) -> HeldImage:
        """:param listed: an image as Docker's API lists it."""
        return cls.of(listed["Id"], [*(listed.get("RepoDigests") or ()), *(listed.get("RepoTags") or ())])

    def has(self, wanted: Reference) -> bool:
        """Whether the engine knows it by the repository and digest of this reference."""
        return any(
            held.digest == wanted.digest and held.name == wanted.name
            for held in self.references
            if held.digest is not None
        )

    def is_tagged(self, wanted: Reference) -> bool:
        return wanted.with_tag(wanted.tag) in self.references if wanted.tag else True
