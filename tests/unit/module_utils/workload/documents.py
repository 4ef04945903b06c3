# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objects as the API server shows them (Kubernetes 1.36), cut down to what is read of them."""

from __future__ import annotations

import typing as t

Json = dict[str, t.Any]
READINESS = {
    "httpGet": {"path": "/ready", "port": "http", "scheme": "HTTP"},
    "periodSeconds": 2,
    "timeoutSeconds": 1,
    "successThreshold": 1,
    "failureThreshold": 3,
}


def waiting(reason: str, message: str = "", restarts: int = 0, last: Json | None = None) -> Json:
    status: Json = {"state": {"waiting": {"reason": reason, "message": message}}, "restartCount": restarts}
    return {**status, "lastState": {"terminated": last}} if last else status


def running(
    started: bool = True,
    ready: bool = False,
    restarts: int = 0,
    began: str = "2026-11-21T14:59:00Z",
    last: Json | None = None,
) -> Json:
    state = {"running": {"startedAt": began}}
    status: Json = {"state": state, "started": started, "ready": ready, "restartCount": restarts}
    return {**status, "lastState": {"terminated": last}} if last else status


def ended(
    code: int, restarts: int = 0, reason: str = "Error", message: str = "", began: str | None = "2026-11-21T14:59:00Z"
) -> Json:
    terminated = {"exitCode": code, "reason": reason, "message": message, "startedAt": began}
    return {"state": {"terminated": terminated}, "restartCount": restarts}


def pod(
    main: Json | None = None,
    sidecar: Json | None = None,
    *,
    name: str = "web-1",
    scheduled: str = "True",
    **fields: t.Any,
) -> Json:
    """A pod of one container C(web) and one native sidecar C(shipper), with their statuses."""
    conditions = [
        {"type": "PodScheduled", "status": scheduled, "message": fields.get("scheduling", "")},
        {"type": "Ready", "status": "True" if fields.get("ready") else "False"},
    ]
    container: Json = {"name": "web", "image": "registry.example:5000/shop/web@sha256:" + "a" * 64}
    container["readinessProbe"] = {**READINESS, **fields.get("readiness", {})}
    container["resources"] = {"limits": {"memory": "16Mi"}}
    metadata: Json = {
        "name": name,
        "uid": "uid-" + name,
        "labels": {"pod-template-hash": fields.get("template", "new")},
    }
    if fields.get("deleting"):
        metadata["deletionTimestamp"] = "2026-11-21T15:00:00Z"
    return {
        "metadata": metadata,
        "spec": {
            "nodeName": fields.get("node", "n1" if scheduled == "True" else ""),
            "initContainers": [{"name": "shipper", "image": "shipper:1", "restartPolicy": "Always"}],
            "containers": [container],
        },
        "status": {
            "phase": fields.get("phase", "Pending"),
            "conditions": conditions,
            "initContainerStatuses": [{"name": "shipper", **(sidecar or running(ready=True))}],
            "containerStatuses": [{"name": "web", **(main or waiting("ContainerCreating"))}],
        },
    }


def event(
    reason: str,
    message: str,
    container: str = "web",
    last: str = "2026-11-21T15:00:00Z",
    of: str = "web-1",
    version: int = 1,
) -> Json:
    field, kind = ("initContainers", "Warning") if container == "shipper" else ("containers", "Warning")
    about = {"kind": "Pod", "uid": "uid-" + of, "fieldPath": "spec.%s{%s}" % (field, container) if container else ""}
    metadata = {"uid": "-".join(("uid", of, reason, message)), "resourceVersion": str(version)}
    return {
        "metadata": metadata,
        "reason": reason,
        "message": message,
        "type": kind,
        "involvedObject": about,
        "lastTimestamp": last,
    }


def deployment(generation: int = 2, observed: int = 2, revision: str = "2", wanted: int = 3, **status: t.Any) -> Json:
    return {
        "metadata": {
            "name": "web",
            "uid": "uid-web",
            "generation": generation,
            "annotations": {"deployment.kubernetes.io/revision": revision},
        },
        "spec": {"replicas": wanted},
        "status": {"observedGeneration": observed, **status},
    }


def replica_set(template: str, revision: str) -> Json:
    return {
        "metadata": {
            "name": "web-" + template,
            "labels": {"pod-template-hash": template},
            "annotations": {"deployment.kubernetes.io/revision": revision},
        }
    }
