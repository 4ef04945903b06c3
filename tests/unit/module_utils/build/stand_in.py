# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""An engine of Docker's API that keeps images by their names, and a docker command that builds into it without building.

For what becomes of an option on its way from the task to the command line. What a real engine makes of that command line is
seen on the lab.
"""

from __future__ import annotations

import hashlib
import json
import typing as t
import urllib.parse
from pathlib import Path

from ansible_collections.longshore.delivery.plugins.module_utils import running
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed
from tests.http_server import Reply, Request, json_reply

CONTAINERD = [["driver-type", "io.containerd.snapshotter.v1"]]
SERVED = "sha256:" + "5" * 64  # what registries serve under any name


class StandIn:
    """
    :ivar images: what the API shows, by ID.
    :ivar commands: the builds that were asked for, as command lines.
    :ivar classic: the queries of those that were asked of the API.
    :ivar read: of the last command, the Dockerfile and the files of its context and of its named contexts.
    :ivar fails: whether the next builds fail.
    :ivar pulled: what was pulled and for which platform.
    """

    def __init__(self, version: str = "26.1.5", containerd: bool = True) -> None:
        self.version = version
        self.containerd = containerd
        self.images: dict[str, dict[str, t.Any]] = {}
        self.commands: list[list[str]] = []
        self.environment: dict[str, str] = {}
        self.classic: list[dict[str, str]] = []
        self.read: dict[str, t.Any] = {}
        self.fails = False
        self.pulled: list[tuple[str, str | None]] = []

    def named(self, name: str) -> dict[str, t.Any] | None:
        found = (image for image in self.images.values() if name in (image["Id"], *image["RepoTags"]))
        return next(found, None)

    def hold(self, name: str, labels: t.Mapping[str, str], content: str = "", **shown: t.Any) -> str:
        """Have an image, and its ID."""
        image_id = "sha256:" + hashlib.sha256(json.dumps([dict(labels), content]).encode()).hexdigest()
        image = {"Id": image_id, "RepoTags": [], "RepoDigests": [], "Config": {"Labels": dict(labels)}, **shown}
        self.images.setdefault(image_id, {**image, "Labels": dict(labels), "RootFS": {"Layers": []}})
        if name:
            self.name(name, image_id)
        return image_id

    def name(self, name: str, image_id: str) -> None:
        for image in self.images.values():
            image["RepoTags"] = [other for other in image["RepoTags"] if other != name]
        self.images[image_id]["RepoTags"].append(name)

    def answer(self, request: Request) -> Reply:
        """As the API does, with or without its version in front of the path."""
        path = urllib.parse.unquote(request.path).partition("?")[0]
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(request.path).query))
        path = path[path.index("/", 1) :] if path.startswith("/v1.") else path
        if path == "/version":
            version = {"Version": self.version, "ApiVersion": "1.45", "MinAPIVersion": "1.24"}
            return json_reply({**version, "Os": "linux", "Arch": "amd64", "Components": []})
        if path == "/info":
            return json_reply({"DriverStatus": CONTAINERD if self.containerd else []})
        if path == "/images/json":
            label = json.loads(query["filters"])["label"][0]
            return json_reply([i for i in self.images.values() if label in ("%s=%s" % p for p in i["Labels"].items())])
        if path == "/images/create":
            self.pulled.append((query["fromImage"], query.get("platform")))
            self.hold("%(fromImage)s:%(tag)s" % query, {"pulled": query["fromImage"]})
            return json_reply({"status": "done"})
        if path == "/build":
            self.classic.append(query)
            image_id = self.hold("", json.loads(query["labels"]))
            return json_reply({"aux": {"ID": image_id}})
        if path.startswith("/distribution/"):
            return json_reply({"Descriptor": {"digest": SERVED}})
        name = path.removeprefix("/images/").removesuffix("/json").removesuffix("/tag")
        image = self.named(name)
        if image is None:
            return json_reply({"message": "No such image"}, 404)
        if request.method == "POST":
            self.name("%(repo)s:%(tag)s" % query, image["Id"])
        if request.method == "DELETE":
            image["RepoTags"] = [other for other in image["RepoTags"] if other != name]
        return json_reply(image, 201 if request.method == "POST" else 200)

    def run_command(
        self, argv: t.Sequence[str], *, environment: t.Mapping[str, str] | None = None, **options: t.Any
    ) -> Completed:
        """The docker command with buildx; any other program is the machine's own."""
        argv = list(argv)
        if argv[0] != "docker":
            return running.run_command(argv, environment=environment, **options)
        if argv[1:] == ["buildx", "version"]:
            return Completed(0, "github.com/docker/buildx v0.30.1 x", "")
        self.commands.append(argv)
        self.environment = dict(environment or {})
        if self.fails:
            return Completed(1, "", "no-room")
        self.read = {
            "Dockerfile": Path(words(argv, "--file")[0]).read_text(),
            "context": sorted(path.name for path in Path(argv[-1]).iterdir()),
        }
        # the same again makes another image, as one does that keeps the time of its build
        labels = dict(word.split("=", 1) for word in words(argv, "--label"))
        image_id = self.hold("", labels, str(len(self.commands)))
        Path(words(argv, "--metadata-file")[0]).write_text(json.dumps({"containerimage.digest": image_id}))
        return Completed(0, "", "")


def words(argv: t.Sequence[str], option: str) -> list[str]:
    """What follows an option, each time that it is there."""
    return [argv[index + 1] for index, word in enumerate(argv) if word == option]
