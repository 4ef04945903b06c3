# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image's commands: `python -m shop serve | migrate | check`.

Each command imports only what it needs: `check` runs every few seconds while a pod starts, within the pod's share of CPU.
"""

import sys

USAGE = """usage: python -m shop COMMAND
  serve    answer requests on $PORT until SIGTERM
  migrate  bring the database's tables to this version's state, then end
  check    end with 0 if the application on $PORT answers /health, with 1 if not"""


def main(arguments: list[str]) -> int:
    """Run one command and return the exit code: 0 done, 1 failed, 64 unknown command, 78 configuration."""
    if arguments == ["serve"]:
        from shop.serving import serve

        return serve()
    if arguments == ["migrate"]:
        from shop.migration import migrate

        return migrate()
    if arguments == ["check"]:
        from shop.check import check

        return check()
    print(USAGE, file=sys.stderr)
    return 64


sys.exit(main(sys.argv[1:]))
