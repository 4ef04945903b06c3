# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pushes in check mode where the stages before have not been run: no image is built, and no registry serves yet."""

from __future__ import annotations

import contextlib
import socket
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed, Context, DeliveryError
from tests import returned
from tests.http_server import AnsweringServer, Reply, Request, json_reply

IMAGE_ID = "sha256:" + "a" * 64


@contextlib.contextmanager
def answering(answers: dict[str, t.Any]) -> t.Iterator[str]:
    """An HTTP server with a document for some paths (their ends), 404 for the others; its host and port."""

    def answer(request: Request) -> Reply:
        found = next((document for end, document in answers.items() if request.path.endswith(end)), None)
        return json_reply({"message": "No such image"}, 404) if found is None else json_reply(found)

    with AnsweringServer(answer) as server:
        yield server.endpoint


@pytest.fixture
def engine() -> t.Iterator[dict[str, t.Any]]:
    """A Docker engine that has no image; its answers, and under C(host) its address."""
    answers: dict[str, t.Any] = {"/version": {"ApiVersion": "1.45", "MinAPIVersion": "1.24", "Version": "26.1"}}
    with answering(answers) as address:
        yield {"answers": answers, "host": "tcp://" + address}


@pytest.fixture
def nobody() -> t.Iterator[str]:
    """A port that is taken and at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield "127.0.0.1:%d" % taken.getsockname()[1]


def push(
    engine: dict[str, t.Any], endpoint: str, check: bool = True, **options: t.Any
) -> tuple[dict[str, t.Any], list[str]]:
    """The result of a push of shop/web:1, and its warnings."""

    def no_command(argv: t.Sequence[str], **options: t.Any) -> Completed:
        raise NotImplementedError

    warnings: list[str] = []
    context = Context(check, True, warnings.append, lambda line: None, no_command)
    params = {
        "name": "shop/web",
        "tags": ["1"],
        "registry": {"endpoint": endpoint, "tls": "plain"},
        "docker_host": engine["host"],
        **options,
    }
    return returned.run("image_push", params, context), warnings


def test_where_no_registry_is_yet_the_image_would_be_pushed(engine: dict[str, t.Any], nobody: str) -> None:
    engine["answers"]["/images/shop/web:1/json"] = {"Id": IMAGE_ID, "RepoDigests": []}
    result, warnings = push(engine, nobody)
    assert (result["changed"], result["image_id"], result["digest"], result["reference"]) == (
        True,
        IMAGE_ID,
        None,
        None,
    )
    assert len(warnings) == 1
    assert nobody + "/shop/web:1 would be pushed" in warnings[0]
    with pytest.raises(DeliveryError, match="nothing takes connections"):
        push(engine, nobody, check=False)


def test_an_image_that_is_not_built_yet_would_be_pushed(engine: dict[str, t.Any]) -> None:
    with answering({"/v2/": {}}) as endpoint:
        result, warnings = push(engine, endpoint)
        assert (result["changed"], result["image_id"], result["reference"]) == (True, None, None)
        assert [(tag["before"], tag["digest"]) for tag in result["tags"]] == [(None, None)]
        assert len(warnings) == 1
        assert "has no image" in warnings[0]
        assert endpoint + "/shop/web:1 would be pushed" in warnings[0]
        with pytest.raises(DeliveryError, match="has no image"):
            push(engine, endpoint, check=False)


def test_a_registry_that_refuses_is_an_error_in_check_mode_too(engine: dict[str, t.Any]) -> None:
    """Only what the stages before would have made is foreseen: here something else answers."""
    with answering({}) as endpoint, pytest.raises(DeliveryError, match="404"):
        push(engine, endpoint)


def test_the_directory_of_certificates_is_looked_at(engine: dict[str, t.Any], nobody: str) -> None:
    with pytest.raises(DeliveryError, match=r"There is no ca\.pem in /no/such/certificates"):
        push(engine, nobody, docker_cert_path="/no/such/certificates")
