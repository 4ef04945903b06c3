# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How each engine of a node is spoken to, and what becomes of the login."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import socket
import stat
import typing as t
import urllib.parse
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed
from ansible_collections.longshore.delivery.plugins.module_utils.node.client import EngineRefusal
from ansible_collections.longshore.delivery.plugins.module_utils.node.connect import image_store, puller
from ansible_collections.longshore.delivery.plugins.module_utils.node.cri import Cri
from ansible_collections.longshore.delivery.plugins.module_utils.node.docker_socket import (
    DockerSocket,
    insecure_registries,
)
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import Engine
from ansible_collections.longshore.delivery.plugins.module_utils.node.login import Login
from ansible_collections.longshore.delivery.plugins.module_utils.node.podman import Podman
from ansible_collections.longshore.delivery.plugins.module_utils.node.skopeo import Skopeo
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Endpoint, Reference
from ansible_collections.longshore.delivery.plugins.module_utils.running import run_command
from tests.http_server import AnsweringServer

PASSWORD = 'tide "and" time'
LOGIN = Login(Endpoint.parse("registry.example:5000"), "ci", PASSWORD)
BASIC = base64.b64encode(f"ci:{PASSWORD}".encode()).decode()
DIGEST = "sha256:" + "1" * 64
WEB = Reference.parse(f"registry.example:5000/shop/web:1@{DIGEST}")
CANARY = Reference.parse("registry.example:5000/longshore/canary:run-1")
PINNED = f"registry.example:5000/shop/web@{DIGEST}"


class Recorded:
    """RunCommand that answers as told and keeps what it was given."""

    def __init__(self, *answers: Completed, watch: t.Callable[[t.Sequence[str]], None] = lambda argv: None) -> None:
        self._answers = list(answers)
        self._watch = watch
        self.calls: list[tuple[list[str], dict[str, str]]] = []

    def __call__(
        self,
        argv: t.Sequence[str],
        *,
        stdin: str | None = None,
        environment: t.Mapping[str, str] | None = None,
        directory: str | None = None,
        on_line: t.Callable[[str], None] | None = None,
    ) -> Completed:
        self.calls.append((list(argv), dict(environment or {})))
        self._watch(argv)
        return self._answers.pop(0)


def test_crictl_takes_the_login_from_its_environment() -> None:
    run = Recorded(Completed(0, "", ""), Completed(0, "", ""))
    engine = Cri(run, "/usr/local/bin/crictl", "/run/crio/crio.sock")
    engine.pull(WEB, LOGIN)
    engine.pull(WEB, None)
    for argv, _environment in run.calls:
        assert argv[0] == "/usr/local/bin/crictl"
        assert argv[-2:] == ["pull", PINNED]
        assert argv.count("unix:///run/crio/crio.sock") == 2
        assert not any(secret in word for word in argv for secret in (PASSWORD, BASIC))
    assert [environment for _argv, environment in run.calls] == [{"CRICTL_AUTH": BASIC}, {}]


def test_crictl_lists_and_fails_in_the_runtimes_words() -> None:
    listed = {"images": [{"id": "sha256:2", "repoTags": ["a/b:1"], "repoDigests": [PINNED]}, {"id": "sha256:3"}]}
    wrapped = (
        'E1121 14:58 275 remote_image.go:250] "PullImage from image service failed" err="rpc error: code = Unknown desc = x"\n'
        'time="2026-11-21T14:58:54Z" level=fatal msg="pulling image: rpc error: code = NotFound desc = failed to pull and unpack '
        'image \\"a/b\\": not found"\n'
    )
    engine = Cri(Recorded(Completed(0, json.dumps(listed), ""), Completed(1, "", wrapped)), "crictl", "/run/x.sock")
    images = engine.images()
    assert [image.has(WEB) for image in images] == [True, False]
    with pytest.raises(EngineRefusal) as raised:
        engine.pull(WEB, None)
    assert str(raised.value) == 'failed to pull and unpack image "a/b": not found'


@pytest.mark.parametrize("rc", [0, 125])
def test_podman_takes_the_login_from_a_file_that_nobody_else_reads(rc: int) -> None:
    seen: list[tuple[Path, int, t.Any]] = []

    def watch(argv: t.Sequence[str]) -> None:
        path = Path(argv[argv.index("--authfile") + 1])
        seen.append((path, stat.S_IMODE(path.stat().st_mode), json.loads(path.read_text())))

    run = Recorded(Completed(rc, "", "Error: refused"), watch=watch)
    expected = pytest.raises(EngineRefusal, match="Error: refused") if rc else contextlib.nullcontext()
    with t.cast("contextlib.AbstractContextManager[object]", expected):
        Podman(run, "podman").pull(WEB, LOGIN)
    [(path, mode, content)] = seen
    assert mode == 0o600
    assert content == {"auths": {"registry.example:5000": {"auth": BASIC}}}
    assert not path.exists()
    [(argv, _environment)] = run.calls
    assert argv[-1] == PINNED
    assert not any(secret in word for word in argv for secret in (PASSWORD, BASIC))


