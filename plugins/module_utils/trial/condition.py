# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What a text must fulfil: a regular expression that is found in it, or a JMESPath expression that holds for it as JSON."""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils import expression
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.expression import Expression, ExpressionError


class InvalidCondition(DeliveryError):
    """An expression that cannot be read, or no package to do it with; the message says where it stands."""


@dataclasses.dataclass(frozen=True)
class Condition:
    """A condition; both must hold where both are set, and an empty one always holds."""

    regex: str = ""
    jmespath: str = ""

    @classmethod
    def compiled(cls, where: str, *, regex: t.Optional[str] = None, jmespath: t.Optional[str] = None) -> Condition:
        """A condition whose expressions can be read.

        :param where: the option it stands in, for messages.
        :raises InvalidCondition: one cannot, or the package jmespath is missing.
        """
        try:
            re.compile(regex or "")
        except re.error as error:
            raise InvalidCondition("%s: regex %r cannot be read: %s." % (where, regex, error)) from None
        if jmespath:
            if expression.IMPORT_PROBLEM:
                raise InvalidCondition(
                    "%s: 'jmespath' needs the Python package jmespath where this runs (%s). Install it with pip, or use 'regex'."
                    % (where, expression.IMPORT_PROBLEM)
                )
            try:
                Expression(jmespath)
            except ExpressionError as error:
                raise InvalidCondition("%s: jmespath %r cannot be read: %s" % (where, jmespath, error)) from None
        return cls(regex or "", jmespath or "")

    def fault(self, text: str) -> str:
        """Why it does not hold for a text; empty when it does. JMESPath has null, false and what is empty not hold."""
        if self.regex and not re.search(self.regex, text, re.MULTILINE):
            return "the regular expression %r is not found in it" % self.regex
        if not self.jmespath:
            return ""
        try:
            document = json.loads(text)
        except ValueError:
            return "it is no JSON"
        try:
            holds = Expression(self.jmespath).holds(document)
        except ExpressionError as error:
            return "the JMESPath expression %r fails: %s" % (self.jmespath, error)
        return "" if holds else "the JMESPath expression %r does not hold" % self.jmespath
