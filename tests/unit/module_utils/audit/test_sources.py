# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One image, wherever it is, is audited alike: each layer read once, and what is damaged, missing or cut off is said."""

from __future__ import annotations

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

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from tests.http_server import AnsweringServer, Reply, Request, json_reply
from tests.unit.module_utils.image import engines
from tests.unit.module_utils.image.making import Made, archive, digest_of, image, index, layout, push
from tests.unit.module_utils.registry.conftest import StartRegistry
from tests.unit.module_utils.registry.servers import Registry

from .made import Content, layer_bytes
from .test_image_audit import Front

pytestmark = pytest.mark.usefixtures("detectors")

FULL = "io.containerd.image.name"
WEB = engines.WEB
FILES = ("app/.env", "app/two")


def made_image(**settings: t.Any) -> Made:
    return image(*FILES, User="1000", Entrypoint=["/web"], **settings)


def saved(made: Made, *names: str) -> bytes:
    """As docker save writes it."""
    config = made.document["config"]["digest"]
    layers = [layer["digest"] for layer in made.document["layers"]]
    manifest = [
        {"Config": "config.json", "RepoTags": list(names), "Layers": [f"{each[7:]}/layer.tar" for each in layers]}
    ]
    parts: dict[str, Content] = {f"{each[7:]}/layer.tar": made.blobs[each] for each in layers}
    parts["config.json"] = made.blobs[config]
    parts["manifest.json"] = json.dumps(manifest).encode()
    return layer_bytes(parts)


def in_layout(directory: Path, made: Made, *further: Made) -> Path:
    return layout(directory, made.descriptor(annotations={FULL: WEB}), made=[made, *further])


def docker(archive_bytes: bytes, address: str | Path = "127.0.0.1") -> AnsweringServer:
    """Docker's API with one image, which it saves as these bytes."""
    documents = engines.docker()

    def answer(request: Request) -> Reply:
        path = urllib.parse.unquote(request.path.partition("?")[0])
        if path.endswith("/get"):
            return 200, {"Content-Type": "application/x-tar"}, archive_bytes
        found = next((document for end, document in documents.items() if path.endswith(end)), None)
        return json_reply({"message": "No such image"}, 404) if found is None else json_reply(found)

    return AnsweringServer(answer, address=address)


def alike(result: dict[str, t.Any]) -> dict[str, t.Any]:
    """What every source says of the image in the same words."""
    (found,) = result["images"]
    same = ("references", "platform", "size", "wasted_bytes", "layers", "findings", "excepted", "table")
    return {name: found[name] for name in same}


@pytest.fixture
def expected(tmp_path: Path) -> dict[str, t.Any]:
    """What is said of the image in an archive."""
    path = tmp_path / "expected.tar"
    path.write_bytes(saved(made_image(), WEB))
    result = alike(Front().run(archive=str(path), fail_on="never"))
    assert [found["path"] for found in result["findings"]] == ["app/.env"]
    assert [layer["instruction"] for layer in result["layers"]] == [f"COPY {name} /" for name in FILES]
    assert result["references"] == [WEB]
    return result


@pytest.fixture
def registry(start_registry: StartRegistry) -> Registry:
    return start_registry()


def served(registry: Registry, made: Made, *tags: str) -> dict[str, t.Any]:
    """Have the registry serve shop/web; returns the option C(registry)."""
    option = {"endpoint": registry.endpoint, "tls": "plain"}
    with RegistryClient(RegistrySettings.from_params(option)) as client:
        push(client, "shop/web", made, *tags)
    return option


@pytest.mark.parametrize("form", ["directory", "tar", "archive", "compressed"])
def test_a_layout(tmp_path: Path, expected: dict[str, t.Any], form: str) -> None:
    made = made_image()
    path = in_layout(tmp_path / "layout", made)
    if form == "directory":
        result = Front().run(store="layout", layout=str(path), fail_on="never")
    elif form == "tar":
        result = Front().run(store="layout", layout=str(archive(path)), fail_on="never")
    else:
        tar = archive(path, "w" if form == "archive" else "w:gz")
        result = Front().run(archive=str(tar), fail_on="never")
    assert alike(result) == expected
    assert result["images"][0]["digests"]["manifest"] == made.digest


def test_a_registry(registry: Registry, expected: dict[str, t.Any]) -> None:
    made = made_image()
    option = served(registry, made, "1")
    front = Front()
    for reference in ("shop/web:1", f"shop/web@{made.digest}", f"shop/web:1@{made.digest}"):
        result = front.run(store="registry", registry=option, references=[reference], fail_on="never")
        names = [f"{registry.endpoint}/shop/web:1"] if ":1" in reference else []
        assert alike(result) == {**expected, "references": names}
    digest = made.document["layers"][0]["digest"]
    name = f"{registry.endpoint}/shop/web"
    called = [f"{name}:1", f"sha256:{made.digest[7:]}", f"{name}:1"]
    assert [line for line in front.shown if " layer 0 " in line] == [
        f"read layer 0 of {each}, COPY app/.env / (0 MB)" for each in called
    ]
    assert not any(digest in line for line in front.shown)


