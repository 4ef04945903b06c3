# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gates of a list of images: what they are asked, that they are asked once, and what is kept of their answers."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.longshore.delivery.plugins.module_utils.build import judged
from ansible_collections.longshore.delivery.plugins.module_utils.build.gate import AUDIT, TRIAL, Gate
from ansible_collections.longshore.delivery.plugins.module_utils.build.set_options import (
    ARGUMENT_SPEC,
    Entry,
    InvalidEntry,
)
from ansible_collections.longshore.delivery.plugins.module_utils.build.wanted import ARGUMENT_SPEC as BUILD_SPEC
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Capability, Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import ADDRESS_SPEC
from ansible_collections.longshore.delivery.plugins.module_utils.running import run_command

REFERENCE, ID = "registry.example:5000/shop/web:1", "sha256:1"
SECRET = "sea-and-sand"


def checked(image: dict[str, t.Any], **params: t.Any) -> dict[str, t.Any]:
    given = {"images": [{"name": "shop/web", "source": "web", **image}], "source_root": "/src", **params}
    validated = ArgumentSpecValidator(ARGUMENT_SPEC).validate(given)
    assert validated.error_messages == []
    return dict(validated.validated_parameters)


def entry(image: dict[str, t.Any], **params: t.Any) -> Entry:
    given = checked(image, endpoint="registry.example:5000", docker_host="tcp://192.0.2.1:2375", **params)
    return Entry.from_params(given["images"][0], given)


def test_an_entry_is_a_build_of_an_image_of_the_registry() -> None:
    build = entry({"tags": ["1"], "args": {"A": "1"}, "bases": {"BASE": "base/python:1"}}, rebuild="never").build
    assert (build["name"], build["source"]) == ("registry.example:5000/shop/web", "/src/web")
    assert build["args"] == {"A": "1", "BASE": "registry.example:5000/base/python:1"}
    assert (build["rebuild"], build["docker_host"]) == ("never", "tcp://192.0.2.1:2375")
    assert set(build) == set(BUILD_SPEC)


def test_without_a_registry_a_name_stays_as_it_is() -> None:
    given = checked({"bases": {"BASE": "b:1"}})
    build = Entry.from_params(given["images"][0], given).build
    assert (build["name"], build["args"]) == ("shop/web", {"BASE": "b:1"})


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ({"audit": {"references": ["a"]}}, "shop/web: 'audit' has 'references', which is what the list"),
        ({"audit": {"docker_host": "a"}}, "'audit' has 'docker_host'"),
        ({"trial": {"image": "a"}}, "'trial' has 'image'"),
        (
            {"trial": {"secrets": {}}},
            "'trial' has 'secrets', which is what the list of images says itself, set 'trial_secrets'",
        ),
        ({"trial_secrets": {"A": "1"}}, "'trial_secrets' goes with 'trial' only"),
        (
            {"audit": {}, "output": "layout", "layout": "/x"},
            "shop/web: 'audit' is of an image in the engine or a registry, .* 'output' is layout",
        ),
        (
            {"trial": {}, "output": "registry"},
            "'trial' is of an image in the engine, .* 'output' is registry.* run image_trial",
        ),
    ],
)
def test_a_gate_takes_nothing_that_the_list_says(image: dict[str, t.Any], words: str) -> None:
    with pytest.raises(InvalidEntry, match=words):
        entry(image)


@pytest.mark.parametrize(("builder", "holder"), [("buildah", "podman"), ("docker", "docker")])
def test_an_image_is_judged_where_it_was_built(state: Path, builder: str, holder: str) -> None:
    for gate, image, result in ((AUDIT, {"audit": {}}, {"images": [AUDITED]}), (TRIAL, TRIAL_OF, TRIED)):
        asked = Asked(gate, result)
        Judged(gate, asked, image, engine=builder)
        assert asked.params[0]["engine"] == holder


def test_an_image_that_went_to_a_registry_is_audited_there_by_its_digest(state: Path) -> None:
    """All of its platforms; and it is judged for itself, whatever an engine has."""
    registry = {"endpoint": "registry.example:5000", "username": "ci", "password": SECRET}
    asked = Asked(AUDIT, {"images": [AUDITED, AUDITED]})
    digest = "sha256:" + "1" * 64
    for output in ("registry", "engine", "registry"):
        run = Judged(AUDIT, asked, {"audit": {}, "output": output}, image_id=digest, registry=registry)
        assert run.result["size"] == 4_000_000
        assert run.result["findings"] == [FINDING, FINDING]
    in_registry, in_engine = asked.params
    assert in_registry["store"] == "registry"
    assert {**in_registry["registry"], **registry} == in_registry["registry"]
    assert in_registry["references"] == [f"registry.example:5000/shop/web@{digest}"]
    assert (in_engine["store"], in_engine["references"]) == (None, [digest])
    assert SECRET not in "".join(path.read_text() for path in state.rglob("*.json"))


