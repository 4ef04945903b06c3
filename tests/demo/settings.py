# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the demo delivers to: the lab, or the user's own nodes by INVENTORY and KUBECONFIG."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.lab.places import Places

from .errors import DemoError

CHECKOUT = Path(__file__).resolve().parents[2]
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


def _common(workspace: Path) -> dict[str, str]:
    return {
        **os.environ,
        "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
        "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",  # whose output the demo reads
        "ANSIBLE_FORCE_COLOR": "1" if sys.stdout.isatty() else "0",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PWD": str(workspace),
    }


def own(workspace: Path, inventory: str) -> Settings:
    """INVENTORY (one or several, separated by commas) and KUBECONFIG of the user; the example's variables come before theirs."""
    kubeconfig = os.environ.get("KUBECONFIG", "")
    if not kubeconfig or not Path(kubeconfig).is_file():
        raise DemoError(
            "INVENTORY is set but KUBECONFIG does not name a file: set both, as in KUBECONFIG=... INVENTORY=..."
        )
    paths = tuple(Path(name).resolve() for name in inventory.split(",") if name)
    for path in paths:
        if not path.exists():
            raise DemoError(f"INVENTORY: there is no {path}")
    extra = workspace.parent / "demo-vars.json"
    extra.write_text(json.dumps({"longshore_kubeconfig": str(Path(kubeconfig).resolve())}))
    return Settings((workspace / "inventory", *paths), Path(kubeconfig), extra, workspace, _common(workspace))


def of_lab(workspace: Path) -> Settings:
    """The running lab: builds on its Docker host, whose registry the delivery sets up."""
    places = Places.of_user()
    for path in (places.inventory, places.kubeconfig):
        if not path.is_file():
            raise DemoError(f"there is no {path}: run make lab first")
    from tests.lab.nodes import NODES

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
                "longshore_builder": {"docker_host": f"tcp://{dock}:2376", "docker_cert_path": str(places.builder)},
                "longshore_kubeconfig": str(places.kubeconfig),
            },
            indent=2,
        )
    )
    environment = {**_common(workspace), "DOCKER_CONFIG": str(places.docker_config)}
    return Settings((workspace / "inventory", places.inventory), places.kubeconfig, extra, workspace, environment)


def prepare() -> Settings:
    """A fresh copy of the example to work in, its base image's files, and where to deliver."""
    directory = Places.of_user().root / "demo"
    workspace = directory / "shop"
    shutil.rmtree(workspace, ignore_errors=True)
    shutil.copytree(EXAMPLE, workspace, ignore=shutil.ignore_patterns("__pycache__", "rootfs.tar"))
    made = subprocess.run([sys.executable, str(workspace / "base" / "rootfs.py")], check=False)
    if made.returncode:
        raise DemoError("the base image's files could not be made, see above")
    inventory = os.environ.get("INVENTORY", "")
    return own(workspace, inventory) if inventory else of_lab(workspace)
