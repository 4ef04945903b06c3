# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter that roles take an endpoint apart with."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.longshore.delivery.plugins.filter.endpoint import FilterModule

endpoint = FilterModule().filters()["endpoint"]


@pytest.mark.parametrize(
    ("text", "tls", "host", "port"),
    [
        ("Registry.example:5000", "verified", "registry.example", 5000),
        ("[2001:db8::1]:5000", "plain", "2001:db8::1", 5000),
        ("registry.example", "unverified", "registry.example", 443),
        ("registry.example", "plain", "registry.example", 80),
    ],
)
def test_host_and_port(text: str, tls: str, host: str, port: int) -> None:
    assert endpoint(text, tls) == {"host": host, "port": port}


def test_what_is_no_endpoint_is_refused_with_the_reason() -> None:
    with pytest.raises(AnsibleFilterError, match="it has a scheme"):
        endpoint("https://registry.example")
