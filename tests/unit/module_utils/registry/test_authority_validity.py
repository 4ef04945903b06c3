# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said of authorities that have expired, of real ones."""

from __future__ import annotations

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.registry import authority_validity
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.trust.registry_trust import expired

from .certificates import Certificates


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    certificates = Certificates(tmp_path_factory.mktemp("authorities"))
    valid = {"good": (-1, 30), "old": (-30, -2), "older": (-60, -9)}
    found = {name: certificates.authority(name, days).pem for name, days in valid.items()}
    found["leaf"] = certificates.issue("leaf", ["registry.example"], certificates.authority()).pem
    return found


def test_an_expired_authority_is_told_with_its_date_and_the_way_out(made: dict[str, str]) -> None:
    (said,) = expired([RegistrySettings.from_params({"endpoint": "registry.example:5000", "ca": made["old"]})])
    assert said.startswith("registry registry.example:5000: 'ca' expired on 20")
    assert "Give the one that is in use now." in said


@pytest.mark.parametrize("names", [["good"], ["leaf"], []])
def test_nothing_is_said_of_others(made: dict[str, str], names: list[str]) -> None:
    text = "".join(made[name] for name in names)
    assert expired([RegistrySettings.from_params({"endpoint": "registry.example:5000", "ca": text})]) == []


def test_of_several_the_one_that_expired_is_told(made: dict[str, str]) -> None:
    said = authority_validity.remark(made["good"] + made["old"])
    assert said.startswith("holds one that expired on 20")
    both = authority_validity.remark(made["older"] + made["old"])
    assert (
        both[: len("expired on YYYY-mm-dd")] == authority_validity.remark(made["old"])[: len("expired on YYYY-mm-dd")]
    )


def test_days_are_those_of_the_first_that_expires(made: dict[str, str]) -> None:
    (end,) = authority_validity.ends(made["good"])
    assert authority_validity.days_left(made["good"], end - 86400 * 3 - 1) == 3
    assert authority_validity.days_left(made["good"] + made["old"]) == -3  # begun days
    assert authority_validity.days_left("") == -1
