# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images in one archive, whoever wrote it and in whatever order."""

from __future__ import annotations

import gzip
import hashlib
import io
import itertools
import json
import tarfile
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.audit.image_archive import read_archive
from ansible_collections.longshore.delivery.plugins.module_utils.audit.merged import merge
from ansible_collections.longshore.delivery.plugins.module_utils.audit.report import Audited
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.manifest import OCI_INDEX, OCI_MANIFEST
from tests.unit.module_utils.image.making import OCI_CONFIG

from .made import Content, config, layer_bytes, link, nothing

LOWER = layer_bytes({"a": b"1", "b": b"22"})
UPPER = layer_bytes({".wh.a": b""})
CONFIG = json.dumps(config([("COPY a b / # buildkit", True), ("RUN /bin/sh -c rm a # buildkit", True)])).encode()


def archive(files: dict[str, Content]) -> list[Audited]:
    return read_archive(io.BytesIO(layer_bytes(files)), nothing)


def saved(names: t.Sequence[str] = ("shop/web:1.4",)) -> dict[str, Content]:
    """As Docker before 25 writes it."""
    manifest = [{"Config": "c0ffee.json", "RepoTags": list(names), "Layers": ["01/layer.tar", "02/layer.tar"]}]
    return {
        "01/layer.tar": LOWER,
        "01/VERSION": b"1.0",
        "01/json": b"{}",
        "02/layer.tar": UPPER,
        "c0ffee.json": CONFIG,
        "manifest.json": json.dumps(manifest).encode(),
        "repositories": b"{}",
    }


class Layout:
    """An OCI layout in the making."""

    def __init__(self) -> None:
        self.files: dict[str, Content] = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}

    def blob(self, data: bytes) -> dict[str, t.Any]:
        encoded = hashlib.sha256(data).hexdigest()
        self.files["blobs/sha256/" + encoded] = data
        return {"digest": "sha256:" + encoded, "size": len(data)}

    def document(self, value: t.Any) -> dict[str, t.Any]:
        return self.blob(json.dumps(value).encode())

    def image(self, *layers: bytes, settings: bytes = CONFIG) -> dict[str, t.Any]:
        config = {"mediaType": OCI_CONFIG, **self.blob(settings)}
        manifest = {"mediaType": OCI_MANIFEST, "config": config, "layers": [self.blob(layer) for layer in layers]}
        return self.document(manifest)

    def index(self, *manifests: dict[str, t.Any]) -> dict[str, Content]:
        return {**self.files, "index.json": json.dumps({"manifests": manifests}).encode()}


def check(found: list[Audited], names: tuple[str, ...]) -> None:
    (image,) = found
    assert image.references == tuple(f"docker.io/{name}" if name.startswith("shop") else name for name in names)
    assert image.config == json.loads(CONFIG)
    assert merge(image.layers).visible == {"b": 0}


def test_what_docker_saves_in_any_order() -> None:
    files = saved()
    for order in itertools.permutations(("01/layer.tar", "02/layer.tar", "c0ffee.json", "manifest.json")):
        check(archive({name: files[name] for name in order}), ("shop/web:1.4",))
    check(archive(files), ("shop/web:1.4",))


def test_a_layer_that_is_a_link_to_another() -> None:
    for kind, target in ((tarfile.SYMTYPE, "../01/layer.tar"), (tarfile.LNKTYPE, "01/layer.tar")):
        (image,) = archive({**saved(), "02/layer.tar": link(kind, target)})
        assert image.layers[1] == image.layers[0]


def test_a_layer_whose_first_file_begins_as_a_document() -> None:
    (image,) = archive(
        {**saved(), "01/layer.tar": layer_bytes({"[id].js": b"1"}), "02/layer.tar": layer_bytes({"{x}": b"2"})}
    )
    assert merge(image.layers).visible == {"[id].js": 0, "{x}": 1}


def test_a_layout_with_compressed_layers() -> None:
    layout = Layout()
    manifest = layout.image(gzip.compress(LOWER), gzip.compress(UPPER))
    name = {"annotations": {"io.containerd.image.name": "registry.example:5000/shop/web:1.4"}}
    check(archive(layout.index({**manifest, **name})), ("registry.example:5000/shop/web:1.4",))


def test_each_platform_is_an_image_and_an_attestation_is_none() -> None:
    layout = Layout()
    one = layout.image(LOWER)
    other = layout.image(UPPER, settings=json.dumps({"os": "linux", "architecture": "arm64"}).encode())
    attestation = {**layout.image(b"no layer"), "platform": {"os": "unknown", "architecture": "unknown"}}
    absent = {"digest": "sha256:" + "0" * 64}
    top = layout.document({"mediaType": OCI_INDEX, "manifests": [one, other, attestation, absent]})
    found = archive(layout.index({**top, "annotations": {"io.containerd.image.name": "shop/web:1.4"}}))
    assert [(image.config["architecture"], image.references) for image in found] == [
        ("amd64", ("docker.io/shop/web:1.4",)),
        ("arm64", ("docker.io/shop/web:1.4",)),
    ]


def test_the_progress_is_told() -> None:
    told: list[str] = []
    read_archive(io.BytesIO(layer_bytes(saved())), nothing, told.append, images="shop/web:1.4")
    assert told == [f"read number {number} of the layers of shop/web:1.4 (0 MB)" for number in (1, 2)]


def damaged() -> t.Iterator[tuple[str, bytes, str]]:
    whole = saved()
    yield "nothing", layer_bytes({"a": b"1"}), "manifest.json"
    yield "no tar", b"x" * 5000, "damaged"
    yield "cut", layer_bytes(whole)[:3000], "again"
    yield "no layer", layer_bytes({name: data for name, data in whole.items() if name != "02/layer.tar"}), "layer 1"
    yield (
        "no config",
        layer_bytes({name: data for name, data in whole.items() if name != "c0ffee.json"}),
        "lacks c0ffee",
    )
    yield "layer", layer_bytes({**whole, "02/layer.tar": gzip.compress(UPPER)[:-4]}), r"layer 1 .*gzip"
    yield "config", layer_bytes({**whole, "c0ffee.json": b"{"}), "damaged c0ffee.json"
    yield "entry", layer_bytes({**whole, "manifest.json": b"[1]"}), "entry"
    yield "no image", layer_bytes({**whole, "manifest.json": b"[]"}), "lists no image"
    yield "list", layer_bytes({"index.json": b'{"manifests": [1]}'}), "none"


@pytest.mark.parametrize(("data", "said"), [case[1:] for case in damaged()], ids=[case[0] for case in damaged()])
def test_what_is_damaged_or_missing_is_named(data: bytes, said: str) -> None:
    with pytest.raises(DeliveryError, match=said):
        read_archive(io.BytesIO(data), nothing)
