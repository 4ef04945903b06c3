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
from ansible_collections.longshore.delivery.plugins.module_utils.build.definition import check_secrets, check_ssh
from ansible_collections.longshore.delivery.plugins.module_utils.build.gate import AUDIT, NOT_ASKED, TRIAL, Gate
from ansible_collections.longshore.delivery.plugins.module_utils.build.naming import name_late, short
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
    wanted = [_wanted(entry) for entry in entries]
    for one in wanted:
        conceal(one.secrets, context)  # what jobs say comes by way of this process
    references = [tuple(map(str, one.references)) for one in wanted]
    _see_that_names_differ(entries, references)
    order = build_order(
        [
            Member(
                entry.name,
                frozenset(names),
                named_bases(entry.build),
                entry.depends_on,
                entry.build["output"],
                entry.build["builder"] or "",
            )
            for entry, names in zip(entries, references)
        ]
    )
    gates: t.List[t.Tuple[int, Gate]] = []
    for number, (entry, names) in enumerate(zip(entries, references)):
        for name in GATES:
            if (entry.audit if name == AUDIT else entry.trial) is not None:
                gate = Gate(name, loads[name], entry, names, params["judge"] == ALWAYS)
                gate.validate()
                gates.append((number, gate))
    places = _Places(len(entries), gates)
    in_registry = frozenset(number for number, entry in enumerate(entries) if entry.in_registry)
    jobs = [
        Job(
            names[0],
            functools.partial(_built, entry, number in places.naming, in_registry),
            frozenset(map(places.done, after)),
        )
        for number, (entry, names, after) in enumerate(zip(entries, references, order))
    ]
    jobs += [_judging(gate, number, context) for number, gate in gates]
    jobs += [_naming(entries[number].build, number, places.of_gates(number), context) for number in places.naming]
    results = run_jobs(jobs, params["at_once"], context)
    return _told(entries, references, results, places, jobs)


def _wanted(entry: Entry) -> Wanted:
    """What the build of an image is to do, as far as its options say; its files are looked at when its turn comes.

    :raises InvalidEntry: one cannot be.
    """
    try:
        wanted = Wanted.from_params(entry.build)
        check_secrets(wanted.secrets)
        check_ssh(wanted.ssh)
    except DeliveryError as error:
        raise InvalidEntry("%s: %s" % (entry.name, error)) from error
    return wanted


def _see_that_names_differ(entries: t.Sequence[Entry], references: t.Sequence[t.Tuple[str, ...]]) -> None:
    """One place can have one image of a name: each run would move it from one to the other."""
    there: t.Dict[t.Tuple[str, ...], t.Tuple[str, str]] = {}
    for entry, names in zip(entries, references):
        for name in names:
            place = (entry.build["output"], entry.build["layout"] or "", name)
            if place in there:
                raise InvalidEntry(
                    "%s: %s is the name of two images of the list, the other is %s from %s. Give each a name or a tag of its own."
                    % (entry.name, name, *there[place])
                )
            there[place] = (entry.name, entry.build["source"])


class _Places:
    """The numbers of jobs: first the builds, then the gates, at last the naming of those that have one.

    :param gates: each with the number of its image.
    :ivar naming: of images by their numbers.
    """

    def __init__(self, images: int, gates: t.Sequence[t.Tuple[int, Gate]]) -> None:
        self.gates = {(number, gate.name): images + place for place, (number, gate) in enumerate(gates)}
        judged = sorted({number for number, _gate in gates})
        self.naming = {number: images + len(gates) + place for place, number in enumerate(judged)}

    def done(self, number: int) -> int:
        """The job after which others may stand on an image."""
        return self.naming.get(number, number)

    def of_gates(self, number: int) -> t.FrozenSet[int]:
        return frozenset(place for (image, _name), place in self.gates.items() if image == number)


def _built(
    entry: Entry, names_later: bool, in_registry: t.FrozenSet[int], results: Results, context: Context
) -> Result:
    """Build one, after those that it waits for; in check mode these may be no more than foretold.

    :param in_registry: the numbers of those that go to a registry.
    """
    coming: t.Dict[str, t.Optional[str]] = {}
    served: t.Dict[str, t.Tuple[str, ...]] = {}
    for number, result in enumerate(results):
        if result and number in in_registry:
            image = result.get("image") or {"references": ()}  # one that failed has none, and nothing is begun after it
            foretold = context.check and result.get("built")
            kinds = () if foretold else ("id", "manifest_digest", "config_digest")
            digests = tuple(str(image[kind]) for kind in kinds if image.get(kind))
            served.update(dict.fromkeys(image["references"], digests))
            continue
        for naming in (result or {}).get("named", ()):
            coming[naming["reference"]] = None if (result or {}).get("built") else naming["after"]
    given = {**entry.build, "coming": coming, "served": served, "names_later": names_later}
    return image_build.run(given, context)


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
        lambda results, own: gate.judge(image(results), (results[number] or {})["engine"], own),
        frozenset((number,)),
        known,
    )


def _naming(build: t.Mapping[str, t.Any], number: int, gates: t.FrozenSet[int], context: Context) -> Job:
    """The job that gives an image its names, after its gates."""

    def known(results: Results) -> t.Optional[Result]:
        found = results[number] or {}
        return {"given": True} if context.check or not found["named"] else None

    def run(results: Results, own: Context) -> Result:
        return {**name_late(build, str((results[number] or {})["image"]["id"]), own), "given": True}

    return Job("%s: its names" % build["name"], run, gates, known)


def _told(
    entries: t.Sequence[Entry],
    references: t.Sequence[t.Tuple[str, ...]],
    results: Results,
    places: _Places,
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
        naming = results[places.naming[number]] if number in places.naming else None
        withheld = _withheld(build, naming) if number in places.naming else []
        if diff and diff["before"] != diff["after"] and not withheld:
            diffs.append({**diff, "before_header": names[0], "after_header": names[0]})
        judged = {
            name: results[places.gates[number, name]] if (number, name) in places.gates else None for name in GATES
        }
        if any(found and found.get("failed") for found in (build, naming, *judged.values())):
            failing.append(len(images))
        images.append(
            {
                "name": entry.name,
                "references": list(names),
                "build": build or None,
                **{name: found and found.get("judged", found) for name, found in judged.items()},
                "withheld": withheld,
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
        names_first = len(jobs) - len(places.naming)
        left = [job.name for job, result in zip(jobs[:names_first], results) if result is None]
        also = " Because of that not begun: %s." % ", ".join(left) if left else ""
        held = [name for image in images for name in image["withheld"]]
        also += " Names left as they were: %s." % ", ".join(map(_stays, held)) if held else ""
        found["images"] = [images[number] for number in failing]
        raise SetFailed(" ".join(failed) + also, **found)
    return found


def _withheld(build: Result, naming: t.Optional[Result]) -> t.List[t.Dict[str, t.Any]]:
    """The names that an image did not get because it was not judged fit, or was not named for another reason; what its build
    foretold of them is corrected.
    """
    if naming and naming.get("given"):
        build.update(named=naming.get("named", build["named"]))
        return []
    names: t.List[t.Dict[str, t.Any]] = build.get("named") or []
    if names:
        build.update(named=[], changed=bool(build["pulled"]))
    return names


def _stays(name: t.Mapping[str, t.Any]) -> str:
    return "%s (%s)" % (name["reference"], short(name["before"]) if name["before"] else "no image's")
