# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""registry_trust on the lab's engines: containerd 1.7 and 2.2, CRI-O, Docker and Podman are asked by their own clients."""

from __future__ import annotations

import json
import re
import subprocess
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from .lab import (
    CONTAINERD_1,
    CONTAINERD_2,
    CRIO,
    DOCK,
    ENGINES,
    EVERY_NODE,
    LEDGER,
    PLACES,
    Engine,
    files,
    main_processes,
    on,
    play,
    read,
    run_module,
    run_on,
    write,
)
from .registries import ADDRESS, LOGIN, Served, certificate, refusing_engines, serving, taking_no_push

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("untrusting")]
# each test begins with one of these, and leaves the nodes as it likes
trusted, untrusted = pytest.mark.usefixtures("trusted"), pytest.mark.usefixtures("untrusted")


def engine_of(result: dict[str, t.Any], name: str) -> dict[str, t.Any]:
    (found,) = [engine for engine in result["engines"] if engine["name"] == name]
    return t.cast("dict[str, t.Any]", found)


@pytest.fixture
def daemon_json() -> t.Iterator[None]:
    """dock's Docker has a configuration of its user's."""
    write(DOCK, "/etc/docker/daemon.json", '{"labels":   ["a=b"]}\n')
    yield
    on(DOCK, "rm", "-f", "/etc/docker/daemon.json")


def pulls(engine: Engine, registry: Served) -> str | None:
    """Have an engine pull a new image. Returns what it says if it cannot."""
    image = registry.push()
    said = engine.pull(image, registry.login)
    engine.forget(image)
    return said


EVERY_ENGINE_PULLS = dict.fromkeys(map(str, ENGINES), "")


def said_by_engines(registry: Served) -> dict[str, str]:
    """What each engine says if it cannot pull a new image, all of them at once."""
    with ThreadPoolExecutor() as pool:
        return dict(zip(map(str, ENGINES), pool.map(lambda engine: pulls(engine, registry) or "", ENGINES)))


def changed(output: str) -> dict[str, int]:
    """How many tasks changed something, by host."""
    return {name: int(count) for name, count in re.findall(r"^(\S+)\s+: ok=.*?changed=(\d+)", output, re.MULTILINE)}


@untrusted
def test_every_engine_trusts_a_private_authority_and_no_pod_is_killed(
    private: Served, role: Path, pods: t.Callable[[], dict[str, str]]
) -> None:
    for name, said in said_by_engines(private).items():
        assert "x509: certificate signed by unknown authority" in said, name
    before = {node: main_processes(node) for node in EVERY_NODE}
    were = pods()
    output = play(role, "-v", "--diff", registry_trust_registries=[private.options])
    assert LOGIN[1] not in output
    assert said_by_engines(private) == EVERY_ENGINE_PULLS
    for engine in ENGINES:
        assert "canary" not in engine.images()
    assert private.tags_of_canaries() == []
    assert pods() == were
    for node in EVERY_NODE:
        after = main_processes(node)
        # only a containerd that read no directory yet is restarted, and the kubelet not with it
        assert {unit for unit in after if after[unit] != before[node][unit]} == (
            {"containerd"} if node in (CONTAINERD_1, CONTAINERD_2) else set()
        )
    again = play(role, registry_trust_registries=[private.options])
    assert changed(again) == dict.fromkeys(("cp", "n1", "n2", "dock"), 0)
    ran = [part for part in again.split("TASK [")[1:] if "ok: [" in part and "arg spec" not in part]
    assert len(ran) == 1, again  # one call a node
    assert pods() == were


@trusted
def test_an_image_that_is_missing_is_told_as_that(private: Served) -> None:
    """And not as an authority that is not trusted, which containerd 1.7 says of a hosts.toml that names it at one place only."""
    for engine in ENGINES:
        said = engine.pull(f"{private.endpoint}/trust-test/missing:1", private.login) or ""
        assert re.search("not found|manifest unknown", said), f"{engine}: {said}"
        assert "x509" not in said


@trusted
def test_a_login_is_kept_nowhere_and_files_have_their_modes(private: Served) -> None:
    for node in EVERY_NODE:
        assert on(node, "stat", "-c", "%a", LEDGER, f"{LEDGER}/trust.json").stdout.split() == ["700", "600"]
        found = on(node, "grep", "-rlF", LOGIN[1], "/etc", LEDGER, "/root", check=False).stdout
        assert found == ""
    for path in (f"/etc/containers/certs.d/{private.endpoint}", f"/etc/docker/certs.d/{private.endpoint}"):
        assert on(DOCK, "stat", "-c", "%a", path, f"{path}/longshore.crt").stdout.split() == ["755", "644"]


