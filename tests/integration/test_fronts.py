# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Both fronts of every capability that has two, where it succeeds, on the lab: by each foretold, done and done again.

Their failures are compared in tests/unit/fronts. What is done is asked of the engine, the registry and the cluster in the tests
of each capability; here it is only undone.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import json
import re
import typing as t
import uuid
from pathlib import Path

import docker
import pytest
import yaml
from kubernetes import client, config
from kubernetes.stream import stream

from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from tests.integration.distribution.lab import BUILDS, ENDPOINT, LOGIN, ansible_playbook, builders_engine
from tests.integration.trial.images import Images
from tests.lab.places import Places
from tests.unit.fronts.playbook import (
    AS_A_MODULE,
    CHECKOUT,
    SECRET,
    SECRET_VARIABLE,
    Playbook,
    Run,
    collection_with_probe,
)

pytestmark = pytest.mark.lab

PLACES = Places.of_user()
BUSYBOX = "longshore.lab/busybox:1"  # on every node of the lab
PROBE = "longshore.delivery.front_probe"
# stands in a case for what each of the two runs calls its own
OWN = "{own}"
REGISTRY = {"endpoint": ENDPOINT, "tls": "unverified", **LOGIN}


@dataclasses.dataclass(frozen=True)
class Case:
    """What a capability is to do. The cases are run in their order, so that one may use what one before it made.

    :ivar options: the task's; OWN in them is the run's own name, and that of a build's context.
    :ivar changes: whether it changes anything at its first run.
    :ivar differs: what of the result two runs never have in common, with the reason. C(*) is any item. Digests and the run's
        name need not be here: they may differ as such, and stand where they stand in the other run.
    """

    options: dict[str, t.Any]
    changes: bool = True
    differs: dict[str, str] = dataclasses.field(default_factory=dict)


CASES = {
    "image_build": Case(
        {"name": f"{ENDPOINT}/{OWN}/tiny", "tags": ["1", "2"], "source": f"{{directory}}/{OWN}", **BUILDS},
        differs={"steps.*.seconds": "a time", "log.*": "has times in it"},
    ),
    "image_audit": Case(
        {
            "references": [f"{ENDPOINT}/{OWN}/tiny:1"],
            "platforms": ["linux/s390x"],
            "fail_on": "never",
            **BUILDS,
        },
        changes=False,
    ),
    "image_info": Case(
        {"references": [f"{ENDPOINT}/{OWN}/tiny:1"], **BUILDS},
        changes=False,
        differs={"images.*.created": "a time"},
    ),
    "image_push": Case({"name": f"{OWN}/tiny", "tags": ["1", "2"], "registry": REGISTRY, **BUILDS}),
    "image_set": Case(
        {
            "images": [{"name": f"{OWN}/set", "tags": ["1"], "source": OWN, "audit": {"fail_on": "never"}}],
            "endpoint": ENDPOINT,
            "source_root": "{directory}",
            **BUILDS,
        },
        differs={"images.*.build.steps.*.seconds": "a time", "images.*.build.log.*": "has times in it"},
    ),
    "image_tag": Case(
        {"image": f"{ENDPOINT}/{OWN}/tiny:1", "references": [f"{ENDPOINT}/{OWN}/tiny:further"], **BUILDS}
    ),
    "image_prune": Case({"references": [f"{ENDPOINT}/{OWN}/tiny:further"], **BUILDS}),
    "registry_info": Case(
        {"registry": REGISTRY, "repositories": [f"{OWN}/tiny"], "write_to": f"{OWN}/tiny", "query": "platforms"},
        changes=False,
        differs={
            "tags.*.created": "a time",
            "tags.*.size": "what is compressed has the name of the run in it",
            "clock_difference": "a time",
        },
    ),
    "registry_prune": Case(
        {
            "registry": REGISTRY,
            "rules": [{"repositories": [f"{OWN}/tiny"], "keep_newest": 0, "keep_matching": ["stable"]}],
            "kubeconfig": str(PLACES.kubeconfig),
            "in_use": {"nobody": []},
        },
        differs={
            "removed.*.created": "a time",
            "removed.*.size": "what is compressed has the name of the run in it",
            "bytes_freed": "likewise",
        },
    ),
    "image_trial": Case(
        {
            "image": f"{ENDPOINT}/{OWN}/ends:1",
            # it writes it to its log, and ends: the points are tests/integration/trial's
            "secrets": {"DB_PASSWORD": SECRET_VARIABLE},
            "accept": ["starts"],
            **BUILDS,
        },
        changes=False,
    ),
    "workload": Case(
        {
            "name": "tiny",
            "namespace": OWN,
            "create_namespace": True,
            "image": BUSYBOX,
            "pin": False,
            "kubeconfig": str(PLACES.kubeconfig),
            "run_as_user": 10001,
            "command": [
                "/bin/sh",
                "-c",
                "mkdir -p /tmp/w; echo hi > /tmp/w/index.html; exec busybox httpd -f -p 8080 -h /tmp/w",
            ],
            "ports": [{"name": "http", "port": 8080}],
            # a timeout longer than the period is something to warn of
            "probes": {"ready": {"http": "/index.html", "period": 1, "timeout": 10}},
            "stop_seconds": 1,
            "pre_stop_pause": 0,
            "secrets": {"TOKEN": SECRET_VARIABLE},
        },
        differs={
            "address": "the cluster gives it",
            "nodes.*": "the scheduler's choice",
            "pods.*.node": "the scheduler's choice",
            "pods.*.name": "the cluster gives it",
            "pods.*.images.*": "as that node's runtime calls it",
        },
    ),
}
# each with the keywords of its task
RUNS: dict[str, dict[str, t.Any]] = {"foretold": {"check_mode": True}, "done": {}, "done again": {}}
NAMED = [(capability, run) for capability in CASES for run in RUNS]


