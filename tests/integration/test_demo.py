# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demo as `make demo` runs it, then the engines, the registry and the cluster asked what came of it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import typing as t
import uuid
from pathlib import Path

import pytest
import yaml

from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from tests.demo.broken import LIMIT_SECONDS
from tests.integration.asking import in_cluster, kubectl, on_node
from tests.lab.nodes import CLUSTER, NODES
from tests.lab.status import MEMORY_LIMIT, total_memory
from tests.speed import is_quick

CHECKOUT = Path(__file__).resolve().parents[2]
VAULT = CHECKOUT / "examples" / "shop" / "inventory" / "group_vars" / "all" / "vault.yml"
MEMORY_INTERVAL = 5  # seconds between two looks at the nodes' memory
REGISTRY = f"{NODES['dock'].address}:5000"
# seconds that a no-change delivery of five stages over the lab may take
UNCHANGED_LIMIT = 20
# seconds that `make demo` may take on a running lab; `make lab` has 3 of them, which tests/lab holds it to
DEMO_LIMIT = 90 - 3

pytestmark = pytest.mark.lab


def served(repository: str, tag: str) -> str:
    """The digest that the registry itself names for a tag."""
    password = yaml.safe_load(VAULT.read_text())["vault_registry_password"]
    login = {"endpoint": REGISTRY, "tls": "unverified", "username": "ci", "password": password}
    with RegistryClient(RegistrySettings.from_params(login)) as registry:
        head = registry.head_manifest(repository, tag)
    assert head is not None, f"the registry has no {repository}:{tag}"
    return str(head.digest)


@pytest.fixture(scope="module")
def demo(delivered: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, t.Any]:
    """The demo's own measurements, the most bytes of memory that the nodes used, and what it said; it must have ended well."""
    directory = tmp_path_factory.mktemp("demo")
    report, said = directory / "report.json", directory / "output"
    environment = {name: value for name, value in os.environ.items() if name not in ("INVENTORY", "KUBECONFIG")}
    command = [sys.executable, "-m", "tests.demo", "--report", str(report)]
    memory = 0
    with said.open("w") as output:
        process = subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=output, stderr=subprocess.STDOUT)
        while process.poll() is None:
            memory = max(memory, total_memory())
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(MEMORY_INTERVAL)
    assert process.returncode == 0, said.read_text()[-15000:]
    return {**json.loads(report.read_text()), "memory": max(memory, total_memory()), "said": said.read_text()}


def test_nothing_is_used_that_a_later_ansible_lacks(demo: dict[str, t.Any]) -> None:
    assert "DEPRECATION WARNING" not in demo["said"]


def test_it_is_quick_on_a_running_lab(demo: dict[str, t.Any]) -> None:
    is_quick("the demo on a running lab", demo["seconds"]["all"], DEMO_LIMIT)


def test_all_of_it_fits_into_memory_all_the_while(demo: dict[str, t.Any]) -> None:
    assert demo["memory"] <= MEMORY_LIMIT


def test_a_second_run_changes_nothing_and_is_quick(demo: dict[str, t.Any]) -> None:
    assert demo["changed_by_second_run"] == 0
    is_quick("a delivery that changes nothing", demo["seconds"]["unchanged"], UNCHANGED_LIMIT)


def test_one_changed_line_is_built_pushed_pulled_by_every_node_and_deployed_once(demo: dict[str, t.Any]) -> None:
    # dock has no need to pull what its engine built
    once = {"Build": 1, "Push": 1, "Pull": len(CLUSTER), "Deploy": 1}
    assert demo["changes_by_stage"] == {**once, "Registry": 0, "Trust": 0}


def section(demo: dict[str, t.Any], words: str) -> str:
    """What the demo said from one of its headlines to the next."""
    said: str = demo["said"].partition(f"=== {words}")[2]
    return said.partition("\n=== ")[0]


def test_what_is_built_is_audited_and_tried_and_nothing_twice(demo: dict[str, t.Any]) -> None:
    changed = section(demo, "one line of the application changed")
    for words in ("web:1.1: audit, ", "web:1.1: stops: pass", "web:1.1:   11 Logs                 pass"):
        assert words in changed
    again = section(demo, "the same again")
    assert again.count("audit passed before") == again.count("trial passed before") == 2
    assert ": starts: " not in again
    assert changed.count("passed before") == 2


