# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""JMESPath expressions. The package is needed only by those who use one."""

from __future__ import annotations

import typing as t

try:
    import jmespath
    from jmespath import exceptions as jmespath_exceptions
except ImportError as error:
    IMPORT_PROBLEM: t.Optional[str] = str(error)
else:
    IMPORT_PROBLEM = None


class ExpressionError(Exception):
    """An expression that cannot be read or evaluated; on one line, in JMESPath's words."""


class Expression:
    """An expression.

    :raises ExpressionError: it is none. The package must be there: C(IMPORT_PROBLEM) is None.
    """

    def __init__(self, text: str) -> None:
        try:
            self._compiled = jmespath.compile(text)
        except jmespath_exceptions.JMESPathError as error:
            raise ExpressionError(" ".join(str(error).split())) from None

    def value(self, document: t.Any) -> t.Any:
        """What it is for a document.

        :raises ExpressionError: it cannot be evaluated, as when a function gets what it does not take.
        """
        try:
            return self._compiled.search(document)
        except jmespath_exceptions.JMESPathError as error:
            raise ExpressionError(" ".join(str(error).split())) from None

    def holds(self, document: t.Any) -> bool:
        """Whether it holds for a document.

        :raises ExpressionError: as C(value).
        """
        return holds(self.value(document))


def holds(value: t.Any) -> bool:
    """Whether what an expression is counts as true: nothing, false and what is empty do not in JMESPath."""
    return value is not None and value is not False and value not in ("", [], {})
