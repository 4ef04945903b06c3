# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A layer that several images of a task share is read once, wherever they are, and is told by a name that people know."""

from __future__ import annotations

import dataclasses
import gzip
import io
import json
import os
import stat
import sys
import tarfile
import typing as t
import urllib.parse
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.audit.handed_out import asked_together
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.digest import DiffId
from ansible_collections.longshore.delivery.plugins.module_utils.image.contents import ImageContents, Layer
from ansible_collections.longshore.delivery.plugins.module_utils.image.oci_layout import OciLayout
from tests.http_server import AnsweringServer, Reply, Request, json_reply
from tests.unit.module_utils.image.making import Made, image, layout

from .made import Content, layer_bytes
from .test_image_audit import Front

pytestmark = pytest.mark.usefixtures("detectors")

WEB, API, OTHER = (f"registry.example:5000/shop/{name}:1" for name in ("web", "api", "other"))


@dataclasses.dataclass
class Held:
    """An image that an engine has.

    :param by_manifest: whether the engine calls it by its manifest, as with containerd's store.
    """

    made: Made
    name: str
    by_manifest: bool = False

    @property
    def config(self) -> str:
        return str(self.made.document["config"]["digest"])

    @property
    def document(self) -> dict[str, t.Any]:
        return t.cast("dict[str, t.Any]", json.loads(self.made.blobs[self.config]))

    @property
    def image_id(self) -> str:
        return self.made.digest if self.by_manifest else self.config

    def shown(self) -> dict[str, t.Any]:
        document = self.document
        return {
            "Id": self.image_id,
            "Os": "linux",
            "Architecture": "amd64",
            "Size": 30,
            "Config": document["config"],
            "RootFS": {"Type": "layers", "Layers": document["rootfs"]["diff_ids"]},
        }

    def history(self) -> list[dict[str, t.Any]]:
        steps = reversed(self.document["history"])
        return [{"CreatedBy": step["created_by"], "Size": int("empty_layer" not in step)} for step in steps]


def held(*, by_manifest: bool = False) -> list[Held]:
    """Two images with a layer that both have, and one with none of theirs."""
    web, api = image("base", "web", User="1000", Entrypoint=["/web"]), image("base", "api", User="1000")
    return [
        Held(made, name, by_manifest) for made, name in ((web, WEB), (api, API), (image("other", User="1000"), OTHER))
    ]


def archive(images: t.Sequence[Held]) -> bytes:
    """What an engine hands out: each layer once, by its diffID, and where it calls images by manifests, a layout as well."""
    parts: dict[str, Content] = {}
    entries = []
    for each in images:
        names = []
        digests = (layer["digest"] for layer in each.made.document["layers"])
        for diff_id, digest in zip(each.document["rootfs"]["diff_ids"], digests, strict=True):
            names.append(f"blobs/sha256/{diff_id[7:]}")
            parts[names[-1]] = gzip.decompress(each.made.blobs[digest])
        parts[f"blobs/sha256/{each.config[7:]}"] = each.made.blobs[each.config]
        entries.append({"Config": f"blobs/sha256/{each.config[7:]}", "RepoTags": [each.name], "Layers": names})
        if each.by_manifest:
            parts[f"blobs/sha256/{each.made.digest[7:]}"] = each.made.body
    parts["manifest.json"] = json.dumps(entries).encode()
    if any(each.by_manifest for each in images):
        parts["index.json"] = json.dumps({"manifests": [each.made.descriptor() for each in images]}).encode()
    return layer_bytes(parts)


