# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""A release as Kubernetes objects. Pure: the same release is the same objects, in the order in which they are applied."""

from __future__ import annotations

import base64
import hashlib
import json
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.workload.release import Container, Json, Release

RELEASE_LABEL = "longshore.delivery/release"
MANAGED_BY = "longshore.delivery"
_HASH_DIGITS = 10


def labels_of(name: str) -> t.Dict[str, str]:
    """The labels that every object of a release carries; RELEASE_LABEL alone selects them."""
    return {
        RELEASE_LABEL: name,
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/managed-by": MANAGED_BY,
    }


def manifests(release: Release, images: t.Mapping[str, str]) -> t.List[Json]:
    """All objects of a release: ConfigMap, Secrets, Service, Deployment, as far as it has them.

    :param images: each container's image as the user wrote it to the one that is to run.
    """
    config, secrets = config_name(release), secrets_name(release)
    objects = [_config(release, config), _secret(release, secrets), _pull_secret(release), _service(release)]
    pod = _pod(release, images, config, secrets)
    return [item for item in objects if item] + [_deployment(release, pod)]


def _object(release: Release, api_version: str, kind: str, name: str, **content: t.Any) -> Json:
    metadata = {"name": name, "namespace": release.namespace, "labels": labels_of(release.name)}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}


def config_name(release: Release) -> t.Optional[str]:
    """The ConfigMap's name: another content is another object, which rolls the pods and leaves earlier pods theirs."""
    if not release.config:
        return None
    content = json.dumps(dict(release.config), sort_keys=True).encode()
    return "%s-config-%s" % (release.name, hashlib.sha256(content).hexdigest()[:_HASH_DIGITS])


def secrets_name(release: Release) -> t.Optional[str]:
    """The Secret's name, likewise.

    Whoever may see a pod sees this name, so that it must not let a weak password be guessed offline: scrypt with RFC 7914's
    interactive cost (about 50 ms and 16 MiB a guess), salted with where the Secret is.
    """
    if not release.secrets:
        return None
    content = json.dumps(dict(release.secrets), sort_keys=True).encode()
    salt = ("%s/%s" % (release.namespace, release.name)).encode()
    digest = hashlib.scrypt(content, salt=salt, n=2**14, r=8, p=1)
    return "%s-secrets-%s" % (release.name, digest.hex()[:_HASH_DIGITS])


def pull_secret_name(release: Release) -> str:
    """Not named by its content: a new registry password is no reason to replace pods that run."""
    return "%s-registry" % release.name


def _config(release: Release, name: t.Optional[str]) -> t.Optional[Json]:
    if name is None:
        return None
    return _object(release, "v1", "ConfigMap", name, immutable=True, data=dict(release.config))


def _secret(release: Release, name: t.Optional[str]) -> t.Optional[Json]:
    if name is None:
        return None
    data = {key: base64.b64encode(value.encode()).decode() for key, value in release.secrets.items()}
    return _object(release, "v1", "Secret", name, immutable=True, type="Opaque", data=data)


def _pull_secret(release: Release) -> t.Optional[Json]:
    credentials = release.pull_credentials
    if credentials is None:
        return None
    pair = "%s:%s" % (credentials.username, credentials.password)
    entry = {
        "username": credentials.username,
        "password": credentials.password,
        "auth": base64.b64encode(pair.encode()).decode(),
    }
    document = json.dumps({"auths": {credentials.endpoint: entry}}, sort_keys=True)
    data = {".dockerconfigjson": base64.b64encode(document.encode()).decode()}
    return _object(release, "v1", "Secret", pull_secret_name(release), type="kubernetes.io/dockerconfigjson", data=data)


def _service(release: Release) -> t.Optional[Json]:
    if not release.service:
        return None
    ports = [
        {"name": port.name, "port": port.port, "targetPort": port.name, "protocol": port.protocol}
        for port in release.ports
    ]
    return _object(
        release, "v1", "Service", release.name, spec={"selector": {RELEASE_LABEL: release.name}, "ports": ports}
    )


def _deployment(release: Release, pod: Json) -> Json:
    spec: Json = {
        "selector": {"matchLabels": {RELEASE_LABEL: release.name}},
        # a pod goes only when another one is ready in its place
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": "25%"}},
        "template": {"metadata": {"labels": labels_of(release.name)}, "spec": pod},
    }
    if release.replicas is not None:
        spec["replicas"] = release.replicas
    return _object(release, "apps/v1", "Deployment", release.name, spec=spec)


def _pod(release: Release, images: t.Mapping[str, str], config: t.Optional[str], secrets: t.Optional[str]) -> Json:
    main = _container(release.main, images)
    sources = []
    if config:
        sources.append({"configMapRef": {"name": config}})
    if secrets:
        sources.append({"secretRef": {"name": secrets}})
    if sources:
        main["envFrom"] = sources
    if release.ports:
        main["ports"] = [
            {"name": port.name, "containerPort": port.port, "protocol": port.protocol} for port in release.ports
        ]
    main.update(release.probes)
    if release.pre_stop_pause:
        # the kubelet sleeps, so that the image needs no shell (GA since Kubernetes 1.34, on by default since 1.30)
        main["lifecycle"] = {"preStop": {"sleep": {"seconds": release.pre_stop_pause}}}
    security: Json = {"seccompProfile": {"type": "RuntimeDefault"}}
    if not release.run_as_root:
        security["runAsNonRoot"] = True
    pod: Json = {
        "containers": [main],
        "securityContext": security,
        "terminationGracePeriodSeconds": release.pre_stop_pause + release.stop_seconds,
    }
    if release.sidecars:
        # native sidecars (GA since Kubernetes 1.33): they start before the main container and end after it
        pod["initContainers"] = [
            {**_container(sidecar, images), "restartPolicy": "Always"} for sidecar in release.sidecars
        ]
    if release.pull_credentials:
        pod["imagePullSecrets"] = [{"name": pull_secret_name(release)}]
    return pod


def _container(container: Container, images: t.Mapping[str, str]) -> Json:
    security: Json = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    if container.run_as_user is not None:
        security["runAsUser"] = container.run_as_user
    result: Json = {
        "name": container.name,
        "image": images[container.image],
        "imagePullPolicy": "IfNotPresent",
        "securityContext": security,
    }
    if container.command:
        result["command"] = list(container.command)
    if container.args:
        result["args"] = list(container.args)
    if container.environment:
        result["env"] = [{"name": name, "value": value} for name, value in container.environment.items()]
    if container.resources:
        result["resources"] = {key: dict(value) for key, value in container.resources.items()}
    return result
