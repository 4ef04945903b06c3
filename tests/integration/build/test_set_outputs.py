# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""image_set where images go to a registry or an OCI layout, and stand on one another there."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.image.recorded_inputs import DIGEST_LABEL
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.running import run_command
from ansible_collections.longshore.delivery.plugins.modules.image_set import CAPABILITY
from tests import returned
from tests.unit.module_utils.registry.certificates import Certificates
from tests.unit.module_utils.registry.conftest import StartRegistry, registry_program, start_registry

from .engine import Engine

__all__ = ["registry_program", "start_registry"]
pytestmark = [pytest.mark.lab, pytest.mark.wide]


@pytest.fixture
def engine(own_home: None) -> t.Iterator[Engine]:
    made = Engine("unix:///var/run/docker.sock", None)
    yield made
    made.clean()


def run(root: Path, images: list[dict[str, t.Any]], *, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
    """What came of each build, by the name and the output."""
    given = {"images": images, "source_root": str(root), **options}
    checked = ArgumentSpecValidator(CAPABILITY.argument_spec).validate(given)
    assert checked.error_messages == []
    context = Context(check=check, diff=True, warn=print, progress=print, run_command=run_command)
    found = returned.run("image_set", checked.validated_parameters, context)["images"]
    return {f"{one['name']} {given['output']}": one["build"] for one, given in zip(found, images)}


def test_an_image_is_built_on_what_just_went_to_the_registry(
    engine: Engine, tmp_path: Path, start_registry: StartRegistry
) -> None:
    """Although the engine holds an older one of that name, and in check mode foretold with the same reasons."""
    endpoint = start_registry().endpoint  # on 127.0.0.1, which an engine takes for one that may be plain
    registry = {"endpoint": endpoint, "tls": "plain"}
    for name, dockerfile in (
        ("base", "FROM scratch\nCOPY file /base\n"),
        ("web", "ARG BASE\nFROM ${BASE}\nCOPY file /\n"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text(dockerfile)
        (tmp_path / name / "file").write_text("one\n")
    layout = str(tmp_path / "images")
    web = {"name": "shop/web", "tags": ["1"], "source": "web", "bases": {"BASE": "shop/base:1"}}
    images: list[dict[str, t.Any]] = [
        {**web, "output": "registry"},
        {**web, "output": "engine"},
        {**web, "output": "layout", "layout": layout},
        {"name": "shop/base", "tags": ["1"], "source": "base", "output": "registry"},
    ]
    options: dict[str, t.Any] = {"registry": registry, **engine.options}
    base = f"{endpoint}/shop/base:1"
    for number in ("one", "two"):
        (tmp_path / "base" / "file").write_text(number)
        foretold, done = run(tmp_path, images, check=True, **options), run(tmp_path, images, **options)
        for what in ("built", "changed"):
            assert [one[what] for one in foretold.values()] == [one[what] for one in done.values()]
        # of those after it the first has pulled the base by then
        first = [found["shop/web registry"] for found in (foretold, done)]
        assert [(one["why"], one["pulled"]) for one in first] == [(first[0]["why"], [base])] * 2
        assert all(one["built"] for one in done.values())
        engine.built += [str(engine.client.images.get(base).id), done["shop/web engine"]["image"]["id"]]
        with RegistryClient(RegistrySettings.from_params(registry)) as client:
            lower = client.get_manifest("shop/base", "1")
            upper = client.get_manifest("shop/web", "1")
            assert upper.layers[0] == lower.layers[0]
        content = engine.client.images.get(f"{endpoint}/shop/web:1").attrs["RootFS"]["Layers"]
        assert content[0] == engine.client.images.get(base).attrs["RootFS"]["Layers"][0]
    assert first[1]["why"] == [f"the registry has another base image {base}"]
    names = [entry["annotations"] for entry in json.loads(Path(layout, "index.json").read_text())["manifests"]]
    assert [entry["io.containerd.image.name"] for entry in names] == [f"{endpoint}/shop/web:1"]
    assert not any(one["changed"] for one in run(tmp_path, images, **options).values())
    engine.client.images.remove(base)  # what it is built on is then known by the registry's digests
    assert not any(one["changed"] for one in run(tmp_path, images, **options).values())


def test_what_goes_to_a_registry_gets_its_names_when_it_has_passed_its_audit(
    engine: Engine, source: Path, tmp_path: Path, start_registry: StartRegistry
) -> None:
    """One that fails is there by its digest alone, is audited again, and named as it is once the audit lets it pass."""
    registry = {"endpoint": start_registry().endpoint, "tls": "plain"}
    (source / "Dockerfile").write_text("FROM scratch\nCOPY app /\nUSER 1000\n")
    image = {"name": "shop/web", "tags": ["1"], "source": ".", "output": "registry", "audit": {"fail_on": "high"}}
    options: dict[str, t.Any] = {"registry": registry, **engine.options}
    passed = run(source, [image], **options)["shop/web registry"]
    with RegistryClient(RegistrySettings.from_params(registry)) as client:
        first = client.get_manifest("shop/web", "1").digest
        assert str(first) == passed["image"]["id"] == passed["named"][0]["after"]
        assert not run(source, [image], **options)["shop/web registry"]["changed"]
        (source / "app").write_text(Certificates(tmp_path).authority().key_file.read_text())
        for built in (True, False):
            with pytest.raises(DeliveryError, match="private_key in app") as failed:
                run(source, [image], **options)
            [told] = failed.value.facts["images"]
            assert (told["audit"]["verdict"], told["build"]["built"]) == ("fail", built)
            assert (told["build"]["named"], client.get_manifest("shop/web", "1").digest) == ([], first)
        exceptions = [{"rule": "private_key", "reason": "a test's"}]
        allowed = {**image, "audit": {"fail_on": "high", "exceptions": exceptions}}
        named = run(source, [allowed], **options)["shop/web registry"]
        assert (named["built"], named["why"]) == (False, ["the image that waits for its names has the same inputs"])
        assert str(client.get_manifest("shop/web", "1").digest) == told["withheld"][0]["after"]
    label = f"{DIGEST_LABEL}={named['inputs']}"
    assert engine.client.images.list(all=True, filters={"label": label}) == []


def test_what_no_build_would_find_is_refused_before_the_first(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("ARG BASE=scratch\nFROM ${BASE}\nCOPY Dockerfile /\n")
    layout = tmp_path.parent / "images"
    images: list[dict[str, t.Any]] = [
        {"name": "base", "tags": ["1"], "source": ".", "output": "layout", "layout": str(layout)},
        {"name": "web", "tags": ["1"], "source": ".", "bases": {"BASE": "base:1"}, "output": "engine"},
    ]
    with pytest.raises(DeliveryError, match=r"web stands on docker\.io/library/base:1, which goes to an OCI layout"):
        run(tmp_path, images, **engine.options)
    assert not layout.exists()
