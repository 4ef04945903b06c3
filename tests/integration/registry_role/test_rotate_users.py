# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Another login follows the one before, while the engines of the registry's host pull by either."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryError

from .engines import pulling, with_one_gone
from .lab import DIRECTORY, LOGIN, REGISTRY, client, kill_at, on_host, play, processes, said_differences

pytestmark = [pytest.mark.lab, pytest.mark.wide]

NEXT = {"username": "ci-2", "password": "the-password-that-follows"}
WITH_NEXT = {**REGISTRY, **NEXT}


def users() -> list[str]:
    return [line.partition(":")[0] for line in on_host("cat", f"{DIRECTORY}/htpasswd").splitlines()]


@pytest.fixture
def trusting(ca: str) -> t.Iterator[None]:
    """The engines of the registry's host trust it; afterwards they know nothing of it, and the users are those of before."""
    play(playbook="trust")
    yield
    play(playbook="trust", registry_trust_state="absent")
    play()
    assert users() == ["ci"]


@pytest.mark.rare
def test_the_one_before_stays_as_long_as_it_is_told(ca: str, trusting: None) -> None:
    for _turn in range(2):
        play(playbook="rotate_registry_users", longshore_registry=WITH_NEXT, rotate_registry_users_until="added")
        assert users() == ["ci-2", "ci"]
    assert said_differences(play("--check", longshore_registry=WITH_NEXT)) == ["user ci is not among the wanted ones"]
    play(playbook="rotate_registry_users", longshore_registry=WITH_NEXT)
    assert users() == ["ci-2"]


@pytest.mark.rare
def test_one_that_is_killed_goes_on_from_there(ca: str, trusting: None) -> None:
    for task in ("Write the file of users", "Go on only where every node has followed", "Remove them"):
        kill_at(task, playbook="rotate_registry_users", longshore_registry=WITH_NEXT)
        assert "ci" in users(), "nobody is removed before the last step"
    play(playbook="rotate_registry_users", longshore_registry=WITH_NEXT)
    assert users() == ["ci-2"]


def test_every_engine_pulls_while_another_login_follows(
    ca: str, repository: str, image: ManifestDigest, trusting: None, tmp_path: Path
) -> None:
    running = processes()

    def pull_by(login: dict[str, str]) -> None:
        with client(ca, login) as pulling_anew:
            pulling_anew.ping()
            pulling_anew.get_manifest(repository, image)

    with pulling(lambda: pull_by(LOGIN), {"ca": ca}):
        gone = with_one_gone(tmp_path / "gone.yml")
        output = play(playbook="rotate_registry_users", hosts=gone, longshore_registry=WITH_NEXT, ok=False)
        said = " ".join(output.split())
        assert "gone has not followed" in said
        assert "The users before stay" in said
        assert said_differences(output) == ["user ci-2 is missing"]
        assert users() == ["ci-2", "ci"]
        for secret in (LOGIN["password"], NEXT["password"], "$2y$"):
            assert secret not in output
    with pulling(lambda: pull_by(NEXT), {**NEXT, "ca": ca}):
        play(playbook="rotate_registry_users", longshore_registry=WITH_NEXT)
        assert users() == ["ci-2"]
    with pytest.raises(RegistryError) as refused:
        pull_by(LOGIN)
    assert refused.value.kind == "unauthorized"
    assert processes() == running, "users need not even a reload"
