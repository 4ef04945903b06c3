# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading Dockerfiles: lines, words, stages, base images."""

from __future__ import annotations

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile import words
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.dockerfile import (
    InvalidDockerfile,
    buildkit_needs,
    parse,
    triggered,
    with_heredoc,
    with_substitution,
)
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.fetches import fetched
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.stages import (
    base_images,
    copied_paths,
    needed_stages,
    stages_of,
    syntax_image,
    triggers_of,
    uses_platform,
)


def read(text: str) -> list[tuple[int, str, str]]:
    return [(found.line, found.keyword, found.arguments) for found in parse(text).instructions]


def test_lines_are_joined_comments_left_out_and_numbers_kept() -> None:
    text = (
        "\ufeff# a comment\r\nfrom scratch\r\n\r\nRUN one \\\r\n  # between\r\n\r\n"
        "  && two \\  \r\n  && three\r\nCMD x\\\\\r\nUSER u"
    )
    assert read(text) == [
        (2, "FROM", "scratch"),
        (4, "RUN", "one   && two   && three"),
        (9, "CMD", "x\\\\"),
        (10, "USER", "u"),
    ]


def test_the_escape_directive_is_obeyed_at_the_top_only() -> None:
    assert read("# escape=`\nFROM a\nRUN one `\n two\\") == [(2, "FROM", "a"), (3, "RUN", "one  two\\")]
    assert read("# a comment\n# escape=`\nFROM a\nRUN one\\\n two")[1] == (4, "RUN", "one two")


def test_heredocs_are_no_instructions() -> None:
    text = (
        "FROM a\nRUN <<A cat <<-'B' > x\nFROM b\nA\n\tFROM c\n\tB\nCOPY <<\"C\" /x\nFROM d\nC\n"
        'RUN echo $((1<<2)) \'<<D\' <<<E\nRUN ["a", "<<D"]\nUSER e'
    )
    assert [line for line, _keyword, _arguments in read(text)] == [1, 2, 7, 10, 11, 12]
    with pytest.raises(InvalidDockerfile, match="line 2: the here-document <<E has no end"):
        parse("FROM a\nRUN <<E\nx\n")


def test_flags_are_taken_apart() -> None:
    (instruction,) = parse("COPY --link --from=a --chown=1:1 x y").instructions
    assert instruction.flags == (("link", ""), ("from", "a"), ("chown", "1:1"))
    assert instruction.words() == ["x", "y"]
    assert parse('COPY --from=a ["x y", "z"]').instructions[0].words() == ["x y", "z"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$A/${A}", "1/1"),
        ("${B:-x}${B-x}${E:-y}${E-y}", "xxy"),
        ("${A:+x}${A+x}${E:+y}${E+y}", "xxy"),
        ("${B:-${A}2}", "12"),
        ("'$A'\"$A\"", "$A1"),
        ("\\$A", "$A"),
        ('"\\$A\\x"', "$A\\x"),
        ("$", "$"),
        ("${A:?no}", "1"),
    ],
)
def test_variables(text: str, expected: str) -> None:
    assert words.expand(text, {"A": "1", "E": ""}) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${A#*.}", "two.three"),
        ("${A##*.}", "three"),
        ("${A%.*}", "one.two"),
        ("${A%%.*}", "one"),
        ("${A:%.*}", "one.two"),
        ("${A#two}${B#two}", "one.two.three"),
        ("${A#?n}", "e.two.three"),
        ("${A/t*e/X}", "one.X"),
        ("${A//o/0}", "0ne.tw0.three"),
        ("${A//./}", "onetwothree"),
        ("${A//*/y}", "y"),
        ("${B/*/y}", "y"),
        ("${S/\\//_}", "a_b/*"),
        ("${S//\\//_}", "a_b_*"),
        ("${S%\\*}", "a/b/"),
        ("${S/b/\\/}", "a/\\//*"),
        ("${A//two/<$D>}", "one.<>.three"),
        ("${A//two/<$Z>}", "one.<two>.three"),
        ("${A/two/<$Z>}", "one.<$0>.three"),
        ("${A%${N:-.three}}", "one.two"),
        ("${A%'.three'}", "one.two"),
    ],
)
def test_patterns(text: str, expected: str) -> None:
    assert words.expand(text, {"A": "one.two.three", "S": "a/b/*", "D": "$1", "Z": "$0"}) == expected
    assert words.split(text) == [text]
    assert words.substitutions(f"x {text}") == {words.BY_PATTERN}


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("${A-x}", {words.WITHOUT_COLON}),
        ('a"${A+}"', {words.WITHOUT_COLON}),
        ("${A:-${B-x}}", {words.WITHOUT_COLON}),
        ("${A?x}${B#x}", {words.DEMANDING, words.BY_PATTERN}),
        ("${A:?x}", {words.DEMANDING}),
        ("$A-x${A:-x}${A:+x}'${A-x}'\\${A+x}", set()),
    ],
)
def test_substitutions_that_not_every_builder_knows(text: str, kinds: set[str]) -> None:
    assert words.substitutions(text) == kinds


