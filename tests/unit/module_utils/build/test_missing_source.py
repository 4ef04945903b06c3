# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which directory lacks what an instruction copies or mounts: the context, or a named one, each with its own rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.build.builder import Built
from ansible_collections.longshore.delivery.plugins.module_utils.build.definition import read_definition
from ansible_collections.longshore.delivery.plugins.module_utils.build.failure import failure
from ansible_collections.longshore.delivery.plugins.module_utils.build.named_contexts import NamedContext
from ansible_collections.longshore.delivery.plugins.module_utils.build.record import TextRecord

# BuildKit's
MISSING = 'failed to calculate checksum of ref 1aee4dfe-0a::pj8x: "/a.log": not found'


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("COPY a.log /", "a.log is kept out of the build by {root}/.dockerignore, line 2: *.log."),
        ("COPY --from=files a.log /", "a.log is kept out of the build by {files}/.dockerignore, line 1: a.*."),
        ("COPY --from=empty a.log /", "there is no a.log in {empty}."),
        ("COPY --from=other a.log /", '"/a.log": not found.'),
        ("RUN --mount=type=bind,source=a.log,target=/x true", "by {root}/.dockerignore, line 2: *.log."),
        ("RUN --mount=from=other,source=a.log,target=/x true", '"/a.log": not found.'),
        ("RUN --mount=from=files,source=a.log,target=/x true", "by {files}/.dockerignore, line 1: a.*."),
        ("RUN --mount=from=empty,source=a.log,target=/x true", '"/a.log": not found.'),
        ("RUN --mount=type=cache,target=/y --mount=source=a.log,target=/x true", "by {root}/.dockerignore, line 2"),
        ("RUN --mount=type=cache,target=/y --mount=from=other,source=a.log,target=/x true", '"/a.log": not found.'),
    ],
)
def test_the_cause_names_the_directory_and_the_pattern(tmp_path: Path, line: str, cause: str) -> None:
    places = {name: tmp_path / name for name in ("root", "files", "empty")}
    for place in places.values():
        place.mkdir()
    for name, rules in (("root", "# none\n*.log\n"), ("files", "a.*\n")):
        (places[name] / "a.log").touch()
        (places[name] / ".dockerignore").write_text(rules)
    (places["root"] / "Dockerfile").write_text(f"FROM scratch\n{line}\n")
    definition = read_definition(str(places["root"]), "Dockerfile")
    record = TextRecord(lambda _line: None)
    record.begin(f"[2/2] {line}", line)
    record.end(MISSING)
    contexts = [NamedContext(name, str(places[name])) for name in ("files", "empty")]
    said = str(failure("x:1", definition, definition.stages({}, ""), Built("", record), contexts))
    assert cause.format(**places) in said
    assert "checksum" not in said
