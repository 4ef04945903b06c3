# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ufw's files say of the registry's port."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_firewall import (
    Firewall,
    Rule,
    observe,
)

OWN = "longshore.delivery.registry"
COMMENT = f" comment={OWN.encode().hex()}"
ALL = (Rule(5000, "0.0.0.0/0"), Rule(5000, "::/0"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A host with ufw, enabled, with rules for SSH alone."""
    for path, text in (
        ("usr/sbin/ufw", ""),
        ("etc/ufw/ufw.conf", "# ENABLED=no\nENABLED=yes\n"),
        ("etc/default/ufw", 'IPV6="yes"\n'),
        ("etc/ufw/user.rules", rule("limit tcp 22 0.0.0.0/0 any 0.0.0.0/0 in comment=78")),
        ("etc/ufw/user6.rules", rule("limit tcp 22 ::/0 any ::/0 in")),
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def rule(text: str) -> str:
    return f"\n### tuple ### {text}\n-A ufw-user-input -p tcp -j ACCEPT\n"


def add(root: Path, *rules: str) -> None:
    for text in rules:
        path = root / ("etc/ufw/user6.rules" if "::" in text else "etc/ufw/user.rules")
        path.write_text(path.read_text() + rule(text))


def look(root: Path, *sources: str) -> Firewall:
    return observe("ufw", sources, OWN, 5000, str(root))


def test_all_clients_are_let_through_by_both_protocols_unless_ufw_has_one(root: Path) -> None:
    assert look(root) == Firewall(missing=ALL)
    assert look(root).told == {"missing": [[5000, "0.0.0.0/0"], [5000, "::/0"]], "surplus": []}
    (root / "etc/default/ufw").write_text("IPV6=no\n")
    assert look(root).missing == ALL[:1]
    add(root, f"allow tcp 5000 ::/0 any ::/0 in{COMMENT}")
    assert look(root).surplus == (), "ufw would not delete it"
    (said,) = look(root, "2001:db8::/32").faults
    assert "Set IPV6=yes in /etc/default/ufw, or leave that source away." in said


def test_what_is_there_is_not_made_again_whoever_made_it(root: Path) -> None:
    add(root, f"allow tcp 5000 0.0.0.0/0 any 0.0.0.0/0 in{COMMENT}", "allow any 5000 ::/0 any ::/0 in")
    assert look(root) == Firewall()


def test_only_the_roles_own_rules_are_not_wanted_any_more(root: Path) -> None:
    add(
        root,
        f"allow tcp 5000 0.0.0.0/0 any 10.1.0.0/16 in{COMMENT}",
        f"allow tcp 5009 ::/0 any fd00::/8 in{COMMENT}",
        "allow tcp 5000 0.0.0.0/0 any 10.2.0.0/16 in",
        "allow tcp 5000 0.0.0.0/0 any 10.3.0.0/16 in comment=78",
    )
    own = (Rule(5000, "10.1.0.0/16"), Rule(5009, "fd00::/8"))
    assert observe("", [], OWN, 5000, str(root)) == Firewall(surplus=own)
    assert look(root, "10.1.2.3/16", "10.2.0.0/16").surplus == own[1:]
    assert look(root, "10.1.0.0/16", "192.0.2.7").missing == (Rule(5000, "192.0.2.7/32"),)
    assert look(root, "10.2.0.0/16").differences == [
        "ufw lets 10.1.0.0/16 to port 5000, which is not wanted any more",
        "ufw lets fd00::/8 to port 5009, which is not wanted any more",
    ]


@pytest.mark.parametrize(
    "other",
    [
        "deny tcp 5000 0.0.0.0/0 any 0.0.0.0/0 in",
        "allow udp 5000 0.0.0.0/0 any 0.0.0.0/0 in",
        "allow tcp 5000:5010 0.0.0.0/0 any 0.0.0.0/0 in",
        "allow tcp 5000 192.0.2.7 any 0.0.0.0/0 in",
        "allow tcp 5000 0.0.0.0/0 1024 0.0.0.0/0 in",
        "allow tcp 5000 0.0.0.0/0 any 0.0.0.0/0 in_eth0",
        "allow tcp 5000 0.0.0.0/0 any 0.0.0.0/0 out",
        "allow tcp 5001 0.0.0.0/0 any 0.0.0.0/0 in",
    ],
)
def test_what_lets_others_through_is_not_enough(root: Path, other: str) -> None:
    add(root, other)
    assert look(root).missing == ALL


def test_what_cannot_be_made_is_said_with_the_way_out(root: Path) -> None:
    (said,) = look(root, "example.org").faults
    assert said.startswith("registry_firewall_sources has 'example.org'. List addresses")
    (root / "usr/sbin/ufw").unlink()
    (said,) = look(root).faults
    assert "there is no ufw on this host. Install and enable it" in said


def test_a_firewall_that_is_off_is_warned_of(root: Path) -> None:
    assert look(root).warnings("registry.example") == []
    (root / "etc/ufw/ufw.conf").write_text("ENABLED=no\n")
    (said,) = look(root).warnings("registry.example")
    assert "ufw is not enabled on the host of registry registry.example" in said


def test_a_host_without_ufw_has_nothing_to_say(tmp_path: Path) -> None:
    assert observe("", [], OWN, 5000, str(tmp_path)) == Firewall()
