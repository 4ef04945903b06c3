# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A kubeconfig for a server that a test runs, or for one that nobody runs."""

from __future__ import annotations

import typing as t
from pathlib import Path

import yaml


def kubeconfig(directory: Path, server: str, **user: t.Any) -> str:
    """Write one into DIRECTORY and return its path; SERVER is an address with its scheme, USER the fields of the login."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": user}],
    }
    path = directory / "kubeconfig"
    path.write_text(yaml.safe_dump(document))
    return str(path)
