# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The named volume that has the images in it: what an engine says of it, and when it goes."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import typing as t
from pathlib import Path

import jinja2
import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed, Context
from ansible_collections.longshore.delivery.plugins.module_utils.registry import host_data
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_instances import present
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_obstacles import obstacles, warnings
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_plan import plan
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_volume import Volume, observe
from tests.checks.imports import PLUGINS
from tests.returned import run

from .test_host import WANTED, seen, seen_data
from .test_host_files import really

PLACE = "/var/lib/docker/volumes/images/_data"
NO_DOCKER_VOLUME = Completed(1, "[]\n", "Error response from daemon: get images: no such volume\n")
NO_PODMAN_VOLUME = Completed(125, "[]\n", "Error: inspecting object: no such volume images\n")


def document(**more: t.Any) -> Completed:
    said = {"Name": "images", "Driver": "local", "Mountpoint": PLACE, "Options": None, **more}
    return Completed(0, json.dumps([said]), "")


def look(
    volume: Completed,
    info: str = "/var/lib/docker\n",
    engine: str = "/usr/bin/docker",
    place: str = PLACE,
    **given: t.Any,
) -> Volume:
    def run_command(argv: t.Sequence[str], **_options: t.Any) -> Completed:
        assert argv[0] == engine != ""
        if argv[1] == "info":
            return Completed(0 if info else 1, info, "no reply.\n")
        assert argv[1:] == ["volume", "inspect", "images"]
        return volume

    asked = {"name": "images", "in_bucket": False, **given}
    return observe(place=place, engine=engine, run_command=run_command, **asked)


def test_a_volume_that_is_there_is_as_wanted() -> None:
    found = look(document())
    assert found == Volume("images", "docker", there=True)
    assert (found.to_make, found.differences) == (False, [])
    assert look(document(Options={"o": "uid=7"})) == found


def test_one_that_is_not_there_is_to_be_made_where_the_engine_makes_volumes() -> None:
    found = look(NO_DOCKER_VOLUME)
    assert (found.fault, found.to_make) == ("", True)
    assert found.differences == ["volume images of docker is not there"]
    volumes = "/var/lib/containers/storage/volumes"
    found = look(NO_PODMAN_VOLUME, f"{volumes}\n", "/usr/bin/podman", f"{volumes}/images/_data")
    assert (found.fault, found.differences) == ("", ["volume images of podman is not there"])


@pytest.mark.parametrize(
    ("volume", "given", "words"),
    [
        (document(), {"name": "../images"}, ["registry_volume is '../images', which is no volume's name"]),
        (document(), {"name": "-f"}, ["registry_volume is '-f'", "what registry_data is for"]),
        (document(), {"in_bucket": True}, ["registry_volume is images, and registry_s3", "Leave one of them away"]),
        (document(), {"engine": ""}, ["registry_backend is package", "Set registry_backend to container"]),
        (document(Mountpoint="/srv/images/_data"), {}, [f"in /srv/images/_data, and registry_data is {PLACE}. Set"]),
        (NO_DOCKER_VOLUME, {"info": "/srv"}, ["Volume images of docker would be in /srv/volumes/images/_data, and"]),
        (NO_DOCKER_VOLUME, {"info": ""}, ["docker does not tell of its volumes on this host: no reply. Start it"]),
        (Completed(1, "", "Cannot connect"), {}, ["docker does not tell of its volumes", "Cannot connect. Start it"]),
        (Completed(1, "", ""), {}, ["it says nothing"]),
        (document(Driver="nfs"), {}, ["its driver is nfs. Name another volume, or mount", "set registry_data to it"]),
        (
            document(Options={"type": "nfs", "o": "addr=192.0.2.1"}),
            {},
            ["not a directory of this host's at all times", "local, with o addr=192.0.2.1, with type nfs"],
        ),
    ],
)
def test_a_volume_that_cannot_have_the_images_is_refused(
    volume: Completed, given: dict[str, t.Any], words: list[str]
) -> None:
    found = look(volume, **given)
    for word in words:
        assert word in found.fault
    (said,) = obstacles(seen(volume=found), WANTED)
    assert said == found.fault
    assert said.endswith(".")


def test_making_it_is_a_step_of_its_own() -> None:
    found = plan(seen(volume=Volume("images", "docker")), WANTED)
    assert found.differences == ("volume images of docker is not there",)
    assert [key for key, value in dataclasses.asdict(found).items() if value is True] == ["make_volume"]


