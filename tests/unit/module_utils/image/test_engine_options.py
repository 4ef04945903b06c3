# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each module that asks an engine for its images asks the one that its options mean."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.audit import image_audit
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Capability, Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.image import (
    image_info,
    image_prune,
    image_tag,
    local_engine,
)
from ansible_collections.longshore.delivery.plugins.module_utils.node.discovery import Seen
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import Engine
from ansible_collections.longshore.delivery.plugins.module_utils.node.kubelet import Kubelet
from tests import returned
from tests.unit.module_utils.image.engines import Programs

MODULES: dict[str, tuple[Capability, dict[str, t.Any]]] = {
    "image_audit": (image_audit.CAPABILITY, {"references": ["shop/web:1"]}),
    "image_info": (image_info.CAPABILITY, {}),
    "image_prune": (image_prune.CAPABILITY, {"dangling": True}),
    "image_tag": (image_tag.CAPABILITY, {"image": "shop/web:1", "references": ["shop/web:2"]}),
}
SOCKETS = ("docker", "containerd", "crio")
PROGRAMS = {name: f"/usr/bin/{name}" for name in ("podman", "crictl")}
BY_THE_CRI = {"containerd", "crio"}


@pytest.fixture(params=MODULES)
def module(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    return str(request.param)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., None]:
    """Has a host with every engine, each of which takes no question; they have to be told apart without one."""

    def have(kubelet: str = "") -> None:
        gone = {name: str(tmp_path / f"{name}.sock") for name in SOCKETS}
        engines = tuple(Engine(name, "", "", socket=gone[name], listens=True) for name in SOCKETS)
        node = Kubelet(runs=bool(kubelet), socket=gone.get(kubelet, ""))
        monkeypatch.setattr(local_engine, "look", lambda: Seen(engines, node, PROGRAMS))

    have()
    return have


def refused(module: str, **options: t.Any) -> DeliveryError:
    """What a module says whose engine does not answer."""
    capability, needed = MODULES[module]
    defaults = {name: option.get("default") for name, option in capability.argument_spec.items()}
    context = Context(True, False, pytest.fail, lambda line: None, Programs({}, "Error: nobody answers"))
    with pytest.raises(DeliveryError) as raised:
        returned.run(module, {**defaults, **needed, **options}, context)
    return raised.value


def engines_of(module: str) -> list[str]:
    return t.cast("list[str]", MODULES[module][0].argument_spec["engine"]["choices"])


def test_the_engine_that_is_asked_for(module: str, here: t.Callable[..., None]) -> None:
    for engine in engines_of(module):
        facts = refused(module, engine=engine).facts
        expected = ("docker", "its socket is there") if engine == "auto" else (engine, "it was asked for")
        assert (facts["engine"], facts["engine_reason"]) == expected


@pytest.mark.parametrize("runtime", sorted(BY_THE_CRI))
def test_by_itself_it_is_the_kubelets(module: str, runtime: str, here: t.Callable[..., None]) -> None:
    here(runtime)
    refusal = refused(module)
    assert refusal.facts["engine"] == runtime
    assert ("spoken to by the CRI" in str(refusal)) is (module != "image_info")


def test_an_address_comes_before_what_is_here(
    module: str, here: t.Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = "unix:///no/such/docker.sock"
    for engine in ("auto", "docker"):
        refusal = refused(module, engine=engine, docker_host=there)
        assert refusal.facts["engine_reason"] == "docker_host names it"
        assert there in str(refusal)
    assert refused(module, engine="podman", docker_host=there).facts["engine"] == "podman"
    monkeypatch.setenv("DOCKER_HOST", there)
    assert refused(module).facts["engine_reason"] == "DOCKER_HOST names it"


def test_the_directory_of_certificates_is_looked_at(module: str) -> None:
    refusal = refused(module, docker_host="tcp://127.0.0.1:1", docker_cert_path="/no/such/certificates")
    assert "There is no ca.pem in /no/such/certificates" in str(refusal)
