# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client against a real registry, in each way to reach one and to log in."""

from __future__ import annotations

import hashlib
import json
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.digest import (
    BlobDigest,
    ConfigDigest,
    IndexDigest,
    ManifestDigest,
)
from ansible_collections.longshore.delivery.plugins.module_utils.reference import InvalidReference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient, RegistryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.manifest import (
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
)

from .certificates import Certificates
from .conftest import Serve, Settings, StartRegistry
from .servers import Registry, TokenService

REPOSITORY = "shop/web"
Plain = t.Tuple[RegistryClient, Registry]


def image(client: RegistryClient, media_type: str = OCI_MANIFEST, salt: str = "") -> tuple[bytes, ConfigDigest]:
    """Push the blobs of a small image; returns its manifest and its config's digest."""
    config = json.dumps({"architecture": "amd64", "os": "linux", "salt": salt}).encode()
    layer = b"not really a tar archive" + salt.encode()
    client.push_blob(REPOSITORY, config)
    client.push_blob(REPOSITORY, layer)
    oci = media_type == OCI_MANIFEST
    config_type = (
        "application/vnd.oci.image.config.v1+json" if oci else "application/vnd.docker.container.image.v1+json"
    )
    layer_type = (
        "application/vnd.oci.image.layer.v1.tar" if oci else "application/vnd.docker.image.rootfs.diff.tar.gzip"
    )
    manifest = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": {"mediaType": config_type, "digest": str(BlobDigest.of(config)), "size": len(config)},
        "layers": [{"mediaType": layer_type, "digest": str(BlobDigest.of(layer)), "size": len(layer)}],
    }
    return json.dumps(manifest).encode(), ConfigDigest.of(config)


@pytest.fixture(params=["plain", "tls", "unverified", "basic", "token"])
def client(
    request: pytest.FixtureRequest, start_registry: StartRegistry, certificates: Certificates, settings: Settings
) -> t.Iterator[RegistryClient]:
    authority = certificates.authority()
    issued = certificates.issue("registry", ["127.0.0.1"], authority)
    if request.param == "plain":
        chosen = settings(start_registry().endpoint, login=False, tls="plain")
    elif request.param == "tls":
        chosen = settings(start_registry(issued=issued).endpoint, login=False, ca=authority.pem)
    elif request.param == "unverified":
        chosen = settings(start_registry(issued=issued).endpoint, login=False, tls="unverified")
    elif request.param == "basic":
        chosen = settings(start_registry(issued=issued, htpasswd=True).endpoint, ca=authority.pem)
    else:
        service = request.getfixturevalue("token_service")
        bundle = authority.pem + service._issued.pem
        chosen = settings(start_registry(issued=issued, token=service.config).endpoint, ca=bundle)
    with RegistryClient(chosen) as made:
        yield made


@pytest.mark.parametrize("media_type", [OCI_MANIFEST, DOCKER_MANIFEST])
def test_an_image_goes_there_and_comes_back_byte_for_byte(client: RegistryClient, media_type: str) -> None:
    client.ping()
    assert client.head_manifest(REPOSITORY, "1.4") is None
    body, config = image(client, media_type)
    digest = client.put_manifest(REPOSITORY, "1.4", media_type, body)
    assert str(digest) == "sha256:" + hashlib.sha256(body).hexdigest()

    for name in ("1.4", digest, str(digest)):
        head = client.head_manifest(REPOSITORY, name)
        assert head is not None
        assert (head.digest, head.media_type, head.size) == (digest, media_type, len(body))
        manifest = client.get_manifest(REPOSITORY, name)
        assert (manifest.digest, manifest.media_type, manifest.body) == (digest, media_type, body)
        assert manifest.config_digest == config
        assert not manifest.is_index
        assert manifest.children == ()

    assert json.loads(client.get_blob(REPOSITORY, config))["os"] == "linux"
    assert client.has_blob(REPOSITORY, manifest.layers[0])
    assert not client.has_blob(REPOSITORY, BlobDigest.of(b"nothing"))
    with pytest.raises(RegistryError, match="BLOB_UNKNOWN") as caught:
        client.get_blob(REPOSITORY, BlobDigest.of(b"nothing"))
    assert caught.value.kind == "not_found"
    with client.open_blob(REPOSITORY, manifest.layers[0]) as stream:
        assert [stream.read(6), stream.read(100), stream.read(1)] == [b"not re", b"ally a tar archive", b""]
    with pytest.raises(RegistryError, match="BLOB_UNKNOWN"), client.open_blob(REPOSITORY, BlobDigest.of(b"nothing")):
        pass

    assert client.delete_manifest(REPOSITORY, digest) is True
    assert client.delete_manifest(REPOSITORY, digest) is False
    assert client.head_manifest(REPOSITORY, "1.4") is None
    with pytest.raises(RegistryError, match=r"it has not the manifest shop/web:1.4 .*MANIFEST_UNKNOWN") as caught:
        client.get_manifest(REPOSITORY, "1.4")
    assert caught.value.kind == "not_found"
    assert caught.value.facts["registry_error"] == "not_found"


