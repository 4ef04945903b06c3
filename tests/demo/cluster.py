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

from tests.signs import TIMEOUT, Sign, first_seen

from .errors import DemoError
from .settings import NAMESPACE, RELEASE, Settings


@dataclass(frozen=True)
class Pod:
    name: str
    node: str
    ready: bool
    images: dict[str, str]  # container -> reference as the pod names it


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
    def nodes(self) -> list[str]:
        """Their names."""
        return [node.metadata.name for node in self._core.list_node(_request_timeout=TIMEOUT).items]

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
        """When a pod of the newest revision first showed this: see tests.signs."""
        return first_seen(self._core, self._apps, NAMESPACE, RELEASE, sign)

    @_asking("how the application answers")
    def greeting(self) -> str:
        """What the Service answers now, by the API server's proxy."""
        answer = self._core.connect_get_namespaced_service_proxy(
            f"{RELEASE}:http", NAMESPACE, _preload_content=False, _request_timeout=TIMEOUT
        )
        return str(json.loads(answer.data)["greeting"])
