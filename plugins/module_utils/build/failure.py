# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Why a build failed: the instruction with its line in the Dockerfile, the cause, the end of its output."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.builder import Built
from ansible_collections.longshore.delivery.plugins.module_utils.build.context import BuildContext
from ansible_collections.longshore.delivery.plugins.module_utils.build.definition import Definition
from ansible_collections.longshore.delivery.plugins.module_utils.build.named_contexts import NamedContext
from ansible_collections.longshore.delivery.plugins.module_utils.build.record import Step, shortened
from ansible_collections.longshore.delivery.plugins.module_utils.build.wildcard_source import why_nothing_matches
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.dockerfile import Dockerfile, Instruction
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.stages import (
    Stage,
    base_images,
    context_sources,
    is_wildcard,
    syntax_image,
)

_STEP = re.compile(r"\[(?:\S+ )*?(?:(?P<stage>\S+) )? *(?P<number>\d+)/(?P<total>\d+)\] (?P<text>.*)", re.DOTALL)
_LOOKED_UP = re.compile(
    r"(?:\[internal\] load metadata for|FROM|resolve image config for) (?:docker-image://)?(?P<image>\S+)\Z"
)
_PARSE_ERROR = re.compile(r"dockerfile parse error(?: on)? line (\d+): (.*)")
_EXIT_CODE = re.compile(r"(?:exit code:|exit status|non-zero code:) (\d+)\s*$")
_NOISE = re.compile(
    r"^ERROR: |failed to (?:build|solve): |rpc error: code = \w+ desc = |failed to solve with frontend \S+: |"
    r"failed to (?:compute cache key|calculate checksum of ref \S+): "
)
_MISSING = re.compile(r'"/([^"]+)":? not found|lstat \S*/buildkit-mount\d+/(.+): no such file')
# of COPY and ADD by the classic builder and by Buildah; for BuildKit it is no failure
_NO_MATCH = re.compile(r"no source files were specified|copier: stat: .*no such file")
_WAYS_OUT = (
    # what is said, the way out
    (
        re.compile("no space left on device", re.IGNORECASE),
        "The disk is full. Remove what is not needed from the engine, as with image_prune or docker builder prune",
    ),
    (
        re.compile(
            r"\bEOF\b|error reading from server|connection (reset|refused)|transport is closing|closing transport"
        ),
        "The engine went away. See on its host whether it runs, and why it ended; then run it again",
    ),
)
_COUNTED = ("RUN", "COPY", "ADD", "WORKDIR")


class BuildFailed(DeliveryError):
    """A build that the builder gave up."""


def failure(
    image: str, definition: Definition, stages: t.Sequence[Stage], built: Built, contexts: t.Sequence[NamedContext] = ()
) -> BuildFailed:
    """Say what failed.

    :param image: what was to be built, for the message.
    :param contexts: the named ones.
    """
    record, dockerfile = built.record, definition.path
    facts: t.Dict[str, t.Any] = {"steps": [step.result for step in record.steps], "log": list(record.log)}
    step = record.failed
    if step is None:
        said = _said(dockerfile, built)
        if definition.dockerfile.syntax:
            said += " (the Dockerfile is read by %s, line %d)" % (
                definition.dockerfile.syntax,
                definition.dockerfile.syntax_line,
            )
        return BuildFailed("Building %s failed: %s%s" % (image, said, _way_out(said)), **facts)
    step.settle()
    facts["log"] = list(step.log)
    facts["failed_step"] = step.name
    instruction = _naming(step, definition.dockerfile, stages) or failed_instruction(step, stages)
    if instruction is None:
        where = "at step %s" % shortened(step.name)
    else:
        facts["dockerfile_line"] = instruction.line
        facts["instruction"] = str(instruction)
        where = "at %s, line %d, %s" % (dockerfile, instruction.line, shortened(str(instruction)))
    cause = _cause(step)
    missing = _MISSING.search(step.error)
    if missing and instruction and instruction.keyword in ("COPY", "ADD", "RUN"):
        path = next(filter(None, missing.groups()))
        places = [place for place in _places(instruction, definition, contexts) if not place.holds(path)]
        kept_out = [place for place in places if place.why_kept_out(path)]
        # a RUN may mount from a stage as well, which may be what lacks the path
        known = kept_out if instruction.keyword == "RUN" else kept_out or places
        cause = known[0].why_missing(path) if known else cause
    elif instruction and _NO_MATCH.search(step.error):
        cause = _why_no_match(instruction, definition) or cause
    cause += _way_out("\n".join([step.error, *step.log]))
    output = "\nThe end of its output:\n%s" % "\n".join(step.log) if step.log else ""
    return BuildFailed("Building %s failed %s: %s%s" % (image, where, cause, output), **facts)


