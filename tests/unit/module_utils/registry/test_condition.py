# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a registry is: what is told of real ones, and of servers with each of the faults."""

from __future__ import annotations

import datetime
import email.utils
import json
import socket
import time
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.registry import clock, condition
from ansible_collections.longshore.delivery.plugins.module_utils.registry.condition import Condition
from ansible_collections.longshore.delivery.plugins.module_utils.registry.errors import Answer, refusal
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from tests.http_server import Handler, HttpServer, Reply, Request, json_reply

from .certificates import Certificates
from .conftest import Serve, Settings, StartRegistry
from .servers import PASSWORD, USERNAME, TokenService

HOUR = 3600.0


def look(settings: RegistrySettings, write_to: str | None = None, timeout: float = 10) -> Condition:
    return condition.condition_of(settings, timeout, write_to)


def shown(seen: Condition) -> dict[str, t.Any]:
    """As the result has it, which is JSON and holds no secret."""
    text = json.dumps(seen.shown(time.time()))
    assert PASSWORD not in text
    return t.cast("dict[str, t.Any]", json.loads(text))


def api(request: Request) -> Reply:
    """The root of a registry, and nothing else."""
    return json_reply({}) if request.path == "/v2/" else json_reply({"errors": [{"code": "NAME_UNKNOWN"}]}, 404)


class Clock(HttpServer):
    """A registry whose clock is off.

    :param seconds: by how much.
    """

    def __init__(self, seconds: float, tls: t.Any = None) -> None:
        class Serving(Handler):
            def date_time_string(self, timestamp: float | None = None) -> str:
                return email.utils.formatdate(time.time() + seconds, usegmt=True)

            def do_GET(self) -> None:
                self.reply(200, {"Content-Type": "application/json"}, b"{}")

        super().__init__(Serving, tls)


# ---- reachable ----


def test_a_registry_as_it_should_be(
    start_registry: StartRegistry, certificates: Certificates, settings: Settings
) -> None:
    authority = certificates.authority("Harbour authority")
    issued = certificates.issue("registry", ["registry.example", "localhost", "127.0.0.1"], authority, valid=(-2, 20))
    registry = start_registry(issued=issued, htpasswd=True)
    found = shown(look(settings(f"localhost:{registry.port}", ca=authority.pem)))
    assert (found["reachable"], found["problem"], found["problems"]) == (True, None, [])
    assert "127.0.0.1" in found["addresses"]
    assert found["certificate"].pop("fingerprint")
    for key, days in (("not_before", -2), ("not_after", 20)):
        moment = datetime.datetime.strptime(found["certificate"].pop(key), "%Y-%m-%dT%H:%M:%S%z")
        assert abs((moment - datetime.datetime.now(datetime.timezone.utc)).total_seconds() - days * 86400) < 600
    assert found["certificate"] == {
        "subject": "registry",
        "issuer": "Harbour authority",
        "names": ["registry.example", "localhost", "127.0.0.1"],
        "days_left": 19,
    }
    assert found["authentication"] == {"kind": "basic", "realm": "test", "service": None, "login": "accepted"}
    assert found["api_version"] == "registry/2.0"
    assert abs(found["clock_difference"]) <= 2
    assert found["tls"] == "verified"


def test_without_tls_and_login(start_registry: StartRegistry, settings: Settings) -> None:
    found = shown(look(settings(start_registry().endpoint, login=False, tls="plain")))
    assert (found["reachable"], found["problem"], found["certificate"]) == (True, None, None)
    assert found["authentication"] == {"kind": "none", "realm": None, "service": None, "login": None}


def test_a_login_that_nobody_wants_is_not_said_to_be_accepted(
    start_registry: StartRegistry, settings: Settings
) -> None:
    found = shown(look(settings(start_registry().endpoint, tls="plain")))
    assert found["authentication"]["login"] is None