@pytest.fixture
def plain(start_registry: StartRegistry, settings: Settings) -> t.Iterator[Plain]:
    registry = start_registry()
    with RegistryClient(settings(registry.endpoint, login=False, tls="plain")) as made:
        yield made, registry


@pytest.mark.parametrize(("index_type", "media_type"), [(OCI_INDEX, OCI_MANIFEST), (DOCKER_INDEX, DOCKER_MANIFEST)])
def test_an_index_and_its_children(plain: Plain, index_type: str, media_type: str) -> None:
    client, _registry = plain
    platforms = [
        {"os": "linux", "architecture": "amd64"},
        {"os": "linux", "architecture": "arm", "variant": "v7"},
        {"os": "unknown", "architecture": "unknown"},
    ]
    entries = []
    for number, platform in enumerate(platforms):
        body, _config = image(client, media_type, str(number))
        digest = client.put_manifest(REPOSITORY, str(ManifestDigest.of(body)), media_type, body)
        entries.append({"mediaType": media_type, "digest": str(digest), "size": len(body), "platform": platform})
    body = json.dumps({"schemaVersion": 2, "mediaType": index_type, "manifests": entries}).encode()
    digest = client.put_manifest(REPOSITORY, "1.4", index_type, body)
    head = client.head_manifest(REPOSITORY, "1.4")
    assert head is not None
    assert head.is_index
    index = client.get_manifest(REPOSITORY, IndexDigest.parse(str(digest)))
    assert index.is_index
    assert index.config_digest is None
    assert [(child.platform, str(child.digest)) for child in index.children] == [
        ("linux/amd64", entries[0]["digest"]),
        ("linux/arm/v7", entries[1]["digest"]),
    ]


def test_a_blob_that_is_there_is_not_sent_again(plain: Plain) -> None:
    client, registry = plain
    first = client.push_blob(REPOSITORY, b"layer")
    assert client.push_blob(REPOSITORY, b"layer") == first
    assert (registry.requests("POST"), registry.requests("PUT")) == (1, 1)


def test_requests_share_a_connection_and_survive_its_loss(
    serve: Serve, start_registry: StartRegistry, settings: Settings
) -> None:
    server = serve(lambda request: (404, {}, b""))
    with RegistryClient(settings(server.endpoint, login=False, tls="plain")) as client:
        for tag in "abc":
            assert client.head_manifest(REPOSITORY, tag) is None
    assert (len(server.requests), server.connections) == (3, 1)

    registry = start_registry()
    with RegistryClient(settings(registry.endpoint, login=False, tls="plain")) as client:
        client.ping()
        registry.stop()
        start_registry(port=registry.port)
        assert client.push_blob(REPOSITORY, b"layer") == BlobDigest.of(b"layer")


def test_manifests_changed_on_the_registrys_disk_are_refused(plain: Plain) -> None:
    client, registry = plain
    body, config = image(client)
    digest = client.put_manifest(REPOSITORY, "1.4", OCI_MANIFEST, body)
    registry.blob_file(digest).write_bytes(body.replace(b"amd64", b"arm64") + b" ")
    for name in ("1.4", digest):
        with pytest.raises(RegistryError, match=f"have the digest sha256:.* and not {digest}.*push it again"):
            client.get_manifest(REPOSITORY, name)
    registry.blob_file(config).write_bytes(b"x" * registry.blob_file(config).stat().st_size)
    with pytest.raises(RegistryError, match=f"the blob {config} of shop/web have the digest"):
        client.get_blob(REPOSITORY, config)
    with client.open_blob(REPOSITORY, config) as stream:
        assert stream.read(1) == b"x"
        assert stream.read(1000)
        with pytest.raises(RegistryError, match=f"the blob {config} of shop/web have the digest"):
            stream.read(1000)


