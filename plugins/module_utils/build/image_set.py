# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""image_set: see that there is an image for each of a list's inputs, and that each passes its gates.

The gates are capabilities of other stages, which a front brings along. They are loaded when one is needed, not before: a list in
which nothing changed is told within the time of a look.
"""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build import image_build
from ansible_collections.longshore.delivery.plugins.module_utils.build.build_order import (
    Member,
    build_order,
    named_bases,
)
from ansible_collections.longshore.delivery.plugins.module_utils.build.gate import AUDIT, NOT_ASKED, TRIAL, Gate
from ansible_collections.longshore.delivery.plugins.module_utils.build.run_secrets import conceal
from ansible_collections.longshore.delivery.plugins.module_utils.build.set_options import (
    ALWAYS,
    ARGUMENT_SPEC,
    Entry,
    InvalidEntry,
)
from ansible_collections.longshore.delivery.plugins.module_utils.build.wanted import Wanted
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Capability, Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.side_by_side import Job, Result, Results, run_jobs

GATES = (AUDIT, TRIAL)
Load = t.Callable[[], Capability]


class SetFailed(DeliveryError):
    """An image of the list that could not be built, or that failed a gate."""


def image_set(audit: Load, trial: Load) -> Capability:
    """The capability.

    :param audit: brings image_audit along.
    :param trial: likewise, image_trial.
    """
    loads = {AUDIT: audit, TRIAL: trial}
    return Capability(
        run=functools.partial(_run, loads), argument_spec=ARGUMENT_SPEC, needs=image_build.CAPABILITY.needs
    )


def _run(loads: t.Mapping[str, Load], params: t.Dict[str, t.Any], context: Context) -> t.Dict[str, t.Any]:
    if params["at_once"] < 1:
        raise InvalidEntry("at_once is %d; it is a number of images, at least 1." % params["at_once"])
    entries = [Entry.from_params(given, params) for given in params["images"]]
    wanted = [Wanted.from_params(entry.build) for entry in entries]
    for one in wanted:
        conceal(one.secrets, context)  # what jobs say comes by way of this process
    references = [tuple(map(str, one.references)) for one in wanted]
    order = build_order(
        [
            Member(entry.name, frozenset(names), named_bases(entry.build), entry.depends_on)
            for entry, names in zip(entries, references)
        ]
    )
    jobs = [
        Job(names[0], functools.partial(_built, entry), after)
        for entry, names, after in zip(entries, references, order)
    ]
    places: t.Dict[t.Tuple[int, str], int] = {}
    for number, (entry, names) in enumerate(zip(entries, references)):
        for name in GATES:
            if (entry.audit if name == AUDIT else entry.trial) is None:
                continue
            gate = Gate(name, loads[name], entry, names[0], params["judge"] == ALWAYS)
            gate.validate()
            places[number, name] = len(jobs)
            jobs.append(_judging(gate, number, context))
    results = run_jobs(jobs, params["at_once"], context)
    return _told(entries, references, results, places, jobs)


def _built(entry: Entry, results: Results, context: Context) -> Result:
    """Build one, after those that it waits for; in check mode these may be no more than foretold."""
    built = [result for result in results if result and result.get("built")]
    coming = [reference for result in built for reference in result["image"]["references"]]
    return image_build.run({**entry.build, "coming": coming}, context)


def _judging(gate: Gate, number: int, context: Context) -> Job:
    """The job of a gate, after that of the image of a number."""

    def image(results: Results) -> str:
        found = results[number] or {}
        # in check mode one that is to be built has the ID of what it will replace, or none
        return "" if context.check and found["built"] else str(found["image"]["id"])

    def known(results: Results) -> t.Optional[Result]:
        if not image(results):
            return {"verdict": NOT_ASKED, "judged_before": False}
        return gate.known(image(results), context)

    return Job(
        "%s: %s" % (gate.reference, gate.name),
        lambda results, own: gate.judge(image(results), own),
        frozenset((number,)),
        known,
    )


def _told(
    entries: t.Sequence[Entry],
    references: t.Sequence[t.Tuple[str, ...]],
    results: Results,
    places: t.Mapping[t.Tuple[int, str], int],
    jobs: t.Sequence[Job],
) -> t.Dict[str, t.Any]:
    """The task's result.

    :raises SetFailed: a job failed; with what there is to say of the images that did.
    """
    images: t.List[Result] = []
    failing: t.List[int] = []
    diffs: t.List[Result] = []
    for number, (entry, names) in enumerate(zip(entries, references)):
        build = dict(results[number] or {})
        diff = build.pop("diff", None)
        if diff and diff["before"] != diff["after"]:
            diffs.append({**diff, "before_header": names[0], "after_header": names[0]})
        judged = {name: results[places[number, name]] if (number, name) in places else None for name in GATES}
        if any(found and found.get("failed") for found in (build, *judged.values())):
            failing.append(len(images))
        images.append(
            {
                "name": entry.name,
                "references": list(names),
                "build": build or None,
                **{name: found and found.get("judged", found) for name, found in judged.items()},
            }
        )
    found: t.Dict[str, t.Any] = {
        "changed": any(image["build"] and image["build"].get("changed") for image in images),
        "images": images,
    }
    if diffs:
        found["diff"] = diffs
    failed = [result["msg"] for result in results if result and result.get("failed")]
    if failed:
        left = [job.name for job, result in zip(jobs, results) if result is None]
        also = " Because of that not begun: %s." % ", ".join(left) if left else ""
        found["images"] = [images[number] for number in failing]
        raise SetFailed(" ".join(failed) + also, **found)
    return found
