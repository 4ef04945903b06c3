# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What counts of the findings, and how it looks on a screen."""

from __future__ import annotations

import re

import pytest
import yaml

from ansible_collections.longshore.delivery.plugins.module_utils.audit.finding import RULES, SEVERITIES, finding
from ansible_collections.longshore.delivery.plugins.module_utils.audit.report import LayerReport, Report
from ansible_collections.longshore.delivery.plugins.module_utils.audit.table import lines, size
from ansible_collections.longshore.delivery.plugins.module_utils.audit.verdict import AuditException, fails, judge
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.modules import image_audit

KEY = finding("private_key", "RSA private key, line 1", "Keep it out", 0, "app/tests/key.pem")
TOKEN = finding("secret", "GitHub Token, line 3", "Keep it out", 1, "app/token")
ROOT = finding("root_user", "it runs as root", "End the Dockerfile with USER")
SU = finding("setuid", "it is setuid", "Remove it", 0, "bin/su")
ALL = (KEY, TOKEN, ROOT, SU)


@pytest.mark.parametrize(
    ("fail_on", "failing"),
    [("never", ()), ("critical", (KEY,)), ("high", (KEY, TOKEN)), ("medium", (KEY, TOKEN, ROOT)), ("low", ALL)],
)
def test_the_severity_from_which_on_it_fails(fail_on: str, failing: tuple[object, ...]) -> None:
    assert judge(ALL, (), fail_on).failing == failing


def test_every_severity_fails_on_itself() -> None:
    assert all(fails(severity, severity) for severity in SEVERITIES)


@pytest.mark.parametrize(
    ("path", "holds"),
    [
        (None, True),
        ("app/tests/*", True),
        ("/app/tests/key.pem", True),
        ("*.pem", True),
        ("app/*.pem", True),
        ("tests/*", False),
        ("app", False),
    ],
)
def test_an_exception_is_for_a_rule_and_a_path(path: str | None, holds: bool) -> None:
    exception = AuditException.from_params({"rule": "private_key", "path": path, "reason": "a key for tests"})
    verdict = judge(ALL, (exception,), "critical")
    assert verdict.excepted == (((KEY, "a key for tests"),) if holds else ())
    assert (KEY in verdict.findings) != holds
    assert bool(verdict.failing) != holds
    assert verdict.unused == (() if holds else (exception,))


def test_an_exception_is_for_no_other_rule() -> None:
    exception = AuditException("secret", "known", "app/tests/*")
    assert judge(ALL, (exception,), "low").failing == ALL


def test_an_exception_with_a_path_is_not_for_what_has_none() -> None:
    assert judge((ROOT,), (AuditException("root_user", "known", "*"),), "low").failing == (ROOT,)


def test_an_exception_for_no_rule_is_refused() -> None:
    with pytest.raises(DeliveryError, match=r"'privatekey'.*private_key"):
        AuditException.from_params({"rule": "privatekey", "reason": "x"})


@pytest.mark.parametrize("reason", [None, "", "  "])
def test_an_exception_without_a_reason_is_refused(reason: str | None) -> None:
    with pytest.raises(DeliveryError, match="'reason'"):
        AuditException.from_params({"rule": "private_key", "reason": reason})


def test_the_table() -> None:
    report = Report(
        (LayerReport(0, "COPY . .", 1500, 2, 0, 0), LayerReport(1, "RUN " + "x" * 100, 20, 1, 1, 3)), ALL, 1520, 500
    )
    verdict = judge(ALL, (AuditException("setuid", "the base brings it", "bin/su"),), "high")
    shown = list(lines(report, verdict))
    assert shown[:3] == [
        "layer  size    added  changed  deleted  instruction",
        "0      1.5 kB  2      0        0        COPY . .",
        "1      20 B    1      1        3        RUN " + "x" * 63 + "...",
    ]
    assert shown[4].split() == ["severity", "rule", "layer", "size", "where", "and", "what"]
    assert shown[5] == "critical  private_key  0            app/tests/key.pem: RSA private key, line 1. Keep it out."
    assert shown[7] == "medium    root_user                 it runs as root. End the Dockerfile with USER."
    assert "excepted: setuid in bin/su (the base brings it)" in shown
    assert shown[-1] == "1.52 kB in 2 layers, 500 B of it wasted; 3 findings, 1 excepted"


def test_the_table_of_nothing_found() -> None:
    shown = list(lines(Report((), (), 0, 0), judge((), (), "low")))
    assert shown == [
        "layer  size  added  changed  deleted  instruction",
        "",
        "0 B in 0 layers, 0 B of it wasted; 0 findings, 0 excepted",
    ]


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (65536, "65.5 kB"), (999_600, "1 MB"), (2_000_000_000, "2 GB")],
)
def test_a_size(count: int, text: str) -> None:
    assert size(count) == text


def test_every_rule_is_documented_with_its_severity() -> None:
    described = " ".join(yaml.safe_load(image_audit.DOCUMENTATION)["description"])
    for severity in SEVERITIES:
        rules = {rule.name for rule in RULES.values() if rule.severity == severity}
        (part,) = (
            part
            for part in described.partition("severities:")[2].replace(".", ";").split(";")
            if f" {severity}" in part
        )
        assert set(re.findall(r"V\((\w+)\)", part)) == rules
