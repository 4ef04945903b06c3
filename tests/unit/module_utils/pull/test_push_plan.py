# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tags have to be pushed, and when an engine's image is the one that a registry serves."""

from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.digest import ConfigDigest, ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.pull.image_push import Wanted
from ansible_collections.longshore.delivery.plugins.module_utils.pull.push_plan import (
    LocalImage,
    PushPlan,
    ServedTag,
    plan_push,
)
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Endpoint, Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.manifest import (
    OCI_INDEX,
    OCI_MANIFEST,
    Manifest,
)

REGISTRY = Endpoint.parse("registry.example:5000")
REPOSITORY = "shop/web"


def manifest(content: str, media_type: str = OCI_MANIFEST) -> Manifest:
    document: dict[str, t.Any] = {"layers": []}
    if media_type == OCI_INDEX:
        document = {"manifests": [], "annotations": {"of": content}}
    else:
        document["config"] = {"digest": str(ConfigDigest.of(content.encode()))}
    body = json.dumps(document).encode()
    return Manifest(ManifestDigest.of(body), media_type, body, document)


def image(image_id: object, *digests: str) -> LocalImage:
    return LocalImage("shop/web:1", str(image_id), tuple(Reference.parse(text) for text in digests))


ONE = manifest("one")
INDEX = manifest("several", OCI_INDEX)


@pytest.mark.parametrize(
    ("local", "served", "expected"),
    [
        (image(ConfigDigest.of(b"one")), ONE, True),  # the classic store
        (image(ConfigDigest.of(b"two")), ONE, False),
        (image(ONE.digest), ONE, True),  # the containerd store
        (image(INDEX.digest), INDEX, True),  # the containerd store, built with provenance
        (
            image(ConfigDigest.of(b"one"), f"{REGISTRY}/{REPOSITORY}@{INDEX.digest}"),
            INDEX,
            True,
        ),  # pulled from an index
        (image(ConfigDigest.of(b"one"), f"{REGISTRY}/shop/other@{INDEX.digest}"), INDEX, False),
        (image(ConfigDigest.of(b"one"), f"other.example/{REPOSITORY}@{INDEX.digest}"), INDEX, False),
        (image(ConfigDigest.of(b"one"), f"{REGISTRY}/{REPOSITORY}@{INDEX.digest}"), manifest("two"), False),
    ],
)
def test_the_same_image_in_either_store(local: LocalImage, served: Manifest, expected: bool) -> None:
    assert local.is_served_by(served, REGISTRY, REPOSITORY) is expected


def test_nothing_is_pushed_where_every_tag_serves_the_image() -> None:
    plan = plan_push([ServedTag("1", ONE, True), ServedTag("2", ONE, True)])
    assert plan == PushPlan(None, (), ONE)
    assert not plan.changes


def test_a_further_tag_gets_the_manifest_that_is_there() -> None:
    plan = plan_push([ServedTag("new", None, False), ServedTag("1", ONE, True), ServedTag("old", INDEX, False)])
    assert plan == PushPlan(None, ("new", "old"), ONE)
    assert plan.changes


def test_the_engine_pushes_one_tag_of_several() -> None:
    assert plan_push([ServedTag("1", None, False), ServedTag("2", INDEX, False)]) == PushPlan("1", ("2",), None)


TAG = st.tuples(st.sampled_from([None, ONE, INDEX]), st.booleans()).map(
    lambda pair: (pair[0], pair[1] and pair[0] is not None)
)


@given(st.lists(TAG, min_size=1, max_size=6))
def test_each_tag_that_is_not_as_wanted_is_set_once(tags: list[tuple[Manifest | None, bool]]) -> None:
    served = [ServedTag(str(number), found, wanted) for number, (found, wanted) in enumerate(tags)]
    plan = plan_push(served)
    touched = ([plan.upload] if plan.upload else []) + list(plan.point)
    assert touched == [tag.tag for tag in served if not tag.is_wanted]
    # what is only pointed at must be in the registry, or be pushed before
    assert not plan.point or plan.upload or plan.manifest


@pytest.mark.parametrize(
    ("params", "written", "target", "tags"),
    [
        ({"name": "shop/web", "tags": ["1", "2", "1"]}, "shop/web", "registry.example:5000/shop/web:1", ("1", "2")),
        ({"name": "shop/web:1", "tags": ["2"]}, "shop/web", "registry.example:5000/shop/web:1", ("1", "2")),
        (
            {"name": "registry.example:5000/shop/web:1"},
            "registry.example:5000/shop/web",
            "registry.example:5000/shop/web:1",
            ("1",),
        ),
    ],
)
def test_name_and_tags(params: dict[str, t.Any], written: str, target: str, tags: tuple[str, ...]) -> None:
    wanted = Wanted.from_params({**params, "registry": {"endpoint": str(REGISTRY)}})
    assert (wanted.written, str(wanted.target), wanted.tags) == (written, target, tags)


def test_without_registry_the_name_says_where_to() -> None:
    wanted = Wanted.from_params({"name": "Registry.example:5000/shop/web:1", "registry": None})
    assert str(wanted.settings.endpoint) == "registry.example:5000"
    assert wanted.settings.tls == "verified"
    assert wanted.settings.username is None


@pytest.mark.parametrize(
    ("params", "complaint"),
    [
        ({"name": "shop/web"}, "without a tag"),
        ({"name": "shop/web", "tags": ["1 0"]}, "1 0"),
        ({"name": "shop/web@sha256:" + "0" * 64, "tags": ["1"]}, "by a digest"),
        ({"name": "other.example/shop/web:1"}, "'registry' is registry.example:5000"),
        ({"name": "Shop/web:1"}, "Shop/web:1"),
    ],
)
def test_what_cannot_be_meant_is_refused(params: dict[str, t.Any], complaint: str) -> None:
    with pytest.raises(DeliveryError, match=complaint):
        Wanted.from_params({**params, "registry": {"endpoint": str(REGISTRY)}})
