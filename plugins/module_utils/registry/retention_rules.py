# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.
"""Rules of what a registry keeps: of which repositories and tags each is, and what it keeps of them. Pure."""

from __future__ import annotations

import dataclasses
import datetime
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.moments import before_now, shown_moment
from ansible_collections.longshore.delivery.plugins.module_utils.registry.version_ranges import NoRange, VersionRange
from ansible_collections.longshore.delivery.plugins.module_utils.wildcards import fits, has_wildcards

KEEPING = ("keep_newest", "keep_younger_than", "keep_matching", "keep_versions")
RULE_SPEC: t.Dict[str, t.Any] = {
    "type": "list",
    "elements": "dict",
    "options": {
        "repositories": {"type": "list", "elements": "str", "required": True},
        "tags": {"type": "list", "elements": "str"},
        "keep_newest": {"type": "int"},
        "keep_younger_than": {"type": "str"},
        "keep_matching": {"type": "list", "elements": "str"},
        "keep_versions": {"type": "list", "elements": "str"},
    },
    "required_one_of": [[*KEEPING]],
}
Created = t.Optional[datetime.datetime]


class InvalidRetention(DeliveryError):
    """What says what is kept, and cannot be meant as it is written."""


@dataclasses.dataclass(frozen=True)
class Rule:
    """What one rule is of, and what it keeps of that.

    :param number: its place in the list, from 1.
    :param repositories: patterns for their names.
    :param tags: patterns for the tags that it is about; with none, all are.
    :param newest: how many of each repository it keeps; None for none because of that, as with all below.
    :param since: what was created then or later is kept.
    :param age: C(since) as the user wrote it.
    :param matching: patterns for tags that it keeps.
    :param versions: ranges of versions that it keeps.
    """

    number: int
    repositories: t.Tuple[str, ...]
    tags: t.Tuple[str, ...] = ()
    newest: t.Optional[int] = None
    since: Created = None
    age: str = ""
    matching: t.Tuple[str, ...] = ()
    versions: t.Tuple[VersionRange, ...] = ()

    @classmethod
    def from_params(cls, number: int, params: t.Mapping[str, t.Any], now: datetime.datetime) -> Rule:
        """:raises InvalidRetention: an option of it cannot be meant."""
        where = "rules: number %d" % number
        for name in ("repositories", "tags", "keep_matching", "keep_versions"):
            if params.get(name) is not None and not params[name]:
                raise InvalidRetention(
                    "%s: %s is empty: nothing would be meant by it. Leave it away, or fill it." % (where, name)
                )
        newest, age = params.get("keep_newest"), params.get("keep_younger_than")
        if newest is not None and newest < 0:
            raise InvalidRetention("%s: keep_newest is %d. It is a number of images, 0 for none." % (where, newest))
        since = before_now(age, now) if age is not None else None
        if age is not None and since is None:
            raise InvalidRetention(
                "%s: keep_younger_than is %r, which is no age. Write a number with its unit: s, m, h, d or w, as in '36h' or "
                "'30d'." % (where, age)
            )
        versions = []
        for text in params.get("keep_versions") or ():
            try:
                versions.append(VersionRange.parse(text))
            except NoRange as error:
                raise InvalidRetention(
                    "%s: keep_versions: %r is no range of versions: %s. Write it as in '>=1.4 <2', '^1.4', '~1.4.2' or '1.x', "
                    "several with '||' between them." % (where, text, error)
                ) from None
        return cls(
            number=number,
            repositories=tuple(params["repositories"]),
            tags=tuple(params.get("tags") or ()),
            newest=newest,
            since=since,
            age=age or "",
            matching=tuple(params.get("keep_matching") or ()),
            versions=tuple(versions),
        )

    def is_of(self, repository: str) -> bool:
        return any(fits(pattern, repository) for pattern in self.repositories)

    def is_about(self, tag: str) -> bool:
        return not self.tags or any(fits(pattern, tag) for pattern in self.tags)

    def keeps(self, tag: str, created: Created, is_newest: bool) -> t.Optional[str]:
        """Why it keeps a tag that it is about; None where it does not.

        :param created: when the image was; of one for which that is not known, nothing that goes by age lets go.
        :param is_newest: whether the image is one of the newest.
        """
        for pattern in self.matching:
            if fits(pattern, tag):
                return "%s is like %s" % (tag, pattern)
        for version in self.versions:
            if version.has(tag):
                return "%s is of %s" % (tag, version.text)
        if created is None and (self.newest or self.since is not None):
            return "it is not known when it was created"
        if self.newest is not None and is_newest:
            return "it is one of the %d newest" % self.newest
        if self.since is not None and created is not None and created >= self.since:
            return "it is younger than %s" % self.age
        return None

    def lets_go(self, created: Created) -> str:
        """Why it keeps none of the tags of an image, of which it keeps none."""
        said = []
        if self.newest is not None:
            said.append("it is none of the %d newest" % self.newest if self.newest else "none is kept for being new")
        if self.since is not None:
            said.append("it was created %s, which is not within %s" % (shown_moment(created), self.age))
        if self.matching:
            said.append("no tag of it is like %s" % " or ".join(self.matching))
        if self.versions:
            said.append("no tag of it is a version of %s" % " or ".join(version.text for version in self.versions))
        return "rule %d: %s" % (self.number, ", ".join(said))


@dataclasses.dataclass(frozen=True)
class Rules:
    """All rules. What one of them keeps stays, whatever the others say; what none is about stays as well."""

    each: t.Tuple[Rule, ...]

    @classmethod
    def from_params(cls, params: t.Sequence[t.Mapping[str, t.Any]], now: datetime.datetime) -> Rules:
        """:raises InvalidRetention: there are none, or one cannot be meant."""
        if not params:
            raise InvalidRetention(
                "rules is empty: nothing would be meant by it. Say what is kept of which repositories."
            )
        return cls(tuple(Rule.from_params(number, given, now) for number, given in enumerate(params, 1)))

    def of(self, repository: str) -> t.List[Rule]:
        return [rule for rule in self.each if rule.is_of(repository)]

    @property
    def named(self) -> t.Optional[t.List[str]]:
        """The repositories that they are of where all are named; None where a pattern is among them."""
        patterns = list(dict.fromkeys(pattern for rule in self.each for pattern in rule.repositories))
        return None if any(has_wildcards(pattern) for pattern in patterns) else patterns
