# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The Docker engine that the controller speaks to, as far as a push needs it."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.client import DockerEngine
from ansible_collections.longshore.delivery.plugins.module_utils.pull.push_plan import LocalImage
from ansible_collections.longshore.delivery.plugins.module_utils.reference import InvalidReference, Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings

# Between two words of the engine; it may be silent while the registry stores a large layer.
_PUSH_SECONDS = 900


class PushingEngine(DockerEngine):
    """One engine; a context manager that closes the connection."""

    def __enter__(self) -> PushingEngine:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __str__(self) -> str:
        return "the Docker engine at %s" % self.address

    def find(self, name: str) -> t.Optional[LocalImage]:
        """The image that the engine knows by this reference; None if there is none."""
        found = self.image(name)
        return None if found is None else LocalImage(name, found.id, tuple(_references(found.repository_digests)))

    def push(self, target: Reference, settings: RegistrySettings) -> t.Iterator[t.Dict[str, t.Any]]:
        """Push one tag; yields the engine's events, of which the last may be an error.

        The login goes with this request alone. The header is sent without credentials too: Docker from 28.3.3 on wants it.
        """
        login = {}
        if settings.username is not None:
            login = {
                "username": settings.username,
                "password": settings.password,
                "serveraddress": str(settings.endpoint),
            }
        with self.calls(_PUSH_SECONDS) as api:
            yield from api.push(target.name, target.tag, stream=True, decode=True, auth_config=login)


def _references(texts: t.Iterable[str]) -> t.Iterator[Reference]:
    for text in texts:
        # An image that no registry has is listed as <none>@<none> by some engines.
        with contextlib.suppress(InvalidReference):
            yield Reference.parse(text)
