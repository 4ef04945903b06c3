# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the lab's Docker host to its registry, both asked themselves."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.digest import ConfigDigest, ManifestDigest
from tests.integration.containerd_store import ContainerdDocker
from tests.lab.nodes import BUILDER, NODES

from .lab import BUILDS, CHECKOUT, ENDPOINT, LOGIN, Builder, Stranger, docker_configuration

pytestmark = pytest.mark.lab


def test_the_registry_serves_the_engines_image_and_a_second_push_does_nothing(builder: Builder) -> None:
    image_id = builder.make("1")
    foreseen = builder.push(tags=["1"], check=True)
    assert foreseen["changed"] is True
    assert foreseen["reference"] is None
    assert builder.served("1") is None
    first = builder.push(tags=["1"])
    assert first["changed"] is True
    served = builder.served("1")
    assert served is not None
    assert served.config_digest == ConfigDigest.parse(image_id)
    assert first["digest"] == str(served.digest)
    assert first["reference"] == f"{ENDPOINT}/{builder.repository}@{served.digest}"
    assert first["diff"]["before"] == {"1": None}
    assert first["diff"]["after"] == {"1": str(served.digest)}
    assert first["layers"] == {"pushed": 1, "mounted": 0, "existing": 0}
    assert len(builder.progress) == 2
    for check in (True, False):
        again = builder.push(tags=["1"], check=check)
        assert again["changed"] is False
        assert again["reference"] == first["reference"]
        assert "layers" not in again
    # the name that the push needed is gone, the one that was there is not
    assert builder.names() == [f"{builder.repository}:1"]


def test_a_tag_that_was_deleted_is_pushed_again(builder: Builder) -> None:
    builder.make("1")
    digest = ManifestDigest.parse(builder.push(tags=["1"])["digest"])
    assert builder.client.delete_manifest(builder.repository, digest)
    again = builder.push(tags=["1"])
    assert again["changed"] is True
    assert again["layers"]["pushed"] == 0
    served = builder.served("1")
    assert served is not None
    assert str(served.digest) == again["digest"]


def test_several_tags_are_one_digest_and_a_moved_tag_says_from_where(builder: Builder) -> None:
    builder.make("1", "latest")
    old = builder.push(tags=["1"])["digest"]
    builder.engine.api.remove_image(f"{builder.repository}:1")
    builder.make("1", "2")
    moved = builder.push(tags=["1", "2", "not-in-the-engine"])
    assert [(entry["tag"], entry["before"]) for entry in moved["tags"]] == [
        ("1", old),
        ("2", None),
        ("not-in-the-engine", None),
    ]
    assert old != moved["digest"]
    for tag in ("1", "2", "not-in-the-engine"):
        served = builder.served(tag)
        assert served is not None
        assert str(served.digest) == moved["digest"]
    further = builder.push(tags=["1", "3"])
    assert further["changed"] is True
    assert "layers" not in further  # the registry had it all
    assert builder.push(tags=["3", "2"])["changed"] is False


def test_the_name_with_the_registry_is_the_users_and_stays(builder: Builder) -> None:
    full = f"{ENDPOINT}/{builder.repository}"
    builder.make("1", name=full)
    assert builder.push(tags=["1"])["changed"] is True
    assert builder.push(name=f"{full}:1")["changed"] is False
    assert builder.names() == [f"{full}:1"]
    builder.make("1")
    with pytest.raises(DeliveryError, match="two images"):
        builder.push(tags=["1"])


def test_what_is_wrong_is_said_before_anything_is_pushed(builder: Builder) -> None:
    builder.make("1")
    with pytest.raises(DeliveryError, match=f"Registry {ENDPOINT}: it refuses user 'ci'") as raised:
        builder.push(tags=["1"], registry={**builder.registry, "password": "not-the-password"})
    assert "not-the-password" not in str(raised.value)
    with pytest.raises(DeliveryError, match=r"has no image .*:2"):
        builder.push(tags=["2"])
    with pytest.raises(DeliveryError, match="nothing takes connections"):
        builder.push(tags=["1"], registry={**builder.registry, "endpoint": f"{NODES['dock'].address}:1"})
    with pytest.raises(DeliveryError, match=r"tcp://10\.90\.0\.20:1 cannot be reached"):
        builder.push(tags=["1"], docker_host="tcp://10.90.0.20:1")
    with pytest.raises(DeliveryError, match="authority"):
        builder.push(tags=["1"], registry={"endpoint": ENDPOINT, **LOGIN})
    assert builder.served("1") is None
    assert builder.names() == [f"{builder.repository}:1"]