def test_a_token_service(
    start_registry: StartRegistry, certificates: Certificates, settings: Settings, token_service: TokenService
) -> None:
    registry = start_registry(token=token_service.config)
    # the registry itself is plain: its token service has TLS
    plain = RegistrySettings.from_params(
        {"endpoint": registry.endpoint, "tls": "unverified", "username": USERNAME, "password": PASSWORD}
    )
    assert shown(look(plain))["problems"][0]["kind"] == "https_on_http"
    issued = certificates.issue("registry", ["127.0.0.1"], None)
    registry = start_registry(issued=issued, token=token_service.config)
    found = shown(look(settings(registry.endpoint, ca=issued.pem + token_service._issued.pem)))
    assert found["authentication"] == {
        "kind": "bearer",
        "realm": f"https://{token_service.server.endpoint}/token",
        "service": "test registry",
        "login": "accepted",
    }
    assert (found["reachable"], found["problem"]) == (True, None)


@pytest.mark.parametrize(
    ("credentials", "login", "said"),
    [
        ({"username": USERNAME, "password": "wrong"}, "refused", "it refuses user 'ci'"),
        ({}, None, "it wants a login"),
    ],
)
def test_a_wrong_password_is_told_of_a_registry_that_is_reachable(
    start_registry: StartRegistry, credentials: dict[str, str], login: str | None, said: str
) -> None:
    endpoint = start_registry(htpasswd=True).endpoint
    seen = look(RegistrySettings.from_params({"endpoint": endpoint, "tls": "plain", **credentials}))
    found = shown(seen)
    assert found["reachable"] is True
    assert seen.can_be_read is False
    assert [problem["kind"] for problem in found["problems"]] == ["unauthorized"]
    assert said in found["problem"]
    assert found["authentication"]["login"] == login


# ---- not reachable ----


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (404, b"no such page", "other", "something answers there, but not as a registry"),
        (200, b"<html>Please log in to the network</html>", "other", "not as a registry"),
        (403, b"<html>not from there</html>", "forbidden", "may not reach the registry's API"),
        (502, b"bad gateway", "other", "the server in front does not reach the registry behind it"),
    ],
)
def test_something_else_answers(
    serve: Serve, settings: Settings, status: int, body: bytes, kind: str, said: str
) -> None:
    server = serve(lambda request: (status, {"Content-Type": "text/html", "Via": "1.1 gateway.example"}, body))
    found = shown(look(settings(server.endpoint, tls="plain")))
    assert (found["reachable"], found["authentication"]) == (False, None)
    assert found["problems"][0]["kind"] == kind
    assert said in found["problem"]
    assert found["proxy"]["via"] == "1.1 gateway.example"


