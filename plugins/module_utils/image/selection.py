# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Which images are meant, by what is inside them: labels, age, whether they have a tag. Pure."""

from __future__ import annotations

import dataclasses
import datetime
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.image.contents import ImageContents
from ansible_collections.longshore.delivery.plugins.module_utils.image.names import InvalidSelection
from ansible_collections.longshore.delivery.plugins.module_utils.moments import before_now


@dataclasses.dataclass(frozen=True)
class Label:
    """A label that an image must have; any value will do where none is given."""

    key: str
    value: t.Optional[str] = None

    @classmethod
    def parse(cls, text: str) -> Label:
        """:raises InvalidSelection: the key is missing."""
        key, equals, value = text.partition("=")
        if not key:
            raise InvalidSelection("labels: %r has no key. Write 'key' or 'key=value'." % text)
        return cls(key, value if equals else None)

    def is_on(self, labels: t.Mapping[str, str]) -> bool:
        return self.key in labels and self.value in (None, labels[self.key])


@dataclasses.dataclass(frozen=True)
class Selection:
    """What images must be like; all of it.

    :param dangling: whether they must have no tag, or one; None for either.
    :param before: they must have been created earlier.
    :param after: they must have been created then or later.
    """

    labels: t.Tuple[Label, ...] = ()
    dangling: t.Optional[bool] = None
    before: t.Optional[datetime.datetime] = None
    after: t.Optional[datetime.datetime] = None

    @classmethod
    def of(cls, params: t.Mapping[str, t.Any], now: datetime.datetime) -> Selection:
        """Make one of a module's options.

        :param now: what ages are counted from, with its zone.
        :raises InvalidSelection: an age or a label is none, or no image can be of both ages.
        """
        before, after = (_moment(name, params.get(name), now) for name in ("older_than", "newer_than"))
        if before and after and before <= after:
            raise InvalidSelection(
                "older_than is %r and newer_than is %r: no image is both. The first must be the shorter time."
                % (params["older_than"], params["newer_than"])
            )
        labels = tuple(Label.parse(text) for text in params.get("labels") or ())
        return cls(labels, params.get("dangling"), before, after)

    def wants(self, image: ImageContents) -> bool:
        """Whether an image is like that. One whose time of creation is not known is of no age."""
        if self.dangling is not None and image.is_dangling is not self.dangling:
            return False
        if not all(label.is_on(image.labels) for label in self.labels):
            return False
        if self.before is None and self.after is None:
            return True
        created = image.created
        if created is None:
            return False
        return (self.before is None or created < self.before) and (self.after is None or created >= self.after)


def _moment(option: str, text: t.Optional[str], now: datetime.datetime) -> t.Optional[datetime.datetime]:
    if text is None:
        return None
    moment = before_now(text, now)
    if moment is not None:
        return moment
    raise InvalidSelection(
        "%s is %r, which is no age. Write a number with its unit: s, m, h, d or w, as in '36h' or '30d'."
        % (option, text)
    )
