# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options and the command line."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.longshore.delivery.plugins.module_utils.build.builder import (
    BuildRequest,
    NoTemporaryDirectory,
)
from ansible_collections.longshore.delivery.plugins.module_utils.build.buildx import (
    Buildx,
    BuildxMissing,
    check_buildx,
    command,
    secret_variables,
)
from ansible_collections.longshore.delivery.plugins.module_utils.build.context import BuildContext
from ansible_collections.longshore.delivery.plugins.module_utils.build.definition import (
    MissingFile,
    check_secrets,
    check_ssh,
    read_definition,
)
from ansible_collections.longshore.delivery.plugins.module_utils.build.dockerignore import IgnoreRules
from ansible_collections.longshore.delivery.plugins.module_utils.build.inputs import Inputs
from ansible_collections.longshore.delivery.plugins.module_utils.build.last_build import LastBuild
from ansible_collections.longshore.delivery.plugins.module_utils.build.run_secrets import Secret, SshAgent
from ansible_collections.longshore.delivery.plugins.module_utils.build.sent_directory import Sent
from ansible_collections.longshore.delivery.plugins.module_utils.build.wanted import (
    ARGUMENT_SPEC,
    CONSTRAINTS,
    Wanted,
)
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import DockerAddress
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.image import Image
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.dockerfile import parse
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference


def wanted(**options: Any) -> Wanted:
    checked = ArgumentSpecValidator(ARGUMENT_SPEC).validate({"name": "r.example/x", "source": "/s", **options})
    assert checked.error_messages == []
    return Wanted.from_params(checked.validated_parameters)


def requested(root: str = "/s", path: str = "/s/D", **options: Any) -> BuildRequest:
    context = BuildContext(root, IgnoreRules(), {})
    return BuildRequest(context, path, parse("FROM scratch", path), **options)


def test_names_and_tags_make_references_each_once() -> None:
    assert list(map(str, wanted(name="x:1", tags=["2", "1"]).references)) == [
        "docker.io/library/x:1",
        "docker.io/library/x:2",
    ]


def test_values_are_texts() -> None:
    assert wanted(tags=["1"], args={"A": 3, "B": ""}).args == {"A": "3", "B": ""}


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({}, "r.example/x has no tag"),
        ({"name": "x@sha256:" + "0" * 64}, "has a digest"),
        ({"name": "X"}, "upper-case"),
        ({"tags": ["a b"]}, "the tag 'a b'"),
        ({"tags": ["1"], "args": {"V": 3.1}}, "args.V is 3.1"),
        ({"tags": ["1"], "args": {"V": True}}, "args.V is True"),
        ({"tags": ["1"], "args": {"a-b": "1"}}, "'a-b', which is no name"),
        ({"tags": ["1"], "labels": {"v": None}}, "labels.v is None"),
        ({"tags": ["1"], "labels": {"delivery.longshore.inputs": "x"}}, "Leave it away"),
        ({"tags": ["1"], "secrets": [{"id": "a,b", "value": "x"}]}, "The secret's id 'a,b'"),
        ({"tags": ["1"], "secrets": [{"id": "a", "value": "x"}, {"id": "a", "value": "y"}]}, "two with the id a"),
        ({"tags": ["1"], "immutable": ["x@sha256:0"]}, "immutable: 'x@sha256:0' has a digest"),
        ({"tags": ["1"], "contexts": {"A": "/x"}}, "'contexts' has the name 'A'"),
        ({"tags": ["1"], "contexts": {"a": "x"}}, "contexts.a is 'x', which is no absolute path"),
        ({"tags": ["1"], "contexts": {"a": "https://x.example/a.git"}}, "contexts.a is 'https://x.example/a.git'"),
        ({"tags": ["1"], "contexts": {"a": "docker-image://debian"}}, "contexts.a is the image .*debian without a tag"),
        ({"tags": ["1"], "ssh": [{"id": "a=b"}]}, "The id 'a=b' in 'ssh'"),
        ({"tags": ["1"], "ssh": [{}, {"path": "/a"}]}, "'ssh' has two with the id default"),
        ({"tags": ["1"], "ssh": [{"path": "/a,b"}]}, "'/a,b' in 'ssh' has a comma"),
        ({"tags": ["1"], "extra_hosts": {"a b": "192.0.2.1"}}, "'a b', which is no name of a host"),
        ({"tags": ["1"], "extra_hosts": {"a": "b.example"}}, "extra_hosts.a is 'b.example', which is no IP"),
        ({"tags": ["1"], "platforms": ["arm64"]}, "'platforms' has 'arm64'. Write each as"),
        ({"tags": ["1"], "annotations": {"v": 1.5}}, "annotations.v is 1.5"),
        ({"tags": ["1"], "sbom": "r.example/x"}, "r.example/x in 'sbom' has no tag"),
        ({"tags": ["1"], "source_date_epoch": -1}, "source_date_epoch is -1"),
        ({"tags": ["1"], "docker_host": "ssh://x"}, "docker_host is 'ssh://x'"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], match: str) -> None:
    with pytest.raises(DeliveryError, match=match):
        wanted(**options)


