# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check mode of an image that is to go to a registry which a play sets up before."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError

from .test_options_to_commands import Engine, engine, source

__all__ = ["engine", "source"]


def test_a_registry_that_is_not_there_has_no_image_in_check_mode_alone(engine: Engine) -> None:
    registry = {"endpoint": "127.0.0.1:1", "tls": "plain"}
    options: dict[str, t.Any] = {"name": "x:1", "tags": ["2"], "output": "registry", "registry": registry}
    told = engine.run(check=True, **options)
    assert (told["built"], told["changed"], len(told["named"])) == (True, True, 2)
    assert told["why"] == ["there is no image 127.0.0.1:1/x:1, 127.0.0.1:1/x:2 in the registry 127.0.0.1:1"]
    [warned] = engine.warnings
    assert "nothing takes connections at 127.0.0.1 port 1" in warned
    with pytest.raises(DeliveryError, match=r"nothing takes connections at 127\.0\.0\.1 port 1"):
        engine.run(**options)
