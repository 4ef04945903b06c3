# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""A Dockerfile's instructions with their lines, read as BuildKit reads them (parser of BuildKit 0.13).

What BuildKit would refuse is left to BuildKit, which says it better, wherever the reading can go on.
"""

from __future__ import annotations

import csv
import dataclasses
import difflib
import json
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile import words

_DIRECTIVE = re.compile(r"#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*\Z")
_DIRECTIVES = frozenset(("syntax", "escape", "check"))
_HEREDOC = re.compile(r"\d*<<(-?)([^<]+)\Z")
# the flags that the classic builder refuses
_OF_BUILDKIT = {
    "RUN": ("mount", "network", "security"),
    "COPY": ("chmod", "link", "parents", "exclude"),
    "ADD": ("chmod", "link", "checksum", "keep-git-dir", "exclude"),
}
_OWN_SYNTAX = re.compile(r"(^|/)docker/dockerfile(-upstream)?([:@]|\Z)")
_EXPANDED = frozenset(
    ["ADD", "ARG", "COPY", "ENV", "EXPOSE", "FROM", "LABEL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"]
)
_WITH_HEREDOC = frozenset(("ADD", "COPY", "RUN"))
_WITHOUT_VARIABLES = frozenset(["CMD", "ENTRYPOINT", "HEALTHCHECK", "MAINTAINER", "ONBUILD", "RUN", "SHELL"])


class InvalidDockerfile(DeliveryError):
    """A Dockerfile that cannot be built; the message names file, line and cause."""


@dataclasses.dataclass(frozen=True)
class Instruction:
    """One instruction.

    :param keyword: in upper case.
    :param flags: those in front of the arguments, C(--from=x) as (from, x), without a value as (link, "").
    :param arguments: what follows, continuation lines joined, comments left out.
    :param line: its first line, from 1.
    :param heredoc: whether an argument is a here-document.
    :param triggered: whether it is an ONBUILD instruction of the image that a stage starts from.
    """

    keyword: str
    flags: t.Tuple[t.Tuple[str, str], ...]
    arguments: str
    line: int
    heredoc: bool = False
    triggered: bool = False

    def flag(self, name: str) -> t.Optional[str]:
        return next((value for key, value in self.flags if key == name), None)

    @property
    def sources(self) -> t.Iterator[str]:
        """What COPY, ADD and the mounts of RUN take from that is not the context: names of stages, their numbers, images."""
        if self.keyword in ("COPY", "ADD"):
            source = self.flag("from")
            if source:
                yield source
        elif self.keyword == "RUN":
            for mount in self.mounts:
                if mount.get("from"):
                    yield mount["from"]

    @property
    def mounts(self) -> t.Iterator[t.Dict[str, str]]:
        """The mounts of RUN, each with its values by their keys in lower case."""
        for key, value in self.flags:
            if key == "mount":
                parts = (part.partition("=") for part in next(csv.reader([value]), []))
                yield {name.lower(): text for name, _equals, text in parts}

    def words(self, escape: str = "\\") -> t.List[str]:
        """The arguments one by one, from the JSON form too; variables stay as they are written."""
        if self.arguments.startswith("["):
            try:
                form = json.loads(self.arguments)
            except ValueError:
                form = None
            if isinstance(form, list) and all(isinstance(word, str) for word in form):
                return t.cast("list[str]", form)
        return words.split(self.arguments, None, escape)

    def __str__(self) -> str:
        flags = "".join(" --%s=%s" % flag if flag[1] else " --%s" % flag[0] for flag in self.flags)
        return "%s%s%s %s" % ("ONBUILD " if self.triggered else "", self.keyword, flags, self.arguments)


@dataclasses.dataclass(frozen=True)
class Dockerfile:
    """A Dockerfile as read.

    :param name: its path, for messages.
    :param escape: the escape character, C(\\) or a backtick.
    :param syntax: the image that the syntax directive names; empty without one.
    :param syntax_line: the line of that directive.
    """

    name: str
    instructions: t.Tuple[Instruction, ...]
    escape: str = "\\"
    syntax: str = ""
    syntax_line: int = 0


def parse(text: str, name: str = "Dockerfile") -> Dockerfile:
    """Read the text of a Dockerfile; a byte-order mark and CRLF are no part of it.

    :raises InvalidDockerfile: it has no instruction, an impossible escape directive or a here-document without end.
    """
    lines = [line.rstrip("\r") for line in text.lstrip("\ufeff").split("\n")]
    directives = _directives(lines, name)
    escape, _line = directives.get("escape", ("\\", 0))
    if escape not in ("\\", "`"):
        raise InvalidDockerfile(
            "%s: the escape directive is %r; it can be '\\' or a backtick. Correct or remove that line."
            % (name, escape)
        )
    instructions = tuple(_Lines(lines, escape, name).instructions())
    if not instructions:
        raise InvalidDockerfile("%s holds no instruction; begin it with FROM." % name)
    syntax, line = directives.get("syntax", ("", 0))
    return Dockerfile(name, instructions, escape, syntax.split()[0] if syntax else "", line)


def is_own_syntax(image: str) -> bool:
    """Whether what a directive C(syntax) names is the language of Dockerfiles, in one of its versions."""
    return _OWN_SYNTAX.search(image) is not None


def triggered(text: str, line: int) -> t.Tuple[Instruction, ...]:
    """What an ONBUILD instruction has the build carry out that starts from its image; none where that cannot be read.

    :param line: of what has it carried out.
    """
    try:
        found = parse(text).instructions
    except InvalidDockerfile:
        return ()
    return tuple(dataclasses.replace(instruction, line=line, triggered=True) for instruction in found)


def buildkit_needs(dockerfile: Dockerfile, further: t.Sequence[Instruction] = ()) -> str:
    """What of a Dockerfile only BuildKit can build, as a sentence without its end; empty where there is nothing.

    :param further: ONBUILD instructions of its base images.
    """
    if dockerfile.syntax:
        return "%s needs BuildKit for its directive syntax=%s" % (dockerfile.name, dockerfile.syntax)
    for instruction in (*dockerfile.instructions, *further):
        flag = next((key for key, _value in instruction.flags if key in _OF_BUILDKIT.get(instruction.keyword, ())), "")
        if instruction.heredoc or flag:
            what = "--" + flag if flag else "a here-document"
            return "%s needs BuildKit: line %d, %s with %s" % (
                dockerfile.name,
                instruction.line,
                "ONBUILD %s of its base image" % instruction.keyword if instruction.triggered else instruction.keyword,
                what,
            )
    return ""


def check_keywords(dockerfile: Dockerfile) -> None:
    """See that each instruction is one of the language, also in stages that the target does not need: BuildKit reads them all.

    :raises InvalidDockerfile: one is not.
    """
    known = _EXPANDED | _WITHOUT_VARIABLES
    for found in dockerfile.instructions:
        keyword = _partition(found.arguments)[0].upper() if found.keyword == "ONBUILD" else found.keyword
        if keyword not in known:
            near = "".join(" to %s" % name for name in difflib.get_close_matches(keyword, sorted(known), 1))
            raise InvalidDockerfile(
                "%s, line %d: there is no instruction %s. Correct it%s; one that belongs to the line before needs a '%s' at "
                "that line's end." % (dockerfile.name, found.line, keyword, near, dockerfile.escape)
            )


def with_heredoc(dockerfile: Dockerfile) -> t.Optional[Instruction]:
    """The first instruction with a here-document."""
    return next((found for found in dockerfile.instructions if found.heredoc), None)


def with_substitution(
    dockerfile: Dockerfile, kind: str, further: t.Sequence[Instruction] = ()
) -> t.Optional[Instruction]:
    """The first instruction with a substitution of a kind, such as C(words.BY_PATTERN).

    :param further: ONBUILD instructions of its base images.
    :raises InvalidDockerfile: one has an empty pattern.
    """
    first = None
    for found in (*dockerfile.instructions, *further):
        try:
            text = str(dataclasses.replace(found, triggered=False))
            if found.keyword in _EXPANDED and kind in words.substitutions(text, dockerfile.escape):
                first = first or found
        except words.EmptyPattern as error:
            raise InvalidDockerfile(
                "%s, line %d: %s. Write what is to be cut off: some versions of BuildKit end the whole engine there."
                % (dockerfile.name, found.line, error)
            ) from None
    return first


def _directives(lines: t.Sequence[str], name: str) -> t.Dict[str, t.Tuple[str, int]]:
    """The parser directives with their lines: comments of a certain form at the very top."""
    found: t.Dict[str, t.Tuple[str, int]] = {}
    for number, line in enumerate(lines, 1):
        match = _DIRECTIVE.match(line.strip())
        key = match.group(1).lower() if match else ""
        if not match or key not in _DIRECTIVES:
            break
        if key in found:
            raise InvalidDockerfile(
                "%s, line %d: the directive %s stands there twice; remove one." % (name, number, key)
            )
        found[key] = (match.group(2), number)
    return found


class _Lines:
    """Joins lines to instructions."""

    def __init__(self, lines: t.Sequence[str], escape: str, name: str) -> None:
        self.lines = lines
        self.escape = escape
        self.name = name
        self.position = 0
        mark = re.escape(escape)
        # two of them in a row are an escaped escape, not a continuation
        self.continuation = re.compile(r"(^|[^%s])%s[ \t]*\Z" % (mark, mark))

    def instructions(self) -> t.Iterator[Instruction]:
        while self.position < len(self.lines):
            line = self.lines[self.position].lstrip()
            self.position += 1
            if not line or line.startswith("#"):
                continue
            start = self.position
            text = self.joined(line)
            if text.strip():
                yield self.instruction(text.strip(), start)

    def joined(self, line: str) -> str:
        text, goes_on = self.without_continuation(line)
        while goes_on and self.position < len(self.lines):
            line = self.lines[self.position]
            self.position += 1
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            more, goes_on = self.without_continuation(line)
            text += more
        return text

    def without_continuation(self, line: str) -> t.Tuple[str, bool]:
        shorter, count = self.continuation.subn(r"\1", line)
        return shorter, bool(count)

    def instruction(self, text: str, start: int) -> Instruction:
        keyword, _blank, rest = _partition(text)
        found, rest = words.flags(rest)
        flags = [flag[2:].partition("=")[::2] for flag in found]
        inner = _partition(rest)[0] if keyword.upper() == "ONBUILD" else keyword
        heredoc = inner.upper() in _WITH_HEREDOC and self.skip_heredocs(rest, start)
        return Instruction(keyword.upper(), tuple(flags), rest, start, heredoc)

    def skip_heredocs(self, arguments: str, start: int) -> bool:
        if "<<" not in arguments or arguments.startswith("["):
            return False
        found = [match for match in map(_HEREDOC.match, words.raw(arguments)) if match]
        for match in found:
            end = match.group(2).strip("'\"")
            while self.position < len(self.lines):
                line = self.lines[self.position]
                self.position += 1
                if (line.lstrip("\t") if match.group(1) else line) == end:
                    break
            else:
                raise InvalidDockerfile(
                    "%s, line %d: the here-document <<%s has no end; put %s on a line of its own."
                    % (self.name, start, end, end)
                )
        return bool(found)


def _partition(text: str) -> t.Tuple[str, str, str]:
    parts = text.split(None, 1)
    return parts[0] if parts else "", " ", parts[1] if len(parts) > 1 else ""
