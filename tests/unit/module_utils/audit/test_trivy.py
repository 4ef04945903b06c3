# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a report of trivy's says of an image is in the audit's, and counts as what the audit itself finds."""

from __future__ import annotations

import json
import tarfile
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.audit.image_audit import AuditFailed
from ansible_collections.longshore.delivery.plugins.module_utils.audit.trivy import (
    RULE,
    TrivyReport,
    TrivyReportError,
)
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from tests.unit.module_utils.image.making import digest_of

from .test_image_audit import Front, write

pytestmark = pytest.mark.usefixtures("detectors")

LOWER, UPPER, IMAGE = ("sha256:" + letter * 64 for letter in "abc")


def vulnerability(identifier: str, package: str, **more: t.Any) -> dict[str, t.Any]:
    """An entry with the keys that every one has."""
    return {
        "VulnerabilityID": identifier,
        "PkgName": package,
        "InstalledVersion": "1.1.1b-r1",
        "Layer": {"Digest": "sha256:" + "e" * 64, "DiffID": UPPER},
        "Severity": "MEDIUM",
        **more,
    }


OPENSSL = vulnerability(
    "CVE-2019-1549",
    "libssl1.1",
    FixedVersion="1.1.1d-r0",
    Status="fixed",
    Title="openssl: information disclosure\nin fork().",
    Severity="HIGH",
)


def report(*results: dict[str, t.Any], image: str = IMAGE, **more: t.Any) -> str:
    """As 'trivy image --format json' writes it, with what a reader of vulnerabilities needs of it and some of the rest."""
    document = {
        "SchemaVersion": 2,
        "CreatedAt": "2021-08-25T12:20:30.000000005Z",
        "ArtifactName": "registry.example:5000/shop/web:1.4",
        "ArtifactType": "container_image",
        "Metadata": {"OS": {"Family": "alpine", "Name": "3.9.4", "EOSL": True}, "ImageID": image, "DiffIDs": []},
        "Results": list(results),
        **more,
    }
    return json.dumps(document)


def of_system(*entries: dict[str, t.Any]) -> dict[str, t.Any]:
    target = "registry.example:5000/shop/web:1.4 (alpine 3.9.4)"
    return {"Target": target, "Class": "os-pkgs", "Type": "alpine", "Vulnerabilities": list(entries)}


def found(*results: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    read = TrivyReport.parse(report(*results), "report.json")
    return [finding.as_result() for finding in read.findings([LOWER, UPPER])]


def test_a_package_of_the_system() -> None:
    assert found(of_system(OPENSSL, OPENSSL)) == [
        {
            "rule": "CVE-2019-1549",
            "severity": "high",
            "what": "libssl1.1 1.1.1b-r1: openssl: information disclosure in fork()",
            "way_out": "Update libssl1.1 to 1.1.1d-r0",
            "layer": 1,
            "path": None,
            "bytes": None,
        }
    ]


def test_packages_of_a_language_have_a_path() -> None:
    locked = {
        "Target": "srv/app/package-lock.json",
        "Class": "lang-pkgs",
        "Type": "npm",
        "Vulnerabilities": [vulnerability("GHSA-xvch-5gv4-984h", "minimist", Layer={})],
    }
    installed = {
        "Target": "Python",
        "Class": "lang-pkgs",
        "Type": "python-pkg",
        "Vulnerabilities": [
            vulnerability("CVE-2023-32681", "requests", PkgPath="usr/lib/python3/requests-2.28.0.dist-info/METADATA")
        ],
    }
    assert [(one["path"], one["layer"]) for one in found(locked, installed)] == [
        ("srv/app/package-lock.json", None),
        ("usr/lib/python3/requests-2.28.0.dist-info/METADATA", 1),
    ]


def test_what_no_version_mends_is_said() -> None:
    entry = vulnerability("TEMP-0290435-0B57B5", "tar", Status="will_not_fix", Severity="UNKNOWN")
    [one] = found(of_system(entry))
    assert (one["severity"], one["what"]) == ("low", "tar 1.1.1b-r1")
    assert one["way_out"] == "No version mends it yet (will not fix): do without tar, or except it with the reason"


@pytest.mark.parametrize("results", [None, [], [{"Target": "x", "Class": "secret"}], [{"Vulnerabilities": None}]])
def test_a_report_without_vulnerabilities(results: t.Any) -> None:
    assert TrivyReport.parse(report(Results=results), "report.json").vulnerabilities == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        report(Metadata={}),
        report(Results=[{"Vulnerabilities": [{}]}]),
        report(SchemaVersion=1),
        report(Results=3),
    ],
)
def test_what_is_no_report_is_said(text: str) -> None:
    with pytest.raises(TrivyReportError, match=r"report\.json"):
        TrivyReport.parse(text, "report.json")


@pytest.mark.parametrize("name", ["CVE-2019-1549", "GHSA-xvch-5gv4-984h", "DLA-3482-1", "RUSTSEC-2021-0078"])
def test_its_rules_can_be_excepted(name: str) -> None:
    assert RULE.fullmatch(name)
    assert not RULE.fullmatch(name.lower())


@pytest.fixture
def web(tmp_path: Path) -> dict[str, t.Any]:
    """Options for an image without findings of its own, and a report of it."""
    archive = write(tmp_path / "web.tar", {"app": b"1"})
    with tarfile.open(archive) as tar:
        image = digest_of(t.cast("t.IO[bytes]", tar.extractfile("c.json")).read())
    (tmp_path / "report.json").write_text(report(of_system(OPENSSL), image=image))
    return {"archive": archive, "trivy_reports": [str(tmp_path / "report.json")]}


def test_its_findings_are_among_the_others(web: dict[str, t.Any]) -> None:
    with pytest.raises(AuditFailed, match=r"CVE-2019-1549: libssl1\.1 1\.1\.1b-r1: openssl"):
        Front().run(**web)
    known = [{"rule": "CVE-2019-1549", "reason": "it never forks"}]
    [image] = Front().run(**web, exceptions=known)["images"]
    assert (image["findings"], [one["reason"] for one in image["excepted"]]) == ([], ["it never forks"])


def test_a_report_of_another_image_is_said(web: dict[str, t.Any], tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text(report(of_system(OPENSSL)))
    with pytest.raises(TrivyReportError, match=f"{other} is of the image {IMAGE}, and .*sha256:") as raised:
        Front().run(**{**web, "trivy_reports": [*web["trivy_reports"], str(other)], "fail_on": "never"})
    assert isinstance(raised.value, DeliveryError)


@pytest.mark.parametrize(("path", "said"), [("report.json", "playbook_dir"), ("/no/such/report", "No such file")])
def test_a_report_that_is_not_there(web: dict[str, t.Any], path: str, said: str) -> None:
    with pytest.raises(DeliveryError, match=said):
        TrivyReport.read(path)
