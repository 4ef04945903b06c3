# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Secrets in what an image carries beside its files: environment, labels, build arguments, history."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.audit.detectors import Detectors
from ansible_collections.longshore.delivery.plugins.module_utils.audit.finding import Finding, finding
from ansible_collections.longshore.delivery.plugins.module_utils.audit.history import Instruction

_AT_RUN_TIME = "Give it to the container when it runs, and replace the secret: whoever can pull the image can read it"
_AT_BUILD = (
    "Give it to the build by RUN --mount=type=secret, and replace the secret: whoever can pull the image can read it"
)

_SECRET_NAME = re.compile(
    r"(?:\A|[_.-])(?:password|passwd|pwd|passphrase|secret|token|api_?key|private_?key|access_?key|secret_?key|credentials?)"
    r"(?:[_.-]?\d+)?\Z",
    re.I,
)
# a value that is no secret itself: empty, a switch, a number's worth of nothing, a path, a reference to another variable
_NO_SECRET = re.compile(r"\A(?:|true|false|yes|no|none|null|\d{1,3}|/.*|\$.*|<.*>|\{\{.*\}\})\Z", re.I | re.S)
# in which image_build records digests, those of what the kind 'secrets' of inputs is named among them
_OWN_LABELS = "delivery.longshore.inputs"
_ENV_PAIR = re.compile(r"([A-Za-z_][\w.-]*)=(\"[^\"]*\"|'[^']*'|\S*)")


def is_secret(name: str, value: str) -> bool:
    """Whether a setting by this name, with this value, is a secret by its name."""
    return bool(_SECRET_NAME.search(name)) and not _NO_SECRET.match(value.strip("\"'"))


def in_config(config: t.Mapping[str, t.Any], detectors: Detectors) -> t.Iterator[Finding]:
    """Findings in the environment, the labels and the command lines of an image's configuration."""
    settings = config.get("config") or {}
    for assignment in settings.get("Env") or ():
        name, _equals, value = str(assignment).partition("=")
        kind = _kind(name, value, detectors)
        if kind:
            yield finding("secret_in_settings", "the environment variable %s holds %s" % (name, kind), _AT_RUN_TIME)
    for name, value in sorted((settings.get("Labels") or {}).items()):
        kind = None if name.startswith(_OWN_LABELS) else _kind(name, str(value), detectors)
        if kind:
            yield finding(
                "secret_in_settings", "the label %s holds %s" % (name, kind), "Leave it out and replace the secret"
            )
    for key in ("Entrypoint", "Cmd"):
        kind = detectors.anywhere(" ".join(str(word) for word in settings.get(key) or ()))
        if kind:
            yield finding("secret_in_settings", "%s holds: %s" % (key.upper(), kind), _AT_RUN_TIME)


def in_history(history: t.Sequence[Instruction], detectors: Detectors) -> t.Iterator[Finding]:
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


def in_instruction(step: Instruction, detectors: Detectors) -> t.Optional[str]:
    """The kind of a secret in an instruction's text; None for none."""
    by_name = next((name for name, value in _ENV_PAIR.findall(step.text) if is_secret(name, value)), None)
    if by_name:
        return "a value for %s" % by_name
    found = next(filter(None, map(detectors.anywhere, step.text.splitlines())), None)
    return found and "a secret: %s" % found


def _kind(name: str, value: str, detectors: Detectors) -> t.Optional[str]:
    if is_secret(name, value):
        return "a secret, by its name"
    # a setting's name tells what it is; the detectors need not see it, and their keywords are looser
    found = detectors.anywhere(value)
    return "a secret: %s" % found if found else None


def shown_instruction(step: Instruction, detectors: Detectors) -> str:
    """An instruction as it can be printed, without build arguments; one that holds a secret is its keyword alone."""
    if in_instruction(step, detectors):
        return "%s (not shown: it holds a secret)" % step.keyword
    return " ".join(("%s %s" % (step.keyword, step.text)).split())
