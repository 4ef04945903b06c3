# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The capability image_audit: what is wrong with the images of an archive, and whether that fails the task."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.audit.detectors import Detectors
from ansible_collections.longshore.delivery.plugins.module_utils.audit.finding import SEVERITIES
from ansible_collections.longshore.delivery.plugins.module_utils.audit.image_archive import read_archive
from ansible_collections.longshore.delivery.plugins.module_utils.audit.report import Audited, Report, audit
from ansible_collections.longshore.delivery.plugins.module_utils.audit.runtime_rules import platform_of
from ansible_collections.longshore.delivery.plugins.module_utils.audit.secret_scan import SecretScan
from ansible_collections.longshore.delivery.plugins.module_utils.audit.table import lines
from ansible_collections.longshore.delivery.plugins.module_utils.audit.verdict import (
    NEVER,
    AuditException,
    Verdict,
    judge,
)
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Capability, Context, DeliveryError


class AuditFailed(DeliveryError):
    """An image has findings as severe as 'fail_on' says, or more."""


def run(params: t.Dict[str, t.Any], context: Context) -> t.Dict[str, t.Any]:
    exceptions = [AuditException.from_params(entry) for entry in params.get("exceptions") or ()]
    detectors = Detectors()
    images = _read(params["archive"], detectors, context)
    results = []
    failing: t.List[str] = []
    unused = dict.fromkeys(exceptions)
    for image in images:
        report = audit(image, detectors, params.get("platforms") or ())
        verdict = judge(report.findings, exceptions, params["fail_on"])
        table = list(lines(report, verdict))
        for line in table:
            context.progress(line)
        results.append(_result(image, report, verdict, table))
        failing += [
            "%s%s: %s" % (found.rule, " in " + found.path if found.path else "", found.what)
            for found in verdict.failing
        ]
        unused = {exception: None for exception in unused if exception in verdict.unused}
    for exception in unused:
        context.warn("Nothing is found any more that the exception for %s is for; remove it." % exception)
    if failing:
        raise AuditFailed(_failure(params, failing), images=results)
    return {"images": results}


def _read(archive: str, detectors: Detectors, context: Context) -> t.List[Audited]:
    if not os.path.isabs(archive):
        raise DeliveryError(
            "archive is %r, which is relative, and a task's working directory is not the user's. Write an absolute path, "
            "as in '{{ playbook_dir }}/%s'." % (archive, archive)
        )
    try:
        with open(archive, "rb") as stream:
            return read_archive(stream, SecretScan(detectors).file, context.progress)
    except OSError as error:
        raise DeliveryError(
            "The archive %s cannot be read: %s. Correct 'archive', which is a file where the task runs."
            % (archive, error.strerror)
        ) from None


def _result(image: Audited, report: Report, verdict: Verdict, table: t.List[str]) -> t.Dict[str, t.Any]:
    return {
        "references": list(image.references),
        "platform": platform_of(image.config) or None,
        "size": report.size,
        "wasted_bytes": report.wasted,
        "layers": [layer.as_result() for layer in report.layers],
        "findings": [found.as_result() for found in verdict.findings],
        "excepted": [{**found.as_result(), "reason": reason} for found, reason in verdict.excepted],
        "table": table,
    }


_SHOWN = 5  # findings in the message; the result has all


def _failure(params: t.Mapping[str, t.Any], failing: t.Sequence[str]) -> str:
    more = "" if len(failing) <= _SHOWN else "; and %d more" % (len(failing) - _SHOWN)
    return (
        "The audit of %s found what is %s or worse: %s%s. Mend it as the findings say, or give an exception with its reason; "
        "'fail_on' says what fails." % (params["archive"], params["fail_on"], "; ".join(failing[:_SHOWN]), more)
    )


CAPABILITY = Capability(
    run=run,
    argument_spec=dict(
        archive=dict(type="path", required=True),
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
    needs=("detect_secrets",),
)
