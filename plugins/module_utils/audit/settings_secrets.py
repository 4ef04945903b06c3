# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Secrets in what an image carries beside its files: environment, labels, build arguments, history."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.audit.command_lines import secret_in
from ansible_collections.longshore.delivery.plugins.module_utils.audit.detectors import Detectors
from ansible_collections.longshore.delivery.plugins.module_utils.audit.finding import Finding, finding
from ansible_collections.longshore.delivery.plugins.module_utils.audit.history import HistoryStep, parsed
from ansible_collections.longshore.delivery.plugins.module_utils.audit.secret_values import (
    is_no_value,
    names_secret,
    names_variable,
)
from ansible_collections.longshore.delivery.plugins.module_utils.image.recorded_inputs import OWN_LABELS

_AT_RUN_TIME = "Give it to the container when it runs, and replace the secret: whoever can pull the image can read it"
_AT_BUILD = (
    "Give it to the build by RUN --mount=type=secret, and replace the secret: whoever can pull the image can read it"
)

_ENV_PAIR = re.compile(r"([A-Za-z_][\w.-]*)=(\"[^\"]*\"|'[^']*'|\S*)")


def is_secret(name: str, value: str) -> bool:
    """Whether a setting by this name, with this value, is a secret by its name."""
    return names_secret(name) and not is_no_value(value)


def in_config(config: t.Mapping[str, t.Any], detectors: Detectors) -> t.Iterator[Finding]:
    """Findings in the environment, the labels, the command lines and the triggers of an image's configuration."""
    settings = config.get("config") or {}
    for assignment in settings.get("Env") or ():
        name, _equals, value = str(assignment).partition("=")
        kind = _kind(name, value, detectors)
        if kind:
            yield finding("secret_in_settings", "the environment variable %s holds %s" % (name, kind), _AT_RUN_TIME)
    for name, value in sorted((settings.get("Labels") or {}).items()):
        # they are digests, those of what the kind 'secrets' of inputs is named among them
        kind = None if name in OWN_LABELS else _kind(name, str(value), detectors)
        if kind:
            yield finding(
                "secret_in_settings", "the label %s holds %s" % (name, kind), "Leave it out and replace the secret"
            )
    commands = {key: settings.get(key) for key in ("Entrypoint", "Cmd")}
    commands["Healthcheck"] = (settings.get("Healthcheck") or {}).get("Test")
    for key, words in commands.items():
        kind = _in_text(" ".join(str(word) for word in words or ()), detectors)
        if kind:
            yield finding("secret_in_settings", "%s holds %s" % (key.upper(), kind), _AT_RUN_TIME)
    for number, trigger in enumerate(settings.get("OnBuild") or (), 1):
        keyword, text, _arguments = parsed(str(trigger))
        kind = _in_text(text, detectors)
        if kind:
            what = "ONBUILD instruction %d, %s, holds %s" % (number, keyword or "by no keyword", kind)
            yield finding("secret_in_settings", what, _AT_BUILD)


def in_history(history: t.Sequence[HistoryStep], detectors: Detectors) -> t.Iterator[Finding]:
    """Findings in build arguments and in instructions; each argument once, as it is in every later instruction."""
    seen = set()
    for number, step in enumerate(history, 1):
        declared = tuple(_ENV_PAIR.findall(step.text)) if step.keyword == "ARG" else ()
        for name, value in step.arguments + declared:
            kind = None if name in seen else _kind(name, value, detectors)
            if kind:
                seen.add(name)
                yield finding(
                    "secret_in_settings", "the history keeps the build argument %s with %s" % (name, kind), _AT_BUILD
                )
        if step.keyword not in ("ARG", "ENV", "LABEL"):  # those are above, and in the configuration
            kind = in_instruction(step, detectors)
            if kind:
                what = "instruction %d of the history, %s, holds %s" % (number, step.keyword or "by no keyword", kind)
                yield finding("secret_in_settings", what, _AT_BUILD, step.layer)


def in_instruction(step: HistoryStep, detectors: Detectors) -> t.Optional[str]:
    """The kind of a secret in an instruction's text; None for none."""
    return _in_text(step.text, detectors)


def _in_text(text: str, detectors: Detectors) -> t.Optional[str]:
    by_name = next((name for name, value in _ENV_PAIR.findall(text) if is_secret(name, value)), None)
    if by_name:
        return "a value for %s" % by_name
    given = secret_in(text)
    if given:
        return given
    found = next(filter(None, map(detectors.anywhere, text.splitlines())), None)
    return found and "a secret: %s" % found


def _kind(name: str, value: str, detectors: Detectors) -> t.Optional[str]:
    if names_variable(name, value):
        return None
    if is_secret(name, value):
        return "a secret, by its name"
    # by keywords a name is looked at with its value; they are looser, so that a value that is words is none
    found = detectors.anywhere(value) or detectors.by_keyword(name, value)
    return "a secret: %s" % found if found else None


def shown_instruction(step: HistoryStep, detectors: Detectors) -> str:
    """An instruction as it can be printed, without build arguments; one that holds a secret is its keyword alone."""
    if step.doubtful:
        return "%s (not shown: a build argument may be in it)" % step.keyword
    if in_instruction(step, detectors):
        return "%s (not shown: it holds a secret)" % step.keyword
    return " ".join(("%s %s" % (step.keyword, step.text)).split())
