# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Podman and Buildah, on dock, where the module runs by that host's own Python: asked directly what they hold."""

from __future__ import annotations

import json
import typing as t
import uuid

import pytest
import yaml

from tests.integration.asking import on_node
from tests.integration.distribution.lab import ansible_playbook

pytestmark = [pytest.mark.lab, pytest.mark.wide]

PREFIX = f"longshore.test/{uuid.uuid4().hex[:12]}"
NAME, PLACE = f"{PREFIX}/app:1", f"/tmp/longshore-test-{uuid.uuid4().hex[:12]}"
DOCKERFILE = """\
FROM scratch AS tools
COPY busybox /bin/busybox
COPY busybox /bin/sh
FROM tools AS last
ARG SAYS
RUN --mount=type=secret,id=v --mount=type=secret,id=f echo $SAYS; cat /run/secrets/v /run/secrets/f | wc -c; cat /etc/hosts >&2
RUN busybox sleep 0.3
COPY . /received/
FROM scratch
COPY none /
"""
OPTIONS: dict[str, t.Any] = {
    "name": NAME,
    "source": PLACE,
    "engine": "podman",
    "target": "last",
    "args": {"SAYS": PREFIX},
    "labels": {"quoted": 'a "b" $c'},
    "secrets": [{"id": "v", "value": "very secret"}, {"id": "f", "file": "/etc/hostname"}],
    "network": "host",
    "extra_hosts": {"six.example": "2001:db8::1"},
    "contexts": {"unused": "/etc/ssl"},
}
BUILDAH = {**OPTIONS, "engine": "buildah"}
PLAIN: dict[str, t.Any] = {"args": {}, "target": None, "secrets": []}
FAILS = {**PLAIN, "dockerfile_inline": f"FROM {NAME}\n\nRUN echo one; \\\n  exit 3\n"}
WILDCARD = {**PLAIN, "dockerfile_inline": "FROM scratch\nCOPY *.log /x/\n", "name": f"{PREFIX}/wildcard:1"}
HEREDOC = {**PLAIN, "dockerfile_inline": f"FROM {NAME}\nRUN <<E\ntrue\nE\n"}
SSH = {**PLAIN, "dockerfile_inline": f"FROM {NAME}\nRUN --mount=type=ssh [ -S $SSH_AUTH_SOCK ]\n"}
EPOCH: dict[str, t.Any] = {
    "name": f"{PREFIX}/epoch:1",
    "dockerfile_inline": "FROM scratch\nCOPY deep /made/deep\n",
    "platforms": ["linux/s390x"],
    "annotations": {"example.note": "one"},
    "source_date_epoch": 1_000_000_000,
}
APART: dict[str, t.Any] = {
    **PLAIN,
    "name": f"{PREFIX}/apart:1",
    "dockerfile_inline": "FROM scratch AS one\nCOPY deep /apart\nFROM one\nENV A=1\n",
}
# as on a controller that has noted nothing
ELSEWHERE: dict[str, t.Any] = {"check": True, "environment": {"XDG_STATE_HOME": f"{PLACE}-state"}}
PLATFORMS = ["linux/amd64", "linux/arm64"]
LAYOUT: dict[str, t.Any] = {
    "name": f"{PREFIX}/layout:1",
    "dockerfile_inline": "FROM scratch\nARG TARGETARCH\nCOPY deep /$TARGETARCH\nHEALTHCHECK CMD true\n",
    "platforms": PLATFORMS,
    "output": "layout",
    "layout": f"{PLACE}-images",
}
TASKS: dict[str, dict[str, t.Any]] = {
    "planned": {**OPTIONS, "check": True},
    "first": OPTIONS,
    "same": OPTIONS,
    "by buildah": {**BUILDAH, "tags": ["2"]},
    "always": {**OPTIONS, "rebuild": "always"},
    "anew": {**OPTIONS, "rebuild": "always", "no_cache": True},
    "buildah builds": {**BUILDAH, "labels": {"third": "3"}},
    "fails": {**OPTIONS, **FAILS},
    "buildah fails": {**BUILDAH, **FAILS},
    "wildcard": {**OPTIONS, **WILDCARD},
    "buildah's wildcard": {**BUILDAH, **WILDCARD},
    **{
        f"substitution {text}": {**engine, **PLAIN, "dockerfile_inline": f"FROM scratch\nENV A={text}\n"}
        for engine, text in ((OPTIONS, "${A-x}"), (BUILDAH, "${A+x}"), (OPTIONS, "${A:?x}"), (BUILDAH, "${A%x}"))
    },
    "heredoc": {**OPTIONS, **HEREDOC},
    "agent": {**OPTIONS, **SSH, "ssh": [{"path": f"{PLACE}-key"}], "name": f"{PREFIX}/agent:1"},
    "missing": {**OPTIONS, **PLAIN, "dockerfile_inline": "FROM longshore.test/none:1\n", "pull_base": "never"},
    "epoch": {**OPTIONS, **PLAIN, **EPOCH},
    "several": {**OPTIONS, **PLAIN, **EPOCH, "platforms": PLATFORMS},
    "layout": {**OPTIONS, **PLAIN, **LAYOUT},
    "layout again": {**OPTIONS, **PLAIN, **LAYOUT},
    "buildah's layout": {**BUILDAH, **PLAIN, **LAYOUT, "layout": f"{PLACE}-others", "platforms": []},
    "provenance": {**OPTIONS, **PLAIN, **EPOCH, "provenance": "min"},
    "newer": {
        **OPTIONS,
        **PLAIN,
        "dockerfile_inline": f"FROM {NAME}\n",
        "pull_base": "newer",
        "name": f"{PREFIX}/newer:1",
    },
    "apart": {**OPTIONS, **APART},
    **{f"apart, {engine}": {**OPTIONS, **APART, **ELSEWHERE, "engine": engine} for engine in ("podman", "buildah")},
    "derived": {
        "argv": ["sh", "-c", f"printf 'FROM {PREFIX}/apart:1\nENV X=1\n' | podman build -t {PREFIX}/apart:1 -"]
    },
    **{f"derived, {engine}": {**OPTIONS, **APART, **ELSEWHERE, "engine": engine} for engine in ("podman", "buildah")},
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[dict[str, t.Any]]:
    on_node("dock", "sh", "-c", f"mkdir -p {PLACE}/deep && cd {PLACE} && cp /usr/bin/busybox . && chmod 755 busybox")
    on_node("dock", "sh", "-c", f"cd {PLACE} && echo 1 > deep/kept && touch left.log deep/left.log && ln -s deep link")
    on_node("dock", "sh", "-c", f"ssh-keygen -q -t ed25519 -N '' -f {PLACE}-key")
    on_node(
        "dock", "sh", "-c", f"printf '%s' '{DOCKERFILE}' > {PLACE}/Dockerfile; echo '**/*.log' > {PLACE}/.dockerignore"
    )
    tasks = []
    for name, options in TASKS.items():
        given = {key: value for key, value in options.items() if key not in ("check", "environment")}
        module = "ansible.builtin.command" if "argv" in given else "longshore.delivery.image_build"
        task = {"name": name, module: given, "ignore_errors": True, "no_log": False}
        how = {"check_mode": options.get("check", False), "environment": options.get("environment", {}), "diff": True}
        tasks.append({**task, **how})
    playbook = tmp_path_factory.mktemp("podman") / "podman.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": "dock", "gather_facts": False, "tasks": tasks}]))
    try:
        ran = ansible_playbook(playbook)
        assert "very secret" not in json.dumps(ran)
        yield {task["task"]["name"]: task["hosts"]["dock"] for task in ran["plays"][0]["tasks"]}
    finally:
        held = json.loads(on_node("dock", "podman", "images", "--format", "json"))
        mine = [image["Id"] for image in held if any(PREFIX in name for name in image.get("Names") or ())]
        on_node(
            "dock", "sh", "-c", f"podman rmi --force {' '.join(mine)} && podman image prune --force; rm -r {PLACE}*"
        )


