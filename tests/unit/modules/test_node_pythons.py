# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs on nodes, run as modules by every Python that nodes may have, each with its standard library alone.

On real nodes with real engines the oldest runs them in tests/integration/distribution/test_oldest_python.py.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

from tests.kept import ENVIRONMENT, keep
from tests.pythons import NODE_PYTHONS, find_python, needed_python

CHECKOUT = Path(__file__).resolve().parents[3]
SECRET = "hunter2-very-secret"
REGISTRY = {"endpoint": "127.0.0.1:1", "username": "ci", "password": SECRET}
IMAGE = "127.0.0.1:1/shop/web@sha256:" + "a" * 64
# in check mode each looks at this machine, whatever that has, and comes to what it comes to by every other Python
IMAGE_INFO = {"docker_host": "unix:///no/such/socket", "references": [IMAGE]}
CASES: dict[str, dict[str, t.Any]] = {
    "image_info": IMAGE_INFO,
    "image_tag": {"docker_host": "unix:///no/such/socket", "image": IMAGE, "references": ["shop/web:1"]},
    "image_prune": {"docker_host": "unix:///no/such/socket", "references": [IMAGE]},
    "image_pull": {"images": [IMAGE], "registry": REGISTRY},
    "registry_info": {"registry": REGISTRY, "repositories": ["shop/*"]},
    "registry_backup": {"directory": "/no/such/backup", "storage": "/no/such/storage"},
    "registry_restore": {"directory": "/no/such/backup", "storage": "/no/such/storage"},
    "registry_replicate": {"registry": REGISTRY, "peers": ["127.0.0.1:2"]},
    "registry_restart": {"unit": "longshore-no-such.service", "port": 1, "storage": "/no/such/storage"},
    "registry_host_files": {
        "files": [{"path": "/no/such/configuration"}, {"path": "/no/such/login", "mode": "0600"}],
        "texts": [{"path": "/no/such/configuration", "text": "a: 1\n"}],
        "secret_files": [{"path": "/no/such/login", "text": SECRET}],
    },
    "registry_host_ledger": {
        "state": "absent",
        "ledger": "/no/such/ledger.json",
        "services": ["longshore-no-such.service"],
    },
    "registry_trust": {"registries": [{**REGISTRY, "tls": "plain"}]},
    "registry_host_info": {
        "registry": REGISTRY,
        "backend_port": 2,
        "packages": ["libc6", "longshore-no-such-package"],
        "files": [{"path": "/etc/hostname", "mode": "0600"}, {"path": "/etc", "kind": "directory", "mode": "0755"}],
        "site": "/no/such/site.conf",
        "site_stamp": "1",
        "configuration_stamp": "2",
        "certificate": {"origin": "own", "certificate": "/no/crt", "key": "/no/key", "authority": "/no/ca"},
        "users": [{"name": "ci", "password": SECRET}],
        "users_file": "/no/such/htpasswd",
    },
}
# how Ansible and this collection say that a module did not come to an answer of its own
BROKEN = re.compile("Task failed|MODULE FAILURE|No module named|fault in longshore.delivery")
WITHOUT_PACKAGES = (
    "import importlib.metadata as m, sys; print(sys.version_info[:2], [d.name for d in m.distributions()])"
)


def test_they_are_the_modules_without_a_front_on_the_controller_and_what_runs_on_both() -> None:
    modules, actions = (
        {path.stem for path in (CHECKOUT / "plugins" / kind).glob("*.py")} for kind in ("modules", "action")
    )
    assert (modules - actions) | {"image_info", "image_prune", "image_tag", "registry_info"} == set(CASES)


class Ran(t.NamedTuple):
    """:ivar results: of CASES, by the Python's version."""

    results: dict[str, dict[str, dict[str, t.Any]]]
    output: str


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Every module by every Python that is here, in one run: a host for each of them, which are this machine."""
    directory = tmp_path_factory.mktemp("node-pythons")
    collection = directory / "ansible_collections" / "longshore" / "delivery"
    collection.parent.mkdir(parents=True)
    collection.symlink_to(CHECKOUT)
    hosts: dict[str, t.Any] = {}
    for version in NODE_PYTHONS:
        python = find_python(version)
        if python is None:
            continue
        subprocess.run([python, "-m", "venv", "--without-pip", directory / version], check=True)
        bare = directory / version / "bin" / "python"
        told = subprocess.run([bare, "-c", WITHOUT_PACKAGES], capture_output=True, text=True, check=True).stdout.strip()
        assert told == f"(3, {version.partition('.')[2]}) []"
        hosts[version] = {"ansible_connection": "local", "ansible_python_interpreter": str(bare)}
    tasks: list[dict[str, t.Any]] = [
        {f"longshore.delivery.{module}": options, "register": module, "ignore_errors": True}
        for module, options in CASES.items()
    ]
    registered = ", ".join(f"'{module}': {module}" for module in CASES)
    kept = keep("{%s}" % registered, directory / "{{ inventory_hostname }}.json")
    play = {"hosts": "all", "gather_facts": False, "tasks": [*tasks, kept]}
    (directory / "play.yml").write_text(yaml.safe_dump([play]))
    (directory / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
    (directory / "ansible.cfg").touch()
    program = Path(sys.executable).with_name("ansible-playbook")
    done = subprocess.run(
        [program, "-i", "hosts.yml", "play.yml", "--check", "--diff"],
        cwd=directory,
        env={
            **os.environ,
            **ENVIRONMENT,
            "ANSIBLE_COLLECTIONS_PATH": str(directory),
            "ANSIBLE_CONFIG": str(directory / "ansible.cfg"),
            "ANSIBLE_DISPLAY_FAILED_STDERR": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-4000:]
    results = {version: json.loads((directory / f"{version}.json").read_text()) for version in hosts}
    return Ran(results, done.stdout + done.stderr)


@pytest.mark.parametrize("version", NODE_PYTHONS)
def test_the_modules_run(ran: Ran, version: str) -> None:
    needed_python(version)
    results, newest = ran.results[version], list(ran.results.values())[-1]
    for module in CASES:
        assert not BROKEN.search(results[module].get("msg", "")), (module, results[module])
    assert results == newest


def test_none_says_a_secret(ran: Ran) -> None:
    assert ran.results
    assert SECRET not in ran.output.replace(f"password: {SECRET}", "") + json.dumps(ran.results)
