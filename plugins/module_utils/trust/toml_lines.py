# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Where the statements of a TOML text stand: enough of TOML 1.0 to change one value and leave every other byte alone.

No parser of values: what is not looked for is only skipped over, by the same rules by which the engines' parsers find
its end.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

KeyPath = t.Tuple[str, ...]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"[ \t]*")
_SCALAR = re.compile(r"[^\s,\[\]{}#\"'=]+(?:[ ][0-9][^\s,\[\]{}#\"'=]*)?")
_NEWLINE = re.compile(r"\r?\n")
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\", "e": "\x1b"}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class TomlError(Exception):
    """A text that is no TOML. C(line) counts from 1."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__("line %d: %s" % (line, what))
        self.line = line


@dataclasses.dataclass(frozen=True)
class Header:
    """C([a.b]) or C([[a.b]]): its path and the span of its line or lines, newline included."""

    path: KeyPath
    is_array: bool
    start: int
    end: int


@dataclasses.dataclass(frozen=True)
class Assignment:
    """C(key = value).

    :param path: the whole path: the table's and the key's.
    :param table: the path of the header above it, empty before the first.
    :param value: the span of the value in the text.
    """

    path: KeyPath
    table: KeyPath
    in_array: bool
    start: int
    end: int
    value: t.Tuple[int, int]


Statement = t.Union[Header, Assignment]


def statements(text: str) -> t.List[Statement]:
    """The headers and assignments of a text, in its order.

    :raises TomlError: it is no TOML. Not every fault is found: the engine's own parser has the last word.
    """
    return list(_Scanner(text).run())


def string_value(raw: str) -> t.Optional[str]:
    """The text that a raw value stands for, None if it is no one-line string."""
    if len(raw) >= 2 and raw[0] == raw[-1] == "'" and not raw.startswith("'''"):
        return raw[1:-1]
    if len(raw) >= 2 and raw[0] == raw[-1] == '"' and not raw.startswith('"""'):
        return _unescaped(raw[1:-1])
    return None


def string_list(raw: str) -> t.Optional[t.List[str]]:
    """The texts of a raw array of one-line strings, None if it is something else."""
    if not raw.startswith("["):
        return None
    scanner = _Scanner(raw)
    scanner.position = 1
    result: t.List[str] = []
    while True:
        scanner.skip_space_and_comments()
        if scanner.peek() == "]":
            return result
        start = scanner.position
        scanner.skip_value()
        item = string_value(raw[start : scanner.position])
        if item is None:
            return None
        result.append(item)
        scanner.skip_space_and_comments()
        if scanner.peek() == ",":
            scanner.position += 1


