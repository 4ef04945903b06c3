# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the playbooks do around their stages: under a limit, before the first one and after the last. All hosts are this one."""

from __future__ import annotations

import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

from tests.kubeconfig import kubeconfig

CHECKOUT = Path(__file__).resolve().parents[3]
HERE = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "ansible_become": False}
NOWHERE = {"ansible_host": "127.0.0.1", "ansible_port": 9, "ansible_ssh_common_args": "-F none"}


class Playbooks:
    """Runs a playbook of the collection, or plays that import them, on nodes n1, n2 and a registry's host."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        link = directory / "collections" / "ansible_collections" / "longshore" / "delivery"
        link.parent.mkdir(parents=True)
        link.symlink_to(CHECKOUT)
        (directory / "ansible.cfg").touch()

    def run(self, plays: list[dict[str, t.Any]], *flags: str, away: str = "", **variables: t.Any) -> tuple[int, str]:
        """The exit status, and both outputs as one line."""
        hosts = {name: NOWHERE if name == away else HERE for name in ("n1", "n2", "reg")}
        groups: dict[str, t.Any] = {
            "longshore_nodes": {"hosts": {"n1": {}, "n2": {}}},
            "longshore_registry_hosts": {"hosts": {"reg": {}}},
        }
        written = {
            "hosts.yml": {"all": {"hosts": hosts, "children": groups}},
            "plays.yml": plays,
            "variables.yml": variables,
        }
        for name, document in written.items():
            (self.directory / name).write_text(yaml.safe_dump(document, sort_keys=False))
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        done = subprocess.run(
            [program, "-i", "hosts.yml", "-e", "@variables.yml", *flags, "plays.yml"],
            cwd=self.directory,
            env={
                **os.environ,
                "ANSIBLE_CONFIG": str(self.directory / "ansible.cfg"),
                "ANSIBLE_COLLECTIONS_PATH": str(self.directory / "collections"),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, " ".join((done.stdout + done.stderr).split())


@pytest.fixture
def playbooks(tmp_path: Path) -> Playbooks:
    return Playbooks(tmp_path)


def imported(name: str, **variables: object) -> dict[str, t.Any]:
    return {"name": name, "ansible.builtin.import_playbook": f"longshore.delivery.{name}", "vars": variables}


def on(hosts: str, task: dict[str, t.Any]) -> dict[str, t.Any]:
    return {"name": "A play", "hosts": hosts, "gather_facts": False, "tasks": [{"name": "A task", **task}]}


SHOW = {
    "ansible.builtin.debug": {"msg": "known: {{ delivery_registry.ca | default('nothing') }}"},
    "vars": yaml.safe_load((CHECKOUT / "playbooks" / "vars" / "registry.yml").read_text()),
}


@pytest.mark.parametrize("limit", ["n2", "localhost,n2"])
def test_a_limit_does_not_keep_the_authority_away(playbooks: Playbooks, tmp_path: Path, limit: str) -> None:
    authority = tmp_path / "ca.crt"
    authority.write_text("the authority")
    # the role's own path, which is root's
    given: dict[str, t.Any] = {
        "registry_authority_file": str(authority),
        "longshore_registry": {"endpoint": "registry.example:5000"},
    }
    status, output = playbooks.run(
        [imported("authority"), on("localhost:longshore_nodes", SHOW), imported("authority")], "-l", limit, **given
    )
    assert status == 0, output
    assert output.count("known: the authority") == len(limit.split(","))
    assert output.count("Read the authority") == 1  # and not again once it is known


def test_nodes_that_were_lost_are_named_at_the_end_alone_and_by_stage(playbooks: Playbooks) -> None:
    trust = {"ansible.builtin.ping": {}, "register": "registry_trust_result"}
    pull = {
        "ansible.builtin.fail": {"msg": "refused"},
        "when": "inventory_hostname == 'n1'",
        "register": "image_distribution_result",
    }
    stages = [on("longshore_nodes", trust), imported("unserved", unserved_later=True), on("longshore_nodes", pull)]
    status, output = playbooks.run([*stages, imported("unserved")], away="n2")
    assert status != 0
    assert output.count("Not served: n1, n2.") == output.count("Not served") == 1
    assert "Lost in trust: n2" in output
    assert "Lost in pull: n1" in output
    assert "Lost before" not in output


def test_nobody_is_named_where_all_were_served(playbooks: Playbooks) -> None:
    status, output = playbooks.run([on("longshore_nodes", {"ansible.builtin.ping": {}}), imported("unserved")])
    assert status == 0, output
    assert "Not served" not in output


WEB = {"name": "web", "image": "shop/web:1.0"}


@pytest.mark.parametrize(
    ("source", "workload", "complaint"),
    [
        ("elsewhere", WEB, "There is no {here}/elsewhere/Dockerfile."),
        (".", {"image": "shop/web:1.0"}, "missing required arguments: name"),
        (".", {**WEB, "name": "Web"}, "name is 'Web'"),
        (".", WEB, "The cluster at http://127.0.0.1:9 cannot be reached"),
    ],
)
def test_what_would_fail_late_fails_first(
    playbooks: Playbooks, tmp_path: Path, source: str, workload: dict[str, str], complaint: str
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    status, output = playbooks.run(
        [imported("site")],
        image_source_root=str(tmp_path),
        longshore_images=[{"name": "shop/web", "source": source, "tags": ["1.0"]}],
        longshore_registry={"endpoint": "registry.example:5000"},
        longshore_workloads=[workload],
        longshore_kubeconfig=kubeconfig(tmp_path, "http://127.0.0.1:9"),
    )
    assert status != 0
    assert complaint.format(here=tmp_path) in output
    assert "PLAY [Build]" not in output
