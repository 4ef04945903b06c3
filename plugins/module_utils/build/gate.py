# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""A gate: an audit or a trial of one image of a list, once for each image and what is asked of it."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import operator
import os
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import UnsupportedError

from ansible_collections.longshore.delivery.plugins.module_utils.build.judged import Judgement
from ansible_collections.longshore.delivery.plugins.module_utils.build.output import REGISTRY
from ansible_collections.longshore.delivery.plugins.module_utils.build.set_options import Entry, InvalidEntry
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Capability, Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.concealment import Concealment
from ansible_collections.longshore.delivery.plugins.module_utils.counted import counted
from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import DockerAddress
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference

AUDIT, TRIAL = "audit", "trial"
PASS, FAIL, NOT_ASKED = "pass", "fail", "not asked"
# by the engine that built, where it is not the same, the one by which its images are reached
_HOLDERS = {"buildah": "podman"}
# findings of an audit that are shown; the result has all
SHOWN = 8
# of a trial's result what is kept; the rest is what the image wrote and answered
_TRIED = ("verdict", "points", "twelve_factors")
_AUDITED = ("size", "wasted_bytes", "findings", "excepted")

Result = t.Dict[str, t.Any]


class Gate:
    """One gate of one image.

    :param name: C(audit) or C(trial).
    :param load: brings the capability along, which takes a moment.
    :param names: the references that the image is to have; messages call it by the first.
    :param always: whether to judge what was judged before.
    """

    def __init__(
        self, name: str, load: t.Callable[[], Capability], entry: Entry, names: t.Sequence[str], always: bool
    ) -> None:
        self.name = name
        self.names = tuple(names)
        self.reference = reference = self.names[0]
        self._load = load
        self._always = always
        self._secrets = Concealment({str(value) for value in entry.trial_secrets.values() if str(value)})
        given = (entry.audit if name == AUDIT else entry.trial) or {}
        asked = dict(given)
        self._in_registry = entry.in_registry
        if name == AUDIT:
            self._params = {**given, **entry.address, "references": [reference]}
            asked["called"] = self.names  # a rule is about names
            if entry.in_registry:
                endpoint = str(Reference.parse(reference).endpoint)
                self._params.update(store=REGISTRY, registry={**(entry.build["registry"] or {}), "endpoint": endpoint})
            if given.get("dockerfile"):
                asked["dockerfile"] = _digest(given["dockerfile"])
            reports = given.get("trivy_reports")
            if isinstance(reports, list):
                asked["trivy_reports"] = [_digest(str(path)) for path in reports]
            database = given.get("trivy_database")
            if database:
                asked["trivy_database"] = _digest(
                    os.path.join(os.path.expanduser(str(database)), "db", "metadata.json")
                )
            elif given.get("vulnerabilities", "none") != "none":
                self._always = True  # what is known of vulnerabilities is more each day
        else:
            self._params = {**given, **entry.address, "image": reference, "secrets": entry.trial_secrets}
            asked["secrets"] = entry.trial_secrets
        address = DockerAddress.find(entry.build["docker_host"], entry.build["docker_cert_path"])
        engine = REGISTRY if entry.in_registry else "%s %s" % (entry.build["engine"], address)
        self._judgement = Judgement(name, engine, reference, asked)

    def validate(self) -> None:
        """See that its options are valid, unless an image passed with them before.

        :raises InvalidEntry: they are not.
        """
        if not self._judgement.options_are_known:
            self._checked(self._load())

    def known(self, image_id: str, context: Context) -> t.Optional[Result]:
        """What it said of the image before, if it passed."""
        found = None if self._always else self._judgement.passed(image_id)
        if found is None:
            return None
        context.progress("%s: %s passed before: %s" % (self.reference, self.name, _summary(found)))
        return {**found, "judged_before": True}

    def judge(self, image_id: str, engine: str, context: Context) -> Result:
        """Put the image to it, and show what comes of that in a few lines. It is asked for by its ID: it may have no name yet.

        :param engine: the one that built it.
        :returns: what is to be said of it; of one that fails, or cannot be judged, that is C(judged), with C(failed) and C(msg).
        """
        capability = self._load()
        # an audit shows all there is, and a list of images has more than one
        own = dataclasses.replace(context, progress=lambda line: None) if self.name == AUDIT else context
        params = self._checked(capability)
        params["engine"] = _HOLDERS.get(engine, engine)
        if self.name == AUDIT:
            named = Reference.parse(self.reference)
            asked = str(named.with_digest(ManifestDigest.parse(image_id))) if self._in_registry else image_id
            params.update(references=[asked], called=self.names)
        else:
            params.update(image=image_id, called=self.reference)
        try:
            found = self._kept(capability.run(params, own))
        except DeliveryError as error:
            judged = {**self._kept(error.facts), "verdict": FAIL, "judged_before": False}
            self._show(judged, context)
            return {"failed": True, "msg": "%s: %s" % (self.reference, error), "judged": judged}
        self._show(found, context)
        if not context.check:
            self._judgement.note(image_id, self._secrets.mask(found))
        return {**found, "judged_before": False}

    def _checked(self, capability: Capability) -> t.Dict[str, t.Any]:
        checked = ArgumentSpecValidator(capability.argument_spec, **capability.constraints).validate(self._params)
        if checked.error_messages:
            unsupported = isinstance(checked.errors[0], UnsupportedError)  # whose message is but a list
            said = self._secrets.mask(checked.errors.msg)
            raise InvalidEntry(
                "%s, %s: %s%s" % (self.reference, self.name, "unsupported parameters: " if unsupported else "", said)
            )
        params = {**self._params, **checked.validated_parameters}
        try:
            capability.check(params)
        except DeliveryError as error:
            raise InvalidEntry("%s, %s: %s" % (self.reference, self.name, error)) from error
        return params

    def _kept(self, said: t.Mapping[str, t.Any]) -> Result:
        """What of a gate's result is one of the list's."""
        if self.name == TRIAL:
            return {name: said[name] for name in _TRIED if name in said}
        images = said.get("images") or ()
        # one for each platform; sizes add up, and so do lists
        summed = {name: [image[name] for image in images if name in image] for name in _AUDITED}
        return {
            "verdict": PASS,
            **{name: functools.reduce(operator.add, values) for name, values in summed.items() if values},
        }

    def _show(self, found: Result, context: Context) -> None:
        if "findings" not in found:  # a trial has shown each point as it fell
            return
        for finding in found["findings"][:SHOWN]:
            where = "" if finding.get("layer") is None else "layer %d, " % finding["layer"]
            where += finding["path"] + ": " if finding.get("path") else ""
            context.progress(
                "%s: %-8s %s, %s%s" % (self.reference, finding["severity"], finding["rule"], where, finding["what"])
            )
            context.progress("%s: %-8s %s." % (self.reference, "", finding["way_out"]))
        context.progress("%s: audit, %s" % (self.reference, _summary(found)))


def _summary(found: Result) -> str:
    if "findings" in found:
        return "%.1f MB, %.1f MB of it wasted; %s, %d excepted" % (
            found["size"] / 1e6,
            found["wasted_bytes"] / 1e6,
            counted(len(found["findings"]), "finding"),
            len(found["excepted"]),
        )
    # a failed point of an image that passed is one that is accepted
    words = {PASS: PASS, FAIL: "accepted", NOT_ASKED: NOT_ASKED}
    verdicts = [point["verdict"] for point in found["points"]]
    return ", ".join("%d %s" % (verdicts.count(one), word) for one, word in words.items() if one in verdicts)


def _digest(path: str) -> str:
    """Of a file's content; of one that cannot be read, which the gate will say, its path."""
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return path
