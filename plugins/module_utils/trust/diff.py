# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""A plan as a diff, without the secrets that others keep in the same files."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.trust.file_plan import FileStep

_SECRET_KEY = re.compile(
    r"""(?im)^(?P<key>.*?(?:password|passwd|secret|token|authorization|\bauth)["']?\s*[=:]\s*)"""
    r"""(?P<value>\S.*?)(?P<end>,?\s*)$"""
)
_USER_IN_URL = re.compile(r"(://[^/\s:@\"']*):[^/\s@\"']+@")
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL)


def diffs(steps: t.Iterable[FileStep]) -> t.List[t.Dict[str, str]]:
    """One diff a file, in the form of Ansible's C(diff)."""
    return [
        {
            "before_header": step.path if step.before is not None else "%s (not there)" % step.path,
            "after_header": step.path if step.after is not None else "%s (removed)" % step.path,
            "before": "" if step.before is None else _shown(step.before.content, step.before.mode, step),
            "after": "" if step.after is None else _shown(step.after, step.mode, step),
        }
        for step in steps
    ]


def _shown(content: bytes, mode: int, step: FileStep) -> str:
    changes_mode_only = step.before is not None and step.before.content == step.after
    return masked(content.decode("utf-8", "replace")) if not changes_mode_only else "mode: %04o\n" % mode


def masked(text: str) -> str:
    """The text with the values of keys that look like secrets, passwords in URLs and private keys replaced."""
    text = _PRIVATE_KEY.sub("***", text)
    text = _USER_IN_URL.sub(r"\1:***@", text)
    return _SECRET_KEY.sub(lambda match: "%s***%s" % (match.group("key"), match.group("end")), text)
