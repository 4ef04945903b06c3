# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a bucket can be, and what a registry says of one that it cannot work with."""

from __future__ import annotations

import contextlib
import dataclasses
import http.server
import threading
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed
from ansible_collections.longshore.delivery.plugins.module_utils.registry import host_s3
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_s3 import (
    STORAGE_VARIABLE,
    Bucket,
    Storage,
    ask,
    explained,
    lacks_environment,
    obstacle,
    warnings,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_units import Unit

BUCKET = Bucket("images", "us-east-1", "https://s3.example:9000", "/one/two/", "registry", "a-secret")
FAILED = "RequestError: send request failed\ncaused by: "
UNIT = Unit("ours.service", loaded=True, active="active")


def wanting(**changes: t.Any) -> Bucket:
    return dataclasses.replace(BUCKET, **changes)


def test_a_bucket_says_what_its_process_is_given_and_shows_no_secret() -> None:
    assert BUCKET.obstacles == []
    assert BUCKET.named == "s3://images/one/two at https://s3.example:9000"
    assert wanting(endpoint="", prefix="").named == "s3://images at Amazon's region us-east-1"
    login = {"AWS_ACCESS_KEY_ID": "registry", "AWS_SECRET_ACCESS_KEY": "a-secret"}
    assert BUCKET.environment == {STORAGE_VARIABLE: "s3://images/one/two", **login}
    assert wanting(access_key="", secret_key="").environment == {STORAGE_VARIABLE: "s3://images/one/two"}
    assert "a-secret" not in repr(BUCKET)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bucket": ""}, "bucket '', which is no bucket's name"),
        ({"bucket": "one/two"}, "bucket 'one/two'"),
        ({"endpoint": "s3.example:9000"}, "Give a scheme"),
        ({"endpoint": "ftp://s3.example"}, "Give a scheme"),
        ({"endpoint": "https://"}, "Give a scheme"),
        ({"endpoint": "https://s3.example/bucket"}, "Give a scheme"),
        ({"endpoint": "https://s3.example:port"}, "Give a scheme"),
        ({"endpoint": "https://me@s3.example"}, "Give a scheme"),
        ({"endpoint": "", "region": ""}, "neither endpoint nor region"),
        ({"prefix": "a b"}, "prefix 'a b'"),
        ({"prefix": "a" * 60 + " "}, "prefix 'aaa"),
        ({"prefix": "a//b"}, "prefix 'a//b'"),
        ({"secret_key": ""}, "one of access_key and secret_key"),
        ({"access_key": ""}, "one of access_key and secret_key"),
        ({"secret_key": "two words"}, "a key with a space"),
        ({"secret_key": "two\nlines"}, "a key with a space"),
        ({"ca": "/etc/ssl/ca.crt"}, "registry_s3: 'ca' holds no certificate"),
        ({"beside": ("registry_collect",)}, "registry_collect works on files"),
    ],
)
def test_what_can_be_none_is_named_with_the_way_out(changes: dict[str, t.Any], words: str) -> None:
    (said,) = wanting(**changes).obstacles
    assert words in said
    assert said.endswith(".")
    assert "two words" not in said


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            "NoSuchBucket: The specified bucket does not exist\n\tstatus code: 404, request id: 1",
            "NoSuchBucket: The specified bucket does not exist. Make the bucket, or name one that is there",
        ),
        ("AccessDenied: Access Denied.\n\tstatus code: 403", "AccessDenied: Access Denied. Set access_key and"),
        ("AuthorizationHeaderMalformed: expecting 'eu'\n\tstatus code: 400", "expecting 'eu'. Set region"),
        (
            FAILED + 'Get "https://s3/images?x": http: server gave HTTP response to HTTPS client',
            "http: server gave HTTP response to HTTPS client. Have the endpoint begin with http://",
        ),
        (
            FAILED + 'Get "https://s3/images": tls: failed to verify certificate: x509: unknown',
            "tls: failed to verify certificate: x509: unknown. Set ca",
        ),
        (
            FAILED + 'Put "http://s3/images": dial tcp 192.0.2.1:9: connect: connection refused',
            "dial tcp 192.0.2.1:9: connect: connection refused. See that this host reaches the endpoint",
        ),
    ],
)
def test_a_failed_request_is_said_in_one_line_with_the_way_out(said: str, words: str) -> None:
    assert words in explained(said)
    assert "\n" not in explained(said)


