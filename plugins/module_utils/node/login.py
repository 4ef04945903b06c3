# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Who pulls from which registry."""

from __future__ import annotations

import base64
import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.reference import Endpoint, Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings


@dataclasses.dataclass(frozen=True)
class Login:
    """Name and password for one registry; secret."""

    endpoint: Endpoint
    username: str
    password: str = dataclasses.field(repr=False)

    @property
    def basic(self) -> str:
        """Both, as crictl and C(containers-auth.json(5)) want them: in base64, which hides nothing."""
        return base64.b64encode(("%s:%s" % (self.username, self.password)).encode()).decode()


def login_for(reference: Reference, registry: t.Optional[RegistrySettings]) -> t.Optional[Login]:
    """The login for an image; a password goes to the registry that it belongs to, and to no other."""
    if registry is None or registry.username is None or registry.password is None:
        return None
    if not reference.endpoint.same_server(registry.endpoint, registry.scheme):
        return None
    return Login(reference.endpoint, registry.username, registry.password)
