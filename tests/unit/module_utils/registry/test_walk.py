# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The walk of what a registry has: of a real one without pages, and of one with pages and the API for referrers."""

from __future__ import annotations

import json
import tracemalloc

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.digest import BlobDigest, ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.reference import InvalidReference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.manifest import OCI_INDEX, OCI_MANIFEST
from ansible_collections.longshore.delivery.plugins.module_utils.registry.served import ServedTag
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.registry.walk import Walk, Wanted
from tests.unit.module_utils.image.making import Made, image, index, push

from .conftest import StartRegistry
from .paging import PagingRegistry, artifact
from .servers import Registry

OCI_EMPTY = "application/vnd.oci.empty.v1+json"


def plain(endpoint: str) -> RegistrySettings:
    return RegistrySettings.from_params({"endpoint": endpoint, "tls": "plain"})


def walked(endpoint: str, wanted: Wanted | None = None, at_once: int = 1) -> dict[str, ServedTag]:
    with Walk(plain(endpoint), wanted, at_once) as walk:
        return {f"{one.repository}:{one.tag}": one for one in walk.images(walk.repositories())}


def about(made: Made, kind: str) -> Made:
    """What refers to an image."""
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": kind,
        "config": {"mediaType": OCI_EMPTY, "digest": str(BlobDigest.of(b"{}")), "size": 2},
        "layers": [{"mediaType": OCI_EMPTY, "digest": str(BlobDigest.of(b"{}")), "size": 2}],
        "subject": made.descriptor(),
    }
    return Made(json.dumps(document).encode(), OCI_MANIFEST, {str(BlobDigest.of(b"{}")): b"{}"})


@pytest.fixture
def shelf(start_registry: StartRegistry) -> tuple[Registry, RegistryClient]:
    registry = start_registry()
    return registry, RegistryClient(plain(registry.endpoint))


def test_an_image_is_told_with_what_it_is_made_of(shelf: tuple[Registry, RegistryClient]) -> None:
    registry, client = shelf
    made = image("one", "two", architecture="arm64", created="2026-11-01T12:00:00.5Z")
    push(client, "shop/web", made, "1.4")
    found = walked(registry.endpoint)["shop/web:1.4"]
    assert found.shown() == {
        "name": "shop/web:1.4",
        "repository": "shop/web",
        "tag": "1.4",
        "digest": made.digest,
        "media_type": OCI_MANIFEST,
        "artifact_type": None,
        "platforms": ["linux/arm64"],
        "size": len(made.body) + sum(len(blob) for blob in made.blobs.values()),
        "created": "2026-11-01T12:00:00Z",
        "subject": None,
        "children": [],
        "referrers": [],
        "problems": [],
    }


def test_what_several_tags_are_for_is_read_once(shelf: tuple[Registry, RegistryClient]) -> None:
    registry, client = shelf
    push(client, "shop/web", image("one"), "1", "1.4", "latest")
    before = registry.log.read_text().count('"GET /v2/shop/web/blobs/')
    assert len(walked(registry.endpoint)) == 3
    assert registry.log.read_text().count('"GET /v2/shop/web/blobs/') == before + 1


def test_an_index_is_told_with_its_children_and_their_attestations(shelf: tuple[Registry, RegistryClient]) -> None:
    registry, client = shelf
    arm, amd = image("a", architecture="arm64", created="2026-11-02T12:00:00Z"), image("b")
    attestation = image("c", config_type=OCI_EMPTY)
    made = index({"linux/arm64": arm, "linux/amd64": amd, "unknown/unknown": attestation})
    push(client, "shop/web", made, "1")
    shown = walked(registry.endpoint)["shop/web:1"].shown()
    assert shown["platforms"] == ["linux/amd64", "linux/arm64"]
    assert [(one["digest"], one["platform"]) for one in shown["children"]] == [
        (arm.digest, "linux/arm64"),
        (amd.digest, "linux/amd64"),
        (attestation.digest, "unknown/unknown"),
    ]
    sizes = [len(one.body) + sum(len(blob) for blob in one.blobs.values()) for one in (arm, amd, attestation)]
    assert [one["size"] for one in shown["children"]] == sizes
    assert shown["size"] == len(made.body) + sum(sizes)
    assert (shown["created"], shown["media_type"]) == ("2026-11-02T12:00:00Z", OCI_INDEX)
    assert shown["children"][1]["created"] == "2026-11-01T12:00:00Z"


