# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The words of a Dockerfile: quotes, escapes and variables, as BuildKit's C(shell.Lex) reads them (BuildKit 0.13)."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile import patterns

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?\-$!]")
_RAW_WORD = re.compile(r"(?:'[^']*'|\"(?:\\.|[^\"\\])*\"|\\.|[^\s'\"])+")

# substitutions that not every builder knows
BY_PATTERN = "a substitution by a pattern"  # ${NAME%pattern}
WITHOUT_COLON = "a substitution without a colon"  # ${NAME-word}
DEMANDING = "a substitution that demands a value"  # ${NAME:?text}, ${NAME?text}

Variables = t.Mapping[str, str]


class UnreadableWord(ValueError):
    """A word that BuildKit would refuse."""


class EmptyPattern(UnreadableWord):
    """C(${NAME#}) or C(${NAME%}), which ends an engine with BuildKit 0.13 (seen with Docker 26.1.5)."""


def expand(text: str, variables: Variables, escape: str = "\\") -> str:
    """The text with quotes removed and variables put in; one that is not set is empty.

    :raises UnreadableWord: a quote or a brace is not closed, C(${NAME:?text}) without a value, or an unknown substitution.
    """
    return "".join(piece.text for piece in _Reader(text, variables, escape).pieces())


def split(text: str, variables: t.Optional[Variables] = None, escape: str = "\\") -> t.List[str]:
    """The words of a text, expanded; where no variables are given, they stay as they are written.

    :raises UnreadableWord: as C(expand).
    """
    words: t.List[str] = []
    open_word = False
    for piece in _Reader(text, variables, escape).pieces():
        if piece.splits and piece.text.isspace():
            open_word = False
        elif open_word:
            words[-1] += piece.text
        else:
            words.append(piece.text)
            open_word = True
    return [word for word in words if word]


def substitutions(text: str, escape: str = "\\") -> t.FrozenSet[str]:
    """The kinds of substitutions in a text that not every builder knows: BY_PATTERN, WITHOUT_COLON and DEMANDING.

    :raises EmptyPattern: a pattern is empty, as it is written.
    """
    reader = _Reader(text, None, escape)
    try:
        for _piece in reader.pieces():
            pass
    except EmptyPattern:
        raise
    except UnreadableWord:
        pass  # the builder says it
    return frozenset(reader.kinds)


def raw(text: str) -> t.List[str]:
    """The words of a text as they are written, quotes and all."""
    return [found.group() for found in _RAW_WORD.finditer(text)]


def flags(text: str) -> t.Tuple[t.List[str], str]:
    """The flags at the start of a text, without their quotes, and the rest: as BuildKit's C(extractBuilderFlags) reads them, for
    which quotes may stand anywhere in a flag, a backslash escapes one character, and C(--) alone ends them.
    """
    found: t.List[str] = []
    position = 0
    while True:
        while position < len(text) and text[position].isspace():
            position += 1
        if not text.startswith("--", position):
            return found, text[position:]
        word, position = _flag(text, position)
        if word == "--":
            return found, text[position:].lstrip()
        found.append(word)


def _flag(text: str, position: int) -> t.Tuple[str, int]:
    """One flag, and where it ends."""
    word = quote = ""
    while position < len(text) and (quote or not text[position].isspace()):
        character = text[position]
        position += 1
        if character == quote:
            quote = ""
        elif not quote and character in "'\"":
            quote = character
        elif character != "\\":
            word += character
        elif position < len(text):
            word += text[position]
            position += 1
    return word, position


class _Piece(t.NamedTuple):
    text: str
    splits: bool  # whether a blank in it ends a word


