# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which image the pods run, asked of a server that answers as a registry does to a HEAD."""

from __future__ import annotations

import socket
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.workload.images import ImageNotFound, resolve
from tests.http_server import ManifestServer

DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64


@pytest.fixture
def registry() -> t.Iterator[ManifestServer]:
    """It has shop/web:1.4, under its tag and its digest."""
    with ManifestServer(dict.fromkeys(("shop/web/manifests/1.4", "shop/web/manifests/" + DIGEST), DIGEST)) as server:
        yield server


def plain(registry: ManifestServer) -> RegistrySettings:
    return RegistrySettings.from_params({"endpoint": registry.endpoint, "tls": "plain"})


def test_a_tag_becomes_the_digest_that_has_it_now(registry: ManifestServer) -> None:
    pinned = "%s/shop/web@%s" % (registry.endpoint, DIGEST)
    named = registry.endpoint + "/shop/web:1.4"
    assert resolve(["shop/web:1.4", named], plain(registry), pin=True) == {"shop/web:1.4": pinned, named: pinned}


def test_a_digest_is_kept_and_seen_to_be_there(registry: ManifestServer) -> None:
    image = "shop/web:1.4@" + DIGEST
    assert resolve([image], plain(registry), pin=True) == {image: "%s/shop/web@%s" % (registry.endpoint, DIGEST)}
    assert [request.path for request in registry.requests] == ["/v2/shop/web/manifests/" + DIGEST]


def test_a_digest_of_another_registry_is_left_to_the_nodes(registry: ManifestServer) -> None:
    image = "other.example:5000/shop/web@" + OTHER
    assert resolve([image], plain(registry), pin=True) == {image: image}
    assert resolve([image], None, pin=True) == {image: image}
    assert registry.requests == []


def test_without_pinning_nobody_is_asked(registry: ManifestServer) -> None:
    assert resolve(["shop/web:9"], plain(registry), pin=False) == {"shop/web:9": registry.endpoint + "/shop/web:9"}
    assert registry.requests == []


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("shop/web:9.9", ("shop/web:9.9", "no tag 9.9 in shop/web", "nothing has been changed")),
        ("shop/web@" + OTHER, ("no digest " + OTHER,)),
    ],
)
def test_what_is_not_there_is_named(registry: ManifestServer, image: str, words: tuple[str, ...]) -> None:
    with pytest.raises(ImageNotFound) as caught:
        resolve([image], plain(registry), pin=True)
    assert not [word for word in (*words, registry.endpoint) if word not in str(caught.value)], str(caught.value)


def test_latest_is_never_guessed(registry: ManifestServer) -> None:
    with pytest.raises(DeliveryError, match="neither tag nor digest"):
        resolve(["shop/web"], plain(registry), pin=True)
    assert registry.requests == []


def test_in_check_mode_a_tag_may_come_and_a_digest_may_not(registry: ManifestServer) -> None:
    told: list[str] = []
    named = registry.endpoint + "/shop/web:9.9"
    assert resolve(["shop/web:9.9"], plain(registry), True, told.append) == {"shop/web:9.9": named}
    assert len(told) == 1
    assert "no tag 9.9 in shop/web" in told[0]
    assert "shop/web:9.9 would be deployed" in told[0]
    with pytest.raises(ImageNotFound):
        resolve(["shop/web@" + OTHER], plain(registry), True, told.append)


def test_in_check_mode_the_registry_may_come() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        endpoint = "127.0.0.1:%d" % taken.getsockname()[1]  # nobody listens there
        settings = RegistrySettings.from_params({"endpoint": endpoint, "tls": "plain"})
        told: list[str] = []
        assert resolve(["shop/web:1"], settings, True, told.append) == {"shop/web:1": endpoint + "/shop/web:1"}
        assert endpoint in told[0]
        with pytest.raises(DeliveryError, match="nothing takes connections"):
            resolve(["shop/web:1"], settings, True)
