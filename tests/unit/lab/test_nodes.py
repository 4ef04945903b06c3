# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's nodes: their addresses fit their networks, and a selection makes sense or is refused."""

from __future__ import annotations

from ipaddress import IPv4Network, ip_address

import pytest

from tests.lab.errors import LabError
from tests.lab.nodes import (
    CLUSTER,
    DNS_SERVICE,
    KUBERNETES_SERVICE,
    NODES,
    POD_CIDR,
    SERVICE_CIDR,
    SUBNET,
    select,
)


def test_addresses_are_distinct_and_in_their_networks() -> None:
    assert len({node.address for node in NODES.values()}) == len(NODES)
    assert all(ip_address(node.address) in IPv4Network(SUBNET) for node in NODES.values())
    pods = [IPv4Network(node.pod_cidr) for node in CLUSTER]
    assert all(network.subnet_of(IPv4Network(POD_CIDR)) for network in pods)
    assert not any(a.overlaps(b) for i, a in enumerate(pods) for b in pods[i + 1 :])
    assert all(ip_address(address) in IPv4Network(SERVICE_CIDR) for address in (DNS_SERVICE, KUBERNETES_SERVICE))


def test_a_selection_is_in_the_labs_order() -> None:
    assert [node.name for node in select(" n1,dock, cp")] == ["cp", "n1", "dock"]
    assert [node.name for node in select("dock")] == ["dock"]


@pytest.mark.parametrize(
    ("names", "said"), [("cp,n9", "n9"), ("", "no node"), (",", "no node"), ("n1,dock", "control plane")]
)
def test_a_selection_that_makes_no_sense_is_refused(names: str, said: str) -> None:
    with pytest.raises(LabError, match=said):
        select(names)
