# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from shop import __version__
from shop_processes import PASSWORD, PATIENCE, WEB, Web, free_port, wait_until


def command(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=WEB,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **variables},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def begin_request(web: Web, path: str) -> socket.socket:
    """Send all of a request but its last line, and make sure that the server has read it."""
    connection = socket.create_connection(("127.0.0.1", web.port), PATIENCE)
    connection.sendall(b"GET /health HTTP/1.1\r\nHost: shop\r\n\r\n")
    alive = b""
    while not alive.endswith(b'{"status": "alive"}\n'):
        part = connection.recv(65536)
        assert part, alive
        alive += part
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: shop\r\n".encode())
    queues = Path("/proc/net/tcp")
    ports = f":{web.port:04X} ", f":{connection.getsockname()[1]:04X} "

    def read() -> bool:
        rows = [row.split() for row in queues.read_text(encoding="ascii").splitlines() if all(p in row for p in ports)]
        mine = [row for row in rows if f"{row[1]} ".endswith(ports[0])]
        return bool(mine) and mine[0][4].endswith(":00000000")

    wait_until(read, "reading of the request's beginning")
    return connection


def rest_of(connection: socket.socket) -> str:
    connection.sendall(b"\r\n")
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    connection.close()
    return b"".join(parts).decode()


def test_front_page_shows_version_and_greeting(serve: Callable[..., Web]) -> None:
    web = serve(GREETING="Grüß Gott")
    status, body = web.get("/")
    assert status == 200
    assert {key: json.loads(body)[key] for key in ("version", "greeting")} == {
        "version": __version__,
        "greeting": "Grüß Gott",
    }


def test_not_ready_before_the_warm_up_while_health_is_from_the_start(serve: Callable[..., Web]) -> None:
    web = serve(WARMUP_SECONDS="inf")
    assert web.get("/health")[0] == 200
    status, body = web.get("/ready")
    assert (status, json.loads(body)["status"]) == (503, "warming up")
    assert "shop_ready 0" in web.get("/metrics")[1]


def test_ready_after_the_warm_up_and_not_sooner(serve: Callable[..., Web]) -> None:
    began = time.monotonic()
    web = serve(WARMUP_SECONDS="1.5")
    wait_until(lambda: web.get("/ready")[0] == 200, "readiness")
    assert time.monotonic() - began >= 1.5
    assert "shop_ready 1" in web.get("/metrics")[1]


def test_readiness_can_demand_a_header(serve: Callable[..., Web]) -> None:
    web = serve(READY_HEADER="X-Probe: kubelet")
    status, body = web.get("/ready")
    assert status == 400
    assert "X-Probe: kubelet" in body
    assert web.get("/ready", headers={"X-Probe": "someone"})[0] == 400
    assert web.get("/ready", headers={"x-probe": "kubelet"})[0] == 200


def test_metrics_count_what_was_asked_and_not_what_clients_make_up(serve: Callable[..., Web]) -> None:
    web = serve()
    for _turn in range(3):
        web.get("/")
    for name in ("/a", "/b", '/c"} 1'):
        assert web.get(name.replace(" ", "%20"))[0] == 404
    assert web.get("/", method="DELETE")[0] == 405
    metrics = web.get("/metrics")[1]
    assert 'shop_requests_total{path="/",status="200"} 3\n' in metrics
    assert 'shop_requests_total{path="/",status="405"} 1\n' in metrics
    assert 'shop_requests_total{path="other",status="404"} 3\n' in metrics
    assert "shop_request_seconds_count 7\n" in metrics
    assert 'shop_request_seconds_bucket{le="+Inf"} 7\n' in metrics
    assert "shop_requests_in_flight 1\n" in metrics
    assert f'shop_info{{version="{__version__}"}} 1\n' in metrics