def test_an_unknown_engine_is_refused_by_the_argument_spec() -> None:
    (message,) = (
        ArgumentSpecValidator(ARGUMENT_SPEC).validate({"name": "x", "source": "/s", "engine": "other"}).error_messages
    )
    assert message == "value of engine must be one of: auto, docker, docker_classic, podman, buildah, got: other"


def test_a_dockerfile_is_in_a_file_or_in_the_options() -> None:
    given: dict[str, Any] = {"name": "x:1", "source": "/s", "dockerfile": "D", "dockerfile_inline": "FROM scratch"}
    (message,) = ArgumentSpecValidator(ARGUMENT_SPEC, **CONSTRAINTS).validate(given).error_messages
    assert message == "parameters are mutually exclusive: dockerfile|dockerfile_inline"
    del given["dockerfile"]
    assert not ArgumentSpecValidator(ARGUMENT_SPEC, **CONSTRAINTS).validate(given).error_messages


GIVEN = Sent("/t/dockerfile/D", "/kept/s")


def test_no_secret_is_in_the_command_line() -> None:
    request = requested(
        args={"B": "2", "A": "1 x"},
        target="last",
        labels={"l": "v"},
        secrets=(Secret("f", file='/a,"b'), Secret("e", env="TOKEN"), Secret("v", value="very secret")),
        network="none",
    )
    argv = command(request, GIVEN, "/t")
    assert "very secret" not in " ".join(argv)
    assert "very secret" not in repr(request)
    assert secret_variables(request) == {"LONGSHORE_BUILD_SECRET_2": "very secret"}
    assert argv[argv.index("--load") + 1 :] == [
        *(
            "--metadata-file",
            "/t/image-id",
            "--file",
            "/t/dockerfile/D",
            "--build-arg",
            "A=1 x",
            "--build-arg",
            "B=2",
            "--label",
            "l=v",
        ),
        *("--target", "last", "--network", "none", "--secret", 'id=f,"src=/a,""b"', "--secret", "id=e,env=TOKEN"),
        *("--secret", "id=v,env=LONGSHORE_BUILD_SECRET_2", "/kept/s"),
    ]


def test_what_a_build_may_use_is_in_the_command_line() -> None:
    request = requested(
        extra_hosts={"b": "2001:db8::1", "a": "192.0.2.1"},
        ssh=(SshAgent("default"), SshAgent("git", "/k")),
        no_cache=True,
    )
    argv = command(request, GIVEN, "/t")
    assert argv[argv.index("/t/dockerfile/D") + 1 :] == [
        *("--add-host", "a:192.0.2.1", "--add-host", "b:2001:db8::1", "--no-cache"),
        *("--ssh", "default", "--ssh", "git=/k", "/kept/s"),
    ]


def test_what_comes_out_is_in_the_command_line() -> None:
    def results(**options: Any) -> list[str]:
        argv = command(requested(**options), GIVEN, "/t")
        return argv[argv.index("--progress=rawjson") + 1 : argv.index("--metadata-file")]

    assert results() == ["--provenance=false", "--load"]
    scanner = Reference.parse("r.example/x:1")
    assert results(sbom=scanner)[1:] == ["--attest=type=sbom,generator=r.example/x:1", "--load"]
    assert results(platforms=("a/b",), annotations={"k": "v"}, provenance="max", source_date_epoch=7) == [
        *(
            "--provenance=mode=max",
            "--load",
            "--platform=a/b",
            "--build-arg=SOURCE_DATE_EPOCH=7",
            "--annotation=manifest:k=v",
        )
    ]
    assert results(platforms=("a/b", "a/c"), annotations={"k": "v"})[2:] == [
        *("--platform=a/b,a/c", "--annotation=index:k=v", "--annotation=manifest:k=v")
    ]


def test_agents_that_are_not_there_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = tmp_path / "there"
    there.touch()
    monkeypatch.setenv("SSH_AUTH_SOCK", str(there))
    check_ssh([SshAgent("a", str(there)), SshAgent("b")])
    monkeypatch.delenv("SSH_AUTH_SOCK")
    for agent, match in (
        (SshAgent("a", str(tmp_path / "none")), "none, which 'ssh' names for a, is missing"),
        (SshAgent("a", "there"), "relative path 'there' for a"),
        (SshAgent("a"), "no path for a, and there is no SSH agent"),
    ):
        with pytest.raises(MissingFile, match=match):
            check_ssh([agent])


