# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever a registry has, whatever the rules say and whoever uses it: nothing that is needed goes, and all else does."""

from __future__ import annotations

import datetime
import typing as t

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.registry.manifest import (
    OCI_INDEX,
    OCI_MANIFEST,
    Child,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.retention_contents import Repository
from ansible_collections.longshore.delivery.plugins.module_utils.registry.retention_plan import (
    RetentionPlan,
    plan_retention,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.retention_rules import Rule, Rules
from ansible_collections.longshore.delivery.plugins.module_utils.registry.retention_use import InUse
from ansible_collections.longshore.delivery.plugins.module_utils.registry.served import ServedImage

NOW = datetime.datetime(2026, 11, 22, tzinfo=datetime.timezone.utc)
TAGS = ["a1", "a2", "b1", "b2"]
NAMES = ["one", "two"]
MANIFESTS = 5  # of each repository


def digest(number: int) -> ManifestDigest:
    return ManifestDigest("sha256", "%064x" % number)


def blob(number: int) -> str:
    return "sha256:%064x" % (1000 + number)


class Registry(t.NamedTuple):
    """Repositories, and by each the digests that its manifests need to be whole."""

    repositories: list[Repository]
    needs: dict[str, dict[str, set[str]]]


@st.composite
def registries(draw: st.DrawFn) -> Registry:
    """Images, indexes of them, indexes of these, and what is about any of them, in two repositories that share blobs."""
    repositories, needs = [], {}
    for name in NAMES:
        repository = Repository(name)
        made: list[ServedImage] = []
        for number in range(MANIFESTS):
            kind = (
                draw(st.sampled_from(["image", "image", "image", "index", "index", "about", "both"]))
                if made
                else "image"
            )
            some = st.lists(st.sampled_from(made), min_size=1, max_size=2, unique_by=id)
            listed = draw(some) if kind in ("index", "both") else []
            subject = draw(st.sampled_from(made)).digest if kind in ("about", "both") else None
            age = draw(st.sampled_from([0, 1, 2, None]))
            made.append(
                ServedImage(
                    digest(number),
                    OCI_INDEX if listed else OCI_MANIFEST,
                    manifest_size=1,
                    blobs={blob(one): 10**one for one in draw(st.sets(st.integers(0, 4), max_size=2))},
                    created=None if age is None else NOW - datetime.timedelta(days=age),
                    subject=subject,
                    children=tuple((Child(one.digest, one.media_type, None), one) for one in listed),
                )
            )
        tagged = {tag: draw(st.sampled_from([None, *made])) for tag in TAGS}
        repository.tags = {tag: str(one.digest) for tag, one in tagged.items() if one}
        known = {*repository.tags.values(), *(str(one.digest) for one in made if one.subject)}
        repository.images = {str(one.digest): one for one in made if str(one.digest) in known}
        repositories.append(repository)
        needs[name] = {
            str(one.digest): {
                *(str(child.digest) for child, _image in one.children),
                *(str(other.digest) for other in made if other.subject == one.digest),
            }
            for one in made
        }
    return Registry(repositories, needs)


def rule(number: int) -> st.SearchStrategy[Rule]:
    return st.builds(
        Rule,
        number=st.just(number),
        repositories=st.sampled_from([("**",), ("**",), ("one",), ("none", "two")]),
        tags=st.sampled_from([(), (), ("a*",), ("b1",)]),
        newest=st.sampled_from([0, 0, 1, 2, None]),
        since=st.sampled_from([None, None, None, NOW, NOW - datetime.timedelta(days=1)]),
        matching=st.sampled_from([(), (), (), ("*1",), ("a1", "b2")]),
    )


RULES = st.builds(Rules, st.one_of(st.tuples(rule(1)), st.tuples(rule(1), rule(2))))
DIGESTS = st.integers(0, MANIFESTS - 1).map(lambda number: f"x/y@{digest(number)}")
PLACES = st.tuples(st.sampled_from(NAMES), st.sampled_from(TAGS)).map(lambda place: "r.example/%s:%s" % place)
NOBODY: list[str] = []
USES = st.one_of(st.just(NOBODY), st.lists(st.one_of(DIGESTS, PLACES), min_size=1, max_size=2))


def whole(digests: t.Iterable[str], needs: t.Mapping[str, t.Collection[str]]) -> set[str]:
    found = set(digests)
    while True:
        more = {one for each in found for one in needs[each]} - found
        if not more:
            return found
        found |= more


def going(plan: RetentionPlan, name: str) -> list[str]:
    return [one.digest for one in plan.of(name)]


def fits(pattern: str, tag: str) -> bool:
    begin, star, end = pattern.replace("**", "*").partition("*")
    return tag.startswith(begin) and tag.endswith(end) if star else tag == pattern


def is_about(rule: Rule, tag: str) -> bool:
    return not rule.tags or any(fits(pattern, tag) for pattern in rule.tags)


def is_kept(rule: Rule, tag: str, one: ServedImage, meant: t.Iterable[ServedImage]) -> bool:
    """By the words of the documentation."""
    if any(fits(pattern, tag) for pattern in rule.matching):
        return True
    if one.latest is None:
        return bool(rule.newest) or rule.since is not None
    if rule.since is not None and one.latest >= rule.since:
        return True
    younger = [other for other in meant if other.latest is not None and other.latest > one.latest]
    return rule.newest is not None and len(younger) < rule.newest


def is_kept_by_one(repository: Repository, rules: t.Sequence[Rule], root: str, roots: set[str]) -> bool:
    """Whether a rule keeps one of its tags, or none is about one."""
    manifests = repository.manifests()
    for tag in (tag for tag, one in repository.tags.items() if one == root):
        about = [rule for rule in rules if is_about(rule, tag)]
        for rule in about:
            meant = {one for name, one in repository.tags.items() if one in roots and is_about(rule, name)}
            if is_kept(rule, tag, manifests[root], [manifests[one] for one in meant]):
                return True
        if not about:
            return True
    return False


@settings(max_examples=400)
@given(registries(), RULES, USES)
def test_what_goes_is_exactly_what_nothing_keeps(registry: Registry, rules: Rules, uses: list[str]) -> None:
    in_use = InUse()
    for text in uses:
        in_use.add(text, "somebody")
    plan = plan_retention(registry.repositories, rules, in_use)
    left: dict[str, int | None] = {}
    gone: dict[str, int | None] = {}
    for repository in registry.repositories:
        needs, manifests = registry.needs[repository.name], repository.manifests()
        goes = going(plan, repository.name)
        here = [rule for rule in rules.each if any(fits(pattern, repository.name) for pattern in rule.repositories)]
        used = {one for one in manifests if one in in_use.digests}
        used |= {one for tag, one in repository.tags.items() if (repository.name, tag) in in_use.tags}
        # nothing that is used goes, nor what that needs, nor what has it
        protected = {one for one in manifests if whole([one], needs) & used}
        assert not set(goes) & whole(protected, needs)
        # what stays is whole
        stays = set(manifests) - set(goes)
        assert whole(stays, needs) & set(manifests) == stays
        # and what goes is what no rule keeps, with all that nothing else needs
        subjects = {one: str(image.subject) for one, image in manifests.items() if image.subject}
        followers = {one for one, other in subjects.items() if other in manifests and other not in whole([one], needs)}
        roots = {one for one in repository.tags.values() if one not in followers}
        kept = protected | {one for one in roots if is_kept_by_one(repository, here, one, roots)}
        kept |= {one for one in repository.images if one not in roots and one not in followers}
        expected = whole(roots - kept, needs) - whole(kept, needs) if here else set()
        assert set(goes) == expected
        assert len(goes) == len(set(goes))
        for place, one in enumerate(goes):
            before = needs[one] & set(goes[:place])
            # but for an index that is about what it lists
            assert not [other for other in before if one not in whole([other], needs)]
        for one, image in manifests.items():
            (gone if one in goes else left).update({one: image.manifest_size, **image.blobs})
    assert plan.bytes_freed == sum(size or 0 for one, size in gone.items() if one not in left)
    for stayed in plan.staying:
        assert stayed.why
        assert stayed.image.digest not in [one.image.digest for one in plan.of(stayed.repository)]