@pytest.mark.usefixtures("trusted", "daemon_json")
def test_plain_http_is_taken_over_by_a_reload_and_given_back(plain: Served, private: Served) -> None:
    for engine, said in said_by_engines(plain).items():
        assert "server gave HTTP response to HTTPS client" in said, engine
    before = {node: (files(node), main_processes(node)) for node in EVERY_NODE}
    results = run_module(*EVERY_NODE, registries=[plain.options])
    actions = {(name, engine["name"]): engine["action"] for name in results for engine in results[name]["engines"]}
    assert actions == {
        ("cp", "containerd"): "nothing",
        ("n1", "containerd"): "nothing",
        ("n2", "podman"): "nothing",
        ("n2", "crio"): "reload",
        ("dock", "podman"): "nothing",
        ("dock", "docker"): "reload",
    }
    assert said_by_engines(plain) == EVERY_ENGINE_PULLS
    assert json.loads(read(DOCK, "/etc/docker/daemon.json") or "")["labels"] == ["a=b"]
    assert "containerd" in results["dock"]["passed_over"]  # it serves Docker there
    for result in run_module(*EVERY_NODE, registries=[{"endpoint": plain.endpoint}], state="absent").values():
        assert result["changed"], result
    for engine, said in said_by_engines(plain).items():
        assert "server gave HTTP response to HTTPS client" in said, engine
    assert said_by_engines(private) == EVERY_ENGINE_PULLS  # the other registry is left alone
    assert {node: (files(node), main_processes(node)) for node in EVERY_NODE} == before


@trusted
def test_without_verification_and_then_with_it_nothing_insecure_stays(private: Served) -> None:
    unverified = {"endpoint": private.endpoint, "tls": "unverified", "username": LOGIN[0], "password": LOGIN[1]}
    run_module(*EVERY_NODE, registries=[unverified])
    assert said_by_engines(private) == EVERY_ENGINE_PULLS
    assert private.endpoint in on(DOCK, "docker", "info").stdout
    results = run_module(*EVERY_NODE, registries=[private.options])
    assert engine_of(results["dock"], "docker")["action"] == "reload"
    assert private.endpoint not in on(DOCK, "docker", "info").stdout
    assert read(DOCK, "/etc/docker/daemon.json") is None
    assert said_by_engines(private) == EVERY_ENGINE_PULLS
    for node in EVERY_NODE:
        places = ["/etc/containerd", "/etc/containers/registries.conf.d"]
        assert not on(node, "grep", "-rlE", "skip_verify|^insecure", *places, check=False).stdout


@trusted
def test_what_stands_in_the_way_does_so_on_the_engines_and_is_named(private: Served) -> None:
    """The rules by which files of others are refused, each shown on the engine that has it."""
    host, port = private.endpoint.split(":")
    for node in (CONTAINERD_1, CONTAINERD_2):
        engine, shadow = Engine(node, "containerd"), f"/etc/containerd/certs.d/{host}_{port}_"
        write(node, f"{shadow}/hosts.toml", f'[host."http://{host}:9"]\n')
        try:
            assert pulls(engine, private) is not None  # it beats the directory of the right name
            result = run_on(node, registries=[private.options], verify="always")
            assert result["failed"]
            assert shadow in result["msg"]
        finally:
            on(node, "rm", "-r", shadow)
        assert pulls(engine, private) is None
    run_module(DOCK, state="absent", registries=[{"endpoint": private.endpoint}])
    podman, theirs = Engine(DOCK, "podman"), f"/etc/docker/certs.d/{private.endpoint}"
    write(DOCK, f"{theirs}/company.crt", private.options["ca"])
    try:
        assert pulls(podman, private) is None  # it reads Docker's directory
        result = run_on(DOCK, registries=[private.options])
        assert result["failed"]
        assert f"company.crt in {theirs}" in result["msg"]
        on(DOCK, "mkdir", "-p", f"/etc/containers/certs.d/{private.endpoint}")
        assert "unknown authority" in (pulls(podman, private) or "")  # as long as there is none of its own, be it empty
    finally:
        on(DOCK, "rm", "-rf", theirs, f"/etc/containers/certs.d/{private.endpoint}")


