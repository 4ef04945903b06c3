# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Trivy is given each image where it is, with no login among its arguments, and what it says is in the report.

In its place is a program that keeps what it is given and answers with what trivy 0.65 wrote of an image; trivy itself was seen to
read the same from engines, registries and layouts.
"""

from __future__ import annotations

import json
import os
import stat
import sys
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.audit.trivy_program import TrivyError
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from tests.unit.module_utils.image.making import Made, archive, layout, push
from tests.unit.module_utils.registry.certificates import Certificates
from tests.unit.module_utils.registry.conftest import StartRegistry, certificates
from tests.unit.module_utils.registry.servers import PASSWORD, USERNAME

from .test_image_audit import Front
from .test_shared_layers import API, WEB, Docker, Held, held
from .test_shared_layers import archive as saved
from .test_sources import podman

__all__ = ["certificates"]

pytestmark = pytest.mark.usefixtures("detectors")

VULNERABILITY = {
    "VulnerabilityID": "CVE-2099-0001",
    "PkgID": "libssl3@3.0.22-1~deb12u2",
    "PkgName": "libssl3",
    "PkgIdentifier": {"PURL": "pkg:deb/debian/libssl3@3.0.22-1~deb12u2?arch=amd64&distro=debian-12.15"},
    "InstalledVersion": "3.0.22-1~deb12u2",
    "FixedVersion": "99.0-1",
    "Status": "fixed",
    "Layer": {},
    "SeveritySource": "debian",
    "DataSource": {"ID": "debian", "Name": "Debian Security Tracker"},
    "Title": "made up",
    "Severity": "CRITICAL",
}
# what it is given, and of a layout what is in it; what it answers is in the file 'image_id', 'fails' or the layout
PROGRAM = """
import json, os, pathlib, sys
here = pathlib.Path({here!r})
words = sys.argv[1:]
call = dict(words=words, environment=dict(os.environ), files=os.listdir("."), certificates="")
if "SSL_CERT_FILE" in os.environ:
    call["certificates"] = pathlib.Path(os.environ["SSL_CERT_FILE"]).read_text()
image_id = (here / "image_id").read_text() if (here / "image_id").exists() else ""
if "--input" in words:
    place = pathlib.Path(words[words.index("--input") + 1])
    def blob(digest):
        return (place / "blobs" / "sha256" / digest[7:]).read_bytes()
    [entry] = json.loads((place / "index.json").read_text())["manifests"]
    manifest = json.loads(blob(entry["digest"]))
    assert entry["size"] == len(blob(entry["digest"])) and (place / "oci-layout").exists()
    for layer in manifest["layers"]:
        assert layer["size"] == len(blob(layer["digest"]))
        assert layer["mediaType"].endswith("gzip") == blob(layer["digest"]).startswith(b"\\x1f\\x8b")
    image_id = manifest["config"]["digest"]
    call["layers"] = len(manifest["layers"])
with open(here / "calls", "a") as file:
    file.write(json.dumps(call) + "\\n")
if (here / "fails").exists():
    sys.exit((here / "fails").read_text())
result = dict(Target="web (debian 12.15)", Class="os-pkgs", Type="debian", Vulnerabilities=[{vulnerability!r}])
print(json.dumps(dict(SchemaVersion=2, Metadata=dict(ImageID=image_id), Results=[result])))
"""


class Standing:
    """A program in trivy's place.

    :param place: a directory of its own.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        program = place / "trivy"
        program.write_text(f"#!{sys.executable}\n" + PROGRAM.format(here=str(place), vulnerability=VULNERABILITY))
        program.chmod(stat.S_IRWXU)

    def says(self, name: str, text: str) -> None:
        (self.place / name).write_text(text)

    def calls(self) -> list[dict[str, t.Any]]:
        calls = [json.loads(line) for line in (self.place / "calls").read_text().splitlines()]
        for call in calls:
            assert call["files"] == []
            assert PASSWORD not in " ".join(call["words"])
            assert call["words"][:5] == ["image", "--format", "json", "--scanners", "vuln"]
        return calls


