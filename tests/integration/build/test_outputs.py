# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images that are built into an OCI layout or a registry, by engines with either store: asked past image_build."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.image.recorded_inputs import DIGEST_LABEL
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import Manifest, RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from tests.integration.containerd_store import ContainerdDocker
from tests.lab.nodes import BUILDER
from tests.unit.module_utils.registry.certificates import Certificates
from tests.unit.module_utils.registry.conftest import StartRegistry, registry_program, start_registry
from tests.unit.module_utils.registry.servers import PASSWORD, USERNAME

from .engine import PLACES, Engine

__all__ = ["registry_program", "start_registry"]
pytestmark = [pytest.mark.lab, pytest.mark.wide]

PLATFORMS = ["linux/amd64", "linux/arm64"]
DOCKERFILE = 'FROM scratch\nARG TARGETARCH\nCOPY app /$TARGETARCH\nHEALTHCHECK CMD ["/app"]\n'


@pytest.fixture(params=["controller", "dock", "containerd's store"])
def any_engine(request: pytest.FixtureRequest, own_home: None) -> t.Iterator[Engine]:
    if request.param == "controller":
        engine = Engine("unix:///var/run/docker.sock", None)
    elif request.param == "dock":
        engine = Engine(BUILDER, PLACES.builder)
    else:
        containerd: ContainerdDocker = request.getfixturevalue("containerd_docker")
        engine = Engine(containerd.host, containerd.certificates)
    engine.prefix = "shop"
    yield engine
    engine.clean()


class Served:
    """A registry with a certificate of an authority that no engine knows, and a login."""

    def __init__(self, start: StartRegistry, directory: Path) -> None:
        directory.mkdir()
        certificates = Certificates(directory)
        ca = certificates.issue("Nobody's authority", [], None, authority=True)
        own = certificates.issue("registry", ["127.0.0.1"], ca)
        self.endpoint = start(issued=own, htpasswd=True).endpoint
        login = {"username": USERNAME, "password": PASSWORD}
        self.option = {"endpoint": self.endpoint, "tls": "verified", "ca": ca.cert_file.read_text(), **login}
        self.client = RegistryClient(RegistrySettings.from_params(self.option))

    def manifest(self, tag: str) -> Manifest:
        return self.client.get_manifest("shop/web", tag)

    def config(self, manifest: Manifest) -> dict[str, t.Any]:
        assert manifest.config_digest
        return t.cast("dict[str, t.Any]", json.loads(self.client.get_blob("shop/web", manifest.config_digest)))


@pytest.fixture
def served(start_registry: StartRegistry, tmp_path: Path) -> t.Iterator[Served]:
    made = Served(start_registry, tmp_path / "certificates")
    yield made
    made.client.close()


def held(engine: Engine) -> set[str]:
    return {str(image.id) for image in engine.client.images.list()}


def test_several_platforms_go_straight_into_a_registry(any_engine: Engine, source: Path, served: Served) -> None:
    engine = any_engine
    (source / "Dockerfile").write_text(DOCKERFILE)
    options: dict[str, t.Any] = {
        "tags": ["1", "2"],
        "platforms": PLATFORMS,
        "annotations": {"example.note": "one"},
        "immutable": ["shop/web:2"],
        "output": "registry",
        "registry": served.option,
    }

    def build(**more: t.Any) -> dict[str, t.Any]:
        result = engine.build("web", source, **{**options, **more})
        assert PASSWORD not in json.dumps([engine.commands, engine.progress, result])
        return result

    before = held(engine)
    planned, first = build(check=True), build()
    assert (planned["changed"], planned["built"], planned["why"]) == (True, True, first["why"])
    assert sorted(served.client.tags("shop/web")) == ["1", "2"]
    index = served.manifest("1")
    assert [child.platform for child in index.children] == PLATFORMS
    assert served.manifest("2").digest == index.digest
    assert str(index.digest) == first["image"]["id"] == first["image"]["index_digest"]
    assert first["image"]["manifest_digest"] is first["image"]["config_digest"] is None
    documents = [index, *(served.client.get_manifest("shop/web", child.digest) for child in index.children)]
    assert [document.document["annotations"]["example.note"] for document in documents] == ["one"] * 3
    for document in documents[1:]:
        config = served.config(document)
        assert config["config"]["Labels"][DIGEST_LABEL] == first["inputs"]
        assert config["config"]["Healthcheck"] == {"Test": ["CMD", "/app"]}
    for check in (True, False):
        again = build(check=check)
        assert (again["changed"], again["built"], engine.commands, again["image"]) == (False, False, [], first["image"])
    other = build(tags=["3"], immutable=[])
    assert (other["built"], other["changed"], engine.commands) == (False, True, [])
    assert other["why"] == [f"{served.endpoint}/shop/web@{index.digest} has the same inputs"]
    always = build(rebuild="always", immutable=[])
    assert (always["built"], always["changed"], always["image"]) == (True, False, first["image"])
    (source / "app").write_text("two\n")
    with pytest.raises(DeliveryError, match=f"may not move to .*shop/web:2 .which is {index.digest}"):
        build()
    changed = build(tags=["1"])
    assert changed["why"] == ["the context changed: app changed"]
    assert changed["named"] == [
        {
            "reference": f"{served.endpoint}/shop/web:1",
            "before": str(index.digest),
            "after": str(served.manifest("1").digest),
        }
    ]
    assert served.manifest("2").digest == index.digest
    (source / "app").write_text("one\n")
    planned, again = build(tags=["1", "4"], check=True), build(tags=["1", "4"])
    assert (planned["built"], again["built"], engine.commands) == (False, False, [])
    assert {served.manifest(tag).digest for tag in "1234"} == {index.digest}
    assert held(engine) == before


