# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every error of the client must be."""

from __future__ import annotations

import base64
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient, RegistryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings

from .servers import PASSWORD

BASIC = base64.b64encode(b"ci:" + PASSWORD.encode()).decode()


Call = t.Callable[[RegistryClient], object]


def fault(settings: RegistrySettings, call: Call = RegistryClient.ping, timeout: float = 10.0) -> RegistryError:
    with RegistryClient(settings, timeout) as client, pytest.raises(RegistryError) as caught:
        call(client)
    error = caught.value
    assert str(error).startswith(f"Registry {settings.endpoint}: ")
    assert error.facts == {"registry_endpoint": str(settings.endpoint), "registry_error": error.kind}
    shown = str(error) + repr(error) + repr(settings)
    assert PASSWORD not in shown
    assert BASIC not in shown
    return error


def told(error: RegistryError, kind: str, *fragments: str) -> None:
    assert error.kind == kind, error
    for fragment in fragments:
        assert fragment in str(error)
