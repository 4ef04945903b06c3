# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each option of image_trial, from the task to the container that is made and to the points that are asked."""

from __future__ import annotations

import json
import platform
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import (
    CERTIFICATE_FILES,
    DEFAULT_HOST,
    DockerAddress,
)
from ansible_collections.longshore.delivery.plugins.module_utils.trial import image_trial, verdicts
from ansible_collections.longshore.delivery.plugins.module_utils.trial.container import Containers
from ansible_collections.longshore.delivery.plugins.module_utils.trial.engine import LOOSE, STRICT
from ansible_collections.longshore.delivery.plugins.module_utils.trial.find_engine import find_engine
from ansible_collections.longshore.delivery.plugins.module_utils.trial.options import ARGUMENT_SPEC, POINTS
from ansible_collections.longshore.delivery.plugins.module_utils.trial.owner import (
    OWNER_LABEL,
    RUN_LABEL,
    SECONDS_LABEL,
)
from ansible_collections.longshore.delivery.plugins.module_utils.trial.plan import Plan, make_plan
from ansible_collections.longshore.delivery.plugins.module_utils.trial.wanted import (
    Assertion,
    ChangedVariable,
    Condition,
    Wanted,
)
from tests import returned

from .test_trial_containers import answering
from .test_trial_options import image, wanted

GIVEN: dict[str, t.Any] = {
    "engine": "podman",
    "image": "r.example/x:1",
    "command": ["run", "it"],
    "env": {"A": "1"},
    "secrets": {"B": "2"},
    "user": "1234:5",
    "port": 81,
    "health": "/health",
    "ready": "/ready",
    "metrics": "/metrics",
    "required_env": ["A"],
    "changed_env": [{"name": "C", "value": "c", "path": "/c", "regex": "x+"}],
    "assertions": [
        {
            "name": "one",
            "http": "/a",
            "port": 82,
            "headers": {"H": "h"},
            "status": 418,
            "regex": "y+",
            "jmespath": "a",
            "timeout": 7,
        },
        {"exec": ["a", "b"], "regex": "z+"},
        {"tcp": 83},
    ],
    "accept": ["logs"],
    "start_timeout": 11,
    "stop_timeout": 12,
    "memory": "64MiB",
    "cpus": 0.5,
    "tmpfs": ["/one", "/two"],
}


@pytest.fixture
def address(tmp_path: Path) -> dict[str, t.Any]:
    for name in CERTIFICATE_FILES:
        (tmp_path / name).touch()
    return {"docker_host": "tcp://192.0.2.1:2376", "docker_cert_path": str(tmp_path)}


def test_every_option_is_read(address: dict[str, t.Any]) -> None:
    assert {**GIVEN, **address}.keys() == ARGUMENT_SPEC.keys()
    assert wanted(**GIVEN, **address) == Wanted(
        image="r.example/x:1",
        address=DockerAddress("tcp://192.0.2.1:2376", address["docker_cert_path"]),
        command=("run", "it"),
        env={"A": "1", "B": "2"},
        user="1234:5",
        port=81,
        endpoints={"health": "/health", "ready": "/ready", "metrics": "/metrics"},
        required_env=("A",),
        changed_env=(ChangedVariable("C", "c", "/c", "x+"),),
        assertions=(
            Assertion("one", "/a", (), 0, 82, {"H": "h"}, 418, Condition("y+", "a"), 7),
            Assertion("a b", "", ("a", "b"), condition=Condition("z+")),
            Assertion("port 83", tcp=83),
        ),
        accept=("logs",),
        start_timeout=11,
        stop_timeout=12,
        memory=64 * 1024**2,
        cpus=0.5,
        tmpfs=("/one", "/two"),
        called="r.example/x:1",
        engine="podman",
    )