def test_it_builds_where_something_changed(results: dict[str, t.Any]) -> None:
    first = results["first"]
    assert not first.get("failed"), first["msg"]
    assert results["planned"]["why"] == first["why"] == [f"there is no image {NAME} in the engine"]
    assert (first["engine"], first["engine_reason"], first["builder"]) == ("podman", "it was asked for", "buildah")
    assert first["log"][:2] == [PREFIX, str(len("very secret") + len(on_node("dock", "cat", "/etc/hostname")))]
    assert "2001:db8::1 six.example" in [" ".join(line.split()) for line in first["log"]]
    # lines are followed by a module, too, though nobody sees them there
    assert [step["seconds"] >= 0.3 for step in first["steps"] if "busybox sleep" in step["step"]] == [True]
    assert not results["same"]["changed"]
    assert (results["always"]["built"], results["always"]["changed"]) == (True, False)
    assert {step["step"][:11]: step["cached"] for step in results["always"]["steps"]}["[2/2 3/6] R"]
    assert not any(step["cached"] for step in results["anew"]["steps"])


def test_the_two_know_each_other_s_images(results: dict[str, t.Any]) -> None:
    other = results["by buildah"]
    assert (other["engine"], other["built"], other["changed"]) == ("buildah", False, True)
    assert other["image"]["id"] == results["first"]["image"]["id"]
    assert results["buildah builds"]["why"] == ["the labels changed: quoted removed, third added"]
    assert results["buildah builds"]["builder"] == "buildah"


