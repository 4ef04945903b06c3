# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A registry that asks its clients for a certificate: every engine of the lab shows it what the module gave them."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest

from .lab import ENGINES, EVERY_NODE, files, main_processes, run_module
from .registries import Served, certificate, serving
from .test_trust import EVERY_ENGINE_PULLS, said_by_engines

pytestmark = [pytest.mark.lab, pytest.mark.wide, pytest.mark.usefixtures("untrusted")]


@pytest.fixture
def mutual(registry_program: str, tmp_path: Path) -> t.Iterator[Served]:
    authority, issued = certificate(tmp_path / "certificates")
    clients, client = certificate(tmp_path / "clients")
    with serving(registry_program, tmp_path / "registry", issued, login=False, clients=clients) as endpoint:
        pair = {"client_certificate": client.pem, "client_key": client.key_file.read_text()}
        yield Served({"endpoint": endpoint, "ca": authority.pem, **pair})


def test_every_engine_shows_the_certificate_that_it_is_asked_for(mutual: Served) -> None:
    before = {node: files(node) for node in EVERY_NODE}
    without = {key: value for key, value in mutual.options.items() if not key.startswith("client")}
    refused = run_module(*EVERY_NODE, registries=[without])
    assert all(result["failed"] and "certificate" in result["msg"] for result in refused.values())
    for name, result in run_module(*EVERY_NODE, registries=[without], verify="never").items():
        assert not result["failed"], f"{name}: {result}"
    for name, said in said_by_engines(mutual).items():
        assert re.search("certificate required|bad certificate", said), f"{name}: {said}"

    processes = {node: main_processes(node) for node in EVERY_NODE}
    results = run_module(*EVERY_NODE, registries=[mutual.options])
    for name, result in results.items():
        assert not result["failed"], f"{name}: {result}"
        assert {pull["verified_by"] for engine in result["engines"] for pull in engine["pulls"]} == {"pull"}
        assert "PRIVATE KEY" not in str(result)
    assert said_by_engines(mutual) == EVERY_ENGINE_PULLS
    assert {node: main_processes(node) for node in EVERY_NODE} == processes  # read at every pull
    assert not any(result["changed"] for result in run_module(*EVERY_NODE, registries=[mutual.options]).values())

    run_module(*EVERY_NODE, registries=[{"endpoint": mutual.endpoint}], state="absent")
    assert all(said_by_engines(mutual)[str(engine)] for engine in ENGINES)
    assert {node: files(node) for node in EVERY_NODE} == before