def test_secrets_that_are_not_there_are_named(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.touch()
    check_secrets([Secret("a", file=str(there)), Secret("b", env="PATH"), Secret("c", value="")])
    for secret, match in (
        (Secret("a", file=str(tmp_path / "none")), "The file of the secret a"),
        (Secret("a", file=str(tmp_path)), "a directory or not readable"),
        (Secret("a", file="there"), "relative file 'there'"),
        (Secret("a", env="LONGSHORE_NOT_SET"), "The variable of the secret a, LONGSHORE_NOT_SET"),
    ):
        with pytest.raises(MissingFile, match=match):
            check_secrets([secret])


@pytest.mark.parametrize(
    ("completed", "match"),
    [
        (Completed(127, "", "docker: No such file or directory"), "not in PATH"),
        (Completed(1, "", "docker: unknown command: docker buildx"), "/cli-plugins, /usr/local/lib/docker/cli-plugins"),
        (Completed(0, "github.com/docker/buildx v0.12.1 30feaa1", ""), "too old: github.com/docker/buildx v0.12.1"),
    ],
)
def test_a_command_line_that_cannot_build_is_said(completed: Completed, match: str) -> None:
    with pytest.raises(BuildxMissing, match=match):
        check_buildx(lambda argv, **_: completed, DockerAddress("unix:///x"))


@pytest.mark.parametrize("version", ["0.13.1+ds1 0.13.1+ds1-3", "v0.30.1 9e66234", "v1.0.0 x", "unknown"])
def test_later_versions_of_buildx_are_taken(version: str) -> None:
    check_buildx(lambda argv, **_: Completed(0, "github.com/docker/buildx " + version, ""), DockerAddress("unix:///x"))


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "source"
    root.mkdir()
    (root / "Dockerfile").write_text("FROM scratch\nCOPY a /\n")
    (root / "a").touch()
    return root


def test_a_dockerfile_s_own_rules_come_before_the_directory_s(source: Path, tmp_path: Path) -> None:
    (source / ".dockerignore").write_text("a")
    assert sorted(read_definition(str(source), "Dockerfile").context.entries) == [".dockerignore", "Dockerfile"]
    (source / "Dockerfile.dockerignore").write_text("Dockerfile*\n.dockerignore")
    assert sorted(read_definition(str(source), "Dockerfile").context.entries) == ["a"]
    outside = tmp_path / "Other"
    shutil.copy(source / "Dockerfile", outside)
    Path(str(outside) + ".dockerignore").write_text("*\n!a")
    assert sorted(read_definition(str(source), str(outside)).context.entries) == ["a"]


def test_a_dockerfile_in_the_options_is_read_as_the_same_in_a_file_and_left_out_of_the_directory(source: Path) -> None:
    (source / ".dockerignore").write_text("b")
    (source / "b").touch()
    text = (source / "Dockerfile").read_text()
    in_a_file = read_definition(str(source), "Dockerfile")
    (source / "Dockerfile").unlink()
    inline = read_definition(str(source), "Dockerfile", text)
    assert (inline.path, inline.inline) == ("dockerfile_inline", text.encode())
    assert inline.digest == in_a_file.digest
    assert sorted(inline.context.entries) == [".dockerignore", "a"]
    missing = read_definition(str(source), "Dockerfile", "FROM scratch\nCOPY none /")
    with pytest.raises(MissingFile, match=r"dockerfile_inline, line 2: COPY none /: there is no none in"):
        missing.check_copies(missing.stages({}, ""))
    with pytest.raises(DeliveryError, match="dockerfile_inline holds no instruction"):
        read_definition(str(source), "Dockerfile", "")


def test_it_is_a_private_file_elsewhere_while_it_is_built(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(source))
    seen: list[Path] = []

    def run_command(argv: Sequence[str], **_: Any) -> Completed:
        path = Path(argv[list(argv).index("--file") + 1])
        assert path.read_text() == "FROM scratch\n"
        assert path.parent.stat().st_mode & 0o077 == 0
        assert source not in path.parents
        assert sorted(os.listdir(source)) == ["Dockerfile", "a"]
        seen.append(path)
        return Completed(1, "", "")

    builder = Buildx(DockerAddress("unix:///x"), run_command)
    builder.build(requested(str(source), "dockerfile_inline", inline=b"FROM scratch\n"), print)
    assert not seen[0].parent.exists()
    with pytest.raises(NoTemporaryDirectory, match=r"outside of the build's directory /; .*Set TMPDIR"):
        builder.build(requested("/", "D"), print)


@contextlib.contextmanager
def no_room() -> Iterator[None]:
    """No file gets a byte any more, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_said_before_the_build_and_leaves_nothing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    request = requested(str(source), str(source / "Dockerfile"))
    builder = Buildx(DockerAddress("unix:///x"), lambda *_, **__: pytest.fail("it was built"))
    with no_room():
        said = rf"temporary files {tmp_path} cannot be written to: .*\. Make room there, or set TMPDIR"
        with pytest.raises(NoTemporaryDirectory, match=said):
            builder.build(request, print)
        # what is kept from one run to the next is no loss
        assert read_definition(str(source), "Dockerfile").context.entries
        LastBuild("engine", "x:1").note(Inputs({}), Image("sha256:1", {}))
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and source not in path.parents]
    assert LastBuild("engine", "x:1").inputs() is None


def test_a_dockerfile_that_links_out_of_its_directory_is_refused(source: Path, tmp_path: Path) -> None:
    (source / "Dockerfile").rename(tmp_path / "elsewhere")
    (source / "Dockerfile").symlink_to("../elsewhere")
    with pytest.raises(
        MissingFile, match=r"Dockerfile is a link out of its directory.*Set 'dockerfile' to .*/elsewhere\."
    ):
        read_definition(str(source), "Dockerfile")
    (source / "deep").mkdir()
    (tmp_path / "elsewhere").rename(source / "deep" / "D")
    (source / "Dockerfile").unlink()
    (source / "Dockerfile").symlink_to("deep/D")
    assert read_definition(str(source), "Dockerfile").dockerfile.instructions


def test_an_argument_that_the_dockerfile_does_not_know_is_refused(source: Path) -> None:
    (source / "Dockerfile").write_text("ARG A\nFROM scratch AS x\nFROM scratch\nARG B=1 C\n")
    definition = read_definition(str(source), "Dockerfile")
    definition.check_arguments(
        ["A", "B", "C", "https_proxy", "NO_PROXY", "SOURCE_DATE_EPOCH", "TARGETARCH", "BUILDKIT_X"], ()
    )
    with pytest.raises(DeliveryError, match=r"args\.b has no effect: there is no ARG b in /.*/Dockerfile\."):
        definition.check_arguments(["A", "b"], ())
    (source / "Dockerfile").write_text("# syntax=docker/dockerfile:1.7\nFROM scratch\n")
    with pytest.raises(DeliveryError, match=r"args\.A has no effect"):
        read_definition(str(source), "Dockerfile").check_arguments(["A"], ())
    (source / "Dockerfile").write_text("# syntax=r.example/another/language\nFROM scratch\n")
    read_definition(str(source), "Dockerfile").check_arguments(["A"], ())


def test_a_link_that_leads_to_nothing_in_the_directory_is_said(source: Path) -> None:
    (source / "a").unlink()
    (source / "a").symlink_to("/etc/passwd")
    definition = read_definition(str(source), "Dockerfile")
    with pytest.raises(
        MissingFile, match=r"a is a link, and a build, for which .* finds no etc/passwd there\. Copy what"
    ):
        definition.check_copies(definition.stages({}, ""))


@pytest.mark.parametrize(
    ("root", "dockerfile", "match"),
    [
        (".", "Dockerfile", "which is relative"),
        ("none", "Dockerfile", "none does not exist"),
        ("source/a", "Dockerfile", "is not a directory"),
        ("source", "None", "no Dockerfile at .*/source/None"),
    ],
)
def test_missing_files_are_named(source: Path, root: str, dockerfile: str, match: str) -> None:
    path = root if root == "." else str(source.parent / root)
    with pytest.raises(MissingFile, match=match):
        read_definition(path, dockerfile)


def test_a_copied_path_that_is_kept_out_is_found_before_the_build(source: Path) -> None:
    (source / ".dockerignore").write_text("# all of them\n?\n")
    definition = read_definition(str(source), "Dockerfile")
    with pytest.raises(
        MissingFile, match=r"Dockerfile, line 2: COPY a /: a is kept out .*\.dockerignore, line 2: \?\. Add !a below"
    ):
        definition.check_copies(definition.stages({}, ""))
    (source / ".dockerignore").unlink()
    (source / "a").unlink()
    definition = read_definition(str(source), "Dockerfile")
    with pytest.raises(MissingFile, match="there is no a in"):
        definition.check_copies(definition.stages({}, ""))
