# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a build finds nothing by a wildcard of COPY; by the words of the builders that fail then: BuildKit does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.build.builder import Built
from ansible_collections.longshore.delivery.plugins.module_utils.build.definition import read_definition
from ansible_collections.longshore.delivery.plugins.module_utils.build.failure import failure
from ansible_collections.longshore.delivery.plugins.module_utils.build.record import TextRecord
from ansible_collections.longshore.delivery.plugins.module_utils.build.wildcard_source import why_nothing_matches

CLASSIC = "%s failed: no source files were specified"
BUILDAH = 'checking on sources under "/tmp/x": copier: stat: ["/x"]: no such file or directory'
NOTHING = "nothing in {root} matches {pattern}. Correct the instruction or 'source'."
KEPT_OUT = (
    "{pattern} matches {path}, which is kept out of the build by {root}/.dockerignore, line {line}. Add !{path} below that "
    "line, or correct the instruction."
)


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "source"
    (root / "src" / "deep").mkdir(parents=True)
    (root / ".dockerignore").write_text("# none of these\n**/*.txt\nsrc/deep\n")
    for path in ("a.txt", "b.md", "src/one.txt", "src/[x].md", "src/deep/two.md"):
        (root / path).touch()
    (root / "link").symlink_to("src")
    return root


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.md", ""),
        ("?.md", ""),
        ("s*/*.md", ""),
        ("link/*.md", ""),
        ("src/\\[x].*", ""),
        ("[", ""),  # the builder says what that is
        ("*.txt", KEPT_OUT.format(root="{root}", pattern="{pattern}", path="a.txt", line="2: **/*.txt")),
        ("**.txt", KEPT_OUT.format(root="{root}", pattern="{pattern}", path="a.txt", line="2: **/*.txt")),
        ("[a-c].t[^a]t", KEPT_OUT.format(root="{root}", pattern="{pattern}", path="a.txt", line="2: **/*.txt")),
        ("*/*.txt", KEPT_OUT.format(root="{root}", pattern="{pattern}", path="link/one.txt", line="2: **/*.txt")),
        ("link/*.txt", KEPT_OUT.format(root="{root}", pattern="{pattern}", path="src/one.txt", line="2: **/*.txt")),
        ("src/deep/*", KEPT_OUT.format(root="{root}", pattern="{pattern}", path="src/deep/two.md", line="3: src/deep")),
        ("src/**/two.txt", NOTHING),  # two stars are no more than one
        ("*.none", NOTHING),
        ("b.md/*", NOTHING),
    ],
)
def test_what_keeps_out_what_a_wildcard_means_is_named(source: Path, pattern: str, expected: str) -> None:
    found = why_nothing_matches(read_definition(_with(source, "COPY b.md /"), "Dockerfile").context, pattern)
    assert found == expected.format(root=source, pattern=pattern)


def _with(source: Path, line: str) -> str:
    (source / "Dockerfile").write_text(f"FROM scratch\n{line}\n")
    return str(source)


@pytest.mark.parametrize(
    ("line", "error", "hint"),
    [
        ("COPY *.txt /x/", CLASSIC % "COPY", "*.txt matches a.txt, which is kept out of the build by"),
        ("ADD --chown=1 src/*.txt /x/", CLASSIC % "ADD", "line 2: **/*.txt. Add !src/one.txt below that line"),
        ('COPY ["b.md", "*.none", "/x/"]', BUILDAH, "matches *.none. Correct the instruction"),
        ("COPY *.md *.txt /x/", BUILDAH, "*.txt matches a.txt"),
        ("COPY *.md /x/", BUILDAH, "no such file or directory."),
        ("COPY *.txt /x/", "no space left on device", "no space left on device. The disk is full."),
        ("COPY --from=0 *.txt /x/", BUILDAH, "no such file or directory."),
    ],
)
def test_on_failure_the_hint_is_the_cause(source: Path, line: str, error: str, hint: str) -> None:
    definition = read_definition(_with(source, line), "Dockerfile")
    record = TextRecord(lambda _line: None)
    record.begin(f"[2/2] {line}", line)
    record.end(error)
    said = str(failure("x:1", definition, definition.stages({}, ""), Built("", record)))
    assert said.startswith(f"Building x:1 failed at {source}/Dockerfile, line 2, ")
    assert hint in said
