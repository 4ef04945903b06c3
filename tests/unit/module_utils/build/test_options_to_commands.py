# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each option of image_build, from the task to what the engine and its builder are asked for, and whether it is an input."""

from __future__ import annotations

import contextlib
import json
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.longshore.delivery.plugins.module_utils.build import reproducible
from ansible_collections.longshore.delivery.plugins.module_utils.build.image_build import CAPABILITY
from ansible_collections.longshore.delivery.plugins.module_utils.build.wanted import ARGUMENT_SPEC
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Context, DeliveryError
from tests.http_server import AnsweringServer, json_reply

from .stand_in import SERVED, StandIn, words
from .test_source_revision import git

BASE = "r.example/base:1"
TEXT = f"FROM {BASE} AS first\nARG A\nFROM first\nCOPY app /\n"
Result = dict[str, t.Any]
Run = t.Callable[..., Result]


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "kept"))
    monkeypatch.setattr(reproducible, "_NEXT_SECOND", 0)
    root = tmp_path / "source"
    root.mkdir()
    (root / "Dockerfile").write_text(TEXT)
    (root / "app").touch()
    return root


class Engine(StandIn):
    """With what runs image_build on it.

    :ivar warnings: what was warned of.
    :ivar concealed: what was to be masked from then on.
    """

    def __init__(self, source: Path, **kind: t.Any) -> None:
        super().__init__(**kind)
        self.source, self.address = source, ""
        self.warnings: list[str] = []
        self.concealed: list[str] = []
        self.hold(BASE, {"is": "base"}, RepoDigests=[f"r.example/base@{SERVED}"])

    def run(self, check: bool = False, diff: bool = False, **options: t.Any) -> Result:
        given = {"name": "r.example/x:1", "source": str(self.source), "docker_host": self.address, **options}
        checked = ArgumentSpecValidator(ARGUMENT_SPEC, **CAPABILITY.constraints).validate(given)
        assert checked.error_messages == []
        context = Context(
            check=check,
            diff=diff,
            warn=self.warnings.append,
            progress=lambda line: None,
            run_command=t.cast(t.Any, self.run_command),
            conceal=self.concealed.append,
        )
        return CAPABILITY.run(checked.validated_parameters, context)


@contextlib.contextmanager
def started(source: Path, **kind: t.Any) -> t.Iterator[Engine]:
    found = Engine(source, **kind)
    with AnsweringServer(found.answer) as server:
        found.address = f"tcp://{server.endpoint}"
        yield found


@pytest.fixture
def engine(source: Path) -> t.Iterator[Engine]:
    with started(source) as found:
        yield found


class Case(t.NamedTuple):
    """
    :param given: the option's value.
    :param words: what is then in the command line, and not without it.
    :param is_input: whether an image is built anew when the option comes or goes.
    """

    given: t.Any
    words: list[str]
    is_input: bool


SCANNER = "r.example/scanner:1"
CASES = {
    "annotations": Case({"k": "v"}, ["--annotation=manifest:k=v"], True),
    "args": Case({"A": "v"}, ["--build-arg", "A=v"], True),
    "cache_from": Case([{"reference": "r.example/c:1"}], ["--cache-from", "type=registry,ref=r.example/c:1"], False),
    "cache_to": Case({"type": "inline"}, ["--cache-to", "type=inline"], False),
    "contexts": Case({"c": "docker-image://" + BASE}, ["--build-context", f"c=docker-image://{BASE}"], True),
    "extra_hosts": Case({"h": "host-gateway"}, ["--add-host", "h:host-gateway"], True),
    "labels": Case({"l": "v"}, ["--label", "l=v"], True),
    "network": Case("none", ["--network", "none"], False),
    "no_cache": Case(True, ["--no-cache"], False),
    "platforms": Case(["linux/amd64"], ["--platform=linux/amd64"], True),
    "provenance": Case("min", ["--provenance=mode=min"], True),
    "sbom": Case(SCANNER, [f"--attest=type=sbom,generator={SCANNER}"], True),
    "source_date_epoch": Case(7, ["--build-arg=SOURCE_DATE_EPOCH=7"], True),
    "target": Case("first", ["--target", "first"], True),
}
# whose effect is no word of the command line; each has a test of its own below
OTHERS = {
    *("name", "tags", "immutable", "source", "dockerfile", "dockerfile_inline", "source_revision", "secrets", "ssh"),
    *("pull_base", "rebuild", "engine", "docker_host", "docker_cert_path", "output", "layout", "registry", "builder"),
}


def test_every_option_has_its_case() -> None:
    assert {*CASES, *OTHERS} == set(ARGUMENT_SPEC)


def has(argv: list[str], expected: list[str]) -> bool:
    return any(argv[index : index + len(expected)] == expected for index in range(len(argv)))


