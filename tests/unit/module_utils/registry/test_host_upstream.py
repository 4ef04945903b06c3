# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role registry knows of a pull-through cache."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_garbage import Collecting
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_name import OwnName
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_obstacles import obstacles, warnings
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_plan import plan
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_program import Program
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_state import (
    REGISTRY,
    STAMP_VARIABLE,
    Wanted,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_units import Unit
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_upstream import Upstream, of
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import InvalidRegistry

from .test_host import AS_WANTED, RUNNING, WANTED, seen

LOGIN = {"username": "shop", "password": 'tide "and" \\time'}
ENVIRONMENT = {"REGISTRY_PROXY_USERNAME": '"shop"', "REGISTRY_PROXY_PASSWORD": '"tide \\"and\\" \\\\time"'}


def upstream(keep_days: int | None = None, **params: t.Any) -> Upstream:
    found = of({"endpoint": "up.example", "keep_days": keep_days, **params})
    assert found is not None
    return found


def cache(**params: t.Any) -> Wanted:
    return dataclasses.replace(WANTED, upstream=upstream(**params))


def test_a_registry_without_one_is_no_cache() -> None:
    assert of(None) is None
    assert of({}) is None


def test_a_login_is_name_and_password() -> None:
    with pytest.raises(InvalidRegistry, match="password"):
        upstream(username="shop")


@pytest.mark.parametrize("key", ["username", "password"])
@pytest.mark.parametrize("character", ["\n", "\r", "\t", "\0", "\x7f"])
def test_a_login_has_no_control_character(key: str, character: str) -> None:
    login: dict[str, t.Any] = {**LOGIN, key: f"tide{character}"}
    with pytest.raises(InvalidRegistry, match=f"'{key}' has a line break or another control character"):
        upstream(**login)


@pytest.mark.parametrize(
    ("environment", "params", "restarts"),
    [
        ({}, {}, False),
        (ENVIRONMENT, LOGIN, False),
        ({}, LOGIN, True),
        (ENVIRONMENT, {}, True),
        ({**ENVIRONMENT, "REGISTRY_PROXY_PASSWORD": '"another"'}, LOGIN, True),
    ],
)
def test_one_with_another_login_is_started_anew(
    environment: dict[str, str], params: dict[str, str], restarts: bool
) -> None:
    unit = dataclasses.replace(RUNNING, environment={**RUNNING.environment, **environment})
    found = plan(seen(units={**AS_WANTED.units, REGISTRY: unit}), cache(**params))
    assert found.restart_registry is restarts
    assert found.differences == ((f"{REGISTRY} runs another configuration",) if restarts else ())


def test_the_login_shows_nowhere() -> None:
    assert "time" not in repr(cache(**LOGIN))
    assert STAMP_VARIABLE not in ENVIRONMENT


@pytest.mark.parametrize(
    ("params", "found", "words"),
    [
        ({"tls": "unverified"}, {}, "registry_upstream has tls unverified, and a cache checks"),
        ({**LOGIN, "password": "tide\x85"}, {}, "registry_upstream has a password with a line break"),
        ({**LOGIN, "username": "sh\u2028op"}, {}, "registry_upstream has a username with a line break"),
        ({"keep_days": -1}, {}, "registry_upstream has keep_days -1"),
        ({"keep_days": 3651}, {}, "to 3650 is meant"),
        (
            {"keep_days": 7},
            {"program": Program("/registry", "8:7", "v2.8.2+ds1")},
            "a registry v2.8.2+ds1 does not know",
        ),
        ({"keep_days": 7}, {"program": Program("/registry", "8:7", "2.8.1+ds1")}, "a registry 2.8.1+ds1 does not know"),
        ({"keep_days": 7}, {"program": Program("/registry")}, "a registry v2.8 does not know"),
        ({}, {"collecting": Collecting(True, Unit("timer"), Unit("settle"))}, "registry_collect is set"),
        ({}, {"own_name": OwnName("/hosts", "registry.example", "192.0.2.11")}, "registry_node_address is set"),
    ],
)
def test_what_a_cache_cannot_be_is_refused(params: dict[str, t.Any], found: dict[str, t.Any], words: str) -> None:
    (said,) = [said for said in obstacles(seen(**found), cache(**params)) if "registry_program" not in said[:16]]
    assert words in said


@pytest.mark.parametrize("keep_days", [None, 0, 3650])
def test_what_it_can_be_is_not(keep_days: int | None) -> None:
    assert obstacles(seen(), cache(keep_days=keep_days)) == []


def test_who_pulls_by_its_login_is_said() -> None:
    said = (
        "Cache registry.example:5000 asks nobody for a login: whoever reaches it can pull all that user 'shop' may pull from "
        "up.example."
    )
    open_to_all = dataclasses.replace(cache(**LOGIN), users=())
    anonymous = dataclasses.replace(cache(**LOGIN), anonymous_pull=True)
    assert warnings(seen(), open_to_all) == warnings(seen(), anonymous) == [said]
    assert warnings(seen(), cache(**LOGIN)) == warnings(seen(), dataclasses.replace(cache(), users=())) == []
    (plain,) = warnings(seen(), cache(tls="plain"))
    assert "speaks plain HTTP to up.example" in plain
