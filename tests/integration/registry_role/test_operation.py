# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What whoever keeps the registry running looks at: its health, metrics and log, what it may do, and who may use it."""

from __future__ import annotations

import base64
import http.client
import ssl
import subprocess
import typing as t

import pytest

from tests.integration.asking import eventually

from .host import HOST
from .lab import (
    ADDRESS,
    BACKEND,
    DATA,
    DIRECTORY,
    LOGIN,
    PORT,
    changed,
    client,
    on_host,
    play,
    processes,
    said_differences,
)

pytestmark = [pytest.mark.lab, pytest.mark.wide]

METRICS: dict[str, t.Any] = {"registry_metrics_port": 5002}
LOG = "/var/log/nginx/longshore-registry.log"


@pytest.fixture(scope="module")
def metrics(ca: str) -> t.Iterator[str]:
    """The registry tells its metrics; afterwards it does not."""
    play(**METRICS)
    assert changed(play(**METRICS)) == 0
    yield ca
    play()
    assert answer("/longshore/metrics", LOGIN)[0] == 404
    assert "127.0.0.1:5002" not in on_host("ss", "-Hltn")


def answer(path: str, login: dict[str, str] | None = None, method: str = "GET") -> tuple[int, str]:
    connection = http.client.HTTPSConnection(ADDRESS, PORT, timeout=10, context=ssl._create_unverified_context())
    headers = {}
    if login:
        pair = base64.b64encode(f"{login['username']}:{login['password']}".encode()).decode()
        headers["Authorization"] = f"Basic {pair}"
    try:
        connection.request(method, path, headers=headers)
        got = connection.getresponse()
        return got.status, got.read().decode()
    finally:
        connection.close()


def test_health_is_told_without_a_login_and_to_be_read_only(ca: str) -> None:
    assert answer("/longshore/health") == (200, "")
    assert answer("/longshore/health", method="PUT")[0] == 403
    on_host("systemctl", "stop", BACKEND)
    try:
        assert answer("/longshore/health")[0] == 502
    finally:
        on_host("systemctl", "start", BACKEND)
    eventually(lambda: answer("/longshore/health")[0] == 200)


def test_metrics_are_told_to_users_and_the_profiles_to_the_host_alone(metrics: str) -> None:
    assert answer("/longshore/metrics")[0] == 401
    status, text = answer("/longshore/metrics", LOGIN)
    assert status == 200
    assert "registry_http_requests_total" in text
    assert answer("/longshore/metrics", LOGIN, "POST")[0] == 403
    for path in ("/debug/pprof/cmdline", "/longshore/metrics/debug/vars"):
        assert answer(path, LOGIN)[0] == 404
    sockets = on_host("ss", "-Hltn", "sport", "=", ":5002").split()
    assert "127.0.0.1:5002" in sockets
    assert not {"0.0.0.0:5002", "*:5002"} & {*sockets}


def test_the_log_has_the_requests_and_no_secret(metrics: str) -> None:
    assert answer("/v2/?state=not-for-the-log", LOGIN)[0] == 200
    assert answer("/v2/", {**LOGIN, "password": "a-wrong-one"})[0] == 401
    eventually(lambda: '"GET /v2/ HTTP/1.1" 401' in on_host("cat", LOG))
    logged = on_host("sh", "-c", f"cat {LOG} /var/log/nginx/*.log; journalctl --unit {BACKEND} --output cat")
    assert f" - {LOGIN['username']} [" in logged
    pair = base64.b64encode(f"{LOGIN['username']}:{LOGIN['password']}".encode()).decode()
    assert "not-for-the-log" not in logged
    for secret in ("a-wrong-one", LOGIN["password"], pair, "Basic "):
        assert secret not in logged
    assert on_host("stat", "--format", "%U:%G %a", LOG).split() == ["www-data:adm", "640"]
    assert "/longshore/health" not in on_host("cat", LOG)


def test_the_log_is_rotated_while_the_registry_serves(metrics: str) -> None:
    assert on_host("systemctl", "is-active", "logrotate.timer").strip() == "active"
    running, inode = processes(), on_host("stat", "--format", "%i", LOG)
    assert answer("/v2/before", LOGIN)[0] == 404
    eventually(lambda: "/v2/before" in on_host("cat", LOG))
    on_host("logrotate", "--force", "/etc/logrotate.d/nginx")

    def is_in_the_new_file() -> bool:
        """Asked again and again: a process of nginx that has not opened it yet writes to the one before."""
        assert answer("/v2/after", LOGIN)[0] == 404
        return "/v2/after" in on_host("cat", LOG)

    eventually(is_in_the_new_file)
    assert on_host("stat", "--format", "%i", f"{LOG}.1") == inode
    assert "/v2/before" in on_host("cat", f"{LOG}.1")
    assert on_host("stat", "--format", "%U:%G %a", LOG).split() == ["www-data:adm", "640"]
    assert processes() == running
    assert changed(play(**METRICS)) == 0


def test_the_registry_may_write_to_its_images_and_nowhere_else(ca: str) -> None:
    pid = processes()[BACKEND]
    status = dict(line.split(":\t", 1) for line in on_host("cat", f"/proc/{pid}/status").splitlines() if ":\t" in line)
    user = on_host("id", "-u", "docker-registry").strip()
    assert status["Uid"].split() == [user] * 4
    assert (status["CapBnd"], status["NoNewPrivs"], status["Seccomp"]) == ("0" * 16, "1", "2")

    def may_write(place: str) -> bool:
        """Where not even root may, in what the registry sees of the file system."""
        touch = ["touch", f"{place}/written-by-a-test"]
        entered = ["docker", "exec", HOST.container, "nsenter", "--mount", f"--target={pid}", *touch]
        done = subprocess.run(entered, capture_output=True, text=True, check=False)
        assert not done.returncode or "Read-only file system" in done.stderr
        return not done.returncode

    try:
        places = ("/etc", DIRECTORY, "/usr/bin", "/var/lib", "/root", DATA)
        assert [place for place in places if may_write(place)] == [DATA]
    finally:
        on_host("rm", "-f", f"{DATA}/written-by-a-test")
    figure = on_host("systemd-analyze", "security", "--no-pager", BACKEND).splitlines()[-1].split()
    assert float(figure[figure.index(f"{BACKEND}:") + 1]) < 2


def test_entries_that_others_have_made_are_named_and_put_right(metrics: str) -> None:
    running, file = processes(), f"{DIRECTORY}/htpasswd"
    plain = f"ci:{{PLAIN}}{LOGIN['password']}"
    on_host("sh", "-c", f"sed -i '1i {plain}' {file}; echo 'eve:{{SHA}}W6ph5Mm5Pz8GgiULbPgzG37mj9g=' >> {file}")
    named = [
        "user ci is there more than once",
        "the password of user ci is kept as plain text, not as bcrypt",
        "user eve is not among the wanted ones",
    ]
    assert answer("/v2/", {"username": "eve", "password": "password"})[0] == 200, "what nginx made of it"
    assert said_differences(play("--check", **METRICS)) == named
    output = play("-v", "--diff", **METRICS)
    assert said_differences(output) == named
    assert changed(output) == 1
    assert LOGIN["password"] not in output
    assert answer("/v2/", {"username": "eve", "password": "password"})[0] == 401
    assert [line.split("$")[:3] for line in on_host("cat", file).split()] == [["ci:", "2y", "05"]]
    with client(metrics) as asking:
        asking.ping()
    assert processes() == running, "users need not even a reload"
