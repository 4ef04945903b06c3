# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which engines are served, what a pull proves, what a diff shows, and what a canary is made of."""

from __future__ import annotations

import dataclasses
import gzip
import io
import json
import os
import tarfile
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed, Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.digest import DiffId, ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.node.client import EngineRefusal
from ansible_collections.longshore.delivery.plugins.module_utils.node.discovery import Seen
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import Engine
from ansible_collections.longshore.delivery.plugins.module_utils.node.kubelet import Kubelet
from ansible_collections.longshore.delivery.plugins.module_utils.node.login import Login
from ansible_collections.longshore.delivery.plugins.module_utils.node.processes import Process
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.trust import canary as canaries
from ansible_collections.longshore.delivery.plugins.module_utils.trust import observe, pull_check, registry_trust
from ansible_collections.longshore.delivery.plugins.module_utils.trust.diff import diffs, masked
from ansible_collections.longshore.delivery.plugins.module_utils.trust.locations import Locations

from .node import Node

Make = t.Callable[..., RegistrySettings]


@pytest.mark.parametrize(
    "text",
    [
        '{"http-proxy": "http://user:s3cret@proxy:3128", "debug": true}',
        'password = "s3cret"',
        '  "auth": "s3cret",',
        "[host.'x'.header]\n  Authorization = 'Basic s3cret'",
        "identitytoken: s3cret",
        "-----BEGIN EC PRIVATE KEY-----\ns3cret\n-----END EC PRIVATE KEY-----",
    ],
)
def test_secrets_of_others_do_not_show(text: str) -> None:
    assert "s3cret" not in masked(text)
    assert "***" in masked(text)


def test_what_is_no_secret_shows() -> None:
    text = 'server = "https://10.0.0.5:5000"\n[plugins."io.containerd.grpc.v1.cri".registry.configs."h".auth]\nca = "/x.crt"\n'
    assert masked(text) == text


def test_a_diff_names_the_file_and_its_bytes(node: Node, registry: Make) -> None:
    node.write("etc/docker/daemon.json", '{"debug": true}')
    found = {one["after_header"].rpartition("/")[2]: one for one in diffs(node.planned(registry("plain")).steps)}
    assert found["daemon.json"]["before"] == '{"debug": true}'
    assert json.loads(found["daemon.json"]["after"])["insecure-registries"] == ["10.0.0.5:5000"]
    assert found["hosts.toml"]["before_header"].endswith("hosts.toml (not there)")


def test_a_canary_is_a_valid_image_and_no_other() -> None:
    one, other = canaries.image("a" * 24, "x86_64"), canaries.image("b" * 24, "aarch64")
    manifest, config = json.loads(one.manifest()), json.loads(one.config)
    assert manifest["config"]["digest"] == str(ManifestDigest.of(one.config))
    assert manifest["layers"][0]["size"] == len(one.layer)
    tar = gzip.decompress(one.layer)
    assert config["rootfs"]["diff_ids"] == [str(DiffId.of(tar))]
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        assert archive.getnames() == ["longshore-canary"]
    assert (config["architecture"], json.loads(other.config)["architecture"]) == ("amd64", "arm64")
    assert one.config != other.config
    assert one.layer != other.layer
    assert len(one.config) + len(one.layer) + len(one.manifest()) < 1500


KUBERNETES = Kubelet(runs=True)
DAEMON = Process(1, ("x",), 1)
CONTAINERD = Engine("containerd", "", "", DAEMON)
DOCKER = Engine("docker", "", "", DAEMON)
CRIO = Engine("crio", "", "", DAEMON)


@pytest.mark.parametrize(
    ("engines", "kubelet", "wanted", "served", "passed_over"),
    [
        ([CONTAINERD], Kubelet(), [], ["containerd"], {}),
        ([CONTAINERD, DOCKER], Kubelet(), [], ["docker"], {"containerd": "serves Docker"}),
        ([CONTAINERD, CRIO], Kubelet(), [], ["crio"], {"containerd": "CRI-O serves this node"}),
        ([CONTAINERD, DOCKER], Kubelet(), ["containerd"], ["containerd", "docker"], {}),
        ([CONTAINERD, DOCKER], KUBERNETES, [], ["containerd", "docker"], {}),
        ([CONTAINERD, DOCKER], Kubelet(program="/usr/bin/kubelet"), [], ["containerd", "docker"], {}),
        ([dataclasses.replace(CONTAINERD, client="crictl"), DOCKER], Kubelet(), [], ["containerd", "docker"], {}),
        (
            [dataclasses.replace(CONTAINERD, owner="k3s")],
            Kubelet(),
            ["containerd"],
            [],
            {
                "containerd": "belongs to k3s, which writes its configuration itself; name the registry in /etc/rancher/k3s/"
            },
        ),
        ([dataclasses.replace(CONTAINERD, owner="Docker"), CONTAINERD], KUBERNETES, [], ["containerd"], {}),
        # the socket of another machine's engine, mounted here
        ([Engine("docker", "", "", socket="/var/run/docker.sock", listens=True)], Kubelet(), [], [], {}),
    ],
)
def test_what_is_anothers_part_is_passed_over(
    engines: list[Engine], kubelet: Kubelet, wanted: list[str], served: list[str], passed_over: dict[str, str]
) -> None:
    found = observe.serviceable(Seen(tuple(engines), kubelet), wanted)
    assert sorted(found.engines) == served
    assert list(found.passed_over) == list(passed_over)
    assert not [name for name, why in passed_over.items() if why not in found.passed_over[name]]
    assert not [engine for engine in found.engines.values() if engine.owner]


