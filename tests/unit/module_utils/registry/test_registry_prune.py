# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""registry_prune on a real registry, which is asked past the collection's plan what it then serves."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.manifest import OCI_INDEX, OCI_MANIFEST
from tests.unit.module_utils.image.making import Made, index, push

from .conftest import StartRegistry
from .pruning import (
    NEWEST,
    Lists,
    Prune,
    RegistryWithReferrers,
    about,
    aged,
    fill,
    kept,
    own_bytes,
    removed,
)
from .servers import PASSWORD, USERNAME


@pytest.fixture
def prune(start_registry: StartRegistry) -> Prune:
    return Prune(start_registry().endpoint)


@pytest.fixture
def cluster(prune: Prune, tmp_path: Path) -> t.Iterator[Lists]:
    with Lists() as running:
        prune.ask(running, tmp_path)
        yield running


def test_it_is_foretold_done_and_done_again(prune: Prune) -> None:
    first, second, third = fill(prune)
    with prune.client() as client:
        push(client, "other", third, "1")
    foretold = prune(NEWEST, check=True)
    assert prune.has("shop/web", "1", "2", "3") == [True, True, True]
    done = prune(NEWEST)
    assert done == foretold
    assert removed(done) == {first.digest: ["1"], second.digest: ["2"]}
    assert [one["why"] for one in done["removed"]] == ["rule 1: it is none of the 1 newest"] * 2
    assert done["bytes_freed"] == own_bytes(first, second, stays=[third])
    assert done["diff"]["before"] == f"shop/web:1 {first.digest}\nshop/web:2 {second.digest}\n"
    assert kept(done) == {"3": ["rule 1: it is one of the 1 newest"], "1": ["rule 1: it is one of the 1 newest"]}
    assert prune.tags("shop/web") == ["3"]
    again = prune(NEWEST)
    assert (again["changed"], again["removed"], again["bytes_freed"]) == (False, [], 0)
    assert prune.warnings == []


def test_bytes_that_another_repository_needs_are_not_freed(prune: Prune) -> None:
    first, second = fill(prune, count=2)
    with prune.client() as client:
        push(client, "other", first, "1")
    done = prune({"repositories": ["shop/*"], "keep_newest": 1})
    assert list(removed(done)) == [first.digest]
    assert done["bytes_freed"] == 0
    assert prune.has("other", "1") == [True]
    assert kept(done) == {"2": ["rule 1: it is one of the 1 newest"]}
    assert prune.has("shop/web", second.digest) == [True]


def test_an_image_goes_with_all_its_tags_or_stays_with_them(prune: Prune) -> None:
    first, _second = fill(prune, count=2)
    with prune.client() as client:
        push(client, "shop/web", first, "stable")
    rule = {**NEWEST, "keep_matching": ["sta*"]}
    assert kept(prune(rule))["1 stable"] == ["rule 1: stable is like sta*"]
    assert prune.tags("shop/web") == ["1", "2", "stable"]
    assert kept(prune({**NEWEST, "tags": ["1", "2"]}))["1 stable"] == ["no rule is about stable"]
    assert removed(prune(NEWEST)) == {first.digest: ["1", "stable"]}
    assert prune.tags("shop/web") == ["2"]


@pytest.mark.parametrize(
    ("rule", "stays"),
    [
        ({"keep_newest": 2}, ["1.9", "2.0"]),
        ({"keep_newest": 0}, []),
        ({"keep_younger_than": "25d"}, ["1.9", "2.0"]),
        ({"keep_matching": ["1.*"]}, ["1.4", "1.9"]),
        ({"keep_versions": ["<1.5"]}, ["1.4"]),
        ({"keep_versions": ["2.x", "~1.4.0"]}, ["1.4", "2.0"]),
        ({"keep_matching": ["1.4"], "keep_newest": 1}, ["1.4", "2.0"]),
        ({"keep_newest": 1, "tags": ["1.*"]}, ["1.9", "2.0"]),
        ({"keep_newest": 0, "repositories": ["shop"]}, ["1.4", "1.9", "2.0"]),
        ({"keep_newest": 0, "repositories": ["shop/*"]}, []),
    ],
)
def test_what_a_rule_keeps(prune: Prune, rule: dict[str, t.Any], stays: list[str]) -> None:
    with prune.client() as client:
        for number, tag in enumerate(["1.4", "1.9", "2.0"]):
            push(client, "shop/web", aged(tag, days=30 - 10 * number), tag)
    prune({"repositories": ["shop/web"], **rule})
    assert prune.tags("shop/web") == stays


