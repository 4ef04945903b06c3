# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Both fronts of every capability that has two, where it succeeds: the example's tasks in check mode, on the lab.

Their failures are compared in tests/unit/fronts. What they say of an example that is delivered must be the same by both, and
what they say of one that would have to be.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

from tests.lab.nodes import BUILDER, NODES
from tests.lab.places import Places

pytestmark = pytest.mark.lab

CHECKOUT = Path(__file__).resolve().parents[2]
PLACES = Places.of_user()
DOCK = NODES["dock"].address
ENGINE = {"docker_host": BUILDER, "docker_cert_path": str(PLACES.builder)}
REGISTRY = {"endpoint": f"{DOCK}:5000", "tls": "unverified", "username": "ci", "password": "only-for-the-demonstration"}
BUILD = {"name": f"{DOCK}:5000/longshore-test-fronts/tiny", "tags": ["1"], "source": "{context}", **ENGINE}
WORKLOAD = {
    "name": "tiny",
    "namespace": "default",
    "image": "coredns:lab",
    "pin": False,
    "kubeconfig": str(PLACES.kubeconfig),
    "ports": [{"name": "http", "port": 8080}],
    "secrets": {"TOKEN": "hunter2-very-secret"},
}
SECRETS = ("hunter2-very-secret", REGISTRY["password"])
PUSH = {"name": "longshore-test-fronts/tiny", "tags": ["1"], "registry": REGISTRY, **ENGINE}
CASES: dict[str, dict[str, t.Any]] = {"image_build": {**BUILD, "tags": ["2"]}, "image_push": PUSH, "workload": WORKLOAD}


def results(
    tmp_path: Path, capability: str, options: dict[str, t.Any], as_a_module: bool, *flags: str
) -> dict[str, t.Any]:
    task: dict[str, t.Any] = {"name": "task", f"longshore.delivery.{capability}": options, "register": "result"}
    if as_a_module:
        task["environment"] = {"LONGSHORE_TEST": "1"}
    output = tmp_path / "result.json"
    write = {"content": "{{ result | to_json }}", "dest": str(output), "mode": "0600"}
    tasks = [task, {"name": "write", "ansible.builtin.copy": write, "check_mode": False, "diff": False}]
    playbook = tmp_path / "play.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), *flags, "-vvv", str(playbook)],
        env={
            **os.environ,
            "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
            "DOCKER_CONFIG": str(PLACES.docker_config),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr
    assert ("as a module" if as_a_module else "in process") in done.stdout
    # the tasks succeed, so that nothing quotes the playbook: no form of a secret may be anywhere
    saved = output.read_text()
    for secret in SECRETS:
        for form in (secret, base64.b64encode(secret.encode()).decode()):
            assert form not in done.stdout + done.stderr + saved
    return t.cast("dict[str, t.Any]", json.loads(saved))


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[str]:
    """A build's context, whose image dock's engine has under the tag 1."""
    directory = tmp_path_factory.mktemp("context")
    (directory / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    built = results(tmp_path_factory.mktemp("build"), "image_build", {**BUILD, "source": str(directory)}, False)
    assert built["changed"] is True
    yield str(directory)
    subprocess.run(
        ["docker", "exec", "longshore-dock", "docker", "image", "rm", f"{BUILD['name']}:1"],
        check=True,
        capture_output=True,
    )


@pytest.mark.parametrize("capability", CASES)
def test_same_plan_by_both_fronts(tmp_path: Path, capability: str, context: str) -> None:
    options = {name: context if value == "{context}" else value for name, value in CASES[capability].items()}
    here = results(tmp_path, capability, options, False, "--check", "--diff")
    module = results(tmp_path, capability, options, True, "--check", "--diff")
    for result in (here, module):
        result.pop("invocation", None)
    assert here == module
    assert here["changed"] is True
    assert here["diff"]
