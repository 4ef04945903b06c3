# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets in files: found wherever they are, by what they are, and their values nowhere in what is said.

The values are put together here, so that no text in this file looks like one.
"""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import re
import string
import time

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.audit import detectors as known
from ansible_collections.longshore.delivery.plugins.module_utils.audit.anchors import DETECTORS
from ansible_collections.longshore.delivery.plugins.module_utils.audit.detectors import Detectors
from ansible_collections.longshore.delivery.plugins.module_utils.audit.layer import read_layer
from ansible_collections.longshore.delivery.plugins.module_utils.audit.own_detectors import OWN
from ansible_collections.longshore.delivery.plugins.module_utils.audit.report import audit
from ansible_collections.longshore.delivery.plugins.module_utils.audit.secret_scan import SecretScan, Sighting
from ansible_collections.longshore.delivery.plugins.module_utils.audit.uncompressed import BLOCK_BYTES

from .made import Content, audited, config, layer, layer_bytes

LETTERS = "qZ7mK2xW9bT4vR8nY3cL6pF1hJ5sD0gXaEuIoQwBtNkMzVrPyCjHfSlGdAeUiO"


def letters(count: int) -> str:
    return (LETTERS * (count // len(LETTERS) + 1))[:count]


def lower(count: int) -> str:
    return letters(count).lower()


def segment(document: dict[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


SECRETS = {
    "AWS Access Key": "AKIA" + "QZ7MK2XW9BT4VR8N",
    "GitHub Token": "ghp_" + letters(36),
    "GitHub fine-grained token": "github" + "_pat_" + letters(22) + "_" + letters(59),
    "Google API key": "AI" + "za" + letters(35),
    "GitLab Token": "glpat-" + letters(20),
    "Slack Token": "xoxb-" + "123456789012-" + lower(24),
    "Stripe Access Key": "sk_" + "live_" + letters(24),
    "JSON Web Token": ".".join((segment({"alg": "HS256"}), segment({"sub": "somebody"}), letters(43))),
    "NPM tokens": "//registry.example/:_auth" + "Token=npm_" + letters(36),
    "PyPI Token": "pypi-AgE" + "IcHlwaS5vcmc" + letters(80),
    "Azure Storage Account access key": "Account" + "Key=" + letters(86) + "==",
    "SendGrid API Key": "SG." + letters(22) + "." + letters(43),
    "Square OAuth Secret": "sq0" + "csp-" + letters(43),
    "OpenAI Token": "sk-" + letters(20) + "T3Blbk" + "FJ" + letters(20),
}


SETTINGS = {
    "Artifactory Credentials": "artifactory: AK" + "C" + letters(20),
    "AWS Access Key": "aws_secret_access_key = '" + letters(40) + "'",
    "Basic Auth Credentials": "url: https://ci:%s@get.example/x" % letters(12),
    "Cloudant Credentials": "url: https://shop:" + "0a1b2c3d" * 8 + "@shop.cloudant.com",
    "Discord Bot Token": "bot: M" + letters(23) + "." + letters(6) + "." + letters(27),
    "IBM Cloud IAM Key": "ibm_cloud_iam_api_key: " + letters(44),
    "IBM COS HMAC Credentials": "cos_hmac_secret_access_key: " + "0a1b2c3d" * 6,
    "Mailchimp Access Key": "list: " + "0a1b2c3d" * 4 + "-us" + "7",
    "Secret Keyword": "client_secret: " + letters(12),
    "SoftLayer Credentials": "softlayer_api_key: " + lower(64),
    "Telegram Bot Token": "123456789" + ":" + letters(35),
    "Twilio API Key": "account: AC" + lower(32),
}


def sightings(scan: SecretScan, files: dict[str, Content]) -> list[Sighting]:
    return list(layer(files, scan.file).sightings)


@pytest.mark.parametrize("what", SECRETS)
@pytest.mark.parametrize("around", [("", ""), ("value = '", "'\n"), ("\x7fELF\0\0", "\0\0rest")])
def test_a_token_is_found_in_any_file(scan: SecretScan, what: str, around: tuple[str, str]) -> None:
    data = (around[0] + SECRETS[what] + around[1]).encode()
    (found,) = sightings(scan, {"opt/app/data.bin": data})
    assert (found.path, found.rule, found.what) == ("opt/app/data.bin", "secret", what)


def test_every_search_has_a_secret_that_shows_it() -> None:
    """So that no search is in the list that finds nothing, whose detector has another name."""
    pytest.importorskip("detect_secrets", reason="the package detect-secrets is not in this environment: make venv")
    assert len(DETECTORS) == len(SECRETS)


def test_every_detector_of_the_package_has_its_place() -> None:
    util = pytest.importorskip(
        "detect_secrets.core.plugins.util", reason="the package detect-secrets is not in this environment: make venv"
    )
    there = {kind.__name__ for kind in util.get_mapping_from_secret_type_to_class().values()}
    placed = {name for _pattern, names in known.SETTINGS_ANCHORS for name in names}.union(DETECTORS, known.LEFT_OUT)
    assert there == placed - OWN.keys()


@pytest.mark.parametrize("before", range(-90, 10, 7))
def test_a_token_is_found_where_two_blocks_meet(scan: SecretScan, before: int) -> None:
    secret = SECRETS["GitHub Token"].encode()
    filler = b"." * (BLOCK_BYTES + before)
    pieces = [filler + secret + b"\n"]
    data = pieces[0] + b"." * 5000
    (found,) = scan.file("data", len(data), [data[:BLOCK_BYTES], data[BLOCK_BYTES:]])
    assert found.what == "GitHub Token"


def test_a_token_is_found_in_pieces_of_any_size(scan: SecretScan) -> None:
    data = b"." * 40 + SECRETS["SendGrid API Key"].encode() + b"\n" + b"." * 40
    for size in (1, 3, 50, 100):
        pieces = [data[start : start + size] for start in range(0, len(data), size)]
        assert [found.what for found in scan.file("data", len(data), pieces)] == ["SendGrid API Key"]


def test_the_place_is_said(scan: SecretScan) -> None:
    token = SECRETS["GitHub Token"].encode()
    assert sightings(scan, {"a.txt": b"one\ntwo\n" + token})[0].place == "line 3"
    assert sightings(scan, {"a.bin": b"\0one\ntwo\n" + token})[0].place == "byte 9"
    far = b"\n" * (BLOCK_BYTES + 5000) + token
    assert sightings(scan, {"a.txt": far})[0].place == "byte %d" % (BLOCK_BYTES + 5000)


def test_one_kind_is_said_once_for_a_file_and_each_kind(scan: SecretScan) -> None:
    lines = [line for secret in SECRETS.values() for line in [secret] * 3]
    assert sorted(found.what for found in sightings(scan, {"a": "\n".join(lines).encode()})) == sorted(SECRETS)


@pytest.mark.parametrize(
    "text", ["AKIA" + "IOSFODNN7EXAMPLE", "ghp_" + "x" * 36, "eyJ" + letters(20) + "." + letters(20)]
)
def test_what_only_stands_where_a_secret_would_is_none(scan: SecretScan, text: str) -> None:
    assert sightings(scan, {"doc.txt": text.encode()}) == []


BODY = "\n".join((letters(64),) * 4)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (
            "-----BEGIN %s-----\n%s\n-----END %s-----\n" % (("PRIVATE" + " KEY", BODY, "PRIVATE" + " KEY")),
            "private key",
        ),
        ("-----BEGIN RSA %s-----\r\n%s" % ("PRIVATE" + " KEY", BODY), "RSA private key"),
        (
            "-----BEGIN RSA %s-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n%s"
            % ("PRIVATE" + " KEY", BODY),
            "RSA private key",
        ),
        ("-----BEGIN OPENSSH %s-----\n%s" % ("PRIVATE" + " KEY", BODY), "OPENSSH private key"),
        ('{"private_key": "-----BEGIN %s-----\\n%s"}' % ("PRIVATE" + " KEY", letters(64)), "private key"),
        ("-----BEGIN PGP %s BLOCK-----\nVersion: 1\n\n%s" % ("PRIVATE" + " KEY", BODY), "PGP private key"),
        ("PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n", "PuTTY private key"),
    ],
)
def test_a_private_key_is_found_anywhere(scan: SecretScan, text: str, what: str) -> None:
    for before in (b"", b"\0" * (BLOCK_BYTES - 20)):
        (found,) = sightings(scan, {"x": before + text.encode()})
        assert (found.rule, found.what) == ("private_key", what)


def test_what_reads_keys_has_none(scan: SecretScan) -> None:
    begin = "-----BEGIN RSA %s-----" % ("PRIVATE" + " KEY")
    for text in (
        begin + "\0-----END",
        'if line == "%s":\n    return read(line)\n' % begin,
        begin + "\n...\n-----END",
        "-----BEGIN PUBLIC KEY-----\n" + BODY,
    ):
        assert sightings(scan, {"usr/lib/libcrypto.so": text.encode()}) == []


def test_settings_in_one_long_line_are_read_one_by_one(scan: SecretScan, monkeypatch: pytest.MonkeyPatch) -> None:
    """A detector of keywords looks at the first of what it is shown; and to show it all for each would take minutes."""
    harmless = {f"k{number}": {"key": "a.b", "title": "What is a password?"} for number in range(500)}
    document = json.dumps({**harmless, "db_password": lower(20), "more": harmless}, separators=(",", ":"))
    seen = Detectors.seen
    shown = 0

    def counted(self: Detectors, names: list[str], line: str, hit: str, of_system: bool = False) -> str | None:
        nonlocal shown
        shown += len(line)
        return seen(self, names, line, hit, of_system)

    monkeypatch.setattr(Detectors, "seen", counted)
    (found,) = sightings(scan, {"app/settings.json": document.encode()})
    assert (found.rule, found.what) == ("secret", "Secret Keyword")
    assert shown < 10 * len(document)
    assert sightings(scan, {"app/settings.json": document.replace("db_password", "db_greeting").encode()}) == []


def test_settings_are_read_line_by_line(scan: SecretScan) -> None:
    password = "password = " + letters(12)
    url = "url: postgres://shop:%s@db/shop" % letters(12)
    assert [found.what for found in sightings(scan, {"etc/app.ini": ("a = 1\n" + password).encode()})] == [
        "Secret Keyword"
    ]
    (found,) = sightings(scan, {"app/config.yml": ("a: 1\n" + url).encode()})
    assert (found.what, found.place) == ("Basic Auth Credentials", "line 2")


@pytest.mark.parametrize("what", SETTINGS)
def test_every_kind_of_secret_in_settings(scan: SecretScan, detectors: Detectors, what: str) -> None:
    """Several may see it; the one whose kind it is must, and be led to it by a search of its own."""
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class

    line = ("first: 1\n" + SETTINGS[what] + "\nlast: 1\n").encode()
    assert {(kind.rule, kind.place) for kind in scan.file("app/config.yml", len(line), [line])} == {
        ("secret", "line 2")
    }
    name = get_mapping_from_secret_type_to_class()[what].__name__
    assert detectors.seen([name], SETTINGS[what], "") == what
    assert any(name in names and re.search(pattern, line.lower()) for pattern, names in known.SETTINGS_ANCHORS)


def test_every_detector_for_settings_is_shown() -> None:
    pytest.importorskip("detect_secrets", reason="the package detect-secrets is not in this environment: make venv")
    assert len({name for _pattern, names in known.SETTINGS_ANCHORS for name in names}) == len(SETTINGS)


def test_a_line_may_be_a_whole_file(scan: SecretScan) -> None:
    data = ('{"a": "%s", "client_secret": "%s", "b": "%s"}' % ("x" * 9000, letters(12), "y" * 9000)).encode()
    assert [found.what for found in scan.file("app/x.json", len(data), [data])] == ["Secret Keyword"]


@pytest.mark.parametrize("path", ["app/readme.txt", "usr/share/app/app.ini", "usr/lib/python3/dist-packages/x/x.yml"])
def test_words_elsewhere_are_no_settings(scan: SecretScan, path: str) -> None:
    assert sightings(scan, {path: ("password = " + letters(12)).encode()}) == []


@pytest.mark.parametrize(
    "line",
    [
        "password = ${DB_PASSWORD}",
        "password = <yours>",
        "password =",
        "password = changeme",
        "password_file = /run/secrets/db",
    ],
)
def test_settings_that_name_no_value_are_no_secrets(scan: SecretScan, line: str) -> None:
    assert sightings(scan, {"etc/app.ini": line.encode()}) == []


# lines of a Debian root, but for the key's body
DEBIAN: dict[str, Content] = {
    "etc/nsswitch.conf": b"# /etc/nsswitch.conf\n\npasswd:         files\ngroup:          compat systemd\nhosts:  files dns\n",
    "etc/debconf.conf": b"#BindDN: uid=admin,dc=domain,dc=com\n#BindPasswd: secret\n#KeyByKey: 0\n",
    "etc/ssl/openssl.cnf": b"ref = 3078\nsecret = pass:insta # can be used for both client and server side\n",
    "usr/lib/libunistring.so": b"\x7fELF\0DADANGODARA3" + b"DARA4DARGADASIADAVIDDDDHADDHAADDHEEDDIEPDDIE\0",
    "usr/lib/libgnutls.so": ("\x7fELF\0\0-----BEGIN %s-----\n%s" % ("PRIVATE" + " KEY", BODY)).encode(),
}


def test_a_debian_root_has_nothing_that_fails(scan: SecretScan, detectors: Detectors) -> None:
    report = audit(audited(config(User="1000"), (layer(DEBIAN, scan.file),)), detectors)
    assert [(found.rule, found.severity, found.path) for found in report.findings] == [
        ("private_key_in_program", "medium", "usr/lib/libgnutls.so")
    ]


@pytest.mark.parametrize("value", ["hunter22", "swordFish", "pass word1", letters(20).lower(), "a.b!c"])
def test_a_password_of_the_system_is_one(scan: SecretScan, value: str) -> None:
    assert sightings(scan, {"etc/ldap.conf": b"bindpasswd: " + value.encode()})


@pytest.mark.parametrize("value", ["swordfish", "hunter22"])
def test_a_word_may_be_an_applications_password(scan: SecretScan, value: str) -> None:
    assert sightings(scan, {"app/app.ini": b"password = " + value.encode()})


def test_a_key_among_data_is_no_programs(scan: SecretScan) -> None:
    key = "-----BEGIN %s-----\n%s" % ("PRIVATE" + " KEY", BODY)
    for start in ("SQLite format 3\0", "", "\0"):
        (found,) = scan.file("data", len(key), [start.encode()[:2], start.encode()[2:], key.encode()])
        assert found.rule == "private_key"
    (found,) = scan.file("data", len(key), [b"\x7fE", b"LF\0", key.encode()])
    assert found.rule == "private_key_in_program"


def test_web_tokens_that_never_end_cost_little(scan: SecretScan) -> None:
    """Each beginning is gone over for itself otherwise: 2 s for a MB."""
    for data in (b"eyJ" * 350_000, b"eyJabcdefghij.abcdefghij " * 4_000):
        started = time.process_time()
        assert scan.file("data", len(data), [data]) == []
        assert time.process_time() - started < 0.5


def test_a_token_behind_what_is_none_is_found(scan: SecretScan) -> None:
    none, token = b"eyJabcdefghij.abcdefghij ", SECRETS["JSON Web Token"].encode()
    for before in range(0, 400, 7):
        data = none * before + token + b"\n"
        assert [found.what for found in scan.file("data", len(data), [data])] == ["JSON Web Token"]


def test_a_deleted_secret_is_said_with_the_layer_that_ships_it(scan: SecretScan, detectors: Detectors) -> None:
    token = SECRETS["GitHub Token"]
    layers = (layer({"app/token": token.encode()}, scan.file), layer({"app/.wh.token": b""}, scan.file))
    (found,) = (f for f in audit(audited(config(User="1000"), layers), detectors).findings if f.rule == "secret")
    assert (found.layer, found.path, found.severity) == (0, "app/token", "high")
    assert "layer 1 deletes it, and layer 0 still ships it" in found.what


def test_no_value_is_in_what_is_said(scan: SecretScan, detectors: Detectors) -> None:
    """Each secret in a file, the environment, a label, an argument, an instruction and the command, at once."""
    key = "-----BEGIN %s-----\n%s\n" % ("PRIVATE" + " KEY", BODY)
    text = "\n".join([*SECRETS.values(), key, "password = " + letters(14)])
    stream = io.BytesIO(layer_bytes({"app/.env": text.encode()}))
    history = [("RUN |1 TOKEN=%s /bin/sh -c login %s # buildkit" % (value, value), False) for value in SECRETS.values()]
    history += [("ARG PASSWORD=" + letters(20), False), ("RUN /bin/sh -c PASSWORD=%s login" % letters(20), True)]
    image = audited(
        config(
            history,
            Env=["V%d=%s" % (number, value) for number, value in enumerate(SECRETS.values())],
            Labels={"v%d" % number: value for number, value in enumerate(SECRETS.values())},
            Cmd=["app", *SECRETS.values()],
        ),
        (read_layer(stream, scan.file),),
    )
    report = audit(image, detectors)
    assert len(report.findings) > 3 * len(SECRETS)
    said = json.dumps([dataclasses.asdict(report), *(found.as_result() for found in report.findings)])
    parts = [
        value[start : start + 12]
        for value in [*SECRETS.values(), letters(20), BODY]
        for start in range(8, len(value) - 12)
    ]
    harmless = ("registry.exa", "_authToken=")
    assert not [part for part in parts if part in said and not any(word in part for word in harmless)]
    assert set(said) <= set(string.printable)
