# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What users write, and what is refused before a cluster or a registry is asked."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.longshore.delivery.plugins.doc_fragments.cluster import ModuleDocFragment as ClusterFragment
from ansible_collections.longshore.delivery.plugins.doc_fragments.registry import ModuleDocFragment as RegistryFragment
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.workload.options import release_from
from ansible_collections.longshore.delivery.plugins.module_utils.workload.workload import CAPABILITY
from ansible_collections.longshore.delivery.plugins.modules import workload as module

from .options import release, validated

HTTP = [{"name": "http", "port": 8080}]


def test_the_least_that_can_be_said() -> None:
    made = release()
    assert (made.name, made.namespace, made.replicas, made.service) == ("web", "default", None, False)
    assert (made.pre_stop_pause, made.stop_seconds, made.pull_credentials) == (0, 30, None)


def test_ports_make_a_service_and_a_service_a_pause_before_the_end() -> None:
    made = release(ports=HTTP)
    assert (made.service, made.pre_stop_pause) == (True, 5)
    assert release(ports=HTTP, service=False).pre_stop_pause == 0
    assert release(ports=HTTP, pre_stop_pause=0).pre_stop_pause == 0


def test_values_become_the_text_that_was_most_likely_written() -> None:
    made = release(config={"DEBUG": True, "PORT": 8080, "RATE": 0.5, "NAME": "x"})
    assert made.config == {"DEBUG": "true", "PORT": "8080", "RATE": "0.5", "NAME": "x"}


def test_the_kubelet_gets_the_registrys_credentials() -> None:
    registry = {"endpoint": "registry.example:5000", "username": "ci", "password": "hunter2"}
    credentials = release(registry=registry).pull_credentials
    assert credentials
    assert (credentials.endpoint, credentials.username, credentials.password) == (
        "registry.example:5000",
        "ci",
        "hunter2",
    )
    assert release(registry={"endpoint": "registry.example:5000"}).pull_credentials is None


def test_no_secret_shows_in_a_representation() -> None:
    registry = {"endpoint": "registry.example:5000", "username": "ci", "password": "hunter2"}
    made = release(secrets={"DB_PASSWORD": "tide-and-time"}, registry=registry)
    assert "hunter2" not in repr(made)
    assert "tide-and-time" not in repr(made)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"name": "Web"}, ("name", "'Web'", "lower-case")),
        ({"name": "1web"}, ("name", "a letter first")),
        ({"name": "w" * 64}, ("at most 63",)),
        ({"namespace": "a_b"}, ("namespace", "'a_b'")),
        ({"image": "Shop/Web:1"}, ("Shop/Web:1",)),
        ({"sidecars": [{"name": "a", "image": "b c"}]}, ("b c",)),
        ({"sidecars": [{"name": "web", "image": "a"}]}, ("web is used twice", "main container")),
        ({"ports": [*HTTP, {"name": "admin", "port": 8080}]}, ("8080", "twice")),
        ({"ports": [*HTTP, {"name": "http", "port": 81}]}, ("http is used twice",)),
        ({"ports": [{"name": "http_", "port": 81}]}, ("http_", "at most 15")),
        ({"ports": [{"name": "http", "port": 0}]}, ("http is 0", "65535")),
        ({"service": True}, ("no ports", "add 'ports'")),
        ({"config": {"A": "1"}, "secrets": {"A": "2"}}, ("A is in config and in secrets",)),
        ({"config": {"A": "1"}, "env": {"A": "2"}}, ("A is in env and in config or secrets",)),
        ({"config": {"A B": "1"}}, ("config", "'A B'", "environment variable")),
        ({"config": {"A": {"b": 1}}}, ("A is a dictionary", "to_json")),
        ({"config": {"A": None}}, ("A is a null",)),
        ({"replicas": -1}, ("replicas is -1",)),
        ({"stop_seconds": 0}, ("stop_seconds is 0",)),
        ({"resources": {"limits": {"cpu": "lots"}}}, ("resources.limits.cpu of web is 'lots'", "500m")),
        ({"probes": {"ready": {"tcp": "http"}}}, ("probes.ready.tcp", "'http'", "declared are: none")),
        ({"ports": HTTP, "probes": {"live": {"http": {"port": "htp"}}}}, ("probes.live.http", "'htp'", "http (8080)")),
        ({"probes": {"ready": {"http": "/ready"}}}, ("probes.ready.http", "no port")),
        ({"ports": HTTP, "probes": {"ready": {"http": "ready"}}}, ("'ready'", "begin with '/'")),
        ({"ports": HTTP, "probes": {"ready": {"http": {"url": "/x"}}}}, ("url is unknown", "path, port, headers")),
        ({"ports": HTTP, "probes": {"ready": {"http": {"scheme": "ftp"}}}}, ("'ftp'", "https")),
        ({"ports": HTTP, "probes": {"ready": {"http": {"headers": "x"}}}}, ("headers", "dictionary")),
        ({"probes": {"ready": {"tcp": "70000"}}}, ("70000 is no port",)),
        ({"probes": {"ready": {"tcp": "80", "period": 0}}}, ("probes.ready.period is 0",)),
        ({"probes": {"live": {"tcp": "80", "successes": 2}}}, ("probes.live.successes is 2", "only 1")),
    ],
)
def test_bad_input_is_one_error_that_names_it(options: dict[str, t.Any], words: tuple[str, ...]) -> None:
    with pytest.raises(DeliveryError) as caught:
        release_from(validated(**options))
    assert not [word for word in words if word not in str(caught.value)], str(caught.value)


@pytest.mark.parametrize(
    "options",
    [{"probes": {"ready": {"tcp": "1", "exec": ["x"]}}}, {"probes": {"ready": {"period": 1}}}, {"image": None}],
    ids=["two kinds of probe", "no kind of probe", "no image"],
)
def test_what_the_argument_spec_refuses(options: dict[str, t.Any]) -> None:
    given = {key: value for key, value in {"name": "web", "image": "a:1", **options}.items() if value is not None}
    assert ArgumentSpecValidator(CAPABILITY.argument_spec, **CAPABILITY.constraints).validate(given).error_messages


def test_a_port_that_is_not_declared_is_warned_about() -> None:
    _release, warnings = release_from(validated(ports=HTTP, probes={"live": {"tcp": "9090"}}))
    assert warnings == ["probes.live.tcp: port 9090 is not among the declared ports (http (8080))."]


def _documented(options: dict[str, t.Any]) -> dict[str, t.Any]:
    return {
        name: {
            "type": option.get("type", "str"),
            "required": option.get("required", False),
            "default": option.get("default"),
            "choices": option.get("choices"),
            "elements": option.get("elements"),
            "options": _documented(option.get("suboptions") or option.get("options") or {}),
        }
        for name, option in options.items()
    }


def test_the_documentation_tells_of_the_options_that_there_are() -> None:
    documented = yaml.safe_load(module.DOCUMENTATION)["options"]
    for fragment in (ClusterFragment, RegistryFragment):
        documented.update(yaml.safe_load(fragment.DOCUMENTATION)["options"])
    assert _documented(documented) == _documented(CAPABILITY.argument_spec)
