# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask the lab's API server, as its administrator."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

from . import pki
from .errors import LabError
from .nodes import API_SERVER

if TYPE_CHECKING:
    from .places import Places

TIMEOUT = 5.0  # seconds


def get(places: Places, path: str) -> str:
    """Body of a GET. Raises LabError naming the server and what it said."""
    directory = places.pki / "cluster"
    try:
        context = ssl.create_default_context(cafile=str(directory / "ca.crt"))
        context.load_cert_chain(directory / f"{pki.ADMIN.file}.crt", directory / f"{pki.ADMIN.file}.key")
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        with opener.open(f"{API_SERVER}{path}", timeout=TIMEOUT) as answer:
            return str(answer.read().decode())
    except (OSError, urllib.error.URLError) as error:
        raise LabError(f"The API server at {API_SERVER} does not answer {path}: {error}") from error


def nodes(places: Places) -> dict[str, dict[str, Any]]:
    """The cluster's nodes by name: `ready` (bool), `runtime` and `kubelet` (versions as the node reports them)."""
    listed = json.loads(get(places, "/api/v1/nodes"))["items"]
    found = {}
    for item in listed:
        conditions = {condition["type"]: condition["status"] for condition in item["status"].get("conditions", [])}
        information = item["status"]["nodeInfo"]
        found[item["metadata"]["name"]] = {
            "ready": conditions.get("Ready") == "True",
            "runtime": information["containerRuntimeVersion"],
            "kubelet": information["kubeletVersion"],
        }
    return found
