# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an image may be beside its files, by BuildKit of Docker with containerd's image store and with its own."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from tests.integration.containerd_store import ContainerdDocker

from .ancestry import told_apart
from .engine import Engine

pytestmark = [pytest.mark.lab, pytest.mark.wide]

PLATFORMS = ["linux/amd64", "linux/arm64"]


@pytest.fixture(scope="module")
def by_containerd(own_home: None, containerd_docker: ContainerdDocker) -> t.Iterator[Engine]:
    engine = Engine(containerd_docker.host, containerd_docker.certificates)
    yield engine
    engine.clean()


def documents(engine: Engine, name: str) -> list[dict[str, t.Any]]:
    """The index that an image is saved with and all manifests below it."""
    found = []
    with tarfile.open(fileobj=io.BytesIO(b"".join(engine.client.images.get(name).save()))) as archive:

        def read(path: str) -> dict[str, t.Any]:
            return t.cast("dict[str, t.Any]", json.load(t.cast("t.IO[bytes]", archive.extractfile(path))))

        waiting = [read("index.json")]
        while waiting:
            document = waiting.pop()
            found.append(document)
            digests = [entry["digest"].replace(":", "/") for entry in document.get("manifests", ())]
            waiting += [read(f"blobs/{digest}") for digest in digests]
    return found


def test_an_image_of_containerd_s_store_is_compared_as_one_of_docker_s_own(by_containerd: Engine, source: Path) -> None:
    engine = by_containerd
    first = engine.build("stored", source, tags=["1", "2"])
    assert engine.id("stored:1") == engine.id("stored:2") == first["image"]["id"]
    assert first["image"]["config_digest"] is None
    again = engine.build("stored", source, tags=["1", "2"])
    assert (again["changed"], engine.commands, again["image"]) == (False, [], first["image"])
    always = engine.build("stored", source, tags=["1", "2"], rebuild="always")
    assert (always["built"], always["changed"], always["image"]) == (True, False, first["image"])
    (source / "app").write_text("two\n")
    changed = engine.build("stored", source, tags=["1"])
    assert changed["why"] == ["the context changed: app changed"]
    assert engine.id("stored:1") == changed["image"]["id"] != engine.id("stored:2") == first["image"]["id"]


def test_what_attests_a_build_makes_no_other_image(by_containerd: Engine, source: Path) -> None:
    engine = by_containerd
    options: dict[str, t.Any] = {"tags": ["1"], "provenance": "max"}
    first = engine.build("attested", source, **options)
    kinds = [
        (entry.get("annotations") or {}).get("vnd.docker.reference.type")
        for document in documents(engine, f"{engine.prefix}/attested:1")
        for entry in document.get("manifests", ())
    ]
    assert "attestation-manifest" in kinds
    held = {image.id for image in engine.client.images.list()}
    assert not engine.build("attested", source, **options)["changed"]
    always = engine.build("attested", source, rebuild="always", **options)
    assert (always["built"], always["changed"], always["named"]) == (True, False, [])
    assert always["image"]["id"] == engine.id("attested:1") == first["image"]["id"]
    assert {image.id for image in engine.client.images.list()} == held
    without = engine.build("attested", source, tags=["1"])
    assert without["why"] == ["the provenance attestation was removed"]
    assert engine.id("attested:1") == without["image"]["id"]


def test_another_controller_tells_what_others_made_of_an_image(
    by_containerd: Engine, source: Path, tmp_path: Path
) -> None:
    told_apart(by_containerd, source, tmp_path / "states", "docker")


def test_several_platforms_are_one_image_with_annotations(by_containerd: Engine, source: Path) -> None:
    engine = by_containerd
    (source / "Dockerfile").write_text("FROM scratch\nARG TARGETARCH\nCOPY app /$TARGETARCH\n")
    options: dict[str, t.Any] = {"tags": ["1"], "platforms": PLATFORMS, "annotations": {"example.note": "one"}}
    first = engine.build("several", source, **options)
    found = documents(engine, f"{engine.prefix}/several:1")
    listed = [entry["platform"] for document in found for entry in document.get("manifests", ()) if "platform" in entry]
    assert sorted(f"{platform['os']}/{platform['architecture']}" for platform in listed) == PLATFORMS
    annotated = [document for document in found if (document.get("annotations") or {}).get("example.note") == "one"]
    assert len(annotated) == 3
    assert not engine.build("several", source, **options)["changed"]
    assert not engine.build("several", source, rebuild="always", **options)["changed"]
    options["platforms"] = PLATFORMS[:1]
    assert engine.build("several", source, **options)["why"] == ["the platforms changed: linux/arm64 removed"]
    options["annotations"] = {"example.note": "two"}
    changed = engine.build("several", source, **options)
    assert changed["why"] == ["the annotations changed: example.note changed"]
    assert engine.id("several:1") == changed["image"]["id"] != first["image"]["id"]


