# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whoever does not log in may pull, and users alone may push, by the bare protocol.

What engines and their like make of it: tests/integration/registry_clients.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import ssl
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryError
from tests.integration.asking import eventually

from .lab import ADDRESS, LOGIN, NGINX, PORT, REGISTRY, changed, client, on_host, play, processes
from .traffic import OCI, push

pytestmark = [pytest.mark.lab, pytest.mark.wide]

OPEN: dict[str, t.Any] = {"registry_anonymous_pull": True, "registry_metrics_port": 5002}
ENDPOINT = f"{ADDRESS}:{PORT}"
PAIR = base64.b64encode(f"{LOGIN['username']}:{LOGIN['password']}".encode()).decode()
WRONG = base64.b64encode(f"{LOGIN['username']}:not-the-password".encode()).decode()
REALM = f'Bearer realm="https://{ENDPOINT}/longshore/token",service="{ENDPOINT}"'
NO_TOKEN_WILL_DO = REALM + ',error="insufficient_scope"'
BASIC = 'Basic realm="registry"'
UPLOADS = "blobs/uploads/"
LOGS = "cat /var/log/nginx/*.log; journalctl --unit docker-registry --unit longshore-registry --output cat"


class Answer(t.NamedTuple):
    status: int
    challenge: str | None
    body: bytes


def ask(path: str, authorization: str = "", method: str = "GET", plain: bool = False) -> Answer:
    """One request by a connection of its own."""
    if plain:
        connection = http.client.HTTPConnection(ADDRESS, PORT, timeout=10)
    else:
        connection = http.client.HTTPSConnection(ADDRESS, PORT, timeout=10, context=ssl._create_unverified_context())
    headers = {"Accept": OCI, **({"Authorization": authorization} if authorization else {})}
    with contextlib.closing(connection):
        connection.request(method, path, headers=headers)
        got = connection.getresponse()
        return Answer(got.status, got.headers.get("WWW-Authenticate"), got.read())


def workers() -> set[str]:
    """The processes of nginx that take connections, or end those that they have."""
    return set(on_host("pgrep", "--parent", processes()[NGINX]).split())


def play_anew(**variables: t.Any) -> None:
    """Run the role; then those alone take connections that nginx has started since, as a reload is not waited for."""
    before = workers()
    play(**variables)
    eventually(lambda: not before & workers())


@pytest.fixture(scope="module")
def open_to_all(ca: str) -> t.Iterator[None]:
    """Whoever likes may pull; afterwards users alone."""
    running = processes()
    play_anew(**OPEN)
    assert ask("/longshore/token").status == 200
    yield
    play_anew()
    assert ask("/longshore/token").status == 404
    assert processes()[NGINX] == running[NGINX], "a reload does"


@pytest.fixture
def path(open_to_all: None, ca: str, repository: str, image: ManifestDigest) -> str:
    return f"/v2/{repository}/"


def test_a_second_run_changes_nothing_and_the_log_has_users(open_to_all: None, ca: str) -> None:
    assert changed(play(**OPEN)) == 0
    assert ask("/v2/", f"Bearer {PAIR}").status == 200
    assert ask("/v2/", f"Basic {WRONG}").status == 401
    eventually(lambda: "- ci [" in on_host("cat", "/var/log/nginx/longshore-registry.log"))
    said = on_host("sh", "-c", LOGS)
    assert f'user "{LOGIN["username"]}": password mismatch, client: 10.90.0.1' in said
    for secret in (LOGIN["password"], "not-the-password", PAIR, WRONG):
        assert secret not in said


def test_who_asks_for_the_way_to_log_in_gets_a_token(path: str, image: ManifestDigest) -> None:
    manifest = f"{path}manifests/{image}"
    assert ask("/v2/")[:2] == (401, REALM)
    token = "/longshore/token?account=ci&scope=repository%3Ax%3Apull%2Cpush&service=x"
    assert json.loads(ask(token).body)["token"] == "anonymous"
    assert ask("/v2/", "Bearer anonymous")[:2] == (200, None)
    assert ask(manifest, "Bearer anonymous").status == ask(manifest, "Bearer anonymous", "HEAD").status == 200
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert ask(path + UPLOADS, "Bearer anonymous", method)[:2] == (401, NO_TOKEN_WILL_DO)
    assert ask(token, f"Basic {WRONG}")[:2] == (401, BASIC)
    assert ask(token, method="POST").status == 405, "so that those who ask by POST first ask by GET then"
    mine = json.loads(ask(token, f"Basic {PAIR}").body)["token"]
    assert ask("/v2/", f"Bearer {mine}")[:2] == ask(manifest, f"Bearer {mine}")[:2] == (200, None)
    assert ask(path + UPLOADS, f"Bearer {mine}", "POST").status == 202


