# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role registry knows of the registries beside one on a host, and what two of them cannot both have."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_instances import (
    Instance,
    check,
    conflicts,
    is_said_of,
    others,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_listeners import Listener
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_obstacles import obstacles

from .test_host import WANTED, seen

CONFIGURATION = """\
storage:
  filesystem:
    rootdirectory: "/srv/a \\"b\\""
http:
  addr: 127.0.0.1:5001
  debug:
    addr: 127.0.0.1:5002
"""
SITE = """\
# of nginx.conf: 2048 connections in each process at least
server {
    listen 0.0.0.0:5000 ssl;
    listen [::1]:5000 ssl;
    proxy_pass http://127.0.0.1:5001;
}
server {
    listen 127.0.0.3:5000;
}
"""


def place(root: Path, name: str, configuration: str = CONFIGURATION, site: str = SITE) -> None:
    directory, sites = root / "etc/longshore" / name, root / "etc/nginx/conf.d"
    directory.mkdir(parents=True)
    sites.mkdir(parents=True, exist_ok=True)
    (directory / "config.yml").write_text(configuration)
    (sites / f"longshore-{name}.conf").write_text(site)


def test_those_beside_one_are_read_from_their_files(tmp_path: Path) -> None:
    assert others("", str(tmp_path)) == ()
    place(tmp_path, "registry")
    place(tmp_path, "registry-shop", CONFIGURATION.replace("500", "510"), "")
    (tmp_path / "etc/longshore/registry-gone").mkdir()
    first = Instance("", (5000, 5001, 5002), '/srv/a "b"', 2048)
    shop = Instance("shop", (5101, 5102), '/srv/a "b"')
    assert others("", str(tmp_path)) == (shop,)
    assert others("shop", str(tmp_path)) == (first,)
    assert others("new", str(tmp_path)) == (first, shop)


def test_one_with_its_images_in_a_bucket_has_no_directory(tmp_path: Path) -> None:
    """Its rootdirectory is what names in the bucket begin with."""
    place(tmp_path, "registry", CONFIGURATION.replace("filesystem", "s3"))
    assert others("shop", str(tmp_path)) == (Instance("", (5000, 5001, 5002), "", 2048),)
    assert conflicts(others("shop", str(tmp_path)), {}, "/srv/a") == []


@pytest.mark.parametrize("name", ["", "cache", "a1", "abcdefghij"])
def test_a_name_that_can_be(name: str) -> None:
    check(name)


@pytest.mark.parametrize("name", ["garbage", "plain", "a-b", "A", "1a", "abcdefghijk", "../a", "a\n"])
def test_a_name_that_cannot_be(name: str) -> None:
    with pytest.raises(DeliveryError, match=r"registry_instance is .*garbage and plain"):
        check(name)


@pytest.mark.parametrize("place", ["/srv/a", "/srv/a/", "/srv/a/b", "/srv"])
def test_one_place_for_the_images_of_two_is_refused(place: str) -> None:
    (said,) = conflicts([Instance("shop", data="/srv/a")], {}, place)
    assert said == (
        f"registry_data {place} and the images of the instance 'shop' (registry_instance), in /srv/a, would be in one place. "
        "Set another one."
    )


def test_places_beside_one_another_are_none() -> None:
    assert conflicts([Instance("", data="/srv/a")], {5000: "registry_endpoint"}, "/srv/ab") == []
    assert conflicts([Instance("")], {}, "") == conflicts([Instance("")], {}, "/srv") == []


def test_a_port_of_another_one_is_refused_once_whoever_listens() -> None:
    taken = Listener("127.0.0.1", 5001, 12, "docker-registry", "longshore-registry-shop.service")
    for listeners in ((), (taken,)):
        found = seen(instances=(Instance("shop", (5001, 5000)),), listeners=listeners)
        assert obstacles(found, WANTED) == [
            "Port 5000 (registry_endpoint) is one of the instance 'shop' (registry_instance), which is on this host too. Set "
            "another one.",
            "Port 5001 (registry_backend_port) is one of the instance 'shop' (registry_instance), which is on this host too. Set "
            "another one.",
        ]


def test_what_nginx_says_of_one_is_not_said_of_another() -> None:
    site = "directive is not terminated in /etc/nginx/conf.d/longshore-registry-shop.conf:7"
    key = 'cannot load certificate key "/etc/longshore/registry/server.key"'
    assert [is_said_of(name, words) for words in (site, key) for name in ("", "shop")] == [False, True, True, False]