class Docker(AnsweringServer):
    """Docker's API with images, which it hands out by their names.

    :ivar handed_out: the names of each archive that was asked for.
    """

    def __init__(self, images: t.Sequence[Held]) -> None:
        self.images = images
        self.handed_out: list[list[str]] = []
        store = [["driver-type", "io.containerd.snapshotter.v1"]] if images[0].by_manifest else []
        self.answers: dict[str, t.Any] = {
            "/info": {"DriverStatus": store},
            "/images/json": [{"Id": each.image_id, "RepoTags": [each.name], "RepoDigests": []} for each in images],
        }
        for each in images:
            self.answers[f"/images/{each.image_id}/json"] = each.shown()
            self.answers[f"/images/{each.image_id}/history"] = each.history()
        super().__init__(self.reply)

    def reply(self, request: Request) -> Reply:
        path, _question, query = request.path.partition("?")
        if path.endswith("/get"):
            asked = urllib.parse.parse_qs(query)["names"]
            self.handed_out.append(asked)
            return 200, {}, archive([each for each in self.images if each.name in asked])
        return json_reply(self.answers[urllib.parse.unquote(path)])

    def audited(self, *references: str) -> tuple[list[dict[str, t.Any]], list[str]]:
        """What is said of images, and the lines that tell of layers."""
        front = Front()
        host = f"tcp://{self.endpoint}"
        found = front.run(references=list(references), docker_host=host, fail_on="never")["images"]
        return found, [line for line in front.shown if line.startswith("read ")]


def by_name(images: t.Iterable[dict[str, t.Any]]) -> dict[str, dict[str, t.Any]]:
    return {each["references"][0]: each for each in images}


@pytest.mark.parametrize("by_manifest", [False, True])
def test_of_an_engine_what_shares_layers_is_asked_for_together(by_manifest: bool) -> None:
    with Docker(held(by_manifest=by_manifest)) as engine:
        found, told = engine.audited(WEB, API, OTHER)
        assert sorted(map(sorted, engine.handed_out)) == [sorted([WEB, API]), [OTHER]]
        assert list(by_name(found)) == [WEB, API, OTHER]
        alone = {name: engine.audited(name)[0][0] for name in (WEB, API, OTHER)}
    assert by_name(found) == alone
    assert alone[WEB]["layers"] != alone[API]["layers"]
    assert sorted(told) == [
        f"read layer 0 of {OTHER}, COPY other / (0 MB)",
        f"read layer 0 of {WEB}, COPY base / (0 MB)",
        f"read layer 1 of {API}, COPY api / (0 MB)",
        f"read layer 1 of {WEB}, COPY web / (0 MB)",
    ]


def test_what_an_archive_does_not_tell_is_asked_for_alone() -> None:
    images = held(by_manifest=True)
    with Docker(images) as engine:
        # an engine whose archives are no layouts
        for each in images:
            each.by_manifest = False
        found, _told = engine.audited(WEB, API)
    assert engine.handed_out == [[WEB, API], [WEB], [API]]
    assert [layer["instruction"] for each in found for layer in each["layers"]] == [
        "COPY base /",
        "COPY web /",
        "COPY base /",
        "COPY api /",
    ]


def test_podman_is_asked_for_several_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = held()[:2]
    answers: dict[str, t.Any] = {
        "images --no-trunc --format json": [{"Id": each.image_id[7:], "Names": [each.name]} for each in images],
        "image inspect " + " ".join(each.image_id[7:] for each in images): [
            {**each.shown(), "Id": each.image_id[7:], "History": each.document["history"]} for each in images
        ],
    }
    (tmp_path / "archive").write_bytes(archive(images))
    program = tmp_path / "podman"
    program.write_text(
        f"#!{sys.executable}\n"
        "import json, pathlib, shutil, sys\n"
        f"here = pathlib.Path({str(tmp_path)!r})\n"
        "words = sys.argv[1:]\n"
        "if words[0] == 'save':\n"
        "    with open(here / 'asked', 'a') as asked:\n"
        "        asked.write(json.dumps(words) + '\\n')\n"
        "    shutil.copy(here / 'archive', words[words.index('--output') + 1])\n"
        "else:\n"
        f"    print(json.dumps({answers!r}[' '.join(words)]))\n"
    )
    program.chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    front = Front(commands=True)
    found = front.run(engine="podman", references=[WEB, API], fail_on="never")["images"]
    assert [len(each["layers"]) for each in found] == [2, 2]
    [line] = (tmp_path / "asked").read_text().splitlines()
    words = json.loads(line)
    assert words[:5] == ["save", "--quiet", "--format", "docker-archive", "--multi-image-archive"]
    assert words[-2:] == [WEB, API]
    assert len([line for line in front.shown if line.startswith("read layer ")]) == 3


