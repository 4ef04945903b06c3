# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A certificate that is to be replaced though nothing is wrong with it."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_plan import Plan, plan
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_state import GIVEN, Observed

from .test_host import AS_WANTED, WANTED, certificate, seen


@pytest.mark.parametrize(
    ("found", "said"),
    [(AS_WANTED, "another certificate is asked for"), (seen(certificate=certificate(1)), "in 0 days")],
)
def test_another_certificate_that_is_asked_for_has_another_key(found: Observed, said: str) -> None:
    steps = plan(found, dataclasses.replace(WANTED, another_certificate=True))
    assert said in " ".join(steps.differences)
    assert steps.make_key
    assert steps.make_certificate
    assert steps.reload_nginx
    assert not steps.make_authority


def test_a_given_certificate_is_not_made_anew() -> None:
    given = dataclasses.replace(WANTED, certificate_origin=GIVEN, another_certificate=True)
    assert plan(AS_WANTED, given) == Plan()