@pytest.mark.parametrize("option", CASES)
def test_an_option_is_in_the_command_line_and_in_the_inputs(engine: Engine, option: str) -> None:
    case = CASES[option]
    assert engine.run()["built"]
    assert not has(engine.commands[-1], case.words)
    changed = engine.run(**{option: case.given})
    assert changed["built"] is case.is_input
    if not case.is_input:
        changed = engine.run(**{option: case.given}, rebuild="always")
    assert has(engine.commands[-1], case.words)
    assert not engine.run(**{option: case.given})["changed"]
    assert ("reproducible" in changed) is (option == "source_date_epoch")
    assert engine.run()["built"] is case.is_input


def test_values_are_inputs_and_not_the_names_alone(engine: Engine) -> None:
    pairs: list[tuple[str, t.Any, t.Any]] = [
        ("args", {"A": "1"}, {"A": "2"}),
        ("labels", {"l": "1"}, {"l": "2"}),
        ("annotations", {"l": "1"}, {"l": "2"}),
        ("extra_hosts", {"h": "192.0.2.1"}, {"h": "192.0.2.2"}),
        ("provenance", "min", "max"),
        ("sbom", "r.example/a:1", "r.example/b:1"),
        ("source_date_epoch", 1, 2),
        ("platforms", ["linux/amd64"], ["linux/arm64"]),
        ("target", "first", "1"),
    ]
    for option, one, other in pairs:
        engine.run(**{option: one})
        assert engine.run(**{option: other})["built"], option


def test_names_are_given_and_kept_where_they_are_immutable(engine: Engine) -> None:
    first = engine.run(name="r.example/y", tags=["1", "2"])
    assert engine.images[first["image"]["id"]]["RepoTags"] == ["r.example/y:1", "r.example/y:2"]
    (engine.source / "app").write_text("other")
    for check in (True, False):
        with pytest.raises(DeliveryError, match=r"By 'immutable' these names may not move .*r\.example/y:1 "):
            engine.run(check=check, name="r.example/y:1", immutable=["**/y:1"])
    assert len(engine.commands) == 1
    assert engine.run(name="r.example/y:1", immutable=["**/y:2"])["built"]


def test_the_dockerfile_and_the_directory_are_the_given_ones(engine: Engine, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "Dockerfile").write_text("FROM scratch\nCOPY only /\n")
    (elsewhere / "only").touch()
    engine.run(source=str(elsewhere))
    assert engine.read == {"Dockerfile": "FROM scratch\nCOPY only /\n", "context": ["Dockerfile", "only"]}
    (engine.source / "Other").write_text("FROM scratch\n")
    assert engine.run(dockerfile="Other")["built"]
    assert engine.read["Dockerfile"] == "FROM scratch\n"
    assert engine.run(dockerfile_inline="FROM scratch\nCOPY app /\n")["built"]
    assert engine.read["Dockerfile"] == "FROM scratch\nCOPY app /\n"
    assert not engine.run(dockerfile_inline="FROM scratch\nCOPY app /\n")["changed"]
    (engine.source / "app").write_text("other")
    assert engine.run(dockerfile_inline="FROM scratch\nCOPY app /\n")["built"]


def test_a_commit_is_a_label(engine: Engine) -> None:
    git(engine.source, "init", "--quiet")
    git(engine.source, "add", ".")
    git(engine.source, "commit", "--quiet", "--message", "one")
    (engine.source / ".dockerignore").write_text(".git\n")
    name = "org.opencontainers.image.revision"
    assert "revision" not in engine.run()
    assert not [word for word in words(engine.commands[-1], "--label") if word.startswith(name)]
    assert not engine.run(source_revision=True)["changed"]
    built = engine.run(source_revision=True, rebuild="always")
    assert built["revision"] == git(engine.source, "rev-parse", "HEAD") + "-dirty"
    assert f"{name}={built['revision']}" in words(engine.commands[-1], "--label")
    engine.run(source_revision=True, rebuild="always", labels={name: "own"})
    assert f"{name}=own" in words(engine.commands[-1], "--label")


