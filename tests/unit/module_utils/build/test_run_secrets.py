# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which secrets in files and variables are masked."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.build.run_secrets import Secret, conceal
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Context
from ansible_collections.longshore.delivery.plugins.module_utils.running import run_command


def test_what_an_instruction_may_mount_is_masked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("-----BEGIN-----\nabcdefgh\nab\n\n")
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff12345678")
    monkeypatch.setenv("TOKEN", " tok ")
    masked: list[str] = []
    secrets = [
        *(Secret(name, file=str(tmp_path / name)) for name in ("key", "empty", "binary", "missing")),
        Secret("token", env="TOKEN"),
        Secret("value", value="that of the option"),
    ]
    conceal(secrets, Context(False, False, pytest.fail, print, run_command, masked.append))
    assert masked == ["-----BEGIN-----\nabcdefgh\nab\n\n", "\n", "\udcff12345678", "", " tok ", ""]
