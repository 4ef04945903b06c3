# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How each engine of a node is spoken to, and what becomes of the login."""

from __future__ import annotations

import base64
import contextlib
import http.server
import json
import os
import socketserver
import stat
import threading
import typing as t
import urllib.parse
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed
from ansible_collections.longshore.delivery.plugins.module_utils.pull.cri_engine import CriEngine
from ansible_collections.longshore.delivery.plugins.module_utils.pull.docker_socket import DockerSocket
from ansible_collections.longshore.delivery.plugins.module_utils.pull.held_images import HeldImage
from ansible_collections.longshore.delivery.plugins.module_utils.pull.image_pull import Pulls
from ansible_collections.longshore.delivery.plugins.module_utils.pull.podman import Podman
from ansible_collections.longshore.delivery.plugins.module_utils.pull.pull_plan import PullStep
from ansible_collections.longshore.delivery.plugins.module_utils.pull.pulling import Login, PullFailed
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Endpoint, Reference

PASSWORD = 'tide "and" time'
LOGIN = Login(Endpoint.parse("registry.example:5000"), "ci", PASSWORD)
BASIC = base64.b64encode(f"ci:{PASSWORD}".encode()).decode()
DIGEST = "sha256:" + "1" * 64
WEB = Reference.parse(f"registry.example:5000/shop/web:1@{DIGEST}")
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
    engine = CriEngine(run, "/usr/local/bin/crictl", "/run/crio/crio.sock")
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
    engine = CriEngine(
        Recorded(Completed(0, json.dumps(listed), ""), Completed(1, "", wrapped)), "crictl", "/run/x.sock"
    )
    images = engine.images()
    assert [image.has(WEB) for image in images] == [True, False]
    with pytest.raises(PullFailed) as raised:
        engine.pull(WEB, None)
    assert str(raised.value) == 'failed to pull and unpack image "a/b": not found'


@pytest.mark.parametrize("rc", [0, 125])
def test_podman_takes_the_login_from_a_file_that_nobody_else_reads(rc: int) -> None:
    seen: list[tuple[Path, int, t.Any]] = []

    def watch(argv: t.Sequence[str]) -> None:
        path = Path(argv[argv.index("--authfile") + 1])
        seen.append((path, stat.S_IMODE(path.stat().st_mode), json.loads(path.read_text())))

    run = Recorded(Completed(rc, "", "Error: refused"), watch=watch)
    expected = pytest.raises(PullFailed, match="Error: refused") if rc else contextlib.nullcontext()
    with t.cast("contextlib.AbstractContextManager[object]", expected):
        Podman(run, "podman").pull(WEB, LOGIN)
    [(path, mode, content)] = seen
    assert mode == 0o600
    assert content == {"auths": {"registry.example:5000": {"auth": BASIC}}}
    assert not path.exists()
    [(argv, _environment)] = run.calls
    assert argv[-1] == PINNED
    assert not any(secret in word for word in argv for secret in (PASSWORD, BASIC))


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


