# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What the engines of a node have in common for a pull."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.pull.held_images import HeldImage
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Endpoint, Reference


class PullFailed(Exception):
    """An engine that cannot do it; the text is its own words."""


@dataclasses.dataclass(frozen=True)
class Login:
    """Who pulls from which registry; secret."""

    endpoint: Endpoint
    username: str
    password: str = dataclasses.field(repr=False)


class PullingEngine(t.Protocol):
    """An engine as C(image_pull) needs it; every method raises C(PullFailed)."""

    sets_tags: bool

    def images(self) -> t.List[HeldImage]:
        """All images that it holds."""

    def pull(self, reference: Reference, login: t.Optional[Login]) -> None:
        """Fetch the image by its digest."""

    def tag(self, reference: Reference) -> None:
        """Set the reference's tag on the image of its digest, which the engine holds."""
