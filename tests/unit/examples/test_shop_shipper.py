# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from shop import __version__
from shop_processes import SHOP, Program, Web, free_port, wait_until


@pytest.fixture
def ship(start: Callable[..., Program], tmp_path: Path) -> Callable[..., Program]:
    def begin(url: str, interval: str) -> Program:
        program = [sys.executable, str(SHOP / "shipper" / "shipper.py")]
        variables = {"METRICS_URL": url, "INTERVAL_SECONDS": interval}
        return start(Program, program, variables, tmp_path, tmp_path / "shipper.log")

    return begin


def test_ships_what_the_application_counts(serve: Callable[..., Web], ship: Callable[..., Program]) -> None:
    web = serve()
    web.get("/")
    shipper = ship(f"http://127.0.0.1:{web.port}/metrics", "0.05")
    lines = wait_until(lambda: shipper.logs()[1:], "the second line")
    assert lines[0]["metrics"]['shop_requests_total{path="/",status="200"}'] == 1
    assert lines[0]["metrics"][f'shop_info{{version="{__version__}"}}'] == 1


def test_outlives_an_application_that_is_away(ship: Callable[..., Program]) -> None:
    shipper = ship(f"http://127.0.0.1:{free_port()}/metrics", "0.05")
    lines = wait_until(lambda: shipper.logs()[1:], "the second line")
    assert "Connection refused" in lines[0]["error"]
    assert shipper.process.poll() is None


def test_stops_at_once_in_the_middle_of_its_pause(ship: Callable[..., Program]) -> None:
    shipper = ship(f"http://127.0.0.1:{free_port()}/metrics", "3600")
    wait_until(shipper.logs, "the first line")
    began = time.monotonic()
    shipper.terminate()
    assert shipper.wait() == 0
    assert time.monotonic() - began < 10  # of 3600
