# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is planned: which files for which engine and registry, and what each engine needs to take them over."""

from __future__ import annotations

import dataclasses
import json
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import Engine
from ansible_collections.longshore.delivery.plugins.module_utils.node.processes import Process
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Endpoint
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.trust.ledger import Ledger
from ansible_collections.longshore.delivery.plugins.module_utils.trust.locations import Locations
from ansible_collections.longshore.delivery.plugins.module_utils.trust.obstacle import shadow_of
from ansible_collections.longshore.delivery.plugins.module_utils.trust.plan import Plan, Scope, plan, without_engines
from ansible_collections.longshore.delivery.plugins.module_utils.trust.wanted import wanted_entries

from .node import Node, Refused

Make = t.Callable[..., RegistrySettings]
HOST = "10.0.0.5:5000"
CONTAINERD = {f"etc/containerd/certs.d/{HOST}/hosts.toml", "etc/containerd/config.toml"}
CONTAINERD_CA = CONTAINERD | {f"etc/containerd/certs.d/{HOST}/longshore.crt"}
DOCKER_CA = {f"etc/docker/certs.d/{HOST}/longshore.crt"}
CONTAINERS_CA = {f"etc/containers/certs.d/{HOST}/longshore.crt"}
DROP_IN = {"etc/containers/registries.conf.d/50-longshore-10.0.0.5_5000.conf"}
DAEMON = {"etc/docker/daemon.json"}

TABLE = [
    # engine, tls, files, what it needs
    ("containerd", "ca", CONTAINERD_CA, "restart"),
    ("containerd", "unverified", CONTAINERD, "restart"),
    ("containerd", "plain", CONTAINERD, "restart"),
    ("containerd", "verified", set(), "nothing"),
    ("docker", "ca", DOCKER_CA, "nothing"),
    ("docker", "unverified", DAEMON, "reload"),
    ("docker", "plain", DAEMON, "reload"),
    ("docker", "verified", set(), "nothing"),
    ("podman", "ca", CONTAINERS_CA, "nothing"),
    ("podman", "unverified", DROP_IN, "nothing"),
    ("podman", "plain", DROP_IN, "nothing"),
    ("podman", "verified", set(), "nothing"),
    ("crio", "ca", CONTAINERS_CA, "nothing"),
    ("crio", "unverified", DROP_IN, "reload"),
    ("crio", "plain", DROP_IN, "reload"),
    ("crio", "verified", set(), "nothing"),
]


def running(engine: Engine, *flags: str) -> Engine:
    return dataclasses.replace(engine, daemon=Process(4242, (engine.name, *flags), 1))


def planned_for(node: Node, engine: Engine, *registries: RegistrySettings) -> Plan:
    entries = wanted_entries([engine], registries, [], node.locations.containerd_hosts, (), node.locations)
    scope = Scope(tuple(entries), frozenset(str(one.endpoint) for one in registries))
    return plan([engine], scope, {}, Ledger(), {}, False, node.locations)


@pytest.mark.parametrize(("name", "tls", "files", "action"), TABLE)
def test_what_an_engine_finds_and_needs(
    node: Node, registry: Make, name: str, tls: str, files: set[str], action: str
) -> None:
    (engine,) = [engine for engine in node.engines if engine.name == name]
    planned = planned_for(node, running(engine), registry(tls))
    assert {step.path for step in planned.steps} == {str(node.root / path) for path in files}
    assert [(one.what, one.engine.name) for one in planned.actions] == [(action, name)]
    assert all(step.mode == 0o644 for step in planned.steps)  # rootless users read them


def test_an_engine_that_does_not_run_is_neither_reloaded_nor_restarted(node: Node, registry: Make) -> None:
    for engine in node.engines:
        (action,) = planned_for(node, engine, registry("plain")).actions
        assert action.what == "nothing"


def test_the_authority_comes_before_the_file_that_names_it(node: Node, registry: Make) -> None:
    names = [step.path.rpartition("/")[2] for step in node.planned(registry("ca")).steps]
    assert names.index("longshore.crt") < names.index("hosts.toml") < names.index("config.toml")
    node.serve(registry("ca"))
    names = [step.path for step in node.planned(absent=True).steps if "containerd" in step.path]
    assert [name.rpartition("/")[2] for name in names] == ["hosts.toml", "longshore.crt", "config.toml"]


