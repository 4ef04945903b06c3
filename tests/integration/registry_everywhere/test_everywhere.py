# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A registry on every node: one name that stands for the node itself, the same everywhere, nothing lost with all but one."""

from __future__ import annotations

import base64
import json
import re
import typing as t
import uuid

import pytest

from tests.integration.registry_role.lab import LOGIN
from tests.integration.registry_trust.lab import Engine
from tests.lab.engine import docker
from tests.lab.nodes import Node
from tests.unit.module_utils.image.making import image, push

from .hosts import HOSTS, NAME, client, make, on, play, remove, running, say_which, trusting

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


def canaries_by(pushing: Node) -> dict[str, int]:
    """How many images for a check this host has pushed to each."""
    pushed = f'^{re.escape(pushing.address)} .*"PUT /v2/longshore/canary/manifests/'
    logs = {host.name: on(host, "cat", "/var/log/nginx/longshore-registry.log") for host in HOSTS}
    return {name: len(re.findall(pushed, log, re.MULTILINE)) for name, log in logs.items()}


def test_the_name_stands_for_each_host_itself_and_a_second_run_changes_nothing(hosts: dict[str, str]) -> None:
    for host in HOSTS:
        line = f"{host.address} registry.site # longshore.delivery.registry\n"
        assert on(host, "cat", "/etc/hosts") == line + hosts[host.name]
        assert on(host, "getent", "ahosts", "registry.site").split()[0] == host.address
    again = play("registry")
    assert again.count("changed=0") == len(HOSTS) + 1
    assert BEHIND not in again


def test_a_line_of_somebody_else_s_does_not_take_the_name(hosts: dict[str, str]) -> None:
    own, foreign = f"{FIRST.address} registry.site # longshore.delivery.registry\n", "192.0.2.9 registry.site\n"
    write = 'printf %s "$1" > /etc/hosts'  # over a mount nothing can be renamed
    on(FIRST, "sh", "-c", write, "sh", foreign + own + hosts[FIRST.name])
    try:
        assert "above the line by which registry.site stands for" in play("registry")
        assert on(FIRST, "cat", "/etc/hosts") == own + foreign + hosts[FIRST.name]
        assert on(FIRST, "getent", "ahosts", "registry.site").split()[0] == FIRST.address
    finally:
        on(FIRST, "sh", "-c", write, "sh", own + hosts[FIRST.name])


def test_what_is_pushed_to_one_is_served_by_each_to_its_own_engines(hosts: dict[str, str]) -> None:
    play("trust")
    for host in HOSTS:
        # of the name and of its own place, however many hosts there are
        assert canaries_by(host) == {other.name: 2 if other == host else 0 for other in HOSTS}
    digest = push_to(SECOND, "1")
    assert BEHIND not in play("distribute")
    for host in HOSTS:
        assert served(host, "1") == [digest]
        before = requests_of_engines(host)
        for engine in (Engine(host, "docker"), Engine(host, "podman")):
            assert engine.pull(f"{NAME}/{REPOSITORY}@{digest}", (LOGIN["username"], LOGIN["password"])) is None
        assert requests_of_engines(host) > before


def test_a_host_whose_own_registry_is_down_is_served_by_the_next(hosts: dict[str, str]) -> None:
    """As containerd and CRI-O do it too, see tests/integration/registry_trust/test_mirrors.py."""
    digest = served(SECOND, "1")[0]
    image, logins = (
        f"{NAME}/{REPOSITORY}@{digest}",
        "/root/of-a-test.json",
    )  # for each place, since mirrors are shown no other
    pair = base64.b64encode(f"{LOGIN['username']}:{LOGIN['password']}".encode()).decode()
    auths = {place: {"auth": pair} for place in (NAME, *(f"{host.address}:5000" for host in HOSTS))}
    on(FIRST, "sh", "-c", 'printf %s "$1" > $2', "sh", json.dumps({"auths": auths}), logins)

    def pull() -> None:
        on(FIRST, "podman", "rmi", "--ignore", image)
        on(FIRST, "podman", "pull", "--authfile", logins, image)

    for index, host in enumerate(HOSTS):  # its own first, then those that follow it
        drop_in = on(host, "cat", "/etc/containers/registries.conf.d/50-longshore-registry.site_5000.conf")
        asked = [f"{one.address}:5000" for one in HOSTS[index:] + HOSTS[:index]]
        assert re.findall(r'^location = "(.*)"', drop_in, re.MULTILINE) == [NAME, *asked]
    on(FIRST, "systemctl", "stop", "nginx")
    try:
        before = requests_of_engines(SECOND)
        pull()
        assert requests_of_engines(SECOND) > before
    finally:
        on(FIRST, "systemctl", "start", "nginx")
    own, others = requests_of_engines(FIRST), requests_of_engines(SECOND)
    pull()
    assert requests_of_engines(FIRST) > own
    assert requests_of_engines(SECOND) == others, "its own comes first"
    assert play("trust").count("changed=0") == len(HOSTS) + 1


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


@pytest.mark.rare
def test_with_all_but_one_destroyed_nothing_is_lost_and_a_new_one_catches_up(hosts: dict[str, str]) -> None:
    play("trust")
    expected: list[str | None] = [push_to(FIRST, "1"), push_to(THIRD, "2")]
    play("replicate_registry")
    assert served(THIRD, "1", "2") == expected
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
    say_which(FIRST, THIRD)
    for host in (FIRST, THIRD):
        assert SECOND.address in trusting(host)
    play("trust")
    second_line = authority.splitlines()[1]
    for host in (FIRST, THIRD):
        left = trusting(host)
        assert (SECOND.address in left, second_line in left) == (False, False), "it has left"
        assert f"{FIRST.address}:5000" in left
        assert f"{THIRD.address}:5000" in left
