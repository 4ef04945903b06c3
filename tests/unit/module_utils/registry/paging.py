# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A registry that pages its tags as distribution 3 does, and may have the API for referrers, which no Debian package has yet."""

from __future__ import annotations

import hashlib
import itertools
import json
import typing as t
import urllib.parse

from ansible_collections.longshore.delivery.plugins.module_utils.registry.manifest import OCI_MANIFEST
from tests.http_server import Handler, HttpServer


def artifact(tag: str) -> bytes:
    """The manifest under a tag: each tag's is another, and none has a configuration to read."""
    config = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": "sha256:" + "4" * 64, "size": 2}
    layer = {"mediaType": "text/plain", "digest": "sha256:" + hashlib.sha256(tag.encode()).hexdigest(), "size": 10}
    document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [layer]}
    return json.dumps(document).encode()


class PagingRegistry(HttpServer):
    """Serves repositories of such artifacts over HTTP.

    :param tags: by repository.
    :param most: a number of entries that is larger is refused, as distribution refuses it.
    :param referrers: by digest, where it has that API.
    :param busy_after: how many manifests it serves before it takes no request any more; None for any number.
    :ivar lists: the paths of lists that were asked for.
    :ivar connections: how many there were.
    """

    def __init__(
        self,
        tags: t.Mapping[str, t.Sequence[str]],
        most: int = 1000,
        referrers: t.Mapping[str, t.Sequence[t.Mapping[str, t.Any]]] | None = None,
        busy_after: int | None = None,
    ) -> None:
        self.lists: list[str] = []
        self.connections = 0
        served = itertools.count()
        registry = self

        class Serving(Handler):
            def setup(self) -> None:
                super().setup()
                registry.connections += 1

            def do_GET(self) -> None:
                parts = urllib.parse.urlsplit(self.path)
                query = dict(urllib.parse.parse_qsl(parts.query))
                path = parts.path.removeprefix("/v2/")
                if not path:
                    self.document({})
                elif path == "_catalog":
                    self.listed("repositories", sorted(tags), query)
                elif path.endswith("/tags/list") and path.removesuffix("/tags/list") in tags:
                    self.listed("tags", sorted(tags[path.removesuffix("/tags/list")]), query)
                elif referrers is not None and "/referrers/" in path:
                    self.document({"schemaVersion": 2, "manifests": referrers.get(path.rpartition("/")[2], [])})
                elif "/manifests/" in path and busy_after is not None and next(served) >= busy_after:
                    self.document({"errors": [{"code": "TOOMANYREQUESTS"}]}, 429)
                elif "/manifests/" in path:
                    body = artifact(path.rpartition("/")[2])
                    digest = "sha256:" + hashlib.sha256(body).hexdigest()
                    self.reply(200, {"Content-Type": OCI_MANIFEST, "Docker-Content-Digest": digest}, body)
                else:
                    self.document({"errors": [{"code": "NOT_FOUND"}]}, 404)

            def listed(self, key: str, names: list[str], query: dict[str, str]) -> None:
                registry.lists.append(self.path)
                number = int(query["n"]) if "n" in query else len(names)
                if "n" in query and number > most:
                    self.document({"errors": [{"code": "PAGINATION_NUMBER_INVALID"}]}, 400)
                    return
                rest = [name for name in names if name > query.get("last", "")]
                headers = {}
                if len(rest) > number:
                    place = urllib.parse.urlencode({"n": number, "last": rest[number - 1]})
                    headers["Link"] = f'<{urllib.parse.urlsplit(self.path).path}?{place}>; rel="next"'
                self.document({key: rest[:number]}, headers=headers)

            def document(self, document: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
                self.reply(
                    status, {"Content-Type": "application/json", **(headers or {})}, json.dumps(document).encode()
                )

        super().__init__(Serving)