def test_who_goes_straight_to_an_image_reads_it_and_writes_with_a_password(path: str, image: ManifestDigest) -> None:
    manifest = f"{path}manifests/{image}"
    assert ask(manifest)[:2] == (200, None)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert ask(path + UPLOADS, method=method)[:2] == (401, BASIC)
    assert ask(manifest, method="DELETE")[:2] == (401, BASIC)
    assert ask(manifest, f"Basic {PAIR}")[:2] == ask("/v2/", f"Basic {PAIR}")[:2] == (200, None)
    assert ask(path + UPLOADS, f"Basic {PAIR}", "POST").status == 202
    assert ask("/longshore/metrics").status == 401
    assert ask("/longshore/metrics", f"Basic {PAIR}").status == 200


def test_what_is_wrong_is_refused_and_not_taken_for_nobody(path: str, image: ManifestDigest) -> None:
    manifest = f"{path}manifests/{image}"
    nobody = base64.b64encode(b"eve:not-the-password").decode()
    for pair in (WRONG, nobody, base64.b64encode(b"ci").decode(), base64.b64encode(b"ci:").decode()):
        for asked in (manifest, "/v2/"):
            assert ask(asked, f"Basic {pair}")[:2] == (401, BASIC)
            assert ask(asked, f"Bearer {pair}")[:2] == (401, NO_TOKEN_WILL_DO)
    for what in ("Bearer", "Bearer not*base64", "Digest username=ci", "Basic", "Basic not*base64", f"Basic {PAIR} x"):
        assert ask(manifest, what).status == 401
        assert ask(path + UPLOADS, what, "POST").status == 401
        assert ask("/longshore/token", what).status == 401
    assert ask("/longshore/user").status == 404, "for nginx itself"


def test_the_collections_own_client_pulls_with_no_login_and_pushes_with_one(
    open_to_all: None, ca: str, repository: str
) -> None:
    layer = os.urandom(5_000_000)
    with (
        client(ca) as pushing,
        client(ca, {}) as pulling,
        client(ca, {**LOGIN, "password": "not-the-password"}) as wrong,
    ):
        pushing.ping()
        pulling.ping()
        image = push(pushing, repository, layer, "2")
        blob = pulling.get_manifest(repository, image).document["layers"][0]
        assert blob["size"] == len(layer)
        for refused in (pulling, wrong):
            with pytest.raises(RegistryError) as caught:
                refused.delete_manifest(repository, image)
            assert caught.value.kind == "unauthorized"
        with pytest.raises(RegistryError) as caught:
            wrong.ping()
        assert caught.value.kind == "unauthorized"
        assert pushing.delete_manifest(repository, image)


def test_over_plain_http_beside_tls_and_while_garbage_is_collected(path: str, image: ManifestDigest) -> None:
    flag = "/run/longshore-registry-garbage/writes-refused"
    given: dict[str, t.Any] = {**OPEN, "registry_plain_too": True, "registry_collect": "weekly"}
    play_anew(**given)
    manifest = f"{path}manifests/{image}"
    assert ask("/v2/", plain=True).status == 401
    assert ask("/v2/", plain=True).challenge == REALM.replace("https", "http")
    assert json.loads(ask("/longshore/token", f"Basic {PAIR}", plain=True).body)["token"] == PAIR
    assert ask(manifest, plain=True).status == ask(manifest, "Bearer anonymous", plain=True).status == 200
    assert ask(path + UPLOADS, f"Bearer {WRONG}", "POST", plain=True)[:2] == (
        401,
        NO_TOKEN_WILL_DO.replace("https", "http"),
    )
    assert ask(path + UPLOADS, f"Bearer {PAIR}", "POST", plain=True).status == 202
    on_host("sh", "-c", f"mkdir -p $(dirname {flag}) && touch {flag}")
    try:
        for authorization in ("", "Bearer anonymous", f"Bearer {PAIR}", f"Basic {WRONG}"):
            assert ask(path + UPLOADS, authorization, "POST")[:2] == (503, None)
        assert ask(manifest).status == 200
        assert ask("/longshore/token").status == 200
    finally:
        on_host("sh", "-c", f"rm {flag} && rmdir $(dirname {flag})")
    assert ask(path + UPLOADS, f"Bearer {PAIR}", "POST").status == 202


def test_without_users_it_is_refused(open_to_all: None) -> None:
    said = " ".join(play(ok=False, longshore_registry={"endpoint": REGISTRY["endpoint"]}, **OPEN).split())
    assert "registry_anonymous_pull asks for a login to push and delete, and there is no user" in said


@pytest.mark.rare
def test_plain_http_alone(open_to_all: None) -> None:
    play_anew(longshore_registry={**REGISTRY, "tls": "plain"}, **OPEN)
    assert ask("/v2/", plain=True).challenge == REALM.replace("https", "http")
    assert ask("/v2/nobodys/manifests/1", plain=True).status == 404
    assert ask("/v2/nobodys/" + UPLOADS, f"Bearer {PAIR}", "POST", plain=True).status == 202
    assert ask("/v2/nobodys/" + UPLOADS, method="POST", plain=True)[:2] == (401, BASIC)