class Asked:
    """A capability in a gate's place, and what it was asked."""

    def __init__(self, gate: str, result: dict[str, t.Any] | DeliveryError) -> None:
        self.params: list[dict[str, t.Any]] = []
        self.loads = 0
        self.result = result
        own: dict[str, t.Any] = {
            "references": {"type": "list"},
            "engine": {"type": "str"},
            "dockerfile": {"type": "path"},
            "trivy_reports": {"type": "list"},
            "store": {"type": "str"},
            "registry": {"type": "dict"},
            "vulnerabilities": {"type": "str"},
            "trivy_database": {"type": "path"},
        }
        if gate == TRIAL:
            own = {"image": {"type": "str"}, "secrets": {"type": "dict", "no_log": True}, "port": {"type": "int"}}
        self._capability = Capability(run=self._run, argument_spec={**own, **ADDRESS_SPEC}, check=self._check)

    def load(self) -> Capability:
        self.loads += 1
        return self._capability

    def _check(self, params: dict[str, t.Any]) -> None:
        if params.get("port") == -1:
            raise DeliveryError("port is -1")

    def _run(self, params: dict[str, t.Any], context: Context) -> dict[str, t.Any]:
        self.params.append(params)
        context.progress("in full")
        if isinstance(self.result, DeliveryError):
            raise self.result
        return self.result


FINDING = {
    "severity": "high",
    "rule": "private_key",
    "path": "k",
    "what": "private key, byte 1",
    "layer": 0,
    "way_out": "Mount it",
}
AUDITED = {"size": 2_000_000, "wasted_bytes": 0, "findings": [FINDING], "excepted": [], "layers": [], "table": []}
TRIED = {
    "verdict": "pass",
    "points": [{"verdict": "pass", "detail": f"it said {SECRET}"}],
    "twelve_factors": [],
    "log": [SECRET],
}


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


class Judged:
    """One run of a gate as image_set has it."""

    def __init__(
        self,
        gate: str,
        asked: Asked,
        image: dict[str, t.Any],
        *,
        image_id: str = ID,
        check: bool = False,
        always: bool = False,
        engine: str = "auto",
        names: t.Sequence[str] = (),
        **params: t.Any,
    ) -> None:
        self.said: list[str] = []
        context = Context(
            check=check, diff=False, warn=self.said.append, progress=self.said.append, run_command=run_command
        )
        made = Gate(gate, asked.load, entry(image, engine=engine, **params), (REFERENCE, *names), always)
        made.validate()
        self.known = made.known(image_id, context)
        self.result = self.known or made.judge(image_id, engine, context)


TRIAL_OF = {"trial": {"port": 80}, "trial_secrets": {"DB_PASSWORD": SECRET}}


def test_a_gate_is_asked_of_the_image_in_its_engine(state: Path) -> None:
    asked = Asked(AUDIT, {"images": [AUDITED]})
    run = Judged(AUDIT, asked, {"audit": {"dockerfile": "Dockerfile"}})
    [params] = asked.params
    assert (params["references"], params["docker_host"]) == ([ID], "tcp://192.0.2.1:2375")
    assert params["called"] == (REFERENCE,)
    assert params["dockerfile"] == "/src/web/Dockerfile"
    assert run.result["verdict"] == "pass"
    # an audit shows more than a list of images has room for
    assert run.said == [
        f"{REFERENCE}: high     private_key, layer 0, k: private key, byte 1",
        f"{REFERENCE}:          Mount it.",
        f"{REFERENCE}: audit, 2.0 MB, 0.0 MB of it wasted; 1 finding, 0 excepted",
    ]
    trial = Asked(TRIAL, TRIED)
    assert Judged(TRIAL, trial, TRIAL_OF).said == ["in full"]
    assert trial.params[0]["secrets"] == {"DB_PASSWORD": SECRET}
    # it may have no name yet, and is called by the one that it is to get
    assert (trial.params[0]["image"], trial.params[0]["called"]) == (ID, REFERENCE)


def test_what_passed_is_not_asked_again_nor_is_the_capability_loaded(state: Path) -> None:
    first = Judged(TRIAL, Asked(TRIAL, TRIED), TRIAL_OF)
    asked = Asked(TRIAL, TRIED)
    again = Judged(TRIAL, asked, TRIAL_OF)
    assert (asked.loads, asked.params) == (0, [])
    assert again.said == [f"{REFERENCE}: trial passed before: 1 pass"]
    assert (first.result["judged_before"], again.result["judged_before"]) == (False, True)
    assert again.result["verdict"] == "pass"


def test_what_gets_another_name_is_audited_again(state: Path) -> None:
    for names, before in (((), False), ((), True), (("r.example/web:latest",), False)):
        run = Judged(AUDIT, Asked(AUDIT, {"images": [AUDITED]}), {"audit": {}}, names=names)
        assert run.result["judged_before"] is before


def test_what_a_capability_refuses_is_refused_before_anything_is_built(state: Path) -> None:
    gate = Gate(TRIAL, Asked(TRIAL, TRIED).load, entry({"trial": {"port": -1}}), (REFERENCE,), False)
    with pytest.raises(InvalidEntry, match=rf"{REFERENCE}, trial: port is -1"):
        gate.validate()


