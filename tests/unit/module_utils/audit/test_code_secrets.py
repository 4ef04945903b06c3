# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets in the text of programs and scripts, in addresses anywhere, and in text of two bytes a character.

The values are put together here, so that no text in this file looks like one.
"""

from __future__ import annotations

import time

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.audit.detectors import Detectors
from ansible_collections.longshore.delivery.plugins.module_utils.audit.report import audit
from ansible_collections.longshore.delivery.plugins.module_utils.audit.secret_scan import SecretScan, Sighting

from .made import Content, audited, config, layer
from .test_secrets import BODY, letters

WORD, KEY = "hunter" + "22", letters(30)
PHP = "define( '%s', '%s' );"


def sightings(scan: SecretScan, files: dict[str, Content]) -> list[Sighting]:
    return list(layer(files, scan.file).sightings)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("app/settings.py", f"SECRET_KEY = '{KEY}'"),
        ("app/settings.py", f"    'PASSWORD': '{WORD}',"),
        ("app/settings.py", f'api_key: str = "{KEY}"'),
        ("app/lib/client.rb", f"  password => '{WORD}'"),
        ("app/wp-config.php", PHP % ("DB_PASSWORD", WORD)),
        ("app/index.js", f'const dbPassword = "{WORD}";'),
        ("app/index.ts", f"const authToken: string = `{KEY}`;"),
        ("app/x.min.js", f'var a=1;f({{user:"x",password:"{WORD}"}})'),
        ("app/config.xml", f'<db user="x" password="{WORD}"/>'),
        ("app/config.xml", f'<property name="password" value="{WORD}"/>'),
        ("app/config.xml", f"<password>{WORD}</password>"),
        ("app/build.gradle", f"storePassword '{WORD}'"),
        ("usr/local/bin/job", f"#!/usr/bin/env python3\npassword = '{WORD}'"),
        ("usr/local/bin/job", f"#!/bin/sh\nDB_PASSWORD={WORD} job"),
        ("app/start.sh", f"export DB_PASSWORD={WORD}"),
        ("app/start.sh", "export DB_PASSWORD=" + "sword" + "fish"),
        ("app/start.sh", f"AWS_SECRET_ACCESS_KEY={letters(40)} job"),
        ("etc/environment", f'DB_PASSWORD="{WORD}"'),
        ("root/.profile", f"export API_TOKEN='{KEY}'"),
        ("root/.bashrc", f"API_TOKEN={KEY}"),
    ],
)
def test_what_is_written_out_in_a_program_is_found(scan: SecretScan, path: str, line: str) -> None:
    text = line if line.startswith("#!") else "\n" + line
    (found,) = sightings(scan, {path: text.encode() + b"\n"})
    assert (found.path, found.rule, found.what, found.place) == (path, "secret", "Secret Keyword", "line 2")


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("app/settings.py", "SECRET_KEY = os.environ['SECRET_KEY_2']"),
        ("app/settings.py", "PASSWORD = get_password('name1')"),
        ("app/settings.py", "password = 'password_field'"),
        ("app/settings.py", "TOKEN = 'token1'"),
        ("app/settings.py", "password = '${PASSWORD_1}'"),
        ("app/settings.py", "password = 'sha256'"),
        ("app/settings.py", f"greeting = '{WORD}'"),
        ("app/index.js", 'set_token("token", "a1b2c3d4e5f6g7h8")'),
        ("app/index.js", 'var password="#password1"'),
        ("app/config.xml", "<password>${db.password1}</password>"),
        ("app/start.sh", 'export DB_PASSWORD="$(cat /run/secrets/x1)"'),
        ("app/start.sh", "export DB_PASSWORD=$1"),
        ("app/start.sh", "token=next"),
        ("app/start.sh", "export DB_PASSWORD_FILE=/run/secrets/db1"),
        ("app/tests/test_login.py", f"password = '{WORD}'"),
        ("app/login.spec.ts", f"const password = '{WORD}'"),
        ("app/vendor/x/login.php", f"$password = '{WORD}';"),
        ("app/.venv/lib/python3.11/site-packages/x.py", f"password = '{WORD}'"),
        ("usr/share/x/setup.sh", f"export DB_PASSWORD={WORD}"),
        ("usr/bin/x", f"#!/bin/sh\nexport DB_PASSWORD={WORD}"),
    ],
)
def test_what_is_no_value_or_a_packages_is_none(scan: SecretScan, path: str, line: str) -> None:
    assert sightings(scan, {path: line.encode()}) == []


LOGIN = f"https://ci:{letters(12)}1@get.example/x"


def test_an_address_with_a_password_is_found_in_every_text_that_was_copied(
    scan: SecretScan, detectors: Detectors
) -> None:
    text = f"# see\ncurl {LOGIN}\n".encode()
    files: dict[str, Content] = {
        "app/readme": text,
        "app/start.sh": text,
        "app/program": b"\0" + text,
        "usr/share/doc/x": text,
        "app/.git/config": f"[remote]\n url = https://oauth2:{letters(20)}@git.example/x\n".encode(),
        "app/words.md": b"https://user:password@host.example and https://you:$TOKEN1@host.example",
    }
    found = layer(files, scan.file)
    for instruction, paths in (
        ("COPY . .", {"app/readme", "app/start.sh", "app/.git/config"}),
        ("RUN install", {"app/start.sh", "app/.git/config"}),
    ):
        report = audit(audited(config([(instruction, True)], User="1"), (found,)), detectors)
        assert {
            each.path for each in report.findings if each.rule == "secret" and each.what.endswith("line 2")
        } == paths
    large = b"x" * 100 + b"\n" + b"y" * (9 * 1024 * 1024) + text
    assert [each.if_copied for each in sightings(scan, {"app/log": large})] == [True]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_text_of_two_bytes_a_character_is_read(scan: SecretScan, encoding: str) -> None:
    text = "first\n-----BEGIN %s-----\n%s" % ("PRIVATE" + " KEY", BODY)
    (found,) = sightings(scan, {"app/key.txt": text.encode(encoding)})
    assert (found.rule, found.place) == ("private_key", "line 2")
    (found,) = sightings(scan, {"app/settings.ini": f"a = 1\npassword = {WORD}\n".encode(encoding)})
    assert found.place == "line 2"


@pytest.mark.parametrize("text", [b"key" + b" " * 40, b'password="', b"key_" * 40 + b":", b"https://", b"export "])
@pytest.mark.parametrize("path", ["x.py", "x.sh"])
def test_what_nearly_is_one_a_thousand_times_costs_little(scan: SecretScan, path: str, text: bytes) -> None:
    """Eight times the text takes some eight times as long, where a search that begins anew at each place takes sixty-four."""

    def seconds(size: int) -> float:
        data = (text * (size // len(text)))[: size - 1]
        started = time.process_time()
        assert scan.file(path, len(data), [data]) == []
        return time.process_time() - started

    assert seconds(1024 * 1024) < 24 * max(0.02, min(seconds(128 * 1024) for _turn in range(2)))
