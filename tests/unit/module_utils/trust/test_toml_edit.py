# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The TOML editor, against Python's own parser: one key changes, everything else stays, to the byte."""

from __future__ import annotations

import contextlib
import copy
import typing as t

import pytest
import tomllib
from hypothesis import event, given, settings
from hypothesis import strategies as st

from ansible_collections.longshore.delivery.plugins.module_utils.trust.toml_edit import (
    CannotEdit,
    get_string,
    raw_value,
    set_string,
    unset_string,
)
from ansible_collections.longshore.delivery.plugins.module_utils.trust.toml_lines import (
    Assignment,
    TomlError,
    key_text,
    quoted,
    statements,
    string_list,
)

KEY = ("plugins", "io.containerd.grpc.v1.cri", "registry", "config_path")

# Keys that meet those of KEY often, so that tables, dotted keys and inline tables of its parents come up.
keys = st.one_of(
    st.sampled_from(["plugins", "io.containerd.grpc.v1.cri", "registry", "config_path", "a", "b-c", "ä ö", 'q"uote']),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=6),
)
paths = st.lists(keys, min_size=1, max_size=3).map(tuple)
comments = st.sampled_from(["", "", " # a comment with [table] and key = 'value'", "  #"])
indents = st.sampled_from(["", "  ", "\t"])


def _array(items: list[str]) -> str:
    return "[\n  # one\n  " + ", # two\n  ".join(items) + (",\n]" if items else "]")


values = st.recursive(
    st.one_of(
        st.sampled_from(
            ["1", "-0x1F".replace("-", ""), "true", "1979-05-27 07:32:00", "1e-3", "inf", "''", '""', "'[x]'"]
        ),
        st.sampled_from(["'''\nline # no comment\n[no.table]\nkey = 1'''", '"""a \\\n  b "" c"""', "''''two''''"]),
        st.text(max_size=10).map(lambda text: quoted(text.encode("utf-8", "ignore").decode())),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(_array),
        st.lists(inner, max_size=3).map(lambda items: "[%s]" % ", ".join(items)),
        st.lists(st.tuples(keys, inner), max_size=2, unique_by=lambda pair: pair[0])
        .filter(lambda pairs: all("\n" not in value for _key, value in pairs))
        .map(lambda pairs: "{ %s }" % ", ".join("%s = %s" % (key_text((key,)), value) for key, value in pairs)),
    ),
    max_leaves=4,
)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A valid TOML text: a line that Python's parser does not take at its place is left out."""
    newline = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    text = ""
    for _number in range(draw(st.integers(0, 8))):
        kind = draw(st.sampled_from(["key", "key", "table", "table", "array", "ours", "comment", "blank"]))
        indent, comment = draw(indents), draw(comments)
        line = "# [no table] = here" if kind == "comment" else indent
        if kind == "key":
            line = "%s%s = %s%s" % (indent, key_text(draw(paths)), draw(values), comment)
        elif kind == "ours":
            at = draw(st.integers(0, 3))
            line = "%s%s = %s%s" % (indent, key_text(KEY[at:]), draw(values), comment)
            line = "[%s]\n%s" % (key_text(KEY[:at]), line) if at else line
        elif kind in ("table", "array"):
            path = draw(st.one_of(paths, st.sampled_from([KEY[:1], KEY[:2], KEY[:3]])))
            line = ("%s[%s]%s" if kind == "table" else "%s[[%s]]%s") % (indent, key_text(path), comment)
        longer = (text + newline if text else "") + line.replace("\r\n", "\n").replace("\n", newline)
        with contextlib.suppress(tomllib.TOMLDecodeError):
            tomllib.loads(longer)
            text = longer
    return text + draw(st.sampled_from(["", newline]))


def with_value(document: dict[str, t.Any], value: str) -> dict[str, t.Any]:
    document = copy.deepcopy(document)
    table = document
    for key in KEY[:-1]:
        table = table.setdefault(key, {})
    table[KEY[-1]] = value
    return document


@settings(max_examples=400)
@given(documents(), st.sampled_from(["/etc/containerd/certs.d", "/a b/ü", 'x"\\y']))
def test_setting_a_key_changes_that_key_alone(text: str, value: str) -> None:
    try:
        edit = set_string(text, KEY, value)
    except CannotEdit:
        event("cannot be edited")
        return
    event("replaced" if edit.was is not None else "table added" if edit.made_table else "line added")
    before = tomllib.loads(text)
    assert tomllib.loads(edit.text) == with_value(before, value)
    assert get_string(edit.text, KEY) == value
    if edit.was is None:
        # every line of before stands there still, in order; the last one may have got its line end
        lines = iter(edit.text.splitlines())
        assert all(line in lines for line in text.splitlines())
    else:
        at = [start for start in range(len(text)) if text.startswith(edit.was, start)]
        shown = quoted(value)
        assert edit.text in [text[:start] + shown + text[start + len(edit.was) :] for start in at]