def test_no_secret_is_in_the_note(state: Path) -> None:
    Judged(TRIAL, Asked(TRIAL, TRIED), TRIAL_OF)
    notes = [path for path in state.rglob("*") if path.is_file()]
    assert len(notes) == 2  # the other one has the key of the first one's digest
    for note in notes:
        assert SECRET not in note.read_text()
        assert note.stat().st_mode & 0o777 == 0o600
        assert note.parent.stat().st_mode & 0o777 == 0o700


def test_a_note_s_digest_of_the_same_options_is_another_with_another_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a short secret could be found by trying. With the key gone nothing counts as judged before."""
    digests = set()
    for place in ("one", "two"):
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / place))
        Judged(TRIAL, Asked(TRIAL, TRIED), TRIAL_OF)
        [key] = (tmp_path / place).rglob("key.json")
        [note] = [path for path in (tmp_path / place).rglob("*.json") if path != key]
        digests.add(json.loads(note.read_text())["options"])
    assert len(digests) == 2
    key.write_text('{"key": "another"}')
    judged._key.cache_clear()
    asked = Asked(TRIAL, TRIED)
    Judged(TRIAL, asked, TRIAL_OF)
    assert len(asked.params) == 1


def test_what_passed_before_the_files_that_judge_changed_is_asked(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Judged(TRIAL, Asked(TRIAL, TRIED), TRIAL_OF)
    monkeypatch.setattr(judged, "judging_files", lambda gate: "others")
    asked = Asked(TRIAL, TRIED)
    Judged(TRIAL, asked, TRIAL_OF)
    assert len(asked.params) == 1


@pytest.mark.parametrize(
    ("change", "how"),
    [
        ({}, {"image_id": "sha256:2"}),
        ({}, {"always": True}),
        ({"trial": {"port": 81}}, {}),
        ({"trial_secrets": {"DB_PASSWORD": SECRET, "TOKEN": "x"}}, {}),
        ({"trial_secrets": {"DB_PASSWORD": "another"}}, {}),
    ],
    ids=["another image", "always", "another option", "one more secret", "another secret"],
)
def test_what_did_not_pass_so_is_asked(state: Path, change: dict[str, t.Any], how: dict[str, t.Any]) -> None:
    Judged(TRIAL, Asked(TRIAL, TRIED), TRIAL_OF)
    asked = Asked(TRIAL, TRIED)
    Judged(TRIAL, asked, {**TRIAL_OF, **change}, **how)
    assert len(asked.params) == 1


@pytest.mark.parametrize("option", ["dockerfile", "trivy_reports"])
def test_another_file_at_the_same_place_is_another_question(state: Path, tmp_path: Path, option: str) -> None:
    file = tmp_path / "file"
    image = {"audit": {option: str(file) if option == "dockerfile" else [str(file)]}}
    for text, times in (("FROM a:1\n", 1), ("FROM a:1\n", 0), ("FROM a:2\n", 1)):
        file.write_text(text)
        asked = Asked(AUDIT, {"images": [AUDITED]})
        Judged(AUDIT, asked, image)
        assert len(asked.params) == times


def test_what_is_known_of_vulnerabilities_is_another_question(state: Path, tmp_path: Path) -> None:
    def times(**options: str) -> int:
        asked = Asked(AUDIT, {"images": [AUDITED]})
        Judged(AUDIT, asked, {"audit": options})
        return len(asked.params)

    assert [times(vulnerabilities="none") for _run in range(2)] == [1, 0]
    assert [times(vulnerabilities="trivy") for _run in range(2)] == [1, 1]  # its own database, which it fetches
    (tmp_path / "db").mkdir()
    for updated, expected in (("1", 1), ("1", 0), ("2", 1)):
        (tmp_path / "db" / "metadata.json").write_text(updated)
        assert times(vulnerabilities="trivy", trivy_database=str(tmp_path)) == expected


def test_what_failed_is_asked_each_time_and_says_how(state: Path) -> None:
    for _time in range(2):
        result = Judged(AUDIT, Asked(AUDIT, DeliveryError("it has a key", images=[AUDITED])), {"audit": {}}).result
        assert (result["failed"], result["msg"]) == (True, f"{REFERENCE}: it has a key")
        assert result["judged"]["findings"] == [FINDING]
        assert result["judged"]["verdict"] == "fail"


def test_check_mode_notes_nothing(state: Path) -> None:
    Judged(AUDIT, Asked(AUDIT, {"images": [AUDITED]}), {"audit": {}}, check=True)
    assert not state.exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"port": "many"}, f"{REFERENCE}, trial: argument 'port' is of type str"),
        ({"colour": "red"}, f"{REFERENCE}, trial: unsupported parameters: colour"),
    ],
)
def test_an_option_that_cannot_be_is_said_before_anything_is_asked(
    state: Path, given: dict[str, t.Any], words: str
) -> None:
    asked = Asked(TRIAL, TRIED)
    with pytest.raises(InvalidEntry, match=words):
        Judged(TRIAL, asked, {"trial": given})
    assert asked.params == []
