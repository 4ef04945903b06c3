# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""An image and those that others made from it, by their histories as engines show them."""

from __future__ import annotations

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.build.ancestry import descent_of, is_of_others
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile import dockerfile
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.stages import needed_stages, stages_of

DIGEST = "sha256:" + "1" * 64
TEXT = """\
FROM a:1 AS one
ENV A=1
FROM one AS two
ONBUILD RUN x
FROM a:2 AS other
ENV B=1
FROM two
COPY --from=other /x /x
CMD ["x"]
"""
DESCENT = descent_of(needed_stages(stages_of(dockerfile.parse(TEXT, "D"), {}), "", "D"))
OF_BUILDKIT = ['CMD ["x"]', "COPY /x /x # buildkit", "ENV A=1", "CMD of a:1", "ADD of a:1"]
LABEL = f"/bin/sh -c #(nop)  LABEL delivery.longshore.inputs={DIGEST}"
DETAIL = "/bin/sh -c #(nop)  LABEL delivery.longshore.inputs.detail={}"
OF_CLASSIC = [DETAIL, LABEL, *OF_BUILDKIT]
OF_BUILDAH = [f"{LABEL} delivery.longshore.inputs.detail={{}}", *OF_BUILDKIT]
OF_A_BASE_OF_OURS = [*OF_BUILDKIT, LABEL.replace("1" * 64, "2" * 64)]


def test_an_image_descends_from_its_own_stages() -> None:
    assert [stage.index for stage in DESCENT] == [3, 1, 0]


@pytest.mark.parametrize(
    ("history", "base", "others"),
    [
        (OF_BUILDKIT, 2, False),
        (["ENV C=1", *OF_BUILDKIT], 2, True),
        (["", *OF_BUILDKIT], 2, True),  # by commit
        (["ENV C=1", *OF_BUILDKIT], None, False),
        (OF_CLASSIC, None, False),
        (OF_CLASSIC, 2, False),
        (["/bin/sh -c #(nop)  USER 7", *OF_CLASSIC], 2, True),
        (["/bin/sh -c #(nop)  USER 7", *OF_CLASSIC], None, True),
        (["/bin/sh -c #(nop)  LABEL other=1", *OF_CLASSIC], 2, True),
        (OF_BUILDAH, None, False),
        (["/bin/sh -c #(nop) LABEL other=1", *OF_BUILDAH], None, True),
        (OF_A_BASE_OF_OURS, 3, False),
    ],
)
def test_one_with_more_than_the_build_made_is_of_others(history: list[str], base: int | None, others: bool) -> None:
    assert is_of_others(history, base, DESCENT, DIGEST, 1) is others
