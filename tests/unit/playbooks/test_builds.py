# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook of builds: a list that cannot be built, or be judged, ends the delivery before any engine is asked."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from tests.http_server import ManifestServer

from .running import Playbooks, imported, on

WEB: dict[str, t.Any] = {"name": "shop/web", "source": ".", "tags": ["1.0"]}


def test_images_go_to_the_registry_of_the_delivery_by_its_settings(playbooks: Playbooks, tmp_path: Path) -> None:
    """It is spoken to without TLS, and only then is the engine asked, which is not there."""
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    with ManifestServer({"": ""}) as server:
        status, output = playbooks.run(
            [imported("build")],
            image_source_root=str(tmp_path),
            longshore_images=[{**WEB, "output": "registry"}],
            longshore_registry={"endpoint": server.endpoint, "tls": "plain"},
            longshore_builder={"docker_host": "tcp://127.0.0.1:1"},
        )
        asked = {request.path for request in server.requests}
    assert status != 0
    assert "The Docker engine at tcp://127.0.0.1:1 cannot be reached" in output
    assert "/v2/shop/web/manifests/1.0" in asked


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (
            [{**WEB, "trial": {"stop_timeout": "soon"}, "trial_secrets": {"DB_PASSWORD": "tide-and-time"}}],
            "registry.example:5000/shop/web:1.0, trial: argument 'stop_timeout' is of type str",
        ),
        (
            [WEB, {**WEB, "name": "shop/base", "bases": {"BASE": "shop/web:1.0"}, "depends_on": ["shop/bass"]}],
            "shop/base: 'depends_on' names shop/bass, which is not in the list. The names there are shop/base, shop/web.",
        ),
    ],
    ids=["a gate's option", "a dependency"],
)
def test_what_cannot_be_is_said_and_nothing_comes_after_it(
    playbooks: Playbooks, tmp_path: Path, images: list[dict[str, t.Any]], words: str
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    after = on("localhost", {"name": "Push", "ansible.builtin.debug": {"msg": "pushed"}})
    status, output = playbooks.run(
        [imported("build"), after],
        image_source_root=str(tmp_path),
        longshore_images=images,
        longshore_registry={"endpoint": "registry.example:5000"},
        longshore_builder={"docker_host": "tcp://127.0.0.1:1"},
    )
    assert status != 0
    assert words in output
    assert "TASK [Push]" not in output
    assert "tide-and-time" not in output
