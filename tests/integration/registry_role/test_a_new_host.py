# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host that never had a registry: what fails there leaves nothing that serves, and the next run makes it, open to all;
a later one asks for a login.

In this order, and before all other tests of the role, which share the host.
"""

from __future__ import annotations

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryError

from .lab import (
    ADDRESS,
    BACKEND,
    DATA,
    DIRECTORY,
    NGINX,
    PACKAGED,
    PORT,
    REGISTRY,
    SITE,
    UNIT,
    changed,
    client,
    meanwhile,
    on_host,
    play,
    said_differences,
)

pytestmark = pytest.mark.lab

OF_ANOTHER = "/etc/nginx/conf.d/another.conf"
BREAKS_NGINX = f"until [ -e {DIRECTORY}/htpasswd ]; do sleep 0.01; done; echo broken > {OF_ANOTHER}"


def there() -> set[str]:
    """What the role makes, as far as it is on the host."""
    places = (f"{DIRECTORY}/*", SITE, UNIT, DATA, "/usr/sbin/nginx")
    return set(on_host("sh", "-c", f"ls -d {' '.join(places)} 2>/dev/null || true").split())


def test_check_mode_says_what_is_missing_and_makes_nothing(host: None) -> None:
    assert there() == set()
    said = said_differences(play("--check", "--diff"))
    assert {"package nginx is not installed", "there is no certificate authority yet", "user ci is missing"} <= set(
        said
    )
    assert there() == set()


@pytest.mark.wide
def test_what_fails_there_leaves_nothing_that_serves(host: None) -> None:
    with meanwhile(BREAKS_NGINX):
        said = " ".join(play(ok=False).split())
    on_host("rm", OF_ANOTHER)
    assert f"in {OF_ANOTHER}" in said, "what nginx says"
    assert "Packages that were installed stay." in said
    assert there() == {"/usr/sbin/nginx"}
    states = on_host("systemctl", "show", "--property", "ActiveState", "--value", NGINX, BACKEND, PACKAGED)
    assert states.split() == ["inactive"] * 3
    known = on_host("systemctl", "show", "--property", "LoadState", "--value", BACKEND, PACKAGED)
    assert known.split() == ["not-found", "masked"]


def test_without_a_login_everybody_may_pull_and_push(host: None, repository: str) -> None:
    nobodys = {"endpoint": REGISTRY["endpoint"]}
    output = play(longshore_registry=nobodys)
    assert changed(output) > 0
    assert f"Registry {ADDRESS}:{PORT} has no users: whoever reaches it can push and delete." in " ".join(
        output.split()
    )
    with client(on_host("cat", f"{DIRECTORY}/ca.crt"), {}) as pushing:
        blob = pushing.push_blob(repository, b"anybody's")
        assert pushing.get_blob(repository, blob) == b"anybody's"
    assert changed(play(longshore_registry=nobodys)) == 0


def test_with_a_login_nobody_else_gets_in_from_then_on(ca: str) -> None:
    with client(ca) as asking:
        asking.ping()
    with client(ca, {}) as asking, pytest.raises(RegistryError) as refused:
        asking.ping()
    assert refused.value.kind == "unauthorized"
    assert changed(play()) == 0
