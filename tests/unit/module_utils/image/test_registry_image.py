# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The images that a real registry serves, and what of it is asked."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.image.contents import ImageContents
from ansible_collections.longshore.delivery.plugins.module_utils.image.names import InvalidSelection, Names
from ansible_collections.longshore.delivery.plugins.module_utils.image.registry_image import RegistryImages
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient, RegistryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from tests.http_server import AnsweringServer, Reply, Request, json_reply
from tests.unit.module_utils.registry.conftest import StartRegistry

from .making import digest_of, image, index, push

NOTHING = "sha256:" + "0" * 64


class Asked:
    """A registry's images by this collection.

    :ivar shown: the lines of progress.
    """

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.client = RegistryClient(RegistrySettings.from_params({"endpoint": endpoint, "tls": "plain"}))
        self.shown: list[str] = []

    def images(self, *references: str, globs: t.Sequence[str] = ()) -> list[ImageContents]:
        names = Names.parse(references, globs, self.endpoint)
        with RegistryImages(self.client, self.shown.append) as images:
            return images.images(names)

    def names(self, *references: str, globs: t.Sequence[str] = ()) -> list[str]:
        """The tags of what is found, without the registry."""
        found = self.images(*references, globs=globs)
        return sorted(reference.path for one in found for reference in one.references)


@pytest.fixture
def asked(start_registry: StartRegistry) -> Asked:
    return Asked(start_registry().endpoint)


def test_an_image_by_several_tags_is_one(asked: Asked) -> None:
    made = image("one", "two", labels={"team": "shop"}, User="1000")
    push(asked.client, "shop/web", made, "1", "1.4")
    push(asked.client, "shop/web", image("other"), "2")
    [found] = asked.images("shop/web:1", "shop/web:1.4")
    shown = found.shown()
    assert shown["references"] == [f"{asked.endpoint}/shop/web:{tag}" for tag in ("1", "1.4")]
    assert shown["repository_digests"] == [f"{asked.endpoint}/shop/web@{made.digest}"]
    assert shown["digests"] == {"manifest": made.digest, "config": made.document["config"]["digest"], "index": None}
    assert [layer["created_by"] for layer in shown["layers"]] == ["COPY one /", "COPY two /"]
    assert [layer["digest"] for layer in shown["layers"]] == [one["digest"] for one in made.document["layers"]]
    assert (shown["platform"], shown["labels"], shown["config"]) == ("linux/amd64", {"team": "shop"}, {"User": "1000"})
    assert shown["size"] == made.document["config"]["size"] + sum(one["size"] for one in made.document["layers"])
    assert asked.shown == [f"{asked.endpoint}/shop/web: 1 digests"]


def test_each_platform_is_an_image_of_the_index(asked: Asked) -> None:
    arm, amd = image("a", architecture="arm64"), image("b")
    both = index({"linux/arm64": arm, "linux/amd64": amd})
    push(asked.client, "shop/web", both, "1")
    found = asked.images("shop/web:1")
    assert [one.platform for one in found] == ["linux/arm64", "linux/amd64"]
    assert [str(one.digests.manifest) for one in found] == [arm.digest, amd.digest]
    assert {(str(one.digests.index), str(one.pinned[0].digest)) for one in found} == {(both.digest, both.digest)}


def test_names_select(asked: Asked) -> None:
    made = {name: image(name) for name in ("web", "old", "db", "base")}
    push(asked.client, "shop/web", made["web"], "1.4", "1")
    push(asked.client, "shop/web", made["old"], "0.9")
    push(asked.client, "shop/db", made["db"], "1")
    push(asked.client, "shop/web/base", made["base"], "1")
    everything = ["shop/db:1", "shop/web/base:1", "shop/web:0.9", "shop/web:1", "shop/web:1.4"]
    assert asked.names() == everything
    assert asked.names("shop/web") == ["shop/web:0.9", "shop/web:1", "shop/web:1.4"]
    assert asked.names("shop/web:1", "shop/none", "shop/db:none") == ["shop/web:1"]
    assert asked.names(globs=["shop/*:1"]) == ["shop/db:1", "shop/web:1"]
    assert asked.names(globs=["**"]) == everything
    assert asked.names(globs=[f"{asked.endpoint}/shop/web:1*"]) == ["shop/web:1", "shop/web:1.4"]
    assert asked.names(globs=["other.example:5000/shop/web"]) == []
    assert asked.names("shop/db:1", globs=["shop/web:0*"]) == ["shop/db:1", "shop/web:0.9"]
    [by_digest] = asked.images(f"shop/web@{made['web'].digest}")
    assert (by_digest.id, by_digest.references) == (made["web"].digest, ())
    assert asked.images(f"shop/web@{NOTHING}") == []
    assert asked.names(f"shop/web:1@{made['web'].digest}") == ["shop/web:1"]
    assert asked.names(f"shop/web:1@{made['old'].digest}") == []


