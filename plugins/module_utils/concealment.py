# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What is masked of secrets: each as a whole, and line by line, since programs write them and logs are read so."""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.parameters import remove_values

_LONG_LINE = 8  # characters: a shorter line of several is too much like others
# characters: less than these is in every other word, and no secret
_LEAST = 4


class Concealment:
    """The secrets of a task.

    :param values: those that the argument spec knows by C(no_log); what is found later is added to the same set.
    """

    def __init__(self, values: t.Set[str]) -> None:
        self._values = values
        for value in tuple(values):
            self._values |= _parts(value)

    def conceal(self, text: str) -> None:
        """Mask a text from now on, where it is long enough to be a secret."""
        self._values.update(part for part in _parts(text) if len(part) >= _LEAST)

    def mask(self, value: t.Any) -> t.Any:
        """A result's value without them. The longest go first: without its long lines, the short ones of a secret would stay."""
        return remove_values(value, sorted(self._values, key=len, reverse=True))


def _parts(text: str) -> t.Set[str]:
    lines = {line.strip() for line in text.splitlines()}
    return {text.strip(), *(line for line in lines if len(line) >= _LONG_LINE)} - {""}
