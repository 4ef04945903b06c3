# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The stages of a Dockerfile: which the target needs, which images they come from, what they copy from the context."""

from __future__ import annotations

import dataclasses
import posixpath
import typing as t
from types import MappingProxyType

from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile import words
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.dockerfile import (
    Dockerfile,
    Instruction,
    InvalidDockerfile,
    triggered,
)
from ansible_collections.longshore.delivery.plugins.module_utils.reference import InvalidReference, Reference

SYNTAX_ARGUMENT = "BUILDKIT_SYNTAX"
_WILDCARDS = frozenset("*?[\\")
_SHORT, _LATEST = "docker.io/library/", ":latest"
PLATFORM_ARGUMENTS = tuple(
    side + part for side in ("BUILD", "TARGET") for part in ("PLATFORM", "OS", "ARCH", "VARIANT", "OSVERSION")
)


@dataclasses.dataclass(frozen=True)
class Stage:
    """From one FROM to the next.

    :param source: what FROM names, variables put in.
    :param name: what C(AS) names, in lower case; empty where it does not.
    :param instructions: with FROM as the first.
    :param variables: those declared before the first FROM, which an ARG without a value takes.
    :param triggers: what it is made to carry out first by the ONBUILD instructions of what it starts from.
    """

    index: int
    source: str
    name: str
    instructions: t.Tuple[Instruction, ...]
    variables: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    triggers: t.Tuple[Instruction, ...] = ()

    @property
    def line(self) -> int:
        return self.instructions[0].line

    @property
    def carried_out(self) -> t.Tuple[Instruction, ...]:
        """All its instructions, and those of its base, in the order in which they are carried out."""
        return (self.instructions[0], *self.triggers, *self.instructions[1:])

    @property
    def label(self) -> str:
        """What BuildKit calls it in its output."""
        return self.name or "stage-%d" % self.index


@dataclasses.dataclass(frozen=True)
class BaseImage:
    """An image that a build starts from or copies from, and the line that names it."""

    reference: Reference
    line: int


@dataclasses.dataclass(frozen=True)
class CopiedPath:
    """A path of the context that an instruction copies, written without wildcard or variable."""

    path: str
    instruction: Instruction


def uses_platform(dockerfile: Dockerfile) -> bool:
    """Whether a FROM, or an ARG before the first, names one of the arguments that the engine's platform sets."""
    stage_begins = next((found.line for found in dockerfile.instructions if found.keyword == "FROM"), 0)
    return any(
        name in str(instruction)
        for instruction in dockerfile.instructions
        if instruction.keyword == "FROM" or instruction.line < stage_begins
        for name in PLATFORM_ARGUMENTS
    )


def target_arguments(platform: str) -> t.Dict[str, str]:
    """What a build for a platform sets.

    :param platform: such as linux/amd64 or linux/arm/v7.
    """
    system, architecture, *variant = platform.split("/")
    values = {"PLATFORM": platform, "OS": system, "ARCH": architecture, "VARIANT": "".join(variant)}
    return {"TARGET" + part: value for part, value in values.items()}


def stages_of(
    dockerfile: Dockerfile,
    arguments: t.Mapping[str, str],
    triggers: t.Mapping[str, t.Sequence[str]] = MappingProxyType({}),
) -> t.Tuple[Stage, ...]:
    """Cut a Dockerfile into its stages.

    :param arguments: the build's arguments and, where a FROM names them, those of the platform.
    :param triggers: the ONBUILD instructions of images, by what a FROM calls them.
    :raises InvalidDockerfile: there is no FROM, or what it names cannot be known or is nothing.
    """
    variables = {key: value for key, value in arguments.items() if key in PLATFORM_ARGUMENTS}
    starts = [index for index, found in enumerate(dockerfile.instructions) if found.keyword == "FROM"]
    if not starts:
        raise InvalidDockerfile("%s has no FROM; name the image to start from, or scratch." % dockerfile.name)
    try:
        for instruction in dockerfile.instructions[: starts[0]]:
            if instruction.keyword == "ARG":
                declare(instruction, variables, arguments, dockerfile.escape)
    except words.UnreadableWord as error:
        raise InvalidDockerfile("%s, line %d: %s." % (dockerfile.name, instruction.line, error)) from None
    ends = [*starts[1:], len(dockerfile.instructions)]
    stages: t.List[Stage] = []
    for index, (start, end) in enumerate(zip(starts, ends)):
        stage = _stage(index, dockerfile, dockerfile.instructions[start:end], variables)
        stages.append(dataclasses.replace(stage, triggers=tuple(_triggers(stage, stages, triggers))))
    return tuple(stages)


