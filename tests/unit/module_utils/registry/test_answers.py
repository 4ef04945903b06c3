# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a registry, or a server in its place, may answer: the kind of error, the cause and the way out; no secret leaks."""

from __future__ import annotations

import base64
import errno
import json
import socket
import threading

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.digest import BlobDigest
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.errors import Answer, refusal
from ansible_collections.longshore.delivery.plugins.module_utils.registry.transport import Request as Transported
from tests.http_server import Reply, Request

from .asserting import Call, fault, told
from .certificates import Certificates
from .conftest import Serve, Settings, StartRegistry
from .servers import TokenService

# ---- who may do what ----


def test_basic_logins(start_registry: StartRegistry, settings: Settings) -> None:
    endpoint = start_registry(htpasswd=True).endpoint
    error = fault(settings(endpoint, login=False, tls="plain"))
    told(error, "unauthorized", "it wants a login", "UNAUTHORIZED: authentication required", "Set 'username'")
    assert error.status == 401
    wrong = settings(endpoint, login=False, tls="plain", username="ci", password="wrong-secret")
    error = fault(wrong)
    told(error, "unauthorized", "it refuses user 'ci'", "Check 'username' and 'password'")
    assert "wrong-secret" not in str(error) + repr(wrong)
    calls: list[Call] = [
        lambda client: client.head_manifest("shop/web", "1"),
        lambda client: client.has_blob("shop/web", BlobDigest.of(b"")),
        lambda client: client.push_blob("shop/web", b"x"),
        lambda client: client.put_manifest("shop/web", "1", "application/json", b"{}"),
    ]
    for call in calls:
        told(fault(wrong, call), "unauthorized", "it refuses user 'ci' for ")


def test_token_logins(start_registry: StartRegistry, token_service: TokenService, settings: Settings) -> None:
    registry = start_registry(token=token_service.config)
    pem = token_service._issued.pem
    told(fault(settings(registry.endpoint, tls="plain")), "ca", "it sends its clients on to https://127.0.0.1:")

    tls = start_registry(issued=token_service._issued, token=token_service.config)
    told(
        fault(settings(tls.endpoint, login=False, ca=pem)),
        "unauthorized",
        "its token service https://",
        "wants a login",
    )
    wrong = settings(tls.endpoint, login=False, ca=pem, username="ci", password="wrong-secret")
    error = fault(wrong)
    told(error, "unauthorized", "refuses user 'ci' (HTTP 401: UNAUTHORIZED: who are you)")
    assert "wrong-secret" not in str(error)

    token_service.rights = {"pull"}
    error = fault(settings(tls.endpoint, ca=pem), lambda client: client.push_blob("shop/web", b"x"))
    told(error, "forbidden", "user 'ci' may not reach an upload to shop/web", "Ask for this right")
    assert not any(token in str(error) for token in token_service.tokens)


def test_a_password_goes_to_no_token_service_without_tls(
    serve: Serve, certificates: Certificates, settings: Settings
) -> None:
    service = serve(lambda request: (200, {}, b'{"token": "x"}'))
    challenge = f'Bearer realm="http://{service.endpoint}/token",service="s"'
    issued = certificates.issue("registry", ["127.0.0.1"], None)
    registry = serve(lambda request: (401, {"WWW-Authenticate": challenge}, b""), issued)
    for tls in ({"ca": issued.pem}, {"tls": "unverified"}):
        error = fault(settings(registry.endpoint, **tls))
        told(error, "tls", f"token service http://{service.endpoint} has no TLS; the password is not sent there")
    assert service.requests == []


def test_what_takes_no_token_is_asked_by_the_password_each_time(serve: Serve, settings: Settings) -> None:
    """As what the role registry has beside its images, where pulls need no login."""

    def answer(request: Request) -> Reply:
        given = request.headers.get("authorization", "")
        if request.path == "/token":
            return 200, {}, b'{"token": "for-images"}'
        if request.path.startswith("/v2/"):
            challenge = f'Bearer realm="http://{request.headers["host"]}/token"'
            return (200, {}, b"") if given else (401, {"WWW-Authenticate": challenge}, b"")
        return (200, {}, b"[]") if given.startswith("Basic ") else (401, {"WWW-Authenticate": 'Basic realm="r"'}, b"")

    with RegistryClient(settings(serve(answer).endpoint, tls="plain")) as client:
        client.ping()
        beside = Transported("GET", "/longshore/storage/", limit=1000)
        assert [client.request(beside).status for _turn in range(3)] == [200, 200, 200]
        client.ping()


def test_a_registry_that_repeats_secrets(serve: Serve, settings: Settings) -> None:
    def answer(request: Request) -> Reply:
        given = request.headers.get("authorization")
        if given is None:
            return 401, {"WWW-Authenticate": 'Negotiate, Basic realm="a, b"'}, b""
        password = base64.b64decode(given.partition(" ")[2]).decode().partition(":")[2]
        message = {"errors": [{"code": "DENIED", "message": f"{given}: no {password}", "detail": {"sent": given}}]}
        return 403, {}, json.dumps(message).encode()

    error = fault(settings(serve(answer).endpoint, tls="plain"))
    told(error, "forbidden", "user 'ci' may not reach the registry's API", "DENIED: Basic ***: no ***")


