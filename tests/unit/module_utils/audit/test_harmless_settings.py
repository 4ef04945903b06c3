# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings by the ten thousand that are called secret and are none cost little, and hide no secret among them."""

from __future__ import annotations

import time

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.audit.secret_scan import SecretScan

PLACEHOLDER = "change" + "me"
LINES = 20_000
# by what the file is, the text of one setting with a number in it, and what stands between two
SETTINGS = {
    "config.json": ('  "%%s_%%d": "%s"' % PLACEHOLDER, ",\n"),
    "minified.json": ('"%%s_%%d":"%s"' % PLACEHOLDER, ","),
    "config.yaml": ("%%s_%%d: %s" % PLACEHOLDER, "\n"),
    "config.ini": ("%s_%d = abc", "\n"),
}
# slower than a text of the same size without such words; it was 60 times by line, and 300 in one line
MOST = 35


def seconds(scan: SecretScan, path: str, data: bytes) -> float:
    began = time.process_time()
    assert scan.file(path, len(data), [data]) == []
    return time.process_time() - began


@pytest.mark.parametrize("path", SETTINGS)
def test_they_cost_little_more_than_other_text(scan: SecretScan, path: str) -> None:
    text, between = SETTINGS[path]
    called_secret, plain = (
        between.join(text % (word, number) for number in range(LINES)).encode() for word in ("secret", "sugars")
    )
    assert len(called_secret) == len(plain)
    took = [(seconds(scan, path, called_secret), seconds(scan, path, plain)) for _run in range(3)]
    assert min(secret for secret, _plain in took) < MOST * min(plain for _secret, plain in took)


@pytest.mark.parametrize("path", SETTINGS)
@pytest.mark.parametrize("at", [0, LINES // 2, LINES - 1])
def test_a_secret_among_them_is_found(scan: SecretScan, path: str, at: int) -> None:
    text, between = SETTINGS[path]
    lines = [text % ("secret", number) for number in range(LINES // 20)]
    where = at // 20
    lines[where] = lines[where].replace(PLACEHOLDER, "hunter22x").replace("abc", "hunter22x")
    data = between.join(lines).encode()
    [found] = scan.file(path, len(data), [data])
    line = where + 1 if "\n" in between else 1
    assert (found.rule, found.what, found.place) == ("secret", "Secret Keyword", f"line {line}")
