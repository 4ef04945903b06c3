# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The capability image_audit: what is wrong with images, and whether that fails the task."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.audit.base_rules import bases_of_dockerfile
from ansible_collections.longshore.delivery.plugins.module_utils.audit.detectors import Detectors
from ansible_collections.longshore.delivery.plugins.module_utils.audit.finding import SEVERITIES, Finding, by_importance
from ansible_collections.longshore.delivery.plugins.module_utils.audit.hadolint import lint
from ansible_collections.longshore.delivery.plugins.module_utils.audit.layer_names import LayerNames
from ansible_collections.longshore.delivery.plugins.module_utils.audit.report import Audited, Report, audit
from ansible_collections.longshore.delivery.plugins.module_utils.audit.runtime_rules import lists_that_run
from ansible_collections.longshore.delivery.plugins.module_utils.audit.secret_scan import SecretScan
from ansible_collections.longshore.delivery.plugins.module_utils.audit.sources import (
    ARCHIVE,
    ENGINE,
    LAYOUT,
    REGISTRY,
    Source,
    read_images,
)
from ansible_collections.longshore.delivery.plugins.module_utils.audit.table import lines
from ansible_collections.longshore.delivery.plugins.module_utils.audit.trivy import TrivyReport, TrivyReportError
from ansible_collections.longshore.delivery.plugins.module_utils.audit.trivy_program import NONE, TRIVY, Trivy
from ansible_collections.longshore.delivery.plugins.module_utils.audit.verdict import (
    NEVER,
    AuditException,
    Verdict,
    judge,
)
from ansible_collections.longshore.delivery.plugins.module_utils.audit.vulnerabilities import look
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Capability, Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import ADDRESS_SPEC
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import AUTO, DOCKER, PODMAN
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import REGISTRY_SPEC


class AuditFailed(DeliveryError):
    """An image has findings as severe as 'fail_on' says, or more."""


def run(params: t.Dict[str, t.Any], context: Context) -> t.Dict[str, t.Any]:
    exceptions = _exceptions(params)
    detectors = Detectors()
    dockerfile = params["dockerfile"]
    of_dockerfile = lint(dockerfile, context) if dockerfile else []
    bases = bases_of_dockerfile(dockerfile) if dockerfile else {}
    reports = [TrivyReport.read(path) for path in params["trivy_reports"] or ()]
    trivy = Trivy.from_params(params, context)
    source = read_images(params, SecretScan(detectors).file, LayerNames(detectors), context)
    if trivy:
        reports += look(trivy, [each.image for each in source.images], params, context)
    _check_reports(reports, source)
    images = tuple(_called(image, params.get("called") or ()) for image in source.images)
    results = []
    failing: t.List[str] = []
    unused = dict.fromkeys(exceptions)
    platforms = params.get("platforms") or ()
    running = lists_that_run([read.image for read in source.images], platforms)
    for image in images:
        report = audit(image, detectors, () if image.image.digests.index in running else platforms, bases)
        findings = by_importance([*report.findings, *of_dockerfile, *_vulnerabilities(reports, image)])
        report = dataclasses.replace(report, findings=tuple(findings))
        verdict = judge(report.findings, exceptions, params["fail_on"])
        table = list(lines(report, verdict))
        for line in table:
            context.progress(line)
        results.append(_result(image, report, verdict, table))
        failing += map(str, verdict.failing)
        unused = {exception: None for exception in unused if exception in verdict.unused}
    for exception in unused:
        context.warn("Nothing is found any more that the exception for %s is for; remove it." % exception)
    if failing:
        raise AuditFailed(_failure(params["fail_on"], failing, source.where), **source.told, images=results)
    return {**source.told, "images": results}


def _exceptions(params: t.Mapping[str, t.Any]) -> t.List[AuditException]:
    return [AuditException.from_params(entry) for entry in params.get("exceptions") or ()]


def _called(read: Audited, names: t.Sequence[str]) -> Audited:
    """An image by the names that it is to get, where it has none yet or others beside them."""
    if not names:
        return read
    return dataclasses.replace(
        read, image=dataclasses.replace(read.image, references=tuple(map(Reference.parse, names)), names=())
    )


def _check_reports(reports: t.Iterable[TrivyReport], source: Source) -> None:
    """See that each report is of an image that was read; where none was, check mode has said so."""
    read = [str(each.image.digests.config) for each in source.images]
    for report in reports:
        if read and report.image_id not in read:
            raise TrivyReportError(
                "%s is of the image %s, and %s has %s. Have trivy look at the same image, or leave the report away."
                % (report.path, report.image_id, source.where, ", ".join(read)),
                **source.told,
            )


def _vulnerabilities(reports: t.Iterable[TrivyReport], read: Audited) -> t.Iterator[Finding]:
    diff_ids = [str(layer.diff_id) for layer in read.image.layers]
    for report in reports:
        if report.image_id == str(read.image.digests.config):
            yield from report.findings(diff_ids)


def _result(read: Audited, report: Report, verdict: Verdict, table: t.List[str]) -> t.Dict[str, t.Any]:
    shown = read.image.shown()
    return {
        **{name: shown[name] for name in ("id", "references", "names", "digests", "platform")},
        "size": report.size,
        "wasted_bytes": report.wasted,
        "layers": [layer.as_result() for layer in report.layers],
        "findings": [found.as_result() for found in verdict.findings],
        "excepted": [{**found.as_result(), "reason": reason} for found, reason in verdict.excepted],
        "table": table,
    }


_SHOWN = 5  # findings in the message; the result has all


def _failure(fail_on: str, failing: t.Sequence[str], where: str) -> str:
    more = "" if len(failing) <= _SHOWN else "; and %d more" % (len(failing) - _SHOWN)
    return (
        "%s: the audit found what is %s or worse: %s%s. Mend it as the findings say, or give an exception with its reason; "
        "'fail_on' says what fails." % (where, fail_on, "; ".join(failing[:_SHOWN]), more)
    )


CAPABILITY = Capability(
    run=run,
    argument_spec=dict(
        **ADDRESS_SPEC,
        store=dict(type="str", choices=[ENGINE, REGISTRY, LAYOUT, ARCHIVE], default=ENGINE),
        references=dict(type="list", elements="str"),
        engine=dict(type="str", choices=[AUTO, DOCKER, PODMAN], default=AUTO),
        registry=REGISTRY_SPEC,
        layout=dict(type="path"),
        archive=dict(type="path"),
        dockerfile=dict(type="path"),
        trivy_reports=dict(type="list", elements="path"),
        vulnerabilities=dict(type="str", choices=[NONE, TRIVY], default=NONE),
        trivy_database=dict(type="path"),
        trivy_seconds=dict(type="int", default=300),
        platforms=dict(type="list", elements="str"),
        fail_on=dict(type="str", choices=[NEVER, *SEVERITIES], default="high"),
        exceptions=dict(
            type="list",
            elements="dict",
            options=dict(
                rule=dict(type="str", required=True),
                path=dict(type="str"),
                reason=dict(type="str", required=True),
            ),
        ),
    ),
    constraints=dict(
        required_if=[
            ["store", ENGINE, ["references"]],
            ["store", REGISTRY, ["registry", "references"]],
            ["store", LAYOUT, ["layout"]],
            ["store", ARCHIVE, ["archive"]],
        ]
    ),
    needs=("detect_secrets",),
    check=_exceptions,
)
