# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images on their way into OCI layouts and registries: what engines give away, and what is there afterwards."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import resource
import tarfile
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.build.builder import (
    BuildEngine,
    BuildEngineError,
    Builder,
    BuildRequest,
    Built,
)
from ansible_collections.longshore.delivery.plugins.module_utils.build.output import Output
from ansible_collections.longshore.delivery.plugins.module_utils.build.record import Record
from ansible_collections.longshore.delivery.plugins.module_utils.build.saved_image import from_archive, from_directory
from ansible_collections.longshore.delivery.plugins.module_utils.build.stored_output import LayoutOutput, RegistryOutput
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.image.layout_writer import Parts
from ansible_collections.longshore.delivery.plugins.module_utils.image.names import Names
from ansible_collections.longshore.delivery.plugins.module_utils.image.oci_layout import LayoutError, OciLayout
from ansible_collections.longshore.delivery.plugins.module_utils.image.recorded_inputs import DIGEST_LABEL
from ansible_collections.longshore.delivery.plugins.module_utils.image.tag_plan import TagStep
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from tests.unit.module_utils.image.making import Made, digest_of, image, index, layout
from tests.unit.module_utils.registry.conftest import StartRegistry

CONFIG = json.dumps({"os": "linux", "architecture": "amd64", "config": {"Healthcheck": {"Test": ["CMD", "x"]}}})
WEB = Reference.parse("r.example/shop/web:1")
LAYERS = [b"the lowest layer" * 1000, b"another" * 1000]