def quoted(value: str) -> str:
    """A text as a basic string of TOML."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"%s"' % re.sub(r"[\x00-\x1f\x7f]", lambda match: "\\u%04x" % ord(match.group()), escaped)


def key_text(path: t.Sequence[str]) -> str:
    """A dotted key, quoted where it must be."""
    return ".".join(key if _BARE_KEY.fullmatch(key) else quoted(key) for key in path)


def _unescaped(text: str) -> str:
    def replaced(match: t.Match[str]) -> str:
        code = match.group(1)
        return _ESCAPES[code] if code in _ESCAPES else chr(int(code[1:], 16))

    return re.sub(r'\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|[btnfre"\\])', replaced, text)


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.table: KeyPath = ()
        self.arrays: t.Set[KeyPath] = set()

    def run(self) -> t.Iterator[Statement]:
        control = _CONTROL.search(self.text)
        if control or self.text.startswith("\ufeff"):
            what = "a control character" if control else "a byte order mark, which some engines take for a fault"
            self.position = control.start() if control else 0
            raise self.error("%s; remove it" % what)
        while True:
            self.skip_space_and_comments()
            if self.position >= len(self.text):
                return
            yield self.header() if self.peek() == "[" else self.assignment()

    def header(self) -> Header:
        start = self.line_start()
        brackets = "[[" if self.text.startswith("[[", self.position) else "["
        self.position += len(brackets)
        self.skip_blanks()
        path = self.key()
        self.expect("]" * len(brackets), "a table's header ends with %s" % ("]" * len(brackets)))
        self.end_of_line()
        self.table = path
        if len(brackets) == 2:
            self.arrays.add(path)
        return Header(path, len(brackets) == 2, start, self.position)

    def in_array(self) -> bool:
        """Whether the table belongs to an element of an array: C([[a]]) itself and each C([a.b]) after it."""
        return any(self.table[: len(array)] == array for array in self.arrays)

    def assignment(self) -> Assignment:
        start = self.line_start()
        key = self.key()
        self.expect("=", "after a key comes '='")
        self.skip_blanks()
        value_start = self.position
        self.skip_value()
        value = (value_start, self.position)
        self.end_of_line()
        return Assignment(self.table + key, self.table, self.in_array(), start, self.position, value)

    def key(self) -> KeyPath:
        parts = []
        while True:
            self.skip_blanks()
            start, first = self.position, self.peek()
            if first in ('"', "'"):
                self.skip_string()
                part = string_value(self.text[start : self.position])
                if part is None:
                    raise self.error("a key over several lines")
                parts.append(part)
            else:
                match = _BARE_KEY.match(self.text, self.position)
                if not match:
                    raise self.error("a key or a table's header is expected, not %r" % (first or "the end"))
                parts.append(match.group())
                self.position = match.end()
            self.skip_blanks()
            if self.peek() != ".":
                return tuple(parts)
            self.position += 1

    def skip_value(self) -> None:
        first = self.peek()
        if first in ('"', "'"):
            self.skip_string()
        elif first == "[":
            self.skip_list("]")
        elif first == "{":
            self.skip_list("}")
        else:
            match = _SCALAR.match(self.text, self.position)
            if not match:
                raise self.error("a value is missing")
            self.position = match.end()

    def skip_list(self, closing: str) -> None:
        opened = self.position
        self.position += 1
        while True:
            self.skip_space_and_comments()
            if self.peek() == closing:
                self.position += 1
                return
            if self.position >= len(self.text):
                self.position = opened
                raise self.error("what begins here with %r is not closed" % self.text[opened])
            if closing == "}":
                self.key()
                self.expect("=", "after a key comes '='")
                self.skip_blanks()
            self.skip_value()
            self.skip_space_and_comments()
            if self.peek() == ",":
                self.position += 1
            elif self.peek() != closing:
                raise self.error("a comma or %r is missing" % closing)

    def skip_string(self) -> None:
        opened, quote = self.position, self.text[self.position]
        marks = quote * 3 if self.text.startswith(quote * 3, self.position) else quote
        at = self.position + len(marks)
        while not self.text.startswith(marks, at):
            if at >= len(self.text) or (len(marks) == 1 and self.text[at] == "\n"):
                self.position = opened
                raise self.error("the text that begins here is not closed")
            at += 2 if quote == '"' and self.text[at] == "\\" else 1
        at += len(marks)
        for _extra in range(2 if len(marks) == 3 else 0):  # up to two quotes may stand right before the closing three
            at += 1 if self.text.startswith(quote, at) else 0
        self.position = at

    def skip_space_and_comments(self) -> None:
        while self.position < len(self.text):
            character = self.text[self.position]
            if character in " \t\r\n":
                self.position += 1
            elif character == "#":
                newline = self.text.find("\n", self.position)
                self.position = len(self.text) if newline < 0 else newline
            else:
                return

    def skip_blanks(self) -> None:
        match = _BLANK.match(self.text, self.position)
        self.position = match.end() if match else self.position

    def expect(self, what: str, otherwise: str) -> None:
        if not self.text.startswith(what, self.position):
            raise self.error(otherwise)
        self.position += len(what)

    def end_of_line(self) -> None:
        self.skip_blanks()
        if self.peek() == "#":
            newline = self.text.find("\n", self.position)
            self.position = len(self.text) if newline < 0 else newline
        match = _NEWLINE.match(self.text, self.position)
        if match:
            self.position = match.end()
        elif self.position < len(self.text):
            raise self.error("after a value or a header the line ends")

    def line_start(self) -> int:
        return self.text.rfind("\n", 0, self.position) + 1

    def peek(self) -> str:
        return self.text[self.position : self.position + 1]

    def error(self, what: str) -> TomlError:
        return TomlError(self.text.count("\n", 0, self.position) + 1, what)