def test_an_image_has_its_files_and_labels_also_from_the_cache(results: dict[str, t.Any]) -> None:
    def shown(image_id: str) -> dict[str, t.Any]:
        found = json.loads(on_node("dock", "podman", "image", "inspect", image_id.removeprefix("sha256:")))
        return t.cast("dict[str, t.Any]", found[0])

    assert shown(results["buildah builds"]["image"]["id"])["Labels"]["third"] == "3"
    last = shown(NAME)
    assert last["Id"] == results["buildah builds"]["image"]["id"].removeprefix("sha256:")
    listed = on_node("dock", "podman", "run", "--rm", "--network=none", NAME, "busybox", "find", "/received")
    assert sorted(listed.split()) == [
        "/received",
        *(f"/received/{name}" for name in (".dockerignore", "Dockerfile", "busybox", "deep", "deep/kept", "link")),
    ]
    assert results["buildah builds"]["named"][0]["before"] == results["anew"]["image"]["id"]


@pytest.mark.parametrize("task", ["fails", "buildah fails"])
def test_a_failing_instruction_is_named(results: dict[str, t.Any], task: str) -> None:
    failed = results[task]
    assert failed["failed"]
    assert "dockerfile_inline, line 3, RUN echo one; exit 3: it ended with exit code 3." in failed["msg"]
    assert (failed["log"], failed["dockerfile_line"]) == (["one"], 3)


@pytest.mark.parametrize("task", ["wildcard", "buildah's wildcard"])
def test_a_wildcard_without_a_match_is_explained(results: dict[str, t.Any], task: str) -> None:
    """One that matches nothing beside sources that do is no failure."""
    said = results[task]["msg"]
    assert "line 2, COPY *.log /x/: *.log matches left.log, which is kept out of the build by" in said
    assert f"{PLACE}/.dockerignore, line 1: **/*.log. Add !left.log below that line" in said


def test_what_it_cannot_is_said(results: dict[str, t.Any]) -> None:
    assert [
        results[f"substitution {text}"]["msg"].partition("line 2, ENV with a substitution ")[2].partition(".")[0]
        for text in ("${A-x}", "${A+x}", "${A:?x}", "${A%x}")
    ] == ["without a colon", "without a colon", "that demands a value", "by a pattern"]
    assert "line 2, RUN with a here-document, which Podman knows since 4.8" in results["heredoc"]["msg"]
    assert results["agent"].get("built"), results["agent"]["msg"]
    assert "Podman on dock does not hold the base image longshore.test/none:1" in results["missing"]["msg"]
    # to Podman an image that was never in a registry is one of the registry in its name
    assert "cannot be known: Skopeo said: " in results["newer"]["msg"]


def test_the_same_comes_out_twice(results: dict[str, t.Any]) -> None:
    assert results["epoch"].get("reproducible") == {"same": True, "why_not": []}, results["epoch"]
    [shown] = json.loads(on_node("dock", "podman", "image", "inspect", EPOCH["name"]))
    assert shown["Created"].startswith("2001-09-09T01:46:40")
    assert (shown["Architecture"], shown["Annotations"]["example.note"]) == ("s390x", "one")


def test_several_platforms_go_into_a_layout(results: dict[str, t.Any]) -> None:
    def document(place: str, digest: str) -> dict[str, t.Any]:
        found = on_node("dock", "cat", f"{PLACE}-{place}/blobs/{digest.replace(':', '/')}")
        return t.cast("dict[str, t.Any]", json.loads(found))

    built = results["layout"]
    assert not built.get("failed"), built["msg"]
    listed = document("images", built["image"]["index_digest"])["manifests"]
    assert [f"{entry['platform']['os']}/{entry['platform']['architecture']}" for entry in listed] == PLATFORMS
    other = results["buildah's layout"]
    manifests = [document("images", entry["digest"]) for entry in listed]
    manifests.append(document("others", other["image"]["manifest_digest"]))
    for place, manifest in zip(("images", "images", "others"), manifests):
        config = document(place, manifest["config"]["digest"])
        assert config["config"]["Healthcheck"] == {"Test": ["CMD-SHELL", "true"]}
    assert not results["layout again"]["changed"]
    held = json.loads(on_node("dock", "podman", "images", "--format", "json"))
    assert not [image for image in held if f"{PREFIX}/layout" in str(image.get("Names"))]


def test_what_buildah_has_not_is_said_before_the_build(results: dict[str, t.Any]) -> None:
    assert (
        "Podman on dock cannot build this: it keeps one image under a name, and 'platforms'"
        in results["several"]["msg"]
    )
    assert "'platforms' has several, which can go to a layout or a registry" in results["several"]["msg"]
    assert "Podman on dock cannot build this: 'provenance' is BuildKit's" in results["provenance"]["msg"]


@pytest.mark.parametrize("engine", ["podman", "buildah"])
def test_what_others_made_of_an_image_is_told_apart_without_a_note(results: dict[str, t.Any], engine: str) -> None:
    assert (results["apart"]["built"], results[f"apart, {engine}"]["changed"]) == (True, False)
    assert results[f"derived, {engine}"]["why"] == [f"{PREFIX}/apart:1 was made from the image of these inputs"]
