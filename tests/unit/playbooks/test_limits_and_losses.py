# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the playbooks do under a limit, and when nodes are lost on the way."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from tests.http_server import ManifestServer
from tests.kubeconfig import kubeconfig

from .running import CHECKOUT, Play, Playbooks, imported, on

PLAYBOOKS = CHECKOUT / "playbooks"
REGISTRY_VARIABLES = str(PLAYBOOKS / "vars" / "registry.yml")
NODE_VARIABLES = str(PLAYBOOKS / "vars" / "nodes.yml")
LOST = {"run_once": True, "when": "delivery_lost | length > 0"}
DIGEST = "sha256:" + "1" * 64
IMAGES = [{"name": "shop/web", "source": "web", "tags": ["1.0"]}]


@pytest.mark.parametrize("limit", ["n2", "localhost,n2"])
def test_a_limit_does_not_keep_the_authority_away(playbooks: Playbooks, tmp_path: Path, limit: str) -> None:
    authority = tmp_path / "ca.crt"
    authority.write_text("the authority")
    show = {"ansible.builtin.debug": {"msg": "known: {{ delivery_registry.ca | default('nothing') }}"}}
    shown = on("localhost:longshore_nodes", show, vars_files=[REGISTRY_VARIABLES])
    status, output = playbooks.run(
        [imported("authority"), shown, imported("authority")],
        *("-l", limit),
        registry_authority_file=str(authority),  # the role's own path is root's
        longshore_registry={"endpoint": "registry.example:5000"},
    )
    assert status == 0, output
    assert output.count("known: the authority") == len(limit.split(","))
    assert output.count("Read the authority") == 1  # and not again once it is known


def references(playbooks: Playbooks, endpoint: str, images: list[dict[str, t.Any]], *flags: str) -> tuple[int, str]:
    """What the nodes would be told to hold, where a limit has kept localhost from its part."""
    ask = {"ansible.builtin.include_tasks": str(PLAYBOOKS / "tasks" / "references.yml")}
    show = {"ansible.builtin.debug": {"msg": "to hold: {{ hostvars.localhost.image_distribution_references }}."}}
    return playbooks.run(
        [on("longshore_nodes", ask, show, vars_files=[REGISTRY_VARIABLES])],
        *("-l", "n2", *flags),
        longshore_registry={"endpoint": endpoint, "tls": "plain"},
        longshore_images=images,
    )


def test_under_a_limit_nodes_are_to_hold_what_the_registry_serves(playbooks: Playbooks) -> None:
    images = [
        *IMAGES,
        {"name": "shop/base", "tags": ["1.0"], "distribute": "registry"},
        {"name": "shop/unwanted", "tags": ["1.0"], "distribute": "nowhere"},
    ]
    with ManifestServer({"": "", "shop/web/manifests/1.0": DIGEST}) as server:
        status, output = references(playbooks, server.endpoint, images)
    assert status == 0, output
    assert f"to hold: ['{server.endpoint}/shop/web@{DIGEST}']." in output
    asked = {request.path for request in server.requests}
    assert asked == {"/v2/", "/v2/shop/web/manifests/1.0"}


def test_what_the_registry_does_not_serve_is_named_with_the_limit_that_would_do(playbooks: Playbooks) -> None:
    with ManifestServer({"": "", "shop/other/manifests/1.0": DIGEST}) as server:
        images = [*IMAGES, {"name": "shop/other", "tags": ["1.0"]}]
        status, output = references(playbooks, server.endpoint, images)
        assert status != 0
        assert f"Registry {server.endpoint}: it does not serve {server.endpoint}/shop/web:1.0, and the limit" in output
        assert "--limit localhost,n2." in output
        status, output = references(playbooks, server.endpoint, images, "--check")
        assert status == 0, output
        assert f"to hold: ['{server.endpoint}/shop/other@{DIGEST}']." in output