def test_a_chart_is_shown_without_an_images_configuration(asked: Asked) -> None:
    chart = image("chart", config_type="application/vnd.cncf.helm.config.v1+json", User="1")
    push(asked.client, "shop/chart", chart, "1")
    [found] = asked.images("shop/chart")
    assert (found.id, found.platform, found.settings) == (chart.digest, None, {})


def test_another_registrys_reference_is_said(asked: Asked) -> None:
    with pytest.raises(InvalidSelection, match=r"other\.example/shop/web:1 is in the registry other\.example"):
        asked.images("other.example/shop/web:1")


@pytest.mark.parametrize("link", ['<{next}>; rel="next"', "<http://{host}{next}>; foo=bar; rel=next"])
def test_lists_are_read_to_their_end(link: str) -> None:
    """Pages of one name each, as registries with many repositories and tags have them."""
    pages = {
        "/v2/_catalog?n=1000": ({"repositories": ["a/one"]}, "/v2/_catalog?last=a%2Fone&n=1"),
        "/v2/_catalog?last=a%2Fone&n=1": ({"repositories": ["a/two"]}, ""),
        "/v2/a/one/tags/list?n=1000": ({"name": "a/one", "tags": ["1"]}, "/v2/a/one/tags/list?last=1"),
        "/v2/a/one/tags/list?last=1": ({"name": "a/one", "tags": ["2"]}, ""),
        "/v2/a/two/tags/list?n=1000": ({"name": "a/two", "tags": None}, "/v2/a/two/tags/list?n=1000"),  # without an end
    }

    def answer(request: Request) -> Reply:
        if request.path not in pages:
            return json_reply({}, 404)
        document, following = pages[request.path]
        status, headers, body = json_reply(document)
        if following:
            headers["Link"] = link.format(next=following, host=request.headers["host"])
        return status, headers, body

    with AnsweringServer(answer) as server:
        client = Asked(server.endpoint).client
        assert client.repositories() == ["a/one", "a/two"]
        assert [client.tags(name) for name in ("a/one", "a/two", "a/none")] == [["1", "2"], [], []]
        client.close()


@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        (json_reply({"errors": [{"code": "UNAUTHORIZED"}]}, 401), "unauthorized", "the catalog of its repositories"),
        (json_reply({}, 404), "not_found", "the catalog of its repositories"),
        (json_reply({"other": []}), "other", "something else for the catalog"),
        ((200, {}, b"<html>"), "other", "something else for the catalog"),
    ],
)
def test_a_registry_without_a_catalog_is_said(reply: Reply, kind: str, said: str) -> None:
    with AnsweringServer(lambda request: reply) as server:
        asked = Asked(server.endpoint)
        with pytest.raises(RegistryError, match=said) as raised:
            asked.images()
    assert raised.value.kind == kind


def test_what_is_deleted_meanwhile_and_what_is_not_mirrored_is_left_out() -> None:
    kept = image("kept", architecture="arm64")
    both = index({"linux/arm64": kept, "linux/amd64": image("absent")})
    config = kept.document["config"]["digest"]
    gone = "sha256:" + "a" * 64
    served = {
        "/v2/a/b/manifests/1": both,
        f"/v2/a/b/manifests/{both.digest}": both,
        f"/v2/a/b/manifests/{kept.digest}": kept,
    }

    def answer(request: Request) -> Reply:
        if request.path == "/v2/a/b/manifests/2" and request.method == "HEAD":
            return 200, {"Docker-Content-Digest": gone, "Content-Type": both.media_type}, b""
        if request.path == f"/v2/a/b/blobs/{config}":
            return 200, {}, kept.blobs[config]
        if request.path not in served:
            return json_reply({}, 404)
        made = served[request.path]
        headers = {"Docker-Content-Digest": made.digest, "Content-Type": made.media_type}
        return 200, headers, made.body

    with AnsweringServer(answer) as server:
        found = Asked(server.endpoint).images("a/b:1", "a/b:2")
    assert [one.platform for one in found] == ["linux/arm64"]


def test_a_configuration_that_is_none() -> None:
    made = image("one")
    broken = b"[]"
    document = made.document
    document["config"].update(digest=digest_of(broken), size=len(broken))
    body = json.dumps(document).encode()

    def answer(request: Request) -> Reply:
        if "/blobs/" in request.path:
            return 200, {}, broken
        return 200, {"Docker-Content-Digest": digest_of(body), "Content-Type": made.media_type}, body

    with AnsweringServer(answer) as server, pytest.raises(RegistryError, match="has a configuration that is none"):
        Asked(server.endpoint).images("a/b:1")