@pytest.mark.parametrize("text", ["${A:-x%}", "'${A%x}'", "\\${A%x}", "$A%x", "${A", "#%/"])
def test_what_is_no_pattern(text: str) -> None:
    assert not words.substitutions(text)


@pytest.mark.parametrize(
    "text", ["${A", "${}", "${A:?it is needed}", "'x", '"x', "${A%x", "${A/x}", "${A#\\x}", "${A/\\x/y}", "${A:/x/y}"]
)
def test_what_cannot_be_expanded_is_said(text: str) -> None:
    with pytest.raises(words.UnreadableWord):
        words.expand(text, {})


def bases(text: str, arguments: dict[str, str] | None = None, target: str = "") -> list[str]:
    stages = stages_of(parse(text, "D"), arguments or {})
    needed = needed_stages(stages, target, "D")
    found = [str(base.reference) for base in base_images(stages, needed, "D")]
    assert [str(base.reference) for base in base_images(needed, needed, "D")] == found
    return found


def test_arguments_before_the_first_from_name_base_images() -> None:
    text = "ARG V=3.13\nARG NAME=python:${V}\nFROM ${NAME} AS a\nARG V=9\nFROM b:$V\n"
    assert bases(text, target="a") == ["docker.io/library/python:3.13"]
    assert bases(text, {"V": "3.14"}, "a") == ["docker.io/library/python:3.14"]
    assert bases(text, {"NAME": "r.example/x:1"}, "a") == ["r.example/x:1"]
    assert bases(text) == ["docker.io/library/b:3.13"]


def test_an_argument_that_is_not_declared_before_the_first_from_names_nothing() -> None:
    with pytest.raises(InvalidDockerfile, match=r"D, line 1: FROM \$\{X\} names no image"):
        bases("FROM ${X}", {"X": "a"})


def test_only_what_the_target_needs_counts() -> None:
    text = (
        "FROM one AS a\nFROM two AS b\nFROM scratch AS c\nCOPY --from=A x y\nCOPY --from=three:3 x y\n"
        "FROM four AS d\nRUN --mount=type=bind,from=b,target=/x true\nRUN --mount=type=cache,from=five,target=/x true\n"
        "FROM c\nCOPY --from=0 x y\n"
    )
    assert bases(text) == ["docker.io/library/one:latest", "docker.io/library/three:3"]
    assert bases(text, target="D") == [f"docker.io/library/{name}:latest" for name in ("two", "four", "five")]
    with pytest.raises(InvalidDockerfile, match="no stage 'z' for 'target'; its stages: a, b, c, d"):
        bases(text, target="z")


@pytest.mark.parametrize(
    "mount",
    [
        "--mount=type=bind,FROM=q:1,target=/x",
        '--mount="type=bind,from=q:1"',
        "--mount=type=bind,'from=q:1' --network=none",
        "--network=none --mount=target=/x,from=q\\:1",
        r"--mount=type=bind,\"from=q:1\" --",
    ],
)
def test_a_mount_is_read_as_buildkit_does(mount: str) -> None:
    assert bases(f"FROM scratch\nRUN {mount} true --mount=from=none\n") == ["docker.io/library/q:1"]


