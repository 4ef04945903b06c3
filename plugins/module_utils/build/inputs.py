# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The inputs of a build, their digest, and what differs between two sets of them."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.image.recorded_inputs import (
    DETAIL_LABEL,
    DIGEST_LABEL,
    recorded_bases,
    recorded_detail,
)
from ansible_collections.longshore.delivery.plugins.module_utils.printable import printable

# bump when the same inputs get another digest: every image is then built once more, and the reason says why
_FORM = "2"
_NAMED = 8  # differences of one kind that a sentence names

Items = t.Dict[str, str]

_KINDS = {
    "context": "the context",
    "contexts": "the named contexts",
    "dockerfile": "the Dockerfile",
    "args": "the build arguments",
    "target": "the target stage",
    "labels": "the labels",
    "secrets": "the names of the secrets",
    "ssh": "the ids of the SSH agents",
    "extra_hosts": "the extra hosts",
    "platforms": "the platforms",
    "annotations": "the annotations",
    "provenance": "the provenance attestation",
    "sbom": "what lists the contents",
    "source_date_epoch": "the source date",
    "bases": "the base images",
}
# kinds with one item, whose name says nothing more
_OF_ONE = frozenset({"dockerfile", "target", "provenance", "sbom", "source_date_epoch"})


@dataclasses.dataclass(frozen=True)
class Inputs:
    """What a build depends on: for each kind the names of its items and what stands for their content.

    Kinds: context (path to entry), contexts (name and name/path to entry), dockerfile, args, target, labels, secrets (their
    ids), ssh (their ids), extra_hosts (name to address), platforms, annotations, provenance, sbom, source_date_epoch, bases
    (reference to image ID).

    :param known: digests of kinds, where they are known already: a context may have 100,000 items.
    """

    kinds: t.Dict[str, Items]
    known: t.Mapping[str, str] = dataclasses.field(default_factory=dict, compare=False, repr=False)

    @functools.cached_property  # it is asked for often
    def digests(self) -> t.Dict[str, str]:
        """One digest for each kind that has an item: a kind that comes to be known leaves the digests of others as they are."""
        present = [kind for kind in _KINDS if self.kinds.get(kind)]
        return {kind: self.known.get(kind) or _digest(self.kinds[kind]) for kind in present}

    @functools.cached_property
    def digest(self) -> str:
        """The digest of all of them, as C(sha256:...)."""
        return _digest({**self.digests, "form": _FORM})

    @property
    def bases(self) -> Items:
        return self.kinds.get("bases", {})

    def with_bases(self, bases: t.Mapping[str, str]) -> Inputs:
        """The same on other base images."""
        known = {kind: digest for kind, digest in self.digests.items() if kind != "bases"}
        return Inputs({**self.kinds, "bases": dict(bases)}, known)

    def labels(self) -> t.Dict[str, str]:
        """What is recorded with the image."""
        detail = {**self.digests, "bases": self.bases, "form": _FORM}
        return {
            DIGEST_LABEL: self.digest,
            DETAIL_LABEL: json.dumps(detail, sort_keys=True, separators=(",", ":")),
        }


@dataclasses.dataclass(frozen=True)
class Recorded:
    """What an image's labels say of the inputs it was built from; an image of another maker says nothing."""

    digest: str = ""
    kinds: t.Dict[str, str] = dataclasses.field(default_factory=dict)
    bases: Items = dataclasses.field(default_factory=dict)
    form: str = ""

    @classmethod
    def of(cls, labels: t.Optional[t.Mapping[str, str]]) -> Recorded:
        labels = labels or {}
        detail, bases = recorded_detail(labels), recorded_bases(labels)
        kinds = {kind: str(digest) for kind, digest in detail.items() if kind not in ("bases", "form")}
        if bases:
            kinds["bases"] = _digest(bases)
        return cls(labels.get(DIGEST_LABEL, ""), kinds, bases, str(detail.get("form", "")))


def text_digest(text: t.Union[str, bytes]) -> str:
    """What stands for the content of a Dockerfile, an argument or a label."""
    return (
        "sha256:"
        + hashlib.sha256(text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text).hexdigest()
    )


def _digest(items: t.Mapping[str, str]) -> str:
    """Neither a path nor a value can hold a zero byte, which ends each: it is less than any other, so that the names alone decide
    on the order.
    """
    pairs = sorted(os.fsencode("%s\0%s\0" % item) for item in items.items())
    return "sha256:" + hashlib.sha256(b"".join(pairs)).hexdigest()


@dataclasses.dataclass(frozen=True)
class Difference:
    """One item that differs, or all of a kind where the name is empty; None where it is not there.

    :param name: as it can be printed.
    """

    kind: str
    name: str
    before: t.Optional[str]
    after: t.Optional[str]

    @property
    def verb(self) -> str:
        return "added" if self.before is None else "removed" if self.after is None else "changed"

    def __str__(self) -> str:
        return "%s %s" % (self.name, self.verb)


def differences(before: Inputs, after: Inputs) -> t.List[Difference]:
    """Item by item, in the order of the kinds and of the names."""
    found = []
    for kind in _KINDS:
        old, new = before.kinds.get(kind, {}), after.kinds.get(kind, {})
        for name in sorted({*old, *new}):
            if old.get(name) != new.get(name):
                found.append(Difference(kind, printable(name), old.get(name), new.get(name)))
    return found


def changed_kinds(recorded: Recorded, now: Inputs) -> t.List[str]:
    digests = now.digests
    return [kind for kind in _KINDS if recorded.kinds.get(kind) != digests.get(kind)]


def why_different(recorded: Recorded, now: Inputs, last: t.Optional[Inputs]) -> t.List[str]:
    """Sentences that say which inputs are not those an image was built from.

    :param last: the very inputs it was built from, item by item, where they are known here.
    """
    if recorded.form != _FORM:
        return ["the image was built by another version of this collection, which recorded its inputs in another way"]
    changed = changed_kinds(recorded, now)
    if last is None or last.digest != recorded.digest:
        # the image itself tells what it was made from; of the other items it has one digest for all
        last = Inputs({**now.kinds, "bases": recorded.bases})
    named = differences(last, now)
    return [_sentence(kind, [found for found in named if found.kind == kind]) for kind in changed]


def _sentence(kind: str, found: t.Sequence[Difference]) -> str:
    if kind in _OF_ONE:
        verb = found[0].verb if found else "changed"
        return "%s %s" % (_KINDS[kind], verb if verb == "changed" else "was " + verb)
    more = ["and %d more" % (len(found) - _NAMED)] if len(found) > _NAMED else []
    listed = ", ".join([*map(str, found[:_NAMED]), *more])
    return "%s changed%s" % (_KINDS[kind], ": " + listed if listed else "")