def test_no_request_failed_while_the_pods_rolled(demo: dict[str, t.Any]) -> None:
    assert demo["requests"]["failures"] == {}
    assert sum(demo["requests"]["answers"].values()) >= 100
    assert len(demo["requests"]["answers"]) == 2


@pytest.mark.parametrize("name", ["image", "crash", "readiness"])
def test_a_broken_version_is_given_up_while_the_old_pods_serve(demo: dict[str, t.Any], name: str) -> None:
    broken = demo["broken"][name]
    assert broken["seconds_after_cause"] >= 0
    is_quick(f"giving up a version with a fault ({name})", broken["seconds_after_cause"], LIMIT_SECONDS)
    assert broken["available"] == 3


def test_the_pods_run_the_digest_that_the_registry_serves(demo: dict[str, t.Any]) -> None:
    deployment = in_cluster("get", "deployment", "web", "-n", "shop")
    image = next(c["image"] for c in deployment["spec"]["template"]["spec"]["containers"] if c["name"] == "web")
    name, digest = image.split("@")
    assert name == f"{REGISTRY}/shop/web"
    assert digest == served("shop/web", "1.1")
    pods = in_cluster("get", "pods", "-n", "shop", "-l", "app.kubernetes.io/name=web")["items"]
    running = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    assert len(running) == 3
    for pod in running:
        [status] = [s for s in pod["status"]["containerStatuses"] if s["name"] == "web"]
        assert status["ready"]
        assert status["imageID"].endswith(digest)


@pytest.mark.parametrize("node", NODES)
def test_every_node_holds_the_digest_and_the_table_says_so(demo: dict[str, t.Any], node: str) -> None:
    deployment = in_cluster("get", "deployment", "web", "-n", "shop")
    image = next(c["image"] for c in deployment["spec"]["template"]["spec"]["containers"] if c["name"] == "web")
    if NODES[node].in_cluster:
        listed = json.loads(on_node(node, "crictl", "images", "-o", "json"))["images"]
        held = [name for entry in listed for name in entry["repoDigests"]]
    else:
        held = on_node(node, "docker", "images", "--digests", "--format", "{{.Repository}}@{{.Digest}}").split()
    assert image in held
    [row] = [row for row in demo["table"] if row["container"] == "web"]
    assert node in row["held by"].split()


def test_the_table_names_all_that_was_delivered(demo: dict[str, t.Any]) -> None:
    assert {row["container"] for row in demo["table"]} == {"web", "shipper"}
    assert all(row["pods ready"] == "3/3" for row in demo["table"])
    assert [set(row["held by"].split()) for row in demo["table"]] == [set(NODES), set(NODES)]


@pytest.fixture
def migration(demo: dict[str, t.Any]) -> t.Iterator[str]:
    """The name of a Job that runs the admin command twice in turn, of the Deployment's image, configuration and secret."""
    spec = in_cluster("get", "deployment", "web", "-n", "shop")["spec"]["template"]["spec"]
    [web] = [container for container in spec["containers"] if container["name"] == "web"]
    kept = {key: web[key] for key in ("image", "imagePullPolicy", "envFrom", "resources", "securityContext")}
    kept["args"] = ["migrate"]
    kept["env"] = [{"name": "DATABASE_PATH", "value": "/data/shop.sqlite3"}]
    kept["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    pod = {
        "restartPolicy": "Never",
        "imagePullSecrets": spec["imagePullSecrets"],
        "securityContext": spec["securityContext"],
        "initContainers": [{"name": "first", **kept}],
        "containers": [{"name": "again", **kept}],
        "volumes": [{"name": "data", "emptyDir": {}}],
    }
    name = f"migrate-{uuid.uuid4().hex[:8]}"
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"backoffLimit": 0, "template": {"spec": pod}},
    }
    kubectl("apply", "-f", "-", data=json.dumps(job))
    yield name
    kubectl("delete", "job", name, "-n", "shop", "--cascade=foreground")


def test_the_admin_command_runs_from_the_same_image_with_the_same_secret(migration: str) -> None:
    kubectl("wait", "--for=condition=Complete", "--timeout=60s", f"job/{migration}", "-n", "shop")
    applied = {}
    for container in ("first", "again"):
        said = kubectl("logs", f"job/{migration}", "-c", container, "-n", "shop")
        applied[container] = json.loads(said.splitlines()[-1])["applied"]
    assert applied["first"] > 0
    assert applied["again"] == 0