def test_skopeo_reads_what_a_pull_would_begin_with_and_keeps_nothing() -> None:
    seen: list[int] = []

    def watch(argv: t.Sequence[str]) -> None:
        seen.append(stat.S_IMODE(Path(argv[argv.index("--authfile") + 1]).stat().st_mode))

    run = Recorded(Completed(0, "{}", ""), watch=watch)
    skopeo = Skopeo(run, "/usr/bin/skopeo", 60)
    skopeo.pull(CANARY, LOGIN)
    skopeo.remove(CANARY)
    [(argv, _environment)] = run.calls
    assert argv[:5] == ["timeout", "60", "/usr/bin/skopeo", "inspect", "--config"]
    assert argv[-1] == f"docker://{CANARY}"
    assert seen == [0o600]
    assert not any(secret in word for word in argv for secret in (PASSWORD, BASIC))


@pytest.mark.parametrize("program", [["/usr/bin/crictl", "rmi"], ["/usr/bin/podman", "rmi"]], ids=["crictl", "podman"])
def test_what_was_pulled_by_its_tag_is_taken_away_by_it(program: list[str]) -> None:
    run = Recorded(*[Completed(0, "", "")] * 2, Completed(1, "", "image is in use"))
    client = Cri(run, program[0], "/run/x.sock") if "crictl" in program[0] else Podman(run, program[0])
    client.pull(CANARY, None)
    client.remove(CANARY)
    with pytest.raises(EngineRefusal, match="in use"):
        client.remove(CANARY)
    assert [argv[-1] for argv, _environment in run.calls] == [str(CANARY)] * 3
    assert run.calls[1][0][-2] == "rmi"


def test_a_pull_that_hangs_is_ended(tmp_path: Path) -> None:
    program = tmp_path / "podman"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    with pytest.raises(EngineRefusal, match=r"\Atimed out after 1 s\Z"):
        Podman(run_command, str(program), 1).pull(CANARY, None)


def test_a_cri_that_serves_has_no_complaint() -> None:
    unimplemented = "rpc error: code = Unimplemented desc = unknown service runtime.v1.RuntimeService"
    run = Recorded(
        Completed(0, "Version: 0.1.0", ""), Completed(1, "", f'level=fatal msg="getting version: {unimplemented}"')
    )
    cri = Cri(run, "crictl", "/run/x.sock")
    assert [cri.complaint(), cri.complaint()] == [None, "unknown service runtime.v1.RuntimeService"]


@pytest.mark.parametrize(
    ("engine", "pulls", "keeps"),
    [
        (Engine("docker", "", "", socket="/run/docker.sock"), DockerSocket, DockerSocket),
        (Engine("containerd", "", "", socket="/run/c.sock", client="/usr/bin/crictl"), Cri, Cri),
        (Engine("crio", "", "", socket="/run/c.sock"), None, None),
        (Engine("podman", "", "", client="/usr/bin/podman"), Podman, Podman),
        (Engine("podman", "", "", client="/usr/bin/skopeo"), Skopeo, None),
        (Engine("podman", "", "", program="/usr/bin/buildah"), None, None),
    ],
)
def test_each_engine_has_its_client(engine: Engine, pulls: type | None, keeps: type | None) -> None:
    for client, kind in ((puller(engine, Recorded()), pulls), (image_store(engine, Recorded()), keeps)):
        assert isinstance(client, kind) if kind else client is None


def test_podman_without_login_lists_and_tags() -> None:
    listed = [{"Id": "2", "Names": ["registry.example:5000/shop/web:1"], "RepoDigests": [PINNED]}, {"Id": "3"}]
    run = Recorded(Completed(0, json.dumps(listed), ""), Completed(0, "", ""), Completed(0, "", ""))
    podman = Podman(run, "podman")
    image, nameless = podman.images()
    assert image.has(WEB)
    assert image.is_tagged(WEB)
    assert not nameless.has(WEB)
    podman.pull(WEB, None)
    podman.tag(WEB)
    assert run.calls[1][0] == ["podman", "pull", "--quiet", PINNED]
    assert run.calls[2][0] == ["podman", "tag", PINNED, "registry.example:5000/shop/web:1"]


StartDocker = t.Callable[[int, str], t.Tuple[AnsweringServer, DockerSocket]]


