# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the demo delivers to: the lab, or the user's own nodes by INVENTORY and KUBECONFIG."""

from __future__ import annotations

import configparser
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.lab.nodes import BUILDER, NODES
from tests.lab.places import Places

from .errors import DemoError

CHECKOUT = Path(__file__).resolve().parents[2]
COLLECTIONS = CHECKOUT / ".cache" / "collections"
EXAMPLE = CHECKOUT / "examples" / "shop"
NAMESPACE = "shop"
RELEASE = "web"


@dataclass(frozen=True)
class Settings:
    """Everything a delivery needs besides the example's own variables."""

    inventories: tuple[Path, ...]
    kubeconfig: Path
    extra_vars: Path | None
    workspace: Path
    environment: dict[str, str]
    lab: bool = False


def _common(workspace: Path) -> dict[str, str]:
    return {
        **os.environ,
        "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": _paths(str(COLLECTIONS), os.environ.get("ANSIBLE_COLLECTIONS_PATH", "")),
        "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",  # whose output the demo reads
        "ANSIBLE_FORCE_COLOR": "1" if sys.stdout.isatty() else "0",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "XDG_STATE_HOME": str(workspace.parent / "state"),  # where builds are noted
        "PWD": str(workspace),
    }


def _paths(*paths: str) -> str:
    return os.pathsep.join(path for path in paths if path)


def _own_ansible() -> dict[str, str]:
    """ANSIBLE_CONFIG of the user if it is set; its collections come after the checkout's."""
    name = os.environ.get("ANSIBLE_CONFIG", "")
    if not name:
        return {}
    path = Path(name).expanduser().resolve()
    file = path / "ansible.cfg" if path.is_dir() else path
    if not file.is_file():
        raise DemoError(f"ANSIBLE_CONFIG: there is no {file}")
    parser = configparser.ConfigParser(interpolation=None, strict=False, inline_comment_prefixes=(";",))
    try:
        parser.read(file)
    except (configparser.Error, UnicodeError) as error:
        raise DemoError(f"ANSIBLE_CONFIG cannot be read: {' '.join(str(error).split())}") from error
    # Ansible takes relative paths from the file's directory
    configured = parser.get("defaults", "collections_path", fallback="").split(os.pathsep)
    of_file = [str(file.parent / Path(part.strip()).expanduser()) for part in configured if part.strip()]
    given = os.environ.get("ANSIBLE_COLLECTIONS_PATH", "") or _paths(*of_file)
    return {"ANSIBLE_CONFIG": str(file), "ANSIBLE_COLLECTIONS_PATH": _paths(str(COLLECTIONS), given)}


def own(workspace: Path, inventory: str) -> Settings:
    """INVENTORY (one or several, separated by commas) and KUBECONFIG of the user; the example's variables come before theirs."""
    named = os.environ.get("KUBECONFIG", "")
    kubeconfig = Path(named).expanduser().resolve()
    if not named:
        raise DemoError("INVENTORY is set and KUBECONFIG is not: set both, as in KUBECONFIG=... INVENTORY=...")
    if os.pathsep in named:
        raise DemoError(f"KUBECONFIG names several files, {named}: give the one of the cluster to deliver to")
    if not kubeconfig.is_file():
        raise DemoError(f"KUBECONFIG: there is no file {named}")
    paths = tuple(Path(name.strip()).expanduser().resolve() for name in inventory.split(",") if name.strip())
    if not paths:
        raise DemoError(f"INVENTORY names no file: {inventory!r}")
    for path in paths:
        if not path.exists():
            raise DemoError(f"INVENTORY: there is no {path}")
    extra = workspace.parent / "demo-vars.json"
    extra.write_text(json.dumps({"longshore_kubeconfig": str(kubeconfig)}))
    environment = {**_common(workspace), **_own_ansible(), "KUBECONFIG": str(kubeconfig)}
    return Settings((workspace / "inventory", *paths), kubeconfig, extra, workspace, environment)


def of_lab(workspace: Path) -> Settings:
    """The running lab: builds on its Docker host, whose registry the delivery sets up."""
    places = Places.of_user()
    for path in (places.inventory, places.kubeconfig):
        if not path.is_file():
            raise DemoError(f"there is no {path}: run make lab first")
    dock = NODES["dock"].address
    extra = workspace.parent / "demo-vars.json"
    extra.write_text(
        json.dumps(
            {
                "longshore_registry": {
                    "endpoint": f"{dock}:5000",
                    "tls": "verified",
                    "username": "ci",
                    "password": "{{ vault_registry_password }}",
                },
                "longshore_builder": {"docker_host": BUILDER, "docker_cert_path": str(places.builder)},
                "longshore_kubeconfig": str(places.kubeconfig),
            },
            indent=2,
        )
    )
    environment = {**_common(workspace), "DOCKER_CONFIG": str(places.docker_config)}
    environment.pop("KUBECONFIG", None)  # many have one, of a cluster that is none of the lab's business
    inventories = (workspace / "inventory", places.inventory)
    return Settings(inventories, places.kubeconfig, extra, workspace, environment, lab=True)
