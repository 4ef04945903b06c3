# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What a build fetches from elsewhere by C(ADD), which nobody can know before it: URLs and git repositories."""

from __future__ import annotations

import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile import words
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.dockerfile import Instruction
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.stages import (
    Stage,
    declare,
    is_elsewhere,
    source_stage,
)


def fetched(needed: t.Sequence[Stage], arguments: t.Mapping[str, str], escape: str = "\\") -> t.Iterator[Instruction]:
    """The instructions that fetch something from elsewhere.

    :param needed: stages, with those that they start from.
    :param arguments: the build's.
    """
    variables_of: t.Dict[int, t.Dict[str, str]] = {}
    for stage in needed:
        parent = source_stage(needed, stage, stage.source)
        variables = variables_of[stage.index] = dict(variables_of[parent.index]) if parent else {}
        for instruction in stage.carried_out:
            try:
                if _fetches(instruction, stage, variables, arguments, escape):
                    yield instruction
            except words.UnreadableWord:  # BuildKit says it
                continue


def _fetches(
    instruction: Instruction, stage: Stage, variables: t.Dict[str, str], arguments: t.Mapping[str, str], escape: str
) -> bool:
    """Whether one does; what it declares is added to the variables."""
    if instruction.keyword == "ARG":
        for word in words.raw(instruction.arguments):
            name = word.partition("=")[0]
            if name == word and name in stage.variables:
                variables[name] = stage.variables[name]
        declare(instruction, variables, arguments, escape)
    elif instruction.keyword == "ENV":
        first, *others = words.raw(instruction.arguments) or [""]
        pairs = [first, *others] if "=" in first else ["%s=%s" % (first, " ".join(others))]
        values = {
            name: words.expand(value, variables, escape)
            for name, _equals, value in (pair.partition("=") for pair in pairs)
        }
        variables.update(values)
    elif instruction.keyword == "ADD":
        return any(is_elsewhere(words.expand(word, variables, escape)) for word in instruction.words(escape)[:-1])
    return False
