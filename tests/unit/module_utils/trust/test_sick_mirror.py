# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A mirror that is ill keeps no node from what it needs of the others; the registry itself does."""

from __future__ import annotations

import typing as t
from unittest import mock

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.errors import Answer, RegistryError, refusal
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.trust import canary
from ansible_collections.longshore.delivery.plugins.module_utils.trust.proof import Proof

PLACE = "10.0.0.5:5000"
FAULTS = [
    *(refusal(PLACE, "a blob", Answer(status, "", {}, b""), "ci") for status in (401, 500, 502, 503)),
    *(RegistryError(PLACE, kind, "a cause.") for kind in ("clock", "ca", "tls", "refused", "timeout")),
]


@pytest.fixture(params=FAULTS, ids=lambda fault: str(fault.status or fault.kind))
def fault(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> RegistryError:
    found = t.cast("RegistryError", request.param)
    monkeypatch.setattr(canary, "release", mock.Mock(side_effect=found))
    return found


def release(warn: mock.Mock, **params: t.Any) -> canary.Canary | None:
    registry = RegistrySettings.from_params({"endpoint": PLACE, **params})
    return Proof(mock.Mock(warn=warn), [registry], [], "changed")._released(registry)


def test_a_mirror_is_named_with_the_cause_and_passed_over(fault: RegistryError) -> None:
    warn = mock.Mock()
    assert release(warn, mirror_of=["registry.site:5000"]) is None
    said = warn.call_args.args[0]
    assert f"the mirror {PLACE} could not be checked, and engines ask it all the same. The next run checks it." in said
    assert str(fault) in said


def test_the_registry_itself_must_answer(fault: RegistryError) -> None:
    warn = mock.Mock()
    with pytest.raises(DeliveryError, match="nothing was changed") as caught:
        release(warn)
    assert str(fault) in str(caught.value)
    assert caught.value.facts["registry_error"] == fault.kind
    assert not warn.called