def test_secrets_and_agents_reach_the_command_and_their_ids_are_inputs(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text("of a file")
    monkeypatch.setenv("TOKEN", "of the environment")
    engine.run()
    secrets = [
        {"id": "f", "file": str(tmp_path / "secret")},
        {"id": "e", "env": "TOKEN"},
        {"id": "v", "value": "of the options"},
    ]
    assert engine.run(secrets=secrets)["built"]
    value = "LONGSHORE_BUILD_SECRET_2"
    expected = [f"id=f,src={tmp_path}/secret", "id=e,env=TOKEN", f"id=v,env={value}"]
    assert words(engine.commands[-1], "--secret") == expected
    assert engine.environment[value] == "of the options"
    assert set(filter(None, engine.concealed)) == {"of a file", "of the environment"}
    assert not engine.run(secrets=[{**secret} for secret in reversed(secrets)])["changed"]
    assert engine.run(secrets=[{**secrets[0], "id": "other"}, *secrets[1:]])["built"]
    with pytest.raises(DeliveryError, match="The file of the secret f"):
        engine.run(secrets=[{"id": "f", "file": str(tmp_path / "none")}])
    agents = [{"id": "git", "path": str(tmp_path / "secret")}]
    assert engine.run(ssh=agents)["built"]
    assert words(engine.commands[-1], "--ssh") == [f"git={tmp_path}/secret"]
    assert not engine.run(ssh=agents)["changed"]
    with pytest.raises(DeliveryError, match="which 'ssh' names for git, is missing"):
        engine.run(ssh=[{"id": "git", "path": str(tmp_path / "none")}])
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "secret"))
    assert engine.run(ssh=[{}])["built"]
    assert words(engine.commands[-1], "--ssh") == ["default"]


def test_a_named_directory_is_read_and_is_an_input(engine: Engine, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "file").write_text("one")
    (engine.source / "Dockerfile").write_text(f"FROM {BASE}\nCOPY --from=other file /\n")
    contexts = {"other": str(other)}
    engine.run(contexts=contexts)
    assert f"other={other}" in words(engine.commands[-1], "--build-context")
    assert not engine.run(contexts=contexts)["changed"]
    (other / "file").write_text("other")
    assert engine.run(contexts=contexts)["why"] == ["the named contexts changed: other/file changed"]


def test_a_context_that_is_an_image_is_what_a_stage_comes_from(engine: Engine) -> None:
    (engine.source / "Dockerfile").write_text("FROM first\n")
    engine.run(contexts={"first": "docker-image://" + BASE})
    engine.hold(BASE, {"is": "another"})
    why = engine.run(contexts={"first": "docker-image://" + BASE})["why"]
    assert why == [f"the base images changed: {BASE} changed"]
    with pytest.raises(DeliveryError, match="first"):
        engine.run(contexts={"first": "docker-image://" + BASE}, dockerfile_inline=f"FROM {BASE} AS first\n")


def test_what_an_argument_says_decides_from_what_is_built(engine: Engine) -> None:
    (engine.source / "Dockerfile").write_text("ARG B=r.example/none:1\nFROM $B\n")
    engine.run(args={"B": BASE})
    assert engine.pulled == []
    (engine.source / "Dockerfile").write_text("ARG B\nFROM --platform=$BUILDPLATFORM $B\n")
    engine.run(args={"B": BASE})
    assert engine.pulled == []
    with pytest.raises(DeliveryError, match="NONE"):
        engine.run(args={"B": BASE, "NONE": "1"})
    front = {"BUILDKIT_SYNTAX": "r.example/front:1"}
    assert engine.run(args=front, dockerfile_inline="FROM scratch\n")["pulled"] == ["r.example/front:1"]


def test_a_target_needs_its_own_bases_alone(engine: Engine) -> None:
    for text in ("", "--platform=$BUILDPLATFORM "):
        (engine.source / "Dockerfile").write_text(f"FROM {text}{BASE} AS first\nFROM {text}r.example/none:1\n")
        engine.run(target="first")
        assert engine.pulled == []


def test_bases_are_pulled_for_every_platform(engine: Engine) -> None:
    (engine.source / "Dockerfile").write_text("FROM r.example/new:1\n")
    engine.run(platforms=["linux/amd64", "linux/arm64"])
    assert engine.pulled == [("r.example/new", "linux/amd64"), ("r.example/new", "linux/arm64")]
    (engine.source / "Dockerfile").write_text("ARG TARGETARCH\nFROM r.example/$TARGETARCH:1\n")
    engine.run(platforms=["linux/amd64", "linux/arm64"])
    assert {"r.example/amd64", "r.example/arm64"} <= {name for name, _platform in engine.pulled}


def test_bases_are_pulled_as_it_is_asked_for(engine: Engine) -> None:
    (engine.source / "Dockerfile").write_text("FROM r.example/new:1\n")
    for check in (True, False):
        with pytest.raises(
            DeliveryError, match=r"does not hold the base image r\.example/new:1 .*'pull_base' is never"
        ):
            engine.run(check=check, pull_base="never")
    assert engine.run()["pulled"] == ["r.example/new:1"]
    (engine.source / "Dockerfile").write_text(TEXT)
    image = engine.named(BASE)
    assert image is not None
    engine.run()
    assert not engine.run(pull_base="newer")["changed"]
    image["RepoDigests"] = ["r.example/base@sha256:" + "6" * 64]
    assert not engine.run()["changed"]
    assert engine.run(pull_base="newer")["pulled"] == [BASE]


