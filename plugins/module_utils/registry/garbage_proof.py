# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What a registry has to serve after a collection of garbage, asked of the registry itself."""

from __future__ import annotations

import hashlib
import http.client
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_plan import Promise

# Any kind, and these as they are: without them an old registry makes another manifest of it, with another digest.
_ACCEPT = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        "application/vnd.docker.distribution.manifest.v1+json",
        "*/*",
    )
)
_PATIENCE = 30.0
Answer = t.Tuple[int, t.Mapping[str, str], bytes]


class Proof:
    """Asks a registry on 127.0.0.1, by one connection that is kept and closed by C(close)."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)

    def close(self) -> None:
        self._connection.close()

    def fault_of_registry(self) -> str:
        """Why the registry does not serve at all; empty when it does."""
        try:
            status, _headers, _body = self._ask("GET", "/v2/")
        except (OSError, http.client.HTTPException) as error:
            return "the registry does not answer on 127.0.0.1 port %d (%s)" % (self._connection.port, error)
        return "" if status == 200 else "the registry answers /v2/ with HTTP %d" % status

    def fault_of(self, promise: Promise) -> str:
        """Why a promise is not kept; empty when it is."""
        try:
            return self._manifest(promise) if promise.is_manifest else self._blob(promise)
        except (OSError, http.client.HTTPException) as error:
            return "%s@%s: no answer (%s)" % (promise.repository, promise.digest, error)

    def still_has(self, repository: str, digest: str) -> bool:
        """Whether the registry says that it has a blob, as one with a cache does of those that are gone.

        :raises OSError: it does not answer.
        """
        try:
            status, _headers, _body = self._ask("HEAD", "/v2/%s/blobs/%s" % (repository, digest))
        except http.client.HTTPException as error:
            raise OSError("the registry gives no answer (%s)" % error) from error
        return status != 404

    def _manifest(self, promise: Promise) -> str:
        status, _headers, body = self._ask("GET", "/v2/%s/manifests/%s" % (promise.repository, promise.digest))
        if status != 200:
            return "manifest %s@%s: HTTP %d" % (promise.repository, promise.digest, status)
        algorithm, _colon, digits = promise.digest.partition(":")
        if hashlib.new(algorithm, body).hexdigest() != digits:
            return "manifest %s@%s: its bytes have another digest" % (promise.repository, promise.digest)
        for tag in promise.tags:
            status, headers, _body = self._ask("HEAD", "/v2/%s/manifests/%s" % (promise.repository, tag))
            digest = headers.get("Docker-Content-Digest", "")
            if (status, digest) != (200, promise.digest):
                return "tag %s:%s: HTTP %d, %s" % (promise.repository, tag, status, digest or "no digest")
        return ""

    def _blob(self, promise: Promise) -> str:
        status, headers, _body = self._ask("HEAD", "/v2/%s/blobs/%s" % (promise.repository, promise.digest))
        size = headers.get("Content-Length", "")
        if (status, size) != (200, str(promise.size)):
            return "blob %s@%s: HTTP %d, %s of %d bytes" % (
                promise.repository,
                promise.digest,
                status,
                size or "none",
                promise.size,
            )
        return ""

    def _ask(self, method: str, path: str) -> Answer:
        try:
            return self._ask_once(method, path)
        except (OSError, http.client.HTTPException):  # the registry may have closed the connection
            self._connection.close()
            return self._ask_once(method, path)

    def _ask_once(self, method: str, path: str) -> Answer:
        self._connection.request(method, path, headers={"Accept": _ACCEPT})
        answer = self._connection.getresponse()
        return answer.status, dict(answer.headers.items()), answer.read()
