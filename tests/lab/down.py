# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take the lab down: containers, volumes, network, connections, state, and the engine if the lab had started it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from . import access, host_engine, machines
from .errors import LabError

if TYPE_CHECKING:
    from .places import Places
    from .progress import Progress


def down(places: Places, progress: Progress) -> None:
    """Leave nothing of the lab but its cache: built programs, node images (in the engine too), packages.

    Raises LabError for what could not be removed, after all else is.
    """
    access.close_connections(places)
    if not host_engine.answers():
        host_engine.revive(places, progress)
    if host_engine.answers():
        machines.remove_all(progress)
    elif places.lab.exists():
        raise LabError(
            "No Docker engine answers, and the one that made the lab's containers may still have them. Start it and run "
            f"this again; if it is gone for good, remove {places.lab} instead."
        )
    try:
        host_engine.stop(places, progress)
    finally:
        if places.lab.exists():
            shutil.rmtree(places.lab)
            progress(f"removed {places.lab}")
    progress(f"the lab is down; kept for the next time: {places.root}/programs, {places.images} and the node images")
