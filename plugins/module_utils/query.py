# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""A JMESPath expression that each of many things must fulfil. The package is needed only by those who use one."""

from __future__ import annotations

import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils import expression
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.expression import Expression, ExpressionError, holds

Item = t.Dict[str, t.Any]


class QueryError(DeliveryError):
    """An expression that cannot be read or evaluated, or no package to do it with."""


class Query:
    """An expression.

    :param what: what it is for, one of it.
    :param key: by which messages name one.
    :raises QueryError: it is none, or the package jmespath is missing.
    """

    def __init__(self, text: str, what: str = "image", key: str = "id") -> None:
        if expression.IMPORT_PROBLEM:
            raise QueryError(
                "'query' needs the Python package jmespath where the task runs (%s). Install it there, or leave 'query' away and "
                "select what was returned on the controller, which has it: by the filter community.general.json_query."
                % expression.IMPORT_PROBLEM
            )
        self._text = text
        self._what = what
        self._key = key
        try:
            self._expression = Expression(text)
        except ExpressionError as error:
            raise QueryError("query: %r is no JMESPath expression: %s" % (text, error)) from None

    def selected(self, items: t.Sequence[Item], warn: t.Callable[[str], None]) -> t.List[Item]:
        """Those for which it holds, as C(each) finds them."""
        return list(self.each(items, warn))

    def each(self, items: t.Iterable[Item], warn: t.Callable[[str], None]) -> t.Iterator[Item]:
        """Those for which it holds, while they come. Where it is nothing for all of them it is hardly the condition meant.

        :param items: as the result shows them.
        :raises QueryError: it cannot be evaluated, as when a function gets what it does not take.
        """
        seen, nothing = 0, True
        for item in items:
            value = self._value(item)
            seen += 1
            nothing = nothing and value is not False and not holds(value)
            if holds(value):
                yield item
        if seen and nothing:
            warn(
                "query: %r is nothing for each of the %d %ss, so that none is selected. It is evaluated for one %s at a "
                "time: write a condition with the names that one has in the result, as in 'size > `1000`'."
                % (self._text, seen, self._what, self._what)
            )

    def _value(self, item: t.Mapping[str, t.Any]) -> t.Any:
        try:
            return self._expression.value(item)
        except ExpressionError as error:
            raise QueryError(
                "query: %r fails for the %s %s: %s. Test for null first, as in 'size && size > `1000`'."
                % (self._text, self._what, item.get(self._key), error)
            ) from None