@pytest.fixture
def trivy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Standing]:
    place, copies = tmp_path / "bin", tmp_path / "copies"
    place.mkdir()
    copies.mkdir()
    monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")
    monkeypatch.setenv("TMPDIR", str(copies))
    yield Standing(place)
    assert list(copies.iterdir()) == []


def found(**options: t.Any) -> list[tuple[str, list[str]]]:
    """Of each image its configuration and the vulnerabilities in it."""
    front = Front(commands=True)
    images = front.run(**{"vulnerabilities": "trivy", "fail_on": "never", **options})["images"]
    assert len([line for line in front.shown if line.startswith("trivy looks at ")]) == len(images)
    return [
        (each["digests"]["config"], [one["rule"] for one in each["findings"] if one["rule"].startswith("CVE")])
        for each in images
    ]


def seen(*images: Held) -> list[tuple[str, list[str]]]:
    return [(each.config, ["CVE-2099-0001"]) for each in images]


def test_each_image_of_an_archive(trivy: Standing, tmp_path: Path) -> None:
    path = tmp_path / "both.tar"
    images = held()[:2]
    path.write_bytes(saved(images))
    assert found(archive=str(path)) == seen(*images)
    assert [call["layers"] for call in trivy.calls()] == [2, 2]


@pytest.mark.parametrize("form", ["directory", "tar", "archive", "compressed"])
def test_each_image_of_a_layout(trivy: Standing, tmp_path: Path, form: str) -> None:
    images = held()
    path = layout(
        tmp_path / "layout", *(each.made.descriptor() for each in images), made=[each.made for each in images]
    )
    if form in ("archive", "compressed"):
        options = {"archive": str(archive(path, "w" if form == "archive" else "w:gz"))}
    else:
        options = {"store": "layout", "layout": str(path if form == "directory" else archive(path))}
    assert found(**options) == seen(*images)
    assert [call["layers"] for call in trivy.calls()] == [2, 2, 1]


def test_dockers_at_the_engine(trivy: Standing) -> None:
    images = held()
    trivy.says("image_id", images[0].config)
    with Docker(images) as engine:
        host = f"tcp://{engine.endpoint}"
        assert found(references=[WEB], docker_host=host) == seen(images[0])
    [call] = trivy.calls()
    assert call["words"][-3:] == ["--image-src", "docker", images[0].config]
    assert call["environment"]["DOCKER_HOST"] == host


def test_one_that_is_called_by_its_manifest_by_its_name(trivy: Standing) -> None:
    images = held(by_manifest=True)
    trivy.says("image_id", images[1].config)
    with Docker(images) as engine:
        assert found(references=[API], docker_host=f"tcp://{engine.endpoint}") == seen(images[1])
    [call] = trivy.calls()
    assert call["words"][-1] == API


def test_podmans_as_a_copy(trivy: Standing, tmp_path: Path) -> None:
    web = held()[0]
    podman(trivy.place, saved([web]))
    assert found(engine="podman", references=[WEB]) == seen(web)
    [call] = trivy.calls()
    assert call["layers"] == 2


def served(option: dict[str, t.Any], made: Made) -> None:
    with RegistryClient(RegistrySettings.from_params(option)) as client:
        push(client, "shop/web", made, "1")


def test_at_a_registry_without_tls(trivy: Standing, start_registry: StartRegistry) -> None:
    made, registry = held()[0].made, start_registry()
    option = {"endpoint": registry.endpoint, "tls": "plain"}
    served(option, made)
    trivy.says("image_id", made.document["config"]["digest"])
    assert found(store="registry", registry=option, references=["shop/web:1"]) == seen(held()[0])
    [call] = trivy.calls()
    assert call["words"][-4:] == ["--insecure", "--image-src", "remote", f"{registry.endpoint}/shop/web@{made.digest}"]
    assert "TRIVY_PASSWORD" not in call["environment"]


