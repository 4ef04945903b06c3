# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP servers that answer as they are told: for faults, and for parts of real installations that a test can do without."""

from __future__ import annotations

import http.server
import json
import socket
import socketserver
import ssl
import threading
import typing as t
from pathlib import Path


class Handler(http.server.BaseHTTPRequestHandler):
    """What the tests' servers have in common: connections are kept, and nothing is logged."""

    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"  # else what is no HTTP gets an answer that is none either

    def setup(self) -> None:
        super().setup()
        if self.request.family != socket.AF_UNIX:
            # a body that follows its headers would wait for their acknowledgement, which comes after 40 ms
            self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)

    def reply(self, status: int, headers: t.Mapping[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Patient(socketserver.BaseServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that break off are what some tests are about."""


class _OnPort(_Patient, http.server.ThreadingHTTPServer):
    daemon_threads = True


class _OnSocket(_Patient, socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


class HttpServer:
    """Serves in threads of its own from its making to C(stop), which the end of a C(with) block calls.

    :param address: of this machine, on which it takes a free port; or the path of a socket.
    """

    def __init__(
        self, handler: type[Handler], tls: ssl.SSLContext | None = None, address: str | Path = "127.0.0.1"
    ) -> None:
        self._server: _OnPort | _OnSocket
        if isinstance(address, Path):
            self._server, self.port, self.endpoint = _OnSocket(str(address), handler), 0, str(address)
        else:
            self._server = _OnPort((address, 0), handler)
            self.port = self._server.server_port
            self.endpoint = f"{address}:{self.port}"
        if tls:
            # by each connection's own thread: a client that never begins must not keep the others out
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()


class Request(t.NamedTuple):
    """:param headers: by their names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


# status, headers without the content's length, content
Reply = t.Tuple[int, t.Dict[str, str], bytes]
Answer = t.Callable[[Request], Reply]

# a request for a path with this is answered before its body is read, and its connection closed
EARLY_REFUSAL = "early-refusal"


class AnsweringServer(HttpServer):
    """Gives every request to one function.

    :ivar requests: what was asked, in order.
    :ivar connections: how many there were.
    """

    def __init__(self, answer: Answer, tls: ssl.SSLContext | None = None, address: str | Path = "127.0.0.1") -> None:
        self.requests: list[Request] = []
        self.connections = 0
        server = self

        class Answering(Handler):
            def setup(self) -> None:
                super().setup()
                server.connections += 1

            def answer(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                early = EARLY_REFUSAL in self.path
                body = b"" if early else self.rfile.read(int(headers.get("content-length", 0)))
                request = Request(self.command, self.path, headers, body)
                server.requests.append(request)
                self.reply(*answer(request))
                self.close_connection = self.close_connection or early

            do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = answer

        super().__init__(Answering, tls, address)


def json_reply(document: object, status: int = 200) -> Reply:
    return status, {"Content-Type": "application/json"}, json.dumps(document).encode()


class ManifestServer(AnsweringServer):
    """Answers as a registry over HTTP does to a HEAD of its manifests.

    :param digests: of the manifests, by C(repository/manifests/reference).
    """

    def __init__(self, digests: t.Mapping[str, str]) -> None:
        def answer(request: Request) -> Reply:
            digest = digests.get(request.path.removeprefix("/v2/"))
            if digest is None:
                return 404, {}, b""
            manifest = {"Docker-Content-Digest": digest, "Content-Type": "application/vnd.oci.image.manifest.v1+json"}
            return 200, manifest, b""

        super().__init__(answer)
