# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Where a Docker engine is: one address for the API client and the command line, so that both speak to the same engine."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError

DEFAULT_HOST = "unix:///var/run/docker.sock"
CERTIFICATE_FILES = ("ca.pem", "cert.pem", "key.pem")
_SCHEMES = ("unix://", "tcp://")

# of every module that speaks to a Docker engine, documented by the fragment 'engine'
ADDRESS_SPEC: t.Dict[str, t.Any] = dict(docker_host=dict(type="str"), docker_cert_path=dict(type="path"))


class InvalidAddress(DeliveryError):
    """An address, or a directory of certificates, that leads to no engine."""


@dataclasses.dataclass(frozen=True)
class DockerAddress:
    """An engine's address.

    :param host: C(unix:///path) or C(tcp://host:port).
    :param certificates: a directory with ca.pem, cert.pem and key.pem for TLS with client certificate; empty for none.
    """

    host: str
    certificates: str = ""

    @classmethod
    def find(
        cls,
        host: t.Optional[str] = None,
        certificates: t.Optional[str] = None,
        environment: t.Optional[t.Mapping[str, str]] = None,
    ) -> DockerAddress:
        """The address that the options name, else the one that the docker command takes from its environment.

        :param environment: with DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH; the process' own by default.
        :raises InvalidAddress: the address has another scheme, or a certificate is missing.
        """
        environment = os.environ if environment is None else environment
        origin = "docker_host" if host else "DOCKER_HOST"
        host = host or environment.get("DOCKER_HOST") or DEFAULT_HOST
        if not host.startswith(_SCHEMES):
            raise InvalidAddress(
                "%s is %r; write the engine's address as unix:///path/of/the/socket or tcp://host:port."
                % (origin, host)
            )
        if not certificates and environment.get("DOCKER_TLS_VERIFY"):
            certificates = environment.get("DOCKER_CERT_PATH") or configuration_directory(environment)
        certificates = os.path.expanduser(certificates or "") if host.startswith("tcp://") else ""
        for name in CERTIFICATE_FILES if certificates else ():
            if not os.path.isfile(os.path.join(certificates, name)):
                raise InvalidAddress(
                    "There is no %s in %s, which must hold %s for the engine at %s. "
                    "Set 'docker_cert_path' to the directory that does."
                    % (name, certificates, ", ".join(CERTIFICATE_FILES), host)
                )
        return cls(host, certificates)

    @property
    def command_environment(self) -> t.Dict[str, str]:
        """What makes the docker command speak to this engine; its configuration stays the user's (DOCKER_CONFIG)."""
        return {
            "DOCKER_HOST": self.host,
            "DOCKER_TLS_VERIFY": "1" if self.certificates else "",
            "DOCKER_CERT_PATH": self.certificates,
            "DOCKER_CONTEXT": "",
        }

    def __str__(self) -> str:
        return self.host


def configuration_directory(environment: t.Optional[t.Mapping[str, str]] = None) -> str:
    """The directory of the docker command's own configuration and plugins."""
    environment = os.environ if environment is None else environment
    return environment.get("DOCKER_CONFIG") or os.path.join(os.path.expanduser("~"), ".docker")