class Answers:
    """An engine's client that answers as it is told, one text after the other; None is a pull that succeeds."""

    def __init__(self, *answers: str | None) -> None:
        self.answers = list(answers)
        self.removed: list[str] = []

    def pull(self, reference: Reference, login: Login | None) -> None:
        answer = self.answers.pop(0)
        if answer is not None:
            raise EngineRefusal(answer)

    def remove(self, reference: Reference) -> None:
        self.removed.append(str(reference))


def no_command(argv: t.Sequence[str], **_options: t.Any) -> Completed:
    raise AssertionError(argv)


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch, registry: Make) -> t.Callable[..., pull_check.Check]:
    def check(client: Answers | None, digest: bool = True, was_reloaded: bool = False) -> pull_check.Check:
        monkeypatch.setattr(pull_check, "puller", lambda *arguments: client)
        settings = registry("ca")
        reference = Reference(settings.endpoint, canaries.REPOSITORY, "run-1")
        canary = canaries.Canary(reference, ManifestDigest.of(b"x") if digest else None)
        engine = Engine("podman", "5.4.2", "/etc/containers", client="/usr/bin/podman")
        return pull_check.check(engine, settings, canary, no_command, was_reloaded)

    return check


def test_a_pull_proves_and_only_the_canary_goes(checked: t.Callable[..., pull_check.Check]) -> None:
    client = Answers(None)
    assert checked(client).how == "pull"
    assert client.removed == ["10.0.0.5:5000/longshore/canary:run-1"]


def test_where_nothing_may_be_pushed_the_registrys_answer_proves(checked: t.Callable[..., pull_check.Check]) -> None:
    assert checked(Answers("manifest unknown"), digest=False).how == "answer"
    for said in ("401 Unauthorized", "x509: certificate signed by unknown authority"):
        with pytest.raises(pull_check.CannotPull):
            checked(Answers(said), digest=False)
    with pytest.raises(pull_check.CannotPull) as raised:  # it was pushed, so it must be there
        checked(Answers("manifest unknown"))
    assert "answers in its place" in raised.value.fault.way_out


def test_an_engine_that_was_just_reloaded_gets_the_time_to_notice(checked: t.Callable[..., pull_check.Check]) -> None:
    said = "http: server gave HTTP response to HTTPS client"
    assert checked(Answers(said, said, None), was_reloaded=True).how == "pull"
    with pytest.raises(pull_check.CannotPull):
        checked(Answers(said, None))
    with pytest.raises(pull_check.CannotPull):  # what no reload changes is not waited for
        checked(Answers("no space left on device", None), was_reloaded=True)


def test_without_a_client_it_is_said_that_nothing_was_checked(checked: t.Callable[..., pull_check.Check]) -> None:
    result = checked(None)
    assert (result.how, result.milliseconds) == ("not checked", 0)
    assert "podman or skopeo" in result.remark


def context(**options: t.Any) -> Context:
    return Context(
        check=options.get("check", False),
        diff=False,
        warn=lambda message: None,
        progress=lambda line: None,
        run_command=no_command,
    )


PARAMS = {
    "engines": ["auto"],
    "state": "present",
    "restart": "never",
    "purge": False,
    "override": False,
    "mirror_fallback": True,
    "verify": "changed",
}


@pytest.mark.parametrize(
    ("registries", "words"),
    [
        ([], "'registries' is empty"),
        ([{"endpoint": "h:1"}, {"endpoint": "H:1", "tls": "plain"}], "names h:1 twice"),
        ([{"endpoint": "https://h:1"}], "scheme"),
        ([{"endpoint": "h:1", "ca": "-----BEGIN PRIVATE KEY-----"}], "private key"),
    ],
)
def test_what_is_wrong_with_the_options_is_said_before_anything_is_looked_at(
    registries: list[dict[str, str]], words: str, tmp_path: Path
) -> None:
    with pytest.raises(DeliveryError, match=words):
        registry_trust.run({**PARAMS, "registries": registries}, context(), Locations(str(tmp_path)))
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="engines are looked at by root alone")
def test_an_engine_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = observe.Found({"podman": Engine("podman", "5.4.2", "x")}, {"containerd": "it serves Docker"})
    monkeypatch.setattr(observe, "find_engines", lambda *arguments: found)
    params = {**PARAMS, "registries": [{"endpoint": "h:1"}], "engines": ["podman", "crio"]}
    with pytest.raises(
        DeliveryError, match=r"crio is not on this node; there are: podman \(containerd: it serves Docker\)"
    ):
        registry_trust.run(params, context(check=True), Locations(str(tmp_path)))
    monkeypatch.setattr(observe, "find_engines", lambda *arguments: observe.Found({}, {}))
    with pytest.raises(DeliveryError, match="no container engine"):
        registry_trust.run({**params, "engines": ["auto"]}, context(check=True), Locations(str(tmp_path)))
