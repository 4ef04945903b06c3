# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The images of OCI layouts: what is in them, and what is wrong with them."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.image.contents import ImageContents
from ansible_collections.longshore.delivery.plugins.module_utils.image.names import Names
from ansible_collections.longshore.delivery.plugins.module_utils.image.oci_layout import LayoutError, OciLayout
from ansible_collections.longshore.delivery.plugins.module_utils.registry.manifest import OCI_INDEX

from .making import Made, archive, digest_of, image, index, layout

REF, FULL = "org.opencontainers.image.ref.name", "io.containerd.image.name"


def read(path: Path, *globs: str) -> list[ImageContents]:
    with OciLayout(str(path)) as opened:
        return opened.images(Names.parse(None, globs))


def named(made: Made, **annotations: str) -> dict[str, t.Any]:
    return made.descriptor(annotations={{"ref": REF, "full": FULL}[name]: text for name, text in annotations.items()})


@pytest.mark.parametrize("form", ["directory", "tar"])
def test_an_image_with_all_that_is_in_it(tmp_path: Path, form: str) -> None:
    made = image("one", "two", labels={"team": "shop"}, User="1000", Entrypoint=["/web"])
    path = layout(tmp_path / "layout", named(made, ref="1.4", full="registry.example:5000/shop/web:1.4"), made=[made])
    [found] = read(archive(path) if form == "tar" else path)
    shown = found.shown()
    layers = made.document["layers"]
    assert shown["id"] == shown["digests"]["manifest"] == made.digest
    assert shown["digests"] == {
        "manifest": made.digest,
        "config": made.document["config"]["digest"],
        "index": None,
    }
    assert shown["references"] == ["registry.example:5000/shop/web:1.4"]
    assert shown["repository_digests"] == [f"registry.example:5000/shop/web@{made.digest}"]
    assert shown["names"] == []
    assert shown["platform"] == "linux/amd64"
    assert shown["size"] == made.document["config"]["size"] + sum(layer["size"] for layer in layers)
    assert [layer["digest"] for layer in shown["layers"]] == [layer["digest"] for layer in layers]
    assert [layer["compressed_size"] for layer in shown["layers"]] == [layer["size"] for layer in layers]
    assert [layer["created_by"] for layer in shown["layers"]] == ["COPY one /", "COPY two /"]
    config = json.loads(made.blobs[made.document["config"]["digest"]])
    assert [layer["diff_id"] for layer in shown["layers"]] == config["rootfs"]["diff_ids"]
    assert shown["created"] == "2026-11-01T12:00:00Z"
    assert (shown["labels"], shown["config"]) == ({"team": "shop"}, {"User": "1000", "Entrypoint": ["/web"]})


def test_each_platform_is_an_image_of_the_index(tmp_path: Path) -> None:
    arm, amd, absent = image("a", architecture="arm64"), image("b"), image("c", architecture="s390x")
    proof = image("d", architecture="unknown")
    both = index({"linux/arm64": arm, "linux/amd64": amd, "linux/s390x": absent, "unknown/unknown": proof})
    del both.manifests[absent.digest]
    outer = Made(
        json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [both.descriptor()]}).encode(),
        OCI_INDEX,
        {},
    )
    path = layout(tmp_path / "layout", named(outer, ref="shop/web:1"), made=[outer, both])
    found = read(path)
    assert [one.platform for one in found] == ["linux/arm64", "linux/amd64"]
    assert [str(one.digests.index) for one in found] == [both.digest] * 2
    assert [str(one.digests.manifest) for one in found] == [arm.digest, amd.digest]
    # by the reference the list is served, not the image
    assert {str(one.pinned[0]) for one in found} == {f"docker.io/shop/web@{outer.digest}"}


@pytest.mark.parametrize(
    ("annotations", "references", "names"),
    [
        ({"ref": "1.4"}, [], ["1.4"]),
        ({"ref": "shop/web:1.4"}, ["docker.io/shop/web:1.4"], []),
        ({"ref": "1.4", "full": "docker.io/shop/web:1.4"}, ["docker.io/shop/web:1.4"], []),
        ({"ref": "shop/web"}, [], ["shop/web"]),
        ({"ref": "Not A/Name"}, [], ["Not A/Name"]),
        ({}, [], []),
    ],
)
def test_names(tmp_path: Path, annotations: dict[str, str], references: list[str], names: list[str]) -> None:
    made = image("one")
    [found] = read(layout(tmp_path / "layout", named(made, **annotations), made=[made]))
    assert ([str(one) for one in found.references], list(found.names)) == (references, names)
    assert found.is_dangling is not bool(annotations)


def test_an_image_of_two_names_is_one_and_names_select(tmp_path: Path) -> None:
    web, db = image("web"), image("db")
    path = layout(
        tmp_path / "layout",
        *(named(web, ref=name) for name in ("shop/web:1", "shop/web:2")),
        named(db, ref="2.0"),
        made=[web, db],
    )
    assert [len(one.references) for one in read(path)] == [2, 0]
    assert [str(one.references[0]) for one in read(path, "shop/web:2")] == ["docker.io/shop/web:2"]
    assert [one.names for one in read(path, "2.*")] == [("2.0",)]
    with OciLayout(str(path)) as opened:
        [found] = opened.images(Names.parse([f"shop/web@{web.digest}"], None))
    assert found.id == web.digest


