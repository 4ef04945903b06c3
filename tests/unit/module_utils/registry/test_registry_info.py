# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module by its function: what it shows of real registries and of large ones, and when it fails."""

from __future__ import annotations

import threading
import tracemalloc
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.reference import InvalidReference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.registry_info import (
    CAPABILITY,
    InvalidContents,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.running import run_command
from tests.http_server import Reply, Request
from tests.returned import as_documented
from tests.unit.module_utils.image.making import image, index, push

from .certificates import Certificates
from .conftest import Serve, StartRegistry
from .paging import PagingRegistry
from .servers import PASSWORD, USERNAME, Registry
from .test_condition import api

Result = t.Dict[str, t.Any]
SECONDS = 60


class Asked:
    """The module's function, with what it warns of and shows."""

    def __init__(self, endpoint: str, **registry: str) -> None:
        self.registry = {"endpoint": endpoint, **({} if "ca" in registry else {"tls": "plain"}), **registry}
        self.warnings: list[str] = []
        self.lines: list[str] = []

    def __call__(self, **options: t.Any) -> Result:
        checked = ArgumentSpecValidator(CAPABILITY.argument_spec).validate({"registry": self.registry, **options})
        assert not checked.error_messages
        context = Context(
            check=False, diff=False, warn=self.warnings.append, progress=self.lines.append, run_command=run_command
        )
        result = CAPABILITY.run(checked.validated_parameters, context)
        as_documented("registry_info", result)
        return result


@pytest.fixture
def shop(start_registry: StartRegistry) -> Registry:
    """A registry with an image of two tags, an index and another repository."""
    registry = start_registry()
    with RegistryClient(RegistrySettings.from_params({"endpoint": registry.endpoint, "tls": "plain"})) as client:
        push(client, "shop/web", image("web"), "1.4", "latest")
        push(client, "shop/api", index({"linux/arm64": image("api", architecture="arm64")}), "1.4")
        push(client, "other", image("other"), "1")
    return registry


def names(result: Result) -> list[str]:
    return [tag["name"] for tag in result["tags"]]


def test_how_it_is_needs_no_look_at_what_it_has(shop: Registry) -> None:
    pushes = shop.requests("POST")
    result = Asked(shop.endpoint)()
    assert (result["reachable"], result["problem"], result["changed"]) == (True, None, False)
    assert (result["repositories"], result["tags"]) == (None, None)
    assert "_catalog" not in shop.log.read_text()
    assert shop.requests("POST") == pushes


@pytest.mark.parametrize(
    ("options", "repositories", "tags"),
    [
        ({"contents": "repositories"}, {"other": None, "shop/api": None, "shop/web": None}, None),
        (
            {"contents": "tags"},
            {"other": 1, "shop/api": 1, "shop/web": 2},
            ["other:1", "shop/api:1.4", "shop/web:1.4", "shop/web:latest"],
        ),
        ({"contents": "repositories", "repositories": ["shop/*"]}, {"shop/api": None, "shop/web": None}, None),
        (
            {"contents": "tags", "tags": ["1.*"]},
            {"other": 0, "shop/api": 1, "shop/web": 1},
            ["shop/api:1.4", "shop/web:1.4"],
        ),
        ({"repositories": ["shop/web", "none"]}, {"none": 0, "shop/web": 2}, ["shop/web:1.4", "shop/web:latest"]),
        ({"tags": ["latest"]}, {"other": 0, "shop/api": 0, "shop/web": 1}, ["shop/web:latest"]),
        (
            {"query": "contains(platforms, 'linux/arm64')"},
            {"other": 1, "shop/api": 1, "shop/web": 2},
            ["shop/api:1.4"],
        ),
        (
            {"query": "tag == 'latest'", "contents": "tags"},
            {"other": 1, "shop/api": 1, "shop/web": 2},
            ["shop/web:latest"],
        ),
    ],
)
def test_what_it_has(
    shop: Registry, options: dict[str, t.Any], repositories: dict[str, int | None], tags: list[str] | None
) -> None:
    asked = Asked(shop.endpoint)
    result = asked(**options)
    assert {one["name"]: one["tags"] for one in result["repositories"]} == repositories
    assert (names(result) if tags is not None else result["tags"]) == tags
    # images are read where it is not said that they are not
    assert ("/manifests/1.4" in shop.log.read_text().rpartition("PUT")[2]) is (
        "contents" not in options and options.get("tags") != ["latest"]
    )
    assert asked.warnings == []


def test_a_tag_is_shown_with_what_is_served(shop: Registry) -> None:
    asked = Asked(shop.endpoint)
    [api_tag, web, latest] = asked(repositories=["shop/*"])["tags"]
    assert (web["digest"], latest["digest"]) == (image("web").digest, image("web").digest)
    assert api_tag["platforms"] == ["linux/arm64"]
    assert api_tag["children"][0]["platform"] == "linux/arm64"
    assert sorted(asked.lines) == ["shop/api", "shop/web"]


def test_a_query_that_is_nothing_for_each_is_said(shop: Registry) -> None:
    asked = Asked(shop.endpoint)
    assert asked(query="platform")["tags"] == []
    assert "query: 'platform' is nothing for each of the 4 tags" in asked.warnings[0]


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"contents": "none", "query": "tag"}, InvalidContents, "contents is none, and query selects"),
        ({"contents": "repositories", "tags": ["1"]}, InvalidContents, "contents is repositories, and tags selects"),
        ({"write_to": "Shop"}, InvalidReference, "write_to: 'Shop' is no repository"),
    ],
)
def test_options_that_cannot_be_meant(options: dict[str, t.Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        Asked("127.0.0.1:1")(**options)


def test_a_registry_that_cannot_be_read_is_told_or_fails(start_registry: StartRegistry) -> None:
    endpoint = start_registry(htpasswd=True).endpoint
    asked = Asked(endpoint, username=USERNAME, password=PASSWORD + "s")
    result = asked(contents="images")
    assert (result["reachable"], result["problems"][0]["kind"]) == (True, "unauthorized")
    assert (result["repositories"], result["tags"]) == (None, None)
    with pytest.raises(DeliveryError, match="it refuses user 'ci'") as raised:
        asked(fail_on_problem=True)
    assert raised.value.facts["registry_error"] == "unauthorized"
    assert raised.value.facts["authentication"]["login"] == "refused"
    as_documented("registry_info", {**raised.value.facts, "failed": True, "changed": False, "msg": "x"})
    assert Asked(endpoint, username=USERNAME, password=PASSWORD)(fail_on_problem=True)["problem"] is None


def test_a_registry_without_a_catalog_is_read_by_names(serve: Serve) -> None:
    server = serve(api)
    with pytest.raises(DeliveryError, match="it has not the catalog of its repositories"):
        Asked(server.endpoint)(contents="repositories")
    assert Asked(server.endpoint)(repositories=["a/b"])["repositories"] == [{"name": "a/b", "tags": 0}]


def test_a_push_is_tried_where_that_is_wanted(shop: Registry) -> None:
    before = shop.requests("POST")
    assert Asked(shop.endpoint)(write_to="shop/web")["push_accepted"] is True
    assert shop.requests("POST") == before + 1
    assert [one["name"] for one in Asked(shop.endpoint)(contents="repositories")["repositories"]] == [
        "other",
        "shop/api",
        "shop/web",
    ]


@pytest.mark.parametrize(("days", "warns"), [(13, True), (20, False)])
def test_a_certificate_that_ends_soon_is_a_warning(
    serve: Serve, certificates: Certificates, days: int, warns: bool
) -> None:
    authority = certificates.authority()
    asked = Asked(
        serve(api, certificates.issue("x", ["127.0.0.1"], authority, valid=(-1, days))).endpoint, ca=authority.pem
    )
    assert asked()["problem"] is None
    assert ["its certificate ends in 12 days" in line for line in asked.warnings] == ([True] if warns else [])


@pytest.mark.parametrize("silent", ["/v2/", "/v2/_catalog"])
def test_the_time_out_is_that_of_the_option(serve: Serve, silent: str) -> None:
    ended = threading.Event()

    def answer(request: Request) -> Reply:
        if request.path.partition("?")[0] == silent:
            ended.wait(SECONDS)
        return api(request)

    asked = Asked(serve(answer).endpoint)
    try:
        said = str(asked(timeout=1, contents="repositories")["problem"])
    except DeliveryError as error:
        said = str(error)
    finally:
        ended.set()
    assert "within 1 s" in said


def test_of_many_tags_those_are_held_that_are_selected() -> None:
    tags = {"a": [f"{number:05}" for number in range(10_000)]}
    with PagingRegistry(tags) as registry:
        asked = Asked(registry.endpoint)
        asked()
        tracemalloc.start()
        try:
            result = asked(contents="tags", query="ends_with(tag, '999')")
            _now, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert len(result["tags"]) == 10
    assert result["repositories"] == [{"name": "a", "tags": 10_000}]
    assert peak < 2_000_000
