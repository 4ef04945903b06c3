# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A running docker-registry, a server that answers as it is told, and a token service."""

from __future__ import annotations

import base64
import datetime
import http.server
import json
import os
import ssl
import subprocess
import threading
import typing as t
import urllib.parse
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from .certificates import Issued

USERNAME = "ci"
PASSWORD = "tide-and-time"


class Registry:
    """A running docker-registry."""

    def __init__(self, program: str, directory: Path, config: dict[str, t.Any]) -> None:
        self.directory = directory
        self.log = directory / "log"
        (directory / "config.yml").write_text(json.dumps(config))  # JSON is YAML
        environment = {"PATH": os.environ["PATH"], "OTEL_TRACES_EXPORTER": "none"}
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                [program, "serve", str(directory / "config.yml")],
                stdout=log,
                stderr=subprocess.PIPE,
                text=True,
                env=environment,
            )
        lines = []
        for line in t.cast(t.IO[str], self._process.stderr):
            lines.append(line)
            if "listening on " in line:
                self.port = int(
                    line.partition("listening on ")[2].partition('"')[0].partition(",")[0].rpartition(":")[2]
                )
                break
        else:
            pytest.fail("docker-registry does not start:\n" + "".join(lines))
        self._drain = threading.Thread(target=t.cast(t.IO[str], self._process.stderr).read, daemon=True)
        self._drain.start()

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.port}"

    def requests(self, method: str) -> int:
        """How many requests of this method it has answered."""
        return self.log.read_text().count(f'"{method} /v2/')

    def blob_file(self, digest: object) -> Path:
        algorithm, encoded = str(digest).split(":")
        return self.directory / "data/docker/registry/v2/blobs" / algorithm / encoded[:2] / encoded / "data"

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        self._drain.join(10)
        t.cast(t.IO[str], self._process.stderr).close()


class Request(t.NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Reply = t.Tuple[int, t.Dict[str, str], bytes]


class Server:
    """A server that answers as it is told: for faults and for the parts of real installations that are no registry."""

    def __init__(self, answer: t.Callable[[Request], Reply], issued: Issued | None, client_ca: Issued | None) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                server.connections += 1

            def handle_any(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                early = "early-refusal" in self.path
                body = b"" if early else self.rfile.read(int(headers.get("content-length", 0)))
                request = Request(self.command, self.path, headers, body)
                server.requests.append(request)
                status, answer_headers, content = answer(request)
                self.send_response(status)
                for name, value in answer_headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)
                self.close_connection = self.close_connection or early or status == 299

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_arguments: None
        self.port = self._server.server_address[1]
        if issued:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(issued.cert_file, issued.key_file)
            if client_ca:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(client_ca.cert_file)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


class TokenService:
    """Issues tokens as the distribution project specifies them; the tests may take rights away."""

    def __init__(self, serve: t.Callable[..., Server], issued: Issued) -> None:
        self._issued = issued
        self.rights = {"pull", "push", "delete"}
        self.lifetime = 60
        self.tokens: list[str] = []
        self.server = serve(self._answer, issued)

    @property
    def config(self) -> dict[str, str]:
        return {
            "realm": f"https://{self.server.endpoint}/token",
            "service": "test registry",
            "issuer": "test issuer",
            "rootcertbundle": str(self._issued.cert_file),
        }

    def _answer(self, request: Request) -> Reply:
        expected = "Basic " + base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
        if request.headers.get("authorization") != expected:
            return 401, {}, json.dumps({"errors": [{"code": "UNAUTHORIZED", "message": "who are you"}]}).encode()
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(request.path).query)
        access = []
        for scope in query.get("scope", []):
            kind, name, actions = scope.split(":")
            granted = [action for action in actions.split(",") if action in self.rights]
            access.append({"type": kind, "name": name, "actions": granted})
        now = int(datetime.datetime.now(datetime.timezone.utc).timestamp())
        claims = {
            "iss": "test issuer",
            "sub": USERNAME,
            "aud": query["service"][0],
            "nbf": now - 120,
            "iat": now - 120,
            "exp": now + self.lifetime,
            "jti": str(len(self.tokens)),
            "access": access,
        }
        self.tokens.append(self._signed(claims))
        return 200, {"Content-Type": "application/json"}, json.dumps({"token": self.tokens[-1]}).encode()

    def _signed(self, claims: dict[str, t.Any]) -> str:
        der = base64.b64encode(self._issued.certificate.public_bytes(serialization.Encoding.DER)).decode()
        header = {"typ": "JWT", "alg": "ES256", "x5c": [der]}
        text = ".".join(_url64(json.dumps(part).encode()) for part in (header, claims))
        r, s = decode_dss_signature(self._issued.key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{text}.{_url64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def _url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
