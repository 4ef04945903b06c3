# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many clients at once, each with a connection of its own, and how many of them nginx takes."""

from __future__ import annotations

import asyncio
import os
import re
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from tests.integration.asking import eventually

from .lab import ADDRESS, PORT, REGISTRY, changed, client, on_host, play, processes, said_differences, strict_context
from .traffic import OCI

pytestmark = [pytest.mark.lab, pytest.mark.wide]

NGINX_CONF = "/etc/nginx/nginx.conf"
LINES = "worker_rlimit_nofile 8448; # of the role longshore.delivery.registry\n"
NUMBER = "\tworker_connections 4096; # 768 before the role longshore.delivery.registry\n"


async def _get(path: str, ca: str, together: asyncio.Barrier) -> tuple[int, int]:
    """GET by a connection of its own, asked for once all have one. Returns the status and the size of what came."""
    reader, writer = await asyncio.open_connection(
        ADDRESS, PORT, ssl=strict_context(ca), ssl_handshake_timeout=60.0, limit=1 << 20
    )
    await together.wait()
    authorization = RegistrySettings.from_params(REGISTRY).basic_authorization
    head = f"GET {path} HTTP/1.1\r\nHost: {ADDRESS}:{PORT}\r\nAuthorization: {authorization}\r\nAccept: {OCI}\r\n"
    head += "Connection: close\r\n\r\n"
    writer.write(head.encode())
    status = (await reader.readline()).split()
    size = 0
    while await reader.readline() not in (b"\r\n", b""):
        pass
    while data := await reader.read(1 << 20):
        size += len(data)
    writer.close()
    return int(status[1]) if status else 0, size


async def _all_at_once(count: int, path: str, ca: str) -> set[tuple[int, int]]:
    together = asyncio.Barrier(count)
    return {*await asyncio.gather(*(_get(path, ca, together) for _client in range(count)))}


def at_once(count: int, path: str, ca: str) -> set[tuple[int, int]]:
    """What so many clients get, who are all connected before the first one asks."""
    return asyncio.run(asyncio.wait_for(_all_at_once(count, path, ca), 120))


@pytest.mark.rare
def test_a_thousand_manifests_and_fifty_layers_at_once(ca: str, repository: str, image: ManifestDigest) -> None:
    with client(ca) as pushing:
        blob = pushing.push_blob(repository, os.urandom(10_000_000))
        size = len(pushing.get_manifest(repository, image).body)
    assert at_once(1000, f"/v2/{repository}/manifests/{image}", ca) == {(200, size)}
    assert at_once(50, f"/v2/{repository}/blobs/{blob}", ca) == {(200, 10_000_000)}


def limits_of_nginx() -> set[str]:
    """The files that nginx's processes may have, but for those that end."""
    script = "for p in $(pgrep -xf 'nginx: worker process'); do grep 'open files' /proc/$p/limits; done"
    return {line.split()[3] for line in on_host("sh", "-c", script).splitlines()}


@pytest.mark.rare
def test_the_number_is_set_in_place_and_put_back(ca: str) -> None:
    running, raised = processes(), on_host("cat", NGINX_CONF)
    assert LINES in raised
    assert NUMBER in raised
    eventually(lambda: limits_of_nginx() == {"8448"})
    try:
        set_by_hand_and_put_back(raised)
    finally:
        play()
    assert on_host("cat", NGINX_CONF) == raised
    assert processes() == running, "reloads do"


def set_by_hand_and_put_back(raised: str) -> None:
    on_host("sed", "-i", "s/worker_connections 4096;.*/worker_connections 900;/", NGINX_CONF)
    by_hand: dict[str, t.Any] = {"registry_connections": 2048}
    output = play("--check", "--diff", **by_hand)
    assert f"{NGINX_CONF} has 900 connections for a process of nginx" in said_differences(output)
    assert "worker_connections 2048; # 900 before" in output
    play(**by_hand)
    assert changed(play(**by_hand)) == 0
    eventually(lambda: limits_of_nginx() == {"4352"})

    play(registry_connections=0)
    put_back = on_host("cat", NGINX_CONF)
    assert put_back == raised.replace(LINES, "").replace(NUMBER, "\tworker_connections 900;\n")

    on_host("sed", "-i", "s/worker_connections 900;/worker_connections 768;/", NGINX_CONF)
    assert f"{NGINX_CONF} has 768 connections for a process of nginx" in said_differences(play())


def test_a_number_that_others_have_set_stays_or_is_refused(ca: str) -> None:
    raised = on_host("cat", NGINX_CONF)
    assert changed(play()) == 0
    try:
        own = re.sub(r"worker_connections .*", "worker_connections 5000;", raised.replace(LINES, ""))
        on_host("tee", NGINX_CONF, stdin=own)
        assert changed(play()) == 0
        own = re.sub(r"worker_connections .*", "worker_connections 800;", "worker_rlimit_nofile 1600;\n" + own)
        on_host("tee", NGINX_CONF, stdin=own)
        said = " ".join(play(ok=False).split())
        assert "gives a process of nginx 1600 files (worker_rlimit_nofile), and 4096 connections need 8192" in said
        assert on_host("cat", NGINX_CONF) == own
        assert "from 1024 to 500000" in " ".join(play(ok=False, registry_connections=9).split())
    finally:
        on_host("tee", NGINX_CONF, stdin=raised)
