# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How an engine is reached, by both ways there are, and what is said where it is not."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import (
    DockerAddress,
    InvalidAddress,
)
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.client import DockerEngine
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.faults import DockerEngineError
from tests.http_server import AnsweringServer, Reply, Request, json_reply
from tests.unit.module_utils.registry.certificates import Certificates, Issued
from tests.unit.module_utils.registry.conftest import Serve

IMAGE_ID = "sha256:" + "1" * 64
NAME = "registry.example:5000/shop/web:1"
CHECKOUT = Path(__file__).resolve().parents[4]


def answer(request: Request) -> Reply:
    """As an engine with one image; docker-py puts the API's version in front of the path."""
    for path, document in (
        ("/version", {"ApiVersion": "1.45", "Version": "26.1.5+dfsg1", "Os": "linux", "Arch": "amd64"}),
        (f"/images/{NAME}/json", {"Id": IMAGE_ID, "RepoTags": [NAME], "Config": {"Labels": {"a": "b"}}}),
    ):
        if request.path.endswith(path):
            return json_reply(document)
    return json_reply({"message": "No such image"}, 404)


@pytest.fixture(params=["directly", "by the package"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """An environment with a proxy, which is not for this host, has the docker package asked, who knows the rules."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    if request.param == "by the package":
        monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
        monkeypatch.setenv("NO_PROXY", "127.0.0.0/8")
    return str(request.param)


@contextlib.contextmanager
def engine(server: AnsweringServer | str, certificates: Path | str = "") -> t.Iterator[DockerEngine]:
    host = server if isinstance(server, str) else f"tcp://{server.endpoint}"
    with contextlib.closing(DockerEngine(DockerAddress(host, str(certificates)))) as opened:
        yield opened


def directory(path: Path, authority: Issued, client: Issued) -> Path:
    """As docker_cert_path has it."""
    path.mkdir()
    (path / "ca.pem").write_text(authority.pem)
    (path / "cert.pem").write_text(client.pem)
    (path / "key.pem").write_bytes(client.key_file.read_bytes())
    return path


def test_an_image_is_there_or_not_and_a_refusal_is_said(serve: Serve, way: str) -> None:
    broken = json_reply({"message": "disk full"}, 500)
    server = serve(lambda request: broken if "/info" in request.path else answer(request))
    with engine(server) as found:
        image = found.image(NAME)
        assert image is not None
        assert (image.id, image.labels, image.references) == (IMAGE_ID, {"a": "b"}, (NAME,))
        assert found.image("registry.example/none:1") is None
        assert found.version_number() == (26, 1, 5)
        with pytest.raises(DockerEngineError, match=rf"engine at tcp://{server.endpoint} refused: disk full"):
            found.info()
    assert server.connections == 1


def test_a_client_is_known_by_its_certificate(
    serve: Serve, certificates: Certificates, tmp_path: Path, way: str
) -> None:
    authority = certificates.authority()
    server = serve(answer, certificates.issue("engine", ["127.0.0.1"], authority), authority)
    known = directory(tmp_path / "known", authority, certificates.issue("client", [], authority))
    with engine(server, known) as found:
        assert found.image(NAME)
    stranger = certificates.authority("Stranger")
    unknown = directory(tmp_path / "unknown", authority, certificates.issue("client", [], stranger))
    with (
        pytest.raises(
            DockerEngineError,
            match=r"refuses the client's certificate\. Set|breaks the connection off .*See whether it runs.* 'docker_cert_path'",
        ),
        engine(server, unknown) as found,
    ):
        found.image(NAME)
    unverified = directory(tmp_path / "unverified", stranger, certificates.issue("client", [], authority))
    with (
        pytest.raises(DockerEngineError, match=r"is not signed by the CA in ca\.pem, or is for another name"),
        engine(server, unverified) as found,
    ):
        found.image(NAME)
    elsewhere = serve(answer, certificates.issue("engine", ["192.0.2.1"], authority), authority)
    with pytest.raises(DockerEngineError, match="or is for another name"), engine(elsewhere, known) as found:
        found.image(NAME)


def test_tls_where_there_is_none_and_none_where_there_is_are_said(
    serve: Serve, certificates: Certificates, tmp_path: Path, way: str
) -> None:
    authority = certificates.authority()
    known = directory(tmp_path / "known", authority, certificates.issue("client", [], authority))
    with pytest.raises(DockerEngineError, match="it speaks no TLS"), engine(serve(answer), known) as found:
        found.image(NAME)
    said: Reply = (400, {}, b"Client sent an HTTP request to an HTTPS server.\n")  # as Go's server says it
    with pytest.raises(DockerEngineError, match=r"it speaks TLS\. Set"), engine(serve(lambda _: said)) as found:
        found.image(NAME)


def test_what_is_not_there_is_said(tmp_path: Path, way: str) -> None:
    for host, cause in (
        (f"unix://{tmp_path}/none.sock", "there is no such socket. Start Docker there"),
        ("tcp://127.0.0.1:1", "nothing listens there. Start Docker there"),
        ("tcp://no-such-host.invalid:2375", "its host's name is not known. Correct 'docker_host'"),
    ):
        if "invalid" in host and way == "by the package":
            continue  # a proxy would be asked
        with pytest.raises(DockerEngineError, match=cause), engine(host) as found:
            found.image(NAME)


def test_an_engine_that_is_silent_is_not_waited_for_without_end(
    listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine(f"tcp://127.0.0.1:{listening.getsockname()[1]}") as found:
        found._answer_seconds = 1
        with pytest.raises(DockerEngineError, match="it does not answer within 1 s"):
            found.image(NAME)


def test_its_version_is_asked_once(serve: Serve) -> None:
    asked = list[str]()

    def counting(request: Request) -> Reply:
        asked.append(request.path)
        return answer(request)

    with engine(serve(counting)) as found:
        found.check_buildkit()
        with found.calls() as api:  # the docker package's, which would ask for itself
            assert api.inspect_image(NAME)["Id"] == IMAGE_ID
        assert found.platform_arguments()["TARGETPLATFORM"] == "linux/amd64"
        assert found.version_number() == (26, 1, 5)
    assert asked == ["/version", f"/v1.45/images/{NAME}/json"]


@pytest.mark.parametrize("host", ["tcp://builder.example", "tcp://:2375", "tcp://builder.example:x"])
def test_an_address_without_a_host_or_a_port_is_none(host: str) -> None:
    with pytest.raises(InvalidAddress, match=r"no host or no port\. Write it as tcp://host:port"):
        DockerEngine(DockerAddress(host))


def test_a_connection_that_the_engine_closed_meanwhile_is_opened_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
        with engine(f"tcp://127.0.0.1:{listening.getsockname()[1]}") as found:
            for _time in range(2):
                listening_for(listening, reply, found)


def listening_for(listening: socket.socket, reply: bytes, found: DockerEngine) -> None:
    """Answer one request, and close the connection."""
    program = "import socket, sys; s = socket.socket(fileno=int(sys.argv[1])); c, _ = s.accept(); c.recv(65536); c.sendall(%r)"
    argv = [sys.executable, "-c", program % reply, str(listening.fileno())]
    with subprocess.Popen(argv, pass_fds=[listening.fileno()]) as answering:
        assert found.info() == {}
        assert answering.wait(10) == 0


def test_a_look_loads_neither_the_docker_package_nor_requests(serve: Serve) -> None:
    program = (
        "import sys, tests.conftest\n"
        "loaded = set(sys.modules)\n"
        "from ansible_collections.longshore.delivery.plugins.module_utils.build import image_build\n"
        "from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.client import *\n"
        f"assert DockerEngine(DockerAddress('tcp://{serve(answer).endpoint}')).image({NAME!r})\n"
        "print({'docker', 'requests', 'urllib3'} & (set(sys.modules) - loaded))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
