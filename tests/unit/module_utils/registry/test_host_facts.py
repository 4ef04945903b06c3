# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the look of the role registry reads from a host: ports, certificates, users, units, and the registry itself."""

from __future__ import annotations

import os
import socket
import time
import typing as t
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_certificate import (
    UnfitCertificate,
    alternative_name,
    examine,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_listeners import (
    Listener,
    Sockets,
    can_listen_on,
    unit_of,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_serving import STAMP_PATH, ask
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_units import (
    host_fault,
    package_versions,
    units,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.memory_file import file_in_memory
from tests.http_server import Reply, Request

from .certificates import Certificates
from .conftest import Serve, Settings
from .servers import PASSWORD, USERNAME

# ports


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::1", "::"])
def test_the_process_that_listens_is_found(address: str) -> None:
    if not can_listen_on(address) or not can_listen_on("::1" if ":" in address else "127.0.0.1"):
        pytest.skip(f"this machine has no {address}, or no loopback of its kind")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family) as server:
        port = server.getsockname()[1]
        (found,) = Sockets().listeners(port)
        assert (found.address, found.port, found.pid) == (address, port, os.getpid())
        assert str(os.getpid()) in found.named
        with socket.create_connection(("::1" if ":" in address else "127.0.0.1", port)):
            assert len(Sockets().listeners(port)) == 1, "a connection is no listener"
        named = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        assert named in Sockets().addresses_of(os.getpid())
    assert Sockets().listeners(port) == []
    assert named not in Sockets().addresses_of(os.getpid())
    assert Sockets().addresses_of(0) == []


def test_a_listener_of_no_visible_process_is_told(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    row = "0: 0100007F:1388 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 4711 1"
    (tmp_path / "net" / "tcp").write_text(f"head\n{row}\n")
    (found,) = Sockets(str(tmp_path)).listeners(5000)
    assert found.pid == 0
    assert "cannot be seen" in found.named


@pytest.mark.parametrize(
    ("theirs", "ours", "expected"),
    [
        ("0.0.0.0", "192.0.2.1", True),
        ("192.0.2.1", "0.0.0.0", True),
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("::", "192.0.2.1", True),
        ("::", "::1", True),
        ("::1", "192.0.2.1", False),
        ("::1", "0.0.0.0", False),
        ("192.0.2.1", "::", True),
    ],
)
def test_which_listeners_are_in_the_way(theirs: str, ours: str, expected: bool) -> None:
    assert Listener(theirs, 5000).is_in_the_way_of(ours) is expected


@pytest.mark.parametrize(
    ("cgroup", "expected"),
    [
        ("0::/system.slice/nginx.service\n", "nginx.service"),
        ("12:cpu:/\n1:name=systemd:/docker/abc/system.slice/ssh.service\n", "ssh.service"),
        ("0::/user.slice/user-0.slice/session-3.scope\n", "session-3.scope"),
        ("0::/init.scope/nested/x.service/deeper\n", "x.service"),
        ("4:memory:/system.slice/other.service\n1:name=systemd:/\n", ""),
        ("", ""),
    ],
)
def test_the_unit_of_a_process(cgroup: str, expected: str) -> None:
    assert unit_of(cgroup) == expected


def test_an_address_of_another_host_cannot_be_listened_on() -> None:
    assert can_listen_on("127.0.0.1")
    assert not can_listen_on("203.0.113.9")


# certificates


def test_a_certificate_that_fits_is_read(certificates: Certificates, settings: Settings) -> None:
    authority = certificates.authority()
    issued = certificates.issue("registry", ["192.0.2.7", "Registry.example", "2001:db8::7"], authority, (-1, 30))
    found = examine(str(issued.cert_file), str(issued.key_file), settings("192.0.2.7:5000", ca=authority.pem))
    assert found.subject_alt_names == ("IP:192.0.2.7", "DNS:registry.example", "IP:2001:db8::7")
    assert found.days_left() == 29


@pytest.mark.parametrize("endpoint", ["registry.example:5000", "[2001:db8::7]:5000"])
def test_it_fits_each_of_its_names(certificates: Certificates, settings: Settings, endpoint: str) -> None:
    authority = certificates.authority()
    issued = certificates.issue("registry", ["registry.example", "2001:db8::7"], authority)
    assert examine(str(issued.cert_file), str(issued.key_file), settings(endpoint, ca=authority.pem))


def test_one_text_in_memory_is_certificate_and_key(certificates: Certificates, settings: Settings) -> None:
    authority = certificates.authority()
    issued = certificates.issue("registry", ["a.example"], authority)
    with file_in_memory(issued.pem + issued.key_file.read_text()) as both:
        assert examine(both, both, settings("a.example", ca=authority.pem))


@pytest.mark.parametrize(
    ("fault", "word", "explained"),
    [
        ("name", "not valid for", "is for b.example, not for a.example. Issue one with a.example among"),
        ("no name", "not valid for", "for no host: it has no subject alternative names"),
        ("authority", "unable to get local issuer", "issued by 'Another', whom this machine does not trust, nor does"),
        ("key", "not the certificate of its key", "Give one that fits"),
        ("expired", "expired", "its certificate has expired (valid from "),
        ("future", "not yet valid", "is not valid yet (valid from "),
        ("no certificate", "cannot be read", "Give one that fits"),
        ("passphrase", "passphrase", "give the key without one"),
    ],
)
def test_a_certificate_that_does_not_fit_says_why(
    certificates: Certificates, settings: Settings, tmp_path: Path, fault: str, word: str, explained: str
) -> None:
    authority, other = certificates.authority("One"), certificates.authority("Another")
    valid = {"expired": (-9, -1), "future": (1, 9)}.get(fault, (-1, 30))
    names = {"name": ["b.example"], "no name": []}.get(fault, ["a.example"])
    issued = certificates.issue("registry", names, other if fault == "authority" else authority, valid)
    key = certificates.issue("registry", names, authority).key_file if fault == "key" else issued.key_file
    if fault == "no certificate":
        issued.cert_file.write_text("no PEM")
    if fault == "passphrase":
        sealed = serialization.BestAvailableEncryption(b"tide")
        key = tmp_path / "sealed.key"
        key.write_bytes(issued.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, sealed))
    with pytest.raises(UnfitCertificate, match=word) as unfit:
        examine(str(issued.cert_file), str(key), settings("a.example:5000", ca=authority.pem))
    assert explained in unfit.value.explained


def test_unverified_looks_at_neither_name_nor_authority(certificates: Certificates, settings: Settings) -> None:
    issued = certificates.issue("registry", ["b.example"], certificates.authority())
    found = examine(str(issued.cert_file), str(issued.key_file), settings("a.example", tls="unverified"))
    assert found.subject_alt_names == ("DNS:b.example",)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("A.example", "DNS:a.example"), ("192.0.2.7", "IP:192.0.2.7"), ("[2001:DB8:0::7]", "IP:2001:db8::7")],
)
def test_alternative_names_are_canonical(name: str, expected: str) -> None:
    assert alternative_name(name) == expected