# ---- what the server answers ----


def test_deletes_are_off(start_registry: StartRegistry, settings: Settings) -> None:
    registry = start_registry(delete=False)
    with RegistryClient(settings(registry.endpoint, login=False, tls="plain")) as client:
        config = client.push_blob("shop/web", b"{}")
        body = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": str(config), "size": 2},
                "layers": [],
            }
        ).encode()
        digest = client.put_manifest("shop/web", "1", "application/vnd.oci.image.manifest.v1+json", body)
    error = fault(
        settings(registry.endpoint, login=False, tls="plain"), lambda client: client.delete_manifest("shop/web", digest)
    )
    told(error, "other", "HTTP 405: UNSUPPORTED", "storage.delete.enabled")


@pytest.mark.parametrize(
    ("reply", "fragments"),
    [
        (
            (503, {"Retry-After": "30"}, b"<h1>maintenance</h1>"),
            ("takes no request", "(HTTP 503: maintenance)", "in 30 s."),
        ),
        ((429, {}, b'{"errors":[{"code":"TOOMANYREQUESTS"}]}'), ("HTTP 429: TOOMANYREQUESTS", "Try again later.")),
        (
            (502, {}, b"<html><title>502 Bad Gateway</title></html>"),
            ("does not reach the registry behind it", "502 Bad Gateway"),
        ),
        ((404, {}, b"not here"), ("not as a registry (HTTP 404, no content type, for /v2/)",)),
        ((200, {"Content-Type": "text/html"}, b"hello"), ("not as a registry (HTTP 200, text/html",)),
        ((500, {}, b""), ("it answers HTTP 500: Internal Server Error for the registry's API",)),
    ],
)
def test_other_answers(serve: Serve, settings: Settings, reply: Reply, fragments: tuple[str, ...]) -> None:
    told(fault(settings(serve(lambda request: reply).endpoint, tls="plain")), "other", *fragments)


def test_a_front_refuses_a_large_body_while_it_is_sent(serve: Serve, settings: Settings) -> None:
    def answer(request: Request) -> Reply:
        if request.method == "POST":
            return 202, {"Location": "/v2/early-refusal"}, b""
        return (413 if request.method == "PUT" else 404), {}, b"<title>413 Request Entity Too Large</title>"

    error = fault(settings(serve(answer).endpoint, tls="plain"), lambda client: client.push_blob("a", b"x" * 100_000))
    told(error, "other", "an upload to a is too large", "client_max_body_size 0")


def test_a_server_that_hangs_up(listening: socket.socket, settings: Settings) -> None:
    def hang_up() -> None:
        while True:
            try:
                listening.accept()[0].close()
            except OSError:
                return

    thread = threading.Thread(target=hang_up, daemon=True)
    thread.start()
    endpoint = "127.0.0.1:%d" % listening.getsockname()[1]
    told(fault(settings(endpoint, tls="plain")), "other", "closed the connection without an answer")
    told(fault(settings(endpoint)), "tls", "breaks the connection off during TLS")
    listening.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def test_no_http_at_all(settings: Settings, listening: socket.socket) -> None:
    def greet() -> None:
        connection = listening.accept()[0]
        connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
        connection.recv(4096)
        connection.close()
        listening.accept()[0].close()  # the look whether it is TLS

    thread = threading.Thread(target=greet, daemon=True)
    thread.start()
    error = fault(settings("127.0.0.1:%d" % listening.getsockname()[1], tls="plain"))
    told(error, "other", "its answer is no HTTP", "SSH-2.0")
    thread.join(10)


def test_a_blob_that_ends_too_early(settings: Settings, listening: socket.socket) -> None:
    def begin() -> None:
        connection = listening.accept()[0]
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nlayer")
        connection.close()

    def read(client: RegistryClient) -> None:
        with client.open_blob("a", BlobDigest.of(b"layer")) as stream:
            while stream.read(100):
                pass

    thread = threading.Thread(target=begin, daemon=True)
    thread.start()
    endpoint = "127.0.0.1:%d" % listening.getsockname()[1]
    told(fault(settings(endpoint, tls="plain"), read), "other", "is cut short", "95 more expected")
    thread.join(10)


def test_a_manifest_without_end(serve: Serve, settings: Settings) -> None:
    server = serve(lambda request: (200, {}, b" " * (5 * 1024 * 1024)))
    error = fault(settings(server.endpoint, tls="plain"), lambda client: client.get_manifest("a", "1"))
    told(error, "other", "more than the 4194304 bytes")


# ---- where it sends its clients ----


