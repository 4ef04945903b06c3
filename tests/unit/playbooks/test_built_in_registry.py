# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images that were built straight into the registry, or into a layout, in the stage after the build, without an engine."""

from __future__ import annotations

import typing as t

from tests.http_server import ManifestServer

from .running import Playbooks, on

WEB, BASE = "sha256:" + "1" * 64, "sha256:" + "2" * 64
IMAGES = [
    {"name": "shop/web", "tags": ["1.0"], "output": "registry"},
    {"name": "shop/base", "tags": ["1.0"], "output": "registry", "distribute": "registry"},
    {"name": "shop/carried", "tags": ["1.0"], "output": "layout"},
]


def pushed(playbooks: Playbooks, served: dict[str, str], *flags: str) -> tuple[int, str]:
    role: dict[str, t.Any] = {"name": "longshore.delivery.image_distribution", "tasks_from": "push"}
    show = {"ansible.builtin.debug": {"msg": "to hold: {{ image_distribution_references }}."}}
    with ManifestServer({"": "", **served}) as server:
        status, output = playbooks.run(
            [on("localhost", {"ansible.builtin.import_role": role}, show)],
            *flags,
            image_distribution_images=IMAGES,
            image_distribution_registry={"endpoint": server.endpoint, "tls": "plain"},
            image_distribution_builder={"docker_host": "tcp://127.0.0.1:1"},
        )
        return status, output.replace(server.endpoint, "REGISTRY")


def test_what_was_built_into_the_registry_goes_to_the_nodes_without_a_push(playbooks: Playbooks) -> None:
    status, output = pushed(playbooks, {"shop/web/manifests/1.0": WEB, "shop/base/manifests/1.0": BASE})
    assert status == 0, output
    assert f"to hold: ['REGISTRY/shop/web@{WEB}']." in output


def test_what_the_registry_lacks_is_named(playbooks: Playbooks) -> None:
    status, output = pushed(playbooks, {"shop/base/manifests/1.0": BASE})
    assert status != 0
    assert (
        "Registry REGISTRY: it does not serve REGISTRY/shop/web:1.0, which has 'output: registry'. Build it" in output
    )
    status, output = pushed(playbooks, {"shop/base/manifests/1.0": BASE}, "--check")
    assert status == 0, output
    assert "to hold: []." in output
