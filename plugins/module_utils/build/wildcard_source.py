# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What a wildcard of COPY and ADD means, as Go's C(filepath.Match) has it: no star goes beyond a C(/)."""

from __future__ import annotations

import itertools
import os
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.context import BuildContext
from ansible_collections.longshore.delivery.plugins.module_utils.build.dockerignore import matcher
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.stages import is_wildcard
from ansible_collections.longshore.delivery.plugins.module_utils.printable import printable

_ESCAPED_OR_STARS = re.compile(r"(\\.)|\*+", re.DOTALL)


def why_nothing_matches(context: BuildContext, pattern: str) -> str:
    """Why a build finds nothing by a wildcard, and what to do: sentences. Empty where it finds something, or where the wildcard
    is one that the builder refuses.

    :param pattern: relative to the context, without C(.) and C(..).
    """
    parts = pattern.split("/")
    plain = len(list(itertools.takewhile(lambda part: not is_wildcard(part), parts)))
    parts = [*filter(None, context.resolve("/".join(parts[:plain])).split("/")), *parts[plain:]]
    # for .dockerignore two stars are more than one
    parts = [_ESCAPED_OR_STARS.sub(lambda found: found.group(1) or "*", part) for part in parts]
    try:
        tests = [matcher(part) for part in parts]
    except (ValueError, re.error):
        return ""
    if any(_is_match(path, tests) for path in context.entries):
        return ""
    for path in _on_disk(context.root, tests):
        kept_out = context.why_kept_out(path)
        if kept_out:
            return "%s matches %s, which is %s" % (pattern, printable(path), kept_out)
    return "nothing in %s matches %s. Correct the instruction or 'source'." % (context.root, pattern)


_Tests = t.Sequence[t.Callable[[str], bool]]


def _is_match(path: str, tests: _Tests) -> bool:
    parts = path.split("/")
    return len(parts) == len(tests) and all(test(part) for test, part in zip(tests, parts))


def _on_disk(root: str, tests: _Tests) -> t.List[str]:
    found = [""]
    for test in tests:
        listed = ((above, _names(os.path.join(root, above))) for above in found)
        found = [os.path.join(above, name) for above, names in listed for name in names if test(name)]
    return found


def _names(directory: str) -> t.List[str]:
    try:
        return sorted(os.listdir(directory))
    except OSError:  # as of a file
        return []