def test_blobs_come_from_another_server_that_gets_no_password(serve: Serve, settings: Settings) -> None:
    store = serve(lambda request: (200, {}, b"layer"))

    def answer(request: Request) -> Reply:
        if "authorization" not in request.headers:
            return 401, {"WWW-Authenticate": 'Basic realm="r"'}, b""
        return 307, {"Location": f"http://{store.endpoint}/bucket/layer?signature=abc"}, b""

    with RegistryClient(settings(serve(answer).endpoint, tls="plain")) as client:
        assert client.get_blob("a", BlobDigest.of(b"layer")) == b"layer"
        with client.open_blob("a", BlobDigest.of(b"layer")) as stream:
            assert stream.read(100) == b"layer"
    assert [request.path for request in store.requests] == ["/bucket/layer?signature=abc"] * 2
    assert not any("authorization" in request.headers for request in store.requests)


def test_no_step_down_from_tls(serve: Serve, certificates: Certificates, settings: Settings) -> None:
    store = serve(lambda request: (200, {}, b"layer"))
    issued = certificates.issue("registry", ["127.0.0.1"], None)
    server = serve(lambda request: (307, {"Location": f"http://{store.endpoint}/x?token=hidden"}, b""), issued)
    error = fault(
        settings(server.endpoint, ca=issued.pem), lambda client: client.get_blob("a", BlobDigest.of(b"layer"))
    )
    told(error, "tls", f"to http://{store.endpoint}, without TLS", "X-Forwarded-Proto")
    assert "hidden" not in str(error)
    assert store.requests == []


def test_endless_redirections(serve: Serve, settings: Settings) -> None:
    server = serve(lambda request: (307, {"Location": request.path}, b""))
    told(fault(settings(server.endpoint, tls="plain")), "other", "redirects more than 5 times")
    assert len(server.requests) == 6


def test_uploads_go_to_the_registry_itself(serve: Serve, settings: Settings) -> None:
    elsewhere = serve(lambda request: (201, {}, b""))

    def answer(request: Request) -> Reply:
        return (
            (202, {"Location": f"http://{elsewhere.endpoint}/upload"}, b"")
            if request.method == "POST"
            else (404, {}, b"")
        )

    error = fault(settings(serve(answer).endpoint, tls="plain"), lambda client: client.push_blob("a", b"x"))
    told(error, "other", f"uploads to go to http://{elsewhere.endpoint}, not to itself", "X-Forwarded-Proto")
    assert elsewhere.requests == []


def test_digests_that_contradict(serve: Serve, settings: Settings) -> None:
    other = "sha256:" + "0" * 64
    server = serve(lambda request: (200 if request.method != "PUT" else 201, {"Docker-Content-Digest": other}, b"{}"))
    chosen = settings(server.endpoint, tls="plain")
    asked = BlobDigest.of(b"{}")
    error = fault(chosen, lambda client: client.head_manifest("a", str(asked)))
    told(error, "other", f"it serves the manifest a@{asked} as {other}")
    told(fault(chosen, lambda client: client.get_manifest("a", "1")), "other", "have the digest", f"not {other}")
    error = fault(chosen, lambda client: client.put_manifest("a", "1", "application/json", b"{}"))
    told(error, "other", f"stored the manifest a:1 as {other}")
    server = serve(lambda request: (200, {"Docker-Content-Digest": "junk"}, b"{}"))
    error = fault(settings(server.endpoint, tls="plain"), lambda client: client.head_manifest("a", "1"))
    told(error, "other", "names a digest for the manifest a:1 that is none")


def test_a_head_without_a_digest_is_asked_again_with_the_body(serve: Serve, settings: Settings) -> None:
    server = serve(
        lambda request: (200, {"Content-Type": "application/vnd.oci.image.index.v1+json; charset=utf-8"}, b"{}")
    )
    with RegistryClient(settings(server.endpoint, tls="plain")) as client:
        head = client.head_manifest("a", "1")
    assert head is not None
    assert (str(head.digest), head.size, head.is_index) == (str(BlobDigest.of(b"{}")), 2, True)


def of_storage(number: object) -> Answer:
    """As a registry of the distribution project hands on what its system said."""
    detail = {
        "DriverName": "filesystem",
        "Enclosed": {"Op": "mkdir", "Path": "/var/lib/docker-registry", "Err": number},
    }
    error = {"code": "UNKNOWN", "message": "unknown error", "detail": detail}
    return Answer(500, "Internal Server Error", {}, json.dumps({"errors": [error]}).encode())


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "there is no room left on its disk, for a blob of shop (HTTP 500: UNKNOWN: unknown error"),
        (errno.EDQUOT, "the quota of its disk is used up"),
        (errno.EROFS, "its storage is read-only"),
        (errno.EACCES, "Give the directory to the user that the registry runs as."),
        (errno.EIO, "its disk fails"),
        (errno.ENOENT, "The registry's own log says more."),
        ({}, "The registry's own log says more."),
    ],
)
def test_a_storage_that_fails_is_said(number: object, said: str) -> None:
    assert said in str(refusal("registry.example:5000", "a blob of shop", of_storage(number), None))