def tar_of(files: dict[str, bytes | str]) -> io.BytesIO:
    """:param files: content by name; of a text that begins with C(->) the target of a link."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            if isinstance(content, str) and content.startswith("->"):
                member.type, member.linkname = tarfile.SYMTYPE, content[2:]
                tar.addfile(member)
                continue
            data = content.encode() if isinstance(content, str) else content
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    archive.seek(0)
    return archive


def listed(config: str, *layers: str) -> str:
    return json.dumps([{"Config": config, "RepoTags": None, "Layers": list(layers)}])


@pytest.mark.parametrize(
    "files",
    [
        # Docker 20.10, where a layer that is there twice is a link
        {
            "c.json": CONFIG,
            "one/layer.tar": LAYERS[0],
            "two/layer.tar": LAYERS[1],
            "three/layer.tar": "->../one/layer.tar",
            "manifest.json": listed("c.json", "one/layer.tar", "two/layer.tar", "three/layer.tar"),
        },
        # Docker 25 and newer
        {
            "manifest.json": listed("blobs/sha256/c", "blobs/sha256/1", "blobs/sha256/2", "blobs/sha256/1"),
            "blobs/sha256/c": CONFIG,
            "blobs/sha256/1": LAYERS[0],
            "blobs/sha256/2": LAYERS[1],
        },
    ],
    ids=["20.10", "26.1"],
)
def test_what_docker_saves_is_taken_as_it_is(tmp_path: Path, files: dict[str, bytes | str]) -> None:
    parts = Parts(str(tmp_path / "made"))
    manifest, platform = from_archive(tar_of(files), parts, {"a": "b"})
    assert platform == {"os": "linux", "architecture": "amd64"}
    parts.finish(manifest)
    with OciLayout(parts.path) as made:
        [found] = made.images(Names())
        read = []
        for layer in found.layers:
            assert layer.digest
            with made.open_blob(layer.digest) as stream:
                read.append(gzip.decompress(stream.read(1_000_000)))
    assert read == [LAYERS[0], LAYERS[1], LAYERS[0]]
    assert str(found.digests.config) == digest_of(CONFIG.encode())
    assert found.settings["Healthcheck"] == {"Test": ["CMD", "x"]}
    document = json.loads(Path(parts.path, "blobs/sha256", manifest["digest"].partition(":")[2]).read_text())
    assert document["annotations"] == {"a": "b"}


def test_what_podman_pushes_is_taken_as_it_is(tmp_path: Path) -> None:
    directory = tmp_path / "dir"
    directory.mkdir()
    packed = gzip.compress(LAYERS[0])
    for content in (CONFIG.encode(), packed, LAYERS[1]):
        (directory / digest_of(content).partition(":")[2]).write_bytes(content)
    layers = [{"digest": digest_of(content)} for content in (packed, LAYERS[1])]
    docker = {"config": {"digest": digest_of(CONFIG.encode())}, "layers": layers}
    (directory / "manifest.json").write_text(json.dumps(docker))
    parts = Parts(str(tmp_path / "made"))
    manifest, _platform = from_directory(str(directory), parts, {})
    document = json.loads(Path(parts.path, "blobs/sha256", manifest["digest"].partition(":")[2]).read_text())
    assert document["config"]["digest"] == digest_of(CONFIG.encode())
    assert document["layers"][0]["digest"] == digest_of(packed)
    assert {layer["mediaType"] for layer in document["layers"]} == {"application/vnd.oci.image.layer.v1.tar+gzip"}


def test_what_is_no_image_is_said(tmp_path: Path) -> None:
    for number, archive in enumerate((io.BytesIO(b"x" * 2000), tar_of({"manifest.json": "{}"}), tar_of({"a": b""}))):
        with pytest.raises(BuildEngineError, match="in a form that is not known"):
            from_archive(archive, Parts(str(tmp_path / str(number))), {})
    with pytest.raises(BuildEngineError, match="in a form that is not known"):
        from_directory(str(tmp_path), Parts(str(tmp_path / "made")), {})


class WritesLayouts:
    """A builder that has built what it was given."""

    name = "buildkit"
    writes_layouts = True
    no_epoch = ""

    def __init__(self, made: Made, *more: Made) -> None:
        self.made, self.more = made, more

    def build(self, request: BuildRequest, show: t.Callable[[str], None]) -> Built:
        layout(Path(request.layout), self.made.descriptor(), made=[self.made, *self.more])
        return Built("known from what it wrote", Record(show))


def bring(output: Output, made: Made, *names: TagStep) -> str:
    """Have an image there under names; its ID."""
    with output.work("d") as work:
        request = BuildRequest(t.cast("t.Any", None), "", t.cast("t.Any", None))
        built = work.build(t.cast("Builder", WritesLayouts(made)), request, lambda line: None)
        found = work.image(built.image_id)
        assert found is not None
        assert found.id == built.image_id == made.digest
        work.name(found.id, names)
    return found.id


def step(reference: Reference, before: str | None = None) -> TagStep:
    return TagStep(reference, None, before)


@pytest.fixture(params=["layout", "registry"])
def output(request: pytest.FixtureRequest, tmp_path: Path, start_registry: StartRegistry) -> t.Iterator[Output]:
    engine = t.cast("BuildEngine", None)
    made: Output
    if request.param == "layout":
        made = LayoutOutput(engine, str(tmp_path / "images"), [])
    else:
        settings = RegistrySettings.from_params({"endpoint": start_registry().endpoint, "tls": "plain"})
        made = RegistryOutput(engine, settings, WEB, [], lambda line: None)
    yield made
    made.close()


def test_an_image_is_there_under_its_names_and_says_what_it_was_built_from(output: Output) -> None:
    endpoint = output.where.rpartition(" ")[2] if output.kind == "registry" else "r.example"
    one, two = (Reference.parse(f"{endpoint}/shop/web:{tag}") for tag in "12")
    assert output.image(one) is None
    made = image("a", "b", labels={DIGEST_LABEL: "d"}, User="1000")
    bring(output, made, step(one), step(two))
    found = output.image(one)
    assert found is not None
    assert (found.id, found.labels, found.references) == (made.digest, {DIGEST_LABEL: "d"}, (str(one),))
    assert found.config_digest == made.document["config"]["digest"]
    assert len(found.layers) == 2
    both = index({"linux/amd64": made, "linux/arm64": image("a", "b", architecture="arm64")})
    bring(output, both, step(one, made.digest))
    moved, left = output.image(one), output.image(two)
    assert moved is not None
    assert left is not None
    assert (moved.id, moved.config_digest, left.id) == (both.digest, None, made.digest)
    assert moved.is_same_as(moved)
    assert not moved.is_same_as(left)
    output.name(made.digest, [step(one, both.digest)])
    again = output.image(one)
    assert again is not None
    assert again.id == made.digest


def test_a_layout_is_searched_for_the_inputs(tmp_path: Path) -> None:
    output = LayoutOutput(t.cast("BuildEngine", None), str(tmp_path / "images"), [])
    assert list(output.with_inputs("d", "")) == []
    for number, tag in enumerate("123"):
        made = image(tag, labels={DIGEST_LABEL: "d" if number else "other"})
        bring(output, made, step(Reference.parse(f"r.example/shop/web:{tag}")))
    assert [found.references[0][-1] for found in output.with_inputs("d", "")] == ["2", "3"]


def test_a_registry_is_asked_for_what_was_noted_of_the_inputs(start_registry: StartRegistry) -> None:
    endpoint = start_registry().endpoint
    settings = RegistrySettings.from_params({"endpoint": endpoint, "tls": "plain"})
    name = Reference.parse(f"{endpoint}/shop/web:2")
    with contextlib.closing(
        RegistryOutput(t.cast("BuildEngine", None), settings, name, [], lambda line: None)
    ) as output:
        made = image("a", labels={DIGEST_LABEL: "d"})
        bring(output, made, step(Reference.parse(f"{endpoint}/shop/web:1")))
        [found] = output.with_inputs("d", made.digest)
        assert (found.id, found.labels) == (made.digest, {DIGEST_LABEL: "d"})
        assert found.references == (f"{endpoint}/shop/web@{made.digest}",)
        assert list(output.with_inputs("d", "")) == list(output.with_inputs("d", "sha256:" + "0" * 64)) == []


def test_a_registry_has_what_waits_for_its_names(start_registry: StartRegistry) -> None:
    endpoint = start_registry().endpoint
    settings = RegistrySettings.from_params({"endpoint": endpoint, "tls": "plain"})
    name = Reference.parse(f"{endpoint}/shop/web:1")
    made = image("a", labels={DIGEST_LABEL: "d"})
    with contextlib.closing(
        RegistryOutput(t.cast("BuildEngine", None), settings, name, [], lambda line: None)
    ) as output:
        assert output.unnamed(made.digest) is None
        with output.work("d") as work:
            request = BuildRequest(t.cast("t.Any", None), "", t.cast("t.Any", None))
            work.build(t.cast("Builder", WritesLayouts(made)), request, lambda line: None)
            work.keep(made.digest)
        waiting = output.unnamed(made.digest)
        assert waiting is not None
        assert (waiting.id, waiting.references, output.image(name)) == (made.digest, (), None)
        output.name(made.digest, [step(name)])
        found = output.image(name)
        assert found is not None
        assert found.id == made.digest


def test_a_registry_is_sent_each_blob_once_and_what_attests_an_image_too(start_registry: StartRegistry) -> None:
    registry = start_registry()
    settings = RegistrySettings.from_params({"endpoint": registry.endpoint, "tls": "plain"})
    one = Reference.parse(f"{registry.endpoint}/shop/web:1")
    shown: list[str] = []
    output = RegistryOutput(t.cast("BuildEngine", None), settings, WEB, [], shown.append)
    listing = index({"linux/amd64": image("a"), "unknown/unknown": image("attests")})
    bring(output, listing, step(one))
    with RegistryClient(settings) as client:
        for child in listing.document["manifests"]:
            assert client.get_manifest("shop/web", child["digest"]).config_digest
    uploads = registry.log.read_text().count('"POST /v2/shop/web/blobs/uploads/')
    bring(output, listing, step(one))
    assert registry.log.read_text().count('"POST /v2/shop/web/blobs/uploads/') == uploads == len(listing.blobs)
    assert "pushed 0.0 MB to the registry" in shown[1]
    output.close()


def test_a_registry_that_refuses_the_login_is_no_empty_one(start_registry: StartRegistry) -> None:
    endpoint = start_registry(htpasswd=True).endpoint
    settings = RegistrySettings.from_params(
        {"endpoint": endpoint, "tls": "plain", "username": "ci", "password": "wrong"}
    )
    output = RegistryOutput(t.cast("BuildEngine", None), settings, WEB, [], lambda line: None)
    with pytest.raises(DeliveryError, match="ci") as refused:
        output.image(Reference.parse(f"{endpoint}/shop/web:1"))
    assert "wrong" not in str(refused.value)
    output.close()


def test_a_registry_that_is_not_there_counts_as_empty_where_it_may_come(start_registry: StartRegistry) -> None:
    """One that is there and refuses does not."""
    warned: list[str] = []
    for endpoint, password, match in (
        ("127.0.0.1:1", "x", "nothing takes connections at 127.0.0.1 port 1"),
        ("", "wrong", "ci"),
    ):
        endpoint = endpoint or start_registry(htpasswd=True).endpoint
        login = {"username": "ci", "password": password}
        settings = RegistrySettings.from_params({"endpoint": endpoint, "tls": "plain", **login})
        one, two = (Reference.parse(f"{endpoint}/shop/web:{tag}") for tag in "12")
        for may_come in (None, warned.append):
            with contextlib.closing(
                RegistryOutput(t.cast("BuildEngine", None), settings, WEB, [], lambda line: None, may_come)
            ) as output:
                if may_come and password == "x":
                    assert [output.image(reference) for reference in (one, two)] == [None, None]
                else:
                    with pytest.raises(DeliveryError, match=match):
                        output.image(one)
    assert len(warned) == 1
    assert "nothing takes connections at 127.0.0.1 port 1" in warned[0]


def test_no_room_for_what_was_built_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    output = LayoutOutput(t.cast("BuildEngine", None), str(tmp_path / "images"), [])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        with pytest.raises(DeliveryError, match=f"cannot be written to {tmp_path}: .*. Make room there"):
            bring(output, image("a"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert os.listdir(tmp_path) == []


def test_a_layout_within_what_it_is_built_from_is_refused(tmp_path: Path) -> None:
    engine = t.cast("BuildEngine", None)
    (tmp_path / "link").symlink_to(tmp_path)
    for path in (tmp_path / "images", tmp_path / "link" / "images", tmp_path):
        with pytest.raises(LayoutError, match=f"is in {tmp_path}, from which the image is built"):
            LayoutOutput(engine, str(path), ["/etc", str(tmp_path)])
    with pytest.raises(DeliveryError, match="layout is 'images', which is relative"):
        LayoutOutput(engine, "images", [])
    assert os.listdir(tmp_path) == ["link"]