def test_of_a_layout_each_layer_is_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [each.made for each in held()]
    entries = [each.made.descriptor(annotations={"io.containerd.image.name": each.name}) for each in held()]
    path = layout(tmp_path / "layout", *entries, made=made)
    opened: list[str] = []
    open_blob = OciLayout.open_blob

    def noted(self: OciLayout, digest: t.Any) -> t.Any:
        opened.append(str(digest))
        return open_blob(self, digest)

    monkeypatch.setattr(OciLayout, "open_blob", noted)
    front = Front()
    found = front.run(store="layout", layout=str(path), fail_on="never")["images"]
    assert [len(each["layers"]) for each in found] == [2, 2, 1]
    layers = {layer["digest"] for each in made for layer in each.document["layers"]}
    assert (len(opened), set(opened)) == (len(layers), layers)
    assert f"read layer 1 of {API}, COPY api / (0 MB)" in front.shown


def test_of_an_archive_layers_are_counted_as_they_come(tmp_path: Path) -> None:
    path = tmp_path / "both.tar"
    path.write_bytes(archive(held()[:2]))
    front = Front()
    assert len(front.run(archive=str(path), fail_on="never")["images"]) == 2
    told = [line for line in front.shown if line.startswith("read ")]
    assert told == [f"read number {number} of the layers of {path} (0 MB)" for number in (1, 2, 3)]


def test_a_secret_in_an_instruction_is_not_told(tmp_path: Path) -> None:
    made = image("base", User="1000")
    config = made.document["config"]["digest"]
    document = json.loads(made.blobs[config])
    document["history"][0]["created_by"] = "RUN /bin/sh -c DB_PASSWORD=hunter22x make # buildkit"
    kept = Held(made, WEB)
    made.blobs[config] = json.dumps(document).encode()
    with Docker([kept]) as engine:
        _found, told = engine.audited(WEB)
    assert told == [f"read layer 0 of {WEB}, RUN (not shown: it holds a secret) (0 MB)"]


def test_what_is_damaged_is_told_by_its_image(tmp_path: Path) -> None:
    path = tmp_path / "web.tar"
    images = held()[:2]
    damaged = images[1].document["rootfs"]["diff_ids"][1][7:]
    with tarfile.open(path, "w") as tar, tarfile.open(fileobj=_file(archive(images))) as whole:
        for member in whole:
            content = t.cast("t.IO[bytes]", whole.extractfile(member)).read()
            data = b"x" * len(content) if damaged in member.name else content
            tar.addfile(member, _file(data))
    with pytest.raises(DeliveryError, match=rf"layer 1 of {API} \(blobs/sha256/{damaged}\) cannot be read"):
        Front().run(archive=str(path), fail_on="never")


def _file(data: bytes) -> t.IO[bytes]:
    return io.BytesIO(data)


def contents(name: str, *layers: int, size: int = 1) -> ImageContents:
    diff_ids = [DiffId("sha256", "%064x" % layer) for layer in layers]
    return ImageContents(name, layers=tuple(Layer(index, each) for index, each in enumerate(diff_ids)), size=size)


def test_groups_share_layers_through_others_and_have_their_size() -> None:
    def grouped(*images: ImageContents, most: int = 100) -> list[list[str]]:
        return [[each.id for each in group] for group in asked_together(images, most)]

    a, b, c, d = contents("a", 1, 2), contents("b", 3), contents("c", 2, 4), contents("d", 3, 4)
    assert grouped(a, b, c) == [["b"], ["a", "c"]]
    assert grouped(a, b, c, d) == [["b", "a", "c", "d"]]
    assert grouped(a, b, c, d, most=2) == [["b", "a"], ["c", "d"]]
    large = contents("e", 1, size=500)
    assert grouped(a, large, c) == [["a"], ["e"], ["c"]]
    assert grouped(contents("f"), contents("g")) == [["f"], ["g"]]