def _triggers(
    stage: Stage, above: t.Sequence[Stage], of_images: t.Mapping[str, t.Sequence[str]]
) -> t.Iterator[Instruction]:
    parent = source_stage(above, stage, stage.source)
    if parent is None:
        for text in of_images.get(stage.source, ()):
            yield from triggered(text, stage.line)
    else:
        for instruction in parent.instructions:
            if instruction.keyword == "ONBUILD":
                yield from triggered(instruction.arguments, instruction.line)


def declare(instruction: Instruction, variables: t.Dict[str, str], arguments: t.Mapping[str, str], escape: str) -> None:
    """Add what an ARG declares to the variables.

    :raises UnreadableWord: a default value cannot be read.
    """
    for word in words.raw(instruction.arguments):
        name, equals, default = word.partition("=")
        if name in arguments:
            variables[name] = arguments[name]
        elif equals:
            variables[name] = words.expand(default, variables, escape)


def _stage(
    index: int, dockerfile: Dockerfile, instructions: t.Tuple[Instruction, ...], variables: t.Mapping[str, str]
) -> Stage:
    start = instructions[0]
    parts = start.arguments.split()
    place = "%s, line %d" % (dockerfile.name, start.line)
    if len(parts) not in (1, 3) or (len(parts) == 3 and parts[1].upper() != "AS"):
        raise InvalidDockerfile("%s: FROM %s is not of the form FROM image [AS name]." % (place, start.arguments))
    try:
        source = words.expand(parts[0], variables, dockerfile.escape)
    except words.UnreadableWord as error:
        raise InvalidDockerfile("%s: %s." % (place, error)) from None
    if not source:
        raise InvalidDockerfile(
            "%s: FROM %s names no image, because the argument has no value. Set it in 'args', or give its ARG before the "
            "first FROM a default." % (place, parts[0])
        )
    return Stage(index, source, parts[2].lower() if len(parts) == 3 else "", instructions, variables)


def needed_stages(stages: t.Sequence[Stage], target: str, name: str) -> t.Tuple[Stage, ...]:
    """The stages that a target needs, itself included, in the file's order; the last stage is the target where none is named.

    :param name: the Dockerfile's path, for messages.
    :raises InvalidDockerfile: there is no such stage.
    """
    last = stages[-1] if not target else _find(stages, target)
    if last is None:
        known = ", ".join(stage.name for stage in stages if stage.name) or "none has a name"
        raise InvalidDockerfile("%s has no stage %r for 'target'; its stages: %s." % (name, target, known))
    needed: t.Dict[int, Stage] = {}
    waiting = [last]
    while waiting:
        stage = waiting.pop()
        if stage.index in needed:
            continue
        needed[stage.index] = stage
        for source, _line in _sources(stage):
            found = source_stage(stages, stage, source)
            if found:
                waiting.append(found)
    return tuple(needed[index] for index in sorted(needed))


def base_images(
    stages: t.Sequence[Stage],
    needed: t.Sequence[Stage],
    name: str,
    contexts: t.Mapping[str, t.Optional[Reference]] = MappingProxyType({}),
) -> t.Tuple[BaseImage, ...]:
    """The images that these stages start from or copy from, each once, in the file's order.

    :param contexts: by the names of named contexts the images that they are; None for a directory.
    :raises InvalidDockerfile: one is no reference.
    """
    found: t.Dict[str, BaseImage] = {}
    for stage in needed:
        for source, line in _sources(stage):
            if source_stage(stages, stage, source):
                continue
            try:
                named = named_image(source, contexts)
            except InvalidReference as error:
                raise InvalidDockerfile("%s, line %d: %s" % (name, line, error)) from None
            if named is not None:
                found.setdefault(str(named), BaseImage(named, line))
    return tuple(found.values())


