# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Passwords where commands take them: as an option's value, in a header, in a pipe. No detector of single words sees these."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.audit.secret_values import is_no_value

# a word of a shell, quoted or not, that does not begin another option
_VALUE = r"""(?P<value>"[^"\n]+"|'[^'\n]+'|[^\s"'|;&<>-][^\s"'|;&<>]*)"""
_REGISTRY_CLIENT = r"\b(?:docker|podman|nerdctl|buildah|skopeo|helm|oras|crane|az)\s+(?:\w+\s+)?login\b"
_SAME_COMMAND = r"[^|;&\n]{0,500}?\s"
_PATTERNS: t.Tuple[t.Tuple[str, t.Pattern[str]], ...] = tuple(
    (what, re.compile(pattern))
    for what, pattern in (
        (
            "a login for curl",
            r"\bcurl\s(?:[^|;&\n]{0,500}?\s)?(?:-[A-Za-z]{0,8}[uU]\s*|--(?:proxy-)?user[ =]\s*)[\"']?[^\s:\"'$|;&-][^\s:\"'|;&]*:"
            r"(?P<value>[^\s\"'|;&]+)",
        ),
        ("a password for a database", r"\b(?:mysql|mariadb)[\w-]*" + _SAME_COMMAND + r"-p" + _VALUE),
        ("a password for sshpass", r"\bsshpass\s+-p\s*" + _VALUE),
        ("a password for a login", _REGISTRY_CLIENT + _SAME_COMMAND + r"-p[ =]?\s*" + _VALUE),
        (
            "a password that a pipe hands on",
            r"\b(?:echo|printf)\s+(?:-\w+\s+)?(?:[\"']?%s(?:\\n)?[\"']?\s+)?(?P<value>\"[^\"\n]+\"|'[^'\n]+'|[^\s|;&]+)\s*"
            r"\|[^|;&\n]*(?:--password-stdin\b|\bsudo\s+(?:-\w+\s+)*-S|\bchpasswd\b|\bpasswd\s+--stdin)",
        ),
        (
            "a header with a login",
            r"(?i)\bauthorization\s*:\s*(?:(?:bearer|basic|token|digest)\s+)?(?P<value>[^\s\"'|;&]+)",
        ),
        ("a header with a token", r"(?i)\b(?:[a-z]+-)+(?:token|key)\s*:\s*(?P<value>[^\s\"'|;&]+)"),
        (
            "an option with a password",
            r"(?i)\s--?(?:[a-z]+[-_])*(?:password|passwd|passphrase|token|api[-_]?key|client[-_]secret)(?:=|\s+)"
            + _VALUE,
        ),
    )
)


def secret_in(command: str) -> t.Optional[str]:
    """What kind of secret a command is given, as in 'a login for curl'; None for none."""
    for what, pattern in _PATTERNS:
        for found in pattern.finditer(command):
            if not is_no_value(found.group("value")):
                return what
    return None
