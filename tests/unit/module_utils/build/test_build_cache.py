# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a build's cache comes from and where it is kept: what cannot be, what the command is given, and who cannot do it."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.longshore.delivery.plugins.module_utils.build.wanted import ARGUMENT_SPEC, Wanted
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError

from .stand_in import words
from .test_build_record import END, START, record, vertex
from .test_options_to_commands import Engine, engine, source, started

__all__ = ["engine", "source"]

LOGIN = {"endpoint": "r.example", "username": "ci", "password": "p"}


def wanted(**options: t.Any) -> Wanted:
    checked = ArgumentSpecValidator(ARGUMENT_SPEC).validate({"name": "x:1", "source": "/s", **options})
    assert checked.error_messages == []
    return Wanted.from_params(checked.validated_parameters)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"cache_from": [{"reference": "r.example/x"}]}, r"r\.example/x in 'cache_from' has no tag"),
        ({"cache_from": [{"type": "local", "path": "c"}]}, r"cache_from\.path is 'c', which is relative"),
        (
            {"cache_from": [{"path": "/c", "reference": "a:1"}]},
            "'cache_from' has type registry and 'path', which is not",
        ),
        (
            {"cache_to": {"type": "local", "path": "/c", "reference": "a:1"}},
            "'cache_to' has type local and 'reference'",
        ),
        ({"cache_to": {"type": "inline", "mode": "max"}}, "'cache_to' has type inline, and 'mode'"),
        ({"cache_to": {"type": "inline", "image_manifest": True}}, "'cache_to' has type inline, and 'mode'"),
        ({"cache_to": {"type": "registry", "reference": "r.example/x"}}, r"r\.example/x in 'cache_to' has no tag"),
        (
            {"cache_to": {"type": "local", "path": "/s/c"}},
            r"cache_to\.path: /s/c is in /s, from which the image is built",
        ),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, t.Any], match: str) -> None:
    with pytest.raises(DeliveryError, match=match):
        wanted(**options)


@pytest.mark.parametrize("given", [{"type": "registry"}, {"type": "local"}])
def test_each_has_its_place(given: dict[str, str]) -> None:
    for options in ({"cache_from": [given]}, {"cache_to": given}):
        assert ArgumentSpecValidator(ARGUMENT_SPEC).validate({"name": "x", "source": "/s", **options}).error_messages


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"type": "inline"}, "type=inline"),
        (
            {"type": "registry", "reference": "r.example/c:1", "mode": "max", "image_manifest": True},
            "type=registry,ref=r.example/c:1,mode=max,image-manifest=true,oci-mediatypes=true",
        ),
        ({"type": "local", "path": "/c/../d,e"}, 'type=local,"dest=/d,e",mode=min'),
    ],
)
def test_where_it_is_kept_is_in_the_command_line(engine: Engine, given: dict[str, t.Any], expected: str) -> None:
    engine.run(cache_to=given)
    assert words(engine.commands[-1], "--cache-to") == [expected]


def test_where_it_comes_from_is_in_the_command_line_unless_nothing_is_there(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "index.json").touch()
    places = [
        {"reference": "r.example/c:1"},
        *({"type": "local", "path": str(path)} for path in (tmp_path, "/no/such")),
    ]
    engine.run(cache_from=places)
    expected = ["type=registry,ref=r.example/c:1", f"type=local,src={tmp_path}"]
    assert words(engine.commands[-1], "--cache-from") == expected
    assert engine.warnings == ["r.example/x was built without the cache of 'cache_from': /no/such has none"]


def test_the_registry_s_login_is_for_caches_that_are_there(engine: Engine) -> None:
    mine, other = {"reference": "r.example/c:1"}, {"reference": "other.example/c:1"}
    target = {"type": "registry", **mine}
    for options, has_login in (
        ({"cache_from": [other, mine]}, True),
        ({"cache_from": [other], "cache_to": target}, True),
        ({"cache_from": [other]}, False),
        ({}, False),
    ):
        found = wanted(registry=LOGIN, **options).cache_login
        assert (found is not None and found.password == "p") is has_login
    assert wanted(cache_from=[mine]).cache_login is None
    engine.run(cache_to=target, registry=LOGIN)
    assert engine.environment["DOCKER_CONFIG"].endswith("/docker")
    engine.run(cache_to=target, rebuild="always")
    assert "DOCKER_CONFIG" not in engine.environment


def test_docker_s_own_store_keeps_it_in_the_image_alone(source: Path) -> None:
    with started(source, containerd=False) as engine:
        for cache in ({"type": "local", "path": "/c"}, {"type": "registry", "reference": "r.example/c:1"}):
            for check in (True, False):
                with pytest.raises(DeliveryError, match=r"cannot keep a build's cache in .*c.*'type' there to inline"):
                    engine.run(check=check, cache_to=cache)
        assert engine.run(cache_to={"type": "inline"})["built"]


def test_the_classic_builder_has_it_from_images_alone(source: Path, tmp_path: Path) -> None:
    (tmp_path / "index.json").touch()
    with (
        started(source, containerd=False) as engine,
        pytest.raises(DeliveryError, match=r"'cache_from\.path' needs BuildKit"),
    ):
        engine.run(engine="docker_classic", cache_from=[{"type": "local", "path": str(tmp_path)}])


def test_a_cache_that_is_lost_is_not_what_a_build_fails_for() -> None:
    lost = vertex("importing cache manifest from r.example/c:1", started=START, completed=END, error="not found")
    ended, _shown = record(lost, vertex("[1/1] COPY a /", started=START, completed=END))
    assert (ended.failed, ended.lost_caches) == (None, ["r.example/c:1: not found"])
    failed, _shown = record(lost, vertex("[1/1] RUN make", started=START, completed=END, error="exit code: 1"))
    assert failed.failed is not None
    assert failed.failed.name == "[1/1] RUN make"


def test_it_is_kept_once_of_an_image_that_is_built_twice(engine: Engine) -> None:
    engine.run(source_date_epoch=1, cache_to={"type": "local", "path": "/c"})
    assert ["--cache-to" in command for command in engine.commands[-2:]] == [True, False]
