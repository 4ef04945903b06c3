# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the cluster itself says of the demo's release."""

from __future__ import annotations

import contextlib
import json
import typing as t
from dataclasses import dataclass

import urllib3
from kubernetes import client, config

from .errors import DemoError
from .settings import NAMESPACE, RELEASE, Settings

REVISION = "deployment.kubernetes.io/revision"
TIMEOUT = (5, 30)  # seconds to connect and to wait for an answer


@dataclass(frozen=True)
class Pod:
    name: str
    node: str
    ready: bool
    images: dict[str, str]  # container -> reference as the pod names it


@dataclass(frozen=True)
class Node:
    name: str
    runtime: str
    images: frozenset[str]  # every name of every image it holds


@dataclass(frozen=True)
class Sign:
    """An event of a container: its reason, and how its message begins."""

    reason: str
    container: str
    message: str = ""

    def is_in(self, event: t.Any) -> bool:
        return (
            event.reason == self.reason
            and event.involved_object.field_path == f"spec.containers{{{self.container}}}"
            and (event.message or "").startswith(self.message)
        )


def _owners(item: t.Any, by: str) -> list[tuple[str, str]]:
    return [(owner.kind, getattr(owner, by)) for owner in item.metadata.owner_references or ()]


@contextlib.contextmanager
def _asking(what: str) -> t.Iterator[None]:
    try:
        yield
    except client.ApiException as error:
        raise DemoError(f"the cluster does not tell {what}: HTTP {error.status} {error.reason}") from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise DemoError(f"the cluster does not tell {what}, its API server cannot be reached: {error}") from error
    except (ValueError, LookupError, AttributeError) as error:
        raise DemoError(f"the cluster does not tell {what}, its answer is not understood: {error!r}") from error


class Cluster:
    """Reads by the API server. Every method raises DemoError where that cannot be reached or refuses."""

    def __init__(self, settings: Settings) -> None:
        try:
            # the package says no types of this function
            connection = config.new_client_from_config(str(settings.kubeconfig))  # type: ignore[no-untyped-call]
        except Exception as error:  # of any kind: the file's content is taken for what it should be
            said = " ".join(str(error).split())
            raise DemoError(f"the kubeconfig {settings.kubeconfig} cannot be used: {said}") from error
        # its types have every field optional, which says nothing of what an API server answers
        self._core: t.Any = client.CoreV1Api(connection)
        self._apps: t.Any = client.AppsV1Api(connection)

    @_asking("its pods")
    def pods(self) -> list[Pod]:
        found = self._core.list_namespaced_pod(NAMESPACE, _request_timeout=TIMEOUT).items
        return [
            Pod(
                pod.metadata.name,
                pod.spec.node_name or "",
                any(c.type == "Ready" and c.status == "True" for c in pod.status.conditions or ()),
                {c.name: c.image for c in (*pod.spec.containers, *(pod.spec.init_containers or ()))},
            )
            for pod in found
            if pod.metadata.deletion_timestamp is None
        ]

    @_asking("its nodes")
    def nodes(self) -> list[Node]:
        return [
            Node(
                node.metadata.name,
                node.status.node_info.container_runtime_version,
                frozenset(name for image in node.status.images or () for name in image.names or ()),
            )
            for node in self._core.list_node(_request_timeout=TIMEOUT).items
        ]

    @_asking("the address of the Service")
    def address(self) -> str:
        """host:port of the Service inside the cluster."""
        service = self._core.read_namespaced_service(RELEASE, NAMESPACE, _request_timeout=TIMEOUT)
        return f"{service.spec.cluster_ip}:{service.spec.ports[0].port}"

    @_asking("the state of the Deployment")
    def available(self) -> tuple[int, int]:
        """Pods available and wanted."""
        deployment = self._apps.read_namespaced_deployment(RELEASE, NAMESPACE, _request_timeout=TIMEOUT)
        return deployment.status.available_replicas or 0, deployment.spec.replicas

    @_asking("what happened to the new pods")
    def first_seen(self, sign: Sign) -> float | None:
        """When a pod of the newest revision first had this event, else when it was made: in whole seconds since the epoch.

        A repeated event keeps the time of its first occurrence. None if the newest revision has no pod.
        """
        moments = []
        for pod in self._newest_pods():
            selector = f"involvedObject.uid={pod.metadata.uid}"
            events = self._core.list_namespaced_event(
                NAMESPACE, field_selector=selector, _request_timeout=TIMEOUT
            ).items
            times = [event.first_timestamp or event.event_time for event in events if sign.is_in(event)]
            moments.append(min(filter(None, times), default=pod.metadata.creation_timestamp))
        return min(moments).timestamp() if moments else None

    def _newest_pods(self) -> list[t.Any]:
        sets = self._apps.list_namespaced_replica_set(NAMESPACE, _request_timeout=TIMEOUT).items
        mine = [found for found in sets if ("Deployment", RELEASE) in _owners(found, "name")]
        if not mine:
            return []
        newest = max(mine, key=lambda found: int((found.metadata.annotations or {}).get(REVISION, 0)))
        pods = self._core.list_namespaced_pod(NAMESPACE, _request_timeout=TIMEOUT).items
        return [pod for pod in pods if ("ReplicaSet", newest.metadata.uid) in _owners(pod, "uid")]

    @_asking("how the application answers")
    def greeting(self) -> str:
        """What the Service answers now, by the API server's proxy."""
        answer = self._core.connect_get_namespaced_service_proxy(
            f"{RELEASE}:http", NAMESPACE, _preload_content=False, _request_timeout=TIMEOUT
        )
        return str(json.loads(answer.data)["greeting"])