def test_what_one_rule_keeps_stays(prune: Prune) -> None:
    fill(prune)
    result = prune(NEWEST, {"repositories": ["shop/web"], "keep_matching": ["1"]})
    assert kept(result)["1"] == ["rule 2: 1 is like 1"]
    assert prune.tags("shop/web") == ["1", "3"]


def test_children_go_unless_something_that_stays_needs_them(prune: Prune) -> None:
    shared, own, new = aged("shared", 30), aged("own", 30), aged("new", 1)
    old_index = index({"linux/amd64": shared, "linux/arm64": own})
    new_index = index({"linux/amd64": shared, "linux/arm64": new})
    with prune.client() as client:
        push(client, "shop/web", old_index, "1")
        push(client, "shop/web", new_index, "2")
        push(client, "shop/web", own, "own-arm64")
    result = prune({**NEWEST, "keep_matching": ["own-*"]})
    assert removed(result) == {old_index.digest: ["1"]}
    assert prune.has("shop/web", shared.digest, own.digest, new.digest, "2") == [True] * 4
    result = prune({**NEWEST})
    assert removed(result) == {own.digest: ["own-arm64"]}
    assert result["bytes_freed"] == own_bytes(own, stays=[new_index])
    with prune.client() as client:
        push(client, "shop/web", old_index, "1")
    result = prune(NEWEST)
    assert [(one["digest"], one["along_with"]) for one in result["removed"]] == [
        (old_index.digest, None),
        (own.digest, old_index.digest),
    ]
    assert result["removed"][1]["why"] == "nothing that stays needs it"
    assert prune.has("shop/web", old_index.digest, own.digest, shared.digest) == [False, False, True]
    assert prune.tags("shop/web") == ["2"]
    # a child with a tag of its own that no rule keeps
    with prune.client() as client:
        push(client, "shop/web", shared, "shared")
    assert kept(prune(NEWEST))["shared"] == [f"{new_index.digest} needs it, which stays"]


def test_what_is_about_an_image_goes_with_it(prune: Prune) -> None:
    first, second = fill(prune, count=2)
    signature, list_of = aged("signature", 1), about(first)
    referrers = Made(
        json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [list_of.descriptor()]}).encode(),
        OCI_INDEX,
        list_of.blobs,
        {list_of.digest: (OCI_MANIFEST, list_of.body)},
    )
    orphan = aged("orphan", 40)
    with prune.client() as client:
        push(client, "shop/web", signature, first.digest.replace(":", "-") + ".sig")
        push(client, "shop/web", about(first), first.digest.replace(":", "-"))
        push(client, "shop/web", referrers, first.digest.replace(":", "-"))
        push(client, "shop/web", about(second), second.digest.replace(":", "-"))
        push(client, "shop/web", about(second, "tagged"), "2-sbom")
        push(client, "shop/web", orphan, "sha256-" + "a" * 64 + ".att")
    result = prune({"repositories": ["shop/web"], "keep_newest": 1, "keep_matching": ["2"]})
    assert set(removed(result)) == {first.digest, signature.digest, referrers.digest, list_of.digest}
    assert {one["along_with"] for one in result["removed"]} == {None, first.digest}
    assert kept(result)["sha256-" + "a" * 64 + ".att"] == [
        "sha256-" + "a" * 64 + ".att is about an image that no tag leads to"
    ]
    assert prune.tags("shop/web") == sorted(
        ["2", "2-sbom", second.digest.replace(":", "-"), "sha256-" + "a" * 64 + ".att"]
    )
    assert prune.has("shop/web", list_of.digest, signature.digest) == [False, False]