def test_what_children_share_is_counted_once(shelf: tuple[Registry, RegistryClient]) -> None:
    registry, client = shelf
    one, other = image("same"), image("same", architecture="arm64")
    made = index({"linux/amd64": one, "linux/arm64": other})
    push(client, "shop/web", made, "1")
    blobs = {**one.blobs, **other.blobs}
    assert len(blobs) == 3
    manifests = len(made.body) + len(one.body) + len(other.body)
    assert walked(registry.endpoint)["shop/web:1"].shown()["size"] == manifests + sum(map(len, blobs.values()))


def test_referrers_are_found_by_their_tags(shelf: tuple[Registry, RegistryClient]) -> None:
    """One of the tag schema of the specification, and one of cosign."""
    registry, client = shelf
    made = image("web")
    push(client, "shop/web", made, "1", "1.4")
    sbom, signature = about(made, "application/spdx+json"), image("signature", config_type=OCI_EMPTY)
    push(client, "shop/web", sbom)
    listed = [sbom.descriptor(artifactType="application/spdx+json")]
    body = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed}).encode()
    schema = made.digest.replace(":", "-")
    client.put_manifest("shop/web", schema, OCI_INDEX, body)
    push(client, "shop/web", signature, schema + ".sig")
    found = walked(registry.endpoint)
    expected = [
        {
            "digest": sbom.digest,
            "media_type": OCI_MANIFEST,
            "artifact_type": "application/spdx+json",
            "tag": schema,
        },
        {
            "digest": signature.digest,
            "media_type": OCI_MANIFEST,
            "artifact_type": OCI_EMPTY,
            "tag": schema + ".sig",
        },
    ]
    assert found["shop/web:1"].shown()["referrers"] == expected
    assert found["shop/web:1.4"].shown()["referrers"] == expected
    assert found[f"shop/web:{schema}"].shown()["children"][0]["digest"] == sbom.digest


def test_what_is_about_an_image_says_so(shelf: tuple[Registry, RegistryClient]) -> None:
    registry, client = shelf
    made = image("web")
    push(client, "shop/web", made)
    push(client, "shop/web", about(made, "application/spdx+json"), "sbom")
    shown = walked(registry.endpoint)["shop/web:sbom"].shown()
    assert (shown["subject"], shown["artifact_type"]) == (made.digest, "application/spdx+json")


def test_only_what_is_wanted_is_read(shelf: tuple[Registry, RegistryClient]) -> None:
    registry, client = shelf
    for repository in ("shop/web", "shop/api", "other"):
        push(client, repository, image(repository), "1", "2")
    assert set(walked(registry.endpoint, Wanted(("shop/*",), ("2", "3")))) == {"shop/web:2", "shop/api:2"}
    before = registry.log.read_text().count("_catalog")
    assert set(walked(registry.endpoint, Wanted(("shop/web", "shop/none")))) == {"shop/web:1", "shop/web:2"}
    assert registry.log.read_text().count("_catalog") == before
    with Walk(plain(registry.endpoint), Wanted(("shop/web", "**"))) as walk:
        assert list(walk.repositories()) == ["shop/web", "other", "shop/api"]


def test_a_name_that_is_no_repository_is_said() -> None:
    with pytest.raises(InvalidReference, match="repositories: 'shop//web' is no repository"):
        Wanted(("shop//web",))


