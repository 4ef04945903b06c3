# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stages of the nodes by the oldest Python that nodes may have, with its standard library alone, on every engine."""

from __future__ import annotations

import io
import json
import re
import subprocess
import tarfile
import typing as t
from pathlib import Path

import pytest
import yaml

from tests.integration.asking import on_node
from tests.integration.registry_trust.registries import taking_no_push
from tests.lab.nodes import NODES
from tests.pythons import NODE_PYTHONS, needed_python

from .lab import ENDPOINT, LOGIN, Builder, Nodes, ansible_playbook

pytestmark = [pytest.mark.lab, pytest.mark.wide]

VERSION = NODE_PYTHONS[0]
PLACE = "/opt/longshore-test-python"
INTERPRETER = f"{PLACE}/python"
START = f'#!/bin/sh\nLD_LIBRARY_PATH={PLACE}/lib exec {PLACE}/bin/python{VERSION} "$@"\n'
LAYOUT = "import json, sys, sysconfig; print(json.dumps([sys.base_prefix, sysconfig.get_path('stdlib')]))"
WITHOUT = ("site-packages", "dist-packages", "test", "idlelib", "__pycache__")


def packed(python: Path) -> bytes:
    """An archive of the interpreter, its shared library and the standard library, to be unpacked at PLACE."""
    done = subprocess.run([python, "-c", LAYOUT], capture_output=True, text=True, check=True)
    prefix, library = json.loads(done.stdout)
    program = Path(prefix, "bin", f"python{VERSION}").resolve()
    linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:

        def leaving_out(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
            left_out = Path(member.name).name in WITHOUT or Path(member.name).name.startswith("config-")
            return None if left_out else member

        tar.add(program, f"bin/python{VERSION}")
        tar.add(library, f"lib/python{VERSION}", filter=leaving_out)
        for shared in re.findall(r"(libpython\S*) => (\S+)", linked):
            tar.add(Path(shared[1]).resolve(), f"lib/{shared[0]}")
        start = tarfile.TarInfo("python")
        start.mode, start.size = 0o755, len(START)
        tar.addfile(start, io.BytesIO(START.encode()))
    return archive.getvalue()


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Path]:
    """Beside the lab's own inventory: the nodes have this Python, which is put there for the test."""
    archive = packed(needed_python(VERSION))
    for name in NODES:
        on_node(name, "mkdir", PLACE)
        unpack = ["docker", "exec", "-i", f"longshore-{name}", "tar", "-C", PLACE, "-xf", "-"]
        subprocess.run(unpack, input=archive, check=True)
    path = tmp_path_factory.mktemp("oldest") / "python.yml"
    path.write_text(yaml.safe_dump({"longshore_nodes": {"vars": {"ansible_python_interpreter": INTERPRETER}}}))
    yield path
    for name in NODES:
        on_node(name, "rm", "-r", PLACE)


@pytest.fixture
def mirror() -> t.Iterator[str]:
    with taking_no_push() as endpoint:
        yield endpoint


def test_trust_and_pulls(builder: Builder, nodes: Nodes, inventory: Path, mirror: str) -> None:
    image_id = builder.make("1")
    pushed = builder.push(tags=["1"])["reference"]
    trust = {"registries": [{"endpoint": mirror, "tls": "plain"}]}
    pull = {"images": [pushed], "registry": {"endpoint": ENDPOINT, **LOGIN}}
    tasks: list[dict[str, t.Any]] = [
        {"ansible.builtin.setup": {"gather_subset": ["!all", "!min", "python"]}},
        {"longshore.delivery.registry_trust": trust},
        {"longshore.delivery.registry_trust": {**trust, "state": "absent"}},
        {"longshore.delivery.image_pull": pull},
        {"longshore.delivery.image_pull": pull},
        {"longshore.delivery.image_info": {"references": [pushed]}},
    ]
    nodes.playbook.write_text(yaml.safe_dump([{"hosts": "longshore_nodes", "gather_facts": False, "tasks": tasks}]))
    [ran] = ansible_playbook(nodes.playbook, inventory)["plays"]
    failed = [result for task in ran["tasks"] for result in task["hosts"].values() if result.get("failed")]
    assert failed == []
    facts, trusted, forgotten, pulled, again, shown = [task["hosts"] for task in ran["tasks"]]
    for node in nodes.names:
        python = facts[node]["ansible_facts"]["ansible_python"]
        assert f"{python['version']['major']}.{python['version']['minor']}" == VERSION
        assert python["executable"].startswith(PLACE)
        assert trusted[node]["changed"], trusted[node]
        answers = {pull["verified_by"] for engine in trusted[node]["engines"] for pull in engine["pulls"]}
        assert answers == {"answer"}, trusted[node]
        assert forgotten[node]["changed"], forgotten[node]
        assert pulled[node]["changed"], pulled[node]
        assert pushed in nodes.held(node)
        assert again[node]["changed"] is False
        [held] = shown[node]["images"]
        assert (pushed in held["repository_digests"], held["digests"]["config"]) == (True, image_id)


def test_the_look_of_the_registrys_host(ca: str, inventory: Path, tmp_path: Path) -> None:
    playbook = tmp_path / "registry.yml"
    playbook.write_text(yaml.safe_dump([{"import_playbook": "longshore.delivery.registry"}]))
    ran = ansible_playbook(playbook, inventory, longshore_registry={"endpoint": ENDPOINT, "tls": "verified", **LOGIN})
    assert ran["stats"]["dock"]["failures"] == ran["stats"]["dock"]["changed"] == 0
    looks = [
        task["hosts"]["dock"]
        for play in ran["plays"]
        for task in play["tasks"]
        if "serving" in task["hosts"].get("dock", {})
    ]
    assert [look["as_wanted"] for look in looks] == [True]
