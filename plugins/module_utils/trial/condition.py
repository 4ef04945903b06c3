# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Conditions: whether they can be read, and whether they hold for a text."""

from __future__ import annotations

import json
import re

from ansible_collections.longshore.delivery.plugins.module_utils import expression
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.expression import Expression, ExpressionError
from ansible_collections.longshore.delivery.plugins.module_utils.trial.wanted import Condition


class InvalidCondition(DeliveryError):
    """An expression that cannot be read, or no package to do it with; the message says where it stands."""


def check(condition: Condition, where: str) -> None:
    """See that its expressions can be read.

    :param where: the option it stands in, for messages.
    :raises InvalidCondition: one cannot, or the package jmespath is missing.
    """
    try:
        re.compile(condition.regex)
    except re.error as error:
        raise InvalidCondition("%s: regex %r cannot be read: %s." % (where, condition.regex, error)) from None
    if condition.jmespath and expression.IMPORT_PROBLEM:
        raise InvalidCondition(
            "%s: 'jmespath' needs the Python package jmespath where this runs (%s). Install it with pip, or use 'regex'."
            % (where, expression.IMPORT_PROBLEM)
        )
    if condition.jmespath:
        try:
            Expression(condition.jmespath)
        except ExpressionError as error:
            raise InvalidCondition("%s: jmespath %r cannot be read: %s" % (where, condition.jmespath, error)) from None


def fault(condition: Condition, text: str) -> str:
    """Why a condition does not hold for a text; empty when it does."""
    if condition.regex and not re.search(condition.regex, text, re.MULTILINE):
        return "the regular expression %r is not found in it" % condition.regex
    if not condition.jmespath:
        return ""
    try:
        document = json.loads(text)
    except ValueError:
        return "it is no JSON"
    try:
        holds = Expression(condition.jmespath).holds(document)
    except ExpressionError as error:
        return "the JMESPath expression %r fails: %s" % (condition.jmespath, error)
    return "" if holds else "the JMESPath expression %r does not hold" % condition.jmespath