def test_what_the_registrys_api_says_to_be_about_an_image_goes_with_it() -> None:
    """And what is about one of its platforms, and what is about that."""
    child, second = aged("child", 30), aged("second", 1)
    first = index({"linux/amd64": child})
    of_first, of_child, of_second = about(first), about(child), about(second)
    signed = about(of_child, "signature")
    with RegistryWithReferrers("shop/web") as registry:
        for made in (of_first, of_child, signed, of_second):
            registry.add(made)
        registry.add(first, "1")
        registry.add(second, "2")
        result = Prune(registry.endpoint)(NEWEST)
        assert set(registry.manifests) == {second.digest, of_second.digest}
    assert set(removed(result)) == {first.digest, child.digest, of_first.digest, of_child.digest, signed.digest}
    assert removed(result)[first.digest] == ["1"]


def test_what_runs_stays(prune: Prune, cluster: Lists) -> None:
    first, second, third, fourth, fifth = fill(prune, count=5)
    child = aged("child", 60)
    listed = index({"linux/amd64": child})
    with prune.client() as client:
        push(client, "shop/web", listed, "0")
        config = client.get_manifest("shop/web", "2").config_digest
    # by the registry's other names, by the kubelet's old word, by an ID alone, by a tag, by a platform's manifest
    cluster.add("pods", "web-1", f"10.0.0.1:5000/shop/web@{first.digest}")
    cluster.items["pods"][0]["status"] = {"containerStatuses": [{"imageID": f"docker-pullable://x/y@{child.digest}"}]}
    cluster.add("replicasets", "web-7d9c", str(config))
    cluster.add("cronjobs", "nightly", "registry.example/shop/web:3")
    cluster.add("jobs", "by-no-name", "not an image")
    cluster.add("daemonsets", "other", "registry.example/shop/api:4")
    result = prune(NEWEST)
    assert removed(result) == {fourth.digest: ["4"]}
    assert kept(result) == {
        "0": ["in use by Pod shop/web-1"],
        "1": ["in use by Pod shop/web-1"],
        "2": ["in use by ReplicaSet shop/web-7d9c"],
        "3": ["in use by CronJob shop/nightly"],
        "5": ["rule 1: it is one of the 1 newest"],
    }
    assert result["asked"] == ["nobody", f"the cluster at http://{cluster.endpoint}"]
    assert prune.has("shop/web", second.digest, third.digest, fifth.digest, child.digest) == [True] * 4


def test_what_runs_by_a_digest_without_a_tag_keeps_what_it_needs(prune: Prune, cluster: Lists) -> None:
    child = aged("child", 60)
    running, tagged = index({"linux/amd64": child}), index({"linux/arm64": child})
    fill(prune, count=1)
    with prune.client() as client:
        push(client, "shop/web", running)
        push(client, "shop/web", tagged, "0")
    cluster.add("controllerrevisions", "db-1", f"registry.example/shop/web@{running.digest}")
    assert removed(prune(NEWEST)) == {tagged.digest: ["0"]}
    assert prune.has("shop/web", running.digest, child.digest) == [True, True]


def test_hosts_that_hold_it_keep_it(prune: Prune) -> None:
    first, second, third, _fourth = fill(prune, count=4)
    shown = {
        "id": "sha256:" + "a" * 64,
        "references": ["registry.example/shop/web:3"],
        "repository_digests": [],
        "digests": {"config": None, "manifest": None, "index": first.digest},
    }
    result = prune(NEWEST, in_use={"n1": [shown], "n2": [second.digest.partition(":")[2]], "n3": []})
    assert result["removed"] == []
    assert kept(result)["1"] == ["in use by n1"]
    assert kept(result)["2"] == ["in use by n2"]
    assert kept(result)["3"] == ["in use by n1"]
    assert result["asked"] == ["n1", "n2", "n3"]
    assert prune.has("shop/web", third.digest) == [True]