class DockerApi:
    """An engine's socket that answers as told: for what a real engine does only when something breaks."""

    def __init__(self, path: Path, status: int, body: str) -> None:
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                api.requests.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body.encode())

            do_POST = do_GET

            def address_string(self) -> str:
                return "socket"

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = socketserver.ThreadingUnixStreamServer(str(path), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


@pytest.fixture
def docker_api(tmp_path: Path) -> t.Iterator[t.Callable[[int, str], tuple[DockerApi, DockerSocket]]]:
    running: list[DockerApi] = []

    def start(status: int, body: str) -> tuple[DockerApi, DockerSocket]:
        path = tmp_path / f"docker-{len(running)}.sock"
        running.append(DockerApi(path, status, body))
        return running[-1], DockerSocket(str(path))

    yield start
    for api in running:
        api.stop()


StartDocker = t.Callable[[int, str], t.Tuple[DockerApi, DockerSocket]]


def test_docker_gets_the_login_in_a_header(docker_api: StartDocker) -> None:
    api, engine = docker_api(200, '{"status":"Pulling"}\n{"status":"Status: Downloaded"}\n')
    engine.pull(WEB, LOGIN)
    engine.pull(WEB, None)
    sent = []
    for method, path, headers in api.requests:
        url = urllib.parse.urlsplit(path)
        assert (method, url.path) == ("POST", "/images/create")
        assert urllib.parse.parse_qs(url.query) == {"fromImage": ["registry.example:5000/shop/web"], "tag": [DIGEST]}
        sent.append(json.loads(base64.urlsafe_b64decode(headers["x-registry-auth"])))
    assert sent == [{"username": "ci", "password": PASSWORD, "serveraddress": "registry.example:5000"}, {}]


def test_docker_fails_in_its_own_words(docker_api: StartDocker, tmp_path: Path) -> None:
    _api, engine = docker_api(200, '{"status":"Pulling"}\n{"errorDetail":{"message":"no space"},"error":"no space"}\n')
    with pytest.raises(PullFailed, match=r"\Ano space\Z"):
        engine.pull(WEB, None)
    _api, engine = docker_api(404, '{"message":"manifest unknown"}')
    with pytest.raises(PullFailed, match=r"\Amanifest unknown\Z"):
        engine.pull(WEB, None)
    _api, engine = docker_api(500, "<html>")
    with pytest.raises(PullFailed, match="<html>"):
        engine.images()
    with pytest.raises(PullFailed, match="dial unix"):
        DockerSocket(str(tmp_path / "none.sock")).images()


def test_docker_lists_and_tags(docker_api: StartDocker) -> None:
    api, engine = docker_api(200, json.dumps([{"Id": "2", "RepoTags": None, "RepoDigests": [PINNED]}]))
    assert [image.has(WEB) for image in engine.images()] == [True]
    engine.tag(WEB)
    method, path, _headers = api.requests[-1]
    assert method == "POST"
    assert urllib.parse.unquote(path) == f"/images/{PINNED}/tag?repo=registry.example:5000/shop/web&tag=1"


class Scripted:
    """An engine that says for each repository what happens."""

    sets_tags = True

    def __init__(self, says: dict[str, str], lies: bool = False) -> None:
        self._says = says
        self._lies = lies
        self.asked: list[str] = []
        self._held: list[HeldImage] = []

    def images(self) -> list[HeldImage]:
        return self._held

    def pull(self, reference: Reference, login: Login | None) -> None:
        self.asked.append(reference.repository)
        if reference.repository in self._says:
            raise PullFailed(self._says[reference.repository])
        if not self._lies:
            self._held.append(HeldImage.of("id", [str(reference)]))

    def tag(self, reference: Reference) -> None:
        raise PullFailed("no tags here")


def steps(*names: str) -> list[PullStep]:
    return [PullStep(Reference.parse(f"{name}@{DIGEST}"), pull=True, tag=False) for name in names]


def test_one_image_that_is_missing_keeps_no_other_from_being_pulled() -> None:
    engine = Scripted({"a": "manifest unknown"})
    pulls = Pulls(engine, "docker on n1", None)
    wanted = steps("registry.example/a", "registry.example/b")
    pulls.apply(wanted)
    pulls.verify(wanted)
    assert engine.asked == ["a", "b"]
    assert [str(reference.repository) for reference in pulls.seconds] == ["b"]
    assert [error.kind for error in pulls.failures.values()] == ["not_found"]


def test_a_registry_that_cannot_be_reached_is_tried_once() -> None:
    engine = Scripted({"a": "dial tcp 192.0.2.1:443: i/o timeout"})
    pulls = Pulls(engine, "docker on n1", None)
    pulls.apply(steps("registry.example/a", "registry.example/b", "other.example/c"))
    assert engine.asked == ["a", "c"]
    assert [reference.repository for reference in pulls.failures] == ["a", "b"]


def test_an_engine_is_not_believed_but_asked_again() -> None:
    pulls = Pulls(Scripted({}, lies=True), "docker on n1", None)
    wanted = steps("registry.example/a")
    pulls.apply(wanted)
    pulls.verify(wanted)
    assert not pulls.seconds
    assert ["does not list it by this digest" in str(error) for error in pulls.failures.values()] == [True]


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