# what the role writes of it


def rendered(template: str, **variables: t.Any) -> list[str]:
    environment = jinja2.Environment(autoescape=False, trim_blocks=True)
    environment.filters.update(dirname=os.path.dirname, to_json=json.dumps)
    environment.tests["match"] = lambda text, pattern: bool(re.match(pattern, text))
    text = (PLUGINS.parent / "roles/registry/templates" / template).read_text()
    given = {"registry_engine_program": "/usr/bin/docker", "registry_addresses": [""], "registry_place": {}}
    return environment.from_string(text).render({**given, **variables}).splitlines()


@pytest.mark.parametrize(
    ("data", "hidden"),
    [
        (PLACE, "/var/lib/docker"),
        ("/var/lib/containers/storage/volumes/images/_data", "/var/lib/containers/storage"),
        ("/srv/volumes/images/_data", "/srv"),
        ("/volumes/images/_data", "/volumes"),
        ("/50%/volumes/images/_data", "/50%%"),
    ],
)
def test_what_collects_garbage_sees_of_the_engine_s_directory_the_volume_alone(data: str, hidden: str) -> None:
    unit = rendered("collect_garbage.service.j2", registry_data=data, registry_volume="images")
    assert f'TemporaryFileSystem="{hidden}:ro"' in unit
    assert f'BindPaths="{data}"'.replace("%", "%%") in unit
    other = rendered("collect_garbage.service.j2", registry_data=data, registry_volume="")
    assert f'ReadWritePaths="{data}"'.replace("%", "%%") in other
    assert not [line for line in other if line.startswith(("TemporaryFileSystem", "BindPaths"))]


def test_the_container_is_given_the_volume_by_its_name_and_none_is_made_at_a_start() -> None:
    unit = "\n".join(rendered("registry_container.service.j2", registry_data=PLACE, registry_volume="images"))
    assert '--mount "type=volume,source=images,target=$$LONGSHORE_REGISTRY_DATA"' in unit
    assert "\nExecStartPre=/usr/bin/docker volume inspect --format {{.Name}} images\n" in unit
    assert "type=bind,source=$$" not in unit
    other = "\n".join(rendered("registry_container.service.j2", registry_data=PLACE, registry_volume=""))
    assert '--mount "type=bind,source=$$LONGSHORE_REGISTRY_DATA,target=$$LONGSHORE_REGISTRY_DATA"' in other
    assert "volume" not in other.replace(PLACE, "")


# where they were before


def test_images_that_are_in_another_place_are_warned_of(tmp_path: Path) -> None:
    before = tmp_path / "before"
    configuration = tmp_path / "etc/longshore/registry-shop/config.yml"
    configuration.parent.mkdir(parents=True)
    configuration.write_text(f'storage:\n  filesystem:\n    rootdirectory: "{before}"\n')
    assert present("shop", str(tmp_path)).data == str(before)
    assert present("", str(tmp_path)).data == ""

    def data(path: Path) -> host_data.Data:
        return host_data.observe(str(path), "no-such-user", really, before=present("shop", str(tmp_path)).data)

    assert data(tmp_path / "new").before == "", "nothing was kept there"
    (before / "docker").mkdir(parents=True)
    assert data(before).before == ""
    assert data(tmp_path / "new").before == str(before)
    (said,) = warnings(seen_data(before="/srv/before"), WANTED)
    assert "has kept its images in /srv/before, and is to keep them in /data: they do not move" in said


# how much room there is


@pytest.mark.parametrize(
    ("free", "size", "said"),
    [
        (20, 100, ""),
        (19, 100, ""),
        (19, 1000, "has 19.0 GiB left for its images, 1 % of the file system of registry_data /data (mounted at /)"),
        (20, 1000, ""),
        (1, 11, "has 1.0 GiB left for its images, 9 % of"),
        (1, 10, ""),
        (-1, 0, ""),
    ],
)
def test_of_little_room_is_warned(free: int, size: int, said: str) -> None:
    gib = 1024**3
    found = warnings(seen_data(free_bytes=free * gib if free > 0 else free, all_bytes=size * gib), WANTED)
    assert len(found) == bool(said)
    assert said in "".join(found)


def test_the_room_is_that_of_the_file_system(tmp_path: Path) -> None:
    found = host_data.observe(str(tmp_path / "images"), "no-such-user", really)
    assert 0 < found.free_bytes <= found.all_bytes


