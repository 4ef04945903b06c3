# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module workload on the lab's cluster. What is asserted is what the cluster says, by a client of its own."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import time
import typing as t
import uuid
from pathlib import Path

import pytest
from kubernetes import client, config

from tests.http_server import ManifestServer
from tests.lab.places import Places

CHECKOUT = Path(__file__).resolve().parents[2]
BUSYBOX = "longshore.lab/busybox:1"  # on every node of the lab
PODS = 2
SECRET = "tide-and-time-wait"
SERVE = "mkdir -p /tmp/w; echo $GREETING $DB_PASSWORD > /tmp/w/index.html; exec busybox httpd -f -p 8080 -h /tmp/w"
GIVEN_UP_SECONDS = 20  # within which a release that cannot come up is given up after its cause shows

pytestmark = pytest.mark.lab


@dataclasses.dataclass
class Run:
    result: dict[str, t.Any]
    output: str
    seconds: float

    @property
    def actions(self) -> dict[str, str]:
        return {"%(kind)s %(name)s" % item: item["action"] for item in self.result["objects"]}


class Lab:
    """One namespace of the lab's cluster."""

    def __init__(self, kubeconfig: Path, directory: Path) -> None:
        connection = config.new_client_from_config(str(kubeconfig))
        self.kubeconfig, self.directory = kubeconfig, directory
        self.core, self.apps = client.CoreV1Api(connection), client.AppsV1Api(connection)
        self.namespace = "longshore-test-workload-" + uuid.uuid4().hex[:8]

    def options(self, **options: t.Any) -> dict[str, t.Any]:
        """A web server; C(None) takes an option out."""
        all_: dict[str, t.Any] = {
            "name": "web",
            "namespace": self.namespace,
            "create_namespace": True,
            "kubeconfig": str(self.kubeconfig),
            "image": BUSYBOX,
            "pin": False,
            "run_as_user": 10001,
            "replicas": PODS,
            "command": ["/bin/sh", "-c", SERVE],
            "ports": [{"name": "http", "port": 8080}],
            "probes": {
                "startup": {"exec": ["/bin/sh", "-c", "test -e /tmp/w/index.html"]},
                "ready": {"http": {"path": "/index.html", "headers": {"X-Probe": "kubelet"}}, "period": 1},
                "live": {"tcp": "http"},
            },
            "stop_seconds": 2,
            "pre_stop_pause": 1,
            "config": {"GREETING": "hello"},
            "secrets": {"DB_PASSWORD": SECRET},
            "sidecars": [
                {
                    "name": "idle",
                    "image": BUSYBOX,
                    "command": ["/bin/sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1; done"],
                    "run_as_user": 10002,
                }
            ],
        }
        return {name: value for name, value in {**all_, **options}.items() if value is not None}

    def deliver(self, *flags: str, ok: bool = True, raw: bool = False, **options: t.Any) -> Run:
        """Run the task with these options on top of the others (or alone), and return its result."""
        given = (
            {"kubeconfig": str(self.kubeconfig), "namespace": self.namespace, **options}
            if raw
            else self.options(**options)
        )
        saved = self.directory / "result.json"
        saved.unlink(missing_ok=True)
        task = {
            "name": "deliver",
            # each is written out: a task's arguments may not be one variable
            "longshore.delivery.workload": {name: "{{ given.%s }}" % name for name in given},
            "register": "seen",
            "ignore_errors": True,
        }
        save = {
            "name": "save",
            "ansible.builtin.copy": {"content": "{{ seen | to_json }}", "dest": str(saved), "mode": "0600"},
            "check_mode": False,
            "diff": False,
            "no_log": True,
        }
        play = [{"hosts": "localhost", "gather_facts": False, "tasks": [task, save]}]
        (self.directory / "play.yml").write_text(json.dumps(play))
        began = time.monotonic()
        done = subprocess.run(
            [
                Path(sys.executable).parent / "ansible-playbook",
                self.directory / "play.yml",
                "--extra-vars",
                json.dumps({"given": given}),
                *flags,
            ],
            cwd=CHECKOUT,
            env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg")},
            capture_output=True,
            text=True,
            check=False,
        )
        output = done.stdout + done.stderr
        assert saved.exists(), output
        result = json.loads(saved.read_text())
        assert bool(result.get("failed")) is not ok, output
        return Run(result, output, time.monotonic() - began)

    def pods(self) -> dict[str, t.Any]:
        """The pods that are not being deleted, by uid."""
        return {
            pod.metadata.uid: pod
            for pod in self.core.list_namespaced_pod(self.namespace).items
            if pod.metadata.deletion_timestamp is None
        }

    def ready(self) -> set[str]:
        return {
            uid
            for uid, pod in self.pods().items()
            if any(item.type == "Ready" and item.status == "True" for item in pod.status.conditions or ())
        }

    def versions(self) -> dict[str, str]:
        """The resource version of everything in the namespace that a release is made of."""
        lists = (
            self.core.list_namespaced_config_map,
            self.core.list_namespaced_secret,
            self.core.list_namespaced_service,
            self.apps.list_namespaced_deployment,
            self.apps.list_namespaced_replica_set,
            self.core.list_namespaced_pod,
        )
        return {
            item.metadata.uid: item.metadata.resource_version for one in lists for item in one(self.namespace).items
        }

    def settled(self) -> None:
        """Wait until pods that are being deleted are gone, so that nothing changes by itself any more."""
        deadline = time.monotonic() + 60
        while len(self.core.list_namespaced_pod(self.namespace).items) != len(self.pods()):
            assert time.monotonic() < deadline
            time.sleep(0.2)

    def page(self) -> str:
        """What the Service answers."""
        answer = self.core.connect_get_namespaced_service_proxy_with_path(
            "web:http", self.namespace, "index.html", _preload_content=False
        )
        return t.cast(bytes, answer.data).decode().strip()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Lab]:
    kubeconfig = Places.of_user().kubeconfig
    if not kubeconfig.exists():
        pytest.fail("the lab's cluster is not up: make lab")
    made = Lab(kubeconfig, tmp_path_factory.mktemp("workload"))
    yield made
    with contextlib.suppress(client.ApiException):
        made.core.delete_namespace(made.namespace, propagation_policy="Foreground")
        deadline = time.monotonic() + 90
        while made.core.read_namespace(made.namespace) and time.monotonic() < deadline:
            time.sleep(0.5)


