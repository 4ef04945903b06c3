# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A registry on every node: one name that stands for the node itself, the same everywhere, nothing lost with all but one."""

from __future__ import annotations

import typing as t
import uuid

import pytest

from tests.integration.registry_role.lab import LOGIN
from tests.integration.registry_trust.lab import Engine
from tests.lab.engine import docker
from tests.lab.nodes import Node
from tests.unit.module_utils.image.making import image, push

from .hosts import HOSTS, NAME, client, make, on, play, remove, running

pytestmark = [pytest.mark.lab, pytest.mark.wide]

FIRST, SECOND, THIRD = HOSTS
REPOSITORY = "shop/web"
BEHIND = "Hosts of the registry that may lack what the others have: "


@pytest.fixture(scope="module")
def hosts() -> t.Iterator[dict[str, str]]:
    """The registry is on all of them; what /etc/hosts was before."""
    with running():
        before = {host.name: on(host, "cat", "/etc/hosts") for host in HOSTS}
        play("registry")
        yield before


def push_to(host: Node, tag: str) -> str:
    with client(host) as pushing:
        return push(pushing, REPOSITORY, image(uuid.uuid4().hex), tag)


def served(host: Node, *names: str) -> list[str | None]:
    """What is served there under tags and digests, whole."""
    found: list[str | None] = []
    with client(host) as asking:
        for name in names:
            head = asking.head_manifest(REPOSITORY, name)
            found.append(str(head.digest) if head else None)
            if head:
                for layer in asking.get_manifest(REPOSITORY, name).layers:
                    asking.get_blob(REPOSITORY, layer)
    return found


def requests_of_engines(host: Node) -> int:
    log = on(host, "cat", "/var/log/nginx/longshore-registry.log")
    return sum("docker/" in line or "containers/" in line for line in log.splitlines())


def test_the_name_stands_for_each_host_itself_and_a_second_run_changes_nothing(hosts: dict[str, str]) -> None:
    for host in HOSTS:
        line = f"{host.address} registry.site # longshore.delivery.registry\n"
        assert on(host, "cat", "/etc/hosts") == line + hosts[host.name]
        assert on(host, "getent", "ahosts", "registry.site").split()[0] == host.address
    again = play("registry")
    assert again.count("changed=0") == len(HOSTS) + 1
    assert BEHIND not in again


def test_what_is_pushed_to_one_is_served_by_each_to_its_own_engines(hosts: dict[str, str]) -> None:
    play("trust")
    digest = push_to(SECOND, "1")
    assert BEHIND not in play("distribute")
    for host in HOSTS:
        assert served(host, "1") == [digest]
        before = requests_of_engines(host)
        for engine in (Engine(host, "docker"), Engine(host, "podman")):
            assert engine.pull(f"{NAME}/{REPOSITORY}@{digest}", (LOGIN["username"], LOGIN["password"])) is None
        assert requests_of_engines(host) > before


def test_one_that_was_away_is_named_and_catches_up(hosts: dict[str, str]) -> None:
    old = served(SECOND, "1")[0]
    docker("stop", "--time", "1", SECOND.container)
    new, more = push_to(THIRD, "1"), push_to(THIRD, "2")
    assert BEHIND + SECOND.name in play("distribute", rc=4)
    assert served(FIRST, "1", "2") == [new, more]
    make(SECOND)
    assert served(SECOND, "1", "2") == [old, None]
    rehearsed = play("replicate_registry", "--check")
    assert served(SECOND, "2") == [None]
    done = play("replicate_registry")
    assert f"{SECOND.name} : ok=" in done
    assert "by: history" in rehearsed
    assert "by: history" in done
    for host in HOSTS:
        assert served(host, "1", "2", str(old)) == [new, more, old]
    assert play("replicate_registry").count("changed=0") == len(HOSTS) + 1


def test_with_all_but_one_destroyed_nothing_is_lost_and_a_new_one_catches_up(hosts: dict[str, str]) -> None:
    expected = served(FIRST, "1", "2")
    authority = on(SECOND, "cat", "/etc/longshore/registry/ca.crt")
    remove(FIRST, SECOND)
    assert served(THIRD, "1", "2") == expected
    make(FIRST)
    said = play("registry", rc=4)
    assert BEHIND + SECOND.name in play("replicate_registry", rc=4) or SECOND.name in said
    assert served(FIRST, "1", "2") == expected
    play("trust", rc=4)
    trusted = on(FIRST, "cat", f"/etc/docker/certs.d/{NAME}/longshore.crt")
    assert authority.strip() in trusted, "one that is away may come back"
    assert on(FIRST, "cat", "/etc/longshore/registry/ca.crt").strip() in trusted