@pytest.mark.parametrize("given", ["", None, {"failed": True}])
def test_a_host_that_was_not_asked_stops_it(prune: Prune, given: object) -> None:
    fill(prune)
    with pytest.raises(DeliveryError, match=r"it is not known what n2 has: .*Nothing is deleted"):
        prune(NEWEST, in_use={"n1": [], "n2": given})
    with pytest.raises(DeliveryError, match="of n1, 'Not An Image' is no image"):
        prune(NEWEST, in_use={"n1": ["Not An Image"]})
    assert prune.tags("shop/web") == ["1", "2", "3"]


@pytest.mark.parametrize("silent", [("GET", "/_catalog"), ("PUT", "/manifests/longshore-pruning")])
def test_the_time_out_is_that_of_the_option(silent: tuple[str, str]) -> None:
    with RegistryWithReferrers("shop/web") as registry:
        registry.add(index({"linux/amd64": aged("child", 1)}), "1")
        registry.silent = silent
        try:
            with pytest.raises(DeliveryError, match="within 1 s"):
                Prune(registry.endpoint)({**NEWEST, "keep_newest": 0}, timeout=1)
        finally:
            registry.ended.set()
        assert "1" in registry.tags


@pytest.mark.parametrize("check", [True, False])
def test_a_cluster_that_cannot_be_asked_stops_it(prune: Prune, cluster: Lists, check: bool) -> None:
    fill(prune)
    cluster.refused.add("cronjobs")
    with pytest.raises(DeliveryError, match=r"so nothing is deleted. the list of CronJobs: refused by the cluster"):
        prune(NEWEST, check=check)
    cluster.stop()
    with pytest.raises(DeliveryError, match=r"so nothing is deleted. The cluster at .* cannot be reached"):
        prune(NEWEST, check=check)
    assert prune.tags("shop/web") == ["1", "2", "3"]


def test_a_cluster_is_asked_unless_it_is_said_not_to(prune: Prune) -> None:
    del prune.options
    prune.options = {"in_use": None}
    prune(NEWEST)
    assert "nobody was asked what is in use" in prune.warnings[0]
    with pytest.raises(DeliveryError, match="kubeconfig /no/such"):
        prune(NEWEST, cluster="required", kubeconfig="/no/such")


def test_the_context_is_that_of_the_option(prune: Prune, cluster: Lists) -> None:
    assert prune(NEWEST, kube_context="here")["asked"] == ["nobody", f"the cluster at http://{cluster.endpoint}"]
    with pytest.raises(DeliveryError, match="with the context nowhere"):
        prune(NEWEST, kube_context="nowhere")


def test_nothing_goes_where_something_cannot_be_read(prune: Prune, start_registry: StartRegistry) -> None:
    registry = start_registry()
    prune = Prune(registry.endpoint)
    first, _second, _third = fill(prune)
    fill(prune, "shop/api", 2)
    registry.blob_file(first.digest).write_bytes(b"damaged")
    result = prune(NEWEST)
    assert {one["repository"] for one in result["removed"]} == {"shop/api"}
    assert result["bytes_freed"] is None
    assert "nothing goes in shop/web, since it is not known what shop/web:1" in prune.warnings[0]
    assert "so nothing goes here" in kept(result)["2"][0]
    registry.blob_file(first.digest).unlink()  # a tag that leads to nothing needs nothing
    assert [one["tags"] for one in prune(NEWEST)["removed"]] == [["2"]]


def test_without_the_catalog_the_repositories_that_are_named_are_looked_at(
    prune: Prune, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(prune)

    def refused(client: RegistryClient) -> t.Iterator[list[str]]:
        raise client.error("forbidden", "not for you.")

    monkeypatch.setattr(RegistryClient, "repository_pages", refused)
    with pytest.raises(DeliveryError, match="not for you"):
        prune(NEWEST)
    assert len(prune({"repositories": ["shop/web"], "keep_newest": 1})["removed"]) == 2
    assert "Only the repositories that the rules name are looked at" in prune.warnings[0]


def test_it_logs_in(start_registry: StartRegistry) -> None:
    prune = Prune(start_registry(htpasswd=True).endpoint)
    with pytest.raises(DeliveryError, match="it wants a login"):
        prune(NEWEST)
    prune.registry = {"username": USERNAME, "password": PASSWORD}
    fill(prune)
    assert len(prune(NEWEST)["removed"]) == 2