def named_image(source: str, contexts: t.Mapping[str, t.Optional[Reference]]) -> t.Optional[Reference]:
    """The image that a source names which is no stage; None where it is no image, or only the build will know which.

    :param contexts: as above.
    :raises InvalidReference: it is no reference.
    """
    if source == "scratch" or "$" in source:
        return None
    reference = with_latest(Reference.parse(source))
    short = str(reference)
    if short.startswith(_SHORT) and short.endswith(_LATEST):
        # for BuildKit these are one name
        short = short[len(_SHORT) : -len(_LATEST)]
    return contexts.get(short, reference)


def triggers_of(stages: t.Iterable[Stage]) -> t.Tuple[Instruction, ...]:
    """What these stages are made to carry out by what they start from."""
    return tuple(instruction for stage in stages for instruction in stage.triggers)


def syntax_image(dockerfile: Dockerfile, arguments: t.Mapping[str, str]) -> t.Tuple[BaseImage, ...]:
    """The image by which BuildKit reads the Dockerfile, where it names one: it is part of what comes out.

    :param arguments: the build's, one of which comes before the directive.
    :raises InvalidDockerfile: it is no reference.
    """
    text = arguments.get(SYNTAX_ARGUMENT) or dockerfile.syntax
    try:
        return (BaseImage(with_latest(Reference.parse(text)), dockerfile.syntax_line),) if text else ()
    except InvalidReference as error:
        raise InvalidDockerfile("%s, line %d: %s" % (dockerfile.name, dockerfile.syntax_line, error)) from None


def with_latest(reference: Reference) -> Reference:
    """What a builder takes a reference for: one by a name alone is that with the tag C(latest)."""
    return reference.with_tag("latest") if reference.tag is None and reference.digest is None else reference


def copied_paths(needed: t.Sequence[Stage], escape: str) -> t.Iterator[CopiedPath]:
    """What COPY and ADD take from the context, as far as it is written down: no wildcard, variable, URL or here-document."""
    for stage in needed:
        for instruction in stage.carried_out:
            for path in context_sources(instruction, escape):
                if not is_wildcard(path):
                    yield CopiedPath(path, instruction)


def context_sources(instruction: Instruction, escape: str) -> t.Iterator[str]:
    """What an instruction takes from the context by COPY or ADD, wildcards as they are: no variable, URL or here-document."""
    if instruction.keyword not in ("COPY", "ADD") or instruction.flag("from") is not None or instruction.heredoc:
        return
    try:
        sources = instruction.words(escape)[:-1]
    except words.UnreadableWord:
        return
    for source in sources:
        path = posixpath.normpath("/" + source).lstrip("/")
        if path and "$" not in source and not (instruction.keyword == "ADD" and is_elsewhere(source)):
            yield path


def is_wildcard(path: str) -> bool:
    """Whether a source of COPY or ADD may mean any number of paths."""
    return not _WILDCARDS.isdisjoint(path)


def is_elsewhere(source: str) -> bool:
    """Whether what ADD names is an URL or a git repository."""
    return "://" in source or source.startswith("git@")


def _sources(stage: Stage) -> t.Iterator[t.Tuple[str, int]]:
    """What a stage starts from or copies from: names of stages, their numbers, images."""
    yield stage.source, stage.line
    for instruction in stage.carried_out[1:]:
        for source in instruction.sources:
            yield source, instruction.line


def source_stage(stages: t.Sequence[Stage], stage: Stage, source: str) -> t.Optional[Stage]:
    """The stage that a source of one means: one above, by its name; by its number in COPY and mounts, but not in FROM.

    :param stages: all of the Dockerfile, or those that are needed.
    """
    above = [
        other for other in stages if other.index < stage.index and not (source == stage.source and source.isdigit())
    ]
    return _find(above, source)


def _find(stages: t.Sequence[Stage], text: str) -> t.Optional[Stage]:
    by_name = [stage for stage in stages if stage.name and stage.name == text.lower()]
    if by_name:
        return by_name[-1]
    return next((stage for stage in stages if text.isdigit() and stage.index == int(text)), None)