def with_own(value: t.Any, words: t.Mapping[str, str]) -> t.Any:
    text = json.dumps(value)
    for word, meaning in words.items():
        text = text.replace(word, meaning)
    return json.loads(text)


@dataclasses.dataclass
class Comparable:
    """What one front's run said and returned, with its own name and its digests called as the other's."""

    name: str
    run: Run

    def text(self, text: str) -> str:
        seen: dict[str, str] = {}
        return re.sub(
            r"\b([0-9a-f]{64}|[0-9a-f]{10,12})\b",  # in full, or as names are made of them
            lambda found: seen.setdefault(found[0], f"digest {len(seen) + 1}"),
            text.replace(self.name, OWN),
        )

    def said(self) -> str:
        return self.text(self.run.said())

    def result(self, capability: str, run: str) -> dict[str, t.Any]:
        found = json.loads(self.text(json.dumps(self.run.results[NAMED.index((capability, run))])))
        for path in CASES[capability].differs:
            hide(found, path.split("."))
        found.pop("invocation", None)
        return t.cast("dict[str, t.Any]", found)


def hide(value: t.Any, path: t.Sequence[str]) -> None:
    """Replace what is at a path by the name of its type, wherever there is something."""
    if isinstance(value, dict):
        keys: t.Iterable[t.Any] = list(value) if path[0] == "*" else [path[0]] if path[0] in value else []
    else:
        keys = range(len(value)) if isinstance(value, list) and path[0] == "*" else []
    for key in keys:
        if path[1:]:
            hide(value[key], path[1:])
        else:
            value[key] = type(value[key]).__name__


class Fronts:
    """Runs all cases by a front, and takes away what they made."""

    def __init__(self, collections: Path, directory: Path) -> None:
        self.playbook = Playbook(collections, directory)
        self.directory = directory
        self.names: list[str] = []
        self.engine = builders_engine()
        self.registry = RegistryClient(RegistrySettings.from_params(REGISTRY))
        new_client: t.Callable[[str], client.ApiClient] = config.new_client_from_config
        # by their types anything may be missing from an answer, be it what every server always sends
        self.cluster: t.Any = client.CoreV1Api(new_client(str(PLACES.kubeconfig)))

    def own_name(self) -> str:
        self.names.append(f"longshore-test-fronts-{uuid.uuid4().hex[:12]}")
        return self.names[-1]

    def environment(self) -> dict[str, str]:
        """The lab's buildx, and no note of this in the user's own directories."""
        home = self.directory / "home"
        return {
            "DOCKER_CONFIG": str(PLACES.docker_config),
            "XDG_CACHE_HOME": str(home / "cache"),
            "XDG_STATE_HOME": str(home / "state"),
        }

    def run(self, front: str, **play: t.Any) -> Comparable:
        name = self.own_name()
        context = self.directory / name
        context.mkdir()
        # like no other, so that no builder's cache helps one front and not the other
        (context / "Dockerfile").write_text(f"FROM scratch\nCOPY Dockerfile /\nLABEL own={name}\n")
        Images(self.engine, f"{ENDPOINT}/{name}").make("ends")
        words = {OWN: name, "{directory}": str(self.directory)}
        tasks = [
            {f"longshore.delivery.{capability}": with_own(CASES[capability].options, words), **RUNS[run]}
            for capability, run in NAMED
        ]
        done = self.playbook.run(*tasks, play={"diff": True, **play}, flags=["-vvv"], environment=self.environment())
        assert done.fronts() == [(capability, front) for capability, _run in NAMED]
        return Comparable(name, done)

    def remove(self) -> None:
        for name in self.names:
            for tag in (tag for image in self.engine.images.list() for tag in image.tags if f"/{name}/" in tag):
                self.engine.images.remove(tag)
            if self.registry.head_manifest(f"{name}/tiny", "1"):
                self.registry.delete_manifest(f"{name}/tiny", self.registry.get_manifest(f"{name}/tiny", "1").digest)
            with contextlib.suppress(client.ApiException):
                self.cluster.delete_namespace(name)
        self.registry.close()
        self.engine.close()


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A registry that takes the login and that dock's engine trusts, by the stages before a push where there is none."""
    engine = builders_engine()
    try:
        engine.login(**LOGIN, registry=ENDPOINT, reauth=True)
    except docker.errors.APIError:
        playbook = tmp_path_factory.mktemp("before") / "before.yml"
        stages = [{"import_playbook": f"longshore.delivery.{stage}"} for stage in ("registry", "trust")]
        playbook.write_text(yaml.safe_dump(stages))
        ansible_playbook(playbook, longshore_registry={"endpoint": ENDPOINT, "tls": "verified", **LOGIN})
        engine.login(**LOGIN, registry=ENDPOINT, reauth=True)
    finally:
        engine.close()


