# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done to several hosts of a registry in the course of the years: other authorities, fewer images, fewer hosts, none."""

from __future__ import annotations

import contextlib
import functools
import typing as t
import uuid

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryError
from tests.integration.asking import eventually
from tests.integration.registry_role.lab import LOGIN
from tests.integration.registry_trust.lab import Engine
from tests.lab.engine import docker
from tests.lab.nodes import Node
from tests.unit.module_utils.image.making import image, push

from .hosts import HOSTS, NAME, client, make, on, play, running, say_which, trusting

pytestmark = [pytest.mark.lab, pytest.mark.rare]

FIRST, SECOND, THIRD = HOSTS
REPOSITORY = "shop/web"
AUTHORITY = "/etc/longshore/registry/ca.crt"


def line_of(authority: str) -> str:
    """By which it is told from others."""
    return authority.splitlines()[5]


def tags(host: Node) -> list[str]:
    with client(host) as asking:
        return [tag for tag in ("1", "2") if asking.head_manifest(REPOSITORY, tag)]


def test_several_hosts_over_the_years() -> None:
    with running():
        names = {host.name: on(host, "cat", "/etc/hosts") for host in HOSTS}
        play("registry")
        play("trust")
        a_loss_of_power_of_all_needs_nobody()
        their_authorities_are_replaced_once_all_have_followed()
        what_no_rule_keeps_goes_from_each()
        one_leaves()
        play("registry", registry_state="absent", registry_remove_data=True)
        for host in (FIRST, SECOND):
            assert on(host, "cat", "/etc/hosts") == names[host.name]
            assert on(host, "sh", "-c", "ls /etc/longshore 2>/dev/null || true") == ""


def a_loss_of_power_of_all_needs_nobody() -> None:
    with client(FIRST) as pushing:
        digest = push(pushing, REPOSITORY, image(uuid.uuid4().hex), "1")
    play("replicate_registry")
    names = {host.name: on(host, "cat", "/etc/hosts") for host in HOSTS}
    for host in HOSTS:
        docker("kill", host.container)
    for host in reversed(HOSTS):  # each serves before the next one is there
        make(host)
        # Docker writes it anew at each start of a container; the disk of a host keeps it
        on(host, "sh", "-c", 'printf %s "$1" > /etc/hosts', "sh", names[host.name])
        eventually(functools.partial(serves, host, digest), 60)
        reference = f"{NAME}/{REPOSITORY}@{digest}"
        eventually(functools.partial(pulls, host, reference), 30)  # Go reads /etc/hosts anew after 5 s
    assert play("registry").count("changed=0") == len(HOSTS) + 1
    with client(FIRST) as deleting:
        assert deleting.delete_manifest(REPOSITORY, ManifestDigest.parse(digest))
    for host in (SECOND, THIRD):
        with client(host) as deleting:
            assert deleting.delete_manifest(REPOSITORY, ManifestDigest.parse(digest))


def pulls(host: Node, reference: str) -> bool:
    return Engine(host, "docker").pull(reference, (LOGIN["username"], LOGIN["password"])) is None


def serves(host: Node, digest: str) -> bool:
    with contextlib.suppress(RegistryError, OSError), client(host) as asking:
        return asking.head_manifest(REPOSITORY, digest) is not None
    return False


def their_authorities_are_replaced_once_all_have_followed() -> None:
    before = [line_of(on(host, "cat", AUTHORITY)) for host in HOSTS]
    certificates = [on(host, "cat", "/etc/longshore/registry/server.crt") for host in HOSTS]
    docker("stop", "--time", "1", SECOND.container)
    said = play("rotate_authority", rc=4)
    assert f"{SECOND.name} has not followed" in said
    assert on(FIRST, "cat", AUTHORITY).count("BEGIN") == 2, "announced"
    make(SECOND)
    assert [on(host, "cat", "/etc/longshore/registry/server.crt") for host in HOSTS] == certificates
    play("rotate_authority")
    after = [line_of(on(host, "cat", AUTHORITY)) for host in HOSTS]
    for host in HOSTS:
        assert on(host, "cat", AUTHORITY).count("BEGIN") == 1
        trusted = trusting(host)
        remembered = on(host, "cat", "/etc/longshore/registry/peers.json")
        for line in after:
            assert line in trusted
            assert line in remembered
        for line in before:
            assert line not in trusted
            assert line not in remembered


def what_no_rule_keeps_goes_from_each() -> None:
    with client(FIRST) as pushing:
        push(pushing, REPOSITORY, image(uuid.uuid4().hex), "1")
        push(pushing, REPOSITORY, image(uuid.uuid4().hex), "2")
    play("replicate_registry")
    assert [tags(host) for host in HOSTS] == [["1", "2"]] * 3
    rules: dict[str, t.Any] = {
        "longshore_retention": [{"repositories": [REPOSITORY], "keep_matching": ["2"]}],
        "longshore_retention_cluster": "none",
        "longshore_engines": ["docker", "podman"],
    }
    play("prune_registry", **rules)
    assert [tags(host) for host in HOSTS] == [["2"]] * 3
    docker("stop", "--time", "1", THIRD.container)
    play("prune_registry", rc=4, **rules)  # nothing is known of what it runs
    make(THIRD)


def one_leaves() -> None:
    say_which(*HOSTS, away=(THIRD,))
    play("registry")
    assert play("replicate_registry").count("away: []") == 2, "the others do not ask it"
    assert on(THIRD, "sh", "-c", "ls /etc/systemd/system/longshore-registry.service || true") == ""
    say_which(FIRST, SECOND)
    play("trust")
    for host in (FIRST, SECOND):
        assert THIRD.address not in trusting(host)
        assert tags(host) == ["2"]
    assert play("trust").count("changed=0") == 3
