# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of image_trial, and which points they ask."""

from __future__ import annotations

import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.trial.observed import ImageConfig
from ansible_collections.longshore.delivery.plugins.module_utils.trial.options import (
    ARGUMENT_SPEC,
    POINTS,
    memory_bytes,
    read_options,
)
from ansible_collections.longshore.delivery.plugins.module_utils.trial.plan import NothingToAsk, Point, make_plan
from ansible_collections.longshore.delivery.plugins.module_utils.trial.wanted import Wanted

MIB = 1024**2


def wanted(**options: t.Any) -> Wanted:
    checked = ArgumentSpecValidator(ARGUMENT_SPEC).validate({"image": "a/b:1", **options})
    assert checked.error_messages == []
    return read_options(checked.validated_parameters)


def image(**options: t.Any) -> ImageConfig:
    return ImageConfig(**{"id": "sha256:1", "ports": (8080,), "user": "10001", **options})


def asked(options: Wanted, config: ImageConfig) -> list[Point]:
    return [point for point in make_plan(options, config).points if not point.not_asked]


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("256MiB", 256 * MIB),
        ("256m", 256 * MIB),
        ("256M", 256 * MIB),
        ("256 mb", 256 * MIB),
        ("1g", 1024 * MIB),
        ("0.5GiB", 512 * MIB),
        ("8388608", 8 * MIB),
        ("65536k", 64 * MIB),
    ],
)
def test_memory_is_read_as_the_docker_command_does(text: str, size: int) -> None:
    assert memory_bytes(text) == size


@pytest.mark.parametrize("text", ["", "much", "256x", "-1m", "1m", "5MiB", "256Mi2"])
def test_memory_that_is_none_or_too_little_is_refused(text: str) -> None:
    with pytest.raises(DeliveryError, match="memory is"):
        memory_bytes(text)


def test_what_nobody_sets_is_little_and_confined() -> None:
    plain = wanted()
    assert (plain.memory, plain.cpus, plain.tmpfs) == (256 * MIB, 1.0, ("/tmp",))
    assert (plain.start_timeout, plain.stop_timeout, plain.command) == (30, 30, None)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"port": 0}, "port is 0"),
        ({"port": 65536}, "port is 65536"),
        ({"start_timeout": 0}, "start_timeout is 0"),
        ({"stop_timeout": 0}, "stop_timeout is 0"),
        ({"cpus": 0}, "cpus is 0"),
        ({"cpus": 1e-10}, "cpus is 1e-10; it is a number from 0.01 on"),
        ({"cpus": float("inf")}, "cpus is inf"),
        ({"cpus": float("nan")}, "cpus is nan"),
        ({"health": "health"}, "health is 'health'"),
        ({"ready": "/a b"}, "ready is '/a b'"),
        ({"env": {"A": "1"}, "secrets": {"A": "2"}}, "A is in 'env' and in 'secrets'"),
        ({"env": {"A": True}}, "env: the value of A is no text"),
        ({"secrets": {"A": ["x"]}}, "secrets: the value of A is no text"),
        ({"env": {"A=B": "1"}}, "'A=B' is no name"),
        ({"image": "shop/web"}, "image: shop/web has neither tag nor digest. Say which one; 'latest' is not assumed."),
        ({"image": "a//b"}, "a//b"),
        ({"tmpfs": ["tmp"]}, "tmpfs: 'tmp' is no absolute path"),
        ({"changed_env": [{"name": "A", "value": "1", "path": "x"}]}, "changed_env: A is 'x'"),
        ({"changed_env": [{"name": "A", "value": "1", "regex": "("}]}, "changed_env: A: regex"),
        ({"assertions": [{"http": "/", "regex": "("}]}, "assertions, number 1: regex"),
        ({"assertions": [{"tcp": 1}, {"http": "/", "jmespath": "]"}]}, "assertions, number 2: jmespath"),
        ({"assertions": [{"tcp": 0}]}, "assertions, number 1: tcp is 0"),
        ({"assertions": [{"tcp": 1, "status": 200}]}, "'status' goes with 'http' only"),
        ({"assertions": [{"exec": ["a"], "jmespath": "a"}]}, "'jmespath' goes with 'http' only"),
        ({"assertions": [{"exec": ["a"], "port": 80}]}, "'port' goes with 'http' only"),
        ({"assertions": [{"exec": ["a"], "headers": {"A": "b"}}]}, "'headers' goes with 'http' only"),
        ({"assertions": [{"tcp": 1, "regex": "a"}]}, "'regex' goes with"),
        ({"assertions": [{"exec": []}]}, "'exec' is empty"),
        ({"assertions": [{"tcp": 1, "timeout": 0}]}, "timeout is 0"),
        ({"docker_host": "nowhere"}, "docker_host is 'nowhere'"),
    ],
)
def test_an_option_that_cannot_be_is_named(options: dict[str, t.Any], message: str) -> None:
    with pytest.raises(DeliveryError, match=message.replace("(", r"\(")):
        wanted(**options)