def test_an_engine_that_does_not_trust_the_registry(builder: Builder, strangers: tuple[Stranger, Stranger]) -> None:
    """The controller does, by 'ca'; the engine on the other host does not."""
    builder.make("1")
    with pytest.raises(DeliveryError, match="does not trust the registry") as raised:
        builder.push(tags=["1"], registry={"endpoint": strangers[0].endpoint, "ca": strangers[0].ca})
    assert BUILDER in str(raised.value)
    assert "Run registry_trust there" in str(raised.value)
    assert builder.names() == [f"{builder.repository}:1"]


def test_progress_is_shown_by_the_playbook(builder: Builder, tmp_path: Path) -> None:
    """The task runs in the controller's process, where its lines can be seen."""
    builder.make("1")
    options = {"name": f"{builder.repository}:1", "registry": builder.registry, **BUILDS}
    task = {"name": "push", "longshore.delivery.image_push": options}
    play = tmp_path / "push.yml"
    play.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]))
    program = Path(sys.executable).parent / "ansible-playbook"
    done = subprocess.run(
        [program, "-vvv", play],
        cwd=CHECKOUT,
        env={**os.environ, "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "image_push: in process" in done.stdout
    assert f"localhost | {builder.repository}:1: layers: 1 pushed, 0 mounted, 0 existing" in done.stdout
    assert LOGIN["password"] not in done.stdout + done.stderr
    served = builder.served("1")
    assert served is not None
    builder.manifests.add((builder.repository, served.digest))


def test_a_base_image_in_containerds_store_is_compared_with_the_registrys(
    builder: Builder, containerd_docker: ContainerdDocker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There an image's ID is a digest that the registry serves, of a list of platforms too."""
    monkeypatch.setenv("DOCKER_CONFIG", str(docker_configuration(tmp_path)))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    base = f"{ENDPOINT}/{builder.repository}:several"
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "Dockerfile").write_text(f"FROM {base}\nLABEL of=test\n")
    options = {"pull_base": "newer", **containerd_docker.options}
    with contextlib.closing(containerd_docker.client()) as client:
        try:
            for tag in ("1", "2"):
                builder.make(tag)
                builder.push(tags=[tag])
                served = builder.serve_index(tag)
                planned = builder.build(tmp_path / "source", check=True, **options)
                done = builder.build(tmp_path / "source", **options)
                assert planned["why"] == done["why"]
                assert (planned["pulled"], done["pulled"]) == ([base], [base])
                assert (client.images.get(base).id, done["image"]["config_digest"]) == (served, None)
                assert not builder.build(tmp_path / "source", **options)["changed"]
            assert done["why"] == [f"the registry has another base image {base}"]
        finally:
            for image in client.images.list(all=True):
                if any(builder.repository in name for name in image.attrs["RepoTags"] + image.attrs["RepoDigests"]):
                    client.images.remove(image.id, force=True)


def test_a_base_image_is_pulled_when_the_registry_has_another(
    builder: Builder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pull_base of image_build, on an engine and the registry that a push goes to."""
    monkeypatch.setenv("DOCKER_CONFIG", str(docker_configuration(tmp_path)))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    base = f"{ENDPOINT}/{builder.repository}:1"
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "Dockerfile").write_text(f"FROM {base}\nLABEL of=test\n")
    first = builder.make("1")
    builder.push(tags=["1"])
    for check in (True, False):
        with pytest.raises(DeliveryError, match=r"does not hold the base image .*, line 1\), and 'pull_base' is never"):
            builder.build(tmp_path / "source", check=check, pull_base="never")
    built = builder.build(tmp_path / "source", pull_base="newer")
    assert (built["pulled"], builder.id(base)) == ([base], first)
    for check in (True, False):
        again = builder.build(tmp_path / "source", check=check, pull_base="newer")
        assert (again["changed"], again["pulled"], again["image"]) == (False, [], built["image"])

    second = builder.make("2")
    builder.push(tags=["2"])
    other = builder.served("2")
    assert other is not None
    builder.client.put_manifest(builder.repository, "1", other.media_type, other.body)
    assert not builder.build(tmp_path / "source", pull_base="missing")["changed"]
    planned = builder.build(tmp_path / "source", check=True, pull_base="newer")
    assert (planned["built"], planned["inputs"], builder.id(base)) == (True, None, first)
    done = builder.build(tmp_path / "source", pull_base="newer")
    assert planned["why"] == done["why"] == [f"the registry has another base image {base}"]
    assert (planned["pulled"], done["pulled"], builder.id(base)) == ([base], [base], second)
    assert done["image"]["id"] != built["image"]["id"]
    assert not builder.build(tmp_path / "source", pull_base="newer")["changed"]