def test_a_docker_engine_on_its_socket_and_elsewhere(tmp_path: Path, expected: dict[str, t.Any]) -> None:
    for address in (tmp_path / "docker.sock", "127.0.0.1"):
        with docker(saved(made_image()), address) as server:
            host = f"unix://{server.endpoint}" if server.endpoint.startswith("/") else f"tcp://{server.endpoint}"
            result = Front().run(references=[WEB], docker_host=host, fail_on="never")
            by_id = Front().run(references=[engines.CONFIG[:20]], docker_host=host, fail_on="never")
            asked, again = (
                request.path for request in server.requests if request.path.partition("?")[0].endswith("/get")
            )
        assert alike(result) == expected
        assert (result["engine"], result["engine_reason"]) == ("docker", "docker_host names it")
        assert result["images"][0]["id"] == engines.CONFIG
        assert WEB in urllib.parse.unquote(asked)
        assert (again, by_id) == (asked, result)


def podman(directory: Path, archive_bytes: bytes) -> None:
    """A program of this name that answers as Podman does."""
    (directory / "archive").write_bytes(archive_bytes)
    (directory / "answers").write_text(json.dumps(engines.podman()))
    program = directory / "podman"
    program.write_text(
        f"#!{sys.executable}\n"
        "import json, pathlib, shutil, sys\n"
        f"here = pathlib.Path({str(directory)!r})\n"
        "words = sys.argv[1:]\n"
        "if words[0] == 'save':\n"
        "    (here / 'asked').write_text(json.dumps(words))\n"
        "    shutil.copy(here / 'archive', words[words.index('--output') + 1])\n"
        "else:\n"
        "    answers = json.loads((here / 'answers').read_text())\n"
        "    found = answers.get(' '.join(words))\n"
        "    sys.exit('image not known') if found is None else print(json.dumps(found))\n"
    )
    program.chmod(stat.S_IRWXU)


def test_podman(tmp_path: Path, expected: dict[str, t.Any], monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    podman(tmp_path, saved(made_image(), WEB))
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("TMPDIR", str(kept))
    result = Front(commands=True).run(engine="podman", references=[WEB], fail_on="never")
    assert alike(result) == expected
    assert result["engine"] == "podman"
    asked = json.loads((tmp_path / "asked").read_text())
    assert asked[:5] == ["save", "--quiet", "--format", "docker-archive", "--output"]
    assert Path(asked[5]).is_relative_to(kept)
    assert asked[6:] == [WEB]
    assert list(kept.iterdir()) == []


def test_a_layer_of_several_images_is_read_once(tmp_path: Path, registry: Registry) -> None:
    one, other = made_image(), image(*FILES, "third", architecture="arm64", User="1000")
    both = index({"linux/amd64": one, "linux/arm64": other})
    option = served(registry, both, "1", "1.4")
    front = Front()
    found = front.run(store="registry", registry=option, references=["shop/web:1"], fail_on="never")["images"]
    assert [each["platform"] for each in found] == ["linux/amd64", "linux/arm64"]
    assert [len(each["layers"]) for each in found] == [2, 3]
    layers = [layer["digest"] for layer in other.document["layers"]]
    assert [line for line in front.shown if line.startswith("read ")] == [
        f"read layer {number} of {registry.endpoint}/shop/web:1, COPY {name} / (0 MB)"
        for number, name in enumerate((*FILES, "third"))
    ]
    gets = [line for line in registry.log.read_text().splitlines() if '"GET /v2/' in line]
    assert [sum(digest in line for line in gets) for digest in layers] == [1, 1, 1]

    path = layout(tmp_path / "layout", both.descriptor(), made=[both])
    in_layout_found = Front().run(store="layout", layout=str(path), fail_on="never")["images"]
    assert [each["layers"] for each in in_layout_found] == [each["layers"] for each in found]


@pytest.mark.parametrize(
    ("nodes", "found"),
    [
        (["linux/arm64"], [False, False]),
        (["linux/amd64", "linux/s390x"], [False, False]),
        (["linux/s390x"], [True, True]),
    ],
)
def test_one_of_several_platforms_is_enough(tmp_path: Path, nodes: list[str], found: list[bool]) -> None:
    both = index({"linux/amd64": made_image(), "linux/arm64": image(*FILES, architecture="arm64", User="1000")})
    apart = image("alone", architecture="arm64", User="1000")
    path = layout(tmp_path / "layout", both.descriptor(), apart.descriptor(), made=[both, apart])
    images = Front().run(store="layout", layout=str(path), platforms=nodes, fail_on="never")["images"]
    of = [any(one["rule"] == "platform" for one in each["findings"]) for each in images]
    assert of == [*found, "linux/arm64" not in nodes]


def other_layer() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo("other"))
    return buffer.getvalue()


