# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Registries on this machine that the lab's nodes reach, and images in them that nobody has seen before."""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import json
import secrets
import typing as t
from pathlib import Path

from ansible_collections.longshore.delivery.plugins.module_utils.registry import transport
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.manifest import OCI_MANIFEST
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.trust import canary
from tests.http_server import AnsweringServer, Reply, Request, json_reply
from tests.lab.nodes import SUBNET
from tests.unit.module_utils.registry.certificates import Certificates, Issued
from tests.unit.module_utils.registry.servers import PASSWORD, USERNAME, How, Registry

# the lab's network as this machine is in it
ADDRESS = str(next(ipaddress.ip_network(SUBNET).hosts()))
LOGIN = (USERNAME, PASSWORD)


class Served:
    """A registry that serves, as a user of the collection describes it.

    :param options: its entry in C(registries).
    """

    def __init__(self, options: dict[str, str]) -> None:
        self.options = options
        self.login = (options["username"], options["password"]) if "username" in options else None

    @property
    def endpoint(self) -> str:
        return self.options["endpoint"]

    def push(self, below: str = "") -> str:
        """Push a new image, below a path. Returns its reference."""
        token = secrets.token_hex(12)
        image, repository = canary.image(token, "x86_64"), f"{below}trust-test/{token}"
        with RegistryClient(RegistrySettings.from_params(self.options)) as client:
            for blob in (image.config, image.layer):
                client.push_blob(repository, blob)
            client.put_manifest(repository, "1", OCI_MANIFEST, image.manifest())
        return f"{self.endpoint}/{repository}:1"

    def tags_of_canaries(self, below: str = "") -> list[str]:
        """The canaries that are left in it, below a path."""
        repository = f"{below}{canary.REPOSITORY}"
        settings = RegistrySettings.from_params(self.options)
        with RegistryClient(settings) as client:
            listed = transport.Request("GET", f"/v2/{repository}/tags/list", limit=1 << 20)
            answer = client.request(listed, repository)
        return list(json.loads(answer.body).get("tags") or []) if answer.status == 200 else []


@contextlib.contextmanager
def serving(
    program: str, directory: Path, issued: Issued | None, login: bool, port: int = 0, clients: Issued | None = None
) -> t.Iterator[str]:
    """Run docker-registry on this machine's address in the lab. Gives the endpoint."""
    how = How(address=ADDRESS, port=port, issued=issued, htpasswd=login, clients=clients)
    registry = Registry(program, directory, how)
    try:
        yield registry.endpoint
    finally:
        registry.stop()


@contextlib.contextmanager
def refusing_engines(behind: str, issued: Issued | None) -> t.Iterator[str]:
    """A server, with TLS or without, in front of a registry that lets this collection's client through and refuses engines."""

    def pass_on(request: Request) -> Reply:
        if not request.headers.get("user-agent", "").startswith("longshore"):
            return 403, {"Content-Type": "text/plain"}, b"engines may not"
        connection = http.client.HTTPConnection(behind)
        headers = {**request.headers, "x-forwarded-proto": "https" if issued else "http"}
        connection.request(request.method, request.path, request.body, headers)
        response = connection.getresponse()
        kept = {key: value for key, value in response.getheaders() if key.lower() not in ("content-length", "date")}
        content = response.read()
        connection.close()
        return response.status, kept, content

    with AnsweringServer(pass_on, issued.served() if issued else None, ADDRESS) as server:
        yield server.endpoint


@contextlib.contextmanager
def taking_no_push() -> t.Iterator[str]:
    """A registry over HTTP that holds nothing and takes nothing, as a mirror does."""

    def answer(request: Request) -> Reply:
        if request.path == "/v2/":
            status, headers, content = json_reply({})
        else:
            unknown = {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}
            status, headers, content = json_reply(unknown, 405 if request.method == "POST" else 404)
        return status, {**headers, "Docker-Distribution-Api-Version": "registry/2.0"}, content

    with AnsweringServer(answer, None, ADDRESS) as server:
        yield server.endpoint


def certificate(directory: Path) -> tuple[Issued, Issued]:
    """An authority, and what it issued for this machine's address in the lab."""
    directory.mkdir(exist_ok=True)
    certificates = Certificates(directory)
    authority = certificates.authority("Authority of the trust tests")
    return authority, certificates.issue("registry", [ADDRESS], authority)
