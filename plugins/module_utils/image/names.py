# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Which images are meant, by their names: references and patterns. Pure."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.reference import (
    DOCKER_HUB,
    Endpoint,
    InvalidReference,
    Reference,
)
from ansible_collections.longshore.delivery.plugins.module_utils.wildcards import fits, has_wildcards

_ID = re.compile(r"(?:sha256:)?([0-9a-f]{12,64})")


class InvalidSelection(DeliveryError):
    """An option that selects images and cannot be meant as it is written."""


@dataclasses.dataclass(frozen=True)
class ImageId:
    """What an engine calls an image, or the first digits of it.

    :param digits: hexadecimal, 12 or more.
    """

    digits: str

    @classmethod
    def find(cls, text: str) -> t.Optional[ImageId]:
        """The ID that a text is, with its algorithm or without; None where it is none."""
        match = _ID.fullmatch(text)
        return cls(match.group(1)) if match else None

    def is_of(self, image_id: str) -> bool:
        """:param image_id: with its algorithm or without."""
        return image_id.rpartition(":")[2].startswith(self.digits)


def image_named(option: str, text: str) -> t.Union[ImageId, Reference]:
    """The one image that an option means, by an ID or its first digits, or by a reference.

    :raises InvalidReference: it is neither.
    :raises InvalidSelection: it is a name alone, which is no image.
    """
    by_id = ImageId.find(text)
    if by_id is not None:
        return by_id
    reference = Reference.parse(text)
    if reference.tag is None and reference.digest is None:
        raise InvalidSelection(
            "%s: %s has neither tag nor digest. Say which one; 'latest' is not assumed." % (option, text)
        )
    return reference


@dataclasses.dataclass(frozen=True)
class Glob:
    """A pattern for names: C(*) and C(?) stand for anything but a slash, C(**) for anything.

    What follows a colon in the last part is for the tag; without that any tag will do, also none.
    """

    text: str
    name: str
    tag: t.Optional[str]

    @classmethod
    def parse(cls, text: str, option: str = "globs") -> Glob:
        """:param option: where it was written, for the message.

        :raises InvalidSelection: it is empty, or has a digest or a scheme.
        """
        if not text.strip() or text != text.strip():
            raise InvalidSelection("%s: %r is empty or has spaces around it." % (option, text))
        if "@" in text or "://" in text:
            raise InvalidSelection(
                "%s: %r has a digest or a scheme. Patterns are for names and tags, as in 'shop/*:1.*'." % (option, text)
            )
        last = text.rpartition("/")[2]
        name, colon, tag = text.rpartition(":") if ":" in last else (text, "", "")
        return cls(text, name, tag if colon else None)

    def matches_name(self, reference: Reference) -> bool:
        """Whether it is for this repository, written with its registry, without it, or as Docker lists it."""
        short = dataclasses.replace(reference, tag=None, digest=None).familiar
        return any(fits(self.name, form) for form in (reference.name, reference.repository, short))

    def matches(self, reference: Reference) -> bool:
        if not self.matches_name(reference):
            return False
        return self.tag is None or (reference.tag is not None and fits(self.tag, reference.tag))

    def matches_text(self, name: str) -> bool:
        """Whether it is for a name that is no reference."""
        return fits(self.text, name)

    def repository(self, endpoint: Endpoint) -> t.Optional[str]:
        """The only repository of this registry that it can be for; None if it can be for several."""
        if has_wildcards(self.name):
            return None
        prefix = "%s/" % endpoint
        name = self.name[len(prefix) :] if self.name.startswith(prefix) else self.name
        try:
            return Reference(endpoint, name).repository
        except InvalidReference:
            return None  # it names another registry, or nothing that there can be


@dataclasses.dataclass(frozen=True)
class Names:
    """The names that images are selected by: one of them is enough, and with none at all every image is meant."""

    references: t.Tuple[Reference, ...] = ()
    globs: t.Tuple[Glob, ...] = ()
    ids: t.Tuple[ImageId, ...] = ()

    @classmethod
    def parse(
        cls,
        references: t.Optional[t.Sequence[str]],
        globs: t.Optional[t.Sequence[str]],
        registry: t.Union[str, Endpoint] = DOCKER_HUB,
    ) -> Names:
        """:param references: references and image IDs.

        :param registry: where an image is whose reference names no registry.

        :raises InvalidReference: a reference is none.
        :raises InvalidSelection: a pattern is none.
        """
        ids = {text: ImageId.find(text) for text in references or ()}
        return cls(
            tuple(Reference.parse(text, registry) for text, image_id in ids.items() if image_id is None),
            tuple(Glob.parse(text) for text in globs or ()),
            tuple(image_id for image_id in ids.values() if image_id is not None),
        )

    def check(self, store: str) -> None:
        """:raises InvalidSelection: there are image IDs, and this is no engine."""
        if self.ids:
            raise InvalidSelection(
                "references: %s is an image ID, and only engines have such. In a %s an image is meant by 'name:tag' or "
                "'name@digest'." % (self.ids[0].digits, store)
            )

    def wants(self, held: t.Iterable[Reference], names: t.Iterable[str] = (), image_id: str = "") -> bool:
        """Whether an image is meant.

        :param held: its references by tag and by digest.
        :param names: its names that are no references.
        :param image_id: what an engine calls it.
        """
        if self.is_empty:
            return True
        held = tuple(held)
        return (
            any(_is_of(wanted, held) for wanted in self.references)
            or any(glob.matches(reference) for glob in self.globs for reference in held)
            or any(glob.matches_text(name) for glob in self.globs for name in names)
            or self.has_id(image_id)
        )

    @property
    def is_empty(self) -> bool:
        return not self.references and not self.globs and not self.ids

    def has_id(self, image_id: str) -> bool:
        """Whether an image is meant by its ID."""
        return any(wanted.is_of(image_id) for wanted in self.ids)


def _is_of(wanted: Reference, held: t.Sequence[Reference]) -> bool:
    """With a tag and a digest both must be the image's; with neither any of the repository is meant."""
    same = [reference for reference in held if reference.name == wanted.name]
    if wanted.tag is not None and not any(reference.tag == wanted.tag for reference in same):
        return False
    if wanted.digest is not None and not any(reference.digest == wanted.digest for reference in same):
        return False
    return bool(same)