@pytest.fixture
def release(lab: Lab) -> Lab:
    """The release as Lab.options has it, up and settled."""
    lab.deliver()
    lab.settled()
    assert len(lab.ready()) == PODS
    return lab


def test_a_release_runs_on_the_cluster(lab: Lab) -> None:
    run = lab.deliver()
    assert run.result["changed"] is True
    assert len(lab.ready()) == PODS
    assert lab.page() == "hello " + SECRET
    assert run.result["address"] == "%s:8080" % lab.core.read_namespaced_service("web", lab.namespace).spec.cluster_ip
    assert {pod["name"] for pod in run.result["pods"]} == {pod.metadata.name for pod in lab.pods().values()}
    for pod in lab.pods().values():
        assert {status.name for status in (*pod.status.init_container_statuses, *pod.status.container_statuses)} == {
            "web",
            "idle",
        }
        assert pod.spec.security_context.run_as_non_root
    deployment = lab.apps.read_namespaced_deployment("web", lab.namespace)
    managers = {(entry.manager, entry.operation) for entry in deployment.metadata.managed_fields}
    assert ("longshore.delivery", "Apply") in managers
    # shown as it happened, not only in the end
    assert "web: %d/%d pods ready" % (PODS, PODS) in run.output


def test_a_second_run_changes_nothing(release: Lab) -> None:
    before = release.versions()
    run = release.deliver()
    assert release.versions() == before
    assert run.result["changed"] is False
    assert set(run.actions.values()) == {"unchanged"}
    assert run.result["ready"] == PODS


