# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Engines that answer with documents as real ones do: Docker's API on a socket and by HTTP, Podman's and crictl's output.

What real ones say is asked of them in tests/integration/test_image_info.py.
"""

from __future__ import annotations

import json
import typing as t
import urllib.parse
from pathlib import Path

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed
from tests.http_server import AnsweringServer, Reply, Request, json_reply

CONFIG, OTHER, LAYER, UPPER = ("sha256:" + digit * 64 for digit in "1234")
SERVED, LIST = ("sha256:" + digit * 64 for digit in "ab")
WEB, PINNED = "registry.example:5000/shop/web:1", f"registry.example:5000/shop/web@{SERVED}"

# by path, what an engine answers; None for an image that went away after it was listed
Answers = t.Dict[str, t.Any]


def docker(**changes: t.Any) -> Answers:
    """An engine with shop/web, and one image without a name whose inspection finds it gone."""
    shown = {
        "Id": CONFIG,
        "Created": "2026-11-21T15:04:05.5Z",
        "Os": "linux",
        "Architecture": "arm",
        "Variant": "v7",
        "Size": 30,
        "Config": {"Hostname": "", "User": "1000", "Env": ["A=1"], "Cmd": None, "Labels": {"team": "shop"}},
        "RootFS": {"Type": "layers", "Layers": [LAYER, UPPER]},
        **changes,
    }
    identity = shown["Id"]
    history = [
        {"CreatedBy": "COPY b", "Size": 20, "Created": 1763737445},
        {"CreatedBy": "ENV A=1", "Size": 0, "Created": 1763737445},
        {"CreatedBy": "COPY a", "Size": 10, "Created": 1763737445},
    ]
    return {
        "/version": {"ApiVersion": "1.45", "MinAPIVersion": "1.24", "Version": "26.1"},
        "/info": {"DriverStatus": [["Backing Filesystem", "extfs"]]},
        "/images/json": [
            {"Id": identity, "RepoTags": [WEB], "RepoDigests": [PINNED]},
            {"Id": OTHER, "RepoTags": ["<none>:<none>"], "RepoDigests": ["<none>@<none>"]},
        ],
        f"/images/{identity}/json": shown,
        f"/images/{identity}/history": history,
    }


def by_containerd(answers: Answers) -> Answers:
    return {**answers, "/info": {"DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]]}}


def docker_api(answers: Answers, address: str | Path = "127.0.0.1") -> AnsweringServer:
    """Docker's API, whatever version of it a client speaks.

    :param address: as of C(AnsweringServer).
    """

    def answer(request: Request) -> Reply:
        path = urllib.parse.unquote(request.path.partition("?")[0])
        document = next((found for end, found in answers.items() if path.endswith(end)), None)
        return json_reply({"message": "No such image"}, 404) if document is None else json_reply(document)

    return AnsweringServer(answer, address=address)


class Programs:
    """RunCommand that answers by the words behind the options, with a document or a text; what is not there fails with the given
    words.

    :ivar asked: the words of each call.
    """

    def __init__(self, answers: t.Mapping[str, t.Any], missing: str) -> None:
        self._answers = answers
        self._missing = missing
        self.asked: list[str] = []

    def __call__(
        self,
        argv: t.Sequence[str],
        *,
        stdin: str | None = None,
        environment: t.Mapping[str, str] | None = None,
        directory: str | None = None,
        on_line: t.Callable[[str], None] | None = None,
    ) -> Completed:
        self.asked.append(" ".join(argv))
        for words, document in self._answers.items():
            if " ".join(argv).endswith(words):
                return Completed(0, document if isinstance(document, str) else json.dumps(document), "")
        return Completed(1, "", self._missing)


PODMAN_GONE = "Error: inspecting object: %s: image not known" % OTHER
CRI_GONE = 'time="2026-11-21T15:00:00Z" level=fatal msg="no such image \\"%s\\" present"' % OTHER


def podman(**changes: t.Any) -> dict[str, t.Any]:
    """Podman's output, by the words that it is asked with."""
    identity, other = CONFIG.partition(":")[2], OTHER.partition(":")[2]
    listed = {"Id": identity, "Names": [WEB], "RepoDigests": [PINNED, f"registry.example:5000/shop/web@{LIST}"]}
    shown = {
        "Id": identity,
        "Digest": SERVED,
        "ManifestType": "application/vnd.oci.image.manifest.v1+json",
        "Created": "2026-11-21T15:04:05.5Z",
        "Os": "linux",
        "Architecture": "amd64",
        "Size": 30,
        "Config": {"User": "1000", "Labels": {"team": "shop"}},
        "RootFS": {"Type": "layers", "Layers": [LAYER, UPPER]},
        "History": [
            {"created_by": "COPY a"},
            {"created_by": "ENV A=1", "empty_layer": True},
            {"created_by": "COPY b"},
        ],
        **changes,
    }
    # an image is listed once for each of its names
    return {
        "images --no-trunc --format json": [listed, listed, {"Id": other, "Names": None, "RepoDigests": None}],
        f"image inspect {identity}": [shown],
    }


def cri(identity: str = CONFIG, **info: t.Any) -> dict[str, t.Any]:
    """crictl's output, by the words that it is asked with."""
    status = {"id": identity, "repoTags": [WEB], "repoDigests": [PINNED], "size": "30"}
    spec = {
        "created": "2026-11-21T15:04:05.5Z",
        "os": "linux",
        "architecture": "amd64",
        "config": {"User": "1000", "Labels": {"team": "shop"}},
        "rootfs": {"type": "layers", "diff_ids": [LAYER, UPPER]},
        "history": [
            {"created_by": "COPY a"},
            {"created_by": "ENV A=1", "empty_layer": True},
            {"created_by": "COPY b"},
        ],
    }
    return {
        "images --output json": {"images": [status, {"id": OTHER}]},
        f"inspecti --output json {identity.rpartition(':')[2]}": {
            "status": status,
            "info": {"imageSpec": spec, **info},
        },
    }
