# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Change one key of a TOML text; every line that need not change keeps its bytes."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.trust.toml_lines import (
    Assignment,
    Header,
    KeyPath,
    Statement,
    key_text,
    quoted,
    statements,
    string_value,
)


class CannotEdit(Exception):
    """The key lies in a value that this editor does not change, such as an inline table."""


@dataclasses.dataclass(frozen=True)
class Edit:
    """An edited text, and what undoes the edit later, in a text that others have changed since.

    :param was: the raw value that the key had, None if it had none.
    :param made_table: whether the edit added the table's header too.
    """

    text: str
    was: t.Optional[str]
    made_table: bool


def assignment_of(text: str, path: KeyPath) -> t.Optional[Assignment]:
    """Where a key outside of arrays of tables is set, be it below a header or by a dotted key."""
    found = [
        statement
        for statement in statements(text)
        if isinstance(statement, Assignment) and statement.path == path and not statement.in_array
    ]
    return found[0] if found else None


def raw_value(text: str, path: KeyPath) -> t.Optional[str]:
    """The value of a key as it is written, None if it is not set."""
    assignment = assignment_of(text, path)
    return None if assignment is None else text[assignment.value[0] : assignment.value[1]]


def get_string(text: str, path: KeyPath) -> t.Optional[str]:
    """The value of a key that is a text, None if it is not set or is something else."""
    raw = raw_value(text, path)
    return None if raw is None else string_value(raw)


def below(text: str, path: KeyPath) -> t.List[Statement]:
    """The headers and assignments at and below a path."""
    return [statement for statement in statements(text) if statement.path[: len(path)] == path]


def set_string(text: str, path: KeyPath, value: str) -> Edit:
    """Set a key to a text: replace its value, else add a line to its table, else add the table at the end.

    :raises CannotEdit: a part of the path is an inline table, another value or an array of tables.
    """
    found = statements(text)
    raw = quoted(value)
    for statement in found:
        if isinstance(statement, Assignment) and not statement.in_array:
            if statement.path == path:
                start, end = statement.value
                return Edit(text[:start] + raw + text[end:], text[start:end], False)
            if path[: len(statement.path)] == statement.path:
                raise CannotEdit("%s is an inline table or another value" % key_text(statement.path))
        if isinstance(statement, Header) and statement.is_array and path[: len(statement.path)] == statement.path:
            raise CannotEdit("%s is an array of tables" % key_text(statement.path))
    if any(statement.path[: len(path)] == path for statement in found):
        raise CannotEdit("%s is a table" % key_text(path))
    newline = "\r\n" if "\r\n" in text else "\n"
    table = path[:-1]
    for index, statement in enumerate(found):
        if isinstance(statement, Header) and statement.path == table:
            indent = _indent_below(text, found, index)
            line = "%s%s = %s" % (indent, key_text(path[-1:]), raw)
            return Edit(_inserted(text, statement.end, line, newline), None, False)
    for statement in found:
        if (
            isinstance(statement, Assignment)
            and not statement.in_array
            and len(statement.table) < len(table)
            and (statement.path[: len(table)] == table)
        ):  # made by a dotted key: a header for it would be a second definition
            indent = _indent(text, statement.start)
            line = "%s%s = %s" % (indent, key_text(path[len(statement.table) :]), raw)
            return Edit(_inserted(text, statement.end, line, newline), None, False)
    if not table:
        return Edit("%s = %s%s%s" % (key_text(path), raw, newline, text), None, False)
    gap = "" if not text else newline if text.endswith("\n") else newline * 2
    block = "[%s]%s  %s = %s%s" % (key_text(table), newline, key_text(path[-1:]), raw, newline)
    return Edit(text + gap + block, None, True)


def unset_string(text: str, path: KeyPath, value: str, was: t.Optional[str], made_table: bool) -> str:
    """Undo C(set_string) in a text that others may have changed since; another value than C(value) stays."""
    assignment = assignment_of(text, path)
    if assignment is None:
        return text
    start, end = assignment.value
    if string_value(text[start:end]) != value:
        return text
    if was is not None:
        return text[:start] + was + text[end:]
    result = text[: assignment.start] + text[assignment.end :]
    if made_table:
        result = _without_empty_table(result, path[:-1])
    return result


def _without_empty_table(text: str, table: KeyPath) -> str:
    found = statements(text)
    for index, statement in enumerate(found):
        if isinstance(statement, Header) and statement.path == table and not statement.is_array:
            following = found[index + 1] if index + 1 < len(found) else None
            if isinstance(following, Assignment):
                return text
            before = text[: statement.start]
            return re.sub(r"(\r?\n)\r?\n\Z", r"\1", before) + text[statement.end :]
    return text


def _inserted(text: str, at: int, line: str, newline: str) -> str:
    before = text[:at]
    if not before.endswith("\n"):
        return before + newline + line + text[at:]
    return before + line + newline + text[at:]


def _indent_below(text: str, found: t.Sequence[Statement], index: int) -> str:
    """The indentation of the table's first key, else that of its header and two blanks."""
    if index + 1 < len(found) and isinstance(found[index + 1], Assignment):
        return _indent(text, found[index + 1].start)
    return _indent(text, found[index].start) + "  "


def _indent(text: str, start: int) -> str:
    match = re.compile(r"[ \t]*").match(text, start)
    return match.group() if match else ""
