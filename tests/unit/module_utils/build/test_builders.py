# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engines that build: which it is, what each is given, and what it tells."""

from __future__ import annotations

import io
import json
import os
import tarfile
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.build import find_engine as finding
from ansible_collections.longshore.delivery.plugins.module_utils.build.build_cache import CacheSource, CacheTarget
from ansible_collections.longshore.delivery.plugins.module_utils.build.buildah import (
    Buildah,
    LibraryEngine,
    LibraryRecord,
)
from ansible_collections.longshore.delivery.plugins.module_utils.build.builder import (
    BuildEngineError,
    BuilderMissing,
    BuildRequest,
    CannotAsk,
)
from ansible_collections.longshore.delivery.plugins.module_utils.build.classic import ClassicRecord, check_classic
from ansible_collections.longshore.delivery.plugins.module_utils.build.context_copy import copy_context, write_archive
from ansible_collections.longshore.delivery.plugins.module_utils.build.definition import read_definition
from ansible_collections.longshore.delivery.plugins.module_utils.build.labelled_dockerfile import with_labels
from ansible_collections.longshore.delivery.plugins.module_utils.build.run_secrets import Secret, SshAgent
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import DockerAddress
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.dockerfile import parse
from ansible_collections.longshore.delivery.plugins.module_utils.image.recorded_inputs import DIGEST_LABEL
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "source"
    (root / "deep").mkdir(parents=True)
    (root / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    (root / "deep" / "program").write_text("one")
    (root / "deep" / "program").chmod(0o750)
    (root / "deep").chmod(0o555)
    (root / "link").symlink_to("no/where")
    (root / "left.log").touch()
    return root


def requested(source: Path, **options: t.Any) -> BuildRequest:
    inline = options.pop("dockerfile", None)
    definition = read_definition(str(source), "Dockerfile", inline)
    return BuildRequest(definition.context, definition.path, definition.dockerfile, inline=definition.inline, **options)


def archive(request: BuildRequest, dockerfile: str) -> tuple[str, dict[str, tarfile.TarInfo], dict[str, str]]:
    file = io.BytesIO()
    name = write_archive(request.context, dockerfile, file)
    with tarfile.open(fileobj=file) as tar:
        members = {member.name: member for member in tar.getmembers()}
        special = {
            path: t.cast("t.IO[bytes]", tar.extractfile(members[path])).read().decode()
            for path in {name, ".dockerignore"} & set(members)
        }
    return name, members, special


def test_the_archive_is_what_the_walk_found_and_is_root_s(source: Path) -> None:
    (source / ".dockerignore").write_text("*.log")
    name, members, _contents = archive(requested(source), str(source / "Dockerfile"))
    assert name == "Dockerfile"
    assert sorted(members) == [".dockerignore", "Dockerfile", "deep", "deep/program", "link"]
    assert (members["deep/program"].mode, members["deep"].mode, members["link"].linkname) == (0o750, 0o555, "no/where")
    assert int(members["deep/program"].mtime) == int((source / "deep" / "program").stat().st_mtime)
    assert {(member.uid, member.gid, member.uname) for member in members.values()} == {(0, 0, "")}


@pytest.mark.parametrize(
    ("rules", "sent"),
    [
        (None, ".dockerignore\n.longshore.Dockerfile\n"),
        ("*.log\n.dockerignore\nDockerfile", ".dockerignore\n.longshore.Dockerfile\n"),
        ("*.log\nDockerfile\n\n", "*.log\nDockerfile\n.longshore.Dockerfile\n"),
    ],
)
def test_a_dockerfile_that_is_no_part_is_sent_and_is_kept_out_of_copies(
    source: Path, tmp_path: Path, rules: str | None, sent: str
) -> None:
    if rules is not None:
        (source / ".dockerignore").write_text(rules)
    outside = tmp_path / "Dockerfile"
    outside.write_text("FROM scratch\n")
    name, members, contents = archive(requested(source), str(outside))
    assert name == ".longshore.Dockerfile"
    assert contents == {name: "FROM scratch\n", ".dockerignore": sent}
    assert ("Dockerfile" in members) == (rules is None)


def test_a_copy_is_what_the_walk_found(source: Path, tmp_path: Path) -> None:
    (source / ".dockerignore").write_text("*.log")
    request, copy = requested(source), tmp_path / "copy"
    copy.mkdir()
    copy_context(request.context, str(copy))
    (source / ".dockerignore").unlink()
    (copy / ".dockerignore").unlink()
    (source / "left.log").unlink()
    assert requested(copy).context.entries == requested(source).context.entries
    for path in ("deep", "deep/program"):
        assert (copy / path).stat().st_mtime_ns == (source / path).stat().st_mtime_ns


def test_the_classic_builder_s_stream_is_followed() -> None:
    shown: list[str] = []
    record = ClassicRecord(shown.append)
    for text in (
        "Step 1/4 : FROM a\n",
        " ---> 0123456789ab\nStep 2/4 : RUN make\n ---> Us",
        "ing cache\n ---> 1123456789ab\nStep 3/4 : RUN make\n",
        " ---> Running in 2123456789ab\n",
        "one\ntw",
        "o\n\nRemoving intermediate container 2123456789ab\n ---> 3123456789ab\n",
        f"Step 4/4 : LABEL {DIGEST_LABEL}=x\n",
    ):
        record.event({"stream": text})
    record.event({"aux": {"ID": "sha256:x"}})
    record.event({"stream": "Successfully built 3123456789ab"})
    record.finish()
    assert record.image_id == "sha256:x"
    assert [(step.name, step.cached, list(step.log)) for step in record.steps] == [
        ("[1/4] FROM a", False, []),
        ("[2/4] RUN make", True, []),
        ("[3/4] RUN make", False, ["one", "two"]),
    ]
    assert [step.same for step in record.steps] == [0, 0, 1]
    assert shown[1:3] == ["[2/4] RUN make: running", "[2/4] RUN make: cached"]
    assert (record.failed, record.messages, list(record.log)) == (None, [], ["one", "two"])


def test_the_classic_builder_s_error_is_its_step_s() -> None:
    record = ClassicRecord(lambda line: None)
    record.event({"stream": "Step 1/1 : RUN x\n ---> Running in 2123456789ab\nlast words"})
    record.event({"error": "The command 'x' returned a non-zero code: 3", "errorDetail": {"code": 3}})
    record.finish()
    assert record.failed is not None
    assert list(record.failed.log) == ["last words"]
    early = ClassicRecord(lambda line: None)
    early.event({"error": "dockerfile parse error line 1: unknown instruction: X"})
    assert early.messages == ["dockerfile parse error line 1: unknown instruction: X"]


def test_what_needs_buildkit_is_named_where_the_builder_is_the_classic_one(source: Path) -> None:
    check_classic(requested(source, network="none", args={"A": "1"}), "Why.")
    for options, match in (
        (
            {"dockerfile": "FROM scratch\nRUN --mount=type=ssh x"},
            r"^Why\. dockerfile_inline needs BuildKit: line 2, RUN",
        ),
        ({"ssh": (SshAgent("a"),), "secrets": (Secret("b", "/b"),)}, r"'secrets' and 'ssh' needs BuildKit\.$"),
        ({"cache_to": CacheTarget("inline")}, r"'cache_to' needs BuildKit"),
        ({"sbom": Reference.parse("a:1"), "provenance": "max"}, r"'provenance' and 'sbom' needs BuildKit"),
        ({"platforms": ("a/b", "a/c"), "annotations": {"a": "b"}}, r"'annotations' and 'platforms' needs BuildKit"),
    ):
        with pytest.raises(BuilderMissing, match=match):
            check_classic(requested(source, **t.cast("dict[str, t.Any]", options)), "Why.")


def test_podman_s_words_are_followed() -> None:
    record = LibraryRecord(lambda line: None)
    for line in (
        "[1/2] STEP 1/2: FROM scratch AS one",
        "[1/2] STEP 2/2: COPY a /",
        "--> Using cache 0123456789abcdef",
        "--> 0123456789a",
        "[2/2] STEP 1/2: FROM 0123456789abcdef",
        "[2/2] STEP 2/2: RUN make; exit 3",
        "one",
        "two",
        'Error: building at STEP "RUN make; exit 3": while running runtime: exit status 3',
    ):
        record.line(line)
    record.end("\n".join(record.errors))
    assert [(step.name, step.cached) for step in record.steps] == [
        ("[1/2 1/2] FROM scratch AS one", False),
        ("[1/2 2/2] COPY a /", True),
        ("[2/2 1/2] FROM 0123456789abcdef", False),
        ("[2/2 2/2] RUN make; exit 3", False),
    ]
    failed = record.failed
    assert failed is not None
    assert (failed.error, list(failed.log)) == ("while running runtime: exit status 3", ["one", "two"])


def test_labels_are_the_target_s_last_instruction() -> None:
    text = "FROM a AS one\nRUN x\n# of two\nFROM one\nCMD y"
    labels = {"b": 'x "y" $z \\', "a": "1"}
    quoted = 'LABEL "a"="1" "b"="x \\"y\\" \\$z \\\\"\n'
    read = parse(text)
    assert with_labels(text.encode(), read, 1, labels).decode() == f"{text}\n{quoted}"
    first = with_labels(text.encode(), read, 0, labels).decode()
    assert first == f"FROM a AS one\nRUN x\n# of two\n{quoted}FROM one\nCMD y"
    assert [str(found).split()[0] for found in parse(first).instructions] == ["FROM", "RUN", "LABEL", "FROM", "CMD"]
    with pytest.raises(ValueError, match=r"^c$"):
        with_labels(b"FROM a", parse("FROM a"), 0, {"c": "one\ntwo"})


class Program:
    """A program that says what it is told to, and keeps what it was asked."""

    def __init__(self, *answers: Completed) -> None:
        self.answers = list(answers)
        self.asked: list[list[str]] = []

    def __call__(self, argv: t.Sequence[str], **options: t.Any) -> Completed:
        self.asked.append(list(argv))
        return self.answers.pop(0)


def test_buildah_is_given_private_files_and_a_copy(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "of the environment")
    seen: dict[str, t.Any] = {}

    def run_command(argv: t.Sequence[str], **options: t.Any) -> Completed:
        argv = list(argv)
        seen["argv"] = argv
        for option in [argv[index + 1] for index, word in enumerate(argv) if word == "--secret"]:
            key, _comma, path = option.partition(",src=")
            seen[key] = (Path(path).read_text(), Path(path).stat().st_mode & 0o777)
        seen["ignore"] = Path(argv[argv.index("--ignorefile") + 1]).read_text()
        seen["dockerfile"] = Path(argv[argv.index("--file") + 1]).read_text()
        seen["context"] = sorted(os.listdir(argv[-1]))
        Path(argv[argv.index("--iidfile") + 1]).write_text("sha256:" + "1" * 64)
        seen["directory"] = Path(argv[-1]).parent
        return Completed(0, "", "")

    request = requested(
        source,
        dockerfile="FROM scratch\nCOPY . /\n",
        labels={"l": "v"},
        args={"A": "1 x"},
        target="t",
        network="none",
        extra_hosts={"h": "2001:db8::1"},
        ssh=(SshAgent("git", "/k"),),
        no_cache=True,
        secrets=(
            Secret("v", value="very secret"),
            Secret("e", env="TOKEN"),
            Secret("f", file=str(source / "left.log")),
        ),
    )
    built = Buildah("podman", "/bin/podman", run_command).build(request, print)
    argv = seen["argv"]
    assert built.image_id == "sha256:" + "1" * 64
    assert argv[:9] == ["sh", "-c", 'exec "$@" 2>&1', "sh", "/bin/podman", "build", "--layers", "--format", "docker"]
    assert "very secret" not in " ".join(argv)
    assert (seen["id=v"], seen["id=e"][0], seen["id=f"][0]) == (("very secret", 0o600), "of the environment", "")
    assert (seen["ignore"], seen["context"]) == ("", ["Dockerfile", "deep", "left.log", "link"])
    assert seen["dockerfile"] == 'FROM scratch\nCOPY . /\n\nLABEL "l"="v"\n'
    assert argv[argv.index("--build-arg") : argv.index("--secret")] == [
        *("--build-arg", "A=1 x", "--target", "t", "--network", "none", "--add-host", "h:2001:db8::1", "--no-cache")
    ]
    assert argv[-3:-1] == ["--ssh", "git=/k"]
    assert not seen["directory"].exists()


def test_what_comes_out_of_buildah_is_in_its_command_line(source: Path) -> None:
    seen: list[list[str]] = []

    def run_command(argv: t.Sequence[str], **options: t.Any) -> Completed:
        seen.append(list(argv))
        assert (
            Path(argv[argv.index("--file") + 1]).read_text() == 'FROM a AS one\nLABEL "l"="v"\nFROM b\nLABEL "l"="v"\n'
        )
        return Completed(1, "", "")

    text = 'FROM a AS one\nLABEL "l"="v"\nFROM b'
    options: dict[str, t.Any] = {"platforms": ("a/b",), "annotations": {"k": "v"}, "source_date_epoch": 7}
    request = requested(source, dockerfile=text, target_index=1, labels={"l": "v"}, **options)
    Buildah("podman", "/bin/podman", run_command).build(request, print)
    [argv] = seen
    assert argv[argv.index("--format") + 1] == "oci"
    assert argv[argv.index("--platform") : argv.index("--file")] == [
        *("--platform", "a/b", "--timestamp", "7", "--annotation", "k=v")
    ]


@pytest.mark.parametrize(
    ("engine", "version", "options", "match"),
    [
        (
            "podman",
            "podman version 4.3.1",
            {"dockerfile": "FROM a\nRUN <<E\nx\nE\n"},
            "line 2, RUN with a here-.* since 4.8",
        ),
        (
            "buildah",
            "buildah version 1.28.2 (image",
            {"dockerfile": "FROM a\nRUN <<E\nx\nE\n"},
            "Buildah knows since 1.33",
        ),
        (
            "podman",
            "",
            {"cache_from": (CacheSource("registry", Reference.parse("a:1")),)},
            "'cache_from' is BuildKit's",
        ),
        (
            "podman",
            "",
            {"dockerfile": "# syntax=r.example/x:1\nFROM a"},
            "needs BuildKit for its directive syntax=r.example/x",
        ),
        ("podman", "", {"dockerfile": "ARG A\nFROM a:${A%x}\n"}, "line 2, FROM with a substitution by a pattern"),
        ("podman", "", {"dockerfile": "FROM a\nENV A=${B-x}\n"}, "line 2, ENV with a substitution without a colon"),
        ("buildah", "", {"dockerfile": "FROM a\nENV A=${B:?x}\n"}, "line 2, ENV with a substitution that demands"),
        ("podman", "", {"provenance": "min"}, "'provenance' is BuildKit's"),
        ("podman", "", {"sbom": Reference.parse("a:1")}, "'sbom' is BuildKit's"),
        ("podman", "", {"platforms": ("a/b", "a/c")}, "one image under a name, and 'platforms' has several"),
        ("podman", "", {"cache_to": CacheTarget("inline")}, "'cache_to' is BuildKit's, and Buildah keeps"),
        ("podman", "", {"secrets": (Secret("s", "/a,b"),)}, "the secret s has a comma"),
        ("podman", "", {"labels": {"l": "a\nb"}}, "label l has a line break"),
    ],
)
def test_what_podman_cannot_build_is_said(
    source: Path, engine: str, version: str, options: dict[str, t.Any], match: str
) -> None:
    program = Program(Completed(0, version, ""))
    with pytest.raises(BuilderMissing, match=match):
        LibraryEngine(engine, engine, program).builder(requested(source, **options))


def test_podman_since_4_8_builds_a_here_document(source: Path) -> None:
    program = Program(Completed(0, "podman version 5.4.2", ""))
    request = requested(source, dockerfile="FROM a\nRUN <<E\nx\nE\n")
    assert LibraryEngine("podman", "podman", program).builder(request).name == "buildah"


def test_an_image_is_the_same_by_podman_and_by_buildah() -> None:
    image_id, digest = "1" * 64, "sha256:" + "2" * 64
    shown = {"Id": image_id, "Labels": {"l": "v"}, "RepoTags": ["r/x:1"], "RepoDigests": [f"r/x@{digest}"]}
    inspected = {
        "FromImageID": image_id,
        "FromImageDigest": digest,
        "Docker": {"config": {"Labels": {"l": "v"}}},
    }
    podman = LibraryEngine("podman", "podman", Program(Completed(0, json.dumps([shown]), "")))
    listed = Completed(0, json.dumps([{"id": image_id, "names": ["r/x:1"]}]), "")
    buildah = LibraryEngine("buildah", "buildah", Program(Completed(0, json.dumps(inspected), ""), listed))
    of_podman, of_buildah = podman.image("r/x:1"), buildah.image("r/x:1")
    assert of_podman is not None
    assert of_buildah is not None
    assert of_podman.id == of_buildah.id == "sha256:" + image_id
    assert of_podman.labels == of_buildah.labels == {"l": "v"}
    assert of_podman.repository_digests == (f"r/x@{digest}",)
    assert of_buildah.repository_digests == (f"docker.io/r/x@{digest}",)


def test_what_is_gone_is_none_and_what_fails_is_said() -> None:
    gone = Completed(125, "", "Error: inspecting object: x: image not known")
    assert LibraryEngine("podman", "podman", Program(gone)).image("x") is None
    assert LibraryEngine("buildah", "buildah", Program(gone)).image("x") is None
    LibraryEngine("podman", "podman", Program(gone)).remove("x")
    with pytest.raises(BuildEngineError, match=r"Podman on .* refused: disk full"):
        LibraryEngine("podman", "podman", Program(Completed(125, "", "Error: disk full"))).image("x")
    with pytest.raises(CannotAsk, match="without the program skopeo"):
        LibraryEngine("podman", "podman", Program(Completed(127, "", ""))).registry_digest(Reference.parse("x:1"))


def test_an_engine_is_found_by_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    programs: dict[str, str] = {}
    monkeypatch.setattr("shutil.which", programs.get)
    monkeypatch.setattr(finding, "DockerBuildEngine", lambda address, run_command, classic: f"docker {classic}")
    socket = {"there": True}
    monkeypatch.setattr("os.path.exists", lambda path: socket["there"])
    local, elsewhere = DockerAddress.find(environment={}), DockerAddress("tcp://192.0.2.1:2375")

    def found(wanted: str, address: DockerAddress = local) -> tuple[t.Any, str]:
        engine, why = finding.find_engine(wanted, address, Program())
        return getattr(engine, "name", engine), why

    programs.update(podman="/bin/podman", buildah="/bin/buildah")
    assert found("auto") == ("docker False", "its socket is there")
    assert found("docker_classic") == ("docker True", "it was asked for")
    socket["there"] = False
    assert found("auto") == ("podman", "its program is there, and no Docker")
    assert found("auto", elsewhere) == ("docker False", "its address is given")
    assert found("buildah")[0] == "buildah"
    del programs["podman"]
    assert found("auto")[0] == "buildah"
    with pytest.raises(BuildEngineError, match="no program podman in PATH"):
        found("podman")
    programs.clear()
    assert found("auto")[0] == "docker False"
