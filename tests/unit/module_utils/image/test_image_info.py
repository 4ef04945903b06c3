# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The capability: which store is asked, what is selected, and what becomes of failures."""

from __future__ import annotations

import datetime
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed, Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.image import local_engine
from ansible_collections.longshore.delivery.plugins.module_utils.image.image_info import CAPABILITY
from ansible_collections.longshore.delivery.plugins.module_utils.node.discovery import Seen
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import Engine
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from tests import returned
from tests.unit.module_utils.registry.conftest import StartRegistry

from . import engines
from .engines import CRI_GONE, PODMAN_GONE, WEB, Programs
from .making import image, index, layout, push

REF = "org.opencontainers.image.ref.name"


def ask(run_command: t.Any = None, **options: t.Any) -> dict[str, t.Any]:
    """The result of a task with these options, whose warnings and changes are none."""

    def no_command(argv: t.Sequence[str], **more: t.Any) -> Completed:
        raise NotImplementedError

    def no_warning(line: str) -> None:
        raise AssertionError(line)

    checked = ArgumentSpecValidator(CAPABILITY.argument_spec, **CAPABILITY.constraints).validate(options)
    assert not checked.error_messages, checked.error_messages
    context = Context(False, True, no_warning, lambda line: None, run_command or no_command)
    result = returned.run("image_info", checked.validated_parameters, context)
    assert result["changed"] is False
    return result


