# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Since when the cluster shows what keeps a release from coming up, as its events tell it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

REVISION = "deployment.kubernetes.io/revision"
TIMEOUT = (5, 30)  # seconds to connect and to wait for an answer


@dataclass(frozen=True)
class Sign:
    """An event of a pod, or of a container in it: its reason, and how its message begins."""

    reason: str
    container: str = ""
    message: str = ""

    def is_in(self, event: t.Any) -> bool:
        path = f"spec.containers{{{self.container}}}" if self.container else ""
        return (
            event.reason == self.reason
            and (event.involved_object.field_path or "") == path
            and (event.message or "").startswith(self.message)
        )


def first_seen(core: t.Any, apps: t.Any, namespace: str, deployment: str, sign: Sign) -> float | None:
    """When a pod of the newest revision first had this event, else when it was made: in whole seconds since the epoch.

    A repeated event keeps the time of its first occurrence. None if the newest revision has no pod.

    :param core: a CoreV1Api. Its types have every field optional, which says nothing of what an API server answers.
    :param apps: an AppsV1Api.
    """
    moments = []
    for pod in _newest_pods(core, apps, namespace, deployment):
        selector = f"involvedObject.uid={pod.metadata.uid}"
        events = core.list_namespaced_event(namespace, field_selector=selector, _request_timeout=TIMEOUT).items
        times = [event.first_timestamp or event.event_time for event in events if sign.is_in(event)]
        moments.append(min(filter(None, times), default=pod.metadata.creation_timestamp))
    return min(moments).timestamp() if moments else None


def _newest_pods(core: t.Any, apps: t.Any, namespace: str, deployment: str) -> list[t.Any]:
    sets = apps.list_namespaced_replica_set(namespace, _request_timeout=TIMEOUT).items
    mine = [found for found in sets if ("Deployment", deployment) in _owners(found, "name")]
    if not mine:
        return []
    newest = max(mine, key=lambda found: int((found.metadata.annotations or {}).get(REVISION, 0)))
    pods = core.list_namespaced_pod(namespace, _request_timeout=TIMEOUT).items
    return [pod for pod in pods if ("ReplicaSet", newest.metadata.uid) in _owners(pod, "uid")]


def _owners(item: t.Any, by: str) -> list[tuple[str, str]]:
    return [(owner.kind, getattr(owner, by)) for owner in item.metadata.owner_references or ()]