def test_a_containerd_that_reads_a_directory_already_is_not_restarted(node: Node, registry: Make) -> None:
    text = 'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "/etc/hosts.d"\n'
    node.write("etc/containerd/config.toml", text)
    planned = node.planned(registry("plain"))
    paths = [step.path for step in planned.steps if "containerd" in step.engines]
    assert paths == ["/etc/hosts.d/10.0.0.5:5000/hosts.toml"]


def test_without_a_restart_nothing_of_that_engine_is_written(node: Node, registry: Make) -> None:
    whole = node.planned(registry("ca"))
    rest = without_engines(whole, {"containerd"}, Ledger())
    assert {path for path in rest.records if "containerd" in path} == set()
    assert {step.path for step in rest.steps} == {str(node.root / path) for path in DOCKER_CA | CONTAINERS_CA}
    assert [action.engine.name for action in rest.actions] == ["podman", "docker", "crio"]


def test_docker_flags_and_its_file_do_not_meet(node: Node, registry: Make) -> None:
    (docker,) = [engine for engine in node.engines if engine.name == "docker"]
    own = running(docker, "-H", "fd://", f"--insecure-registry={HOST}")
    assert planned_for(node, own, registry("plain")).steps == ()  # it trusts it already; the file would stop it


def test_a_list_that_docker_has_not_heard_of_is_reloaded(node: Node, registry: Make) -> None:
    node.write("etc/docker/daemon.json", json.dumps({"insecure-registries": [HOST]}))
    (docker,) = [engine for engine in node.engines if engine.name == "docker"]
    for insecure, what in (((), "reload"), ((HOST,), "nothing"), (None, "nothing")):
        engine = dataclasses.replace(running(docker), insecure=insecure)
        entries = wanted_entries([engine], [registry("plain")], [], "", (), node.locations)
        content = {engine.config_file: _state(node, "etc/docker/daemon.json")}
        scope = Scope(tuple(entries), frozenset([HOST]))
        (action,) = plan([engine], scope, content, Ledger(), {}, False, node.locations).actions
        assert action.what == what


def _state(node: Node, path: str) -> t.Any:
    from ansible_collections.longshore.delivery.plugins.module_utils import atomic

    return atomic.read(str(node.root / path))


def test_what_an_earlier_run_left_undone_is_done(node: Node, registry: Make) -> None:
    (crio,) = [engine for engine in node.engines if engine.name == "crio"]
    entries = tuple(wanted_entries([crio], [registry("ca")], [], "", (), node.locations))
    for scope, what in ((Scope(entries, frozenset([HOST])), "restart"), (Scope((), None), "nothing")):
        pending = Ledger(True, pending={"crio": "restart"})
        (action,) = plan([running(crio)], scope, {}, pending, {}, False, node.locations).actions
        assert action.what == what  # a restart for what is taken away would be for nothing


OBSTACLES = [
    ("etc/containerd/config.toml", "version = \n", "ca", "config.toml: line 1"),
    ("etc/containerd/config.toml", "\ufeffversion = 2\n", "ca", "byte order mark"),
    ("etc/containerd/config.toml", b"version = 2 # \xff\n", "ca", "utf-8"),
    ("etc/containerd/config.toml", 'version = 2\ndisabled_plugins = ["cri"]\n', "ca", "disabled_plugins"),
    ("etc/containerd/config.toml", "version = 3\n", "ca", "does not start"),
    (f"etc/containerd/certs.d/{HOST}/hosts.toml", 'server = "x"\n', "ca", "was not written by this collection"),
    (f"etc/containerd/certs.d/{HOST}/company.crt", "x", "ca", "as long as there is no hosts.toml"),
    ("etc/containerd/certs.d/10.0.0.5_5000_/hosts.toml", "", "ca", "instead of 10.0.0.5:5000"),
    ("etc/docker/daemon.json", "{", "plain", "daemon.json: line 1"),
    (f"etc/docker/certs.d/{HOST}/client.cert", "x", "ca", "as long as there is no"),
    (f"etc/docker/certs.d/{HOST}/longshore.crt", "x", "ca", "was not written by this collection"),
    ("etc/containers/registries.conf.d/x.conf", "[[registry]\n", "plain", "breaks every pull"),
    (
        "etc/containers/registries.conf.d/x.conf",
        f'[[registry]]\nlocation = "{HOST}"\nblocked = true\n',
        "plain",
        "set 'insecure' there",
    ),
]


