# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The running lab does what real nodes and a real cluster do. Run with: pytest -m lab tests/lab"""

from __future__ import annotations

import contextlib
import json
import re
import ssl
import subprocess
import sys
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.speed import is_quick

from . import api
from .access import ssh_options
from .engine import inspect
from .health import inactive_services
from .nodes import BUILDER, CLUSTER, DOCK, NODES, Node
from .places import Places
from .scratch_images import BUSYBOX
from .status import MEMORY_LIMIT, total_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.lab

PLACES = Places.of_user()
UP = [
    node for node in NODES.values() if PLACES.lab.is_dir() and node.container in inspect("container", [node.container])
]
MEMBERS = [node for node in UP if node in CLUSTER]
NAMESPACE = "lab-test"


def test_all_of_the_lab_is_up() -> None:
    assert {node.name for node in UP} == set(NODES), "run `make lab` first"


def on(node: Node, *command: str) -> str:
    """Output of a command on a node, through SSH as Ansible would."""
    login = ["-i", str(PLACES.ssh / "id_ed25519"), *ssh_options(PLACES), f"root@{node.address}"]
    done = subprocess.run(["ssh", *login, *command], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, f"{node.name}: {command}: {done.stderr}"
    return done.stdout


def kubectl(*arguments: str, stdin: str | None = None) -> str:
    """Output of kubectl as the lab's administrator."""
    argv = [str(PLACES.lab / "bin" / "kubectl"), "--kubeconfig", str(PLACES.kubeconfig), *arguments]
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, f"kubectl {arguments}: {done.stderr}"
    return done.stdout


def pod(node: Node) -> dict[str, Any]:
    """A web server on this node that answers with the node's name, and says so in its log."""
    serve = (
        f"mkdir -p /tmp/www && echo {node.name} > /tmp/www/index.html && echo serving on {node.name} && "
        "exec httpd -f -p 8080 -h /tmp/www"
    )
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": node.name, "namespace": NAMESPACE, "labels": {"app": "web", "on": node.name}},
        "spec": {
            "nodeName": node.name,
            "terminationGracePeriodSeconds": 0,
            "containers": [
                {
                    "name": "web",
                    "image": BUSYBOX,
                    "imagePullPolicy": "Never",
                    "command": ["/bin/sh", "-c", serve],
                    "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1},
                }
            ],
        },
    }


def service(name: str, selector: dict[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"type": "NodePort", "selector": selector, "ports": [{"port": 80, "targetPort": 8080}]},
    }


@pytest.fixture(scope="module")
def pods() -> Iterator[dict[str, dict[str, Any]]]:
    """A ready pod on each cluster node, by name of the node, and Services: one of each pod, `web` of all."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait")
    services = [service("web", {"app": "web"}), *(service(f"web-{node.name}", {"on": node.name}) for node in MEMBERS)]
    documents = [namespace, *(pod(node) for node in MEMBERS), *services]
    kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(documents))
    try:
        kubectl("wait", "-n", NAMESPACE, "--for=condition=Ready", "--timeout=110s", "pod", *(n.name for n in MEMBERS))
        listed = json.loads(kubectl("get", "pods", "-n", NAMESPACE, "-o", "json"))["items"]
        yield {item["metadata"]["name"]: item for item in listed}
    finally:
        kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def cluster_ip(name: str) -> str:
    return kubectl("get", "service", name, "-n", NAMESPACE, "-o", "jsonpath={.spec.clusterIP}")


def get(url: str, context: ssl.SSLContext | None = None) -> str:
    """Body of a GET from this machine, which no proxy is asked for."""
    handlers = [urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)]
    with urllib.request.build_opener(*handlers).open(url, timeout=5) as answer:
        return str(answer.read().decode())


def get_when_programmed(url: str) -> str:
    """The same of a Service: kube-proxy programs a new one within moments, so that is awaited."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            return get(url)
        time.sleep(0.2)
    return get(url)


def fetch_when_programmed(node: Node, url: str) -> str:
    """The same from a node."""
    fetch = f"curl --silent --show-error --fail --retry 20 --retry-delay 1 --retry-all-errors --max-time 3 {url}"
    return on(node, fetch).strip()


@pytest.mark.parametrize("node", MEMBERS, ids=lambda node: node.name)
def test_a_node_is_ready_and_runs_its_own_runtime(node: Node) -> None:
    state = api.nodes(PLACES)[node.name]
    assert state["ready"]
    assert re.match(re.escape(node.runtime), state["runtime"])
    assert state["kubelet"].startswith("v1.36.")
    assert json.loads(on(node, "crictl", "info", "-o", "json"))["status"]["conditions"][0]["status"] is True
    assert "1.36" in on(node, "crictl", "--version")


@pytest.mark.parametrize("node", MEMBERS, ids=lambda node: node.name)
def test_the_pause_image_is_kept_from_the_kubelets_garbage_collection(node: Node) -> None:
    found = json.loads(on(node, "crictl", "images", "-o", "json"))["images"]
    assert [image["pinned"] for image in found if any("/pause:" in tag for tag in image["repoTags"])] == [True]


@pytest.mark.parametrize("node", UP, ids=lambda node: node.name)
def test_the_services_of_a_node_run(node: Node) -> None:
    assert inactive_services(node) == []