def test_variables_are_texts_and_secret_ones_are_among_them() -> None:
    assert wanted(env={"A": 1, "B": "x"}, secrets={"C": 2.5}).env == {"A": "1", "B": "x", "C": "2.5"}


def test_every_point_is_in_the_plan_asked_or_with_a_reason() -> None:
    everything = wanted(
        health="/h",
        ready="/r",
        metrics="/m",
        required_env=["A"],
        changed_env=[{"name": "B", "value": "1"}],
        assertions=[{"tcp": 9090}, {"http": "/x", "port": 9091}, {"exec": ["true"]}],
    )
    assert {point.kind for point in asked(everything, image())} == set(POINTS)
    plan = make_plan(wanted(), image())
    assert {point.kind for point in plan.points} == set(POINTS) - {"assertion"}
    unasked = {point.kind: point.not_asked for point in plan.points if point.not_asked}
    assert set(unasked) == {"health", "ready", "metrics", "required_env", "changed_env"}
    assert unasked["health"] == "there is no path in 'health'"


def test_all_ports_that_anything_asks_are_published() -> None:
    plan = make_plan(wanted(assertions=[{"tcp": 9090}, {"http": "/x", "port": 9091}]), image())
    assert (plan.port, plan.ports) == (8080, (8080, 9090, 9091))


@pytest.mark.parametrize(
    ("exposed", "port", "reason"),
    [
        ((8080,), 8080, ""),
        ((), 0, "there is no 'port', and the image exposes none"),
        ((80, 443), 0, "there is no 'port', and the image exposes several (80, 443)"),
    ],
)
def test_the_port_is_the_one_that_the_image_exposes(exposed: tuple[int, ...], port: int, reason: str) -> None:
    plan = make_plan(wanted(assertions=[{"http": "/", "port": 82}, {"tcp": 1}]), image(ports=exposed))
    assert plan.port == port
    assert {point.kind: point.not_asked for point in plan.points}["listens"] == reason
    assert [point.not_asked for point in plan.points if point.kind == "assertion"] == ["", ""]
    assert make_plan(wanted(port=81), image(ports=exposed)).port == 81


@pytest.mark.parametrize(
    ("options", "named"),
    [
        *(({kind: "/x"}, f"'{kind}'") for kind in ("health", "ready", "metrics")),
        ({"changed_env": [{"name": "A", "value": "1", "path": "/"}]}, "'changed_env' A"),
        ({"assertions": [{"name": "root", "http": "/"}, {"tcp": 1}]}, "assertion 'root'"),
    ],
)
def test_what_is_asked_at_no_port_is_refused_and_not_passed_over(options: dict[str, t.Any], named: str) -> None:
    with pytest.raises(NothingToAsk) as caught:
        make_plan(wanted(**options), image(ports=(80, 443)))
    assert f"a/b:1: {named} cannot be asked: there is no 'port', and the image exposes several (80, 443)." in str(
        caught.value
    )
    assert make_plan(wanted(**options), image(ports=(80,))).port == 80


def test_an_images_config_is_read() -> None:
    config = {
        "User": "app",
        "ExposedPorts": {"8080/tcp": {}, "53/udp": {}},
        "Env": ["PATH=/bin", "A=b=c"],
        "StopSignal": "SIGQUIT",
        "Volumes": {"/data": {}},
    }
    read = ImageConfig.from_inspect({"Id": "sha256:1", "Config": config})
    assert read == ImageConfig("sha256:1", "app", (8080,), ("PATH", "A"), "SIGQUIT", ("/data",), has_command=False)
    assert ImageConfig.from_inspect({"Id": "sha256:1", "Config": None}) == ImageConfig("sha256:1", has_command=False)


def test_an_image_without_a_command_needs_one() -> None:
    without = ImageConfig.from_inspect({"Id": "sha256:1", "Config": {"Entrypoint": None, "Cmd": []}})
    with pytest.raises(NothingToAsk, match="a/b:1 has neither ENTRYPOINT nor CMD"):
        make_plan(wanted(), without)
    make_plan(wanted(command=["serve"]), without)
    for own in ("Entrypoint", "Cmd"):
        make_plan(wanted(), ImageConfig.from_inspect({"Id": "sha256:1", "Config": {own: ["serve"]}}))


def test_the_signal_and_the_user_are_the_images_unless_another_is_given() -> None:
    config = image(stop_signal="SIGQUIT")
    plan = make_plan(wanted(stop_timeout=7), config)
    assert "SIGQUIT ends it within 7 s" in [point.text for point in plan.points]
    assert plan.user == "10001"
    assert make_plan(wanted(user="7"), config).user == "7"
