# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Registries that are to hold the same: each a real docker-registry behind what lists its storage, as nginx does for the role."""

from __future__ import annotations

import dataclasses
import email.utils
import http.client
import os
import time
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Context
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.registry_replicate import CAPABILITY
from ansible_collections.longshore.delivery.plugins.module_utils.registry.replica_records import PLACE
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.registry.storage_layout import current
from ansible_collections.longshore.delivery.plugins.module_utils.running import run_command
from tests.http_server import AnsweringServer, Reply, Request, json_reply
from tests.returned import run
from tests.unit.module_utils.image.making import Made, push

from .servers import Registry

Result = t.Dict[str, t.Any]


class Front(AnsweringServer):
    """What stands before a registry.

    :ivar tells: whether it lists the storage.
    :ivar closed: whether it says that it may not read the storage.
    :ivar answers_first: is asked before the registry is; None leaves the answer to that.
    """

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.tells = True
        self.closed = False
        self.answers_first: t.Callable[[Request], Reply | None] = lambda request: None
        self.storage = registry.directory / "data/docker/registry/v2/repositories"
        super().__init__(self._answer)

    def _answer(self, request: Request) -> Reply:
        first = self.answers_first(request)
        if first is not None:
            return first
        if request.path.startswith(PLACE):
            if self.closed:
                return 403, {}, b""
            return self._listed(request.path.removeprefix(PLACE + "/")) if self.tells else (404, {}, b"")
        connection = http.client.HTTPConnection("127.0.0.1", self.registry.port, timeout=10)
        connection.request(request.method, request.path, request.body, request.headers)
        answer = connection.getresponse()
        body = answer.read()
        kept = {name: value for name, value in answer.getheaders() if name.lower() != "content-length"}
        connection.close()
        return answer.status, kept, body

    def _listed(self, path: str) -> Reply:
        place = self.storage / path
        if place.is_dir():
            return json_reply([{"name": entry.name, "type": "directory"} for entry in place.iterdir()])
        if not place.exists():
            return 404, {}, b""
        written = email.utils.formatdate(place.stat().st_mtime, usegmt=True)
        return 200, {"Last-Modified": written}, place.read_bytes()


@dataclasses.dataclass
class Replica:
    """One of a group.

    :ivar group: the endpoints of all.
    """

    front: Front
    group: list[str] = dataclasses.field(default_factory=list)
    warnings: list[str] = dataclasses.field(default_factory=list)

    @property
    def endpoint(self) -> str:
        return self.front.endpoint

    @property
    def storage(self) -> str:
        return str(self.front.registry.directory / "data")

    def client(self) -> RegistryClient:
        return RegistryClient(RegistrySettings.from_params({"endpoint": self.endpoint, "tls": "plain"}))

    def catch_up(self, check: bool = False, **options: t.Any) -> Result:
        given = {"registry": {"endpoint": self.endpoint, "tls": "plain"}, "peers": self.group}
        given.update({"storage": self.storage, **options})
        checked = ArgumentSpecValidator(CAPABILITY.argument_spec).validate(given)
        assert checked.error_messages == []
        context = Context(check, False, self.warnings.append, lambda line: None, run_command)
        return run("registry_replicate", checked.validated_parameters, context)

    def push(self, made: Made, *tags: str, repository: str = "shop/web") -> str:
        with self.client() as client:
            return push(client, repository, made, *tags)

    def digest(self, tag: str, repository: str = "shop/web") -> str | None:
        """What is served there, whole."""
        with self.client() as client:
            head = client.head_manifest(repository, tag)
            if head is None:
                return None
            manifest = client.get_manifest(repository, tag)
            for name in [child.digest for child in manifest.listed] or [manifest.digest]:
                for blob in client.get_manifest(repository, name).layers:
                    client.get_blob(repository, blob)
            return str(head.digest)

    def set_age(self, tag: str, seconds: float, repository: str = "shop/web") -> None:
        """Have a tag be written so long ago."""
        moment = time.time() - seconds
        os.utime(current(self.storage, repository, tag), (moment, moment))

    def files(self) -> dict[str, bytes]:
        """All that the registry keeps."""
        root = self.front.registry.directory / "data"
        return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}
