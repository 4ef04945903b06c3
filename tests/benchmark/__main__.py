# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long deliveries take, as ratios of pairs run in turn: python -m tests.benchmark [RUNS].

Machines change their speed within minutes; a ratio of two commands run one after the other hardly does. A row with limits says
of each whether it was met. One that is exceeded, by the median and by three pairs of four, makes the status one of failure; fewer
than three pairs say nothing of that. Needs the lab (make lab).
"""

from __future__ import annotations

import functools
import json
import sys
import tempfile
import typing as t
from pathlib import Path

from tests.demo.delivery import Delivery, deliver
from tests.demo.preparation import prepare
from tests.demo.settings import Settings

from . import audits, builds, registries, trusts
from .pairs import Row, exceeded, paired

RUNS = 5
# the least that ansible-playbook can be asked for
EMPTY_PLAY = "[{hosts: localhost, gather_facts: false, tasks: []}]"


def delivered(settings: Settings, playbook: str, **variables: t.Any) -> Delivery:
    done = deliver(settings, playbook, show=False, **variables)
    if done.rc:
        raise SystemExit(f"{playbook} failed; see:\n{done.output[-3000:]}")
    return done


def seconds(settings: Settings, playbook: str) -> float:
    done = delivered(settings, playbook)
    if sum(done.changed.values()):
        raise SystemExit(f"{playbook} changed something, so this would measure another thing: {done.changed}")
    return done.seconds


def rows(settings: Settings, runs: int) -> t.Iterator[tuple[str, Row]]:
    empty = settings.workspace / "empty.yml"
    empty.write_text(EMPTY_PLAY + "\n")
    nothing = functools.partial(seconds, settings, str(empty))
    for playbook in ("build", "registry", "trust", "distribute", "deploy", "site"):
        yield (
            f"{playbook}, nothing to do / an empty play",
            paired(functools.partial(seconds, settings, playbook), nothing, runs),
        )
    yield from registries.rows(
        settings, functools.partial(seconds, settings), functools.partial(delivered, settings), runs
    )
    yield from trusts.rows(settings, runs)
    with tempfile.TemporaryDirectory() as directory:
        yield from builds.rows(Path(directory), nothing, runs)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:  # not in memory, as /tmp may be
        yield from audits.rows(Path(directory), runs)


def main() -> None:
    """Print each row as it comes, one line of JSON each."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    settings = prepare()
    delivered(settings, "site")
    results = {}
    for name, row in rows(settings, runs):
        results[name] = row
        print(json.dumps({name: row}), flush=True)
    if beyond := exceeded(results):
        raise SystemExit("\n".join(beyond))


if __name__ == "__main__":
    main()
