# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The two forms in which Podman's container is a service: a unit of the role's own, or a quadlet, of which a unit is generated.

Quadlets came with Podman 4.4. What counts is the generator, which systemd runs at each boot and reload: without it, no unit comes
out, whatever version Podman says.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_files import ABSENT

SPEC: t.Dict[str, t.Any] = {
    "type": "dict",
    "options": {
        "file": {"type": "str", "required": True},
        "unit_file": {"type": "str", "required": True},
        "stamp": {"type": "str", "required": True},
        "required": {"type": "bool", "default": False},
    },
}
# what a quadlet gives its own process in the place of the engine's path: only the unit that started a container ends it whole
STARTER = "quadlet"
_NAME = "podman-system-generator"
# in systemd's order (systemd.generator(7)): of those with one name the first counts, also one that was put there to be none
_DIRECTORIES = (
    "run/systemd/system-generators",
    "etc/systemd/system-generators",
    "usr/local/lib/systemd/system-generators",
    "usr/lib/systemd/system-generators",
)

Params = t.Mapping[str, t.Any]


def generator(root: str = "/") -> str:
    """The path of what makes units of quadlets; empty where systemd finds nothing that does."""
    for directory in _DIRECTORIES:
        path = os.path.join(root, directory, _NAME)
        if os.path.lexists(path):
            return path if os.path.isfile(path) and os.access(path, os.X_OK) else ""
    return ""


def in_its_form(params: Params, root: str = "/") -> t.Dict[str, t.Any]:
    """The options of the look, of whose two forms one is wanted on this host, with the generator as C(generator).

    Where there can be a quadlet, C(files) has both forms; the other one is to be absent, and the stamp is that of the one.
    """
    quadlet = params["quadlet"]
    if not quadlet:
        return {**params, "generator": ""}
    found = generator(root)
    # A unit of that name would be taken before the one that is generated, whoever wrote it; a quadlet of somebody else's is not.
    other = {"path": quadlet["unit_file"], "mark": ""} if found else {"path": quadlet["file"]}
    return {
        **params,
        "generator": found,
        "files": [
            {**file, **other, "kind": ABSENT} if file["path"] == other["path"] else file for file in params["files"]
        ],
        "configuration_stamp": quadlet["stamp"] if found else params["configuration_stamp"],
    }


def started_by(params: Params) -> str:
    """What the process of the wanted unit says that started it; empty without a container."""
    if params["generator"]:
        return STARTER
    return str(params["container"]["engine"]) if params["container"] else ""


def fault(params: Params) -> str:
    """Why there can be no quadlet where there has to be one, as a sentence with the way out; empty where there can."""
    if params["generator"] or not params["quadlet"] or not params["quadlet"]["required"]:
        return ""
    return (
        "registry_quadlet is always, and systemd has no %s on this host, which makes units of quadlets and came with Podman 4.4. "
        "Install a newer Podman, or leave registry_quadlet at auto." % _NAME
    )
