# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""`python -m tests.lab up|down|status`: the lab's command line."""

from __future__ import annotations

import argparse
import os
import sys

from .down import down
from .errors import LabError
from .nodes import DEFAULT, NODES, select
from .places import Places
from .progress import Progress
from .status import status
from .up import only_one, up


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0, or 1 after an error on standard error."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.lab", description="Real nodes and a real cluster, in containers."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    upward = commands.add_parser("up", help="have the lab running")
    upward.add_argument("--nodes", default=",".join(DEFAULT), help=f"of {','.join(NODES)} (default: %(default)s)")
    commands.add_parser("down", help="remove the lab; its cache stays")
    commands.add_parser("status", help="show the nodes")
    chosen = parser.parse_args(arguments)
    places, progress = Places.of_user(), Progress()
    os.umask(0o022)
    try:
        if chosen.command == "status":
            print("\n".join(status(places)))
            return 0
        with only_one(places, progress):
            if chosen.command == "up":
                up(select(chosen.nodes), places, progress)
            else:
                down(places, progress)
    except LabError as error:
        print(f"{progress.elapsed:.1f} s: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\ninterrupted after {progress.elapsed:.1f} s; the same command continues from here", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
