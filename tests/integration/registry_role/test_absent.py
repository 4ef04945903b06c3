# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The registry is taken away from its host: what the role put there goes, and nothing else; what was there before goes on."""

from __future__ import annotations

import contextlib
import typing as t
import urllib.request

import pytest

from tests.integration.asking import eventually

from .lab import ADDRESS, BACKEND, CONFIGURATION, DATA, DIRECTORY, NGINX, PACKAGED, SITE, changed, client, on_host, play
from .traffic import push

pytestmark = pytest.mark.lab

LEDGER = "/var/lib/longshore/registry.json"
OTHERS_SITE = "/etc/nginx/conf.d/shop.conf"
COLLECTING: dict[str, t.Any] = {"registry_collect": "Sun 03:30"}
PACKAGES = ("docker-registry", "nginx", "apache2-utils", "logrotate")


def there(*paths: str) -> set[str]:
    return set(on_host("sh", "-c", f"ls -d {' '.join(paths)} 2>/dev/null || true").split())


def left() -> set[str]:
    """What of the role's is on the host, but for what is kept."""
    places = (
        f"{DIRECTORY}/*",
        SITE,
        "/usr/local/sbin/longshore*",
        "/var/lib/longshore-*",
        "/etc/systemd/system/nginx.service.d",
    )
    kept = {f"{DIRECTORY}/ca.crt", f"{DIRECTORY}/ca.key"}
    return there(*places, "/etc/systemd/system/*longshore*", "/var/lib/systemd/timers/*longshore*") - kept


def installed() -> set[str]:
    said = on_host("sh", "-c", f"dpkg-query -W -f '${{Package}} ${{db:Status-Status}}\\n' {' '.join(PACKAGES)} || true")
    return {line.split()[0] for line in said.splitlines() if line.endswith(" installed")}


def states() -> dict[str, str]:
    said = on_host("systemctl", "show", "--property", "Id,ActiveState,UnitFileState", NGINX, BACKEND, PACKAGED)
    blocks = [dict(line.split("=", 1) for line in block.splitlines()) for block in said.strip().split("\n\n")]
    return {block["Id"]: f"{block['ActiveState']} {block['UnitFileState']}".strip() for block in blocks}


def absent(*options: str, **variables: t.Any) -> str:
    return play(*options, registry_state="absent", **variables)


def test_what_the_role_put_there_goes_and_the_images_and_the_authority_stay(ca: str, repository: str) -> None:
    with client(ca) as pushing:
        digest = push(pushing, repository, b"kept", "1")
    play(**COLLECTING)
    before = there(f"{DIRECTORY}/*", SITE, LEDGER)

    said = absent("--check", "--diff")
    assert changed(said) > 0
    assert f"{SITE} is removed" in said
    assert f"-{SITE}" in said
    assert there(f"{DIRECTORY}/*", SITE, LEDGER) == before
    done = absent()
    assert changed(done) == 1
    assert (left(), installed()) == (set(), set())
    assert set(states().values()) <= {"inactive", "inactive disabled"}
    assert "before the role" not in on_host("cat", "/etc/nginx/nginx.conf")
    assert there(DATA, DIRECTORY) == {DATA, DIRECTORY}
    assert there(LEDGER) == {LEDGER}, "it has the directories"
    assert changed(absent()) == 0

    play()
    assert on_host("cat", f"{DIRECTORY}/ca.crt") == ca
    with client(ca) as pulling:
        assert pulling.get_manifest(repository, digest).document["layers"][0]["size"] == len(b"kept")
        pulling.delete_manifest(repository, digest)
    assert changed(play()) == 0


@pytest.fixture
def other_site(ca: str) -> t.Iterator[None]:
    """nginx serves somebody else's site too."""
    on_host("tee", OTHERS_SITE, stdin="server { listen 8085; location / { return 200 'shop'; } }\n")
    on_host("systemctl", "reload", NGINX)
    eventually(lambda: shop() == b"shop")
    yield
    on_host("rm", OTHERS_SITE)
    play()


def shop() -> bytes:
    with contextlib.suppress(OSError), urllib.request.urlopen(f"http://{ADDRESS}:8085/", timeout=5) as answer:
        return bytes(answer.read())
    return b""


@pytest.mark.wide
def test_what_others_have_there_stays(ca: str, other_site: None) -> None:
    on_host("sh", "-c", f"echo '# by hand' >> {CONFIGURATION}")
    nginx = on_host("systemctl", "show", "--property", "MainPID", "--value", NGINX)
    said = absent()
    assert f"nginx, which serves others too: {OTHERS_SITE}" in said
    assert f"Somebody has changed {CONFIGURATION} since the role wrote it" in " ".join(said.split())
    assert "# by hand" in on_host("cat", "/var/lib/longshore/registry-changed/config.yml")
    assert on_host("systemctl", "show", "--property", "MainPID", "--value", NGINX) == nginx
    assert shop() == b"shop"
    assert (left(), installed()) == (set(), {"nginx"})
    play()
    on_host("rm", "-r", "/var/lib/longshore/registry-changed")
