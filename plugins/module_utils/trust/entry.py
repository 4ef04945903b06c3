# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What the collection puts into a file of an engine: how it is found there, put in and taken out again.

All here is pure: bytes in, bytes out, None for a file that is not there.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.trust import containerd_toml, daemon_json
from ansible_collections.longshore.delivery.plugins.module_utils.trust.mirrors import Share
from ansible_collections.longshore.delivery.plugins.module_utils.trust.toml_edit import unset_string

BLOCK = "block"  # a text of its own: hosts.toml, an authority, a drop-in
DIRECTORY = "directory"  # config_path in containerd's config.toml
INSECURE = "insecure"  # an item of insecure-registries in daemon.json
MIRROR = "mirror"  # an item of registry-mirrors there
LISTS = {INSECURE: daemon_json.INSECURE, MIRROR: daemon_json.MIRRORS}

Content = t.Optional[bytes]


class Occupied(Exception):
    """The file has another content, which is not the collection's."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """One thing in one file.

    :param value: the block's text, the directory, the endpoint, or a mirror's URL.
    :param endpoints: the registries for which it is there.
    :param engines: the engines that read it.
    :param major: for C(DIRECTORY), containerd's major version.
    :param key: for C(DIRECTORY), the key's path once it was set.
    :param was: for C(DIRECTORY), the raw value before, None if there was none.
    :param made_table: whether the key's table (C(DIRECTORY)) or the list (C(LISTS)) was added too.
    :param shares: for a C(BLOCK) in which several registries may have a share, what it is made of.
    """

    kind: str
    path: str
    value: str
    endpoints: t.Tuple[str, ...]
    engines: t.Tuple[str, ...]
    mode: int = 0o644
    major: int = 0
    key: t.Tuple[str, ...] = ()
    was: t.Optional[str] = None
    made_table: bool = False
    shares: t.Tuple[Share, ...] = ()

    def is_same_thing(self, other: Entry) -> bool:
        return (self.kind, self.path, self.value) == (other.kind, other.path, other.value)

    def is_in(self, content: Content) -> bool:
        """Whether the file holds it, whoever put it there."""
        if content is None:
            return False
        if self.kind == BLOCK:
            return self.value.encode() in content
        if self.kind in LISTS:
            return self.value in daemon_json.listed(content, LISTS[self.kind])
        return containerd_toml.registry_table(content.decode(), self.major).directory(self.major) == self.value

    def put_into(self, content: Content, replace: bool) -> t.Tuple[Content, Entry]:
        """The file's bytes with the entry, and the entry with what undoes it.

        :param replace: whether a foreign content may go.
        :raises Occupied: a foreign content is there and may not.
        """
        if self.kind == BLOCK:
            if content is not None and content.strip() and not replace:
                raise Occupied
            return self.value.encode(), self
        if self.kind in LISTS:
            made_list = LISTS[self.kind] not in daemon_json.document(content)
            put = dataclasses.replace(self, made_table=made_list)
            return daemon_json.with_item(content, LISTS[self.kind], self.value), put
        text = (content or b"").decode()
        table = containerd_toml.registry_table(text, self.major)
        edit = containerd_toml.with_directory(text, table, self.value)
        return edit.text.encode(), dataclasses.replace(self, key=table.key, was=edit.was, made_table=edit.made_table)

    def taken_from(self, content: Content) -> Content:
        """The file's bytes without the entry, everything else as it is; None if nothing else was in the file."""
        if content is None:
            return None
        if self.kind == BLOCK:
            before, _value, after = content.partition(self.value.encode())
            rest = before + after if _value else content
            return rest if rest.strip() else None
        if self.kind in LISTS:
            return daemon_json.without_item(content, LISTS[self.kind], self.value, not self.made_table)
        text = content.decode()
        # the key of another version comes after its own: the file may have been migrated since
        for key in dict.fromkeys([self.key, *containerd_toml.KEYS]):
            without = unset_string(text, key, self.value, self.was, self.made_table)
            if without != text:
                return without.encode()
        return content
