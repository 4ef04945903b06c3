# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What keeps images from being deleted, what is asked again, and runs that end in the middle."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.registry import registry_prune, retention_deletion
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.retention_contents import NOTE_TAG
from ansible_collections.longshore.delivery.plugins.module_utils.registry.retention_plan import plan_retention
from tests.unit.module_utils.image.making import index, push

from .conftest import StartRegistry
from .pruning import NEWEST, Prune, aged, fill, removed


@pytest.fixture
def prune(start_registry: StartRegistry) -> Prune:
    return Prune(start_registry().endpoint)


def test_a_registry_that_deletes_nothing(start_registry: StartRegistry) -> None:
    prune = Prune(start_registry(delete=False).endpoint)
    fill(prune)
    for check in (True, False):
        with pytest.raises(DeliveryError, match=r"it deletes nothing in shop/web.*storage: {delete: {enabled: true}}"):
            prune(NEWEST, check=check, cluster="required", kubeconfig="/no/such")
    assert prune.tags("shop/web") == ["1", "2", "3"]


class Killed(BaseException):
    """What ends a process in the middle."""


@pytest.mark.parametrize("after", range(7))
def test_a_run_that_was_killed_is_completed_by_the_next(
    prune: Prune, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    made = [index({"linux/amd64": aged(f"a{n}", 20), "linux/arm64": aged(f"b{n}", 20)}) for n in range(2)]
    fill(prune, count=1)
    with prune.client() as client:
        for number, one in enumerate(made):
            push(client, "shop/web", one, f"old{number}")
    everything = [digest for one in made for digest in (one.digest, *one.manifests)]
    deleted: list[object] = []
    really = RegistryClient.delete_manifest

    def delete(client: RegistryClient, repository: str, digest: ManifestDigest) -> bool:
        if len(deleted) == after + 1:  # with the one that asks whether it deletes
            raise Killed
        deleted.append(digest)
        return really(client, repository, digest)

    with monkeypatch.context() as patch:
        patch.setattr(RegistryClient, "delete_manifest", delete)
        with pytest.raises(Killed):
            prune(NEWEST)
    assert sum(prune.has("shop/web", *everything)) == 6 - after
    prune(NEWEST)
    assert prune.has("shop/web", *everything) == [False] * 6
    assert prune.tags("shop/web") == ["1"]
    with prune.client() as client:
        assert NOTE_TAG not in client.tags("shop/web")
    assert prune(NEWEST)["changed"] is False


def test_a_note_takes_nothing_with_it_that_came_to_be_needed(prune: Prune) -> None:
    child = aged("child", 20)
    with prune.client() as client:
        push(client, "shop/web", index({"linux/amd64": child}), "1")
        noted = {"linux/amd64": child, "linux/arm64": aged("gone", 20), "linux/s390x": aged("used", 20)}
        push(client, "shop/web", index(noted), NOTE_TAG)
    used = noted["linux/s390x"].digest
    result = prune(NEWEST, in_use={"n1": [f"x/y@{used}"]})
    assert child.digest not in removed(result)
    assert len(result["removed"]) == 2
    assert result["removed"][0]["why"] == "it notes what a run was to delete that was interrupted"
    assert prune.has("shop/web", "1", child.digest, used) == [True] * 3
    assert prune.tags("shop/web") == ["1"]


@pytest.mark.parametrize("tag", ["production", "3"])
def test_a_tag_that_comes_meanwhile_stops_it(prune: Prune, monkeypatch: pytest.MonkeyPatch, tag: str) -> None:
    """A new one, or one that is moved back."""
    first, *_others = fill(prune)

    def and_then(*arguments: t.Any) -> t.Any:
        with prune.client() as client:
            push(client, "shop/web", first, tag)
        return plan_retention(*arguments)

    monkeypatch.setattr(registry_prune, "plan_retention", and_then)
    with pytest.raises(DeliveryError, match=f"shop/web:{tag} was pushed while") as raised:
        prune(NEWEST)
    assert (raised.value.facts["changed"], raised.value.facts["removed"]) == (False, [])
    assert prune.tags("shop/web") == sorted({"1", "2", "3", tag})


def test_what_is_there_afterwards_is_said(prune: Prune, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = fill(prune)
    really = retention_deletion.see_that_it_is_done

    def with_another(*arguments: t.Any) -> None:
        with prune.client() as client:
            push(client, "shop/web", first, "back")
        really(*arguments)

    monkeypatch.setattr(registry_prune, "see_that_it_is_done", with_another)
    with pytest.raises(DeliveryError, match=f"deleted {first.digest} of shop/web, and afterwards serves it") as raised:
        prune(NEWEST)
    assert [one["digest"] for one in raised.value.facts["removed"]] == [first.digest, second.digest]

    def without_another(*arguments: t.Any) -> None:
        prune.delete("shop/web", third.digest)
        really(*arguments)

    monkeypatch.setattr(registry_prune, "see_that_it_is_done", without_another)
    with pytest.raises(DeliveryError, match=f"no longer has {third.digest} of shop/web"):
        prune(NEWEST)
