# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writing OCI layouts: what is in them afterwards, and at any moment before."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import multiprocessing
import os
import time
import typing as t
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.image import layout_writer
from ansible_collections.longshore.delivery.plugins.module_utils.image.layout_writer import (
    Parts,
    check_place,
    named,
    published,
    staging,
    top_of,
)
from ansible_collections.longshore.delivery.plugins.module_utils.image.names import Names
from ansible_collections.longshore.delivery.plugins.module_utils.image.oci_layout import LayoutError, OciLayout
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference

ONE, TWO = Reference.parse("r.example/shop/web:1"), Reference.parse("r.example/shop/web:2")
AMD = b'{"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": []}}'
ARM = b'{"os": "linux", "architecture": "arm64", "rootfs": {"type": "layers", "diff_ids": []}}'


def bring(path: Path, references: t.Sequence[Reference], *layers: str) -> str:
    """Have an image of these layers in a layout under these names; its digest."""
    with staging(str(path)) as directory:
        parts = Parts(os.path.join(directory, "made"))
        kept = [parts.layer(io.BytesIO(layer.encode())) for layer in layers]
        digest = parts.finish(parts.image(AMD, kept, {})[0])
        published(parts.path, top_of(parts.path), str(path), references)
    return digest


def shown(path: Path) -> dict[str, list[str]]:
    """The names of the images of a layout, by digest; every part of each is there and whole."""
    found: dict[str, list[str]] = {}
    with OciLayout(str(path)) as layout:
        for image in layout.images(Names()):
            for layer in image.layers:
                assert layer.digest
                with layout.open_blob(layer.digest) as stream:
                    while stream.read(100_000):
                        pass
            found[str(image.digests.index or image.digests.manifest)] = sorted(map(str, image.references))
    return found


def blobs(path: Path) -> set[str]:
    return {file.name for file in (path / "blobs" / "sha256").iterdir()}


def test_a_layout_is_made_and_has_the_image_under_its_names(tmp_path: Path) -> None:
    path = tmp_path / "images"
    digest = bring(path, [ONE, TWO], "a layer", "another")
    assert shown(path) == {digest: [str(ONE), str(TWO)]}
    assert sorted(os.listdir(path)) == ["blobs", "index.json", "oci-layout"]
    assert os.listdir(tmp_path) == ["images"]
    entries = json.loads((path / "index.json").read_text())["manifests"]
    assert [entry["annotations"]["org.opencontainers.image.ref.name"] for entry in entries] == ["1", "2"]


def test_a_name_moves_and_what_nothing_names_any_more_goes(tmp_path: Path) -> None:
    path = tmp_path / "images"
    old = bring(path, [ONE, TWO], "shared", "old")
    new = bring(path, [ONE], "shared", "new")
    assert shown(path) == {old: [str(TWO)], new: [str(ONE)]}
    named(str(path), new, [TWO])
    assert shown(path) == {new: [str(ONE), str(TWO)]}
    alone = tmp_path / "alone"
    bring(alone, [ONE], "shared", "new")
    assert blobs(path) == blobs(alone)
    with pytest.raises(LayoutError, match=f"does not have the image {old} any more"):
        named(str(path), old, [ONE])


def test_the_same_layer_is_the_same_each_time_and_a_compressed_one_stays(tmp_path: Path) -> None:
    first, second = Parts(str(tmp_path / "1")), Parts(str(tmp_path / "2"))
    made = first.layer(io.BytesIO(b"x" * 3_000_000))
    assert made == second.layer(io.BytesIO(b"x" * 3_000_000))
    content = (tmp_path / "1" / "blobs" / "sha256" / made["digest"].partition(":")[2]).read_bytes()
    assert (len(content), "sha256:" + hashlib.sha256(content).hexdigest()) == (made["size"], made["digest"])
    assert made["size"] < 30_000
    assert second.layer(io.BytesIO(content)) == made


def test_platforms_are_a_list_with_annotations(tmp_path: Path) -> None:
    parts = Parts(str(tmp_path / "made"))
    images = [parts.image(config, [], {"a": "b"}) for config in (AMD, ARM)]
    published(parts.path, {**parts.index(images, {"a": "b"})}, str(tmp_path / "images"), [ONE])
    with OciLayout(str(tmp_path / "images")) as layout:
        found = layout.images(Names((ONE,)))
    assert [image.platform for image in found] == ["linux/amd64", "linux/arm64"]
    [entry] = json.loads((tmp_path / "images" / "index.json").read_text())["manifests"]
    index = json.loads((tmp_path / "images" / "blobs" / "sha256" / entry["digest"].partition(":")[2]).read_text())
    assert index["annotations"] == {"a": "b"}


def test_one_that_cannot_be_written_is_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "images"
    digest = bring(path, [ONE], "old")
    before = blobs(path)
    with staging(str(path)) as directory:
        parts = Parts(os.path.join(directory, "made"))
        kept = [parts.layer(io.BytesIO(layer)) for layer in (b"new", b"lost")]
        top = parts.image(AMD, kept, {})[0]
        os.unlink(os.path.join(parts.path, "blobs", "sha256", kept[1]["digest"].partition(":")[2]))
        with pytest.raises(LayoutError, match=f"layout {path} cannot be written: .* What was there is as it was"):
            published(parts.path, top, str(path), [ONE])
    assert shown(path) == {digest: [str(ONE)]}
    assert blobs(path) == before


def test_what_is_no_layout_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "directory").mkdir()
    check_place(str(tmp_path / "directory"))
    (tmp_path / "directory" / "precious").touch()
    for name in ("file", "directory"):
        with pytest.raises(LayoutError, match=r"is there and is no OCI layout.* nothing there is overwritten"):
            check_place(str(tmp_path / name))
    with pytest.raises(LayoutError, match="No such file"), staging(str(tmp_path / "no" / "where")):
        pass


def _end_before_the_old_goes(path: Path) -> None:
    layout_writer._forget = lambda *_args: os._exit(9)
    bring(path, [ONE], "new")


def test_one_that_is_killed_before_the_old_image_goes_leaves_it_to_the_next(tmp_path: Path) -> None:
    path = tmp_path / "images"
    bring(path, [ONE], "old")
    writing = multiprocessing.get_context("fork").Process(target=_end_before_the_old_goes, args=(path,))
    writing.start()
    writing.join()
    assert (writing.exitcode, len(blobs(path))) == (9, 5)
    bring(path, [TWO], "another")
    assert list(shown(path).values()) == [[str(ONE)], [str(TWO)]]
    assert len(blobs(path)) == 5, "a layer and a manifest of each, and one configuration"


def _write_without_end(path: Path, told: Connection) -> None:
    for number in itertools.count():
        bring(path, [ONE, TWO], *(f"{number} {part}" * 1000 for part in range(5)))
        told.send(number)


def test_one_that_is_killed_leaves_what_was_there_or_what_was_to_come(tmp_path: Path) -> None:
    path = tmp_path / "images"
    own = multiprocessing.get_context("fork")
    for attempt in range(12):
        told, telling = own.Pipe(duplex=False)
        writing = own.Process(target=_write_without_end, args=(path, telling))
        writing.start()
        told.recv()
        time.sleep(0.001 * attempt)  # awaits nothing: it is killed in the middle of anything
        writing.kill()
        writing.join()
        assert list(shown(path).values()) == [[str(ONE), str(TWO)]]
    last = bring(path, [ONE, TWO], "the last")
    assert shown(path) == {last: [str(ONE), str(TWO)]}
    assert sorted(os.listdir(path)) == ["blobs", "index.json", "oci-layout"]
    assert len(blobs(path)) == 3
