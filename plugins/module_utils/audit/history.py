# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The history in an image's configuration: which instruction made which layer, in the words of a Dockerfile.

The classic builder and Buildah write the command that was run, or C(/bin/sh -c #(nop)) and the instruction; BuildKit writes the
instruction and C(# buildkit).
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

_NOP = re.compile(r"\A/bin/sh -c #\(nop\)\s*")
_ARGUMENTS = re.compile(r"\A\|(\d+) ")
_NAME = re.compile(r"(?:\A|\s)([A-Za-z_]\w*)=")
_SHELL_WORDS = r"(?:/bin/|/usr/bin/)?(?:ba|da|a|z)?sh (?:-[a-z]*o \w+ |-[a-z]+ )*-[a-z]*c "
_SHELL = re.compile(r"\A" + _SHELL_WORDS)
_ANY_SHELL = re.compile(r"(?<=\s)" + _SHELL_WORDS)
_KEYWORD = re.compile(r"\A[A-Z]+\b")


@dataclasses.dataclass(frozen=True)
class HistoryStep:
    """One instruction as an image remembers it.

    :param keyword: in upper case, as in C(RUN).
    :param text: what follows, without build arguments; of RUN in shell form the command alone. It may hold a secret.
    :param arguments: the build arguments that were set for it, with their values.
    :param layer: the layer it made, the lowest being 0; None where it made none.
    :param doubtful: whether the text may hold some of an argument's value, or the last argument's value some of the text.
    """

    keyword: str
    text: str
    arguments: t.Tuple[t.Tuple[str, str], ...]
    layer: t.Optional[int]
    doubtful: bool = False


def instructions(config: t.Mapping[str, t.Any], layers: int) -> t.Tuple[HistoryStep, ...]:
    """An image's instructions, the base's first. A history that does not go with the number of layers is none."""
    history = [entry for entry in config.get("history") or () if isinstance(entry, dict)]
    if sum(not entry.get("empty_layer") for entry in history) != layers:
        return ()
    found = []
    layer = 0
    for entry in history:
        keyword, text, arguments = parsed(str(entry.get("created_by") or ""))
        empty = bool(entry.get("empty_layer"))
        doubtful = bool(arguments) and (not text or bool(_ANY_SHELL.search(" " + text)))
        found.append(HistoryStep(keyword, text, arguments, None if empty else layer, doubtful))
        layer += not empty
    return tuple(found)


def parsed(created_by: str) -> t.Tuple[str, str, t.Tuple[t.Tuple[str, str], ...]]:
    """Keyword, text and build arguments of a line of history; an empty keyword for what is no instruction.

    Values are not quoted, so that only a shell's call tells where the last one ends; without one the text is empty.
    """
    text = created_by.strip()
    if text.endswith("# buildkit"):
        text = text[: -len("# buildkit")].rstrip()
    nop = _NOP.match(text)
    if nop:
        return (*_split(text[nop.end() :].strip()), ())
    keyword = _KEYWORD.match(text)
    if keyword and keyword.group() != "RUN":
        return (*_split(text), ())
    if keyword:
        text = text[len("RUN") :].lstrip()
    arguments: t.Tuple[t.Tuple[str, str], ...] = ()
    with_arguments = _ARGUMENTS.match(text)
    if with_arguments:
        end = _arguments_end(text, int(with_arguments.group(1)))
        arguments = tuple(_assignments(text[with_arguments.end() : end]))
        text = text[end:]
    shell = _SHELL.match(text)
    if keyword or shell or with_arguments:
        return "RUN", text[shell.end() :].strip() if shell else text, arguments
    return "", text, ()


def _arguments_end(text: str, count: int) -> int:
    """Where the command begins: at the first shell's call after as many names as there are arguments."""
    for shell in _ANY_SHELL.finditer(text):
        if len(_NAME.findall(text[: shell.start()])) >= count:
            return shell.start()
    return len(text)


def _split(text: str) -> t.Tuple[str, str]:
    keyword, _blank, rest = text.partition(" ")
    return keyword.upper(), rest.strip()


def _assignments(text: str) -> t.Iterator[t.Tuple[str, str]]:
    names = list(_NAME.finditer(text))
    for name, following in zip(names, [*names[1:], None]):
        yield name.group(1), text[name.end() : following.start() if following else None].strip()