@pytest.mark.parametrize(
    ("endpoint", "directory"),
    [
        ("10.0.0.5:5000", "/hosts/10.0.0.5_5000_"),
        ("[2001:db8::1]:5000", "/hosts/[2001:db8::1]_5000_"),
        ("registry.example", None),
        ("[2001:db8::1]", None),
    ],
)
def test_what_containerd_reads_in_the_place_of_host_and_port(endpoint: str, directory: str | None) -> None:
    assert shadow_of(Endpoint.parse(endpoint), "/hosts") == directory


@pytest.mark.parametrize(("path", "content", "tls", "words"), OBSTACLES)
def test_what_stands_in_the_way_is_named_and_left(
    node: Node, registry: Make, path: str, content: str | bytes, tls: str, words: str
) -> None:
    node.write(path, content)
    before = node.files()
    with pytest.raises(Refused, match=words) as refused:
        node.serve(registry(tls))
    assert path.rpartition("/")[0] in str(refused.value)
    assert node.files() == before


def test_imports_that_take_the_place_of_the_table_are_named(node: Node, registry: Make) -> None:
    node.write("etc/containerd/config.toml", 'version = 2\nimports = ["conf.d/*.toml"]\n')
    node.write("etc/containerd/conf.d/x.toml", '[plugins."io.containerd.grpc.v1.cri"]\nsandbox_image = "p"\n')
    with pytest.raises(Refused, match=r"imports .*conf\.d/x\.toml"):
        node.serve(registry("ca"))
    node.containerd = "2.2.9"  # merges it
    node.serve(registry("ca"))


def test_a_foreign_entry_that_says_the_same_is_enough(node: Node, registry: Make) -> None:
    node.write("etc/containers/registries.conf.d/x.conf", f'[[registry]]\nlocation = "{HOST}"\ninsecure = true\n')
    node.write("etc/docker/daemon.json", json.dumps({"insecure-registries": [HOST]}))
    planned = node.serve(registry("plain"))
    assert all("containerd" in step.path for step in planned.steps)
    node.serve(absent=True)
    assert json.loads(node.read("etc/docker/daemon.json")) == {"insecure-registries": [HOST]}  # it never was ours


def test_override_replaces_and_absent_brings_back(node: Node, registry: Make) -> None:
    node.write(f"etc/containerd/certs.d/{HOST}/hosts.toml", 'server = "https://theirs"\n', 0o600)
    before = node.files()
    node.serve(registry("ca"), override=True)
    assert "theirs" not in node.read(f"etc/containerd/certs.d/{HOST}/hosts.toml")
    node.serve(absent=True)
    assert node.files() == before


def test_a_shared_file_stays_for_the_engine_that_still_wants_it() -> None:
    locations = Locations("/nowhere")
    podman, crio = Engine("podman", "4.3.1", "x"), Engine("crio", "1.36.1", "y")
    one = RegistrySettings.from_params({"endpoint": HOST, "tls": "plain"})
    (entry,) = wanted_entries([podman, crio], [one], [], "", (), locations)
    assert entry.engines == ("podman", "crio")


@pytest.mark.parametrize("home", ["root", "home/ops"])
def test_a_user_s_own_file_that_hides_the_system_s_is_named(node: Node, registry: Make, home: str) -> None:
    before = node.remarks(registry("plain"))
    path = node.write(f"{home}/.config/containers/registries.conf", "")
    (said,) = set(node.remarks(registry("plain"))) - set(before)
    assert said.startswith(f"{path} hides /etc/containers/registries.conf and its drop-ins")