@pytest.fixture(autouse=True)
def _no_engine_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A layout with images of several kinds, whose names are in their labels."""
    now = datetime.datetime.now(datetime.timezone.utc)
    ages = {"new": 1, "middle": 10, "old": 100}
    made = {
        name: image(
            name,
            created=(now - datetime.timedelta(days=days)).isoformat(),
            labels={"name": name},
            architecture="arm64" if name == "old" else "amd64",
        )
        for name, days in ages.items()
    }
    made["timeless"] = image("timeless", created=None, labels={"name": "timeless"})
    entries = [one.descriptor(annotations={REF: f"shop/{name}:1"}) for name, one in made.items() if name != "middle"]
    return layout(tmp_path / "layout", *reversed(entries), made["middle"].descriptor(), made=list(made.values()))


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({}, ["middle", "new", "old", "timeless"]),
        ({"references": ["shop/new:1", "shop/old"]}, ["new", "old"]),
        ({"globs": ["shop/*e*"]}, ["new", "timeless"]),
        ({"references": ["shop/old:1"], "globs": ["shop/n*:1"]}, ["new", "old"]),
        ({"labels": ["name=old"]}, ["old"]),
        ({"dangling": True}, ["middle"]),
        ({"dangling": False}, ["new", "old", "timeless"]),
        ({"older_than": "5d"}, ["middle", "old"]),
        ({"newer_than": "5d"}, ["new"]),
        ({"older_than": "5d", "newer_than": "20d"}, ["middle"]),
        ({"globs": ["shop/*"], "older_than": "5d"}, ["old"]),
        ({"references": ["shop/none:1"]}, []),
    ],
)
def test_each_option_selects(stored: Path, options: dict[str, t.Any], found: list[str]) -> None:
    result = ask(store="layout", layout=str(stored), **options)
    assert sorted(one["labels"]["name"] for one in result["images"]) == found
    assert "engine" not in result


def test_a_query_selects(stored: Path) -> None:
    pytest.importorskip(
        "jmespath", reason="jmespath is missing: tests/requirements.txt has it, 'make venv' installs it"
    )
    result = ask(store="layout", layout=str(stored), query="platform == 'linux/arm64'")
    assert [one["references"] for one in result["images"]] == [["docker.io/shop/old:1"]]


def test_images_are_sorted_by_their_references(stored: Path) -> None:
    names = [one["references"] for one in ask(store="layout", layout=str(stored))["images"]]
    assert names == [["docker.io/shop/new:1"], ["docker.io/shop/old:1"], ["docker.io/shop/timeless:1"], []]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"references": ["shop//web"]}, "shop//web"),
        ({"globs": ["a@b"]}, "globs"),
        ({"labels": ["=a"]}, "labels"),
        ({"references": ["sha256:" + "1" * 64]}, "only engines have such. In a layout"),
        ({"older_than": "soon"}, "older_than"),
        ({"newer_than": "soon"}, "newer_than"),
    ],
)
def test_options_are_read_before_anything_is_asked(options: dict[str, t.Any], said: str) -> None:
    with pytest.raises(DeliveryError, match=said):
        ask(store="layout", layout="/no/such/layout", **options)


@pytest.mark.parametrize("store", ["registry", "layout"])
def test_a_store_needs_its_option(store: str) -> None:
    checked = ArgumentSpecValidator(CAPABILITY.argument_spec, **CAPABILITY.constraints).validate({"store": store})
    assert checked.error_messages == [f"store is {store} but all of the following are missing: {store}"]


def test_a_registry_is_asked_by_its_settings(start_registry: StartRegistry) -> None:
    registry = {
        "endpoint": start_registry(htpasswd=True).endpoint,
        "tls": "plain",
        "username": "ci",
        "password": "tide-and-time",
    }
    with RegistryClient(RegistrySettings.from_params(registry)) as client:
        both = index({"linux/amd64": image("a"), "linux/arm64": image("b", architecture="arm64")})
        push(client, "shop/web", both, "1")
    result = ask(store="registry", registry=registry, references=["shop/web:1"])
    assert [one["platform"] for one in result["images"]] == ["linux/amd64", "linux/arm64"]
    with pytest.raises(DeliveryError, match="refuses user") as raised:
        ask(store="registry", registry={**registry, "password": "no"}, references=["shop/web:1"])
    assert raised.value.facts["registry_error"] == "unauthorized"


@pytest.fixture
def socket(tmp_path: Path) -> t.Iterator[str]:
    with engines.docker_api(engines.docker(), tmp_path / "docker.sock") as server:
        yield server.endpoint


def seen(monkeypatch: pytest.MonkeyPatch, *found: Engine, **programs: str) -> None:
    monkeypatch.setattr(local_engine, "look", lambda: Seen(found, programs=programs))


def test_the_engine_of_this_host_is_found(monkeypatch: pytest.MonkeyPatch, socket: str) -> None:
    docker = Engine("docker", "", "", socket=socket, listens=True)
    seen(monkeypatch, docker)
    result = ask()
    assert (result["engine"], result["engine_reason"]) == ("docker", "its socket is there")
    assert [one["references"] for one in result["images"]] == [[WEB]]


def test_the_engine_that_is_asked_for(monkeypatch: pytest.MonkeyPatch, socket: str) -> None:
    containerd = Engine("containerd", "", "", socket="/run/c.sock", listens=True)
    docker = Engine("docker", "", "", socket=socket, listens=True)
    seen(monkeypatch, containerd, docker, podman="/usr/bin/podman", crictl="/usr/bin/crictl")
    for engine, run in (
        ("podman", Programs(engines.podman(), PODMAN_GONE)),
        ("containerd", Programs(engines.cri(), CRI_GONE)),
        ("docker", None),
    ):
        result = ask(run, engine=engine)
        assert (result["engine"], result["engine_reason"]) == (engine, "it was asked for")
        assert [one["references"] for one in result["images"]] == [[WEB]]


def test_an_address_comes_before_what_is_here(monkeypatch: pytest.MonkeyPatch, socket: str) -> None:
    seen(monkeypatch, podman="/usr/bin/podman")
    for engine in ("auto", "docker"):
        result = ask(engine=engine, docker_host=f"unix://{socket}")
        assert (result["engine"], result["engine_reason"]) == ("docker", "docker_host names it")
        assert len(result["images"]) == 1
    with engines.docker_api(engines.docker()) as server:
        monkeypatch.setenv("DOCKER_HOST", f"tcp://{server.endpoint}")
        result = ask()
        assert (result["engine"], result["engine_reason"]) == ("docker", "DOCKER_HOST names it")
        assert len(result["images"]) == 1
        # and does not count for another engine
        run = Programs(engines.podman(), PODMAN_GONE)
        assert ask(run, engine="podman", docker_host=f"unix://{socket}")["engine"] == "podman"


def test_the_directory_of_certificates_is_looked_at() -> None:
    with pytest.raises(DeliveryError, match=r"There is no ca\.pem in /no/such/certificates"):
        ask(docker_host="tcp://127.0.0.1:1", docker_cert_path="/no/such/certificates")


def test_an_engine_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    gone = str(tmp_path / "gone.sock")
    with pytest.raises(DeliveryError, match=r"\ALooking at the images failed: docker at unix://.* does not answer"):
        ask(docker_host=f"unix://{gone}")
    seen(monkeypatch, podman="/usr/bin/podman")
    with pytest.raises(DeliveryError, match=r"podman on .* said: database is locked") as raised:
        ask(Programs({}, "Error: database is locked"), engine="podman")
    assert raised.value.facts["engine"] == "podman"
    with pytest.raises(DeliveryError, match=r"tcp://127\.0\.0\.1:1 cannot be reached"):
        ask(docker_host="tcp://127.0.0.1:1")
