# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The vulnerabilities that a JSON report of trivy's names, as findings of an audit. Written for version 2 of its schema."""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.absolute_path import check_absolute
from ansible_collections.longshore.delivery.plugins.module_utils.audit.finding import Finding
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.printable import printable

RULE = re.compile(r"[A-Z][A-Z0-9]*-[\w.:-]*\d[\w.:-]*")  # CVE-2019-1549, GHSA-xvch-5gv4-984h, TEMP-0290435-0B57B5
_SCHEMA = 2
_SEVERITIES = {"CRITICAL": "critical", "HIGH": "high", "MEDIUM": "medium", "LOW": "low", "UNKNOWN": "low"}


class TrivyReportError(DeliveryError):
    """A report that is none, or of no image that is audited."""


@dataclasses.dataclass(frozen=True)
class Vulnerability:
    """A finding, but for the number of its layer.

    :param diff_id: of the layer that has the package; empty where the report does not say it.
    """

    finding: Finding
    diff_id: str


@dataclasses.dataclass(frozen=True)
class TrivyReport:
    """What a report says of one image.

    :param path: of the report.
    :param image_id: the digest of the image's configuration.
    """

    path: str
    image_id: str
    vulnerabilities: t.Tuple[Vulnerability, ...]

    @classmethod
    def read(cls, path: str) -> TrivyReport:
        """:raises TrivyReportError: it cannot be read, or is no report of an image."""
        check_absolute("trivy_reports", path, TrivyReportError)
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise TrivyReportError(
                "The report %s cannot be read: %s. Correct 'trivy_reports', files where the task runs." % (path, reason)
            ) from None
        return cls.parse(text, path)

    @classmethod
    def parse(cls, text: str, path: str) -> TrivyReport:
        """:raises TrivyReportError: it is no report of an image."""
        try:
            document = json.loads(text)
            schema = document["SchemaVersion"]
            if schema != _SCHEMA:
                raise TrivyReportError("The report %s is of schema %s; only %d is known." % (path, schema, _SCHEMA))
            image_id = str(document["Metadata"]["ImageID"])
            found = {
                _vulnerability(result, entry): None
                for result in document.get("Results") or ()
                for entry in result.get("Vulnerabilities") or ()
            }
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise TrivyReportError(
                "%s is no report of an image (%s: %s). Have it written by 'trivy image --format json'."
                % (path, type(error).__name__, error)
            ) from None
        return cls(path, image_id, tuple(found))

    def findings(self, diff_ids: t.Sequence[str]) -> t.Iterator[Finding]:
        """The vulnerabilities, each once for a package at a path.

        :param diff_ids: of the image's layers, the lowest first.
        """
        for one in self.vulnerabilities:
            layer = diff_ids.index(one.diff_id) if one.diff_id in diff_ids else None
            yield dataclasses.replace(one.finding, layer=layer)


def _vulnerability(result: t.Mapping[str, t.Any], entry: t.Mapping[str, t.Any]) -> Vulnerability:
    package, fixed = str(entry["PkgName"]), entry.get("FixedVersion")
    # packages of the system are of no one file; others have theirs, or that which lists them is the target
    path = entry.get("PkgPath") or (result.get("Target") if result.get("Class") == "lang-pkgs" else None)
    title = " ".join(str(entry.get("Title") or "").split())
    what = "%s %s%s" % (package, entry["InstalledVersion"], ": " + title.rstrip(".") if title else "")
    way_out = "Update %s to %s" % (package, fixed)
    if not fixed:
        status = str(entry.get("Status") or "unknown").replace("_", " ")
        way_out = "No version mends it yet (%s): do without %s, or except it with the reason" % (status, package)
    finding = Finding(
        str(entry["VulnerabilityID"]),
        _SEVERITIES.get(str(entry.get("Severity")), "low"),
        printable(what),
        printable(way_out),
        path=printable(str(path).lstrip("/")) if path else None,
    )
    return Vulnerability(finding, str((entry.get("Layer") or {}).get("DiffID") or ""))
