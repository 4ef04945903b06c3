# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The registry's name on one of several hosts that serve it: there it stands for the host itself, by a line in /etc/hosts."""

from __future__ import annotations

import dataclasses
import ipaddress
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_files import content_of

# as roles/registry/tasks/name.yml writes it
MARK = "# longshore.delivery.registry"

SPEC: t.Dict[str, t.Any] = {
    "type": "dict",
    "options": {
        "path": {"type": "str", "required": True},
        "address": {"type": "str", "default": ""},
        "mark": {"type": "str", "default": MARK},
    },
}


@dataclasses.dataclass(frozen=True)
class OwnName:
    """What the host's own table of names says, and what it should.

    :param path: that table.
    :param name: the registry's, without a port.
    :param address: of this host; empty where the name is left to others.
    :param lines: those that the role wrote there.
    :param mark: by which the role knows them.
    :param above: a line of somebody else's that has the name and comes before them: the first one counts.
    """

    path: str = ""
    name: str = ""
    address: str = ""
    lines: t.Tuple[str, ...] = ()
    mark: str = MARK
    above: str = ""

    @property
    def line(self) -> str:
        """The line that should be there; empty for none."""
        return "%s %s %s" % (self.address, self.name, self.mark) if self.address else ""

    @property
    def to_mend(self) -> bool:
        return self.lines != ((self.line,) if self.line else ()) or self.is_shadowed

    @property
    def is_shadowed(self) -> bool:
        """Whether the role's line is there and does not count."""
        return bool(self.line and self.above)

    @property
    def differences(self) -> t.List[str]:
        """What tells the table from the wanted one, in words."""
        if not self.to_mend:
            return []
        if not self.line:
            return ["%s still has the name of the registry stand for this host" % self.path]
        if self.is_shadowed:
            return [
                "%s has '%s' above the line by which %s stands for %s"
                % (self.path, self.above, self.name, self.address)
            ]
        return ["%s does not have %s stand for %s" % (self.path, self.name, self.address)]

    @property
    def faults(self) -> t.List[str]:
        """What somebody has to put right first."""
        if not self.address:
            return []
        if not _is_address(self.address):
            return [
                "registry_node_address is %r, which is no address, and %s can have no other. Set it to an address of this host; "
                "for the playbooks that is longshore_registry_address." % (self.address, self.path)
            ]
        if _is_address(self.name):
            return [
                "The registry's endpoint has the address %s, by which only one host can be meant, and several are to serve it "
                "(registry_node_address is set). Give the endpoint a name." % self.name
            ]
        return []


def observe(params: t.Optional[t.Mapping[str, t.Any]], name: str) -> OwnName:
    """Look at the table."""
    if not params:
        return OwnName()
    text = content_of(params["path"]).decode("utf-8", "replace")
    mark, lines, above = params.get("mark", MARK), [], ""
    for line in text.splitlines():
        if line.endswith(mark):
            lines.append(line)
        elif not (lines or above) and name.lower() in line.partition("#")[0].lower().split()[1:]:
            above = line
    return OwnName(params["path"], name, params["address"], tuple(lines), mark, above if lines else "")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
