# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Which names stand for secrets, and which values only stand where a secret would."""

from __future__ import annotations

import re

PLACEHOLDER = re.compile(r"example|changeme|change_me|placeholder|redacted|dummy|your[-_]|x{6}|\*\*\*|\.\.\.", re.I)
_NAME = re.compile(
    r"(?:(?:password|passwd|passphrase)"
    r"|(?:\A|[_.-])(?:pwd|pass|secret|token|api_?key|private_?key|access_?key|secret_?key(?:_?base)?|credentials?))"
    r"(?:[_.-]?v?\d+)?\Z",
    re.I,
)
_INNER_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# empty, a switch, a number's worth of nothing, a path, a reference to another variable
_NO_VALUE = re.compile(r"\A(?:|true|false|yes|no|none|null|\d{1,3}|/.*|\$.*|`.*|<.*>|\{\{.*\}\}|%\w.*)\Z", re.I | re.S)
# as a variable of the environment is called: a setting may say in which one its value is
_OF_VARIABLE = re.compile(r"[_.-]env(?:[_.-]?(?:var|name|key))?\Z", re.I)
_VARIABLE = re.compile(r"\A[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\Z")
# letters in one case, or the first alone upper; longer ones are no words
_WORD = re.compile(r"\A(?:[A-Za-z][a-z]{0,15}|[A-Z]{1,16})(?:[_-][a-z]{1,16})*\Z")


def names_secret(name: str) -> bool:
    """Whether a setting by this name holds a secret: C(DB_PASSWORD), C(dbPassword), C(API_SECRET_V2)."""
    return bool(_NAME.search(_INNER_CAPITAL.sub("_", name)))


def is_no_value(value: str) -> bool:
    """Whether a value, quoted or not, is no secret whatever it is called."""
    return bool(_NO_VALUE.match(value.strip("\"'")))


def names_variable(name: str, value: str) -> bool:
    """Whether a setting says in which variable a secret is, as C(API_KEY_ENV=MY_KEY) does."""
    return bool(_OF_VARIABLE.search(name) and _VARIABLE.match(value.strip("\"' ")))


def is_words(value: str) -> bool:
    """Whether a value is one word or several, as a setting's is that chooses: nothing in it is random."""
    said = re.sub(r"\s#.*", "", value).strip("\"' ")  # without a comment at the line's end
    return all(_WORD.match(word) for word in re.split(r"[\s,;:]+", said))
