# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A builder that buildx knows by its name: what it cannot, and where its base images are."""

from __future__ import annotations

import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.longshore.delivery.plugins.module_utils.build.builder import (
    BuildEngineError,
    BuilderMissing,
    BuildRequest,
)
from ansible_collections.longshore.delivery.plugins.module_utils.build.named_builder import NamedBuilderEngine
from ansible_collections.longshore.delivery.plugins.module_utils.build.wanted import (
    ARGUMENT_SPEC,
    InvalidOption,
    Wanted,
)
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import DockerAddress
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference

from .test_options_to_commands import Engine, engine, source

__all__ = ["engine", "source"]


def requested(**options: t.Any) -> BuildRequest:
    return BuildRequest(t.cast("t.Any", None), "Dockerfile", t.cast("t.Any", None), **options)


class Buildx:
    """The docker command as far as buildx tells of a builder and of registries (the texts of buildx 0.13)."""

    def __init__(self, **said: Completed) -> None:
        self.said = said

    def __call__(self, argv: t.Sequence[str], **options: t.Any) -> Completed:
        return self.said[argv[2]]


REMOTE = "Name: farm\nDriver: remote\n\nNodes:\nName: farm0\nStatus: running\nPlatforms: linux/arm64, linux/arm/v7\n"
VERSION = Completed(0, "github.com/docker/buildx 0.13.1 x", "")


def named(**said: Completed) -> NamedBuilderEngine:
    return NamedBuilderEngine(DockerAddress("unix:///no/engine"), Buildx(version=VERSION, **said), "farm")


@pytest.mark.parametrize(
    ("said", "options", "match"),
    [
        (
            Completed(1, "", 'ERROR: no builder "farm" found'),
            {},
            'no builder farm that works: no builder "farm" found. .* ls',
        ),
        (Completed(0, f"{REMOTE}Error: timed out", ""), {}, "no builder farm that works: timed out"),
        (Completed(0, REMOTE.replace("remote", "docker"), ""), {}, "a Docker engine's own.* Set 'docker_host'"),
        (
            Completed(0, REMOTE, ""),
            {"provenance": "min"},
            "The builder farm hands an engine one image .* 'provenance' asks",
        ),
        (
            Completed(0, REMOTE, ""),
            {"platforms": ("a/b", "a/c"), "annotations": {"a": "b"}},
            "'platforms' and 'annotations'",
        ),
    ],
)
def test_a_named_builder_that_cannot_is_said(said: Completed, options: dict[str, t.Any], match: str) -> None:
    with pytest.raises(BuilderMissing, match=match):
        named(inspect=said).builder(requested(**options))


def test_a_named_builder_writes_layouts_of_its_own_platform() -> None:
    engine = named(inspect=Completed(0, REMOTE, ""))
    assert engine.builder(requested(stays=False, platforms=("a/b", "a/c"), provenance="min")).writes_layouts
    assert engine.platform_arguments()["BUILDPLATFORM"] == "linux/arm64"
    with pytest.raises(BuilderMissing, match="does not tell its platform"):
        named(inspect=Completed(0, "Driver: remote\nPlatforms: \n", "")).platform_arguments()


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"engine": "podman"}, "'builder' is farm, one of buildx, .* and 'engine' is podman"),
        ({"builder": "--help"}, "'--help', which is no name of a builder"),
    ],
)
def test_a_builder_that_cannot_be_meant_is_refused(options: dict[str, t.Any], match: str) -> None:
    given = {"name": "a/b:1", "source": "/etc", "builder": "farm", **options}
    validated = ArgumentSpecValidator(ARGUMENT_SPEC).validate(given).validated_parameters
    with pytest.raises(InvalidOption, match=match):
        Wanted.from_params(validated)


def test_the_bases_of_a_named_builder_are_in_registries() -> None:
    reference = Reference.parse("r.example/base:1")
    bases = named(imagetools=Completed(0, "sha256:1\n", "")).bases
    found = bases.image(str(reference))
    assert found is not None
    assert (found.id, found.repository_digests) == ("sha256:1", ("r.example/base@sha256:1",))
    bases = named(imagetools=Completed(1, "", "ERROR: r.example/base:1: not found")).bases
    assert bases.image(str(reference)) is None
    with pytest.raises(BuildEngineError, match=r"its registry has no r\.example/base:1"):
        bases.pull(reference)
    bases = named(imagetools=Completed(1, "", "ERROR: failed to do request: connection refused")).bases
    with pytest.raises(BuildEngineError, match="did not tell what it serves: failed to do request"):
        bases.image(str(reference))
    pinned = bases.image("r.example/base@sha256:" + "1" * 64)
    assert pinned is not None
    assert pinned.id == "sha256:" + "1" * 64


def test_a_builder_is_asked_for_by_its_name(engine: Engine) -> None:
    engine.fails = True
    (engine.source / "Dockerfile").write_text("FROM scratch\nCOPY app /\n")
    with pytest.raises(DeliveryError, match="Buildx has no builder farm that works: no-room"):
        engine.run(builder="farm")
    assert engine.commands == [["docker", "buildx", "inspect", "farm"]]