def test_what_an_image_has_is_listed_by_the_image_that_is_asked(
    by_containerd: Engine, source: Path, shell_files: Path, tmp_path: Path
) -> None:
    engine = by_containerd
    statement = {"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://spdx.dev/Document"}
    listed = json.dumps({**statement, "subject": [], "predicate": {"name": engine.prefix}})
    root = tmp_path / "scanner"
    shutil.copytree(shell_files, root)
    (root / "scan").write_text(f"printf '%s' '{listed}' > $BUILDKIT_SCAN_DESTINATION/own.spdx.json\n")
    scans = 'FROM scratch\nCOPY . /\nENTRYPOINT ["/bin/sh", "/scan"]\n'
    engine.build("scanner", root, tags=["1"], dockerfile_inline=scans)
    options: dict[str, t.Any] = {"tags": ["1"], "sbom": f"{engine.prefix}/scanner:1"}
    first = engine.build("listed", source, **options)
    with tarfile.open(
        fileobj=io.BytesIO(b"".join(engine.client.images.get(f"{engine.prefix}/listed:1").save()))
    ) as saved:
        blobs = [t.cast("t.IO[bytes]", saved.extractfile(member)).read() for member in saved if member.isfile()]
    assert any(engine.prefix.encode() in blob and b"https://spdx.dev/Document" in blob for blob in blobs)
    always = engine.build("listed", source, rebuild="always", **options)
    assert (always["built"], always["changed"], engine.id("listed:1")) == (True, False, first["image"]["id"])
    assert engine.build("listed", source, tags=["1"])["why"] == ["what lists the contents was removed"]


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"sbom": "longshore.test/x:1"}, r"cannot keep what 'sbom' asks for"),
        ({"platforms": PLATFORMS}, r"cannot keep what 'platforms' asks for: Docker's own image store .*snapshotter"),
        ({"annotations": {"a": "b"}, "provenance": "min"}, "cannot keep what 'annotations' and 'provenance' asks for"),
    ],
)
def test_what_docker_s_own_store_cannot_keep_is_said_before_the_build(
    engine: Engine, source: Path, options: dict[str, t.Any], match: str
) -> None:
    for check in (True, False):
        with pytest.raises(DeliveryError, match=match):
            engine.build("refused", source, check=check, tags=["1"], **options)
        assert [argv[:3] for argv in engine.commands] == [["docker", "buildx", "version"]]


def test_another_platform_is_built_and_stands_on_no_image_of_this_one(engine: Engine, source: Path, shell: str) -> None:
    other: dict[str, t.Any] = {"tags": ["1"], "platforms": ["linux/s390x"]}
    for kind in ("docker", "docker_classic"):
        engine.build("platform", source, **other, rebuild="always", engine=kind)
        assert engine.client.images.get(f"{engine.prefix}/platform:1").attrs["Architecture"] == "s390x"
    (source / "Dockerfile").write_text(f"FROM {shell}\nCOPY app /\n")
    with pytest.raises(
        DeliveryError, match="'platforms' asks for: Docker's own image store has one platform for a name"
    ):
        engine.build("platform", source, **other)


def test_whether_the_same_comes_out_twice_is_told(engine: Engine, source: Path, shell: str) -> None:
    options: dict[str, t.Any] = {"tags": ["1"], "source_date_epoch": 1_000_000_000}
    (source / "Dockerfile").write_text(f"FROM {shell}\nENV MADE={engine.prefix}\n")
    first = engine.build("twice", source, **options)
    held = {image.id for image in engine.client.images.list()}
    if engine.client.version()["Version"].startswith("20."):
        assert first["reproducible"] == {
            "same": False,
            "why_not": ["BuildKit of Docker before 23 does not know SOURCE_DATE_EPOCH"],
        }
        return
    assert first["reproducible"] == {"same": True, "why_not": []}
    assert engine.client.images.get(f"{engine.prefix}/twice:1").attrs["Created"] == "2001-09-09T01:46:40Z"
    (source / "Dockerfile").write_text(f"FROM {shell}\nENV MADE={engine.prefix}\nCOPY app /made/app\n")
    other = engine.build("twice", source, **options)["reproducible"]
    assert other["same"] is False
    (why,) = other["why_not"]
    assert why.startswith(f"layer 2 of 2 differs: {source}/Dockerfile, line 3, COPY app /made/app. ")
    assert len({image.id for image in engine.client.images.list()} - held) <= 1
    assert "reproducible" not in engine.build("twice", source, **options)


def test_a_cache_in_a_directory_is_for_every_engine_and_made_with_one_store(
    by_containerd: Engine, engine: Engine, source: Path, tmp_path: Path
) -> None:
    (source / "app").write_text(engine.prefix)  # what nobody has built
    place = {"type": "local", "path": str(tmp_path / "cache")}
    by_containerd.build("kept", source, tags=["1"], cache_to={**place, "mode": "max"})
    steps = engine.build("kept", source, tags=["1"], cache_from=[place])["steps"]
    assert [step["cached"] for step in steps if "COPY" in step["step"]] == [True]
    assert not [line for line in engine.progress if "without the cache" in line]
    with pytest.raises(DeliveryError, match=r"cannot keep a build's cache in .*, as 'cache_to' has it"):
        engine.build("kept", source, tags=["1"], rebuild="always", cache_to=place)
