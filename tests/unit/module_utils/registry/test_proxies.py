# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the environment says of proxies, read as clients written in Go read it."""

from __future__ import annotations

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.registry.proxies import Proxies, proxies_of

PROXY = "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("environment", "scheme", "named", "variable"),
    [
        ({}, "https", None, None),
        ({"HTTPS_PROXY": PROXY}, "https", PROXY, "HTTPS_PROXY"),
        ({"https_proxy": PROXY}, "https", PROXY, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": PROXY, "https_proxy": "http://other.example"}, "https", PROXY, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": PROXY}, "http", None, None),
        ({"http_proxy": "me:secret@proxy.example:3128"}, "http", PROXY, "HTTP_PROXY"),
        ({"HTTP_PROXY": ""}, "http", None, None),
    ],
)
def test_the_proxy_that_is_named(
    environment: dict[str, str], scheme: str, named: str | None, variable: str | None
) -> None:
    found = proxies_of(environment, scheme, "registry.example", 5000)
    assert found == Proxies(named, variable)
    assert found.is_used is (named is not None)


@pytest.mark.parametrize(
    ("host", "listed", "exempt"),
    [
        ("registry.example", "", None),
        ("registry.example", "other.example", None),
        ("registry.example", "a.example, registry.example", "registry.example"),
        ("registry.example", "example", "example"),
        ("registry.example", ".example", ".example"),
        ("registry.example", "*.example", "*.example"),
        ("notexample", "example", None),
        ("registry.example", "*", "*"),
        ("registry.example", "registry.example:5000", "registry.example:5000"),
        ("registry.example", "registry.example:443", None),
        ("REGISTRY.example", "registry.EXAMPLE", "registry.EXAMPLE"),
        ("10.1.2.3", "10.0.0.0/8", "10.0.0.0/8"),
        ("10.1.2.3", "10.1.2.3", "10.1.2.3"),
        ("11.1.2.3", "10.0.0.0/8", None),
        ("2001:db8::1", "2001:db8::/32", "2001:db8::/32"),
        ("2001:db8::1", "[2001:db8::1]:5000", "[2001:db8::1]:5000"),
        ("localhost", "", "localhost"),
        ("127.0.0.2", "", "localhost"),
    ],
)
def test_what_is_reached_without_it(host: str, listed: str, exempt: str | None) -> None:
    found = proxies_of({"HTTPS_PROXY": PROXY, "NO_PROXY": listed}, "https", host, 5000)
    assert found.exempt == exempt
    assert found.is_used is (exempt is None)
