# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""containerd's config.toml: the one key that makes its CRI read a directory of hosts, C(config_path).

Which table holds it follows the file's C(version) and the binary (observed on 1.6.20, 1.7.24, 2.1.9 and 2.2): version 2
names C(io.containerd.grpc.v1.cri) and is understood by all of them, version 3 names C(io.containerd.cri.v1.images) and
keeps a containerd 1.x from starting. A wrong pair of name and version is ignored without a word.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.trust.toml_edit import (
    CannotEdit,
    Edit,
    below,
    get_string,
    raw_value,
    set_string,
)
from ansible_collections.longshore.delivery.plugins.module_utils.trust.toml_lines import (
    KeyPath,
    TomlError,
    statements,
    string_list,
)

_REGISTRY_TABLES: t.Dict[int, KeyPath] = {
    2: ("plugins", "io.containerd.grpc.v1.cri", "registry"),
    3: ("plugins", "io.containerd.cri.v1.images", "registry"),
}
KEYS: t.Tuple[KeyPath, ...] = tuple((*table, "config_path") for table in _REGISTRY_TABLES.values())
_CRI_PLUGINS = ("cri", "io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images")


class Refused(Exception):
    """A config.toml that must not be changed as it is; the text says why and what to do."""


@dataclasses.dataclass(frozen=True)
class RegistryTable:
    """What a config.toml says of registries.

    :param version: the version to write for: the file's, or the binary's own if there is nothing in the file.
    :param is_new: whether the file says nothing at all, so that its version is to be written too.
    :param config_path: the value as it stands, None if it is not set.
    """

    version: int
    is_new: bool
    config_path: t.Optional[str]

    @property
    def key(self) -> KeyPath:
        return (*_REGISTRY_TABLES[self.version], "config_path")

    @property
    def first_directory(self) -> t.Optional[str]:
        """The first of the directories that the file names, read or not."""
        return next((part for part in (self.config_path or "").split(":") if part), None)

    def directory(self, major: int) -> t.Optional[str]:
        """The directory that containerd reads, None if none: of a list with a colon 2.x reads none and 1.x all."""
        directories = [part for part in (self.config_path or "").split(":") if part]
        if not directories or (len(directories) > 1 and major >= 2):
            return None
        return self.first_directory


def cri_is_disabled(text: str) -> bool:
    """Whether this containerd serves no CRI, as Docker's own package of containerd ships it."""
    raw = raw_value(text, ("disabled_plugins",))
    return any(plugin in _CRI_PLUGINS for plugin in (string_list(raw) if raw else None) or [])


def imports(text: str) -> t.List[str]:
    """The files and patterns that the file imports."""
    raw = raw_value(text, ("imports",))
    return (string_list(raw) if raw else None) or []


def speaks_of_registries(text: str, major: int) -> bool:
    """Whether an imported file has a table that takes the place of the CRI's registries in the file that imports it."""
    try:
        tables = [table if major >= 2 else table[:-1] for table in _REGISTRY_TABLES.values()]
        return any(below(text, table) for table in tables)
    except TomlError:
        return True  # containerd does not start with it either


def registry_table(text: str, major: int) -> RegistryTable:
    """Read what a config.toml says of registries.

    :param major: the containerd binary's major version.
    :raises TomlError: it is no TOML.
    :raises Refused: containerd would not start with it, or a directory beside what it has would take its CRI away.
    """
    found = statements(text)
    raw = raw_value(text, ("version",))
    if raw is None and not found:
        version, is_new = (3 if major >= 2 else 2), True
    elif raw is None:
        raise Refused(
            "it has no 'version', so that containerd reads it by the rules of its first format. Convert it "
            "('containerd config migrate' "
            "prints it converted), or begin it with 'version = 2' and write the tables by that version's names"
        )
    elif raw not in ("2", "3"):
        raise Refused("its version is %s; this collection edits versions 2 and 3" % raw)
    else:
        version, is_new = int(raw), False
    if version == 3 and major < 2:
        raise Refused("its version is 3, with which containerd %d does not start; write version 2" % major)
    table = _REGISTRY_TABLES[version]
    _refuse_foreign_version(text, version)
    config_path = get_string(text, (*table, "config_path"))
    if not config_path:
        _refuse_old_settings(text, table)
    return RegistryTable(version, is_new, config_path)


def with_directory(text: str, table: RegistryTable, directory: str) -> Edit:
    """The text with one directory as config_path.

    :raises Refused: the key's table is written in a way that only its author should change.
    """
    if table.is_new:
        gap = "\n" if text and not text.endswith("\n") else ""
        text = "%s%sversion = %d\n" % (text, gap, table.version)
    try:
        return set_string(text, table.key, directory)
    except CannotEdit as error:
        raise Refused("%s; write it as a table of its own with config_path = %r" % (error, directory)) from None


def _refuse_foreign_version(text: str, version: int) -> None:
    for other, table in _REGISTRY_TABLES.items():
        if other != version and below(text, table):
            raise Refused(
                "it is of version %d and has the table %r of version %d, which containerd does not read there; move "
                "what it says to %r" % (version, ".".join(table[1:]), other, ".".join(_REGISTRY_TABLES[version][1:]))
            )


def _refuse_old_settings(text: str, table: KeyPath) -> None:
    """C(mirrors) or C(configs.*.tls) beside config_path take the CRI away while containerd itself looks healthy (1.6 to
    2.1).
    """
    for statement in below(text, table):
        rest = statement.path[len(table) :]
        if rest[:1] == ("mirrors",) or (rest[:1] == ("configs",) and "tls" in rest[2:3]):
            raise Refused(
                "it has registry.%s, which cannot stand beside config_path: the CRI would not start. Move it to "
                "hosts.toml files and delete it here" % ".".join(rest[:1])
            )
