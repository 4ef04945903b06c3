# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The registry in a container that its unit runs by Docker or Podman: what the package's does, this one does too."""

from __future__ import annotations

import contextlib
import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryError
from tests.integration.asking import eventually
from tests.lab.builds import build
from tests.lab.engine import docker
from tests.lab.places import Places
from tests.lab.scratch_images import ScratchImage, archive

from .garbage import collect, fill, result
from .host import BOOT_SECONDS, HOST
from .lab import BACKEND, UNIT, changed, client, files, on_host, play, processes, said_differences
from .traffic import push

pytestmark = [pytest.mark.lab, pytest.mark.wide]

IMAGE = "longshore.test/registry:3"
CONTAINER = "longshore-registry"
COLLECT = {"registry_collect": "Sun 03:30", "registry_collect_recent_hours": 0, "registry_collect_untagged_days": 0}


def options(engine: str, **more: t.Any) -> dict[str, t.Any]:
    return {"registry_backend": "container", "registry_engine": engine, "registry_image": IMAGE, **more}


def load(engine: str, directory: Path, user: str = "") -> None:
    """The host has the image, with nobody asked for it; another C(user) makes it another one."""
    program = build(["registry"], Places.of_user().root, print)["registry"] / "registry"
    archive(ScratchImage(IMAGE, "registry", user=user), program, directory / "registry.tar")
    docker("cp", str(directory / "registry.tar"), f"{HOST.container}:/srv/registry.tar")
    on_host(engine, "load", "--quiet", "--input", "/srv/registry.tar")
    on_host("rm", "/srv/registry.tar")


@pytest.fixture(params=["docker", pytest.param("podman", marks=pytest.mark.rare)])
def engine(ca: str, request: pytest.FixtureRequest, tmp_path: Path) -> t.Iterator[str]:
    """An engine that has the image; afterwards the registry is the package's again and nothing of a container is left."""
    load(request.param, tmp_path)
    yield request.param
    play()
    assert on_host("readlink", f"/proc/{processes()[BACKEND]}/exe").strip() == "/usr/bin/docker-registry"
    assert containers(request.param) == []
    on_host(request.param, "image", "rm", "--force", IMAGE)
    assert changed(play()) == 0


def containers(engine: str) -> list[str]:
    return on_host(engine, "ps", "--all", "--quiet", "--no-trunc", "--filter", f"name={CONTAINER}").split()


def has(ca: str, repository: str, image: ManifestDigest) -> bool:
    with contextlib.suppress(RegistryError), client(ca) as pulling:
        (layer,) = pulling.get_manifest(repository, image).layers
        return layer.matches(pulling.get_blob(repository, layer))
    return False


def assert_confined(engine: str) -> None:
    pid = on_host(engine, "container", "inspect", "--format", "{{.State.Pid}}", CONTAINER).strip()
    status = dict(line.split(":\t", 1) for line in on_host("cat", f"/proc/{pid}/status").splitlines() if ":\t" in line)
    assert status["Uid"].split() == [on_host("id", "-u", "docker-registry").strip()] * 4
    assert (status["CapBnd"], status["NoNewPrivs"], status["Seccomp"]) == ("0" * 16, "1", "2")
    mounts = [line.split() for line in on_host("cat", f"/proc/{pid}/mounts").splitlines()]
    assert next(fields[3] for fields in mounts if fields[1] == "/").startswith("ro,")
    sockets = on_host("ss", "-Hltn", "sport", "=", ":5001").split()
    assert "127.0.0.1:5001" in sockets
    assert not {"0.0.0.0:5001", "*:5001"} & {*sockets}


def test_a_registry_in_a_container(
    ca: str, engine: str, repository: str, image: ManifestDigest, tmp_path: Path
) -> None:
    output = play(**options(engine))
    assert f"{BACKEND} runs another configuration" in said_differences(output)
    assert has(ca, repository, image), "what the package's registry kept"
    with client(ca) as pushing:
        pushing.delete_manifest(repository, push(pushing, repository, os.urandom(1000), "newer"))
    assert_confined(engine)
    started = on_host("systemctl", "show", "--property", "InvocationID", "--value", BACKEND).strip()
    logged = ["journalctl", f"_SYSTEMD_UNIT={BACKEND}", f"_SYSTEMD_INVOCATION_ID={started}", "--output", "cat"]
    eventually(lambda: "version=v3.1.2" in on_host(*logged))
    before, running = files(), processes()
    assert changed(play(**options(engine))) == 0
    assert (files(), processes()) == (before, running)

    # whoever kills the engine's process leaves a container, which is not in the way of the next
    (left,) = containers(engine)
    on_host("systemctl", "kill", "--kill-whom=main", "--signal=KILL", BACKEND)
    eventually(lambda: containers(engine) not in ([], [left]) and has(ca, repository, image), 30)
    (other,) = containers(engine)
    on_host(engine, "rm", "--force", CONTAINER)
    eventually(lambda: containers(engine) not in ([], [other]) and has(ca, repository, image), 30)

    # another image under the same name
    load(engine, tmp_path, user="4711")
    output = play(**options(engine))
    assert said_differences(output) == [f"{BACKEND} runs another image than {IMAGE} is now"]
    assert changed(output) == 1
    assert_confined(engine)

    on_host("sh", "-c", f"systemctl disable --quiet --now {BACKEND}; echo '# by hand' >> {UNIT}")
    assert containers(engine) == []
    assert set(said_differences(play(**options(engine)))) == {
        f"{UNIT} has another content",
        f"{BACKEND} is inactive",
        f"{BACKEND} would not start with the host",
    }
    assert changed(play(**options(engine))) == 0
    assert files() == before


@pytest.mark.rare
@pytest.mark.parametrize("engine", ["podman", "docker"], indirect=True)
def test_its_garbage_is_collected_and_it_is_back_after_a_reboot(
    ca: str, engine: str, repository: str, image: ManifestDigest
) -> None:
    play(**options(engine, **COLLECT))
    with client(ca) as pushing:
        images = fill(pushing, f"{repository}-{engine}")
        done = collect()
        assert (done.returncode, result()["fault"]) == (0, ""), done.stderr
        images.assert_whole(pushing, f"{repository}-{engine}")
        images.assert_collected(pushing, f"{repository}-{engine}")
    docker("restart", HOST.container)
    eventually(lambda: has(ca, repository, image), BOOT_SECONDS)
    assert changed(play(**options(engine, **COLLECT))) == 0


def test_what_cannot_run_is_refused_or_put_back(ca: str) -> None:
    before, running = files(), processes()
    for wrong, words in (
        ({"registry_image": ""}, "registry_image is empty"),
        ({"registry_image": "http://registry"}, "registry_image: Invalid image reference"),
        ({"registry_data": "/srv/one:two"}, "cannot be mounted into a container"),
    ):
        output = play(ok=False, **options("docker", **wrong))
        assert words in " ".join(output.split())
        assert changed(output) == 0
    said = " ".join(play(ok=False, **options("docker", registry_image="127.0.0.1:9/nobody/registry:3")).split())
    assert "was not changed as wanted: at 'Pull the image of the registry'" in said
    assert "127.0.0.1:9" in said
    assert "What was served before is served." in said
    assert (files(), processes()) == (before, running)
