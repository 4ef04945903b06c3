# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""An image of a build, and those that others make from it, as a controller sees them that has noted nothing of it."""

from __future__ import annotations

import io
import typing as t
from pathlib import Path

import pytest

from .engine import Engine

DOCKERFILE = """\
FROM scratch AS below
COPY app /below/app
ARG NONE
ENV ONE=1
FROM below
COPY app /dir/app
WORKDIR /dir
CMD ["x"]
"""


def told_apart(engine: Engine, source: Path, states: Path, builder: str) -> None:
    """See that the image is taken for what it is, and none of those."""
    name = f"{engine.prefix}/apart-{builder}:1"
    (source / "Dockerfile").write_text(DOCKERFILE)
    (source / "app").write_text(name)
    options: dict[str, t.Any] = {"tags": ["1"], "engine": builder}
    numbers = iter(range(100))

    def build(check: bool) -> dict[str, t.Any]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_STATE_HOME", str(states / str(next(numbers))))
            return engine.build(f"apart-{builder}", source, check=check, **options)

    built = build(False)["image"]["id"]
    assert not build(True)["changed"]
    for change in ("", "ENV TWO=2", "LABEL other=1"):
        if change:
            container = engine.client.containers.create(name, "none")
            derived = container.commit(name[:-2], "1", changes=change).id
            container.remove()
        else:
            derived = engine.client.images.build(fileobj=io.BytesIO(f"FROM {name}\nUSER 7\n".encode()), tag=name)[0].id
        assert derived != built
        try:
            assert build(True)["why"] == [f"{name} was made from the image of these inputs"]
        finally:
            engine.client.images.get(built).tag(name[:-2], "1")
            engine.client.images.remove(derived, force=True)
    assert not build(True)["changed"]
