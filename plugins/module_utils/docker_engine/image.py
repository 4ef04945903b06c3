# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""An image as a Docker engine shows it."""

from __future__ import annotations

import dataclasses
import typing as t


@dataclasses.dataclass(frozen=True)
class Image:
    """An image in an engine.

    :param id: its ID: the config digest in the classic store, the manifest's in the containerd store.
    :param references: its tags, as the engine shows them.
    :param repository_digests: the manifest digests it has in registries, as 'repository@digest'.
    """

    id: str
    labels: t.Dict[str, str]
    references: t.Tuple[str, ...] = ()
    repository_digests: t.Tuple[str, ...] = ()

    @property
    def config_digest(self) -> t.Optional[str]:
        """The config digest, where the ID is one: in the containerd store it is the digest under which the image is named."""
        return None if any(named.endswith("@" + self.id) for named in self.repository_digests) else self.id
