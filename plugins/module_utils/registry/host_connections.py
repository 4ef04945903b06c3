# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""How many connections nginx takes at once.

That number stands in nginx's own configuration, where alone it can be (C(events) may be there once), so the role changes just
the number, keeps the one before beside it, and adds a line for the files that so many connections need.
"""

from __future__ import annotations

import dataclasses
import os
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_files import content_of

# Debian's nginx has 768, so a lower number would raise nothing. Linux gives a process 1,048,576 files at most (fs.nr_open).
LEAST = 1024
MOST = 500000
# a connection and the file that it may be served from
_FILES_EACH = 2
# logs, libraries and the ports it listens on
_MORE_FILES = 256

# as roles/registry/tasks/connections.yml writes them
_NUMBER = re.compile(
    r"^[^#\n]*\bworker_connections\s+(\d+)\s*;(?: # (\d+) before the role longshore\.delivery\.registry)?", re.MULTILINE
)
_MORE = re.compile(r"[ \t]*[^\s#]")
_FILES = re.compile(
    r"^[ \t]*worker_rlimit_nofile\s+(\d+)\s*;(?P<own> # of the role longshore\.delivery\.registry)?", re.MULTILINE
)
_RAISED = re.compile(r"(\bworker_connections\s+)\d+; # (\d+) before the role longshore\.delivery\.registry")
_OWN_FILES = re.compile(r"(\bworker_rlimit_nofile\s+)\d+(; # of the role longshore\.delivery\.registry)")
_OWN_LINE = re.compile(r"^.* # of the role longshore\.delivery\.registry\n", re.MULTILINE)

SPEC: t.Dict[str, t.Any] = {
    "type": "dict",
    "options": {"path": {"type": "str", "required": True}, "least": {"type": "int", "default": 0}},
}


@dataclasses.dataclass(frozen=True)
class Connections:
    """What nginx's own configuration says, and what it should.

    :param path: that file.
    :param wanted: the least number for each process of nginx; 0 leaves it to others.
    :param beside: what other registries on the host want of it, which are as many as they are; the highest number counts.
    :param number: what the file says; 0 where it says none.
    :param before: what it said before the role wrote another; 0 where the role wrote none.
    :param files: the limit of files for such a process; 0 where the file has none.
    :param is_own_limit: whether the role wrote that limit.
    :param shares_line: whether something else follows the number in its line, which a comment there would hide.
    """

    path: str = ""
    wanted: int = 0
    there: bool = False
    number: int = 0
    before: int = 0
    files: int = 0
    is_own_limit: bool = False
    shares_line: bool = False
    beside: int = 0

    @property
    def least(self) -> int:
        """What all registries of the host want of it."""
        return max(self.wanted, self.beside)

    @property
    def raises(self) -> bool:
        """Whether the number is to be the role's."""
        return (self.before or self.number) < self.least

    @property
    def to_be(self) -> int:
        """The number that the file is to say."""
        return self.least if self.raises else self.before or self.number

    @property
    def is_limited_by_others(self) -> bool:
        """Whether somebody else has written the limit of files."""
        return bool(self.files) and not self.is_own_limit

    @property
    def own_limit_to_be(self) -> int:
        """The limit of files that the role is to write; 0 for none."""
        return self.to_be * _FILES_EACH + _MORE_FILES if self.raises and not self.is_limited_by_others else 0

    @property
    def to_mend(self) -> bool:
        """Whether something is to be written there. A file that is not there comes with the package."""
        if not self.there:
            return self.raises
        own_limit = self.files if self.is_own_limit else 0
        return self.to_be != self.number or own_limit != self.own_limit_to_be

    @property
    def differences(self) -> t.Tuple[str, ...]:
        if not self.there or not self.to_mend:
            return ()
        if self.to_be != self.number:
            return ("%s has %d connections for a process of nginx" % (self.path, self.number),)
        return ("%s has another limit of files for a process of nginx" % self.path,)

    @property
    def told(self) -> t.Dict[str, t.Any]:
        """What the role has to know to write it."""
        return {"there": self.there, "raises": self.raises, "number": self.to_be, "files": self.own_limit_to_be}

    @property
    def faults(self) -> t.Tuple[str, ...]:
        """What is in the way, each a sentence with its way out."""
        if self.wanted and not LEAST <= self.wanted <= MOST:
            return (
                "registry_connections is %d, and has to be a number from %d to %d, or 0, which leaves nginx as it is."
                % (self.wanted, LEAST, MOST),
            )
        if not self.there or not self.raises:
            return ()
        if not self.number:
            return (
                "%s has no number of worker_connections that could be raised. Write one there, or set registry_connections to 0."
                % self.path,
            )
        if self.shares_line:
            return (
                "%s has more than the number in the line of its worker_connections. Give that a line of its own, or set "
                "registry_connections to 0." % self.path,
            )
        if self.is_limited_by_others and self.files < self.to_be * _FILES_EACH:
            return (
                "%s gives a process of nginx %d files (worker_rlimit_nofile), and %d connections need %d. Give it as many there, "
                "or set registry_connections to 0." % (self.path, self.files, self.to_be, self.to_be * _FILES_EACH),
            )
        return ()


def observe(options: t.Optional[t.Mapping[str, t.Any]], beside: int = 0) -> Connections:
    """Look at the file that the option C(connections) names.

    :param beside: what other registries on the host want.
    """
    if options is None:
        return Connections()
    path = options["path"]
    text = content_of(path).decode("utf-8", "replace") if os.path.exists(path) else None
    return dataclasses.replace(read(path, text, options["least"]), beside=beside)


def read(path: str, text: t.Optional[str], wanted: int) -> Connections:
    """Read nginx's own configuration; C(text) is None where there is none."""
    if text is None:
        return Connections(path, wanted)
    number, files = _NUMBER.search(text), _FILES.search(text)
    return Connections(
        path,
        wanted,
        there=True,
        number=int(number[1]) if number else 0,
        before=int(number[2] or 0) if number else 0,
        files=int(files[1]) if files else 0,
        is_own_limit=bool(files and files["own"]),
        shares_line=bool(number and _MORE.match(text, number.end())),
    )


def given_back(text: str, least: int = 0) -> str:
    """nginx's own configuration without what the role wrote there, but for what others want.

    :param least: the number for registries that stay on the host.
    """
    raised = _RAISED.search(text)
    if raised and int(raised[2]) < least:
        kept = _RAISED.sub(r"\g<1>%d; # \2 before the role longshore.delivery.registry" % least, text)
        return _OWN_FILES.sub(r"\g<1>%d\2" % (least * _FILES_EACH + _MORE_FILES), kept)
    return _OWN_LINE.sub("", _RAISED.sub(r"\1\2;", text))
