# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The kubelet of a node: whether there is one, and which runtime it uses."""

from __future__ import annotations

import dataclasses
import os
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.node.processes import Process

CONFIG = "/var/lib/kubelet/config.yaml"
KUBEADM_FLAGS = "/var/lib/kubelet/kubeadm-flags.env"
_ENDPOINT_FLAG = "--container-runtime-endpoint"
_ENDPOINT_OPTION = re.compile(_ENDPOINT_FLAG + r"[= ]\"?([^\s\"]+)")
_ENDPOINT_KEY = re.compile(r"^containerRuntimeEndpoint:\s*[\"']?([^\s\"'#]+)", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Kubelet:
    """A node's kubelet, or its absence.

    :param runs: whether it runs.
    :param is_configured: whether its configuration is there.
    :param program: its program's path; empty if there is none.
    :param socket: the CRI socket that it is configured with; empty if that is not known.
    """

    runs: bool = False
    is_configured: bool = False
    program: str = ""
    socket: str = ""

    @property
    def sign(self) -> str:
        """What shows that this is a node of Kubernetes, as in "its kubelet runs"; empty if it has joined no cluster."""
        if self.runs:
            return "its kubelet runs"
        return "it has a kubelet's configuration" if self.is_configured else ""


def find_kubelet(process: t.Optional[Process], program: str, root: str) -> Kubelet:
    """Look at the kubelet's files.

    :param process: the running one.
    :param root: the directory that is taken for the file system's root.
    """
    named = process.flag("--config") if process else None
    config = _read(root, named or CONFIG)
    flag = process.flag(_ENDPOINT_FLAG) if process else None
    if not flag:
        # A flag wins over the file, as it does for the kubelet.
        found = _ENDPOINT_OPTION.search(_read(root, KUBEADM_FLAGS)) or _ENDPOINT_KEY.search(config)
        flag = found.group(1) if found else ""
    return Kubelet(process is not None, bool(config), program, socket_of(flag))


def socket_of(endpoint: str) -> str:
    """'/run/x.sock' of 'unix:///run/x.sock'; a path alone is allowed too."""
    return endpoint[len("unix://") :] if endpoint.startswith("unix://") else endpoint


def _read(root: str, path: str) -> str:
    """A file's text; empty if it is not there, or is gone by now."""
    try:
        with open(os.path.join(root, path.lstrip("/")), encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