def test_what_is_no_name_never_reaches_the_registry(plain: Plain) -> None:
    client, registry = plain
    calls: list[t.Callable[[], object]] = [
        lambda: client.head_manifest("../secrets", "1"),
        lambda: client.get_manifest("shop/web", "../../_catalog"),
        lambda: client.get_manifest("shop/web", "sha256:abc"),
        lambda: client.push_blob("Shop", b""),
        lambda: client.put_manifest("shop/web", ManifestDigest.of(b"a"), OCI_MANIFEST, b"b"),
    ]
    for call in calls:
        with pytest.raises(InvalidReference):
            call()
    with pytest.raises(TypeError, match="not by a config digest"):
        client.get_manifest("shop/web", t.cast(t.Any, ConfigDigest.of(b"")))
    with pytest.raises(TypeError):
        client.delete_manifest("shop/web", t.cast(t.Any, "1.4"))
    with pytest.raises(TypeError):
        client.get_blob("shop/web", t.cast(t.Any, ManifestDigest.of(b"")))
    assert [registry.requests(method) for method in ("GET", "HEAD", "PUT", "POST", "DELETE")] == [0] * 5


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b"[]", "is no JSON object"),
        (b"\xff", "is no JSON object"),
        (b'{"config": {"digest": "x"}}', "is no image: .*Invalid config digest 'x'"),
        (b'{"manifests": [{"platform": {}}]}', "is no image: KeyError: 'digest'"),
        (b'{"layers": 3}', "is no image: TypeError"),
    ],
)
def test_what_is_no_image_is_said(serve: Serve, settings: Settings, body: bytes, cause: str) -> None:
    server = serve(lambda request: (200, {"Content-Type": OCI_MANIFEST}, body))
    with RegistryClient(settings(server.endpoint, login=False, tls="plain")) as client:
        with pytest.raises(RegistryError, match=f"the manifest shop/web:1.4 {cause}") as caught:
            client.get_manifest(REPOSITORY, "1.4")
        assert caught.value.kind == "other"


def test_tokens_are_kept_for_a_right_and_renewed_when_they_expire(
    start_registry: StartRegistry, certificates: Certificates, settings: Settings, token_service: TokenService
) -> None:
    issued = certificates.issue("registry", ["127.0.0.1"], None)
    registry = start_registry(issued=issued, token=token_service.config)
    bundle = issued.pem + token_service._issued.pem
    with RegistryClient(settings(registry.endpoint, ca=bundle)) as client:
        for tag in "abc":
            assert client.head_manifest(REPOSITORY, tag) is None
        assert len(token_service.tokens) == 1
        client.push_blob(REPOSITORY, b"layer")
        assert len(token_service.tokens) == 2
        client._authorization._tokens[REPOSITORY, "pull"] = "Bearer " + token_service._signed({"exp": 1})
        assert client.has_blob(REPOSITORY, BlobDigest.of(b"layer"))
        assert len(token_service.tokens) == 3


def test_a_large_blob_goes_in_pieces_and_is_whole_there(plain: Plain) -> None:
    client, registry = plain
    pieces = [b"one" * 1000, b"two" * 10, b"three"]
    digest = BlobDigest.of(b"".join(pieces))
    assert client.push_pieces(REPOSITORY, digest, lambda: pieces)
    assert not client.push_pieces(REPOSITORY, digest, lambda: pytest.fail("it is there"))
    assert registry.blob_file(digest).read_bytes() == b"".join(pieces)
    other = BlobDigest.of(b"other")
    with pytest.raises(RegistryError, match="DIGEST_INVALID"):
        client.push_pieces(REPOSITORY, other, lambda: pieces)
    assert not client.has_blob(REPOSITORY, other)
    assert registry.log.read_text().count('"PATCH /v2/') == 4
