# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host that never had a registry: what fails there leaves nothing that serves, and the next run makes it.

In this order, and before all other tests of the role, which share the host.
"""

from __future__ import annotations

import pytest

from .lab import (
    BACKEND,
    CONFIGURATION,
    DATA,
    DIRECTORY,
    DROP_IN,
    NGINX,
    SITE,
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
    places = (f"{DIRECTORY}/*", SITE, DROP_IN, DATA, "/usr/sbin/nginx")
    return set(on_host("sh", "-c", f"ls -d {' '.join(places)} 2>/dev/null || true").split())


def test_check_mode_says_what_is_missing_and_makes_nothing(host: None) -> None:
    assert there() == set()
    said = said_differences(play("--check", "--diff"))
    assert {"package nginx is not installed", "there is no certificate authority yet", "user ci is missing"} <= set(
        said
    )
    assert there() == set()


def test_what_fails_there_leaves_nothing_that_serves(host: None) -> None:
    with meanwhile(BREAKS_NGINX):
        said = " ".join(play(ok=False).split())
    on_host("rm", OF_ANOTHER)
    assert f"in {OF_ANOTHER}" in said, "what nginx says"
    assert "The configuration of the registry, which had none, stays. Packages that were installed stay." in said
    assert there() == {CONFIGURATION, DROP_IN, "/usr/sbin/nginx"}
    states = on_host("systemctl", "show", "--property", "ActiveState", "--value", NGINX, BACKEND)
    assert states.split() == ["inactive", "inactive"]


def test_the_next_run_makes_it(host: None) -> None:
    assert changed(play()) > 0
    with client(on_host("cat", f"{DIRECTORY}/ca.crt")) as asking:
        asking.ping()
    assert changed(play()) == 0
