# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""A JMESPath expression that an image must fulfil. The package is needed only by those who use one."""

from __future__ import annotations

import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils import expression
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.expression import Expression, ExpressionError, holds


class QueryError(DeliveryError):
    """An expression that cannot be read or evaluated, or no package to do it with."""


class Query:
    """An expression.

    :raises QueryError: it is none, or the package jmespath is missing.
    """

    def __init__(self, text: str) -> None:
        if expression.IMPORT_PROBLEM:
            raise QueryError(
                "'query' needs the Python package jmespath where the task runs (%s). Install it there, or leave 'query' away and "
                "select what was returned on the controller, which has it: by the filter community.general.json_query."
                % expression.IMPORT_PROBLEM
            )
        self._text = text
        try:
            self._expression = Expression(text)
        except ExpressionError as error:
            raise QueryError("query: %r is no JMESPath expression: %s" % (text, error)) from None

    def selected(
        self, images: t.Sequence[t.Dict[str, t.Any]], warn: t.Callable[[str], None]
    ) -> t.List[t.Dict[str, t.Any]]:
        """Those for which it holds. Where it is nothing for all of them it is hardly the condition that was meant.

        :param images: as the result shows them.
        :raises QueryError: it cannot be evaluated, as when a function gets what it does not take.
        """
        values = [self._value(image) for image in images]
        if values and all(value is not False and not holds(value) for value in values):
            warn(
                "query: %r is nothing for each of the %d images, so that none is selected. It is evaluated for one image at a "
                "time: write a condition with the names that an image has in the result, as in 'size > `1000`'."
                % (self._text, len(values))
            )
        return [image for image, value in zip(images, values) if holds(value)]

    def _value(self, image: t.Mapping[str, t.Any]) -> t.Any:
        try:
            return self._expression.value(image)
        except ExpressionError as error:
            raise QueryError(
                "query: %r fails for the image %s: %s. Test for null first, as in 'size && size > `1000`'."
                % (self._text, image.get("id"), error)
            ) from None