def _places(
    instruction: Instruction, definition: Definition, contexts: t.Sequence[NamedContext]
) -> t.Iterator[BuildContext]:
    """The directories that an instruction copies or mounts from."""
    sources = tuple(instruction.sources)
    of_run = instruction.keyword == "RUN"
    mounts = [mount for mount in instruction.mounts if mount.get("type", "bind") == "bind"] if of_run else []
    if any("from" not in mount for mount in mounts) if of_run else instruction.flag("from") is None:
        yield definition.context
    for named in contexts:
        if named.directory and named.name in sources:
            yield named.read()


def _naming(step: Step, dockerfile: Dockerfile, stages: t.Sequence[Stage]) -> t.Optional[Instruction]:
    """What names the image that a step looks up: FROM, COPY, a mount or the directive syntax; None for another step."""
    found = _LOOKED_UP.match(step.name)
    if not found:
        return None
    for base in syntax_image(dockerfile, {}):
        if found["image"] == str(base.reference):
            return Instruction("#", (), "syntax=" + dockerfile.syntax, base.line)
    lines = [
        base.line for base in base_images(stages, stages, dockerfile.name) if found["image"] == str(base.reference)
    ]
    carried_out = (instruction for stage in stages for instruction in stage.carried_out)
    return next((instruction for instruction in carried_out if instruction.line in lines), None)


def failed_instruction(step: Step, stages: t.Sequence[Stage]) -> t.Optional[Instruction]:
    """The instruction that a step carries out, by its text, or as the n-th of its stage, as BuildKit counts: with the ONBUILD
    instructions of the base, which it leaves out of the total. None where that cannot be told.
    """
    if step.text:
        alike = _with_text(step.text, stages)
        return alike[min(step.same, len(alike) - 1)] if alike else None
    found = _STEP.match(step.name)
    if not found:
        return None
    label = (found["stage"] or "").lower()
    stage = next((stage for stage in stages if stage.label == label), stages[-1] if not label else None)
    if stage is None:
        return None
    keyword = found["text"].split(None, 1)[0].upper()
    if keyword == "FROM":
        return stage.instructions[0]
    named = {other.name for other in stages if other.name and other.index < stage.index}
    first = 0 if stage.source == "scratch" or stage.source.lower() in named else 1
    for kinds in (_COUNTED, _COUNTED[:-1]):  # WORKDIR counts where it makes a layer
        counted = [instruction for instruction in stage.carried_out if instruction.keyword in kinds]
        total = sum(not instruction.triggered for instruction in counted) + first
        position = int(found["number"]) - 1 - first
        if total == int(found["total"]) and 0 <= position < len(counted) and counted[position].keyword == keyword:
            return counted[position]
    same = _with_text(found["text"], [stage])
    return same[0] if len(same) == 1 else None


def _with_text(text: str, stages: t.Sequence[Stage]) -> t.List[Instruction]:
    wanted = _squeezed(text)
    alike = (found for stage in stages for found in stage.carried_out)
    return [found for found in alike if _squeezed(str(dataclasses.replace(found, triggered=False))) == wanted]


def _squeezed(text: str) -> str:
    keyword, *rest = text.split()
    return " ".join([keyword.upper(), *rest])


def _cause(step: Step) -> str:
    code = _EXIT_CODE.search(step.error)
    return "it ended with exit code %s." % code.group(1) if code else _NOISE.sub("", step.error) + "."


def _why_no_match(instruction: Instruction, definition: Definition) -> str:
    """Why a wildcard of an instruction matches nothing; empty where each does."""
    sources = context_sources(instruction, definition.dockerfile.escape)
    reasons = (why_nothing_matches(definition.context, source) for source in sources if is_wildcard(source))
    return next(filter(None, reasons), "")


def _way_out(text: str) -> str:
    found = next((way_out for sign, way_out in _WAYS_OUT if sign.search(text)), "")
    return " %s." % found if found else ""


def _said(dockerfile: str, built: Built) -> str:
    """What the builder itself said, where no step failed."""
    parse_error = _PARSE_ERROR.search(built.said)
    if parse_error:
        return "%s, line %s: %s" % (dockerfile, parse_error.group(1), parse_error.group(2))
    errors = [line for line in built.said.splitlines() if line.startswith("ERROR: ")]
    return _NOISE.sub("", errors[-1] if errors else built.said[-2000:])
