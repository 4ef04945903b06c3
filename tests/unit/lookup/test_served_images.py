# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the lookup says of a registry, and of images and registries that are none."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible import constants as C

from ansible_collections.longshore.delivery.plugins.lookup import served_images
from tests.http_server import ManifestServer

WEB, OTHER = "sha256:" + "1" * 64, "sha256:" + "2" * 64
NAME = "longshore.delivery.served_images"


def look(*images: t.Any, endpoint: str = "registry.example:5000", **options: t.Any) -> dict[str, t.Any]:
    """The lookup as a playbook calls it, with the options that its documentation declares."""
    declared = yaml.safe_load(served_images.DOCUMENTATION)["options"]
    C.config.initialize_plugin_configuration_definitions("lookup", NAME, declared)
    plugin = served_images.LookupModule()
    plugin._load_name = NAME
    registry = options.pop("registry", {"endpoint": endpoint, "tls": "plain"})
    [answer] = plugin.run([list(images)], {}, registry=registry, **options)
    return answer


def test_images_for_nodes_are_pinned_and_missing_ones_named() -> None:
    served = {"": "", "shop/web/manifests/1.0": WEB, "shop/web/manifests/latest": WEB, "shop/other/manifests/2": OTHER}
    images = [
        {"name": "shop/web", "tags": ["1.0", "latest", "1.1"], "source": "web"},
        {"name": "shop/other:2"},
        {"name": "shop/base", "tags": ["1.0"], "distribute": "registry"},
        {"name": "shop/mine", "distribute": "nowhere"},
        {"name": "shop/carried", "tags": ["1.0"], "output": "layout"},
    ]
    with ManifestServer(served) as server:
        answer = look(*images, endpoint=server.endpoint)
    assert answer == {
        "references": [f"{server.endpoint}/shop/web@{WEB}", f"{server.endpoint}/shop/other@{OTHER}"],
        "missing": [f"{server.endpoint}/shop/web:1.1"],
        "error": "",
    }
    assert not [request for request in server.requests if "/shop/base/" in request.path]


def test_a_registry_is_asked_for_itself_too() -> None:
    """Else one that is not there at all would be one that serves nothing."""
    with ManifestServer({}) as server:
        answer = look(endpoint=server.endpoint)
    assert f"Registry {server.endpoint}: something answers there, but not as a registry" in answer["error"]
    assert "nothing takes connections" in look(endpoint=server.endpoint)["error"]


@pytest.mark.parametrize(
    ("images", "registry", "words"),
    [
        ([{"name": "shop/web", "tags": ["1/4"]}], {}, "the tag '1/4' has the character '/'"),
        ([{"name": "shop/web", "tags": ["1/4"], "distribute": "nowhere"}], {}, "the tag '1/4' has the character '/'"),
        ([{"name": "shop/web"}], {}, "is to be pushed without a tag. Set 'tags'."),
        ([{"name": "shop/web", "tags": ["1"], "distribute": "node"}], {}, "must be one of: nodes, registry, nowhere"),
        ([{"tags": ["1"]}], {}, "missing required arguments: name"),
        (["shop/web"], {}, "'shop/web' is none"),
        ([], {"endpoint": "https://registry.example"}, "it has a scheme"),
        ([], None, "missing required arguments: registry"),
        ([], {"user": "ci"}, "Unsupported parameters: registry.user."),
        ([], {"username": "ci"}, "username, password"),
    ],
)
def test_what_cannot_be_is_said_without_asking(
    images: list[t.Any], registry: dict[str, str] | None, words: str
) -> None:
    given = None if registry is None else {"endpoint": "registry.example:5000", **registry}
    answer = look(*images, registry=given, ask=False)
    assert words in answer["error"]
    assert answer["references"] == answer["missing"] == []


def test_nobody_is_asked_where_that_is_not_wanted() -> None:
    with ManifestServer({}) as server:
        answer = look({"name": "shop/web", "tags": ["1.0"]}, endpoint=server.endpoint, ask=False)
    assert answer == {"references": [], "missing": [], "error": ""}
    assert server.requests == []