def test_every_point_says_what_is_wanted() -> None:
    points = make_plan(wanted(**GIVEN), image()).points
    assert [(point.kind, point.subject, point.text) for point in points if not point.not_asked] == [
        ("starts", "", "it starts within 11 s"),
        ("listens", "", "it listens on port 81 within 11 s"),
        *(
            (kind, f"/{kind}", f"its {kind} endpoint answers with a status of 200 to 399")
            for kind in ("health", "ready", "metrics")
        ),
        ("assertion", "one", "/a at port 82 answers with 418 and regex 'y+' and jmespath 'a'"),
        ("assertion", "a b", "the command ends with 0 and regex 'z+'"),
        ("assertion", "port 83", "something listens on port 83"),
        ("required_env", "A", "it ends at once without A and says so"),
        ("changed_env", "C", "C changes what it answers at /c"),
        ("user", "", "it runs as a user who is not root"),
        ("logs", "", "its log goes to stdout or stderr, not to files"),
        ("stops", "", "SIGTERM ends it within 12 s"),
        ("transient", "", "it needs no file system of its own to write to, and comes up again without what it wrote"),
        ("copies", "", "two copies run side by side"),
    ]


def test_a_path_at_a_port_of_its_own_is_asked_without_the_image_s() -> None:
    plan = make_plan(wanted(assertions=[{"http": "/a", "port": 82}]), image(ports=()))
    assert [point.not_asked for point in plan.points if point.kind == "assertion"] == [""]


def test_a_container_is_made_with_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proxies = {"default": {"httpProxy": "http://user:word@proxy.example:3128"}}
    (tmp_path / "config.json").write_text(json.dumps({"proxies": proxies}))  # which is none of the options
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    answers = {
        ("POST", "/containers/create"): (201, {"Id": "x"}),
        ("POST", "/containers/x/start"): (204, {}),
    }
    with answering(answers) as (engine, requests):
        Containers(engine, wanted(**GIVEN), "sha256:1", (81, 82), 60, "1234:5").start(STRICT, {"A": "1"})
        Containers(engine, wanted(), "sha256:1", (), 60).start(STRICT, {})
    created = [json.loads(request.body) for request in requests if "/create" in request.path]
    own = created[0]["HostConfig"]
    assert (created[0]["Image"], created[0]["Cmd"], created[0]["Env"]) == ("sha256:1", ["run", "it"], ["A=1"])
    assert [set(one["Labels"]) for one in created] == [{RUN_LABEL, OWNER_LABEL, SECONDS_LABEL}] * 2
    assert all("name=longshore-trial-" in request.path for request in requests if "/create" in request.path)
    assert [one["Healthcheck"]["Test"] for one in created] == [["NONE"]] * 2
    assert (created[0]["User"], sorted(created[0]["ExposedPorts"])) == ("1234:5", ["81/tcp", "82/tcp"])
    assert (own["Memory"], own["MemorySwap"], own["NanoCpus"]) == (64 * 1024**2, 64 * 1024**2, 500_000_000)
    tmpfs = dict.fromkeys(["/one", "/two"], "uid=1234,gid=5")
    assert (own["Tmpfs"], own["ReadonlyRootfs"], own["CapDrop"]) == (tmpfs, True, ["ALL"])
    assert (created[1].get("Cmd"), created[1].get("User")) == (None, None)
    assert (list(created[1]["HostConfig"]["Tmpfs"]), created[1]["HostConfig"]["Memory"]) == (["/tmp"], 256 * 1024**2)


def test_podmans_service_is_kept_from_making_more_than_that_writable() -> None:
    answers = {
        ("GET", "/version"): (200, {"ApiVersion": "1.45", "Components": [{"Name": "Podman Engine"}]}),
        ("POST", "/containers/create"): (201, {"Id": "x"}),
        ("POST", "/containers/x/start"): (204, {}),
    }
    with answering(answers) as (engine, requests):
        for confinement in (STRICT, LOOSE):
            Containers(engine, wanted(tmpfs=["/tmp", "/one"]), "sha256:1", (), 60).start(confinement, {})
    strict, loose = [json.loads(request.body)["HostConfig"] for request in requests if "/create" in request.path]
    assert {path for path, how in strict["Tmpfs"].items() if how == "ro"} == {"/run", "/var/tmp"}
    assert {path for path, how in strict["Tmpfs"].items() if "mode=1777" in how} == {"/tmp", "/one"}
    assert not loose.get("Tmpfs")


