# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take the lab down: containers, volumes, network, connections, state, and the engine if the lab had started it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from . import access, host_engine, machines

if TYPE_CHECKING:
    from .places import Places
    from .progress import Progress


def down(places: Places, progress: Progress) -> None:
    """Leave nothing of the lab but its cache: built programs, node images (in the engine too), packages."""
    access.close_connections(places)
    if host_engine.answers():
        machines.remove_all(progress)
        host_engine.stop(places, progress)
    if places.lab.exists():
        shutil.rmtree(places.lab)
        progress(f"removed {places.lab}")
    progress(f"the lab is down; kept for the next time: {places.root}/programs, {places.images} and the node images")
