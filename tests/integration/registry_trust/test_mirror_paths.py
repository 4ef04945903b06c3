# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mirrors below a path on the lab's engines, which are asked for images that are nowhere else."""

from __future__ import annotations

import pytest

from .lab import CRI, EVERY_NODE, files, run_module
from .registries import Served
from .test_mirrors import NOWHERE, PODMAN, by_name_of, checks, mirror, said_of

pytestmark = [pytest.mark.lab, pytest.mark.wide, pytest.mark.usefixtures("untrusted")]
ENGINES = [*CRI, PODMAN]


@pytest.mark.parametrize("fallback", [True, False])
def test_every_engine_but_docker_asks_below_the_path(plain: Served, fallback: bool) -> None:
    before = {node: files(node) for node in EVERY_NODE}
    paths = {"docker.io": "hub", NOWHERE: "a/site"}
    registries = [{**mirror(plain, "docker.io", NOWHERE), "mirror_paths": paths}]
    results = run_module(*EVERY_NODE, registries=registries, mirror_fallback=fallback)
    everywhere = {(plain.endpoint, of): "pull" for of in ("", "docker.io", NOWHERE)}
    found = checks(results)
    assert found.pop(("dock", "docker")) == {(plain.endpoint, ""): "pull"}
    assert found == dict.fromkeys(found, everywhere)
    assert "Docker knows no paths of mirrors" in " ".join(results["dock"]["output"].split())
    assert {engine["name"]: engine["unmirrored"] for engine in results["dock"]["engines"]} == {
        "docker": ["docker.io", NOWHERE],
        "podman": [],
    }
    for upstream, path in paths.items():
        image = plain.push(f"{path}/").replace(f"/{path}/", "/")
        assert set(said_of(ENGINES, by_name_of(upstream, image)).values()) == {""}
        elsewhere = plain.push()
        assert all(said_of(ENGINES, by_name_of(upstream, elsewhere)).values())
    assert plain.tags_of_canaries() == plain.tags_of_canaries("hub/") == plain.tags_of_canaries("a/site/") == []
    for result in run_module(*EVERY_NODE, registries=registries, mirror_fallback=fallback).values():
        assert not result["changed"]
    run_module(*EVERY_NODE, registries=[{"endpoint": plain.endpoint}], state="absent")
    assert {node: files(node) for node in EVERY_NODE} == before
