# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A builder that buildx knows by its name: a BuildKit on dock, by TLS, that is no engine's."""

from __future__ import annotations

import ipaddress
import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from tests.integration import remote_builder
from tests.lab.nodes import BUILDER, SUBNET
from tests.unit.module_utils.registry.conftest import StartRegistry, registry_program, start_registry
from tests.unit.module_utils.registry.servers import PASSWORD, USERNAME

from .engine import PLACES, Engine

__all__ = ["registry_program", "start_registry"]
# the first run on a machine builds BuildKit
pytestmark = [pytest.mark.lab, pytest.mark.wide]

NOWHERE = "unix:///no/engine.sock"
PLATFORMS = ["linux/amd64", "linux/arm64"]


@pytest.fixture(scope="module")
def builder(own_home: None, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[str]:
    with remote_builder.running(tmp_path_factory.mktemp("buildx")) as name:
        yield name


@pytest.fixture
def elsewhere(builder: str) -> t.Iterator[Engine]:
    """No engine, but the builder."""
    engine = Engine("unix:///var/run/docker.sock", None)
    engine.options = {"docker_host": NOWHERE, "builder": builder}
    yield engine
    engine.client.close()


def test_it_builds_for_a_layout_and_a_registry_without_an_engine(
    elsewhere: Engine, source: Path, tmp_path: Path, start_registry: StartRegistry
) -> None:
    endpoint = start_registry().endpoint
    registry = {"endpoint": endpoint, "tls": "plain"}
    (source / "Dockerfile").write_text("FROM scratch\nARG TARGETARCH\nCOPY app /$TARGETARCH\n")
    elsewhere.prefix = endpoint
    options: dict[str, t.Any] = {"tags": ["1"], "platforms": PLATFORMS, "provenance": "min"}
    to_registry = {**options, "output": "registry", "registry": registry}
    first = elsewhere.build("shop/web", source, **to_registry)
    assert (first["engine"], first["builder"]) == ("docker", "buildkit")
    assert "--builder=longshore-test-buildkit" in elsewhere.commands[-1]
    with RegistryClient(RegistrySettings.from_params(registry)) as client:
        index = client.get_manifest("shop/web", "1")
    assert str(index.digest) == first["image"]["index_digest"]
    assert [child.platform for child in index.children] == PLATFORMS
    assert len(index.document["manifests"]) == 4
    again = elsewhere.build("shop/web", source, **to_registry)
    assert (again["changed"], elsewhere.commands) == (False, [])
    to_layout = {**options, "output": "layout", "layout": str(tmp_path / "images")}
    assert elsewhere.build("shop/web", source, **to_layout)["changed"]
    assert not elsewhere.build("shop/web", source, **to_layout)["changed"]


def test_its_bases_are_what_their_registries_serve_and_it_runs_commands(
    elsewhere: Engine, shell_files: Path, source: Path, tmp_path: Path, start_registry: StartRegistry
) -> None:
    port = start_registry(address="0.0.0.0").endpoint.rpartition(":")[2]
    endpoint = (
        f"127.0.0.1:{port}"  # by which a registry may be plain, for the docker command here and for the builder there
    )
    registry: dict[str, t.Any] = {"output": "registry", "registry": {"endpoint": endpoint, "tls": "plain"}}
    elsewhere.prefix = endpoint
    options: dict[str, t.Any] = {"tags": ["1"], "output": "layout", "layout": str(tmp_path / "images")}
    (source / "Dockerfile").write_text(f"FROM {endpoint}/base/shell:1\nCOPY app /\nRUN read word < /app; echo $word\n")
    with remote_builder.reaching(f"{ipaddress.ip_network(SUBNET)[1]}:{port}", endpoint):
        for check in (True, False):
            with pytest.raises(
                DeliveryError, match=f"base image {endpoint}/base/shell:1 .*line 1.* its registry has no"
            ):
                elsewhere.build("app", source, check=check, **options)
        base = elsewhere.build("base/shell", shell_files, tags=["1"], **registry)
        for check in (True, False):
            first = elsewhere.build("app", source, check=check, **options)
            assert (first["built"], first["pulled"]) == (True, [])
        assert first["log"] == ["one"]
        assert not elsewhere.build("app", source, **options)["changed"]
        assert [argv[2] for argv in elsewhere.commands] == ["imagetools"]
        other = elsewhere.build("base/shell", shell_files, tags=["1"], labels={"another": "1"}, **registry)
        anew = elsewhere.build("app", source, **options)
    assert other["image"]["id"] != base["image"]["id"]
    assert anew["why"] == [f"the base images changed: {endpoint}/base/shell:1 changed"]
    for shown, image in (("before", base), ("after", other)):
        assert f"{endpoint}/base/shell:1: {image['image']['manifest_digest']}" in anew["diff"][shown]


def test_its_cache_is_kept_in_a_registry_and_a_directory_for_others(
    elsewhere: Engine, source: Path, tmp_path: Path, start_registry: StartRegistry
) -> None:
    """By the login that the registry's option has, which is in no command line; one that is not there is a warning."""
    port = start_registry(address="0.0.0.0", htpasswd=True).endpoint.rpartition(":")[2]
    endpoint = f"127.0.0.1:{port}"
    login = {"endpoint": endpoint, "tls": "plain", "username": USERNAME, "password": PASSWORD}
    (source / "Dockerfile").write_text("FROM scratch AS first\nCOPY app /x\nFROM scratch\nCOPY --from=first /x /y\n")
    options: dict[str, t.Any] = {
        "tags": ["1"],
        "rebuild": "always",
        "output": "layout",
        "layout": str(tmp_path / "images"),
        "registry": login,
    }

    def cached(**more: t.Any) -> set[bool]:
        remote_builder.forget()
        result = elsewhere.build("cached", source, **{**options, **more})
        assert PASSWORD not in json.dumps([elsewhere.commands, elsewhere.progress, result])
        return {step["cached"] for step in result["steps"] if "COPY" in step["step"]}

    kept = f"{endpoint}/cache/web:1"
    directory = tmp_path / "cache"
    targets: list[dict[str, t.Any]] = [
        {"type": "registry", "reference": kept, "mode": "max", "image_manifest": True},
        {"type": "local", "path": str(directory)},
    ]
    with remote_builder.reaching(f"{ipaddress.ip_network(SUBNET)[1]}:{port}", endpoint):
        for target in targets:
            assert cached(cache_to=target) == {False}
        with RegistryClient(RegistrySettings.from_params(login)) as client:
            manifest = client.get_manifest("cache/web", "1")
        assert (len(manifest.layers), manifest.is_index) == (2, False)
        assert cached(cache_from=[{"reference": kept}]) == {True}
        with pytest.raises(DeliveryError, match=r"cache/web.*(401|unauthorized|authoriz)"):
            cached(cache_to=targets[0], registry=None)
        absent = [{"reference": f"{endpoint}/cache/none:1"}, {"type": "local", "path": str(tmp_path / "none")}]
        assert cached(cache_from=absent) == {False}
        warned = [line for line in elsewhere.progress if "was built without the cache of 'cache_from'" in line]
        assert [name in line for name, line in zip((f"{tmp_path}/none has none", "cache/none:1: "), warned)] == [
            True,
            True,
        ]
        assert not (tmp_path / "none").exists()
    assert cached(cache_from=[{"type": "local", "path": str(directory)}]) == {True}


def test_it_hands_an_engine_what_it_built(builder: str, source: Path, own_home: None) -> None:
    for host, certificates in (("unix:///var/run/docker.sock", None), (BUILDER, PLACES.builder)):
        engine = Engine(host, certificates)
        engine.options["builder"] = builder
        refused: list[dict[str, t.Any]] = [{"platforms": PLATFORMS}, {"provenance": "min"}]
        try:
            first = engine.build("handed", source, tags=["1"])
            assert first["image"]["id"] == engine.id("handed:1") is not None
            assert engine.files_below("handed:1", "dir").keys() == {"app"}
            assert not engine.build("handed", source, tags=["1"])["changed"]
            for options in refused:
                with pytest.raises(
                    DeliveryError, match=f"The builder {builder} hands an engine one image for one platform"
                ):
                    engine.build("handed", source, tags=["2"], **options)
        finally:
            engine.clean()


def test_a_name_that_is_none_and_an_engine_s_own_are_refused(builder: str, source: Path, elsewhere: Engine) -> None:
    for name, match in (("nobody", "Buildx has no builder nobody that works: .*docker buildx ls"), ("default", "own")):
        elsewhere.options = {"builder": name}
        with pytest.raises(DeliveryError, match=match):
            elsewhere.build("refused", source, tags=["1"], output="layout", layout=str(source.parent / "images"))