@pytest.fixture(scope="module")
def fronts(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Fronts]:
    collections = collection_with_probe(tmp_path_factory.mktemp("collections"))
    made = Fronts(collections, tmp_path_factory.mktemp("fronts"))
    yield made
    made.remove()


@pytest.fixture(scope="module")
def both(fronts: Fronts, registry: None) -> tuple[Comparable, Comparable]:
    return fronts.run("in process"), fronts.run("as a module: environment", **AS_A_MODULE)


def test_every_capability_with_two_fronts_is_here() -> None:
    assert {path.stem for path in (CHECKOUT / "plugins" / "action").glob("*.py")} == set(CASES)


@pytest.mark.parametrize(("capability", "run"), NAMED)
def test_same_result_by_both_fronts(both: tuple[Comparable, Comparable], capability: str, run: str) -> None:
    here, module = (front.result(capability, run) for front in both)
    assert here == module
    assert here["failed"] is False
    assert here["changed"] is (CASES[capability].changes and run != "done again")
    if here["changed"]:
        assert here["diff"]


def test_same_standard_error_by_both_fronts(both: tuple[Comparable, Comparable]) -> None:
    here, module = (front.said() for front in both)
    assert here == module
    assert "probes.ready: a timeout of 10 s is longer" in here


def test_no_form_of_a_secret_leaves_either_front(both: tuple[Comparable, Comparable]) -> None:
    for front in both:
        for secret in (SECRET, LOGIN["password"]):
            for form in (secret, base64.b64encode(secret.encode()).decode()):
                assert form not in front.run.stdout + front.run.stderr + str(front.run.results)


def test_a_node_gets_the_module_and_the_controller_does_not(fronts: Fronts) -> None:
    """By where the task really runs: the host of the play or the one that it is delegated to."""
    task = {PROBE: {"number": "7", "words": "one,two", "table": '{"inner": 2}', "token": SECRET_VARIABLE}}
    places: list[dict[str, t.Any]] = [
        {},
        {"hosts": "n1"},
        {"delegate_to": "n1"},
        {"hosts": "n1", "delegate_to": "localhost"},
    ]
    run = fronts.playbook.run(
        *({**task, **place} for place in places), inventory=PLACES.inventory, flags=["-vvv", "--diff"]
    )
    ssh = "as a module: connection ansible.builtin.ssh"
    assert [way for _capability, way in run.fronts()] == ["in process", ssh, ssh, "in process"]
    hosts = [result.pop("host") for result in run.results]
    assert hosts == [hosts[0], "n1", "n1", hosts[0]]
    assert hosts[0] != "n1"
    assert [result.pop("pid_is_ansible") for result in run.results] == [True, False, False, True]
    assert all(result == run.results[0] for result in run.results)
    assert SECRET not in run.stdout + run.stderr


def test_a_wait_is_shown_while_it_lasts(fronts: Fronts) -> None:
    """The pod becomes ready only once its wait has been seen."""
    name = fronts.own_name()
    probes = {"ready": {"exec": ["/bin/sh", "-c", "test -e /tmp/seen"], "period": 1, "timeout": 10}}
    options = with_own({**CASES["workload"].options, "probes": probes, "ready_grace": 120}, {OWN: name})
    running = fronts.playbook.start({"longshore.delivery.workload": options})
    running.until("localhost | tiny: 0/1 pods ready (1 warming up")
    [pod] = fronts.cluster.list_namespaced_pod(name).items
    let_it = ["/bin/sh", "-c", "> /tmp/seen"]
    stream(fronts.cluster.connect_get_namespaced_pod_exec, pod.metadata.name, name, command=let_it, stdout=True)
    running.until("localhost | tiny: 1/1 pods ready")
    assert running.end().results[0]["ready"] == 1
