# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What hadolint says of a Dockerfile is in the report, and counts as what the audit itself finds."""

from __future__ import annotations

import os
import stat
import sys
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.audit.image_audit import AuditFailed
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError

from .test_image_audit import Front, write

pytestmark = pytest.mark.usefixtures("detectors")

DOCKERFILE = (
    "FROM debian:13@sha256:"
    + 64 * "a"
    + "\nRUN apt-get update && apt-get install -y --no-install-recommends curl\nCMD app\n"
)


@pytest.fixture
def web(tmp_path: Path) -> dict[str, str]:
    """Options for an image without findings of its own, and its Dockerfile."""
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    return {"archive": write(tmp_path / "web.tar", {"app": b"1"}), "dockerfile": str(tmp_path / "Dockerfile")}


@pytest.fixture
def hadolint(monkeypatch: pytest.MonkeyPatch) -> None:
    program = Path(sys.executable).with_name("hadolint")
    if not program.exists():
        pytest.skip("hadolint is not in this environment: make venv")
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")


def rules(image: dict[str, t.Any]) -> dict[str, str]:
    return {found["rule"]: found["severity"] for found in image["findings"]}


@pytest.mark.usefixtures("hadolint")
def test_its_findings_are_among_the_others(web: dict[str, str], tmp_path: Path) -> None:
    (image,) = Front(commands=True).run(**web)["images"]
    assert rules(image) == {"DL3008": "medium", "DL3009": "low", "DL3025": "medium"}
    [found] = (found for found in image["findings"] if found["rule"] == "DL3008")
    assert found["what"].startswith("the Dockerfile's line 2: Pin versions in apt get install")
    assert any("DL3008" in line and "line 2" in line for line in image["table"])
    with pytest.raises(AuditFailed, match="DL3025: the Dockerfile's line 3"):
        Front(commands=True).run(**web, fail_on="medium")
    known = [{"rule": rule, "reason": "known"} for rule in ("DL3008", "DL3025", "SC2164")]
    front = Front(commands=True)
    (image,) = front.run(**web, fail_on="medium", exceptions=known)["images"]
    assert rules(image) == {"DL3009": "low"}
    assert [warning for warning in front.warned if "SC2164" in warning] == front.warned != []
    (tmp_path / "Dockerfile").write_text("FRM debian\n")
    with pytest.raises(AuditFailed, match="DL1000: the Dockerfile's line 1"):
        Front(commands=True).run(**web)


def test_where_it_is_not_installed_there_is_a_warning(web: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *name, **where: None)
    front = Front()
    (image,) = front.run(**web)["images"]
    assert image["findings"] == []
    [warned] = front.warned
    assert f"{web['dockerfile']} is not looked at: hadolint is not installed" in warned


def test_its_failure_is_said(web: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "hadolint"
    program.write_text("#!/bin/sh\necho it is broken >&2\nexit 3\n")
    program.chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(DeliveryError, match=r"hadolint fails at .*Dockerfile \(status 3\)\. It said: it is broken"):
        Front(commands=True).run(**web)


@pytest.mark.parametrize(
    ("path", "said"), [("Dockerfile", "playbook_dir"), ("/no/such/Dockerfile", "no Dockerfile /no")]
)
def test_a_dockerfile_that_is_not_there(web: dict[str, str], path: str, said: str) -> None:
    with pytest.raises(DeliveryError, match=said):
        Front().run(**{**web, "dockerfile": path})
