# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each option of a list of images, from the task to what builds, audits and tries one of them."""

from __future__ import annotations

import time
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.longshore.delivery.plugins.module_utils.build import image_build
from ansible_collections.longshore.delivery.plugins.module_utils.build.image_set import image_set
from ansible_collections.longshore.delivery.plugins.module_utils.build.set_options import (
    ARGUMENT_SPEC,
    BUILD_OPTIONS,
    SHARED,
)
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Capability, Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import (
    ADDRESS_SPEC,
    CERTIFICATE_FILES,
)
from ansible_collections.longshore.delivery.plugins.module_utils.running import run_command

# what is no option's default, by the types, and where those do not say what is valid by the names
VALUES: dict[str, t.Any] = {"str": "given", "path": "/given", "int": 7, "bool": True, "dict": {"given": "v"}}
VALID: dict[str, t.Any] = {
    "cache_from": [{"type": "registry", "reference": "r.example/given:1", "path": None}],
    "cache_to": {"type": "local", "path": "/given", "reference": None, "mode": "max", "image_manifest": True},
    "contexts": {"given": "/given"},
    "dockerfile": "given",
    "dockerfile_inline": "FROM scratch\n",
    "engine": "docker_classic",
    "extra_hosts": {"given": "192.0.2.1"},
    "output": "registry",
    "platforms": ["given/amd64"],
    "provenance": "max",
    "pull_base": "never",
    "rebuild": "always",
    "sbom": "r.example/given:1",
    "secrets": [{"id": "given", "value": "v"}],
    "ssh": [{"id": "given", "path": __file__}],
}
MADE = {
    "name",
    "source",
    "args",
    "registry",
    *ADDRESS_SPEC,
}  # of several options, or only together; each has a test below


def value_of(option: str) -> t.Any:
    spec = {**ARGUMENT_SPEC, **ARGUMENT_SPEC["images"]["options"]}[option]
    value = VALUES[spec["elements"] if spec["type"] == "list" else spec["type"]]
    return VALID.get(option, [value] if spec["type"] == "list" else value)


def build(params: dict[str, t.Any], context: Context) -> dict[str, t.Any]:
    """Builds nothing, and says what it was given and when."""
    began = time.monotonic()
    context.run_command(["sleep", "0.05"])
    told = {
        "changed": False,
        "built": False,
        "engine": "docker",
        "image": {"id": "sha256:1", "references": []},
        "named": [],
        "pulled": [],
    }
    return {**told, "given": params, "time": (began, time.monotonic())}


def audit(params: dict[str, t.Any], context: Context) -> dict[str, t.Any]:
    return {"images": [{"size": 1, "wasted_bytes": 0, "findings": [], "excepted": [params]}]}


def trial(params: dict[str, t.Any], context: Context) -> dict[str, t.Any]:
    return {"verdict": "pass", "points": [{"verdict": "pass", **params}], "twelve_factors": []}


SET = image_set(
    audit=lambda: Capability(audit, {"references": {"type": "list"}, "engine": {"type": "str"}, **ADDRESS_SPEC}),
    trial=lambda: Capability(trial, {"image": {"type": "str"}, "secrets": {"type": "dict"}, **ADDRESS_SPEC}),
)
Run = t.Callable[..., list[dict[str, t.Any]]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Takes images beside the options of all; returns what came of each."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(image_build, "run", build)
    for name in ("Dockerfile", "given"):
        (tmp_path / name).write_text("FROM scratch\n")

    def started(*images: dict[str, t.Any], **options: t.Any) -> list[dict[str, t.Any]]:
        listed = [{"name": "x", "tags": ["1"], "source": str(tmp_path), **image} for image in images]
        checked = ArgumentSpecValidator(SET.argument_spec).validate({"images": listed, **options})
        assert checked.error_messages == []
        context = Context(check=False, diff=False, warn=print, progress=lambda _line: None, run_command=run_command)
        found: list[dict[str, t.Any]] = SET.run(checked.validated_parameters, context)["images"]
        return found

    return started


@pytest.mark.parametrize("option", sorted(set(BUILD_OPTIONS) - MADE))
def test_an_option_of_an_image_is_one_of_its_build(run: Run, option: str) -> None:
    one, other = (image["build"]["given"][option] for image in run({option: value_of(option)}, {"name": "y"}))
    if option == "secrets":
        one = [{name: value for name, value in secret.items() if value} for secret in one]
    assert one == value_of(option) != other


@pytest.mark.parametrize("option", sorted(set(SHARED) - MADE))
def test_an_option_of_all_is_one_of_each_build(run: Run, option: str) -> None:
    found = run({}, {"name": "y"}, **{option: value_of(option)})
    assert [image["build"]["given"][option] for image in found] == [value_of(option)] * 2


def test_all_are_built_and_judged_by_the_engine_at_the_address(run: Run, tmp_path: Path) -> None:
    for name in CERTIFICATE_FILES:
        (tmp_path / name).touch()
    given = {"docker_host": "tcp://192.0.2.1:2376", "docker_cert_path": str(tmp_path)}
    [image] = run({"audit": {}, "trial": {}, "trial_secrets": {"A": "b"}}, **given)
    for params in (image["build"]["given"], image["audit"]["excepted"][0], image["trial"]["points"][0]):
        assert {**params, **given} == params
    assert image["trial"]["points"][0]["secrets"] == {"A": "b"}


@pytest.mark.parametrize(
    "other", [{"docker_host": "tcp://192.0.2.2:2375"}, {"docker_host": "tcp://192.0.2.1:2375", "engine": "docker"}]
)
def test_what_another_engine_has_is_judged_for_itself(run: Run, other: dict[str, t.Any]) -> None:
    before = []
    for options in ({"docker_host": "tcp://192.0.2.1:2375"}, {"docker_host": "tcp://192.0.2.1:2375"}, other):
        [image] = run({"audit": {}}, **options)
        before.append(image["audit"]["judged_before"])
    assert before == [False, True, False]


def test_an_image_is_built_after_those_it_depends_on(run: Run) -> None:
    one, other = (image["build"]["time"] for image in run({"depends_on": ["y"]}, {"name": "y"}))
    assert other[1] < one[0]


def test_sources_are_below_the_root_and_arguments_name_images_of_the_registry(run: Run, tmp_path: Path) -> None:
    image = {"source": ".", "args": {"A": "1"}, "bases": {"B": "base:1"}, "name": "shop/web"}
    [found] = run(image, source_root=str(tmp_path), endpoint="r.example")
    given = found["build"]["given"]
    assert (given["name"], given["source"]) == ("r.example/shop/web", f"{tmp_path}/.")
    assert given["args"] == {"A": "1", "B": "r.example/base:1"}


def test_the_registry_is_that_of_all_builds_and_names_begin_with_it_unless_with_another(run: Run) -> None:
    given = {"endpoint": "r.example", "tls": "plain", "username": "ci", "password": "p"}
    for endpoint, name in (("", "r.example/x"), ("other.example", "other.example/x")):
        [found] = run({"bases": {"B": "base:1"}}, registry=given, endpoint=endpoint)
        made = found["build"]["given"]
        assert {**made["registry"], **given} == made["registry"]
        assert (made["name"], made["args"]) == (name, {"B": name[:-1] + "base:1"})


def test_it_is_some_at_once(run: Run) -> None:
    with pytest.raises(DeliveryError, match="at_once is 0; it is a number of images, at least 1"):
        run({}, at_once=0)
