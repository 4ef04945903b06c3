# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Tokens of a form of their own that detect-secrets has no detector for, in detectors that are asked as its are."""

from __future__ import annotations

import re
import typing as t


class OwnDetector:
    """:param secret_type: what it finds, as it is said."""

    def __init__(self, secret_type: str, pattern: str) -> None:
        self.secret_type = secret_type
        self._pattern = re.compile(pattern)

    def analyze_string(self, string: str) -> t.Iterator[str]:
        """The secrets in a line."""
        for found in self._pattern.finditer(string):
            yield found.group()


OWN: t.Mapping[str, OwnDetector] = {
    # "github_pat_", 22 characters, "_" and 59
    "GitHubFineGrainedToken": OwnDetector("GitHub fine-grained token", r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    "GoogleApiKey": OwnDetector("Google API key", r"(?<![A-Za-z0-9_-])AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
}
