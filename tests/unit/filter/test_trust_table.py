# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter that tells what came of trust on many nodes."""

from __future__ import annotations

import typing as t

from ansible_collections.longshore.delivery.plugins.filter.trust_table import FilterModule

trust_table = FilterModule().filters()["trust_table"]
ENDPOINT = "registry.example:5000"


def pull(registry: str = ENDPOINT, how: str = "pull", upstream: str = "") -> dict[str, t.Any]:
    return {"registry": registry, "upstream": upstream, "verified_by": how, "milliseconds": 38, "remark": ""}


def engine(name: str, version: str = "1.7.24", action: str = "nothing", **more: t.Any) -> dict[str, t.Any]:
    return {"name": name, "version": version, "action": action, "files": [], "pulls": [], **more}


def result(*engines: dict[str, t.Any], **more: t.Any) -> dict[str, t.Any]:
    return {"engines": list(engines), "passed_over": {}, "restart_needed": [], **more}


def test_each_node_engine_and_registry_has_a_line() -> None:
    registries = [{"endpoint": ENDPOINT, "ca": "PEM", "tls": "verified"}, {"endpoint": "plain:80", "tls": "plain"}]
    results = {
        "n1": result(
            engine("containerd", action="restart", files=["x"], pulls=[pull(), pull("plain:80", "not checked")])
        ),
        "node22": result(engine("crio", "1.36.1", pulls=[pull()]), engine("podman", "")),
    }
    assert trust_table(results, registries) == [
        "node    engine             registry               trusted by           done     pull",
        "n1      containerd 1.7.24  registry.example:5000  its own authorities  restart  38 ms",
        "n1      containerd 1.7.24  plain:80               nothing: plain HTTP  restart  not checked",
        "node22  crio 1.36.1        registry.example:5000  its own authorities  nothing  38 ms",
        "node22  crio 1.36.1        plain:80               nothing: plain HTTP  nothing  -",
        "node22  as wanted: podman",
    ]


def test_a_mirror_is_told_with_the_registry_that_it_stands_for() -> None:
    registries = [{"endpoint": ENDPOINT}, {"endpoint": "other:1", "tls": "unverified"}]
    pulls = [pull(), pull(upstream="docker.io"), pull("other:1", "answer")]
    told = trust_table({"n1": result(engine("docker", "26.1.5", "reload", files=["x"], pulls=pulls))}, registries)
    assert [line.split()[3:] for line in told[1:]] == [
        [ENDPOINT, "the", "system's", "authorities", "reload", "38", "ms"],
        [ENDPOINT, "for", "docker.io", "the", "system's", "authorities", "reload", "38", "ms"],
        ["other:1", "nothing:", "any", "certificate", "reload", "38", "ms"],
    ]


def test_nothing_is_told_where_nothing_was_done() -> None:
    resting = result(engine("docker"), passed_over={"containerd": "it serves Docker"})
    assert trust_table({"n1": resting, "n2": resting}, [{"endpoint": ENDPOINT}]) == []
    assert trust_table({}, [{"endpoint": ENDPOINT}]) == []


def test_what_was_not_served_is_told_alone_too() -> None:
    waiting = engine("containerd", reason="a restart is needed (...)")
    results = {"n1": {"failed": True, "msg": "..."}, "n2": result(waiting, restart_needed=["containerd"])}
    assert trust_table(results, [{"endpoint": ENDPOINT}])[1:] == [
        "n1    failed; the error is above",
        "n2    needs a restart: containerd",
    ]
