# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What an audit finds: a rule broken somewhere in an image, how bad it is and what to do."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.printable import printable

SEVERITIES = ("low", "medium", "high", "critical")


@dataclasses.dataclass(frozen=True)
class Rule:
    """A rule by its name, with the severity of breaking it."""

    name: str
    severity: str


_ALL = (
    Rule("private_key", "critical"),
    Rule("platform", "critical"),
    Rule("secret", "high"),
    Rule("secret_in_settings", "high"),
    Rule("credential_file", "high"),
    Rule("env_file", "high"),
    Rule("private_key_in_program", "medium"),
    Rule("git_directory", "medium"),
    Rule("wasted_bytes", "medium"),
    Rule("cache_order", "medium"),
    Rule("unpinned_base", "medium"),
    Rule("latest_tag", "medium"),
    Rule("root_user", "medium"),
    Rule("shell_form", "medium"),
    Rule("package_cache", "low"),
    Rule("wide_context", "low"),
    Rule("setuid", "low"),
)
RULES: t.Dict[str, Rule] = {rule.name: rule for rule in _ALL}


@dataclasses.dataclass(frozen=True)
class Finding:
    """One finding. No value of a secret is in it, whatever it was found in.

    :param rule: the rule's name, a key of C(RULES).
    :param severity: one of C(SEVERITIES).
    :param what: what was found, as a sentence without its end.
    :param way_out: what to do about it.
    :param layer: the layer, the lowest being 0; None where it is of the whole image.
    :param path: a path in the image without leading slash; None where there is none.
    :param bytes: how many bytes it is about; None where that says nothing.
    """

    rule: str
    severity: str
    what: str
    way_out: str
    layer: t.Optional[int] = None
    path: t.Optional[str] = None
    bytes: t.Optional[int] = None

    def __str__(self) -> str:
        where = " in " + self.path if self.path else ""
        layer = "" if self.layer is None else ", layer %d" % self.layer
        return "%s%s%s: %s. %s" % (self.rule, where, layer, self.what, self.way_out)

    def as_result(self) -> t.Dict[str, t.Any]:
        return dataclasses.asdict(self)


def finding(
    rule: str,
    what: str,
    way_out: str,
    layer: t.Optional[int] = None,
    path: t.Optional[str] = None,
    size: t.Optional[int] = None,
) -> Finding:
    """A finding with its rule's severity."""
    return Finding(rule, RULES[rule].severity, what, way_out, layer, None if path is None else printable(path), size)


def by_importance(findings: t.Iterable[Finding]) -> t.List[Finding]:
    """The worst first, then by rule, bytes, layer and path, so that the order is the same each time."""
    return sorted(
        findings,
        key=lambda found: (
            -SEVERITIES.index(found.severity),
            found.rule,
            -(found.bytes or 0),
            -1 if found.layer is None else found.layer,
            found.path or "",
            found.what,
        ),
    )