def test_check_mode_says_what_a_run_then_does(release: Lab) -> None:
    before = release.versions()
    checked = release.deliver("--check", "--diff", config={"GREETING": "checked"}, service=False)
    assert release.versions() == before
    assert checked.result["changed"] is True
    assert SECRET not in checked.output.replace("Secret", "")
    done = release.deliver(config={"GREETING": "checked"}, service=False)
    assert done.actions == checked.actions
    assert checked.actions["Service web"] == "removed"
    assert checked.actions["Deployment web"] == "updated"


def test_check_mode_of_a_namespace_that_is_not_there(lab: Lab) -> None:
    name = lab.namespace + "-not"
    run = lab.deliver("--check", namespace=name)
    assert set(run.actions.values()) == {"created"}
    assert name not in {item.metadata.name for item in lab.core.list_namespace().items}
    refused = lab.deliver(ok=False, namespace=name, create_namespace=None)
    assert "namespace %s does not exist" % name in refused.result["msg"]


def test_a_namespace_made_for_a_release_that_is_refused_is_unmade(lab: Lab) -> None:
    name = lab.namespace + "-undone"
    refused = lab.deliver(ok=False, namespace=name, resources={"requests": {"-no-resource-": "1"}})
    assert "Deployment web" in refused.result["msg"]
    deadline = time.monotonic() + 30
    while name in {item.metadata.name for item in lab.core.list_namespace().items}:
        assert time.monotonic() < deadline
        time.sleep(0.5)


def test_another_configuration_replaces_the_pods_and_keeps_what_earlier_ones_need(release: Lab) -> None:
    before = release.ready()
    earlier = {item.metadata.name for item in release.core.list_namespaced_config_map(release.namespace).items}
    run = release.deliver(config={"GREETING": "good morning"})
    assert run.result["changed"] is True
    assert not release.ready() & before
    assert release.page() == "good morning " + SECRET
    now = {item.metadata.name: item for item in release.core.list_namespaced_config_map(release.namespace).items}
    assert earlier < set(now)
    assert all(item.immutable for name, item in now.items() if name.startswith("web-config-"))


def test_fields_of_others_are_named_and_only_taken_when_asked_for(release: Lab) -> None:
    patch = {"spec": {"replicas": 1}, "metadata": {"annotations": {"team": "blue"}}}
    release.apps.patch_namespaced_deployment("web", release.namespace, patch, field_manager="somebody")
    refused = release.deliver(ok=False)
    assert "somebody has .spec.replicas" in refused.result["msg"]
    assert "take_ownership: true" in refused.result["msg"]
    taken = release.deliver(take_ownership=True)
    assert taken.result["ready"] == PODS
    assert release.apps.read_namespaced_deployment("web", release.namespace).metadata.annotations["team"] == "blue"
    assert release.deliver().result["changed"] is False