def test_nothing_listens_there(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        endpoint = f"127.0.0.1:{bound.getsockname()[1]}"
        found = shown(look(settings(endpoint, tls="plain")))
    assert (found["reachable"], found["addresses"]) == (False, ["127.0.0.1"])
    assert [problem["kind"] for problem in found["problems"]] == ["refused"]
    assert "proxy" not in found["problem"]


def test_an_unknown_name_and_a_proxy_that_may_know_it(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:hidden@proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "other.example")
    seen = look(settings("registry.invalid:5000"))
    found = shown(seen)
    assert (found["reachable"], found["addresses"]) == (False, [])
    assert [problem["kind"] for problem in found["problems"]] == ["name"]
    assert "HTTPS_PROXY names the proxy http://proxy.example:3128 for it" in found["problem"]
    assert found["proxy"] == {
        "environment": "http://proxy.example:3128",
        "variable": "HTTPS_PROXY",
        "exempt": None,
        "via": None,
    }
    assert "hidden" not in json.dumps(found)
    monkeypatch.setenv("NO_PROXY", "other.example, .invalid")
    found = shown(look(settings("registry.invalid:5000")))
    assert (found["proxy"]["exempt"], "proxy" in found["problem"]) == (".invalid", False)


@pytest.mark.parametrize(
    ("tls", "with_tls", "kind"), [("plain", True, "http_on_https"), ("verified", False, "https_on_http")]
)
def test_http_and_https_mixed_up(
    serve: Serve, certificates: Certificates, settings: Settings, tls: str, with_tls: bool, kind: str
) -> None:
    issued = certificates.issue("registry", ["127.0.0.1"], None) if with_tls else None
    found = shown(look(settings(serve(api, issued).endpoint, tls=tls)))
    assert (found["reachable"], found["problems"][0]["kind"], found["certificate"]) == (False, kind, None)


@pytest.mark.parametrize(
    ("names", "valid", "given", "kind", "said"),
    [
        (["registry.example"], (-1, 30), True, "tls", "for registry.example, not for 127.0.0.1"),
        (["127.0.0.1"], (-9, -2), True, "clock", "its certificate has expired"),
        (["127.0.0.1"], (2, 9), True, "clock", "its certificate is not valid yet"),
        (["127.0.0.1"], (-1, 30), False, "ca", "issued by 'Harbour authority'"),
    ],
)
def test_a_certificate_that_does_not_pass_is_shown_all_the_same(
    serve: Serve,
    certificates: Certificates,
    settings: Settings,
    names: list[str],
    valid: tuple[int, int],
    given: bool,
    kind: str,
    said: str,
) -> None:
    authority = certificates.authority("Harbour authority", valid=(-20, 20))
    server = serve(api, certificates.issue("registry", names, authority, valid=valid))
    found = shown(look(settings(server.endpoint, **({"ca": authority.pem} if given else {}))))
    assert (found["reachable"], [problem["kind"] for problem in found["problems"]]) == (False, [kind])
    assert said in found["problem"]
    assert (found["certificate"]["names"], found["certificate"]["days_left"]) == (names, valid[1] - 1)
    assert found["certificate"]["issuer"] == "Harbour authority"


# ---- clocks ----


@pytest.mark.parametrize(
    ("seconds", "told"), [(2 * HOUR + 20, "2 h 0 min ahead of"), (-2 * HOUR - 20, "2 h 0 min behind")]
)
def test_a_clock_that_is_two_hours_off(settings: Settings, seconds: float, told: str) -> None:
    with Clock(seconds) as server:
        seen = look(settings(server.endpoint, login=False, tls="plain"))
    found = shown(seen)
    assert (found["reachable"], seen.can_be_read) == (True, True)
    assert abs(found["clock_difference"] - seconds) <= 2
    assert [problem["kind"] for problem in found["problems"]] == ["clock"]
    assert f"its clock is {told} this machine's" in found["problem"]


def test_a_clock_that_is_half_a_minute_off_is_no_problem(settings: Settings) -> None:
    with Clock(30) as server:
        found = shown(look(settings(server.endpoint, login=False, tls="plain")))
    assert (found["problem"], abs(found["clock_difference"] - 30) <= 2) == (None, True)


@pytest.mark.parametrize(("seconds", "this_one"), [(-48.1 * HOUR, True), (48.1 * HOUR, False), (0, None)])
def test_of_two_clocks_the_one_that_is_off_is_told_by_the_certificate(
    certificates: Certificates, settings: Settings, seconds: float, this_one: bool | None
) -> None:
    """It expired yesterday by this machine's clock; by that of a server which lives two days ago it is valid."""
    authority = certificates.authority(valid=(-9, 9))
    issued = certificates.issue("registry", ["127.0.0.1"], authority, valid=(-5, -1))
    with Clock(seconds, issued.served()) as server:
        found = shown(look(settings(server.endpoint, ca=authority.pem)))
    assert found["problems"][0]["kind"] == "clock"
    assert ("which is 2 d 0 h" in found["problem"]) is (this_one is not None)
    assert ("this machine's is likely the one that is off" in found["problem"]) is (this_one is True)


def test_dates_that_are_none() -> None:
    assert [clock.seconds_of(date) for date in (None, "", "yesterday", "Sun, 99 Foo 2026 25:61:61 GMT")] == [None] * 4
    assert clock.seconds_of("Sun, 22 Nov 2026 10:46:25 GMT") == 1795344385.0
    assert [clock.apart(seconds) for seconds in (61, -86400 * 3 - 7200)] == ["1 min ahead of", "3 d 2 h behind"]


# ---- what it lets one do ----


@pytest.mark.parametrize(
    ("how", "expected", "tried"),
    [
        ({}, (True, False, False, None), (True, False, False, True)),
        ({"delete": False}, (False, False, None, None), (False, False, False, True)),
        ({"read_only": True}, (None, True, None, None), (None, True, None, False)),
        ({"cache": True}, (False, False, None, None), (False, False, True, False)),
    ],
)
def test_deletion_read_only_mode_and_caches(
    start_registry: StartRegistry,
    settings: Settings,
    how: dict[str, t.Any],
    expected: tuple[bool | None, ...],
    tried: tuple[bool | None, ...],
) -> None:
    if how.get("cache"):
        how = {"cache_of": start_registry().endpoint}
    registry = start_registry(**how)
    plain = settings(registry.endpoint, login=False, tls="plain")
    for write_to, wanted in ((None, expected), ("shop/probe", tried)):
        found = shown(look(plain, write_to))
        keys = ("delete_enabled", "read_only", "mirror", "push_accepted")
        assert tuple(found[key] for key in keys) == wanted
        assert (registry.requests("POST") > 0) is (write_to is not None)
        assert bool(found["problems"]) is (write_to is not None and wanted[3] is False)
        assert found["reachable"] is True
    # distribution 2.8 leaves an empty hash of a cancelled upload behind
    assert not list(registry.directory.glob("data/docker/registry/v2/repositories/*/*/_uploads/*/data"))
    assert not list(registry.directory.glob("data/docker/registry/v2/blobs/*/*/*"))


@pytest.mark.parametrize(
    ("refused", "read_only", "deletes"), [(("DELETE", "POST"), True, None), (("POST",), True, True)]
)
def test_a_front_that_refuses_writes(
    serve: Serve, settings: Settings, refused: t.Sequence[str], read_only: bool, deletes: bool | None
) -> None:
    def answer(request: Request) -> Reply:
        return (503, {"Retry-After": "60"}, b"<html>later") if request.method in refused else api(request)

    found = shown(look(settings(serve(answer).endpoint, tls="plain"), "shop/probe"))
    assert (found["read_only"], found["delete_enabled"], found["push_accepted"]) == (read_only, deletes, False)
    assert "Try again in 60 s" in found["problem"]


def test_a_right_that_a_user_has_not_says_nothing_of_the_registry(serve: Serve, settings: Settings) -> None:
    denied = json_reply({"errors": [{"code": "DENIED"}]}, 403)
    server = serve(lambda request: denied if request.method == "DELETE" else api(request))
    found = shown(look(settings(server.endpoint, tls="plain")))
    assert (found["read_only"], found["delete_enabled"], found["problem"]) == (None, None, None)


def test_a_user_who_may_not_push(
    start_registry: StartRegistry, certificates: Certificates, settings: Settings, token_service: TokenService
) -> None:
    issued = certificates.issue("registry", ["127.0.0.1"], None)
    registry = start_registry(issued=issued, token=token_service.config)
    token_service.rights = {"pull"}
    seen = look(settings(registry.endpoint, ca=issued.pem + token_service._issued.pem), "shop/probe")
    found = shown(seen)
    assert (found["reachable"], seen.can_be_read, found["push_accepted"], found["read_only"]) == (
        True,
        True,
        False,
        None,
    )
    assert found["delete_enabled"] is None
    assert [problem["kind"] for problem in found["problems"]] == ["forbidden"]


def test_uploads_that_would_go_elsewhere(serve: Serve, settings: Settings) -> None:
    """As where the server in front does not pass on what it is called."""

    def answer(request: Request) -> Reply:
        if request.method == "POST":
            return 202, {"Location": "http://other.example/v2/shop/probe/blobs/uploads/1"}, b""
        return api(request)

    found = shown(look(settings(serve(answer).endpoint, tls="plain"), "shop/probe"))
    assert "it wants uploads to go to http://other.example" in found["problem"]
    assert found["push_accepted"] is False


# ---- proxies ----


@pytest.mark.parametrize("status", [403, 502, 503, 504, 407])
def test_an_answer_of_a_proxy_is_told_as_such(status: int) -> None:
    error = refusal("registry.example:5000", "the API", Answer(status, "", {"via": "1.1 gateway.example"}, b""), None)
    assert "a proxy in between" in str(error)