class _Reader:
    """Reads a text from left to right. Without variables, C($NAME) is kept."""

    def __init__(self, text: str, variables: t.Optional[Variables], escape: str) -> None:
        self.text = text
        self.variables = variables
        self.escape = escape
        self.position = 0
        self.keeps_escapes = False
        self.kinds: t.Set[str] = set()

    def pieces(self, stop: str = "") -> t.Iterator[_Piece]:
        while self.position < len(self.text):
            character = self.text[self.position]
            self.position += 1
            if stop and character == stop:
                return
            if character == "'":
                yield _Piece(self.until_single_quote(), False)
            elif character == '"':
                yield _Piece(self.until_double_quote(), False)
            elif character == "$":
                for part in self.dollar():
                    yield _Piece(part, True)
            elif character == self.escape:
                if self.keeps_escapes:
                    yield _Piece(character, False)
                if self.position < len(self.text):
                    yield _Piece(self.text[self.position], False)
                    self.position += 1
            else:
                yield _Piece(character, True)
        if stop:
            raise UnreadableWord("the '%s' that ends a substitution is missing in %s" % (stop, self.text))

    def until_single_quote(self) -> str:
        end = self.text.find("'", self.position)
        if end < 0:
            raise UnreadableWord("the closing ' is missing in %s" % self.text)
        start, self.position = self.position, end + 1
        return self.text[start:end]

    def until_double_quote(self) -> str:
        result: t.List[str] = []
        while self.position < len(self.text):
            character = self.text[self.position]
            self.position += 1
            if character == '"':
                return "".join(result)
            if character == "$":
                result.append(self.dollar())
                continue
            if character == self.escape:
                if self.keeps_escapes:
                    result.append(character)
                following = self.text[self.position : self.position + 1]
                if following and following in ('"', "$", self.escape):
                    character = following
                    self.position += 1
            result.append(character)
        raise UnreadableWord('the closing " is missing in %s' % self.text)

    def dollar(self) -> str:
        start = self.position - 1
        value = self.substitution() if self.text[self.position : self.position + 1] == "{" else self.name_value()
        return value if self.variables is not None else self.text[start : self.position]

    def name_value(self) -> str:
        name = self.name()
        return self.value(name) or "" if name else "$"

    def name(self) -> str:
        found = _NAME.match(self.text, self.position)
        if found:
            self.position = found.end()
        return found.group() if found else ""

    def value(self, name: str) -> t.Optional[str]:
        return (self.variables or {}).get(name)

    def substitution(self) -> str:
        """What follows C($) in C(${NAME}), C(${NAME:-word}), C(${NAME+word}), C(${NAME:?text}), C(${NAME#pattern})."""
        self.position += 1
        name = self.name()
        operator = self.character()
        value = self.value(name)
        if operator == "}" and name:
            return value or ""
        if operator == "/" and name:
            return self.replacement(value or "")
        if operator == ":":
            operator = self.character()
            is_set = bool(value)
        else:
            is_set = value is not None
            self.kinds.update([WITHOUT_COLON] if operator and operator in "-+" else [])
        if not name or not operator or operator not in "-+?#%":
            raise UnreadableWord("the substitution in %s cannot be read" % self.text)
        if operator in "#%":
            return self.cut(value or "", operator)
        self.kinds.update([DEMANDING] if operator == "?" else [])
        word = self.word("}")
        if operator == "+":
            return word if is_set else ""
        if is_set:
            return value or ""
        if operator == "?" and self.variables is not None:
            raise UnreadableWord("%s: %s" % (name, word or "it has no value"))
        return word

    def character(self) -> str:
        found = self.text[self.position : self.position + 1]
        self.position += 1
        return found

    def word(self, stop: str, keeps_escapes: bool = False) -> str:
        """What stands before a character that ends it; escapes are a pattern's own where they are kept."""
        before, self.keeps_escapes = self.keeps_escapes, keeps_escapes
        word = "".join(piece.text for piece in self.pieces(stop))
        self.keeps_escapes = before
        return word

    def cut(self, value: str, operator: str) -> str:
        """C(${NAME#pattern}), C(${NAME##pattern}), C(${NAME%pattern}) or C(${NAME%%pattern})."""
        self.kinds.add(BY_PATTERN)
        pattern = self.word("}", True)
        if not pattern:
            raise EmptyPattern("the pattern of a substitution in %s is empty" % self.text)
        longest = pattern.startswith(operator)
        cut = patterns.without_start if operator == "#" else patterns.without_end
        return self.by_pattern(lambda: cut(value, pattern[1:] if longest else pattern, longest))

    def replacement(self, value: str) -> str:
        """C(${NAME/pattern/text}), or with two slashes in front for all that the pattern matches."""
        self.kinds.add(BY_PATTERN)
        everywhere = self.text.startswith("/", self.position)
        if everywhere:
            self.position += 1
        pattern, text = self.word("/", True), self.word("}", True)
        return self.by_pattern(lambda: patterns.replaced(value, pattern, text, everywhere))

    def by_pattern(self, result: t.Callable[[], str]) -> str:
        try:
            return "" if self.variables is None else result()
        except patterns.InvalidPattern as error:
            raise UnreadableWord("%s in %s" % (error, self.text)) from None