@pytest.mark.parametrize("node", MEMBERS, ids=lambda node: node.name)
def test_a_pod_gets_an_address_of_its_node(pods: dict[str, dict[str, Any]], node: Node) -> None:
    assert pods[node.name]["status"]["podIP"].startswith(node.pod_cidr.rsplit(".", 1)[0] + ".")


@pytest.mark.parametrize("node", MEMBERS, ids=lambda node: node.name)
@pytest.mark.parametrize("target", MEMBERS, ids=lambda node: node.name)
def test_a_service_answers_from_each_node(pods: dict[str, dict[str, Any]], node: Node, target: Node) -> None:
    assert fetch_when_programmed(node, f"http://{cluster_ip(f'web-{target.name}')}/") == target.name


@pytest.mark.parametrize("node", MEMBERS, ids=lambda node: node.name)
def test_a_node_port_answers_the_host(pods: dict[str, dict[str, Any]], node: Node) -> None:
    port = kubectl("get", "service", "web", "-n", NAMESPACE, "-o", "jsonpath={.spec.ports[0].nodePort}")
    assert get_when_programmed(f"http://{node.address}:{port}/").strip() in {member.name for member in MEMBERS}


@pytest.mark.parametrize("node", MEMBERS, ids=lambda node: node.name)
def test_exec_and_logs_work(pods: dict[str, dict[str, Any]], node: Node) -> None:
    assert kubectl("exec", "-n", NAMESPACE, node.name, "--", "cat", "/tmp/www/index.html").strip() == node.name
    assert kubectl("logs", "-n", NAMESPACE, node.name).strip() == f"serving on {node.name}"


@pytest.mark.parametrize("node", MEMBERS, ids=lambda node: node.name)
def test_names_resolve_in_a_pod(pods: dict[str, dict[str, Any]], node: Node) -> None:
    def lookup(name: str) -> str:
        return kubectl("exec", "-n", NAMESPACE, node.name, "--", "nslookup", name)

    assert cluster_ip("web") in lookup(f"web.{NAMESPACE}.svc.cluster.local.")
    # a name that only the engine's resolver knows: through CoreDNS on another node and that node's relay
    assert DOCK.address in lookup(f"{DOCK.container}.")


@pytest.mark.parametrize("node", MEMBERS, ids=lambda node: node.name)
def test_a_pod_reaches_pods_of_other_nodes(pods: dict[str, dict[str, Any]], node: Node) -> None:
    for other in MEMBERS:
        url = f"http://{pods[other.name]['status']['podIP']}:8080/"
        answer = kubectl("exec", "-n", NAMESPACE, node.name, "--", "wget", "-q", "-O", "-", url)
        assert answer.strip() == other.name


@pytest.mark.parametrize("node", MEMBERS, ids=lambda node: node.name)
def test_the_control_groups_of_pods_end_with_their_node(pods: dict[str, dict[str, Any]], node: Node) -> None:
    identifier = inspect("container", [node.container])[node.container]["Id"]
    groups = kubectl("exec", "-n", NAMESPACE, node.name, "--", "cat", "/proc/self/cgroup")
    assert "kubepods" in groups
    assert all(identifier in line for line in groups.splitlines() if "kubepods" in line)


def test_docks_engine_wants_a_client_certificate() -> None:
    url = BUILDER.replace("tcp://", "https://") + "/version"
    context = ssl.create_default_context(cafile=str(PLACES.builder / "ca.pem"))
    with pytest.raises(OSError, match="certificate required"):
        get(url, context)
    context.load_cert_chain(PLACES.builder / "cert.pem", PLACES.builder / "key.pem")
    assert json.loads(get(url, context))["Version"].startswith("26.1.")


def test_dock_has_podman_and_the_controller_a_buildx() -> None:
    assert "podman version" in on(DOCK, "podman", "--version")
    buildx = PLACES.docker_config / "cli-plugins" / "docker-buildx"
    assert "buildx" in subprocess.run([str(buildx), "version"], capture_output=True, text=True, check=True).stdout


def test_all_of_it_fits_into_memory() -> None:
    assert total_memory() <= MEMORY_LIMIT


def test_up_on_the_running_lab_is_quick_and_changes_nothing() -> None:
    def started() -> dict[str, str]:
        found = inspect("container", [node.container for node in UP])
        return {name: state["State"]["StartedAt"] for name, state in found.items()}

    def up() -> list[str]:
        """What `up` says, without the times."""
        argv = [sys.executable, "-m", "tests.lab", "up", "--nodes", ",".join(node.name for node in UP)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return [line.partition("] ")[2] for line in done.stdout.splitlines()]

    up()  # it ends with a lab that works, whatever was done to it before
    before = started()
    begin = time.monotonic()
    said = up()
    took = time.monotonic() - begin
    assert said == [
        f"the lab is up: {', '.join(node.name for node in UP)}",
        f"inventory:  {PLACES.inventory}",
        f"kubeconfig: {PLACES.kubeconfig}",
        f"builder:    {BUILDER}, client certificates in {PLACES.builder}",
    ]
    assert started() == before
    is_quick("make lab on a running lab", took, 3)