@trusted
def test_check_mode_says_it_all_and_does_nothing(plain: Served, private: Served) -> None:
    before = {node: (files(node), main_processes(node), read(node, f"{LEDGER}/trust.json")) for node in EVERY_NODE}
    results = run_module(*EVERY_NODE, registries=[plain.options], check=True, diff=True)
    purged = run_module(*EVERY_NODE, registries=[plain.options], check=True, purge=True)
    assert all(private.endpoint in purged[node.name]["purged"] for node in EVERY_NODE)
    for result in results.values():
        assert result["changed"]
    shown = re.findall(r"^\+\+\+ after: (\S+)", results["dock"]["output"], re.MULTILINE)
    assert sum(path.endswith("/hosts.toml") for path in shown) == 2
    assert "/etc/docker/daemon.json" in shown
    assert engine_of(results["dock"], "docker")["action"] == "reload"
    assert {
        node: (files(node), main_processes(node), read(node, f"{LEDGER}/trust.json")) for node in EVERY_NODE
    } == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"password": "wrong"}, "refuses user 'ci'"),
        ({"endpoint": f"{ADDRESS}:9"}, "nothing takes connections"),
        ({"ca": None}, "authority"),
        ({"tls": "plain", "ca": None}, "speaks TLS, and 'tls' is plain"),
        ({"endpoint": "registry.invalid:5000"}, "not known"),
    ],
    ids=["password", "port", "ca", "plain", "name"],
)
@trusted
def test_what_the_registry_does_not_take_is_said_before_anything_is_changed(
    private: Served, change: dict[str, str | None], words: str
) -> None:
    nodes = (CRIO, DOCK)  # it is asked before any engine is
    before = {node: files(node) for node in nodes}
    options = {key: value for key, value in {**private.options, **change}.items() if value is not None}
    for name, result in run_module(*nodes, registries=[options], verify="always").items():
        assert result.get("failed"), name
        assert words in result["msg"], name
        assert LOGIN[1] not in result["output"]
    assert {node: files(node) for node in nodes} == before


@pytest.mark.wide
@pytest.mark.parametrize("tls", ["verified", "plain"])
@trusted
def test_when_engines_cannot_pull_everything_is_put_back_and_no_pod_is_killed(
    registry_program: str, tmp_path: Path, private: Served, pods: t.Callable[[], dict[str, str]], tls: str
) -> None:
    run_module(CONTAINERD_1, CONTAINERD_2, registries=[], state="absent")  # so that a restart is part of it
    before, were = {node: files(node) for node in EVERY_NODE}, pods()
    ledgers = {node: read(node, f"{LEDGER}/trust.json") for node in EVERY_NODE}
    authority, issued = certificate(tmp_path / "certificates")
    with (
        serving(registry_program, tmp_path / "r", None, login=False) as behind,
        refusing_engines(behind, issued if tls == "verified" else None) as front,
    ):
        options = {"ca": authority.pem} if tls == "verified" else {}
        results = run_module(*EVERY_NODE, registries=[{"endpoint": front, "tls": tls, **options}])
    for name, result in results.items():
        assert result.get("failed"), name
        assert result["pull_error"] == "forbidden", result["msg"]
        assert "as it was before this run" in result["msg"]
        assert front in result["msg"]
    assert {node: files(node) for node in EVERY_NODE} == before
    assert {node: read(node, f"{LEDGER}/trust.json") for node in EVERY_NODE} == ledgers
    assert pods() == were
    assert front not in on(DOCK, "docker", "info").stdout
    for node in (CONTAINERD_1, CONTAINERD_2):
        assert "containerd" in on(node, "crictl", "version").stdout
    for result in run_module(CONTAINERD_1, CONTAINERD_2, registries=[private.options]).values():
        assert engine_of(result, "containerd")["action"] == "restart"


@trusted
def test_what_hides_a_drop_in_from_podman_is_found_by_the_pull(plain: Served) -> None:
    hiding = "/root/.config/containers/registries.conf"
    write(DOCK, hiding, "")
    try:
        before = files(DOCK)
        result = run_on(DOCK, registries=[plain.options], engines=["podman"])
        assert result["pull_error"] == "https_on_http"
        assert f"{hiding} hides" in " ".join(result["output"].split())
        assert files(DOCK) == before
    finally:
        on(DOCK, "rm", hiding)
        on(DOCK, "rmdir", "-p", "--ignore-fail-on-non-empty", str(Path(hiding).parent))


@trusted
def test_without_a_restart_an_engine_that_needs_one_is_left_and_named(private: Served) -> None:
    run_module(CONTAINERD_2, state="absent")
    before = files(CONTAINERD_2), main_processes(CONTAINERD_2)
    result = run_on(CONTAINERD_2, registries=[private.options], restart="never")
    assert (result["changed"], result["restart_needed"]) == (False, ["containerd"])
    assert (files(CONTAINERD_2), main_processes(CONTAINERD_2)) == before
    assert "containerd" in engine_of(result, "containerd")["reason"]


