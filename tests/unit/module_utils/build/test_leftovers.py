# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a build that did not come to its end takes away, where another run builds the same on the same engine."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.build.builder import BuildEngine
from ansible_collections.longshore.delivery.plugins.module_utils.build.leftovers import taken_away
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.image import Image


class Held:
    """The images of the inputs that an engine has."""

    def __init__(self, *images: Image) -> None:
        self.images = list(images)

    def labelled(self, label: str, value: str) -> list[Image]:
        return list(self.images)

    def remove(self, name: str) -> None:
        self.images = [image for image in self.images if image.id != name]


def image(name: str, *references: str) -> Image:
    return Image(name, {}, references)


@pytest.mark.parametrize(
    ("error", "known", "left"),
    [
        (DeliveryError("x"), "", ["before", "own", "others", "named"]),
        (DeliveryError("x"), "own", ["before", "others", "named"]),
        (DeliveryError("x"), "before", ["before", "own", "others", "named"]),
        (KeyboardInterrupt(), "own", ["before", "others", "named"]),
        (KeyboardInterrupt(), "", ["before", "named"]),
    ],
)
def test_only_what_may_be_its_own_goes(error: BaseException, known: str, left: list[str]) -> None:
    engine = Held(image("before"))

    def build() -> None:
        with taken_away(t.cast("BuildEngine", engine), "d") as made:
            engine.images += [image("own"), image("others"), image("named", "x:1")]
            made.image_id = known
            raise error

    with pytest.raises(type(error)):
        build()
    assert [found.id for found in engine.images] == left
