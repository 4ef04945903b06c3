# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What of an audit's findings counts: exceptions with their reasons, and the severity that fails."""

from __future__ import annotations

import dataclasses
import fnmatch
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.audit import hadolint, trivy
from ansible_collections.longshore.delivery.plugins.module_utils.audit.finding import RULES, SEVERITIES, Finding
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError

NEVER = "never"


@dataclasses.dataclass(frozen=True)
class AuditException:
    """Findings that are known and accepted.

    :param rule: the rule's name.
    :param path: a shell pattern for the whole path, C(*) standing for slashes too; None for the rule everywhere.
    :param reason: why; shown with what it excepts.
    """

    rule: str
    reason: str
    path: t.Optional[str] = None

    @classmethod
    def from_params(cls, params: t.Mapping[str, t.Any]) -> AuditException:
        """:raises DeliveryError: there is no such rule, or the reason is empty."""
        rule, path = params["rule"], params.get("path")
        if rule not in RULES and not (hadolint.RULE.fullmatch(rule) or trivy.RULE.fullmatch(rule)):
            raise DeliveryError(
                "An exception is for the rule %r, which there is not. The rules are %s, hadolint's as DL3008 and trivy's as "
                "CVE-2024-3094." % (rule, ", ".join(sorted(RULES)))
            )
        reason = (params.get("reason") or "").strip()
        if not reason:
            raise DeliveryError(
                "The exception for the rule %s gives no reason. Write in 'reason' why it is accepted." % rule
            )
        return cls(rule, reason, path.lstrip("/") if path else None)

    def holds_for(self, finding: Finding) -> bool:
        if finding.rule != self.rule:
            return False
        return self.path is None or (finding.path is not None and fnmatch.fnmatchcase(finding.path, self.path))

    def __str__(self) -> str:
        return self.rule if self.path is None else "%s in %s" % (self.rule, self.path)


@dataclasses.dataclass(frozen=True)
class Verdict:
    """The findings that count, those that are excepted with the reasons, and the exceptions that nothing needs any more."""

    findings: t.Tuple[Finding, ...]
    excepted: t.Tuple[t.Tuple[Finding, str], ...]
    unused: t.Tuple[AuditException, ...]
    failing: t.Tuple[Finding, ...]


def judge(findings: t.Iterable[Finding], exceptions: t.Sequence[AuditException], fail_on: str) -> Verdict:
    """
    :param fail_on: one of C(SEVERITIES), from which on a finding fails, or 'never'.
    """
    counting, excepted = [], []
    unused = dict.fromkeys(exceptions)
    for finding in findings:
        held = [exception for exception in exceptions if exception.holds_for(finding)]
        for exception in held:
            unused.pop(exception, None)
        if held:
            excepted.append((finding, held[0].reason))
        else:
            counting.append(finding)
    failing = tuple(finding for finding in counting if fails(finding.severity, fail_on))
    return Verdict(tuple(counting), tuple(excepted), tuple(unused), failing)


def fails(severity: str, fail_on: str) -> bool:
    return fail_on != NEVER and SEVERITIES.index(severity) >= SEVERITIES.index(fail_on)
