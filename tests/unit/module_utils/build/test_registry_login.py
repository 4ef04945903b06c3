# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A login for the docker command, beside what the user's own configuration has."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.build.registry_login import command_with_login
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Endpoint
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings

LOGIN = RegistrySettings(Endpoint.parse("r.example:5000"), username="ci", password="p")
AUTH = {"auth": "Y2k6cA=="}


def configured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **own: object
) -> tuple[dict[str, object], dict[str, str]]:
    user = tmp_path / "user"
    (user / "cli-plugins").mkdir(parents=True)
    (user / "config.json").write_text(json.dumps(own))
    monkeypatch.setenv("DOCKER_CONFIG", str(user))
    monkeypatch.delenv("BUILDX_CONFIG", raising=False)
    environment = command_with_login(str(tmp_path), LOGIN)
    place = Path(environment["DOCKER_CONFIG"])
    assert (place / "cli-plugins").resolve() == user / "cli-plugins"
    assert [path.stat().st_mode & 0o77 for path in (place, place / "config.json")] == [0, 0]
    assert json.loads((user / "config.json").read_text()) == own
    return json.loads((place / "config.json").read_text()), environment


def test_it_stands_beside_the_user_s_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = {"auth": "x"}
    found, environment = configured(tmp_path, monkeypatch, auths={"other.example": other}, currentContext="c")
    assert found == {"auths": {"other.example": other, "r.example:5000": AUTH}, "currentContext": "c"}
    assert environment["BUILDX_CONFIG"] == str(tmp_path / "user" / "buildx")


def test_no_program_is_asked_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, _environment = configured(tmp_path, monkeypatch, credsStore="pass", credHelpers={"other.example": "pass"})
    assert found["credHelpers"] == {"other.example": "pass", "r.example:5000": ""}


def test_without_one_the_user_s_own_is_all_there_is(tmp_path: Path) -> None:
    for login in (None, RegistrySettings(Endpoint.parse("r.example"))):
        assert command_with_login(str(tmp_path), login) == {}
    assert os.listdir(tmp_path) == []
