# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mirrors on the lab's engines, which are asked by their own clients for images that a mirror alone has."""

from __future__ import annotations

import json
import socket
import threading
import typing as t
from pathlib import Path

import pytest

from tests.integration.asking import eventually

from .lab import CRI, DOCK, ENGINES, EVERY_NODE, Engine, files, main_processes, on, read, run_module, run_on, write
from .registries import ADDRESS, LOGIN, Served, certificate, serving

pytestmark = [pytest.mark.lab, pytest.mark.wide, pytest.mark.usefixtures("untrusted")]

NOWHERE = (
    "upstream.invalid:5000"  # whatever comes by this name comes from a mirror; of docker.io nothing comes to the lab
)
PODMAN = Engine(DOCK, "podman")


@pytest.fixture(scope="module")
def verified(registry_program: str, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Served]:
    """A registry with TLS by an authority of its own, from which whoever likes pulls."""
    directory = tmp_path_factory.mktemp("verified")
    authority, issued = certificate(directory / "certificates")
    with serving(registry_program, directory / "registry", issued, login=False) as endpoint:
        yield Served({"endpoint": endpoint, "ca": authority.pem})


def mirror(registry: Served, *upstreams: str) -> dict[str, t.Any]:
    return {**registry.options, "mirror_of": list(upstreams)}


def by_name_of(upstream: str, image: str) -> str:
    return f"{upstream}/{image.partition('/')[2]}"


def said_of(engines: t.Sequence[Engine], image: str) -> dict[str, str]:
    """What each engine says if it cannot pull an image."""
    said = {}
    for engine in engines:
        said[str(engine)] = engine.pull(image) or ""
        engine.forget(image)
    return said


def checks(results: dict[str, dict[str, t.Any]]) -> dict[tuple[str, str], dict[tuple[str, str], str]]:
    """How each engine was checked, by registry and the upstream by whose name it was asked."""
    assert not [result["msg"] for result in results.values() if result["failed"]]
    return {
        (name, engine["name"]): {(one["registry"], one["upstream"]): one["verified_by"] for one in engine["pulls"]}
        for name, result in results.items()
        for engine in result["engines"]
    }


def test_every_engine_asks_mirrors_in_order(plain: Served, verified: Served) -> None:
    before = {node: (files(node), main_processes(node)) for node in EVERY_NODE}
    registries = [mirror(verified, "docker.io", NOWHERE), mirror(plain, "docker.io", NOWHERE)]
    results = run_module(*EVERY_NODE, registries=registries)
    everywhere = {(one.endpoint, of): "pull" for one in (verified, plain) for of in ("", "docker.io", NOWHERE)}
    dockers = {key: how for key, how in everywhere.items() if key[1] != NOWHERE}
    assert {key: everywhere if key[1] != "docker" else dockers for key in checks(results)} == checks(results)
    unmirrored = {engine["name"]: engine["unmirrored"] for engine in results["dock"]["engines"]}
    assert unmirrored == {"docker": [NOWHERE], "podman": []}
    assert f"it does not ask {verified.endpoint} and {plain.endpoint} for images of {NOWHERE}" in " ".join(
        results["dock"]["output"].split()
    )
    for registry in (verified, plain):  # what the second alone has comes, too
        image = registry.push()
        assert set(said_of(ENGINES, by_name_of("docker.io", image)).values()) == {""}
        engines = [engine for engine in ENGINES if engine.name != "docker"]
        assert set(said_of(engines, by_name_of(NOWHERE, image)).values()) == {""}
    assert verified.tags_of_canaries() == plain.tags_of_canaries() == []
    for result in run_module(*EVERY_NODE, registries=registries).values():
        assert not result["changed"]
        assert "does not ask" not in result["output"]

    run_module(*EVERY_NODE, registries=[{"endpoint": verified.endpoint}], state="absent")
    image, gone = plain.push(), verified.push()
    assert set(said_of(ENGINES, by_name_of("docker.io", image)).values()) == {""}
    assert all(said_of(ENGINES, by_name_of("docker.io", gone)).values())
    run_module(*EVERY_NODE, registries=[{"endpoint": plain.endpoint}], state="absent")
    assert all(said_of(ENGINES, by_name_of("docker.io", image)).values())
    for node in EVERY_NODE:
        seen, processes = files(node), main_processes(node)
        assert seen == before[node][0]
        # only a containerd that read no directory yet is restarted
        assert {unit for unit in processes if processes[unit] != before[node][1][unit]} <= {"containerd"}


def test_an_upstream_that_is_down_is_served_by_its_mirror(
    registry_program: str, tmp_path: Path, private: Served, plain: Served
) -> None:
    with serving(registry_program, tmp_path / "registry", None, login=False) as endpoint:
        upstream = Served({"endpoint": endpoint, "tls": "plain", "username": LOGIN[0], "password": LOGIN[1]})
        registries = [upstream.options, mirror(private, endpoint), mirror(plain, endpoint)]
        for key, by in checks(run_module(*EVERY_NODE, registries=registries)).items():
            if key[1] != "docker":  # containerd shows a mirror the login that it has for the upstream
                assert by[private.endpoint, endpoint] == ("pull" if key[1] == "containerd" else "not checked")
                assert by[plain.endpoint, endpoint] == "pull"
        engines = [*CRI, PODMAN]
        assert set(said_of([*engines, Engine(DOCK, "docker")], upstream.push()).values()) == {""}
    assert set(said_of(engines, by_name_of(endpoint, plain.push())).values()) == {""}