def test_logs_are_json_lines_without_probes_and_without_the_password(serve: Callable[..., Web]) -> None:
    web = serve()
    for path in ("/", "/health", "/ready", "/metrics", "/nowhere"):
        web.get(path)
    web.terminate()
    assert web.wait() == 0
    requests = [line for line in web.logs() if line["message"] == "request"]
    assert [(line["path"], line["status"], line["level"]) for line in requests] == [
        ("/", 200, "info"),
        ("/nowhere", 404, "info"),
    ]
    assert all(line["time"].endswith("Z") for line in web.logs())
    assert PASSWORD not in web.output.read_text(encoding="utf-8")


def test_debug_level_shows_the_probes_too(serve: Callable[..., Web]) -> None:
    web = serve(LOG_LEVEL="debug")
    web.get("/ready")
    assert web.wait_for_log("request")["path"] == "/ready"


@pytest.mark.parametrize("password", [{}, {"DB_PASSWORD": ""}])
@pytest.mark.parametrize("what", ["serve", "migrate"])
def test_stops_at_once_without_the_password_and_names_it(what: str, password: dict[str, str]) -> None:
    done = command("-m", "shop", what, PORT=str(free_port()), **password)
    assert done.returncode == 78
    (line,) = done.stdout.splitlines()
    assert json.loads(line)["level"] == "error"
    assert "DB_PASSWORD is not set" in json.loads(line)["message"]
    assert done.stderr == ""


def test_a_taken_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = command("-m", "shop", "serve", PORT=port, DB_PASSWORD=PASSWORD)
    assert done.returncode == 1
    message = json.loads(done.stdout.splitlines()[-1])["message"]
    assert f"port {port}" in message
    assert "Address already in use" in message


def test_an_unknown_command_shows_those_there_are() -> None:
    done = command("-m", "shop", "dance")
    assert done.returncode == 64
    assert all(name in done.stderr for name in ("serve", "migrate", "check"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_quickly_although_clients_keep_connections(
    serve: Callable[..., Web], number: signal.Signals
) -> None:
    web = serve()
    client = http.client.HTTPConnection("127.0.0.1", web.port, timeout=PATIENCE)
    client.request("GET", "/")
    assert client.getresponse().read()
    began = time.monotonic()
    web.process.send_signal(number)
    assert web.wait() == 0
    assert time.monotonic() - began < 10  # DRAIN_SECONDS is 20
    client.close()


def test_a_request_under_way_is_answered_after_the_signal(serve: Callable[..., Web]) -> None:
    web = serve()
    front_page, ready = begin_request(web, "/"), begin_request(web, "/ready")
    web.terminate()
    web.wait_for_log("stopping")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", web.port), PATIENCE)
    assert web.process.poll() is None
    answer = rest_of(front_page)
    assert answer.startswith("HTTP/1.1 200 OK\r\n")
    assert "\r\nConnection: close\r\n" in answer
    assert __version__ in answer
    assert '"stopping"' in rest_of(ready)
    assert web.wait() == 0


def test_a_request_that_never_ends_is_cut_off_and_counted(serve: Callable[..., Web]) -> None:
    web = serve(DRAIN_SECONDS="0.3")
    connection = begin_request(web, "/")
    web.terminate()
    assert web.wait() == 1
    assert web.logs()[-1]["message"] == "stopped with 1 requests unanswered after DRAIN_SECONDS"
    connection.close()


def test_check_tells_whether_it_is_up(serve: Callable[..., Web]) -> None:
    web = serve(WARMUP_SECONDS="inf")
    up: Any = command("-m", "shop", "check", PORT=str(web.port))
    assert (up.returncode, up.stdout, up.stderr) == (0, "", "")
    down = command("-m", "shop", "check", PORT=str(free_port()))
    assert down.returncode == 1
    assert "Connection refused" in down.stderr


def test_check_stays_cheap(serve: Callable[..., Web]) -> None:
    web = serve()
    done = command("-X", "importtime", "-m", "shop", "check", PORT=str(web.port))
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert done.returncode == 0
    assert "shop.check" in imported
    assert not imported & {"waitress", "http.client", "urllib.request", "logging", "json", "shop.serving", "email"}