@contextlib.contextmanager
def registry(answers: dict[str, int]) -> t.Iterator[tuple[int, list[str]]]:
    """A registry that answers so to each method; its port, and what it was asked."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            asked.append(f"{self.command} {self.path}")
            self.send_response(answers[self.command])
            self.send_header("Content-Length", "0")
            if self.command == "POST":
                self.send_header("Location", "http://127.0.0.1/v2/longshore/storage/blobs/uploads/u?_state=s")
            self.end_headers()

        do_GET = do_POST = do_DELETE = answer

        def log_message(self, format: str, *args: t.Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port, asked
        finally:
            server.shutdown()
            thread.join()


def journal(text: str) -> t.Callable[..., Completed]:
    def run_command(argv: t.Sequence[str], **_options: t.Any) -> Completed:
        assert argv[:2] == ["journalctl", "_SYSTEMD_UNIT=ours.service"]
        return Completed(0, text, "")

    return run_command


@pytest.mark.parametrize("listed", [200, 404])  # by 3.1 and by 2.8
def test_a_registry_that_lists_writes_and_deletes_there_is_well(listed: int) -> None:
    with registry({"GET": listed, "POST": 202, "DELETE": 204}) as (port, asked):
        assert ask(port, "ours.service", journal(""), writes=False) == ""
        assert len(asked) == 1
        assert ask(port, "ours.service", journal(""), writes=True) == ""
    assert asked[1:] == [
        "GET /v2/longshore/storage/tags/list",
        "POST /v2/longshore/storage/blobs/uploads/",
        "DELETE /v2/longshore/storage/blobs/uploads/u?_state=s",
    ]


@pytest.mark.parametrize(
    "answers",
    [{"GET": 500}, {"GET": 404, "POST": 500}, {"GET": 404, "POST": 202, "DELETE": 500}],
)
def test_what_it_logs_of_a_failed_request_is_the_fault(answers: dict[str, int]) -> None:
    logged = (
        'level=error err.detail="s3aws: NoSuchBucket: older"\n'
        r'level=error err.code=unknown err.detail="s3aws: AccessDenied: by \"policy\"\n\tstatus code: 403" go.version=go1.19'
        + "\n"
    )
    with registry(answers) as (port, _asked):
        assert ask(port, "ours.service", journal(logged), writes=True).startswith('AccessDenied: by "policy". Set')


def test_where_it_logs_nothing_its_answer_is_the_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_s3, "_LOG_PATIENCE", 0.0)
    with registry({"GET": 503}) as (port, _asked):
        said = ask(port, "ours.service", journal(""), writes=False)
    assert said == "the registry answers HTTP 503. See 'journalctl --unit ours.service'"


def test_a_registry_that_does_not_run_says_nothing_of_its_bucket() -> None:
    with registry({}) as (port, _asked):
        pass
    assert ask(port, "ours.service", journal(""), writes=True) == ""


def test_a_fault_is_in_the_way_where_the_registry_that_was_asked_uses_the_bucket() -> None:
    (said,) = obstacle(BUCKET, Storage("gone. Mend it"), runs_as_wanted=True)
    assert BUCKET.named in said
    assert said.endswith("(registry_s3), and the storage refuses: gone. Mend it.")
    assert obstacle(BUCKET, Storage("gone"), runs_as_wanted=False) == []
    assert obstacle(BUCKET, Storage(), runs_as_wanted=True) == []
    assert obstacle(None, Storage("gone"), runs_as_wanted=True) == []


def test_a_process_that_was_given_something_else_is_seen() -> None:
    given = dataclasses.replace(UNIT, environment={**BUCKET.environment, "PATH": "/bin"})
    assert not lacks_environment(BUCKET, given)
    assert lacks_environment(wanting(secret_key="another"), given)
    assert lacks_environment(BUCKET, UNIT)
    assert not lacks_environment(None, given)


def test_that_images_stay_where_they_were_is_said_once_they_would_be_missed() -> None:
    by_s3 = dataclasses.replace(UNIT, environment=BUCKET.environment)
    (said,) = warnings(BUCKET, UNIT, Storage(has_files=True), "registry.example")
    assert "kept its images in registry_data, and is to keep them in s3://images/one/two: they do not move" in said
    (said,) = warnings(None, by_s3, Storage(), "registry.example")
    assert "in s3://images/one/two, and is to keep them in registry_data" in said
    (said,) = warnings(wanting(prefix=""), by_s3, Storage(), "registry.example")
    assert "in s3://images/one/two, and is to keep them in s3://images:" in said
    for bucket, unit, storage in (
        (BUCKET, by_s3, Storage(has_files=True)),
        (BUCKET, UNIT, Storage()),
        (None, UNIT, Storage(has_files=True)),
        (BUCKET, dataclasses.replace(UNIT, active="inactive"), Storage(has_files=True)),
    ):
        assert warnings(bucket, unit, storage, "registry.example") == []