@given(documents(), st.sampled_from(["/etc/containerd/certs.d", "other"]))
def test_setting_twice_is_setting_once(text: str, value: str) -> None:
    try:
        once = set_string(text, KEY, value).text
    except CannotEdit:
        return
    assert set_string(once, KEY, value).text == once


@given(documents())
def test_taking_the_key_back_leaves_the_document_of_before(text: str) -> None:
    try:
        edit = set_string(text, KEY, "/ours")
    except CannotEdit:
        return
    back = unset_string(edit.text, KEY, "/ours", edit.was, edit.made_table)
    # a missing last line end is the only byte that may differ: the ledger has the very bytes
    assert back in (text, text + "\n", text + "\r\n", text + "\n\n", text + "\r\n\r\n")
    assert tomllib.loads(back) == tomllib.loads(text)


@given(documents())
def test_a_value_that_somebody_else_set_since_stays(text: str) -> None:
    try:
        edit = set_string(set_string(text, KEY, "/ours").text, KEY, "/theirs")
    except CannotEdit:
        return
    assert unset_string(edit.text, KEY, "/ours", None, True) == edit.text


@given(documents())
def test_every_value_that_the_parser_finds_is_found(text: str) -> None:
    for statement in statements(text):
        if isinstance(statement, Assignment) and not statement.in_array:
            start, end = statement.value
            found: t.Any = tomllib.loads(text)
            for key in statement.path:
                found = found[key]
            # 'nan' is not equal to itself; it is none of the values here
            assert tomllib.loads("x = " + text[start:end])["x"] == found


CASES = {
    "empty": ("", '[a.b]\n  c = "v"\n'),
    "table there": ("[a.b]\nd = 1\n", '[a.b]\nc = "v"\nd = 1\n'),
    "table there, indented": ("  [a.b] # x\n    d = 1\n", '  [a.b] # x\n    c = "v"\n    d = 1\n'),
    "empty table": ("[a.b]\n[c]\n", '[a.b]\n  c = "v"\n[c]\n'),
    "value there": ("[a.b]\nc = 'old' # why\n", '[a.b]\nc = "v" # why\n'),
    "dotted key": ("[a]\nb.d = 1\n", '[a]\nb.d = 1\nb.c = "v"\n'),
    "subtable only": ("[a.b.x]\nd = 1\n", '[a.b.x]\nd = 1\n\n[a.b]\n  c = "v"\n'),
    "no last line end": ("x = 1", 'x = 1\n\n[a.b]\n  c = "v"\n'),
    "windows": ("x = 1\r\n[a.b]\r\nd = 2\r\n", 'x = 1\r\n[a.b]\r\nc = "v"\r\nd = 2\r\n'),
    "a header in a text": ("x = '''\n[a.b]\n'''\n", "x = '''\n[a.b]\n'''\n\n[a.b]\n  c = \"v\"\n"),
}


@pytest.mark.parametrize("name", CASES)
def test_where_the_line_goes(name: str) -> None:
    before, after = CASES[name]
    assert set_string(before, ("a", "b", "c"), "v").text == after


@pytest.mark.parametrize("text", ["a = { b = 1 }\n", "a.b = 1\n", "[[a]]\n", "[[a.b]]\n", "[a.b.c]\nd = 1\n"])
def test_what_is_not_edited(text: str) -> None:
    with pytest.raises(CannotEdit):
        set_string(text, ("a", "b", "c"), "v")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\nb =\n", 2),
        ("[a\n", 1),
        ("a = 'x\n", 1),
        ("a = [1, 2\n\nb = 1\n", 3),
        ("a = 1 b = 2\n", 1),
        ("\ufeffa = 1", 1),
    ],
)
def test_a_fault_is_told_with_its_line(text: str, line: int) -> None:
    with pytest.raises(TomlError) as error:
        statements(text)
    assert error.value.line == line


def test_lists_of_texts() -> None:
    text = "imports = [ # two\n 'a.toml', \"b.toml\", ]\n"
    assert string_list(raw_value(text, ("imports",)) or "") == ["a.toml", "b.toml"]
    assert string_list("[1]") is None
    assert string_list("'x'") is None
