# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A registry in a container has its images in a named volume of the engine's, where all that works on files finds them."""

from __future__ import annotations

import json
import os
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings

from .garbage import drop_in, fill
from .lab import ADDRESS, changed, on_host, play, said_differences
from .test_container_backend import IMAGE, load
from .traffic import push

pytestmark = [pytest.mark.lab, pytest.mark.wide, pytest.mark.rare]

# an instance of its own: the registry of these tests goes on as it is
NAME = "box"
UNIT = f"longshore-registry-{NAME}.service"
GARBAGE = f"longshore-registry-{NAME}-garbage"
ENDPOINT = {"endpoint": f"{ADDRESS}:5010", "tls": "plain"}
VOLUMES = {"docker": "/var/lib/docker/volumes", "podman": "/var/lib/containers/storage/volumes"}


# what a loss of power leaves of a collection; it is undone at boot
CUT_OFF = f"""
cd "$1"/docker/registry/v2/blobs/sha256
blob=$(ls -d ??/* | head -n 1)
mv $blob $blob.longshore-garbage
mv /var/lib/{GARBAGE}/idle /var/lib/{GARBAGE}/putting-aside
systemctl start {GARBAGE}-settle.service
test -d $blob
"""


def run(engine: str, *options: str, ok: bool = True, **more: t.Any) -> str:
    wanted: dict[str, t.Any] = {
        "longshore_registry": ENDPOINT,
        "registry_instance": NAME,
        "registry_backend": "container",
        "registry_engine": engine,
        "registry_image": IMAGE,
        "registry_volume": NAME,
        "registry_collect": "Sun 03:30",
        "registry_collect_recent_hours": 0,
        "registry_collect_untagged_days": 0,
    }
    return play(*options, ok=ok, **{**wanted, **more})


def client() -> RegistryClient:
    return RegistryClient(RegistrySettings.from_params(ENDPOINT))


def volumes(engine: str) -> list[str]:
    return on_host(engine, "volume", "ls", "--quiet", "--filter", f"name={NAME}").split()


def collected() -> dict[str, t.Any]:
    on_host("systemctl", "start", f"{GARBAGE}.service")
    found: dict[str, t.Any] = json.loads(on_host("cat", f"/var/lib/{GARBAGE}/result.json"))
    return found


@pytest.fixture(params=["docker", "podman"])
def engine(ca: str, request: pytest.FixtureRequest, tmp_path: Path) -> t.Iterator[str]:
    """An engine that has the image of a registry; afterwards it has neither that nor a volume."""
    load(request.param, tmp_path)
    yield request.param
    on_host(request.param, "image", "rm", "--force", IMAGE)
    assert volumes(request.param) == []


def test_images_are_kept_in_a_volume(engine: str, repository: str) -> None:
    output = run(engine)
    assert f"volume {NAME} of {engine} is not there" in said_differences(output)
    images = f"{VOLUMES[engine]}/{NAME}/_data"
    assert on_host("stat", "--format", "%U:%G %a", images).strip() == "docker-registry:docker-registry 755"
    above = on_host("stat", "--format", "%a", VOLUMES[engine])
    with client() as pushing:
        pushed = fill(pushing, repository)
        assert on_host("find", images, "-path", f"*{str(pushed.digest).removeprefix('sha256:')}*") != ""
        noted = collected()
        assert (noted["fault"], noted["manifests"] > 0) == ("", True)
        pushed.assert_whole(pushing, repository)
        pushed.assert_collected(pushing, repository)
    assert on_host("stat", "--format", "%a", VOLUMES[engine]) == above
    on_host("sh", "-e", "-c", CUT_OFF, "sh", images)
    assert changed(run(engine)) == 0

    gone = run(engine, registry_state="absent", registry_remove_data=True)
    assert f"volume {NAME} of {engine} is removed" in gone
    assert volumes(engine) == []


def test_a_volume_that_is_gone_is_made_anew_and_one_elsewhere_is_refused(engine: str, repository: str) -> None:
    images = f"{VOLUMES[engine]}/{NAME}/_data"
    said = run(engine, "--check")
    assert f"volume {NAME} of {engine} is not there" in said_differences(said)
    assert volumes(engine) == []
    for wrong, words in (
        (
            {"registry_data": "/srv/box"},
            f"olume {NAME} of {engine} would be in {images}, and registry_data is /srv/box",
        ),
        ({"registry_backend": "package"}, f"registry_volume is {NAME}, a volume of an engine's, and registry_backend"),
        ({"registry_volume": "../box"}, "registry_volume is '../box', which is no volume's name"),
        ({"registry_s3": {"bucket": "images", "region": "eu-west-1"}}, "keeps the images in a bucket"),
    ):
        assert words in " ".join(run(engine, ok=False, **wrong).split())
    with drop_in(UNIT, "[Unit]", "ConditionPathExists=/nowhere"):  # which keeps it from being active
        said = " ".join(run(engine, ok=False, registry_patience=1).split())
    assert f"{UNIT} is inactive" in said
    assert "What was served before is served." in said
    assert volumes(engine) == []

    run(engine)
    with client() as pushing:
        push(pushing, repository, os.urandom(1000), "1")
    said = " ".join(run(engine, ok=False, registry_data="/srv/box").split())
    assert f"olume {NAME} of {engine} is in {images}, and registry_data is /srv/box. Set registry_data to" in said
    other = {"docker": "podman", "podman": "docker"}[engine]
    said = " ".join(run(other, "--check").split())
    assert f"has kept its images in {images}, and is to keep them in {VOLUMES[other]}/{NAME}/_data" in said

    on_host("systemctl", "stop", UNIT)
    on_host(engine, "volume", "rm", NAME)
    with pytest.raises(subprocess.CalledProcessError):
        on_host("systemctl", "start", UNIT)
    assert volumes(engine) == []
    on_host("systemctl", "stop", UNIT)
    assert f"volume {NAME} of {engine} is not there" in said_differences(run(engine))
    on_host(engine, "create", "--name", "user", "--volume", f"{NAME}:/images", IMAGE)
    gone = run(engine, registry_state="absent", registry_remove_data=True)
    assert f"volume {NAME} of {engine}, which other containers use: user" in gone
    on_host(engine, "rm", "user")
    assert changed(run(engine, registry_state="absent")) == 0
    assert volumes(engine) == [NAME]
    assert changed(run(engine, registry_state="absent", registry_remove_data=True)) == 1
    assert volumes(engine) == []
    assert changed(run(engine, registry_state="absent", registry_remove_data=True)) == 0
