# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Registries that do not tell what their tags led to before, or when they were written: nothing is decided for them."""

from __future__ import annotations

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from tests.unit.module_utils.image.making import image

from .replicas import Replica
from .test_registry_replicate import group

__all__ = ["group"]  # the fixture


@pytest.mark.parametrize("silent", [(0, 1), (0,), (1,)])
def test_without_what_the_storage_tells_a_push_to_any_host_stays(group: list[Replica], silent: tuple[int, ...]) -> None:
    first, second, third = group
    old, new, more = image("old"), image("new"), image("more")
    for replica, made in ((first, old), (second, new)):
        replica.push(made, "1")
    second.push(more, "2")
    third.group = first.group = second.group = [first.endpoint, second.endpoint]
    for number in silent:
        group[number].front.tells = False
    for replica, own, peer in ((first, old, new), (second, new, old)):
        with pytest.raises(
            DeliveryError, match=r"Of 1 tag nothing tells which .* The first is shop/web:1, .* counts to both"
        ) as caught:
            replica.catch_up()
        (conflict,) = caught.value.facts["conflicts"]
        assert (conflict["kept"], conflict["by"]) == ("neither", "nothing")
        assert (conflict["own"], conflict["peer"]) == (own.digest, peer.digest)
        assert replica.digest("1") == own.digest
    assert first.digest("2") == more.digest, "what is clear is copied"
    first.push(new, "1")
    assert first.catch_up()["conflicts"] == []


def test_a_registry_that_may_not_read_its_storage_is_named(group: list[Replica]) -> None:
    first, second, third = group
    third.group = [first.endpoint, second.endpoint]
    first.front.closed = third.front.closed = True
    third.catch_up()
    assert [warning.split(" cannot tell")[0] for warning in third.warnings] == [
        f"Registry {third.endpoint}",
        f"Registry {first.endpoint}",
    ]
    assert "www-data may not enter a directory on the way to registry_data: let it (chmod o+x)" in third.warnings[0]