@pytest.fixture
def docker_api(tmp_path: Path) -> t.Iterator[StartDocker]:
    """An engine's socket that answers as told: for what a real engine does only when something breaks."""
    with contextlib.ExitStack() as running:
        paths = (tmp_path / f"docker-{number}.sock" for number in itertools.count())

        def start(status: int, body: str) -> tuple[AnsweringServer, DockerSocket]:
            path = next(paths)
            api = AnsweringServer(lambda request: (status, {}, body.encode()), None, path)
            return running.enter_context(api), DockerSocket(str(path))

        yield start


def test_docker_gets_the_login_in_a_header(docker_api: StartDocker) -> None:
    api, engine = docker_api(200, '{"status":"Pulling"}\n{"status":"Status: Downloaded"}\n')
    engine.pull(WEB, LOGIN)
    engine.pull(WEB, None)
    sent = []
    for request in api.requests:
        url = urllib.parse.urlsplit(request.path)
        assert (request.method, url.path) == ("POST", "/images/create")
        assert urllib.parse.parse_qs(url.query) == {"fromImage": ["registry.example:5000/shop/web"], "tag": [DIGEST]}
        sent.append(json.loads(base64.urlsafe_b64decode(request.headers["x-registry-auth"])))
    assert sent == [{"username": "ci", "password": PASSWORD, "serveraddress": "registry.example:5000"}, {}]


def test_docker_fails_in_its_own_words(docker_api: StartDocker, tmp_path: Path) -> None:
    _api, engine = docker_api(200, '{"status":"Pulling"}\n{"errorDetail":{"message":"no space"},"error":"no space"}\n')
    with pytest.raises(EngineRefusal, match=r"\Ano space\Z"):
        engine.pull(WEB, None)
    _api, engine = docker_api(404, '{"message":"manifest unknown"}')
    with pytest.raises(EngineRefusal, match=r"\Amanifest unknown\Z"):
        engine.pull(WEB, None)
    _api, engine = docker_api(500, "<html>")
    with pytest.raises(EngineRefusal, match="<html>"):
        engine.images()
    with pytest.raises(EngineRefusal, match="dial unix"):
        DockerSocket(str(tmp_path / "none.sock")).images()


def test_docker_lists_and_tags(docker_api: StartDocker) -> None:
    api, engine = docker_api(200, json.dumps([{"Id": "2", "RepoTags": None, "RepoDigests": [PINNED]}]))
    assert [image.has(WEB) for image in engine.images()] == [True]
    engine.tag(WEB)
    assert api.requests[-1].method == "POST"
    assert (
        urllib.parse.unquote(api.requests[-1].path) == f"/images/{PINNED}/tag?repo=registry.example:5000/shop/web&tag=1"
    )


def test_the_authfile_is_not_left_behind_in_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Also where the command itself breaks down."""

    class Broken(Exception):
        pass

    paths: list[str] = []

    def watch(argv: t.Sequence[str]) -> None:
        paths.append(argv[argv.index("--authfile") + 1])
        raise Broken

    with pytest.raises(Broken):
        Podman(Recorded(Completed(0, "", ""), watch=watch), "podman").pull(WEB, LOGIN)
    assert [os.path.exists(path) for path in paths] == [False]


def test_docker_takes_a_name_away_and_does_not_mind_that_it_is_gone(docker_api: StartDocker) -> None:
    for status in (200, 404):
        api, engine = docker_api(status, "[]")
        engine.remove(CANARY)
        [request] = api.requests
        assert (request.method, urllib.parse.unquote(request.path)) == ("DELETE", f"/images/{CANARY}")
    _api, engine = docker_api(409, '{"message":"image is in use"}')
    with pytest.raises(EngineRefusal, match=r"\Aimage is in use\Z"):
        engine.remove(CANARY)


def test_docker_says_whom_it_does_not_verify(docker_api: StartDocker) -> None:
    configuration = {
        "IndexConfigs": {"docker.io": {"Secure": True}, "10.0.0.5:5000": {"Secure": False}},
        "InsecureRegistryCIDRs": ["127.0.0.0/8"],
    }
    _api, engine = docker_api(200, json.dumps({"ServerVersion": "26.1.5", "RegistryConfig": configuration}))
    assert insecure_registries(engine.info()) == ("10.0.0.5:5000", "127.0.0.0/8")
    assert insecure_registries({}) == ()


def test_a_docker_that_is_silent_is_no_docker_that_is_not_there(tmp_path: Path) -> None:
    path = str(tmp_path / "docker.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as silent:
        silent.bind(path)
        silent.listen()
        with pytest.raises(EngineRefusal, match=r"\Atimed out after 1 s\Z"):
            DockerSocket(path, 1).pull(CANARY, None)
    with pytest.raises(EngineRefusal, match="dial unix"):
        DockerSocket(path, 1).pull(CANARY, None)
