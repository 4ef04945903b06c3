# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restarts go from node to node, and end at the first that fails. A stand-in for the module writes down when it ran."""

from __future__ import annotations

from pathlib import Path

import pytest

from .running import CHECKOUT, Playbooks, imported

STAND_IN = """
import os, time
from ansible.module_utils.basic import AnsibleModule

options = {name: {"type": "raw"} for name in ("engines", "state", "mirror_fallback", "purge", "override", "verify")}
module = AnsibleModule({**options, "registries": {"type": "list", "elements": "dict"}, "restart": {}})
(registry,) = module.params["registries"]
directory, node = os.path.dirname(registry["ca"]), registry["username"]


def note(what):
    with open(directory + "/noted", "a") as file:
        file.write(what + " ")


def has(name):
    return os.path.exists(directory + "/" + name)


if module.params["restart"] == "never":
    note("asks:" + node)
    module.exit_json(changed=False, restart_needed=[] if has(node + ".restarted") else ["containerd"])
note("begins:" + node)
# long enough for another to be seen, if it does not wait
until = time.monotonic() + 0.7
while time.monotonic() < until and open(directory + "/noted").read().count("begins") == 1:
    time.sleep(0.02)
note("ends:" + node)
if has("broken"):
    module.fail_json(msg="The pull failed: nothing answers. Everything was put back.")
module.exit_json(changed=True, restart_needed=[])
"""
NODES = ["n1", "n2", "n3"]


class Fleet:
    """Nodes whose containerd has to be restarted once."""

    def __init__(self, playbooks: Playbooks, directory: Path) -> None:
        self._playbooks, self._directory = playbooks, directory

    def trust(self) -> tuple[int, str, list[str]]:
        """The exit status, what was shown, and what the module noted."""
        registry = {
            "endpoint": "registry.example:5000",
            "ca": str(self._directory / "ca.crt"),
            "username": "{{ inventory_hostname }}",
            "password": "none",
        }
        status, output = self._playbooks.run(
            [imported("trust")], "-l", ",".join(["localhost", *NODES]), longshore_registry=registry
        )
        return status, output, (self._directory / "noted").read_text().split()

    def mark(self, name: str) -> None:
        """'broken', so that each restart fails, or 'NODE.restarted'."""
        (self._directory / name).touch()


@pytest.fixture
def fleet(playbooks: Playbooks, tmp_path: Path) -> Fleet:
    link = tmp_path / "collections/ansible_collections/longshore/delivery"
    link.unlink()
    for directory in ("", "plugins", "plugins/modules"):
        (link / directory).mkdir()
        for path in (CHECKOUT / directory).iterdir():
            if path.name not in ("plugins", "modules", "registry_trust.py") and not path.name.startswith("."):
                (link / directory / path.name).symlink_to(path)
    (link / "plugins/modules/registry_trust.py").write_text(STAND_IN)
    return Fleet(playbooks, tmp_path)


def test_one_node_is_restarted_at_a_time_and_none_that_does_not_need_it(fleet: Fleet) -> None:
    fleet.mark("n2.restarted")
    status, output, noted = fleet.trust()
    assert status == 0, output
    assert sorted(noted[:3]) == [f"asks:{node}" for node in NODES]
    assert noted[3:] in (
        ["begins:n1", "ends:n1", "begins:n3", "ends:n3"],
        ["begins:n3", "ends:n3", "begins:n1", "ends:n1"],
    )


def test_after_a_restart_that_failed_no_other_node_is_restarted(fleet: Fleet) -> None:
    fleet.mark("broken")
    status, output, noted = fleet.trust()
    assert status != 0
    assert sorted(noted[:3]) == [f"asks:{node}" for node in NODES]
    first = noted[3].partition(":")[2]
    assert noted[3:] == [f"begins:{first}", f"ends:{first}"]
    for node in set(NODES) - {first}:
        assert (
            f"{node}: containerd is left as it is and was not restarted, since that failed on {first} before: "
            "The pull failed: nothing answers. Everything was put back. Mend that first; the next run completes this node."
        ) in output
    assert "Not served: n1, n2, n3" in output
