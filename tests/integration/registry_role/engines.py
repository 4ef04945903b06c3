# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engines of the registry's host, which pull from it all the while; the lab's nodes are for the tests beside these."""

from __future__ import annotations

import contextlib
import typing as t
from pathlib import Path

import yaml

from ansible_collections.longshore.delivery.plugins.module_utils.registry.client_pair import certificates_in
from tests.integration.registry_trust.lab import Engine
from tests.integration.registry_trust.registries import Served
from tests.lab.access import inventory

from .host import HOST, PLACES
from .lab import REGISTRY, on_host
from .traffic import Pulls

ENDPOINT = REGISTRY["endpoint"]
TRUSTED = f"/etc/docker/certs.d/{ENDPOINT}/longshore.crt"
ENGINES = [Engine(HOST, "docker"), Engine(HOST, "podman")]


def authorities(path: str) -> list[str]:
    return certificates_in(on_host("sh", "-c", f"cat {path} 2>/dev/null || true"))


def trust_of_nodes() -> str:
    """What the nodes are told to trust."""
    return "\n".join(authorities(TRUSTED))


def with_one_gone(path: Path) -> Path:
    """An inventory of the registry's host as a node too, and of one that is not there."""
    found = inventory([HOST], PLACES)["all"]
    host = {**found["vars"], **found["hosts"][HOST.name]}
    hosts = {HOST.name: host, "gone": {**host, "ansible_host": "127.0.0.1", "ansible_port": 9}}
    groups: dict[str, t.Any] = {
        "longshore_registry_hosts": {"hosts": {HOST.name: {}}},
        "longshore_nodes": {"hosts": {name: {} for name in hosts}},
    }
    path.write_text(yaml.safe_dump({"all": {"hosts": hosts, "children": groups}}))
    return path


@contextlib.contextmanager
def pulling(fresh: t.Callable[[], None], registry: t.Mapping[str, str]) -> t.Iterator[None]:
    """All engines pull all the while, each an image of its own; none of it fails.

    :param fresh: pulls as another client.
    :param registry: as the images are pushed to it before.
    """
    served = Served({**REGISTRY, **registry})

    def pulls_of(engine: Engine) -> Pulls:
        name = served.push()

        def pull() -> str | None:
            said = engine.pull(name, served.login)
            engine.forget(name)
            return said and f"{engine}: {said}"

        return Pulls(pull)

    clients = {str(engine): pulls_of(engine) for engine in ENGINES}
    clients["fresh"] = Pulls(fresh)
    with contextlib.ExitStack() as stack:
        for client in clients.values():
            stack.enter_context(client)
        yield
    assert [failure for client in clients.values() for failure in client.failures] == []
    print({name: client.count for name, client in clients.items()})
    assert min(client.count for client in clients.values()) > 5