def test_at_a_registry_by_its_authority_and_login(
    trivy: Standing, start_registry: StartRegistry, certificates: Certificates
) -> None:
    made = held()[0].made
    authority = certificates.authority()
    issued = certificates.issue("registry", ["127.0.0.1"], by=authority)
    registry = start_registry(issued=issued, htpasswd=True)
    option = {
        "endpoint": registry.endpoint,
        "ca": authority.pem,
        "username": USERNAME,
        "password": PASSWORD,
    }
    served(option, made)
    trivy.says("image_id", made.document["config"]["digest"])
    assert found(store="registry", registry=option, references=["shop/web:1"]) == seen(held()[0])
    [call] = trivy.calls()
    assert "--insecure" not in call["words"]
    assert (call["environment"]["TRIVY_USERNAME"], call["environment"]["TRIVY_PASSWORD"]) == (USERNAME, PASSWORD)
    assert call["certificates"] == option["ca"]


@pytest.fixture
def web(tmp_path: Path) -> dict[str, t.Any]:
    path = tmp_path / "web.tar"
    path.write_bytes(saved(held()[:1]))
    return {"archive": str(path)}


def test_it_is_asked_where_that_is_asked_for_alone(trivy: Standing, web: dict[str, t.Any]) -> None:
    assert Front().run(**web)["images"][0]["findings"] == []
    with pytest.raises(DeliveryError, match=r"CVE-2099-0001: libssl3 .*: made up\. Update libssl3 to 99\.0-1"):
        Front(commands=True).run(**web, vulnerabilities="trivy")


def test_a_database_that_was_brought_and_the_time_it_may_take(
    trivy: Standing, web: dict[str, t.Any], tmp_path: Path
) -> None:
    found(**web)
    with pytest.raises(TrivyError, match=r"copies has no db/trivy\.db\. Fetch its database where"):
        found(**web, trivy_database=str(tmp_path / "copies"))
    with pytest.raises(DeliveryError, match="absolute"):
        found(**web, trivy_database="trivy")
    database = tmp_path / "database" / "db"
    database.mkdir(parents=True)
    (database / "trivy.db").touch()
    found(**web, trivy_database=str(database.parent), trivy_seconds=7)
    fetching, brought = (call["words"] for call in trivy.calls())
    assert "--skip-db-update" not in fetching
    assert fetching[fetching.index("--timeout") + 1] == "300s"
    at = brought.index("--cache-dir")
    assert brought[at : at + 5] == [
        "--cache-dir",
        str(database.parent),
        "--skip-db-update",
        "--skip-java-db-update",
        "--offline-scan",
    ]
    assert brought[brought.index("--timeout") + 1] == "7s"
    with pytest.raises(TrivyError, match="'trivy_seconds' is 0"):
        found(**web, trivy_seconds=0)


@pytest.mark.parametrize(
    ("fatal", "said"),
    [
        ("init error: DB error: failed to download vulnerability DB", "Fetch its database where the internet"),
        ("image scan error: walk error: semaphore acquire: context deadline exceeded", "300 s by 'trivy_seconds'"),
        ("no space left on device", r"\(status 1\)\. It said: .*no space left"),
    ],
)
def test_what_it_fails_of_is_said(trivy: Standing, web: dict[str, t.Any], fatal: str, said: str) -> None:
    trivy.says(
        "fails", f"2026-11-22T11:05:48Z\tINFO\tNeed to update DB\n2026-11-22T11:05:48Z\tFATAL\tFatal error\t{fatal}\n"
    )
    with pytest.raises(TrivyError, match=said) as caught:
        found(**web)
    assert WEB in str(caught.value)
    assert fatal in str(caught.value)
    assert "Need to update" not in str(caught.value)


def test_what_is_not_installed_is_said_before_anything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(TrivyError, match=r"no program trivy in PATH \(/nowhere\)"):
        found(archive="/no/such/archive")


def test_what_it_says_of_another_image_is_an_error(trivy: Standing) -> None:
    trivy.says("image_id", "sha256:" + "0" * 64)
    with (
        Docker(held()) as engine,
        pytest.raises(DeliveryError, match=r"what trivy wrote of .*web:1 is of the image sha256:0+"),
    ):
        found(references=[WEB], docker_host=f"tcp://{engine.endpoint}")