# when the registry is taken away

LISTS = ("files", "shared_files", "packages", "services", "units", "leftovers")


class Host(t.NamedTuple):
    """A directory with a volume in it, on a host whose engine tells of it and removes it."""

    root: Path
    users: list[str]
    asked: list[list[str]]

    @property
    def place(self) -> Path:
        return self.root / "volumes/images/_data"

    @property
    def noted(self) -> dict[str, t.Any]:
        ledger = self.root / "state/registry.json"
        said: dict[str, t.Any] = json.loads(ledger.read_text()) if ledger.exists() else {}
        return said

    def call(self, state: str, remove_data: bool = False, check: bool = False) -> dict[str, t.Any]:
        volume = {
            "engine": "/usr/bin/docker",
            "name": "images",
            "place": str(self.place),
            "container": "longshore-registry",
        }
        lists: dict[str, t.Any] = {name: [] for name in LISTS}
        texts = dict.fromkeys(("instance", "mark", "site", "nginx_file", "garbage_notes", "settling", "aside"), "")
        params = {
            "state": state,
            "ledger": str(self.root / "state/registry.json"),
            "directories": [str(self.place)],
            "data": [str(self.place / "docker")],
            "remove_data": remove_data,
            "volume": volume,
            "kept": None,
            "run": None,
            "port": 0,
        }

        def answer(argv: t.Sequence[str], **_options: t.Any) -> Completed:
            argv = list(argv)
            self.asked.append(argv)
            if argv[1:3] == ["volume", "rm"]:
                shutil.rmtree(self.place.parent)
            if argv[1:3] == ["volume", "inspect"] and not self.place.exists():
                return NO_DOCKER_VOLUME
            return Completed(0, "\n".join(self.users) if argv[1] == "ps" else "", "")

        context = Context(check, True, lambda said: None, print, answer)
        return run("registry_host_ledger", {**lists, **texts, **params}, context)


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return Host(tmp_path, ["longshore-registry"], [])


NAMED = "volume images of docker"


def make(host: Host, before: bool = False) -> None:
    if before:
        host.place.mkdir(parents=True)
    host.call("begun")
    host.place.mkdir(parents=True, exist_ok=True)
    host.call("done")


def test_a_volume_that_the_role_has_made_stays_until_the_data_are_to_go(host: Host) -> None:
    make(host)
    assert host.noted["volumes"] == {str(host.place): NAMED}
    assert host.call("absent")["stays"] == [NAMED]
    assert host.place.is_dir(), "an empty directory of a volume's is left to the engine"
    (host.place / "docker").mkdir()
    assert host.call("absent")["stays"] == [str(host.place / "docker"), NAMED]
    assert (host.noted["directories"], host.noted["volumes"]) == ({str(host.place): None}, {str(host.place): NAMED})

    said = host.call("absent", remove_data=True, check=True)
    assert said["steps"][-2:] == [f"{host.place}/docker is removed, with all that is in it", f"{NAMED} is removed"]
    assert NAMED in said["diff"]["before"].splitlines()
    assert (host.place / "docker").is_dir()
    assert host.call("absent", remove_data=True)["changed"]
    assert (host.place.exists(), host.noted) == (False, {})
    assert ["/usr/bin/docker", "volume", "rm", "images"] in host.asked
    assert not host.call("absent", remove_data=True)["changed"]


def test_a_volume_that_somebody_has_removed_leaves_the_ledger(host: Host) -> None:
    make(host)
    shutil.rmtree(host.place)
    assert host.call("absent", remove_data=True)["stays"] == []


@pytest.mark.parametrize(
    ("before", "users", "other", "words"),
    [
        (True, [], False, "which the role has not made"),
        (False, ["longshore-registry", "backup"], False, "which other containers use: backup"),
        (False, [], True, "in which there are other things: notes"),
    ],
)
def test_a_volume_of_somebody_else_s_stays_without_the_images(
    host: Host, before: bool, users: list[str], other: bool, words: str
) -> None:
    make(host, before)
    (host.place / "docker").mkdir()
    if other:
        (host.place / "notes").mkdir()
    host.users[:] = users
    said = host.call("absent", remove_data=True)
    assert said["stays"] == [f"{NAMED}, {words}"]
    assert sorted(path.name for path in host.place.iterdir()) == (["notes"] if other else [])
    assert bool(host.noted) is not before
