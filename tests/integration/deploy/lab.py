# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A namespace of the lab's cluster: a release brought there by the module, and what the cluster then says of it."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import time
import typing as t
import uuid
from pathlib import Path

from kubernetes import client, config

from tests.kept import ENVIRONMENT, keep
from tests.returned import as_documented

CHECKOUT = Path(__file__).resolve().parents[3]
BUSYBOX = "longshore.lab/busybox:1"  # on every node of the lab
PODS = 2
SECRET = "tide-and-time-wait"
# a pod that is well stays ready, however loaded the node
PATIENT = {"timeout": 10, "failures": 60}
SERVE = "mkdir -p /tmp/w; echo $GREETING $DB_PASSWORD > /tmp/w/index.html; exec busybox httpd -f -p 8080 -h /tmp/w"


@dataclasses.dataclass
class Run:
    result: dict[str, t.Any]
    output: str
    seconds: float
    answered: float  # when the task had its result, in seconds since the epoch

    @property
    def actions(self) -> dict[str, str]:
        return {"%(kind)s %(name)s" % item: item["action"] for item in self.result["objects"]}


class Lab:
    """One namespace of the lab's cluster."""

    def __init__(self, kubeconfig: Path, directory: Path) -> None:
        new_client: t.Callable[[str], client.ApiClient] = config.new_client_from_config
        connection = new_client(str(kubeconfig))
        self.kubeconfig, self.directory = kubeconfig, directory
        # by their types anything may be missing from an answer, be it what every server always sends
        self.core: t.Any = client.CoreV1Api(connection)
        self.apps: t.Any = client.AppsV1Api(connection)
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
                "startup": {"exec": ["/bin/sh", "-c", "test -e /tmp/w/index.html"], **PATIENT},
                "ready": {"http": {"path": "/index.html", "headers": {"X-Probe": "kubelet"}}, "period": 1, **PATIENT},
                "live": {"tcp": "http", **PATIENT},
            },
            # the server does not heed SIGTERM; that no request is lost at a longer pause is seen in the demo
            "stop_seconds": 1,
            "pre_stop_pause": 0,
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

    def deliver(
        self,
        *flags: str,
        ok: bool = True,
        raw: bool = False,
        at: tuple[str, t.Callable[[], None]] | None = None,
        **options: t.Any,
    ) -> Run:
        """Run the task with these options on top of the others (or alone), and return its result.

        C(at): words of a line at which something is to be done while the task goes on.
        """
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
        play = [{"hosts": "localhost", "gather_facts": False, "tasks": [task, keep("seen", saved)]}]
        (self.directory / "play.yml").write_text(json.dumps(play))
        began = time.monotonic()
        words, do = at or ("", lambda: None)
        output = ""
        with subprocess.Popen(
            [
                Path(sys.executable).parent / "ansible-playbook",
                self.directory / "play.yml",
                "--extra-vars",
                json.dumps({"given": given}),
                *flags,
            ],
            cwd=CHECKOUT,
            env={**os.environ, **ENVIRONMENT, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            for line in process.stdout or ():
                output += line
                if words and words in line:
                    words = ""
                    do()
        assert saved.exists(), output
        result = json.loads(saved.read_text())
        assert bool(result.get("failed")) is not ok, output
        as_documented("workload", result)
        return Run(result, output, time.monotonic() - began, saved.stat().st_mtime)

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
