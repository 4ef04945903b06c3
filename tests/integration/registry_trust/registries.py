# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Registries on this machine that the lab's nodes reach, and images in them that nobody has seen before."""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import json
import secrets
import ssl
import threading
import typing as t
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.trust import canary
from tests.lab.nodes import SUBNET
from tests.unit.module_utils.registry.certificates import Certificates, Issued
from tests.unit.module_utils.registry.conftest import HTPASSWD
from tests.unit.module_utils.registry.servers import PASSWORD, USERNAME, Registry

# the lab's network as this machine is in it
ADDRESS = str(next(ipaddress.ip_network(SUBNET).hosts()))
LOGIN = (USERNAME, PASSWORD)


class Served:
    """A registry that serves, as a user of the collection describes it.

    :param options: its entry in C(registries).
    """

    def __init__(self, options: dict[str, str]) -> None:
        self.options = options
        self.login = (options["username"], options["password"]) if "username" in options else None

    @property
    def endpoint(self) -> str:
        return self.options["endpoint"]

    def push(self) -> str:
        """Push a new image. Returns its reference."""
        token = secrets.token_hex(12)
        image, repository = canary.image(token, "x86_64"), f"trust-test/{token}"
        with RegistryClient(RegistrySettings.from_params(self.options)) as client:
            for blob in (image.config, image.layer):
                client.push_blob(repository, blob)
            client.put_manifest(repository, "1", canary.MANIFEST_TYPE, image.manifest())
        return f"{self.endpoint}/{repository}:1"

    def tags_of_canaries(self) -> list[str]:
        """The canaries that are left in it."""
        settings = RegistrySettings.from_params(self.options)
        with RegistryClient(settings) as client:
            answer = client._request("GET", f"/v2/{canary.REPOSITORY}/tags/list", canary.REPOSITORY, limit=1 << 20)
        return list(json.loads(answer.body).get("tags") or []) if answer.status == 200 else []


@contextlib.contextmanager
def serving(program: str, directory: Path, issued: Issued | None, login: bool, port: int = 0) -> t.Iterator[str]:
    """Run docker-registry on this machine's address in the lab. Gives the endpoint."""
    directory.mkdir()
    config: dict[str, t.Any] = {
        "version": "0.1",
        "storage": {"filesystem": {"rootdirectory": str(directory / "data")}, "delete": {"enabled": True}},
        "http": {"addr": f"{ADDRESS}:{port}", "secret": "for tests"},
    }
    if issued:
        config["http"]["tls"] = {"certificate": str(issued.cert_file), "key": str(issued.key_file)}
    if login:
        (directory / "htpasswd").write_text(HTPASSWD)
        config["auth"] = {"htpasswd": {"realm": "test", "path": str(directory / "htpasswd")}}
    registry = Registry(program, directory, config)
    try:
        yield f"{ADDRESS}:{registry.port}"
    finally:
        registry.stop()


@contextlib.contextmanager
def refusing_engines(behind: str, issued: Issued | None) -> t.Iterator[str]:
    """A server, with TLS or without, in front of a registry that lets this collection's client through and refuses engines."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if not self.headers.get("User-Agent", "").startswith("longshore"):
                self._answer(403, {"Content-Type": "text/plain"}, b"engines may not")
                return
            connection = http.client.HTTPConnection(behind)
            headers = {**dict(self.headers), "X-Forwarded-Proto": "https" if issued else "http"}
            connection.request(self.command, self.path, body, headers)
            response = connection.getresponse()
            kept = {key: value for key, value in response.getheaders() if key.lower() not in ("content-length", "date")}
            self._answer(response.status, kept, response.read())
            connection.close()

        do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = pass_on

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with _running(Handler, issued) as endpoint:
        yield endpoint


@contextlib.contextmanager
def taking_no_push() -> t.Iterator[str]:
    """A registry over HTTP that holds nothing and takes nothing, as a mirror does."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            status = 200 if self.path == "/v2/" else 405 if self.command == "POST" else 404
            body = (
                b"{}" if status == 200 else b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}'
            )
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_POST = answer

        def log_message(self, format: str, *args: object) -> None:
            pass

    with _running(Handler, None) as endpoint:
        yield endpoint


@contextlib.contextmanager
def _running(handler: type[BaseHTTPRequestHandler], issued: Issued | None) -> t.Iterator[str]:
    server = ThreadingHTTPServer((ADDRESS, 0), handler)
    server.daemon_threads = True
    if issued:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(issued.cert_file, issued.key_file)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"{ADDRESS}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def certificate(directory: Path) -> tuple[Issued, Issued]:
    """An authority, and what it issued for this machine's address in the lab."""
    directory.mkdir(exist_ok=True)
    certificates = Certificates(directory)
    authority = certificates.authority("Authority of the trust tests")
    return authority, certificates.issue("registry", [ADDRESS], authority)
