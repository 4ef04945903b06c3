# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the registry's name stands for on a host that is one of several."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_name import MARK, OwnName, observe

CHECKOUT = Path(__file__).resolve().parents[4]
OURS = f"192.0.2.11 registry.site {MARK}"


def looked(tmp_path: Path, address: str, *lines: str, name: str = "registry.site") -> OwnName:
    table = tmp_path / "hosts"
    table.write_text("".join(line + "\n" for line in lines))
    return observe({"path": str(table), "address": address}, name)


def test_the_line_is_as_wanted_or_the_difference_is_said(tmp_path: Path) -> None:
    others = ["127.0.0.1 localhost", "192.0.2.12 registry.site"]
    assert not looked(tmp_path, "192.0.2.11", OURS, *others).to_mend
    assert not looked(tmp_path, "", *others).to_mend
    place = tmp_path / "hosts"
    wanted = [f"{place} does not have registry.site stand for 192.0.2.11"]
    assert looked(tmp_path, "192.0.2.11", *others).differences == wanted
    assert looked(tmp_path, "192.0.2.11", OURS.replace(".11", ".13"), *others).differences == wanted
    assert looked(tmp_path, "192.0.2.11", OURS, OURS).to_mend
    above = ["192.0.2.12 other REGISTRY.site # somebody's", "192.0.2.12 registry.site.example # registry.site"]
    shadowed = looked(tmp_path, "192.0.2.11", *above, OURS)
    assert shadowed.differences == [
        f"{place} has '{above[0]}' above the line by which registry.site stands for 192.0.2.11"
    ]
    assert shadowed.is_shadowed
    assert not looked(tmp_path, "192.0.2.11", above[1], OURS, above[0]).to_mend
    left = looked(tmp_path, "", OURS, *others)
    assert left.differences == [f"{place} still has the name of the registry stand for this host"]
    assert left.lines == (OURS,)


@pytest.mark.parametrize(
    ("name", "address", "said"),
    [
        ("registry.site", "node1", "registry_node_address is 'node1', which is no address"),
        ("192.0.2.1", "192.0.2.11", "The registry's endpoint has the address 192.0.2.1, by which only one host"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, name: str, address: str, said: str) -> None:
    (fault,) = looked(tmp_path, address, name=name).faults
    assert fault.startswith(said)


def test_a_host_without_peers_has_none_of_it(tmp_path: Path) -> None:
    assert observe(None, "registry.site").faults == looked(tmp_path, "", name="192.0.2.1").faults == []


def test_the_role_writes_the_mark_that_is_looked_for() -> None:
    variables = yaml.safe_load((CHECKOUT / "roles/registry/vars/main.yml").read_text())
    assert variables["registry_name_mark"].partition("{{")[0] == MARK
