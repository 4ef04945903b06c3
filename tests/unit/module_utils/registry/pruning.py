# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""registry_prune's function on a registry, and an API server that lists what a test says is there."""

from __future__ import annotations

import dataclasses
import datetime
import json
import threading
import typing as t
import urllib.parse
from pathlib import Path

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.manifest import OCI_MANIFEST
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.running import run_command
from ansible_collections.longshore.delivery.plugins.modules.registry_prune import CAPABILITY
from tests.http_server import AnsweringServer, Reply, Request, json_reply
from tests.kubeconfig import kubeconfig
from tests.returned import as_documented
from tests.unit.module_utils.image.making import Made, digest_of, image, push

Result = t.Dict[str, t.Any]


class Lists(AnsweringServer):
    """An API server.

    :ivar items: by the plural of a kind, what there is of it.
    :ivar refused: plurals of kinds that are not to be listed.
    :ivar most: how many a page has.
    """

    def __init__(self) -> None:
        self.items: dict[str, list[dict[str, t.Any]]] = {}
        self.refused: set[str] = set()
        self.most = 500
        super().__init__(self._answer)

    def _answer(self, request: Request) -> Reply:
        parts = urllib.parse.urlsplit(request.path)
        kind = parts.path.rpartition("/")[2]
        if kind in self.refused:
            return json_reply({"kind": "Status", "reason": "Forbidden", "message": f"{kind} is forbidden"}, 403)
        query = dict(urllib.parse.parse_qsl(parts.query))
        first, items = int(query.get("continue", 0)), self.items.get(kind, [])
        following = first + min(self.most, int(query["limit"]))
        metadata = {"continue": str(following)} if following < len(items) else {}
        return json_reply({"metadata": metadata, "items": items[first:following]})

    def add(self, kind: str, name: str, image: str) -> None:
        """One of a kind with an image somewhere in it."""
        template = {"spec": {"containers": [{"name": "web", "image": image}]}}
        self.items.setdefault(kind, []).append(
            {"metadata": {"namespace": "shop", "name": name}, "spec": {"template": template}}
        )


@dataclasses.dataclass
class Prune:
    """The function with the options of every run; what it warns of and shows."""

    endpoint: str
    options: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    registry: dict[str, str] = dataclasses.field(default_factory=dict)
    warnings: list[str] = dataclasses.field(default_factory=list)
    lines: list[str] = dataclasses.field(default_factory=list)

    def ask(self, cluster: Lists, directory: Path) -> None:
        """Have it ask this one from now on."""
        place = kubeconfig(directory, "http://" + cluster.endpoint)
        self.options = {**self.options, "cluster": "required", "kubeconfig": place}

    def __call__(self, *rules: dict[str, t.Any], check: bool = False, **options: t.Any) -> Result:
        given = {
            "registry": {"endpoint": self.endpoint, "tls": "plain", **self.registry},
            "rules": list(rules),
            "cluster": "none",
            "in_use": {"nobody": []},
            **self.options,
            **options,
        }
        checked = ArgumentSpecValidator(CAPABILITY.argument_spec).validate(given)
        assert checked.error_messages == []
        context = Context(check, True, self.warnings.append, self.lines.append, run_command)
        try:
            result = CAPABILITY.run(checked.validated_parameters, context)
        except DeliveryError as error:
            as_documented("registry_prune", {"failed": True, **error.facts})
            raise
        as_documented("registry_prune", result)
        return result

    def client(self) -> RegistryClient:
        return RegistryClient(
            RegistrySettings.from_params({"endpoint": self.endpoint, "tls": "plain", **self.registry})
        )

    def has(self, repository: str, *references: str) -> list[bool]:
        """Whether each of these tags or digests is served."""
        with self.client() as client:
            return [client.head_manifest(repository, reference) is not None for reference in references]

    def tags(self, repository: str) -> list[str]:
        """The tags that lead to something."""
        with self.client() as client:
            return [tag for tag in sorted(client.tags(repository)) if client.head_manifest(repository, tag)]

    def delete(self, repository: str, digest: str) -> None:
        with self.client() as client:
            client.delete_manifest(repository, ManifestDigest.parse(digest))