def test_what_is_damaged_is_told_and_the_rest_is_read(shelf: tuple[Registry, RegistryClient]) -> None:
    registry, client = shelf
    for name in ("whole", "cut", "nothing", "child"):
        made = index({"linux/amd64": image(name)}) if name == "child" else image(name)
        push(client, "shop/web", made, name)
    registry.blob_file(image("cut").digest).write_bytes(b"{}")
    registry.blob_file(image("nothing").document["config"]["digest"]).unlink()
    client.delete_manifest("shop/web", ManifestDigest.parse(image("child").digest))
    found = {name: one.shown() for name, one in walked(registry.endpoint).items()}
    assert found["shop/web:whole"]["problems"] == []
    assert found["shop/web:cut"]["digest"] is None
    assert "the manifest shop/web:cut" in found["shop/web:cut"]["problems"][0]
    assert found["shop/web:nothing"]["digest"] == image("nothing").digest
    assert found["shop/web:nothing"]["platforms"] == []
    assert "blob" in found["shop/web:nothing"]["problems"][0]
    assert found["shop/web:child"]["problems"] == [f"{image('child').digest} is listed and is not there"]
    assert found["shop/web:child"]["children"][0] == {
        "digest": image("child").digest,
        "media_type": OCI_MANIFEST,
        "platform": "linux/amd64",
        "size": None,
        "created": None,
        "served": False,
    }


def test_what_was_read_side_by_side_comes_in_the_order_of_the_lists() -> None:
    tags = {"a": [f"{number:03}" for number in range(300)], "b": ["x", "y"], "empty": []}
    with PagingRegistry(tags) as registry:
        found = walked(registry.endpoint, at_once=3)
    assert list(found) == [f"a:{tag}" for tag in tags["a"]] + ["b:x", "b:y"]
    assert [str(one.image.digest) if one.image else None for one in found.values()] == [
        str(ManifestDigest.of(artifact(name.partition(":")[2]))) for name in found
    ]


def test_pages_are_of_a_thousand_or_of_what_the_registry_takes() -> None:
    tags = {"a": [f"{number:05}" for number in range(2500)]}
    for most, lists in ((1000, ["n=1000", "n=1000&last=00999", "n=1000&last=01999"]), (500, ["n=1000", ""])):
        with PagingRegistry(tags, most) as registry, Walk(plain(registry.endpoint)) as walk:
            assert len(list(walk.tags("a"))) == 2500
        assert [path.partition("?")[2] for path in registry.lists] == lists


def test_referrers_are_asked_of_the_api_where_there_is_one() -> None:
    digest = str(ManifestDigest.of(artifact("1")))
    entry = {"mediaType": OCI_MANIFEST, "digest": "sha256:" + "5" * 64, "size": 3, "artifactType": "text/x"}
    with PagingRegistry({"a": ["1"]}, referrers={digest: [entry]}) as registry:
        [referrer] = walked(registry.endpoint)["a:1"].shown()["referrers"]
    assert referrer == {
        "digest": "sha256:" + "5" * 64,
        "media_type": OCI_MANIFEST,
        "artifact_type": "text/x",
        "tag": None,
    }


def test_each_reader_keeps_its_connection() -> None:
    with PagingRegistry({"a": [f"{number:03}" for number in range(200)]}) as registry:
        assert len(walked(registry.endpoint, at_once=2)) == 200
        assert registry.connections == 3


@pytest.mark.parametrize("at_once", [1, 3])
def test_a_registry_that_takes_no_more_requests_ends_the_walk(at_once: int) -> None:
    tags = [f"{number:03}" for number in range(500)]
    with (
        PagingRegistry({"a": tags}, busy_after=200) as registry,
        pytest.raises(DeliveryError, match=r"Registry .*: it takes no request for the manifest a:") as raised,
    ):
        walked(registry.endpoint, at_once=at_once)
    assert raised.value.facts["registry_error"] == "other"


@pytest.mark.parametrize("number", [1_500, pytest.param(10_000, marks=pytest.mark.wide)])
def test_however_many_tags_there_are_a_few_are_held_at_a_time(number: int) -> None:
    """All of them are 3 kB each."""
    tags = {"a": [f"{one:05}" for one in range(number)]}
    with PagingRegistry(tags) as registry, Walk(plain(registry.endpoint), at_once=1) as walk:
        next(walk.images(["a"]))
        tracemalloc.start()
        try:
            count = sum(1 for _tag in walk.images(["a"]))
            _now, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert count == number
    assert peak < 1_500_000