@pytest.mark.wide
@trusted
def test_two_directories_that_containerd_2_ignores_become_one(private: Served) -> None:
    run_module(CONTAINERD_2, state="absent")
    config = read(CONTAINERD_2, "/etc/containerd/config.toml") or ""
    both = "config_path = '/etc/containerd/certs.d:/etc/docker/certs.d' # both\n"
    table = "[plugins.'io.containerd.cri.v1.images'.registry]\n  " + both
    write(CONTAINERD_2, "/etc/containerd/config.toml", config + "\n" + table)
    try:
        result = run_on(CONTAINERD_2, registries=[private.options])
        assert engine_of(result, "containerd")["action"] == "restart"
        assert 'config_path = "/etc/containerd/certs.d" # both' in (
            read(CONTAINERD_2, "/etc/containerd/config.toml") or ""
        )
        assert pulls(Engine(CONTAINERD_2, "containerd"), private) is None
        run_module(CONTAINERD_2, state="absent")
        assert read(CONTAINERD_2, "/etc/containerd/config.toml") == config + "\n" + table
    finally:
        write(CONTAINERD_2, "/etc/containerd/config.toml", config)


@pytest.mark.wide
@trusted
def test_a_configuration_of_version_2_does_for_containerd_2(private: Served) -> None:
    run_module(CONTAINERD_2, state="absent")
    path = "/etc/containerd/config.toml"
    own = read(CONTAINERD_2, path) or ""
    old = re.sub(r"\n\[plugins\..*registry\]\n.*\n", "", read(CONTAINERD_1, path) or "")  # as containerd 1.7 has it
    write(CONTAINERD_2, path, old)
    try:
        result = run_on(CONTAINERD_2, registries=[private.options])
        assert engine_of(result, "containerd")["action"] == "restart"
        assert 'io.containerd.grpc.v1.cri".registry]' in (read(CONTAINERD_2, path) or "")
        assert pulls(Engine(CONTAINERD_2, "containerd"), private) is None
        run_module(CONTAINERD_2, state="absent")
        assert read(CONTAINERD_2, path) == old
    finally:
        write(CONTAINERD_2, path, own)


def test_where_nothing_can_be_pushed_the_answer_proves_trust() -> None:
    """Engines are asked for an image that is not there."""
    with taking_no_push() as endpoint:
        registry = {"endpoint": endpoint, "tls": "plain"}
        try:
            for result in run_module(*EVERY_NODE, registries=[registry]).values():
                assert not result["failed"], result
                assert {pull["verified_by"] for engine in result["engines"] for pull in engine["pulls"]} == {"answer"}
        finally:
            run_module(*EVERY_NODE, registries=[registry], state="absent")


@trusted
def test_no_password_in_any_command_line(private: Served) -> None:
    """Every command line on the node is looked at all the while the engines pull."""
    for node in (CONTAINERD_1, DOCK):
        watch = "while [ ! -e /tmp/trust-stop ]; do cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '; done > /tmp/trust-seen"
        subprocess.run(["docker", "exec", "-d", node.container, "sh", "-c", watch], check=True)
        try:
            result = run_on(node, registries=[private.options], verify="always")
        finally:
            on(node, "touch", "/tmp/trust-stop")
        seen = on(node, "cat", "/tmp/trust-seen").stdout
        on(node, "rm", "/tmp/trust-stop", "/tmp/trust-seen")
        assert any(engine["pulls"] for engine in result["engines"])
        assert ("crictl" if node is CONTAINERD_1 else "podman") in seen
        assert LOGIN[1] not in seen


@trusted
def test_an_unreachable_node_keeps_no_other_from_being_served(plain: Served, tmp_path: Path) -> None:
    inventory = yaml.safe_load(PLACES.inventory.read_text())
    inventory["all"]["hosts"]["gone"] = {"ansible_host": "127.0.0.1", "ansible_port": 9}
    inventory["all"]["children"]["longshore_nodes"]["hosts"] = {"gone": {}}
    (tmp_path / "inventory.yml").write_text(yaml.safe_dump(inventory))
    playbook = "longshore.delivery.trust"
    options = ["-i", str(tmp_path / "inventory.yml"), "--limit", "gone,dock"]
    output = play(playbook, *options, ok=False, longshore_registry=plain.options)
    assert re.search(r"Not served: gone\b", output)
    assert "UNREACHABLE" in output
    assert pulls(Engine(DOCK, "docker"), plain) is None
    del inventory["all"]["hosts"]["gone"], inventory["all"]["children"]["longshore_nodes"]["hosts"]
    output = play(playbook, "--limit", "dock", longshore_registry=plain.options)
    assert changed(output)["dock"] == 0


@trusted
def test_all_is_taken_away_to_the_last_byte(private: Served) -> None:
    before = {node: main_processes(node) for node in EVERY_NODE}
    for name, result in run_module(*EVERY_NODE, state="absent").items():
        assert result["changed"], name
    for engine, said in said_by_engines(private).items():
        assert "x509: certificate signed by unknown authority" in said, engine
    assert {node: main_processes(node) for node in EVERY_NODE} == before  # nobody is restarted for it
    for node in EVERY_NODE:
        assert not [line for line in files(node) if "longshore" in line or private.endpoint in line]
    for result in run_module(*EVERY_NODE, state="absent").values():
        assert not result["changed"]