@pytest.mark.parametrize("damage", ["other", "none"])
def test_a_layer_with_other_bytes_is_said(tmp_path: Path, registry: Registry, damage: str) -> None:
    data, said = (other_layer(), "digest") if damage == "other" else (b"\x1f\x8bnothing of gzip", "Layer 1 .*gzip")
    made = made_image()
    digest = made.document["layers"][1]["digest"]
    option = served(registry, made, "1")
    registry.blob_file(digest).write_bytes(data)
    path = in_layout(tmp_path / "layout", made)
    (path / "blobs/sha256" / digest[7:]).write_bytes(data)
    with pytest.raises(DeliveryError, match=said) as caught:
        Front().run(store="registry", registry=option, references=["shop/web:1"], fail_on="never")
    assert digest in str(caught.value)
    for place in (path, archive(path)):
        with pytest.raises(DeliveryError, match=said) as caught:
            Front().run(store="layout", layout=str(place), fail_on="never")
        assert digest in str(caught.value)
    (path / "blobs/sha256" / digest[7:]).unlink()
    with pytest.raises(DeliveryError, match=f"{digest} is missing"):
        Front().run(store="layout", layout=str(path), fail_on="never")


def test_an_image_that_is_not_there_is_said(tmp_path: Path, registry: Registry) -> None:
    made = made_image()
    option = served(registry, made, "1")
    path = in_layout(tmp_path / "layout", made)
    archived = tmp_path / "web.tar"
    archived.write_bytes(saved(made, WEB))
    there, absent = WEB, "registry.example:5000/shop/web:2"
    stores: list[dict[str, t.Any]] = [
        {"store": "layout", "layout": str(path)},
        {"archive": str(archived)},
    ]
    for store in stores:
        with pytest.raises(DeliveryError, match=r"111111111111 is an image ID, and only engines have such"):
            Front().run(**store, references=["1" * 12])
        assert alike(Front().run(**store, references=[there], fail_on="never"))["references"] == [there]
        with pytest.raises(DeliveryError, match=f"has no image {absent}. Build"):
            Front().run(**store, references=[there, absent])
    with pytest.raises(DeliveryError, match=f"has no image {registry.endpoint}/shop/web:2. Build"):
        Front().run(store="registry", registry=option, references=["shop/web:1", "shop/web:2"])
    with docker(saved(made)) as server, pytest.raises(DeliveryError, match=f"has no image {absent}. Build") as caught:
        Front().run(docker_host=f"tcp://{server.endpoint}", references=[absent])
    assert caught.value.facts["engine"] == "docker"
    with docker(saved(made)) as server, pytest.raises(DeliveryError, match=r"has no image 999999999999\. Build"):
        Front().run(docker_host=f"tcp://{server.endpoint}", references=["9" * 12])
    assert not any("/get" in request.path for request in server.requests)


def test_in_check_mode_an_image_may_come_by_what_is_before(registry: Registry) -> None:
    option = served(registry, made_image(), "1")
    front = Front(check=True)
    found = front.run(store="registry", registry=option, references=["shop/web:1", "shop/web:2"], fail_on="never")
    assert [image["references"] for image in found["images"]] == [[f"{registry.endpoint}/shop/web:1"]]
    [warned] = front.warned
    assert f"has no image {registry.endpoint}/shop/web:2" in warned
    assert "What comes before in the same playbook may change that." in warned


def test_what_is_no_image_is_no_image(tmp_path: Path) -> None:
    chart = image("chart.yaml", config_type="application/vnd.cncf.helm.config.v1+json")
    path = in_layout(tmp_path / "layout", chart)
    for store in ({"store": "layout", "layout": str(path)}, {"archive": str(archive(path))}):
        with pytest.raises(DeliveryError, match="no image"):
            Front().run(**store)


@pytest.mark.parametrize("form", ["socket", "port"])
def test_what_an_engine_cuts_off_is_said(tmp_path: Path, form: str) -> None:
    whole = saved(made_image(), WEB)
    with docker(whole[:1500], tmp_path / "docker.sock" if form == "socket" else "127.0.0.1") as server:
        host = f"unix://{server.endpoint}" if form == "socket" else f"tcp://{server.endpoint}"
        with pytest.raises(
            DeliveryError,
            match=r"What docker at .* hands out of registry.example:5000/shop/web:1 cannot be read: .*damaged",
        ):
            Front().run(docker_host=host, references=[WEB])


def test_a_cri_hands_out_no_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    sources = "ansible_collections.longshore.delivery.plugins.module_utils.audit.sources"
    cri = sys.modules[sources].Cri(lambda *argv, **how: None, "crictl", "/run/x.sock")
    found = sys.modules[sources].LocalEngine(cri, "containerd on n1", {"engine": "containerd"})
    monkeypatch.setattr(f"{sources}.find_engine", lambda *options: found)
    with pytest.raises(DeliveryError, match=r"containerd on n1 is spoken to by the CRI, .*store: registry"):
        Front().run(references=[WEB])


def test_each_digest_is_of_its_kind(tmp_path: Path) -> None:
    made = made_image()
    (found,) = Front().run(store="layout", layout=str(in_layout(tmp_path / "l", made)), fail_on="never")["images"]
    config = made.document["config"]["digest"]
    assert found["digests"] == {"config": config, "manifest": digest_of(made.body), "index": None}
