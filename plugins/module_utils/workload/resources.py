# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Where the API server has the kinds that a release is made of, and all that pods are made from."""

from __future__ import annotations

import typing as t

_PLACES = {
    "Namespace": ("/api/v1", "namespaces"),
    "Node": ("/api/v1", "nodes"),
    "ConfigMap": ("/api/v1", "configmaps"),
    "Event": ("/api/v1", "events"),
    "Pod": ("/api/v1", "pods"),
    "Secret": ("/api/v1", "secrets"),
    "Service": ("/api/v1", "services"),
    "Deployment": ("/apis/apps/v1", "deployments"),
    "ReplicaSet": ("/apis/apps/v1", "replicasets"),
    "StatefulSet": ("/apis/apps/v1", "statefulsets"),
    "DaemonSet": ("/apis/apps/v1", "daemonsets"),
    "ControllerRevision": ("/apis/apps/v1", "controllerrevisions"),
    "ReplicationController": ("/api/v1", "replicationcontrollers"),
    "Job": ("/apis/batch/v1", "jobs"),
    "CronJob": ("/apis/batch/v1", "cronjobs"),
}


def path_of(kind: str, namespace: t.Optional[str], name: t.Optional[str] = None) -> str:
    """The path of a kind's list, or of one object. C(namespace) is None for what has none."""
    prefix, plural = _PLACES[kind]
    parts = [prefix, *(["namespaces", namespace] if namespace else []), plural, *([name] if name else [])]
    return "/".join(parts)
