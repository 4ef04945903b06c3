# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything up to the first delivery: a copy of the example, where it goes, and whether it can go there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from tests.lab.debian import mirror
from tests.lab.places import Places

from .errors import DemoError
from .preflight import check
from .settings import EXAMPLE, Settings, of_lab, own


def prepare() -> Settings:
    """A fresh copy of the example to work in, its base image's files, and where to deliver."""
    directory = Places.of_user().root / "demo"
    workspace = directory / "shop"
    shutil.rmtree(workspace, ignore_errors=True)
    shutil.copytree(EXAMPLE, workspace, ignore=shutil.ignore_patterns("__pycache__", "rootfs.tar"))
    inventory = os.environ.get("INVENTORY", "")
    settings = own(workspace, inventory) if inventory else of_lab(workspace)
    if not settings.lab:
        check(settings)
    rootfs = [sys.executable, str(workspace / "base" / "rootfs.py"), "--mirror", mirror()]
    made = subprocess.run(rootfs, check=False)
    if made.returncode:
        raise DemoError("the base image's files could not be made, see above")
    return settings
