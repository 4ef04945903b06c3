# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions that cannot come up: each must be given up soon, with its cause, while the old pods serve."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from tests.signs import Sign
from tests.speed import MACHINES_DIFFER

from .cluster import Cluster
from .delivery import Delivery, deliver
from .errors import DemoError
from .settings import Settings

# a version is to be given up this soon after its cause shows, on a quiet machine
LIMIT_SECONDS = 20


@dataclass(frozen=True)
class Broken:
    """`variables` make it so; `words` of the cause must be shown; `sign` is the first trace of the cause in the cluster."""

    name: str
    what: str
    variables: dict[str, t.Any]
    words: tuple[str, ...]
    sign: Sign | None  # None: it is there from the start, and nothing gets as far as the cluster


BROKEN = (
    Broken("image", "an image that does not exist", {"shop_version": "9.9"}, ("shop/web:9.9",), None),
    Broken(
        "crash",
        "a crash at start: no database password",
        {"vault_database_password": ""},
        ("DB_PASSWORD",),
        # the container ends right after its first start; the first of several ends is in no API for long
        Sign("Started", container="web"),
    ),
    Broken(
        "readiness",
        "a readiness probe that never passes",
        {"shop_warmup_seconds": 86400},
        ("503",),
        Sign("Unhealthy", container="web", message="Readiness probe"),
    ),
)


def seconds_after_cause(run: Delivery, shown: float | None) -> float | None:
    """Seconds from the cause being there to be seen, by the cluster's clock in whole seconds, to the playbook's end.

    None if that is unknown, or not within the run because the cluster's clock is not this machine's.
    """
    if shown is None or not run.began - 1 <= shown <= run.ended:
        return None
    return round(run.ended - shown, 1)


def try_each(settings: Settings, cluster: Cluster, serving: str) -> t.Iterator[tuple[str, dict[str, t.Any]]]:
    """Deliver one after the other, and yield name and measurements before judging them; the old pods greet with `serving`."""
    for broken in BROKEN:
        print(f"\n=== a broken version: {broken.what}\n", flush=True)
        run = deliver(settings, "deploy", **{"shop_version": "1.1", **broken.variables})
        after = seconds_after_cause(run, cluster.first_seen(broken.sign) if broken.sign else run.began)
        available, wanted = cluster.available()
        greeting = cluster.greeting()
        yield (
            broken.name,
            {
                "seconds": round(run.seconds, 1),
                "seconds_after_cause": after,
                "available": available,
                "greeting": greeting,
            },
        )
        if run.rc == 0:
            raise DemoError(f"{broken.what} was delivered without an error")
        missing = [word for word in broken.words if word not in run.output]
        if missing:
            raise DemoError(f"{broken.what} was stopped, but the cause was not said: {missing}")
        if greeting != serving or available < wanted:
            raise DemoError(
                f"{broken.what}: the old pods do not serve, {available} of {wanted} available, {greeting!r}"
            )
        if after is not None and after > MACHINES_DIFFER * LIMIT_SECONDS:
            raise DemoError(
                f"{broken.what} was stopped {after:.1f} s after its cause showed; {LIMIT_SECONDS} s are what it may take"
            )
        when = (
            f"{after:.1f} s after its cause showed"
            if after is not None
            else "how long after its cause showed cannot be told: clocks differ"
        )
        print(
            f"\nstopped after {run.seconds:.1f} s, {when}; {available} of {wanted} old pods available and answering: {greeting}"
        )