# the system

DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n'
UBUNTU = "ID=ubuntu\nID_LIKE=debian\n"
FEDORA = 'PRETTY_NAME="Fedora Linux 43"\nID=fedora\n'


@pytest.mark.parametrize(
    ("release", "booted", "word"),
    [
        (DEBIAN, True, None),
        (UBUNTU, True, None),
        (FEDORA, True, "Fedora Linux 43"),
        (None, True, "unknown system"),
        (DEBIAN, False, "not booted by systemd"),
    ],
)
def test_a_system_that_is_not_supported_is_named(
    tmp_path: Path, release: str | None, booted: bool, word: str | None
) -> None:
    (tmp_path / "etc").mkdir()
    if release:
        (tmp_path / "etc/os-release").write_text(release)
    if booted:
        (tmp_path / "run/systemd/system").mkdir(parents=True)
    fault = host_fault(str(tmp_path))
    assert fault is None if word is None else word in str(fault)


def answering(**outputs: str) -> t.Any:
    def run(argv: t.Sequence[str], **_options: t.Any) -> Completed:
        return Completed(0, outputs[argv[0].replace("-", "_")], "")

    return run


def test_only_installed_packages_count() -> None:
    said = "nginx 1.22.1-9 installed\ndocker-registry 2.8.2 config-files\nhalf 1 half-configured\n"
    assert package_versions(["nginx", "docker-registry", "half"], answering(dpkg_query=said)) == {"nginx": "1.22.1-9"}


def test_units_are_read_with_what_their_process_was_started_with(tmp_path: Path) -> None:
    (tmp_path / "42").mkdir()
    (tmp_path / "42/environ").write_bytes(b"A=1\0STAMP=x=y\0")
    said = (
        "Id=a.service\nLoadState=loaded\nActiveState=active\nResult=success\nUnitFileState=enabled\nMainPID=42\nNeedDaemonReload=no\n"
        "ExecMainStartTimestampMonotonic=1000000\n\n"
        "Id=b.service\nLoadState=loaded\nActiveState=failed\nResult=signal\nUnitFileState=disabled\nMainPID=0\nNeedDaemonReload=yes\n"
        "ExecMainStartTimestampMonotonic=0\n\n"
        "Id=d.service\nLoadState=masked\nActiveState=inactive\nUnitFileState=masked\nMainPID=0\nNeedDaemonReload=no\n\n"
        "Id=e.service\nLoadState=loaded\nActiveState=active\nUnitFileState=generated\nMainPID=0\nNeedDaemonReload=no\n"
    )
    run = answering(systemctl=said, journalctl="first\n\nno space left\n")
    a, b, c, d, e = units([f"{name}.service" for name in "abcde"], run, Sockets(str(tmp_path))).values()
    assert (a.is_active, a.enabled, a.needs_daemon_reload, a.environment["STAMP"]) == (True, True, False, "x=y")
    assert (b.is_active, b.enabled, b.needs_daemon_reload, b.log) == (False, False, True, "first / no space left")
    assert (c.loaded, c.masked, c.is_active) == (False, False, False)
    assert (d.loaded, d.masked, d.is_active) == (False, True, False)
    assert e.enabled
    assert time.time() - a.started_at == pytest.approx(time.monotonic() - 1, abs=0.5)
    assert b.started_at == 0
    assert (a.result, b.result, c.result) == ("", "signal", "")


