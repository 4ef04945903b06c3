# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""How much a command can be given: Linux' limits of one argument or variable, and of all of them (execve(2))."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError

_PAGES = 32  # of one argument, with the zero byte at its end
_POINTER = 8
_OURS = 16 * 1024  # what the command is given beside the user's values: paths, names of options


class TooLongForACommand(DeliveryError):
    """Values that the kernel would not hand to a command; the message names the option."""


def check_length(given: t.Mapping[str, str], environment: t.Mapping[str, str]) -> None:
    """See that a command can be given these.

    :param given: arguments and variables, by the option that each comes from, such as labels.version.
    :param environment: what it gets beside them.
    :raises TooLongForACommand: one is too long, or all of them are.
    """
    lengths = {name: len(os.fsencode(text)) + 1 for name, text in given.items()}
    longest = max(lengths, key=lengths.__getitem__, default="")
    most = _PAGES * os.sysconf("SC_PAGE_SIZE")
    way_out = "Put what is long into a file in 'source', or, of a secret, set 'file'"
    if longest and lengths[longest] > most:
        raise TooLongForACommand(
            "%s has %d bytes with its name, and the kernel hands a command no argument or variable of more than %d. %s."
            % (longest, lengths[longest] - 1, most - 1, way_out)
        )
    others = sum(len(os.fsencode(name + value)) + 2 + _POINTER for name, value in environment.items())
    total = sum(lengths.values()) + _POINTER * len(lengths)
    room = os.sysconf("SC_ARG_MAX") - others - _OURS
    if total > room:
        raise TooLongForACommand(
            "What the build's command is given has %d bytes in all, the longest of it %s (%d), and the kernel hands it no more "
            "than %d beside the environment. %s." % (total, longest, lengths[longest] - 1, room, way_out)
        )