BROKEN: dict[str, tuple[dict[str, t.Any], str, tuple[str, ...]]] = {
    "crash": (
        {"command": ["/bin/sh", "-c", "echo starting; echo the password $DB_PASSWORD is wrong; exit 78"]},
        "crash",
        ("container web has ended twice, last with exit code 78", "\n  starting\n", "is wrong"),
    ),
    "image that no registry has": (
        {"image": "10.90.0.20:5999/shop/none@sha256:" + "a" * 64, "pin": True, "sidecars": None},
        "pull",
        ("10.90.0.20:5999/shop/none@sha256:" + "a" * 64, "connection refused", "node"),
    ),
    "readiness probe that never passes": (
        {"probes": {"ready": {"http": "/nowhere", "period": 2}}},
        "probe",
        ("readiness probe (GET /nowhere on port http) has not passed for 15 s", "statuscode: 404"),
    ),
    "startup probe that never passes": (
        {"probes": {"startup": {"exec": ["/bin/sh", "-c", "echo not yet; exit 1"], "failures": 3}}},
        "probe",
        ("stopped by the kubelet because its startup probe", "not yet"),
    ),
    "command that is not there": ({"command": ["/bin/nonesuch"]}, "start", ("cannot be started", "/bin/nonesuch")),
    "root": ({"run_as_user": 0}, "configuration", ("may not run as root", "run_as_user")),
    "no room": (
        {"resources": {"requests": {"cpu": "4096"}}},
        "unschedulable",
        ("no node takes it", "Insufficient cpu", "of the 4096 asked for"),
    ),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_release_that_cannot_come_up_is_given_up_with_the_cause(release: Lab, broken: str) -> None:
    options, kind, words = BROKEN[broken]
    before = release.ready()
    run = release.deliver(ok=False, **options)
    # a generous lower bound of when the cause shows is when the task begins
    assert run.seconds < GIVEN_UP_SECONDS + 5, run.output
    assert run.result["why"]["kind"] == kind, run.output
    message = run.result["msg"]
    assert not [word for word in words if word not in message], message
    assert SECRET not in json.dumps(run.result)
    assert SECRET not in run.output
    # the same pods as before, ready still, and who asks gets an answer
    assert release.ready() >= before
    assert run.result["why"]["earlier_pods_serving"] == PODS
    assert "%d earlier pods go on serving" % PODS in message
    assert release.page() == "hello " + SECRET


def test_a_slow_start_is_not_given_up(release: Lab) -> None:
    """Twenty seconds, longer than the grace of a readiness probe, within the startup probe's time."""
    run = release.deliver(replicas=1, command=["/bin/sh", "-c", "sleep 18; " + SERVE])
    assert run.seconds > 18
    assert run.result["ready"] == 1


def test_the_pods_are_to_run_the_digest_and_an_image_that_is_not_there_changes_nothing(release: Lab) -> None:
    before = release.versions()
    digest = "sha256:" + "c" * 64
    with ManifestServer({"shop/web/manifests/1.4": digest}) as server:
        endpoint = server.endpoint
        registry = {"endpoint": endpoint, "tls": "plain", "username": "ci", "password": SECRET}
        missing = release.deliver(ok=False, image="shop/web:9.9", pin=True, registry=registry, sidecars=None)
        assert "no tag 9.9 in shop/web" in missing.result["msg"]
        planned = release.deliver("--check", "--diff", image="shop/web:1.4", pin=True, registry=registry, sidecars=None)
    assert planned.result["image"] == "%s/shop/web@%s" % (endpoint, digest)
    assert planned.actions["Secret web-registry"] == "created"
    assert "image: %s/shop/web@%s" % (endpoint, digest) in planned.output.replace('"', "")
    assert SECRET not in planned.output
    assert release.versions() == before


def test_removal_takes_the_releases_objects_and_nothing_else(release: Lab) -> None:
    other = client.V1ConfigMap(
        metadata=client.V1ObjectMeta(name="web-config-other", labels={"app.kubernetes.io/name": "web"})
    )
    release.core.create_namespaced_config_map(release.namespace, other)
    checked = release.deliver("--check", raw=True, name="web", state="absent")
    assert len(release.ready()) == PODS
    run = release.deliver(raw=True, name="web", state="absent")
    assert run.actions == checked.actions
    assert release.core.list_namespaced_pod(release.namespace).items == []
    assert release.apps.list_namespaced_deployment(release.namespace).items == []
    assert release.core.list_namespaced_secret(release.namespace).items == []
    assert release.core.list_namespaced_service(release.namespace).items == []
    left = {item.metadata.name for item in release.core.list_namespaced_config_map(release.namespace).items}
    assert left == {"kube-root-ca.crt", "web-config-other"}
    assert release.deliver(raw=True, name="web", state="absent").result["changed"] is False
