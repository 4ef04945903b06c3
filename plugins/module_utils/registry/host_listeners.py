# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Who listens on a TCP port of this host: the kernel's tables below C(/proc), no program needed."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import ipaddress
import os
import re
import socket
import struct
import typing as t

_LISTEN = "0A"
# established, on the way to it, and closed by the other side alone (include/net/tcp_states.h)
_OPEN = ("01", "03", "08")


@dataclasses.dataclass(frozen=True)
class Listener:
    """A listening socket and the process that holds it; C(pid) is 0 when no process seen here does."""

    address: str
    port: int
    pid: int = 0
    program: str = ""
    unit: str = ""

    @property
    def named(self) -> str:
        """The process in a user's words: 'apache2 (process 812, apache2.service)'."""
        if not self.pid:
            return "a process that cannot be seen from here (another container or namespace)"
        return "%s (process %d%s)" % (self.program, self.pid, ", " + self.unit if self.unit else "")

    def is_in_the_way_of(self, address: str) -> bool:
        """Whether a bind of this address and the same port would fail. C([::]) may hold IPv4 too, so it counts."""
        ours, theirs = ipaddress.ip_address(address), ipaddress.ip_address(self.address)
        if ours.version == theirs.version:
            return ours == theirs or ours.is_unspecified or theirs.is_unspecified
        return (ours if ours.version == 6 else theirs).is_unspecified


class Sockets:
    """The TCP sockets of this host as they are when they are first asked for, read once: the kernel goes through every place of
    its tables, which takes it several milliseconds on a host with much memory.
    """

    def __init__(self, proc: str = "/proc") -> None:
        self.proc = proc

    def listeners(self, *ports: int) -> t.List[Listener]:
        """Those that listen on a port of these, port by port and in the kernel's order."""
        found = [row for wanted in ports for row in self._rows if row[1] == wanted]
        holders = _holders({inode for _address, _port, inode in found}, self.proc)
        return [
            Listener(address, port, *(_process(holders[inode], self.proc) if inode in holders else ()))
            for address, port, inode in found
        ]

    def addresses_of(self, pid: int) -> t.List[str]:
        """Addresses with ports, as C(127.0.0.1:5001), on which a process listens; sorted, none for one that is not there."""
        held = _descriptors(pid, self.proc) if pid else set()
        if not held:
            return []
        named = [
            "%s:%d" % ("[%s]" % address if ":" in address else address, port)
            for address, port, inode in self._rows
            if port and "socket:[%s]" % inode in held
        ]
        return sorted(named)

    @functools.cached_property
    def _rows(self) -> t.List[t.Tuple[str, int, str]]:
        """Address, port (0 for one that does not listen) and inode of each."""
        found: t.List[t.Tuple[str, int, str]] = []
        for table in ("tcp", "tcp6"):
            try:
                with open(os.path.join(self.proc, "net", table)) as stream:
                    found += map(_row, stream.read().splitlines()[1:])
            except FileNotFoundError:  # a kernel without IPv6
                continue
        return found


def clients_of(port: int, proc: str = "/proc") -> t.List[str]:
    """The addresses from which there are connections to an IPv4 port of this host that its process has not closed."""
    with open(os.path.join(proc, "net", "tcp")) as stream:
        rows = [row.split() for row in stream.read().splitlines()[1:]]
    return [
        _address(fields[2].partition(":")[0])
        for fields in rows
        if int(fields[1].partition(":")[2], 16) == port and fields[3] in _OPEN
    ]


def can_listen_on(address: str) -> bool:
    """Whether this is an address of the host, found out by a bind to it with a port of the kernel's choice."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True


def _row(row: str) -> t.Tuple[str, int, str]:
    """Address, port (0 for a socket that does not listen) and inode of a line of C(/proc/net/tcp) or C(tcp6)."""
    fields = row.split()
    host, _colon, port = fields[1].partition(":")
    return _address(host), int(port, 16) if fields[3] == _LISTEN else 0, fields[9]


def _address(digits: str) -> str:
    """An address as the kernel prints it: words of four bytes, each in the machine's own order."""
    words = [int(digits[at : at + 8], 16) for at in range(0, len(digits), 8)]
    packed = struct.pack("=%dI" % len(words), *words)
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)


def _holders(inodes: t.Set[str], proc: str) -> t.Dict[str, int]:
    """The first process, by number, that holds each of these sockets."""
    holders: t.Dict[str, int] = {}
    links = {"socket:[%s]" % inode: inode for inode in inodes}
    for pid in sorted(int(name) for name in os.listdir(proc) if name.isdigit()) if inodes else ():
        for descriptor in _descriptors(pid, proc) & links.keys():
            holders.setdefault(links[descriptor], pid)
        if len(holders) == len(inodes):
            break
    return holders


def _descriptors(pid: int, proc: str) -> t.Set[str]:
    """What the open files of a process are, as their links in C(/proc) say."""
    directory = os.path.join(proc, str(pid), "fd")
    found = set()
    with contextlib.suppress(OSError):  # it has ended meanwhile
        for name in os.listdir(directory):
            with contextlib.suppress(OSError):
                found.add(os.readlink(os.path.join(directory, name)))
    return found


def _process(pid: int, proc: str) -> t.Tuple[int, str, str]:
    """Number, program and systemd unit of a process."""
    return pid, _read(proc, pid, "comm").strip() or "a process", unit_of(_read(proc, pid, "cgroup"))


def unit_of(cgroup: str) -> str:
    """The systemd service or scope named in C(/proc/<pid>/cgroup), of control groups v1 and v2; empty when none is."""
    for line in cgroup.splitlines():
        _number, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers in ("name=systemd", ""):
            units = re.findall(r"[^/]+\.(?:service|scope)", path)
            if units:
                return str(units[-1])
    return ""


def _read(proc: str, pid: int, name: str) -> str:
    try:
        with open(os.path.join(proc, str(pid), name), errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""