class Fails:
    """Questions each of which has a bad answer."""

    endpoints: t.ClassVar[list[t.Any]] = []
    log: t.ClassVar[list[str]] = []

    def __init__(self, asked: Wanted, config: t.Any, plan: Plan, copies: t.Any, show: t.Callable[[str], None]) -> None:
        self.plan, self.show = plan, show

    def asked(self) -> list[verdicts.Verdict]:
        self.show("a point")
        return [verdicts.Verdict(point, verdicts.FAIL, "as told") for point in self.plan.points]


class Trying:
    """image_trial with a stand-in for Docker's engine.

    :ivar said: what it warned of and showed.
    """

    def __init__(self, answers: t.Mapping[tuple[str, str], tuple[int, t.Any]]) -> None:
        self._answers = answers
        self.said: list[str] = []

    def run(self, **options: t.Any) -> dict[str, t.Any]:
        context = Context(False, False, self.said.append, self.said.append, t.cast(t.Any, None))
        with answering(self._answers) as (engine, _requests):
            given = {"image": "r.example/x:1", "docker_host": engine.address.host, **options}
            checked = ArgumentSpecValidator(ARGUMENT_SPEC).validate(given)
            assert checked.error_messages == []
            return returned.run("image_trial", checked.validated_parameters, context)


def test_what_is_accepted_may_fail_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_trial, "Questions", Fails)
    trying = Trying(
        {
            ("GET", "/images/r.example/x:1/json"): (200, {"Id": "sha256:1", "Config": {"Cmd": ["serve"]}}),
            ("GET", "/info"): (200, {"SystemTime": "2026-11-22T01:00:00.5Z"}),
            ("GET", "/containers/json"): (200, []),
        }
    )
    result = trying.run(assertions=[{"tcp": 83}], accept=list(POINTS))
    assert result["verdict"] == "fail"
    assert result["image"] == {"reference": "r.example/x:1", "id": "sha256:1"}
    assert trying.said[0] == "r.example/x:1: a point"
    assert f"r.example/x:1: {POINTS[-1]}: fail, as told (accepted)" == trying.said[-1]
    for kind in POINTS:
        failing = (
            rf"\Ar\.example/x:1 in the engine at .* fails 1 of \d+ points: {kind}( port 83)?: fail, as told\. Mend"
        )
        with pytest.raises(DeliveryError, match=failing):
            trying.run(assertions=[{"tcp": 83}], accept=[point for point in POINTS if point != kind])


def test_an_image_that_is_not_there_is_named() -> None:
    trying = Trying({("GET", "/images/r.example/x:1/json"): (404, {"message": "No such image"})})
    with pytest.raises(DeliveryError, match=r"has no image r\.example/x:1"):
        trying.run()


def test_the_engine_is_the_one_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    programs = {"podman": "/usr/bin/podman"}
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr("shutil.which", programs.get)

    def found(**options: t.Any) -> tuple[str, str, str]:
        engine, why = find_engine(wanted(**options), t.cast(t.Any, None))
        return engine.name, engine.where.rpartition(" ")[2], why

    here, there = platform.node(), "unix:///no/such/docker.sock"
    for socket_is_there in (False, True):
        monkeypatch.setattr("os.path.exists", lambda path, found=socket_is_there: found)
        assert found(engine="docker") == ("docker", DEFAULT_HOST, "it was asked for")
        assert found(engine="docker", docker_host=there) == ("docker", there, "it was asked for")
        assert found(engine="podman", docker_host=there) == ("podman", here, "it was asked for")
        assert found(docker_host=there) == ("docker", there, "its address is given")
        by_itself = ("docker", DEFAULT_HOST, "its socket is there")
        assert found() == (by_itself if socket_is_there else ("podman", here, "its program is there, and no Docker"))
    programs.clear()
    with pytest.raises(DeliveryError, match="'engine' is podman, and there is no program podman in PATH"):
        found(engine="podman")


def test_the_time_of_a_trial_is_enough_for_all_that_is_asked() -> None:
    least = image_trial._longest(wanted())
    for options in (
        {"start_timeout": 100},
        {"stop_timeout": 100},
        {"required_env": ["A"]},
        {"changed_env": [{"name": "A", "value": "a"}]},
        {"assertions": [{"tcp": 1, "timeout": 100}]},
    ):
        assert image_trial._longest(wanted(**options)) > least + 50