def test_a_stage_is_no_image_even_where_it_has_an_image_s_name() -> None:
    assert bases("FROM a AS python\nFROM python\n") == ["docker.io/library/a:latest"]
    assert bases("FROM python AS python\n") == ["docker.io/library/python:latest"]
    assert bases("FROM a\nFROM python AS python\n") == ["docker.io/library/python:latest"]


def test_stages_that_are_not_needed_do_not_shift_the_numbers_of_others() -> None:
    assert bases("FROM a\nFROM b\nFROM c\nFROM scratch\nCOPY --from=2 x y\n") == ["docker.io/library/c:latest"]


def test_the_platform_s_arguments_are_known() -> None:
    assert uses_platform(parse("FROM a-$TARGETARCH"))
    assert uses_platform(parse("ARG A=a-$TARGETARCH\nFROM $A"))
    assert not uses_platform(parse("FROM a\nARG TARGETARCH\nRUN echo $TARGETARCH"))
    assert bases("FROM a:$TARGETARCH", {"TARGETARCH": "arm64"}) == ["docker.io/library/a:arm64"]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "holds no instruction"),
        ("# only a comment", "holds no instruction"),
        ("RUN x", "has no FROM"),
        ("FROM A", "line 1: Invalid image reference"),
        ("FROM a as", "not of the form"),
        ("# escape=x\nFROM a", "the escape directive is 'x'"),
    ],
)
def test_a_dockerfile_that_cannot_be_is_refused(text: str, match: str) -> None:
    with pytest.raises(InvalidDockerfile, match=match):
        bases(text)


def test_paths_copied_from_the_context() -> None:
    text = (
        "FROM a AS z\nCOPY no /\nFROM a AS x\nFROM a\nCOPY one /two/../three ./ /x/\nCOPY --from=x no /\nCOPY w* $V/y [a] /\n"
        'ADD https://x.example/y git@x.example:y.git four /\nCOPY ["fi ve", "/"]\nCOPY <<E /six\nE\nCOPY ../seven /\nCOPY . /\n'
    )
    dockerfile = parse(text)
    needed = needed_stages(stages_of(dockerfile, {}), "", "D")
    assert [copied.path for copied in copied_paths(needed, "\\")] == ["one", "three", "four", "fi ve", "seven"]
    assert [instruction.line for instruction in fetched(needed, {})] == [8]


def test_what_is_fetched_by_a_variable_is_seen() -> None:
    text = (
        "ARG SITE=https://x.example\nFROM a AS base\nARG SITE\nENV TREE $SITE/tree\nENV A=b FILE=$SITE/file\n"
        "FROM base AS other\nADD $TREE /\nADD $A /\nFROM a\nADD $SITE /\nARG GIVEN=here\nADD ${GIVEN} $FILE /\n"
    )
    stages = stages_of(parse(text), {})
    assert [instruction.line for instruction in fetched(stages, {})] == [7]
    given = {"SITE": "here", "GIVEN": "git@x.example:y.git"}
    assert [instruction.line for instruction in fetched(stages_of(parse(text), given), given)] == [12]


def test_what_a_base_image_has_carried_out_is_part_of_the_stage_that_starts_from_it() -> None:
    text = "FROM a AS one\nRUN x\nFROM a\nCOPY --from=one x y\nFROM other AS unused\n"
    triggers = {
        "a": ["ARG T=https://x.example", "COPY --from=b:1 x y", "COPY package.json /", "ADD $T /"],
        "other": ["ADD no /"],
    }
    dockerfile = parse(text, "D")
    stages = stages_of(dockerfile, {}, triggers)
    needed = needed_stages(stages, "1", "D")
    assert [(found.keyword, found.line) for found in needed[0].carried_out] == [
        ("FROM", 1),
        ("ARG", 1),
        ("COPY", 1),
        ("COPY", 1),
        ("ADD", 1),
        ("RUN", 2),
    ]
    assert [str(base.reference) for base in base_images(stages, needed, "D")] == [
        "docker.io/library/a:latest",
        "docker.io/library/b:1",
    ]
    assert [(copied.path, str(copied.instruction)) for copied in copied_paths(needed, "\\")] == [
        ("package.json", "ONBUILD COPY package.json /")
    ] * 2
    assert [(str(found), found.line) for found in fetched(needed, {})] == [
        ("ONBUILD ADD $T /", 1),
        ("ONBUILD ADD $T /", 3),
    ]
    assert triggers_of(needed) == needed[0].triggers + needed[1].triggers


