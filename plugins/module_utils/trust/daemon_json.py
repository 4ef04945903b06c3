# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Docker's daemon.json: two lists in it, C(insecure-registries) and C(registry-mirrors); the other keys keep their values and
their order.
"""

from __future__ import annotations

import json
import re
import typing as t

INSECURE = "insecure-registries"
MIRRORS = "registry-mirrors"
# What people write for it: dockerd --validate accepts it and it does nothing (26.1, 28.5, 29).
MISSPELT = "insecure-registry"


class BrokenJson(Exception):
    """A daemon.json that is no JSON object with texts in these lists. C(line) counts from 1."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__("line %d: %s" % (line, what))
        self.line = line


def document(content: t.Optional[bytes]) -> t.Dict[str, t.Any]:
    """The settings of a daemon.json's bytes; none if there is no file, or an empty one.

    :raises BrokenJson: no UTF-8, a byte order mark (fatal for Docker 20.10), no JSON, a key twice, no object.
    """
    try:
        text = (content or b"").decode("utf-8")
    except UnicodeDecodeError as error:
        raise BrokenJson((content or b"").count(b"\n", 0, error.start) + 1, "it is not UTF-8") from None
    if text.startswith("\ufeff"):
        raise BrokenJson(1, "it begins with a byte order mark, which is fatal for some versions of Docker; remove it")
    if not text.strip():
        return {}
    try:
        parsed = json.loads(text, object_pairs_hook=_without_twins)
    except json.JSONDecodeError as error:
        raise BrokenJson(error.lineno, error.msg) from None
    if not isinstance(parsed, dict):
        raise BrokenJson(1, "it holds no JSON object ({...})")
    for key in (INSECURE, MIRRORS):
        items = parsed.get(key)
        if items is not None and not (isinstance(items, list) and all(isinstance(item, str) for item in items)):
            raise BrokenJson(1, "%r is no list of texts" % key)
    return parsed


def listed(content: t.Optional[bytes], key: str) -> t.List[str]:
    """A list in these bytes, empty if it is not set."""
    return list(document(content).get(key) or [])


def with_item(content: t.Optional[bytes], key: str, item: str) -> bytes:
    """The bytes with this item in the list; the same bytes if it is there already."""
    settings = document(content)
    items = list(settings.get(key) or [])
    if item in items:
        return content or b""
    settings[key] = [*items, item]
    return _encoded(settings, content)


def without_item(content: t.Optional[bytes], key: str, item: str, keep_list: bool) -> t.Optional[bytes]:
    """The bytes without this item; the same bytes if it is not in the list.

    :param keep_list: leave an empty list where the last item goes, since there was one.
    """
    settings = document(content)
    items = [other for other in settings.get(key) or [] if other != item]
    if items == (settings.get(key) or []):
        return content
    settings[key] = items
    if not items and not keep_list:
        del settings[key]
    return _encoded(settings, content)


def with_list(content: t.Optional[bytes], key: str) -> bytes:
    """The bytes with a list, an empty one if there was none.

    On a reload Docker keeps what it had when the key is missing, and drops it when the list is empty (20.10 to 29): bytes
    without the key follow when it has taken this over.
    """
    settings = document(content)
    if content is not None and key in settings:
        return content
    return _encoded({**settings, key: []}, content)


def _without_twins(pairs: t.List[t.Tuple[str, t.Any]]) -> t.Dict[str, t.Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        keys = [key for key, _value in pairs]
        raise BrokenJson(1, "the key %r stands there twice" % next(key for key in keys if keys.count(key) > 1))
    return result


def _encoded(settings: t.Mapping[str, t.Any], like: t.Optional[bytes]) -> bytes:
    """JSON written as the file was: its indentation, its line ends, its last newline."""
    text = (like or b"").decode("utf-8")
    if not text.strip():
        return (json.dumps(settings, indent=2, ensure_ascii=False) + "\n").encode()
    indented = re.search(r"\{\s*\n([ \t]*)\S", text)
    indent: t.Union[str, None] = indented.group(1) if indented else None
    result = json.dumps(settings, indent=indent or None, ensure_ascii=False)
    result += text[len(text.rstrip()) :]
    if "\r\n" in text:
        result = result.replace("\r\n", "\n").replace("\n", "\r\n")
    return result.encode()
