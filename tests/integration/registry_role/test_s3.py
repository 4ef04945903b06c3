# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The registry keeps its images in a bucket, and says what keeps it from that."""

from __future__ import annotations

import contextlib
import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryError
from tests.integration.asking import eventually
from tests.lab.builds import build
from tests.lab.engine import docker
from tests.lab.places import Places
from tests.unit.module_utils.registry.certificates import Certificates

from .host import HOST
from .lab import (
    BACKEND,
    CONFIGURATION,
    DATA,
    DIRECTORY,
    UNIT,
    changed,
    client,
    files,
    on_host,
    play,
    processes,
    said_differences,
)
from .test_container_backend import IMAGE, load
from .traffic import push

pytestmark = [pytest.mark.lab, pytest.mark.wide]

SECRET = 's3"c$ret`\\/+=#'
SERVICE = "s3-test.service"
LOGIN, AUTHORITY = f"{DIRECTORY}/s3.env", f"{DIRECTORY}/s3-ca.crt"
BUCKET: dict[str, str] = {
    "bucket": "images",
    "endpoint": "https://127.0.0.1:9000",
    "prefix": "one/two",
    "access_key": "registry",
    "secret_key": SECRET,
}


@pytest.fixture(scope="module")
def authority(ca: str, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[str]:
    """A storage runs on the host, with TLS by an authority of its own."""
    certificates = Certificates(tmp_path_factory.mktemp("storage"))
    own = certificates.authority("Storage")
    issued = certificates.issue("127.0.0.1", ["127.0.0.1"], own)
    program = build(["s3"], Places.of_user().root, print)["s3"] / "s3"
    docker("cp", str(program), f"{HOST.container}:/usr/local/bin/s3")
    on_host("tee", "/srv/s3.pem", stdin=issued.pem + issued.key_file.read_text())
    start_storage()
    yield own.pem
    on_host("systemctl", "stop", SERVICE)
    on_host("rm", "/usr/local/bin/s3", "/srv/s3.pem")


def start_storage() -> None:
    variables = ["--setenv=S3_ACCESS_KEY=registry", f"--setenv=S3_SECRET_KEY={SECRET}"]
    on_host(
        *("systemd-run", "--quiet", "--collect", f"--unit={SERVICE}", *variables),
        *("s3", "-address", "127.0.0.1:9000", "-buckets", "images", "-certificate", "/srv/s3.pem"),
    )
    eventually(lambda: on_host("ss", "-Hltn", "sport", "=", ":9000") != "")


def options(authority: str, **more: str) -> dict[str, t.Any]:
    return {"registry_s3": {**BUCKET, "ca": authority, **more}}


def has(ca: str, repository: str, image: ManifestDigest) -> bool:
    with contextlib.suppress(RegistryError), client(ca) as pulling:
        (layer,) = pulling.get_manifest(repository, image).layers
        return layer.matches(pulling.get_blob(repository, layer))
    return False


@pytest.mark.rare
def test_images_are_kept_in_a_bucket(ca: str, authority: str, repository: str, image: ManifestDigest) -> None:
    wanted = options(authority)
    output = play("-v", **wanted)
    assert f"{BACKEND} runs another configuration" in said_differences(output)
    assert "has kept its images in registry_data, and is to keep them in s3://images/one/two" in " ".join(
        output.split()
    )
    assert not has(ca, repository, image), "it did not move"
    with client(ca) as pushing:
        kept = push(pushing, repository, os.urandom(12_000_000), "kept")
    assert has(ca, repository, kept)
    assert on_host("find", DATA, "-path", f"*{str(kept).removeprefix('sha256:')}*") == ""

    assert on_host("stat", "--format", "%U:%G %a", LOGIN).strip() == "root:root 600"
    for where in (
        output,
        on_host("cat", CONFIGURATION, UNIT),
        on_host("ps", "-eo", "args"),
        on_host("systemctl", "show", BACKEND),
    ):
        assert SECRET not in where
        assert 's3\\"c' not in where
    before, running = files(), processes()
    assert changed(play(**wanted)) == 0
    assert (files(), processes()) == (before, running)

    # what cannot serve is put back, with what the storage said
    for wrong, words in (
        ({"bucket": "nowhere"}, ["NoSuchBucket", "Make the bucket"]),
        ({"secret_key": "another-secret"}, ["SignatureDoesNotMatch", "Set access_key and secret_key"]),
        ({"ca": ""}, ["certificate signed by unknown authority", "Set ca to the authority"]),
    ):
        said = " ".join(play("-v", ok=False, **options(authority, **wrong)).split())
        for word in (*words, "What was served before is served."):
            assert word in said
        assert SECRET not in said
        assert "another-secret" not in said
        assert files() == before
        assert has(ca, repository, kept)

    # a storage that is away: nothing is changed
    on_host("systemctl", "stop", SERVICE)
    running = processes()
    output = play(ok=False, **wanted)
    assert "connection refused. See that this host reaches the endpoint" in " ".join(output.split())
    assert changed(output) == 0
    assert (files(), processes()) == (before, running)
    start_storage()

    output = play("--check", "--diff", registry_state="absent", **wanted)
    assert "all that is in s3://images/one/two" in output
    for path in (LOGIN, AUTHORITY):
        assert f"-{path}" in output
    play()
    assert on_host("find", DIRECTORY, "-name", "s3*") == ""
    assert has(ca, repository, image)


@pytest.mark.rare
def test_a_container_does_it_too(
    ca: str, authority: str, repository: str, image: ManifestDigest, tmp_path: Path
) -> None:
    load("podman", tmp_path)
    wanted = {
        **options(authority),
        "registry_backend": "container",
        "registry_engine": "podman",
        "registry_image": IMAGE,
    }
    play(**wanted)
    with client(ca) as pushing:
        kept = push(pushing, repository, os.urandom(1_000_000), "kept")
    assert has(ca, repository, kept)
    assert SECRET not in on_host("ps", "-eo", "args")
    # another login, as from a run that was killed before it restarted the registry
    on_host(
        "sh",
        "-c",
        f"cp {LOGIN} /srv/login && sed -i 's/=/=x/' {LOGIN} && systemctl restart {BACKEND} && mv /srv/login {LOGIN}",
    )
    assert said_differences(play(**wanted)) == [f"{BACKEND} runs another configuration"]
    assert has(ca, repository, kept)

    said = " ".join(play().split())
    assert "has kept its images in s3://images/one/two, and is to keep them in registry_data" in said
    assert on_host("find", DIRECTORY, "-name", "s3*") == ""
    assert has(ca, repository, image)
    assert changed(play()) == 0
    on_host("podman", "image", "rm", "--force", IMAGE)


def test_what_can_be_no_bucket_is_refused_at_once(ca: str) -> None:
    before, running = files(), processes()
    wrong = {"bucket": "a/b", "endpoint": "s3.example:9000", "prefix": "a b", "access_key": "one", "ca": "none"}
    output = play(ok=False, registry_s3=wrong, registry_collect="weekly")
    said = " ".join(output.split())
    for word in (
        "bucket 'a/b', which is no bucket's name",
        "endpoint 's3.example:9000'. Give a scheme",
        "prefix 'a b'",
        "one of access_key and secret_key",
        "'ca' holds no certificate",
        "registry_collect works on files",
    ):
        assert word in said
    assert changed(output) == 0
    assert (files(), processes()) == (before, running)
    bucket = {"bucket": "images", "region": "eu-west-1"}
    said = play(ok=False, playbook="back_up_registry", registry_s3=bucket, registry_backup="/srv/backup")
    assert "keeps its images in a bucket (registry_s3), and a backup copies files" in " ".join(said.split())