def test_one_platform_is_a_manifest_in_a_layout(any_engine: Engine, source: Path, tmp_path: Path) -> None:
    engine = any_engine
    options: dict[str, t.Any] = {"output": "layout", "layout": str(tmp_path / "images"), "source_date_epoch": 1000}
    before = held(engine)
    first = engine.build("app:1", source, **options)
    assert first["image"]["id"] == first["image"]["manifest_digest"]
    assert (first["image"]["index_digest"], len(first["image"]["config_digest"])) == (None, 71)
    blob = tmp_path / "images" / "blobs" / "sha256"
    assert (blob / first["image"]["id"].removeprefix("sha256:")).exists()
    assert "reproducible" in first
    other = engine.build("app", source, tags=["2"], **options)
    assert (other["built"], other["changed"], engine.commands) == (False, True, [])
    assert other["why"] == [f"docker.io/{engine.prefix}/app:1 has the same inputs"]
    (source / "app").write_text("two\n")
    count = len(list(blob.iterdir()))
    assert engine.build("app", source, tags=["1", "2"], **options)["changed"]
    assert len(list(blob.iterdir())) == count
    entries = json.loads((tmp_path / "images" / "index.json").read_text())["manifests"]
    assert len({entry["digest"] for entry in entries}) == 1
    assert sorted(entry["annotations"]["io.containerd.image.name"] for entry in entries) == [
        f"docker.io/{engine.prefix}/app:{tag}" for tag in "12"
    ]
    assert held(engine) == before


def test_a_build_that_fails_leaves_the_registry_and_the_engine_as_they_were(
    any_engine: Engine, source: Path, served: Served
) -> None:
    engine = any_engine
    options: dict[str, t.Any] = {"tags": ["1"], "output": "registry", "registry": served.option}
    before = held(engine)
    first = engine.build("web", source, **options)
    (source / "app").write_text("two\n")
    engine.on_progress = lambda line: (source / "app").write_text("three\n")
    with pytest.raises(DeliveryError, match="was not named, because its inputs changed while it was built"):
        engine.build("web", source, **options)
    engine.on_progress = lambda line: None
    wrong = {**options, "registry": {**served.option, "password": "wrong"}}
    with pytest.raises(DeliveryError, match=f"{served.endpoint}.*'{USERNAME}'|{USERNAME}"):
        engine.build("web", source, **wrong)
    assert engine.commands == []
    assert str(served.manifest("1").digest) == first["image"]["id"]
    assert held(engine) == before


def test_what_attests_an_image_is_in_the_registry_too(
    own_home: None, containerd_docker: ContainerdDocker, source: Path, served: Served
) -> None:
    engine = Engine(containerd_docker.host, containerd_docker.certificates)
    engine.prefix = "shop"
    options: dict[str, t.Any] = {"tags": ["1"], "output": "registry", "registry": served.option}
    options["provenance"] = "min"
    first = engine.build("web", source, **options)
    index = served.manifest("1")
    assert len(index.children) == 1
    assert len(index.document["manifests"]) == 2
    for entry in index.document["manifests"]:
        assert served.client.head_manifest("shop/web", ManifestDigest.parse(entry["digest"]))
    assert (first["image"]["index_digest"], first["image"]["manifest_digest"]) == (
        str(index.digest),
        str(index.children[0].digest),
    )
    always = engine.build("web", source, rebuild="always", **options)
    assert (always["built"], always["changed"], served.manifest("1").digest) == (True, False, index.digest)
    engine.clean()