def test_what_is_not_meant_is_not_read(tmp_path: Path) -> None:
    web, gone = image("web"), image("gone")
    path = layout(tmp_path / "layout", named(web, ref="a/web:1"), named(gone, ref="a/gone:1"), made=[web])
    assert len(read(path, "a/web")) == 1
    with pytest.raises(LayoutError, match=gone.digest):
        read(path)


def test_a_chart_is_shown_without_an_images_configuration(tmp_path: Path) -> None:
    chart = image("chart", config_type="application/vnd.cncf.helm.config.v1+json", User="1")
    [found] = read(layout(tmp_path / "layout", chart.descriptor(), made=[chart]))
    assert (found.platform, found.settings) == (None, {})
    assert [str(layer.digest) for layer in found.layers] == [chart.document["layers"][0]["digest"]]


def blob(path: Path, digest: str) -> Path:
    return path / "blobs" / "sha256" / digest.partition(":")[2]


def test_damage_names_the_part(tmp_path: Path) -> None:
    made = image("one")
    config = made.document["config"]["digest"]
    damages: list[tuple[str, t.Callable[[Path], object], str]] = [
        ("no index", lambda path: (path / "index.json").unlink(), "index.json is missing"),
        ("no JSON", lambda path: (path / "index.json").write_text("{"), "index.json is no JSON object"),
        ("a list", lambda path: (path / "index.json").write_text("[]"), "index.json is no JSON object"),
        ("an entry", lambda path: (path / "index.json").write_text('{"manifests": [1]}'), "an entry that is none"),
        (
            "a path",
            lambda path: (path / "index.json").write_text('{"manifests": [{"digest": "sha256:../../secret"}]}'),
            "an entry that is none",
        ),
        ("manifest", lambda path: blob(path, made.digest).unlink(), f"the manifest {made.digest} is missing"),
        ("bytes", lambda path: blob(path, made.digest).write_bytes(b"{}"), f"{made.digest} have another digest"),
        ("config", lambda path: blob(path, config).unlink(), f"the configuration {config} of the image"),
        ("config's bytes", lambda path: blob(path, config).write_bytes(b"{}"), f"{config} have another digest"),
    ]
    for number, (what, damage, said) in enumerate(damages):
        path = layout(tmp_path / str(number), made.descriptor(), made=[made])
        damage(path)
        with pytest.raises(LayoutError) as raised:
            read(path)
        assert said in str(raised.value), what
        assert str(path) in str(raised.value)


@pytest.mark.parametrize("config", [b"[]", b"{", b'{"rootfs": {"diff_ids": ["sha256:x"]}}'])
def test_a_configuration_that_is_none(tmp_path: Path, config: bytes) -> None:
    made = image("one")
    document = made.document
    document["config"]["digest"] = digest_of(config)
    other = Made(json.dumps(document).encode(), made.media_type, {digest_of(config): config})
    with pytest.raises(LayoutError, match="has a configuration that is none"):
        read(layout(tmp_path / "layout", other.descriptor(), made=[other]))


def test_a_manifest_that_is_none(tmp_path: Path) -> None:
    made = Made(b'{"layers": [{}]}', "application/vnd.oci.image.manifest.v1+json", {})
    with pytest.raises(LayoutError, match=f"the manifest {made.digest} is none"):
        read(layout(tmp_path / "layout", made.descriptor(), made=[made]))


def test_what_is_too_large_is_not_held_in_memory(tmp_path: Path) -> None:
    made = Made(b" " * (16 * 1024 * 1024) + b"{}", "", {})
    with pytest.raises(LayoutError, match="has more than the 16777216 bytes"):
        read(layout(tmp_path / "layout", made.descriptor(), made=[made]))


def test_lists_within_lists_have_an_end(tmp_path: Path) -> None:
    made = index({"linux/amd64": image("one")})
    deep = [made]
    for _depth in range(9):
        body = json.dumps({"mediaType": OCI_INDEX, "manifests": [deep[-1].descriptor()]}).encode()
        deep.append(Made(body, OCI_INDEX, {}))
    with pytest.raises(LayoutError, match="lists within lists"):
        read(layout(tmp_path / "layout", deep[-1].descriptor(), made=deep))


def test_what_is_no_layout_is_said_with_the_way_out(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    saved = tmp_path / "saved"
    saved.mkdir()
    (saved / "manifest.json").write_text("[]")
    text = tmp_path / "text.tar"
    text.write_text("no tar")
    packed = archive(layout(tmp_path / "packed", made=[]), "w:gz")
    for path, said in (
        (empty, "is no OCI layout: it has no file oci-layout. Give the directory"),
        (saved, "It is an archive of 'docker save' in the older format"),
        (archive(saved), "It is an archive of 'docker save' in the older format"),
        (text, "cannot be read"),
        (packed, "an uncompressed tar"),
        (tmp_path / "none", "No such file or directory"),
    ):
        with pytest.raises(LayoutError) as raised:
            OciLayout(str(path))
        assert said in str(raised.value)
        assert str(path) in str(raised.value)
    with pytest.raises(LayoutError, match="absolute path"):
        OciLayout("layout")
