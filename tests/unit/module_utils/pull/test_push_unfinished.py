# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A push that fails on its way: whether the registry serves something else by then is said."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.running import run_command
from tests import returned
from tests.http_server import AnsweringServer, Reply, Request, json_reply

IMAGE_ID = "sha256:" + "a" * 64
MEDIA_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
MANIFEST = json.dumps({"schemaVersion": 2, "mediaType": MEDIA_TYPE, "config": {"digest": IMAGE_ID}}).encode()
DIGEST = str(ManifestDigest.of(MANIFEST))


class Registry:
    """Serves one manifest by some tags, takes it for others, and fails where it is told to.

    :param tags: those that serve it.
    :param failing: requests that fail, as C("PUT 2").
    """

    def __init__(self, tags: set[str], failing: set[str]) -> None:
        self.tags, self.failing = tags, failing

    def answer(self, request: Request) -> Reply:
        if request.path == "/v2/":
            return 200, {}, b"{}"
        tag = request.path.rpartition("/")[2]
        if f"{request.method} {tag}" in self.failing:
            return json_reply({"errors": [{"code": "UNKNOWN", "message": "disk full"}]}, 500)
        if request.method == "PUT":
            self.tags.add(tag)
            return 201, {"Docker-Content-Digest": DIGEST}, b""
        if tag not in self.tags:
            return json_reply({"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}, 404)
        return 200, {"Docker-Content-Digest": DIGEST, "Content-Type": MEDIA_TYPE}, MANIFEST


def engine(registry: Registry, refuses: str) -> t.Callable[[Request], Reply]:
    """A Docker engine that has the image, and brings it to the registry when it is to push, or says why not."""

    def answer(request: Request) -> Reply:
        path = request.path.partition("?")[0]
        if path.endswith("/version"):
            return json_reply({"ApiVersion": "1.45", "MinAPIVersion": "1.24", "Version": "26.1"})
        if path.endswith("/push") and refuses:
            return json_reply({"error": refuses, "errorDetail": {"message": refuses}})
        if path.endswith("/push"):
            registry.tags.add("1")
            return json_reply({"aux": {"Tag": "1", "Digest": DIGEST, "Size": len(MANIFEST)}})
        if path.endswith("/shop/web:1/json"):
            return json_reply({"Id": IMAGE_ID, "RepoDigests": []})
        if path.endswith("/tag"):
            return 201, {}, b""
        return json_reply([] if request.method == "DELETE" else {"message": "No such image"}, 404)

    return answer


@pytest.mark.parametrize(
    ("tags", "failing", "refuses", "changed"),
    [
        (set(), {"PUT 2"}, "", True),  # after the engine's push
        (set(), {"PUT 3"}, "", True),
        ({"1"}, {"PUT 3"}, "", True),  # after the first tag that was pointed
        ({"1"}, {"HEAD 2"}, "", True),
        ({"1"}, {"PUT 2"}, "", False),
        ({"1"}, {"GET 3"}, "", False),  # before anything
        (set(), set(), "denied: requested access to the resource is denied", False),
    ],
)
def test_a_failure_after_a_change_says_so(tags: set[str], failing: set[str], refuses: str, changed: bool) -> None:
    registry = Registry(set(tags), failing)
    with AnsweringServer(registry.answer) as served, AnsweringServer(engine(registry, refuses)) as docker:
        params = {
            "name": "shop/web",
            "tags": ["1", "2", "3"],
            "registry": {"endpoint": served.endpoint, "tls": "plain"},
            "docker_host": "tcp://" + docker.endpoint,
        }
        context = Context(False, False, lambda warning: None, lambda line: None, run_command)
        with pytest.raises(DeliveryError) as caught:
            returned.run("image_push", params, context)
    assert str(caught.value).startswith("Registry" if failing else "Pushing")
    assert bool(caught.value.facts.get("changed")) is changed
    assert (registry.tags != tags) is changed


def test_without_a_failure_all_tags_serve_the_image() -> None:
    registry = Registry(set(), set())
    with AnsweringServer(registry.answer) as served, AnsweringServer(engine(registry, "")) as docker:
        params = {
            "name": "shop/web",
            "tags": ["1", "2", "3"],
            "registry": {"endpoint": served.endpoint, "tls": "plain"},
            "docker_host": "tcp://" + docker.endpoint,
        }
        context = Context(False, False, lambda warning: None, lambda line: None, run_command)
        result = returned.run("image_push", params, context)
    assert result["changed"] is True
    assert registry.tags == {"1", "2", "3"}
