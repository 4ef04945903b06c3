# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The capability on archives made by code: what it returns, what fails it, what it says."""

from __future__ import annotations

import dataclasses
import json
import tarfile
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.longshore.delivery.plugins.module_utils.audit.image_audit import CAPABILITY, AuditFailed
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed, Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.running import run_command
from tests import returned
from tests.unit.module_utils.image.making import digest_of

from .made import Content, config, layer_bytes

pytestmark = pytest.mark.usefixtures("detectors")


def no_command(argv: t.Sequence[str], **how: t.Any) -> Completed:
    raise AssertionError(argv)


@dataclasses.dataclass
class Front:
    """A front that keeps what it is told.

    :param commands: whether programs may be run.
    """

    commands: bool = False
    check: bool = False
    warned: list[str] = dataclasses.field(default_factory=list)
    shown: list[str] = dataclasses.field(default_factory=list)

    def run(self, called: t.Sequence[str] = (), /, **options: t.Any) -> dict[str, t.Any]:
        """:param called: what the image is to be called, as image_set says."""
        if "archive" in options:
            options["store"] = "archive"
        checked = ArgumentSpecValidator(CAPABILITY.argument_spec, **CAPABILITY.constraints).validate(options)
        assert not checked.error_messages
        context = Context(
            self.check, False, self.warned.append, self.shown.append, run_command if self.commands else no_command
        )
        return returned.run("image_audit", {**checked.validated_parameters, "called": called}, context)


def write(path: Path, files: dict[str, Content], **settings: t.Any) -> str:
    manifest = [{"Config": "c.json", "RepoTags": ["shop/web:1.4"], "Layers": ["l/layer.tar"]}]
    document = config([("COPY app / # buildkit", True)], **{"User": "1000", "Entrypoint": ["/app"], **settings})
    parts: dict[str, Content] = {
        "l/layer.tar": layer_bytes(files),
        "c.json": json.dumps(document).encode(),
        "manifest.json": json.dumps(manifest).encode(),
    }
    path.write_bytes(layer_bytes(parts))
    return str(path)


def test_an_image_without_findings(tmp_path: Path) -> None:
    front = Front()
    archive = write(tmp_path / "web.tar", {"app": b"12345"})
    (image,) = front.run(archive=archive, platforms=["linux/amd64"])["images"]
    with tarfile.open(archive) as tar:
        config_digest = digest_of(t.cast("t.IO[bytes]", tar.extractfile("c.json")).read())
    layer = {"index": 0, "instruction": "COPY app /", "size": 5, "added": 1, "changed": 0, "deleted": 0}
    assert image == {
        "id": image["digests"]["config"],
        "references": ["docker.io/shop/web:1.4"],
        "names": [],
        "digests": {"config": config_digest, "manifest": None, "index": None},
        "platform": "linux/amd64",
        "size": 5,
        "wasted_bytes": 0,
        "layers": [layer],
        "findings": [],
        "excepted": [],
        "table": image["table"],
    }
    assert image["table"][-1] == "5 B in 1 layer, 0 B of it wasted; 0 findings, 0 excepted"
    assert [line for line in front.shown if line in image["table"]] == image["table"]
    assert front.warned == []


def test_an_image_is_judged_by_the_names_that_it_is_to_get(tmp_path: Path) -> None:
    archive = write(tmp_path / "web.tar", {"app": b""})
    for called, rules in (("r.example/web:latest", ["latest_tag"]), ("r.example/web:1", [])):
        (image,) = Front().run((called,), archive=archive)["images"]
        assert ([found["rule"] for found in image["findings"]], image["references"]) == (rules, [called])


def test_what_is_severe_fails_with_all_that_was_found(tmp_path: Path) -> None:
    archive = write(tmp_path / "web.tar", {"app/.env": b"A=b"}, User="")
    with pytest.raises(AuditFailed) as failed:
        Front().run(archive=archive)
    assert "env_file in app/.env" in str(failed.value)
    assert "root_user" not in str(failed.value)
    (image,) = failed.value.facts["images"]
    assert [found["rule"] for found in image["findings"]] == ["env_file", "root_user"]


# the worst that is found
WORST: dict[str, tuple[dict[str, Content], dict[str, t.Any], dict[str, t.Any]]] = {
    "low": ({"var/cache/apt/archives/a.deb": b"deb"}, {}, {}),
    "medium": ({"app": b""}, {"User": "root"}, {}),
    "high": ({"app/.env": b"A=b"}, {}, {}),
    "critical": ({"app": b""}, {}, {"platforms": ["linux/arm64"]}),
}


@pytest.mark.parametrize("worst", WORST)
def test_fail_on(tmp_path: Path, worst: str) -> None:
    files, settings, options = WORST[worst]
    archive = write(tmp_path / "web.tar", files, **settings)
    severities = list(WORST)
    for fail_on in (None, "never", *severities):
        given = {**options, **({"fail_on": fail_on} if fail_on else {})}
        if fail_on != "never" and severities.index(worst) >= severities.index(fail_on or "high"):
            with pytest.raises(AuditFailed, match=f"found what is {fail_on or 'high'} or worse"):
                Front().run(archive=archive, **given)
        else:
            Front().run(archive=archive, **given)


def test_what_fails_is_named_with_its_path_and_layer_and_what_to_do(tmp_path: Path) -> None:
    archive = write(tmp_path / "web.tar", {"app/.env": b"A=b"})
    with pytest.raises(
        AuditFailed, match=r"env_file in app/\.env, layer 0: [^;]*\. Name it in \.dockerignore, and give"
    ):
        Front().run(archive=archive, fail_on="high")
    with pytest.raises(AuditFailed, match=r"platform: [^;]*linux/arm64[^;]*\. [^;]*; env_file"):  # of no layer
        Front().run(archive=archive, fail_on="high", platforms=["linux/arm64"])


def test_platforms(tmp_path: Path) -> None:
    archive = write(tmp_path / "web.tar", {"app": b""})
    with pytest.raises(AuditFailed, match="linux/arm64"):
        Front().run(archive=archive, platforms=["linux/arm64"])


def test_exceptions_with_their_reasons(tmp_path: Path) -> None:
    archive = write(tmp_path / "web.tar", {"app/.env": b"A=b", "srv/.env": b"A=b"})
    front = Front()
    known = {"rule": "env_file", "path": "app/*", "reason": "no secret is in it"}
    given = {"exceptions": [known, {"rule": "setuid", "reason": "old"}], "fail_on": "never"}
    (image,) = front.run(archive=archive, **given)["images"]
    assert [(found["path"], found["reason"]) for found in image["excepted"]] == [("app/.env", "no secret is in it")]
    assert [found["path"] for found in image["findings"]] == ["srv/.env"]
    assert front.warned == ["Nothing is found any more that the exception for setuid is for; remove it."]
    (image,) = Front().run(archive=archive, exceptions=[{"rule": "env_file", "reason": "known"}])["images"]
    assert image["findings"] == []


@pytest.mark.parametrize(
    ("archive", "said"), [("web.tar", "playbook_dir"), ("/no/such/web.tar", "No such file"), ("/etc", "directory")]
)
def test_an_archive_that_cannot_be_read(archive: str, said: str) -> None:
    with pytest.raises(DeliveryError, match=said):
        Front().run(archive=archive)


def test_a_wrong_exception_is_said_before_anything_is_read() -> None:
    with pytest.raises(DeliveryError, match="there is not"):
        Front().run(archive="/no/such/web.tar", exceptions=[{"rule": "x", "reason": "y"}])
