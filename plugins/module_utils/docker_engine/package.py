# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The docker package's client of an engine, for what needs a registry's credentials, streams, or is about containers.

It knows the docker command's configuration with its credential helpers, and the rules of proxies.
"""

from __future__ import annotations

import contextlib
import os
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import (
    CERTIFICATE_FILES,
    DockerAddress,
)
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.faults import (
    ANSWER_SECONDS,
    DockerEngineError,
    refused,
    unreachable,
)
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.transport import Response

try:
    import docker
    import requests
    import urllib3
    from docker import errors as docker_errors
except ImportError as error:
    IMPORT_PROBLEM: t.Optional[str] = str(error)
else:
    IMPORT_PROBLEM = None

    class _Client(docker.APIClient):
        """A client that keeps to the CA it is given: requests would prefer that of REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE."""

        def merge_environment_settings(
            self, url: t.Any, proxies: t.Any, stream: t.Any, verify: t.Any, cert: t.Any
        ) -> t.Any:
            return super().merge_environment_settings(
                url, proxies, stream, self.verify if verify is None else verify, cert
            )


class DockerPackage:
    """
    :param api_version: that the engine is asked by; C(auto) has it asked for its newest first.
    :ivar transport: carries requests of others to the same engine.
    :raises DockerEngineError: the docker package is missing, or the engine does not answer.
    """

    def __init__(self, address: DockerAddress, api_version: str) -> None:
        if IMPORT_PROBLEM:
            raise DockerEngineError(
                "The Python package 'docker' is missing where this runs (%s). Install it with pip." % IMPORT_PROBLEM
            )
        self._address = address
        with self._translated(ANSWER_SECONDS):
            tls = None
            if address.certificates:
                ca, certificate, key = (os.path.join(address.certificates, name) for name in CERTIFICATE_FILES)
                tls = docker.tls.TLSConfig(client_cert=(certificate, key), ca_cert=ca, verify=True)
            self._api = _Client(base_url=address.host, version=api_version, tls=tls, timeout=ANSWER_SECONDS)
        self.transport = _PackageTransport(self._api)

    def close(self) -> None:
        self._api.close()

    @contextlib.contextmanager
    def calls(self, seconds: int) -> t.Iterator[t.Any]:
        """The package's C(APIClient); what it raises in the body is translated.

        :param seconds: without an answer.
        :raises DockerEngineError: in place of the package's errors.
        """
        with self._translated(seconds):
            try:
                if seconds != ANSWER_SECONDS:
                    self._api.timeout = seconds
                yield self._api
            finally:
                if seconds != ANSWER_SECONDS:
                    self._api.timeout = ANSWER_SECONDS

    def login(self, registry: str) -> t.Optional[t.Tuple[str, str]]:
        """Name and password for a registry; secret. None where there is none.

        :raises DockerEngineError: the program that keeps them fails.
        """
        with self._translated(ANSWER_SECONDS):
            found = docker.auth.load_config(credstore_env=self._api.credstore_env).resolve_authconfig(registry) or {}
        # in a file they are in lower case, of a helper not
        known = {name.lower(): value for name, value in found.items()}
        return (known["username"], known["password"]) if known.get("username") and known.get("password") else None

    @contextlib.contextmanager
    def _translated(self, seconds: int) -> t.Iterator[None]:
        try:
            yield
        except docker_errors.APIError as error:
            raise refused(self._address, str(error.explanation or error)) from None
        except (docker_errors.DockerException, requests.exceptions.RequestException, OSError) as error:
            raise unreachable(self._address, error, seconds) from None


class _PackageTransport:
    """C(EngineTransport) by the package's client. What it raises is an C(OSError)."""

    def __init__(self, api: t.Any) -> None:
        self._api = api

    def answer(self, method: str, path: str, headers: t.Mapping[str, str], seconds: float) -> t.Tuple[int, bytes]:
        response = self._sent(method, path, headers, seconds, stream=False)
        return response.status_code, response.content

    @contextlib.contextmanager
    def begun(self, method: str, path: str, headers: t.Mapping[str, str], seconds: float) -> t.Iterator[Response]:
        with contextlib.closing(self._sent(method, path, headers, seconds, stream=True)) as response:
            yield _Body(response)

    def close(self) -> None:
        """It is the package's."""

    def _sent(self, method: str, path: str, headers: t.Mapping[str, str], seconds: float, stream: bool) -> t.Any:
        url = self._api.base_url + path
        return self._api.request(method, url, headers=dict(headers), timeout=seconds, stream=stream)


class _Body:
    """A response that is read while it comes."""

    def __init__(self, response: t.Any) -> None:
        self.status = int(response.status_code)
        self._raw = response.raw

    def read(self, size: int, /) -> bytes:
        try:
            content: bytes = self._raw.read(size)
        except urllib3.exceptions.HTTPError as error:
            raise OSError(str(error)) from None
        return content