def removed(result: Result) -> dict[str, list[str]]:
    """The tags of what went, by its digest."""
    return {one["digest"]: one["tags"] for one in result["removed"]}


def kept(result: Result) -> dict[str, list[str]]:
    """The reasons for what stays, by its tags."""
    return {" ".join(one["tags"]): one["why"] for one in result["kept"]}


class RegistryWithReferrers(AnsweringServer):
    """A registry in memory that has the API for referrers, which no Debian package has yet.

    :ivar manifests: of its one repository, by digest.
    :ivar silent: a request that it does not answer until C(ended) is set, as its method and the end of its path.
    """

    def __init__(self, repository: str) -> None:
        self.repository = repository
        self.silent = ("", "")
        self.ended = threading.Event()
        self.manifests: dict[str, Made] = {}
        self.tags: dict[str, str] = {}
        super().__init__(self._answer)

    def add(self, made: Made, *tags: str) -> None:
        self.manifests[made.digest] = made
        for digest, (media_type, body) in made.manifests.items():
            self.manifests[digest] = Made(body, media_type, made.blobs)
        self.tags.update(dict.fromkeys(tags, made.digest))

    def _answer(self, request: Request) -> Reply:
        if request.method == self.silent[0] and request.path.partition("?")[0].endswith(self.silent[1]):
            self.ended.wait(60)
        what, _slash, name = request.path.partition("?")[0].removeprefix("/v2/").rpartition("/")
        if name == "_catalog":
            return json_reply({"repositories": [self.repository]})
        if name == "list":
            return json_reply({"tags": sorted(self.tags)})
        if what.endswith("/referrers"):
            about = [one for one in self.manifests.values() if one.document.get("subject", {}).get("digest") == name]
            return json_reply({"schemaVersion": 2, "manifests": [one.descriptor() for one in about]})
        if what.endswith("/blobs"):
            return 200, {}, next(one.blobs[name] for one in self.manifests.values() if name in one.blobs)
        if request.method == "PUT":
            self.add(Made(request.body, request.headers["content-type"], {}), name)
            return 201, {"Docker-Content-Digest": self.tags[name]}, b""
        made = self.manifests.get(self.tags.get(name, name))
        if made is None:
            return json_reply({"errors": [{"code": "MANIFEST_UNKNOWN"}]}, 404)
        if request.method == "DELETE":
            del self.manifests[made.digest]
            self.tags = {tag: digest for tag, digest in self.tags.items() if digest != made.digest}
            return 202, {}, b""
        return 200, {"Content-Type": made.media_type, "Docker-Content-Digest": made.digest}, made.body


NEWEST = {"repositories": ["**"], "keep_newest": 1}


def aged(name: str, days: int, **options: t.Any) -> Made:
    """An image of its own that was created so many days ago."""
    created = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=days)
    return image("base", name, created=created.strftime("%Y-%m-%dT%H:%M:%SZ"), **options)


def about(subject: Made, kind: str = "application/spdx+json") -> Made:
    """A manifest that refers to another one."""
    config = b"{}"
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": kind,
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest_of(config), "size": 2},
        "layers": [],
        "subject": subject.descriptor(),
    }
    return Made(json.dumps(document).encode(), OCI_MANIFEST, {digest_of(config): config})


def own_bytes(*gone: Made, stays: t.Sequence[Made] = ()) -> int:
    def parts(*made: Made) -> dict[str, int]:
        found: dict[str, int] = {}
        for one in made:
            found[one.digest] = len(one.body)
            found.update({digest: len(body) for digest, (_type, body) in one.manifests.items()})
            found.update({digest: len(body) for digest, body in one.blobs.items()})
        return found

    held = parts(*stays)
    return sum(size for digest, size in parts(*gone).items() if digest not in held)


def fill(prune: Prune, repository: str = "shop/web", count: int = 3) -> list[Made]:
    """Images 1, 2, ... of which the last is the newest."""
    made = [aged(f"{repository} {number}", days=10 * (count - number)) for number in range(1, count + 1)]
    with prune.client() as client:
        for number, one in enumerate(made, 1):
            push(client, repository, one, str(number))
    return made
