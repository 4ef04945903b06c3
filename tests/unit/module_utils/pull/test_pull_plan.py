# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a node lacks, by what its engine lists."""

from __future__ import annotations

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.node.held_images import HeldImage
from ansible_collections.longshore.delivery.plugins.module_utils.node.login import login_for
from ansible_collections.longshore.delivery.plugins.module_utils.pull.pull_plan import PullStep, pinned, plan_pull
from ansible_collections.longshore.delivery.plugins.module_utils.reference import InvalidReference, Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings

ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64
WEB = "registry.example:5000/shop/web"


def held(*names: str) -> HeldImage:
    return HeldImage.of("an id", names)


@pytest.mark.parametrize(
    ("images", "pull"),
    [
        ([], True),
        ([held(f"{WEB}@{ONE}")], False),
        ([held(f"{WEB}@{TWO}", f"{WEB}@{ONE}")], False),  # an index and its manifest
        ([held(f"{WEB}@{TWO}")], True),
        ([held(f"{WEB}:1")], True),  # a tag alone says nothing of what it is
        ([held(f"registry.example:5000/shop/other@{ONE}")], True),
        ([held(f"registry.example/shop/web@{ONE}")], True),
        ([held("<none>@<none>", "<none>:<none>")], True),
    ],
)
def test_an_image_is_there_by_repository_and_digest(images: list[HeldImage], pull: bool) -> None:
    wanted = Reference.parse(f"{WEB}@{ONE}")
    assert plan_pull([wanted], images, engine_tags=True) == (PullStep(wanted, pull=pull, tag=False),)


@pytest.mark.parametrize("short", ["debian", "library/debian", "docker.io/library/debian"])
def test_engines_shorten_the_names_of_docker_hub(short: str) -> None:
    wanted = Reference.parse(f"docker.io/library/debian@{ONE}")
    assert not plan_pull([wanted], [held(f"{short}@{ONE}")], engine_tags=True)[0].changes


@pytest.mark.parametrize(
    ("images", "engine_tags", "pull", "tag"),
    [
        ([], True, True, True),
        ([held(f"{WEB}@{ONE}")], True, False, True),
        ([held(f"{WEB}@{ONE}", f"{WEB}:1")], True, False, False),
        ([held(f"{WEB}@{ONE}"), held(f"{WEB}@{TWO}", f"{WEB}:1")], True, False, True),  # the tag is on another image
        ([], False, True, False),
        ([held(f"{WEB}@{ONE}")], False, False, False),
    ],
)
def test_a_tag_is_set_where_the_engine_can(images: list[HeldImage], engine_tags: bool, pull: bool, tag: bool) -> None:
    [step] = plan_pull([Reference.parse(f"{WEB}:1@{ONE}")], images, engine_tags)
    assert (step.pull, step.tag) == (pull, tag)


def test_only_pinned_references_are_taken_and_each_once() -> None:
    assert [str(reference) for reference in pinned([f"{WEB}@{ONE}", f"{WEB}@{TWO}", f"{WEB}@{ONE}"])] == [
        f"{WEB}@{ONE}",
        f"{WEB}@{TWO}",
    ]
    with pytest.raises(InvalidReference, match="not pinned"):
        pinned([f"{WEB}:1"])


@pytest.mark.parametrize(
    ("image", "sent"),
    [
        (f"{WEB}@{ONE}", True),
        (f"registry.example:5001/shop/web@{ONE}", False),
        (f"registry.example/shop/web@{ONE}", False),
        (f"docker.io/library/debian@{ONE}", False),
    ],
)
def test_a_password_goes_to_its_own_registry_alone(image: str, sent: bool) -> None:
    registry = RegistrySettings.from_params(
        {"endpoint": "registry.example:5000", "username": "ci", "password": "tide-and-time"}
    )
    login = login_for(Reference.parse(image), registry)
    assert (login is not None) is sent
    assert "tide-and-time" not in repr(login)


def test_nobody_logs_in_without_credentials() -> None:
    assert login_for(Reference.parse(f"{WEB}@{ONE}"), None) is None
    assert (
        login_for(Reference.parse(f"{WEB}@{ONE}"), RegistrySettings.from_params({"endpoint": "registry.example:5000"}))
        is None
    )
