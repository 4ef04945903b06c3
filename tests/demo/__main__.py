# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real application from its source to ready pods, then what was gained: python -m tests.demo [--report FILE]."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
import typing as t
import uuid
from pathlib import Path

from .broken import try_each
from .cluster import Cluster
from .delivery import Delivery, deliver
from .errors import DemoError
from .holding import Holding
from .inventory import NODES, Inventory
from .load import Load
from .preflight import host_in_cluster
from .preparation import prepare
from .settings import NAMESPACE, Settings
from .stages import Stages
from .table import rows, show

GREETING = "Welcome to the shop"


@dataclasses.dataclass
class Report:
    """What the demo measured, for whoever reads it by machine."""

    seconds: dict[str, float] = dataclasses.field(default_factory=dict)
    changed_by_second_run: int = -1
    changes_by_stage: dict[str, int] = dataclasses.field(default_factory=dict)  # of the delivery of one changed line
    requests: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    broken: dict[str, dict[str, t.Any]] = dataclasses.field(default_factory=dict)
    table: list[dict[str, str]] = dataclasses.field(default_factory=list)


def headline(text: str) -> None:
    print(f"\n=== {text}\n", flush=True)


def must_succeed(delivery: Delivery, what: str) -> None:
    if delivery.rc:
        raise DemoError(f"{what} failed with status {delivery.rc}, see above")


def change_one_line(settings: Settings) -> str:
    """Edit the application's source as its developer would; returns its new greeting, which no earlier demo had."""
    # behind what the configuration says, whose changes the image's trial looks for
    addition = f", edition {uuid.uuid4().hex[:8]}"
    source = settings.workspace / "web" / "shop" / "application.py"
    before = source.read_text()
    after = before.replace(
        "greeting=self._configuration.greeting,", f'greeting=self._configuration.greeting + "{addition}",'
    )
    if before == after:
        raise DemoError(f"the line to change was not found in {source}")
    source.write_text(after)
    return GREETING + addition


def run(settings: Settings, report: Report) -> None:
    cluster = Cluster(settings)
    inventory = Inventory.of(settings)
    host = host_in_cluster(inventory, cluster)
    headline("a first delivery: from the source directory to ready pods")
    first = deliver(settings, "site")
    must_succeed(first, "the delivery")
    report.seconds["first"] = round(first.seconds, 1)

    headline("the same again: nothing is to be done")
    second = deliver(settings, "site")
    must_succeed(second, "the second run")
    report.seconds["unchanged"] = round(second.seconds, 1)
    report.changed_by_second_run = sum(second.changed.values())
    if report.changed_by_second_run:
        raise DemoError(f"the second run changed something: {second.changed}")

    headline("one line of the application changed, with requests all the while")
    greeting = change_one_line(settings)
    with Load(settings, host, f"http://{cluster.address()}/") as load:
        third = deliver(settings, "site", shop_version="1.1")
    must_succeed(third, "the delivery of the change")
    report.seconds["one line"] = round(third.seconds, 1)
    stages = Stages.of(third.output)
    report.changes_by_stage = stages.changes
    print(f"\n{stages}")
    stages.must_be_those_of_a_changed_source(len(inventory.group(NODES)))
    report.requests = dataclasses.asdict(load.count)
    print(f"{load.count.sent} requests sent from {host} meanwhile, {sum(load.count.failures.values())} failed")
    if load.count.failures:
        raise DemoError(f"requests failed during the rollout: {load.count.failures}")
    if set(load.count.answers) != {GREETING, greeting}:
        raise DemoError(f"the requests did not see the old and the new version: {load.count.answers}")

    for name, measured in try_each(settings, cluster, greeting):
        report.broken[name] = measured
    headline("back to the good version")
    good = deliver(settings, "deploy", show=False, shop_version="1.1")
    must_succeed(good, "the good version: " + good.output)

    headline("what there is now")
    holding = Holding.of_nodes(settings)
    report.table = rows(cluster.pods(), holding, cluster.address())
    show(report.table)
    for name, words in holding.untold.items():
        print(f"{name} does not tell what it holds: {words}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--report", type=Path, help="write what was measured to this file, as JSON")
    arguments = parser.parse_args()
    report = Report()
    started = time.monotonic()
    try:
        settings = prepare()
        run(settings, report)
    except DemoError as error:
        print(f"\nThe demo stopped: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nThe demo was interrupted; make demo again goes on from what is there.", file=sys.stderr)
        return 130
    finally:
        report.seconds["all"] = round(time.monotonic() - started, 1)
        if arguments.report:
            arguments.report.write_text(json.dumps(dataclasses.asdict(report), indent=2) + "\n")
    took = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in report.seconds.items())
    left = f"The namespace {NAMESPACE}, the registry, the trust and the images stay"
    away = "`make lab-down` takes the lab away" if settings.lab else left
    print(f"\nThe demo took: {took}. {away}.")
    return 0


sys.exit(main())
