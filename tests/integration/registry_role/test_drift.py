# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What somebody changes on the registry's host: the next run puts right just that, and the one after it changes nothing."""

from __future__ import annotations

import contextlib
import http.client
import ssl

import pytest

from tests.integration.asking import eventually

from .lab import (
    ADDRESS,
    BACKEND,
    CONFIGURATION,
    DATA,
    DIRECTORY,
    NGINX,
    PACKAGED,
    PORT,
    SITE,
    UNIT,
    changed,
    client,
    files,
    on_host,
    play,
    processes,
    said_differences,
)

pytestmark = [pytest.mark.lab, pytest.mark.wide]


@pytest.mark.parametrize(
    ("drift", "differences", "changes", "restarts"),
    [
        (
            # nothing of it is running
            f"rm {SITE}; echo '# by hand' >> {CONFIGURATION}",
            [f"{SITE} is missing", f"{CONFIGURATION} has another content"],
            1,
            set(),
        ),
        (
            f"echo '# by hand' >> {CONFIGURATION}; systemctl restart {BACKEND}; systemctl disable --quiet --now nginx",
            [
                f"{CONFIGURATION} has another content",
                f"{BACKEND} runs another configuration",
                f"{NGINX} is inactive",
                f"{NGINX} would not start with the host",
            ],
            3,
            {BACKEND, NGINX},
        ),
        (
            f"rm {DIRECTORY}/htpasswd; chmod 644 {DIRECTORY}/server.key; chown www-data {DIRECTORY}/ca.key; "
            f"chmod 777 {DATA}; chgrp adm {UNIT}; systemctl unmask --quiet {PACKAGED}",
            [
                f"{UNIT} belongs to root:adm",
                f"{DATA} has mode 0777",
                f"{DIRECTORY}/ca.key belongs to www-data:root",
                f"{DIRECTORY}/server.key has mode 0644",
                "user ci is missing",
                f"{PACKAGED}, which the package brings, is not masked",
            ],
            3,
            set(),
        ),
    ],
)
def test_drift_is_put_right(ca: str, drift: str, differences: list[str], changes: int, restarts: set[str]) -> None:
    before, running = files(), processes()
    on_host("sh", "-c", drift)
    output = play()
    assert said_differences(output) == differences
    assert changed(output) == changes
    after = files()
    if "htpasswd" in drift:  # hashed anew
        del before[f"{DIRECTORY}/htpasswd"], after[f"{DIRECTORY}/htpasswd"]
    assert after == before
    restarted = {name for name, pid in processes().items() if pid != running[name]}
    assert restarted == restarts
    with client(ca) as asking:
        asking.ping()
    assert changed(play()) == 0


def test_a_change_that_nginx_has_read_is_taken_back(ca: str) -> None:
    running = processes()
    on_host("sh", "-c", f"sed -i 's/return 404/return 418/' {SITE} && systemctl reload nginx")
    eventually(lambda: status_of("/") == 418)
    output = play()
    assert said_differences(output) == [f"{SITE} has another content"]
    assert changed(output) == 2, "file and reload"
    eventually(lambda: status_of("/") == 404)
    assert processes() == running


def status_of(path: str) -> int:
    connection = http.client.HTTPSConnection(ADDRESS, PORT, timeout=10, context=ssl._create_unverified_context())
    with contextlib.closing(connection):
        connection.request("GET", path)
        return connection.getresponse().status


def test_a_site_that_nginx_has_not_loaded_is_noticed(ca: str) -> None:
    """As after a run that was killed between writing and reloading."""
    text = on_host("cat", SITE)
    on_host("tee", SITE, stdin=text.replace('return 200 "', 'return 200 "0'))
    on_host("systemctl", "reload", "nginx")
    on_host("tee", SITE, stdin=text)
    output = play()
    assert said_differences(output) == ["nginx serves port 5000 by another configuration or certificate"]
    assert changed(output) == 1
    assert changed(play()) == 0