def test_of_a_panic_the_first_line_is_told_and_of_one_before_the_last_start_nothing() -> None:
    panic = "panic: no such region\n\ngoroutine 1 [running]:\nmain.main()\n\tmain.go:1\n"
    said = "Id=b.service\nLoadState=loaded\nActiveState=failed\n"
    for logged, told in (
        (panic, "panic: no such region"),
        (panic + "time=1 port in use\n", "main.main() / main.go:1 / time=1 port in use"),
    ):
        (b,) = units(["b.service"], answering(systemctl=said, journalctl=logged)).values()
        assert b.log == told


def test_of_one_that_was_run_again_a_moment_ago_is_told_why_it_ended() -> None:
    said = "Id=b.service\nActiveState=active\nNRestarts=%d\nExecMainStartTimestampMonotonic=%d\n"
    for restarts, age, told in ((3, 1, "no port"), (0, 1, ""), (3, 60, "")):
        started = int((time.monotonic() - age) * 1e6)
        answer = answering(systemctl=said % (restarts, started), journalctl="no port\n")
        assert units(["b.service"], answer)["b.service"].log == told


# the registry, asked as a client

STAMP = "5" * 64


def answers(wanted: bool = True, anonymous: int = 401, login: int = 200) -> t.Callable[[Request], Reply]:
    def answer(request: Request) -> Reply:
        if request.path == STAMP_PATH:
            return (200, {}, f"{STAMP}\n".encode()) if wanted else (404, {}, b"no")
        return login if "authorization" in request.headers else anonymous, {}, b"{}"

    return answer


@pytest.mark.parametrize("tls", ["verified", "unverified", "plain"])
def test_a_registry_that_serves(certificates: Certificates, settings: Settings, serve: Serve, tls: str) -> None:
    authority = certificates.authority()
    issued = certificates.issue("registry", ["registry.example"], authority)
    server = serve(answers(), None if tls == "plain" else issued)
    ca = authority.pem if tls == "verified" else None
    found = ask(settings("registry.example:5000", tls=tls, ca=ca), "0.0.0.0", server.port)
    assert (found.fault, found.stamp, found.anonymous, found.login) == ("", STAMP, 401, 200)
    assert len(found.certificate) == (0 if tls == "plain" else 64)
    assert server.connections == 1
    assert {request.headers["host"] for request in server.requests} == {"registry.example:5000"}


@pytest.mark.parametrize(
    ("answer", "user", "word"),
    [
        (answers(anonymous=200), USERNAME, "HTTP 200 without a login"),
        (answers(login=401), USERNAME, "HTTP 401 to user ci"),
        (answers(login=502), USERNAME, "HTTP 502 to user ci"),
        (answers(anonymous=401), None, "HTTP 401"),
    ],
)
def test_a_registry_that_answers_otherwise(
    settings: Settings, serve: Serve, answer: t.Callable[[Request], Reply], user: str | None, word: str
) -> None:
    server = serve(answer)
    found = ask(settings("registry.example", login=user is not None, tls="plain"), "127.0.0.1", server.port)
    assert word in found.fault
    assert PASSWORD not in found.fault
    assert found.stamp == STAMP


def test_a_certificate_that_does_not_pass_is_told_and_looked_behind(
    certificates: Certificates, settings: Settings, serve: Serve
) -> None:
    authority = certificates.authority()
    server = serve(answers(), certificates.issue("registry", ["other.example"], authority))
    found = ask(settings("registry.example", ca=authority.pem), "127.0.0.1", server.port)
    assert "does not pass" in found.fault
    assert (found.stamp, found.anonymous) == (STAMP, 401)


def test_another_site_has_no_stamp(settings: Settings, serve: Serve) -> None:
    found = ask(settings("registry.example", tls="plain"), "127.0.0.1", serve(answers(wanted=False)).port)
    assert found.stamp == ""


def test_nobody_there(settings: Settings, listening: socket.socket) -> None:
    port = listening.getsockname()[1]
    listening.close()
    assert f"nothing answers on port {port}" in ask(settings("a.example", tls="plain"), "127.0.0.1", port).fault


def test_plain_http_where_tls_is_wanted(certificates: Certificates, settings: Settings, serve: Serve) -> None:
    found = ask(settings("registry.example", ca=certificates.authority().pem), "127.0.0.1", serve(answers()).port)
    assert "nothing answers" in found.fault
    assert found.stamp == ""