def test_it_is_rebuilt_as_it_is_asked_for(engine: Engine) -> None:
    assert engine.run(rebuild="never")["built"]
    (engine.source / "app").write_text("other")
    assert not engine.run(rebuild="never")["built"]
    assert engine.run()["built"]
    assert not engine.run()["built"]
    assert engine.run(rebuild="always")["built"]


def test_an_image_of_which_not_all_is_shown_is_taken_for_another(engine: Engine) -> None:
    several = {"platforms": ["linux/amd64", "linux/arm64"]}
    for options, changed in (({}, False), ({"cache_to": {"type": "inline"}}, True), (several, True)):
        engine.run(**t.cast("dict[str, t.Any]", options))
        assert engine.run(**t.cast("dict[str, t.Any]", options), rebuild="always")["changed"] is changed


def test_what_cannot_be_known_is_said_where_it_matters(engine: Engine) -> None:
    (engine.source / "Dockerfile").write_text("FROM scratch\nARG A\nADD $A /\n")
    engine.run(args={"A": "https://x.example/file"}, rebuild="always")
    assert engine.warnings == []
    engine.run(args={"A": "https://x.example/file"})
    assert len(engine.warnings) == 1


def test_an_image_is_looked_for_where_it_is_to_be(engine: Engine, tmp_path: Path) -> None:
    engine.fails = True
    layout = {"output": "layout", "layout": str(tmp_path / "layout")}
    with pytest.raises(DeliveryError, match="no-room"):
        engine.run(**t.cast("dict[str, t.Any]", layout))
    assert [word for word in engine.commands[-1] if word.startswith("--output=type=oci,")]
    assert engine.run(check=True, **t.cast("dict[str, t.Any]", layout))["why"][0].endswith(f"{tmp_path}/layout")
    unknown = json_reply({"errors": [{"code": "MANIFEST_UNKNOWN"}]}, 404)
    with AnsweringServer(lambda request: json_reply({}) if request.path == "/v2/" else unknown) as registry:
        options: dict[str, t.Any] = {"output": "registry", "registry": {"endpoint": registry.endpoint, "tls": "plain"}}
        result = engine.run(check=True, **{**options, "name": "x:1"})
    assert result["image"]["references"] == [f"{registry.endpoint}/x:1"]
    assert any(request.path.startswith("/v2/x/manifests/1") for request in registry.requests)


def test_the_classic_builder_gets_them_by_the_api(source: Path) -> None:
    with started(source, containerd=False) as engine:
        options: dict[str, t.Any] = {
            "args": {"A": "v"},
            "labels": {"l": "v"},
            "target": "first",
            "network": "none",
            "extra_hosts": {"h": "192.0.2.1"},
            "no_cache": True,
            "cache_from": [{"reference": "r.example/c:1"}],
            "platforms": ["linux/amd64"],
        }
        result = engine.run(engine="docker_classic")
        assert (result["builder"], engine.commands) == ("classic", [])
        [bare] = engine.classic
        assert {"target", "networkmode", "extrahosts", "cachefrom", "platform"} & set(bare) == set()
        engine.run(engine="docker_classic", **options)
        query = engine.classic[-1]
        assert json.loads(query["buildargs"]) == {"A": "v"}
        assert json.loads(query["labels"])["l"] == "v"
        assert json.loads(query["cachefrom"]) == ["r.example/c:1"]
        assert (query["target"], query["networkmode"], query["platform"]) == ("first", "none", "linux/amd64")
        assert query["extrahosts"] == "h:192.0.2.1"
        assert (query["nocache"], bare["nocache"]) == ("True", "False")
        with pytest.raises(DeliveryError, match="'contexts' needs BuildKit"):
            engine.run(engine="docker_classic", contexts={"c": str(source)})


def test_docker_s_own_store_keeps_no_manifests(source: Path) -> None:
    with started(source, containerd=False) as engine:
        needing: list[tuple[str, t.Any]] = [
            ("annotations", {"k": "v"}),
            ("provenance", "min"),
            ("sbom", SCANNER),
            ("platforms", ["linux/amd64", "linux/arm64"]),
            ("platforms", ["linux/arm64"]),
        ]
        for option, value in needing:
            with pytest.raises(DeliveryError, match=f"cannot keep what '{option}' asks for"):
                engine.run(**{option: value})
        assert engine.run(platforms=["linux/amd64"])["built"]


def test_named_contexts_need_docker_23(source: Path) -> None:
    with (
        started(source, version="20.10.24", containerd=False) as engine,
        pytest.raises(DeliveryError, match=r"'contexts' needs Docker 23 or newer, and .* is 20\.10\.24"),
    ):
        engine.run(contexts={"c": str(source)})


def test_certificates_are_those_at_the_path(engine: Engine) -> None:
    with pytest.raises(DeliveryError, match=r"There is no ca\.pem in /no/such"):
        engine.run(docker_cert_path="/no/such")
