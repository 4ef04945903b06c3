# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs that pull and push, each by its own words; all say what went wrong, and nothing when it went well."""

from __future__ import annotations

import contextlib
import select
import socket
import socketserver
import threading
import typing as t

import docker
import docker.errors

from tests.integration.registry_trust.lab import Engine, on
from tests.lab.nodes import DOCK, Node

Login = t.Optional[t.Tuple[str, str]]


class Client(t.Protocol):
    """Pulls an image under its name, and pushes what it has pulled under another name, where it can."""

    def pull(self, image: str, login: Login) -> str | None: ...
    def push(self, image: str, name: str, login: Login) -> str | None: ...
    def forget(self, *names: str) -> None: ...


class DockerClient:
    """An engine of Docker's, by its API.

    :param endpoint: by which the engine reaches the registry, where that is not its own.
    """

    def __init__(self, engine: docker.DockerClient, endpoint: str = "") -> None:
        self._engine, self._endpoint = engine, endpoint

    def pull(self, image: str, login: Login) -> str | None:
        return self._said(self._engine.api.pull(self._named(image), stream=True, decode=True, **_auth(login)))

    def push(self, image: str, name: str, login: Login) -> str | None:
        self._engine.images.get(self._named(image)).tag(self._named(name))
        return self._said(self._engine.api.push(self._named(name), stream=True, decode=True, **_auth(login)))

    def forget(self, *names: str) -> None:
        for name in names:
            with contextlib.suppress(docker.errors.ImageNotFound):
                self._engine.images.remove(self._named(name))

    def _named(self, image: str) -> str:
        endpoint, slash, rest = image.partition("/")
        return f"{self._endpoint or endpoint}{slash}{rest}"

    def _said(self, lines: t.Iterable[dict[str, t.Any]]) -> str | None:
        try:
            return next((str(line["error"]) for line in lines if "error" in line), None)
        except docker.errors.APIError as error:
            return str(error)


def _auth(login: Login) -> dict[str, t.Any]:
    """What is not None keeps the client from looking for logins of this machine's user."""
    return {"auth_config": {"username": login[0], "password": login[1]} if login else {}}


class ByPrograms:
    """Shell commands on a node, with the environment variables I, N and C: image, name to push and credentials.

    :param credentials: the option for them, followed by them.
    """

    def __init__(self, node: Node, pull: str, push: str, forget: str, credentials: str = "--creds") -> None:
        self._node, self._pull, self._push, self._forget, self._credentials = node, pull, push, forget, credentials

    def pull(self, image: str, login: Login) -> str | None:
        return self._run(self._pull, login, I=image)

    def push(self, image: str, name: str, login: Login) -> str | None:
        return self._run(self._push, login, I=image, N=name)

    def forget(self, *names: str) -> None:
        for name in names:
            self._run(self._forget, None, I=name)

    def _run(self, command: str, login: Login, **names: str) -> str | None:
        given = [f"{key}={value}" for key, value in names.items()]
        given.append(f"C={self._credentials} {':'.join(login)}" if login else "C=")
        done = on(self._node, "env", *given, "timeout", "20", "sh", "-c", command, check=False)
        return None if done.returncode == 0 else f"{done.returncode}: {done.stdout}{done.stderr}"


def podman() -> Client:
    return ByPrograms(DOCK, "podman pull $C $I", "podman tag $I $N && podman push $C $N", "podman rmi $I")


def buildah() -> Client:
    return ByPrograms(DOCK, "buildah pull $C $I", "buildah tag $I $N && buildah push $C $N", "buildah rmi $I")


def skopeo() -> Client:
    """It has no store: a directory is one."""
    place = "/tmp/longshore-test-skopeo"
    pull = f"skopeo copy ${{C:+--src-$C}} docker://$I dir:{place}"
    return ByPrograms(DOCK, pull, f"skopeo copy ${{C:+--dest-$C}} dir:{place} docker://$N", f"rm -rf {place}", "creds")


def ctr(node: Node) -> Client:
    """containerd's own client, which also pushes. It reads the same directory as the CRI where it is told to."""
    program = "ctr -n longshore-test"
    hosts = "--hosts-dir /etc/containerd/certs.d"
    push = f"{program} image tag --force $I $N && {program} image push {hosts} $C $N"
    return ByPrograms(node, f"{program} image pull {hosts} $C $I", push, f"{program} image rm $I", "--user")


class Cri:
    """What pulls for Kubernetes, and never pushes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def pull(self, image: str, login: Login) -> str | None:
        return self._engine.pull(image, login)

    def forget(self, *names: str) -> None:
        for name in names:
            self._engine.forget(name)


@contextlib.contextmanager
def forwarded(endpoint: str) -> t.Iterator[str]:
    """Another name for a registry: of this machine itself, where its Docker takes any certificate."""
    host, _colon, port = endpoint.partition(":")

    class Connection(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection((host, int(port))) as further:
                ends = {self.request: further, further: self.request}
                while ends:
                    for ready in select.select(list(ends), [], [])[0]:
                        data = ready.recv(1 << 16)
                        if not data:
                            return
                        ends[ready].sendall(data)

    class Forwarding(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that has broken off."""

    with Forwarding(("127.0.0.1", 0), Connection) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
