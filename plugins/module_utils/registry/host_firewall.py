# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The rules of ufw by which clients reach the registry's port.

They are read from the files in which ufw keeps them (0.36.2), which costs nothing. The role's own are known by their comment. One
of somebody else's that lets the same clients through is as good, and is left alone: ufw would take the comment over into it.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_files import content_of

UFW = "ufw"
SPEC: t.Dict[str, t.Any] = {
    "type": "dict",
    "options": {
        "kind": {"type": "str", "choices": ["", UFW], "default": ""},
        "sources": {"type": "list", "elements": "str", "default": []},
        "comment": {"type": "str", "default": "longshore.delivery.registry"},
    },
}
_RULES = (("etc/ufw/user.rules", "0.0.0.0/0"), ("etc/ufw/user6.rules", "::/0"))
# '### tuple ### allow tcp 5000 0.0.0.0/0 any 10.0.0.0/8 in comment=6c6f'
_TUPLE = re.compile(r"^### tuple ### (\w+) (\w+) (\S+) (\S+) (\S+) (\S+) in(?: comment=([0-9a-f]*))?$", re.MULTILINE)


class Rule(t.NamedTuple):
    """Who is let through to a port; C(source) is a network."""

    port: int
    source: str


@dataclasses.dataclass(frozen=True)
class Firewall:
    """What ufw lets through, and what it should.

    :param missing: rules that nobody has made.
    :param surplus: rules of the role's that are not wanted (any more).
    :param faults: what keeps the wanted ones from being made, as sentences with the way out.
    :param is_off: whether ufw lets everything through.
    """

    missing: t.Tuple[Rule, ...] = ()
    surplus: t.Tuple[Rule, ...] = ()
    faults: t.Tuple[str, ...] = ()
    is_off: bool = False

    @property
    def differences(self) -> t.List[str]:
        return [
            *("ufw does not let %s to port %d" % (rule.source, rule.port) for rule in self.missing),
            *(
                "ufw lets %s to port %d, which is not wanted any more" % (rule.source, rule.port)
                for rule in self.surplus
            ),
        ]

    @property
    def told(self) -> t.Dict[str, t.List[t.List[t.Any]]]:
        """For the role, which makes and removes them."""
        return {
            "missing": [list(rule) for rule in self.missing],
            "surplus": [list(rule) for rule in self.surplus],
        }

    def warnings(self, endpoint: str) -> t.List[str]:
        if not self.is_off:
            return []
        return [
            "ufw is not enabled on the host of registry %s: it lets everybody through, whatever registry_firewall_sources says."
            % endpoint
        ]


def observe(kind: str, sources: t.Sequence[str], comment: str, port: int, root: str = "/") -> Firewall:
    """Read ufw's rules.

    :param kind: C(ufw), or empty where no rule of the role's is wanted.
    :param sources: addresses and networks of clients; empty for all.
    :param comment: that of the role's own rules.
    """
    own, others = _found(root, comment)
    if kind != UFW:
        return Firewall(surplus=tuple(sorted(own)))
    faults = []
    if not os.path.exists(os.path.join(root, "usr/sbin/ufw")):
        faults.append(
            "registry_firewall is ufw, and there is no ufw on this host. Install and enable it, or leave the option away, since "
            "there is nothing to open."
        )
    wanted = set()
    for source in sources or _everybody(root):
        try:
            network = ipaddress.ip_network(source, strict=False)
            wanted.add(Rule(port, str(network)))
            if network.version == 6 and not _has_ipv6(root):
                faults.append(
                    "registry_firewall_sources has %s, and ufw has no rules for IPv6 on this host. Set IPV6=yes in "
                    "/etc/default/ufw, or leave that source away." % source
                )
        except ValueError:
            faults.append(
                "registry_firewall_sources has %r. List addresses and networks, as in 192.0.2.7 or 192.0.2.0/24."
                % source
            )
    return Firewall(
        missing=tuple(sorted(wanted - own - others)),
        surplus=tuple(sorted(own - wanted)),
        faults=tuple(faults),
        is_off="ENABLED=yes" not in _lines(root, "etc/ufw/ufw.conf"),
    )


def _found(root: str, mark: str) -> t.Tuple[t.Set[Rule], t.Set[Rule]]:
    """The rules that let somebody through to one port of this host over TCP: the role's own, and others'."""
    own: t.Set[Rule] = set()
    others: t.Set[Rule] = set()
    for path, everywhere in _RULES if _has_ipv6(root) else _RULES[:1]:
        for action, protocol, port, address, source_port, source, comment in _TUPLE.findall(_text(root, path)):
            if action != "allow" or protocol not in ("tcp", "any") or (address, source_port) != (everywhere, "any"):
                continue
            if port.isdigit():
                is_own = bytes.fromhex(comment).decode("utf-8", "replace") == mark
                rules = own if is_own else others
                rules.add(Rule(int(port), str(ipaddress.ip_network(source, strict=False))))
    return own, others


def _everybody(root: str) -> t.List[str]:
    everywhere = [network for _path, network in _RULES]
    return everywhere if _has_ipv6(root) else everywhere[:1]


def _has_ipv6(root: str) -> bool:
    return "IPV6=yes" in _lines(root, "etc/default/ufw")


def _lines(root: str, path: str) -> t.List[str]:
    return [line.strip().replace('"', "") for line in _text(root, path).splitlines()]


def _text(root: str, path: str) -> str:
    return content_of(os.path.join(root, path)).decode("utf-8", "replace")
