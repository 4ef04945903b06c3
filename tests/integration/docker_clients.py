# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Docker engines asked past the collection, by the package docker."""

from __future__ import annotations

import typing as t
from pathlib import Path

import docker


def client_of(host: str, certificates: Path | None = None) -> docker.DockerClient:
    """A client; the caller closes it.

    :param certificates: a directory with ca.pem, cert.pem and key.pem, for an engine behind TLS.
    """
    tls: t.Any = False
    if certificates:
        pair = (str(certificates / "cert.pem"), str(certificates / "key.pem"))
        tls = docker.tls.TLSConfig(client_cert=pair, ca_cert=str(certificates / "ca.pem"), verify=True)
    client = docker.DockerClient(base_url=host, version="1.41", tls=tls)
    client.api.trust_env = False  # else a CA in the environment takes the place of the engine's
    return client