class Listener:
    """A context: counts who connects to a port of this machine, and says nothing."""

    def __enter__(self) -> Listener:
        self.count = 0
        self._socket = socket.create_server((ADDRESS, 0))
        self.endpoint = f"{ADDRESS}:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._take, daemon=True).start()
        return self

    def _take(self) -> None:
        while True:
            try:
                connection, _address = self._socket.accept()
            except OSError:
                return
            self.count += 1
            connection.close()

    def __exit__(self, *exception: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def test_the_upstream_is_asked_last_or_never(plain: Served) -> None:
    with Listener() as upstream:
        missing = f"{upstream.endpoint}/trust-test/missing:1"

        def asks(engine: Engine) -> bool:
            before = upstream.count
            assert engine.pull(missing), engine
            return upstream.count > before

        def comes_to(engine: Engine, is_asked: bool) -> None:
            eventually(lambda: asks(engine) is is_asked)  # CRI-O is told by a reload, which is not waited for

        for fallback in (True, False):
            run_module(*EVERY_NODE, registries=[mirror(plain, upstream.endpoint)], mirror_fallback=fallback)
            for engine in (*CRI, PODMAN):
                comes_to(engine, fallback)
    image = by_name_of(upstream.endpoint, plain.push())
    assert set(said_of([*CRI, PODMAN], image).values()) == {""}
    results = run_module(DOCK, registries=[mirror(plain, "docker.io")], mirror_fallback=False)
    assert "Docker asks docker.io where no mirror has an image" in " ".join(results["dock"]["output"].split())


def test_what_cannot_be_checked_is_said(private: Served, plain: Served) -> None:
    away = {"endpoint": f"{ADDRESS}:9", "tls": "plain", "mirror_of": [NOWHERE]}
    results = run_module(*EVERY_NODE, registries=[mirror(private, NOWHERE, "docker.io"), away, mirror(plain, NOWHERE)])
    for name, result in results.items():
        assert result["changed"], name
        assert f"the mirror {ADDRESS}:9 could not be checked, and engines ask it all the same" in " ".join(
            result["output"].split()
        )
        for engine in result["engines"]:
            by_mirror = {one["upstream"]: one for one in engine["pulls"] if one["registry"] == private.endpoint}
            assert by_mirror[""]["verified_by"] == "pull"
            assert by_mirror["docker.io"]["verified_by"] == "not checked"
            assert "it asks for a login" in by_mirror["docker.io"]["remark"]
    image = by_name_of(NOWHERE, plain.push())
    assert set(said_of([*CRI, PODMAN], image).values()) == {""}, "past one that refuses and one that is away"


def test_a_mirror_that_an_engine_does_not_ask_is_put_back(verified: Served) -> None:
    hiding = "/root/.config/containers/registries.conf"
    write(DOCK, hiding, "")
    try:
        before = files(DOCK)
        result = run_on(DOCK, registries=[mirror(verified, NOWHERE)], engines=["podman"])
        assert result["failed"]
        assert f"{verified.endpoint} by the name of its upstream {NOWHERE}" in result["msg"]
        assert "as it was before this run" in result["msg"]
        assert files(DOCK) == before
    finally:
        on(DOCK, "rm", hiding)
        on(DOCK, "rmdir", "-p", "--ignore-fail-on-non-empty", hiding.rpartition("/")[0])


def test_dockers_own_configuration_comes_back(verified: Served) -> None:
    own = '{"registry-mirrors":   ["https://theirs.invalid"]}\n'
    write(DOCK, "/etc/docker/daemon.json", own)
    try:
        run_on(DOCK, registries=[mirror(verified, "docker.io")], engines=["docker"])
        listed = json.loads(read(DOCK, "/etc/docker/daemon.json") or "")["registry-mirrors"]
        assert listed == ["https://theirs.invalid", f"https://{verified.endpoint}"]
        assert f"https://{verified.endpoint}/" in on(DOCK, "docker", "info").stdout
        run_on(DOCK, state="absent")
        assert read(DOCK, "/etc/docker/daemon.json") == own
        assert f"https://{verified.endpoint}/" not in on(DOCK, "docker", "info").stdout
    finally:
        write(DOCK, "/etc/docker/daemon.json", '{"registry-mirrors": []}')
        on(DOCK, "systemctl", "kill", "--kill-who=main", "--signal=HUP", "docker")
        eventually(lambda: "Registry Mirrors" not in on(DOCK, "docker", "info").stdout)
        on(DOCK, "rm", "/etc/docker/daemon.json")