def test_a_registry_that_does_not_answer_is_told_under_a_limit_too(playbooks: Playbooks) -> None:
    status, output = references(playbooks, "127.0.0.1:9", IMAGES)
    assert status != 0
    assert "Registry 127.0.0.1:9: nothing takes connections" in output


def losing(result: str, **task: t.Any) -> Play:
    """A stage on the nodes, as the playbooks have them: with localhost beside, and an end that sees who was lost."""
    stage = {"register": result, "when": "inventory_hostname in delivery_nodes", **task}
    end = {**LOST, "ansible.builtin.include_tasks": str(PLAYBOOKS / "tasks" / "lost.yml")}
    return on("localhost:longshore_nodes", stage, end, vars_files=[NODE_VARIABLES])


PING: dict[str, t.Any] = {"ansible.builtin.ping": {}}
TRUST = losing("registry_trust_result", **PING)
PULL = losing(
    "image_distribution_result",
    **{"ansible.builtin.fail": {"msg": "refused"}, "when": "inventory_hostname == 'n1'"},
)
AFTERWARDS = on("localhost", {"ansible.builtin.debug": {"msg": "went on"}})


def test_nodes_that_were_lost_are_named_at_the_end_alone_and_by_stage(playbooks: Playbooks) -> None:
    stages = [TRUST, imported("unserved", unserved_later=True), PULL]
    status, output = playbooks.run([*stages, imported("unserved")], away={"n2"})
    assert status != 0
    assert output.count("Not served: n1, n2.") == output.count("Not served") == 1
    assert "Lost in trust: n2" in output
    assert "Lost in pull: n1" in output
    assert "Lost before" not in output


def test_nobody_is_named_where_all_were_served(playbooks: Playbooks) -> None:
    status, output = playbooks.run([TRUST, imported("unserved")])
    assert status == 0, output
    assert "Not served" not in output


TRUSTED = {"longshore_registry": {"endpoint": "registry.example:5000", "ca": "an authority"}}


def test_a_run_that_loses_all_its_nodes_ends_with_their_names(playbooks: Playbooks) -> None:
    stages = [imported("trust", unserved_later=True), AFTERWARDS]
    status, output = playbooks.run(stages, "-l", "localhost,n1,n2", away={"n1", "n2"}, **TRUSTED)
    assert status != 0
    assert "Not served: n1, n2, and these are all." in output
    assert "went on" not in output


def test_a_limit_may_leave_all_nodes_out(playbooks: Playbooks) -> None:
    status, output = playbooks.run([imported("trust"), AFTERWARDS], "-l", "localhost,reg", **TRUSTED)
    assert status == 0, output
    assert "went on" in output


@pytest.mark.parametrize(
    ("stage", "complaint"),
    [
        ("distribute", "Registry 127.0.0.1:9: nothing takes connections"),
        ("deploy", "The cluster at http://127.0.0.1:9 cannot be reached"),
    ],
)
def test_nodes_that_were_lost_are_named_when_a_stage_of_the_controllers_ends_the_run(
    playbooks: Playbooks, tmp_path: Path, stage: str, complaint: str
) -> None:
    playbooks.registry_hosts = []
    given = {
        "longshore_registry": {"endpoint": "127.0.0.1:9", "tls": "plain"},
        "longshore_images": IMAGES,
        "longshore_workloads": [{"name": "web", "image": "shop/web:1.0", "pin": False}],
        "longshore_kubeconfig": kubeconfig(tmp_path, "http://127.0.0.1:9"),
    }
    later = imported("unserved", unserved_later=True)
    status, output = playbooks.run([TRUST, later, imported(stage), imported("unserved")], away={"n2"}, **given)
    assert status != 0
    assert complaint in output
    assert output.count("Not served: n2.") == output.count("Not served") == 1
    assert output.index(complaint) < output.index("Not served: n2.")
    assert "Lost in trust: n2" in output