def test_what_a_stage_has_the_next_carry_out_is_done_once() -> None:
    text = "FROM a AS one\nONBUILD COPY --from=b:1 x y\nFROM one AS two\nFROM two\n"
    stages = stages_of(parse(text, "D"), {}, {"one": ["COPY never /"], "a": ["no Dockerfile's \n"]})
    assert [[str(found) for found in stage.triggers if found.keyword == "COPY"] for stage in stages] == [
        [],
        ["ONBUILD COPY --from=b:1 x y"],
        [],
    ]
    assert stages[1].triggers[0].line == 2
    assert [str(base.reference) for base in base_images(stages, stages, "D")] == [
        "docker.io/library/a:latest",
        "docker.io/library/b:1",
    ]


def test_the_image_that_reads_the_dockerfile_is_one_of_its_base_images() -> None:
    def syntax(text: str, arguments: dict[str, str] | None = None) -> list[tuple[str, int]]:
        return [(str(base.reference), base.line) for base in syntax_image(parse(text, "D"), arguments or {})]

    assert syntax("FROM a\n# syntax=b") == []
    assert syntax("\ufeff# escape=`\r\n# Syntax = r.example/b:1 more\r\nFROM a") == [("r.example/b:1", 2)]
    assert syntax("#syntax=docker/dockerfile\nFROM a") == [("docker.io/docker/dockerfile:latest", 1)]
    assert syntax("# syntax=b\nFROM a", {"BUILDKIT_SYNTAX": "r.example/c:1"}) == [("r.example/c:1", 1)]
    with pytest.raises(InvalidDockerfile, match=r"D, line 1: .*B"):
        syntax("# syntax=B\nFROM a")


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("FROM a\nRUN b\nCOPY --chown=1 b c\nCOPY --from=a b c\n# syntax=late", ""),
        ("# syntax=docker/dockerfile:1\nFROM a", "D needs BuildKit for its directive syntax=docker/dockerfile:1"),
        ("FROM a\nRUN --mount=type=ssh b", "D needs BuildKit: line 2, RUN with --mount"),
        ("FROM a\nRUN --network=none b", "D needs BuildKit: line 2, RUN with --network"),
        ("FROM a\n\nCOPY <<E /f\nx\nE", "D needs BuildKit: line 3, COPY with a here-document"),
        ("FROM a\nCOPY --link b c", "D needs BuildKit: line 2, COPY with --link"),
        ("FROM a\nADD --checksum=x b c", "D needs BuildKit: line 2, ADD with --checksum"),
    ],
)
def test_what_only_buildkit_builds_is_seen(text: str, needs: str) -> None:
    assert buildkit_needs(parse(text, "D")) == needs


def test_what_only_buildkit_builds_of_a_base_image_is_seen() -> None:
    needs = buildkit_needs(parse("FROM a", "D"), triggered("RUN --mount=type=ssh x", 1))
    assert needs == "D needs BuildKit: line 1, ONBUILD RUN of its base image with --mount"


def test_what_older_languages_do_not_know_is_found() -> None:
    text = "ARG V=1-a\nFROM a:${V}\nRUN echo ${V%x}\nONBUILD ENV x=${V%x}\nENV x='${V%x}'\n"
    assert with_substitution(parse(text), words.BY_PATTERN) is None
    found = with_substitution(parse(f"{text}LABEL x=${{V#y}}\nENV ${{V/x/y}}=z\n"), words.BY_PATTERN)
    assert found is not None
    assert found.line == 6
    assert with_heredoc(parse(text)) is None
    here = with_heredoc(parse(f"{text}COPY <<E /x\nE\n"))
    assert here is not None
    assert here.line == 6
