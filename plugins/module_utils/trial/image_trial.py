# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""image_trial: run an image for a moment, and see whether it keeps the contract of one that can be operated."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Capability, Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.counted import counted
from ansible_collections.longshore.delivery.plugins.module_utils.trial import factors, shown, verdicts
from ansible_collections.longshore.delivery.plugins.module_utils.trial.container import Containers
from ansible_collections.longshore.delivery.plugins.module_utils.trial.copies import Copies
from ansible_collections.longshore.delivery.plugins.module_utils.trial.engine import TrialEngine
from ansible_collections.longshore.delivery.plugins.module_utils.trial.find_engine import find_engine
from ansible_collections.longshore.delivery.plugins.module_utils.trial.observed import ImageConfig
from ansible_collections.longshore.delivery.plugins.module_utils.trial.options import ARGUMENT_SPEC, read_options
from ansible_collections.longshore.delivery.plugins.module_utils.trial.plan import Plan, make_plan
from ansible_collections.longshore.delivery.plugins.module_utils.trial.questions import Questions
from ansible_collections.longshore.delivery.plugins.module_utils.trial.wanted import Wanted


class ContractBroken(DeliveryError):
    """An image that fails a point of the contract."""


class ImageMissing(DeliveryError):
    """An engine without the image."""


def run(params: t.Dict[str, t.Any], context: Context) -> t.Dict[str, t.Any]:
    """The capability. Nothing that it made is left in the engine, however it ends.

    :raises DeliveryError: anything that a user can act on; C(ContractBroken) where the image fails a point.
    """
    wanted = read_options(params)
    engine, why = find_engine(wanted, context.run_command)
    told = {"engine": engine.name, "engine_reason": why}
    with contextlib.closing(engine):
        image = _image(engine, wanted, context)
        if image is None:
            return {**_result(wanted, "", []), **told, "verdict": verdicts.NOT_ASKED, "tried": []}
        plan = make_plan(wanted, image)
        if context.check:
            return {**_foretold(wanted, image, plan), **told}
        result, refused = _tried(engine, wanted, image, plan, context)
    if refused:
        raise ContractBroken(refused, **result, **told)
    return {**result, **told}


def _image(engine: TrialEngine, wanted: Wanted, context: Context) -> t.Optional[ImageConfig]:
    """The image; in check mode None where the engine has none, as a task before this one may bring it."""
    found = engine.image(wanted.image)
    if found is not None:
        return ImageConfig.from_inspect(found)
    missing = "%s has no image %s." % (engine.where[:1].upper() + engine.where[1:], wanted.called)
    if not context.check:
        raise ImageMissing("%s Build it there with image_build, or have the engine pull it." % missing)
    context.warn("%s What comes before in the same playbook may change that." % missing)
    return None


def _foretold(wanted: Wanted, image: ImageConfig, plan: Plan) -> t.Dict[str, t.Any]:
    """The result in check mode: what would be asked."""
    return {
        **_result(
            wanted, image.id, [verdicts.not_asked(point, point.not_asked or "check mode") for point in plan.points]
        ),
        "verdict": verdicts.NOT_ASKED,
        "tried": [point.text for point in plan.points if not point.not_asked],
    }


def _tried(
    engine: TrialEngine, wanted: Wanted, image: ImageConfig, plan: Plan, context: Context
) -> t.Tuple[t.Dict[str, t.Any], str]:
    """The result, and what fails it in words; empty where nothing does that is not accepted."""

    def show(line: str) -> None:
        context.progress("%s: %s" % (wanted.called, line))

    seconds = _longest(wanted)
    containers = Containers(engine, wanted, image.id, plan.ports, seconds, plan.user)
    leftovers = containers.remove_leftovers()
    if leftovers:
        show("%s of trials that were killed removed" % counted(leftovers, "container"))
    try:
        questions = Questions(wanted, image, plan, Copies(containers, wanted, plan, image), show)
        found = questions.asked()
    finally:
        _removed(containers, context)
    rows = factors.twelve_factors(found)
    for line in factors.lines(rows):
        show(line)
    failed = [verdict for verdict in found if verdict.verdict == verdicts.FAIL]
    result = {
        **_result(wanted, image.id, found),
        "verdict": verdicts.FAIL if failed else verdicts.PASS,
        "tried": [point.text for point in plan.points if not point.not_asked],
        "endpoints": questions.endpoints,
        "log": list(shown.log(questions.log)),
        "leftovers": leftovers,
    }
    refused = [verdict for verdict in failed if verdict.point.kind not in wanted.accept]
    if refused:
        return result, (
            "%s in %s fails %d of %d points: %s. Mend it, or list in 'accept' what you can do without."
            % (
                wanted.called,
                engine.where,
                len(refused),
                sum(verdict.verdict != verdicts.NOT_ASKED for verdict in found),
                "; ".join(map(str, refused)),
            )
        )
    for verdict in failed:
        context.warn("%s: %s (accepted)" % (wanted.called, verdict))
    return result, ""


def _removed(containers: Containers, context: Context) -> None:
    """Remove all containers. That it fails must not hide what the trial found or died of."""
    try:
        containers.remove()
    except DeliveryError as error:
        context.warn(
            "Containers with the label %s may be left, the next trial there removes them: %s"
            % (containers.labels, error)
        )


def _result(wanted: Wanted, image_id: str, found: t.Sequence[verdicts.Verdict]) -> t.Dict[str, t.Any]:
    return {
        "changed": False,
        "image": {"reference": wanted.called, "id": image_id or None},
        "points": [verdict.result for verdict in found],
        "twelve_factors": factors.twelve_factors(found),
        "endpoints": [],
        "log": [],
        "leftovers": 0,
    }


def _longest(wanted: Wanted) -> int:
    """Seconds within which a trial is over whatever the image does, with as many again for the engine."""
    starts = 5 + len(wanted.required_env) + len(wanted.changed_env)
    asked = sum(assertion.timeout for assertion in wanted.assertions) + 5 * (6 + 3 * len(wanted.changed_env))
    return 2 * (starts * wanted.start_timeout + 2 * wanted.stop_timeout + asked) + 600


CAPABILITY = Capability(run=run, argument_spec=ARGUMENT_SPEC, needs=("docker",), check=read_options)
