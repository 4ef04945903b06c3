# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.
"""What a registry lets its clients do, found out without storing or deleting anything.

Seen on distribution 2.8: deleting a manifest that cannot exist is C(404) where deletion is enabled, and C(405) with the code
C(UNSUPPORTED) where it is not or where the registry is a pull-through cache. In read-only mode every method but GET and HEAD is
C(405) with a header Allow and without such a code; a server in front that refuses writes answers C(503) or C(403) by itself.
A pull-through cache shows itself only by refusing an upload with C(UNSUPPORTED).
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.errors import Answer, RegistryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.manifest import NO_MANIFEST
from ansible_collections.longshore.delivery.plugins.module_utils.registry.transport import Request

_NOWHERE = "longshore-probe"


@dataclasses.dataclass(frozen=True)
class Abilities:
    """What it lets the client do; None for what cannot be known, or not without a try.

    :param push_accepted: whether it takes pushes to the repository that this was tried with.
    """

    delete_enabled: t.Optional[bool] = None
    read_only: t.Optional[bool] = None
    mirror: t.Optional[bool] = None
    push_accepted: t.Optional[bool] = None


def abilities_of(client: RegistryClient, write_to: t.Optional[str]) -> t.Tuple[Abilities, t.Optional[RegistryError]]:
    """Find out, and why a push that was tried is refused.

    :param write_to: the repository to which a push is tried; None for none.
    """
    repository = write_to or _NOWHERE
    deletion = Request("DELETE", "/v2/%s/manifests/%s" % (repository, NO_MANIFEST), limit=1024 * 1024)
    found = Abilities()
    with contextlib.suppress(RegistryError):  # a token service may give no right to delete, and say so
        found = _by_deletion(client.request(deletion, repository, "delete"))
    if write_to is None:
        return found, None
    try:
        client.begin_and_cancel_upload(write_to)
    except RegistryError as error:
        return _by_upload(found, error), error
    return dataclasses.replace(found, push_accepted=True, read_only=False, mirror=False), None


def _by_deletion(answer: Answer) -> Abilities:
    if answer.status in (202, 404) and "UNSUPPORTED" not in _codes(answer):
        return Abilities(delete_enabled=True, read_only=False, mirror=False)
    if answer.status == 405 and "UNSUPPORTED" in _codes(answer):
        return Abilities(delete_enabled=False, read_only=False)
    if (answer.status in (405, 503) or answer.status == 403) and not _codes(answer):
        return Abilities(read_only=True)
    return Abilities()


def _by_upload(found: Abilities, error: RegistryError) -> Abilities:
    found = dataclasses.replace(found, push_accepted=False)
    if error.status == 405:
        mirror = "UNSUPPORTED" in str(error)
        return dataclasses.replace(found, mirror=mirror or found.mirror, read_only=found.read_only or not mirror)
    if error.status == 503:
        return dataclasses.replace(found, read_only=True)
    return found


def _codes(answer: Answer) -> t.List[str]:
    """The codes of the registry's own errors; none of what a server in front says."""
    try:
        return [str(entry["code"]) for entry in json.loads(answer.body.decode())["errors"]]
    except (ValueError, LookupError, TypeError):
        return []
