# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A registry is started anew and asked for all that it served before."""

from __future__ import annotations

import os
import shutil
import time
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed, Context, DeliveryError
from tests.returned import run

from .conftest import StartRegistry
from .kept_place import fill
from .servers import Registry
from .storages import Written

GONE = 0.3  # seconds between the end of one process and the start of the next


class Host:
    """A host whose systemd ends the registry and starts another one, on the same port and with the same images."""

    def __init__(self, start: StartRegistry) -> None:
        self._start = start
        self.registry = start()
        self.written = Written(self.registry.directory / "data")
        fill(self.written)
        self.has_images = True
        self.starts = True

    def _again(self) -> Registry:
        self.registry.stop()
        time.sleep(GONE)
        again = self._start(port=self.registry.port)
        if self.has_images:
            (again.directory / "data").symlink_to(self.written.root)
        return again

    def restart(self, check: bool = False, patience: int = 15) -> dict[str, t.Any]:
        def answer(argv: t.Sequence[str], **more: t.Any) -> Completed:
            if "start" not in argv:
                return Completed(0, "", "")
            if not self.starts:
                self.registry.stop()
                return Completed(0, "", "")
            self.registry = self._again()
            return Completed(0, "", "")

        params = {"unit": "registry.service", "port": self.registry.port, "storage": str(self.written.root)}
        context = Context(check, False, print, print, answer)
        return run("registry_restart", {**params, "garbage_notes": "", "patience": patience}, context)


@pytest.fixture
def host(start_registry: StartRegistry, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return Host(start_registry)


def test_it_is_asked_for_all_of_it_and_the_outage_is_measured(host: Host) -> None:
    began = time.monotonic()
    result = host.restart()
    assert GONE < result["outage_seconds"] < time.monotonic() - began
    assert result["proved"] > 5
    assert result["unserved"] == []


def test_check_mode_only_asks(host: Host) -> None:
    result = host.restart(check=True)
    assert (result["outage_seconds"], result["unserved"]) == (0.0, [])
    assert result["proved"] > 5


def test_what_is_served_no_more_is_named(host: Host) -> None:
    host.has_images = False
    with pytest.raises(
        DeliveryError, match=r"registry.service was started anew, and does not serve what it did: .*HTTP 404"
    ):
        host.restart()


def test_what_was_not_served_before_is_no_fault_of_the_restart(host: Host) -> None:
    digest = host.written.image("shop", b"amd64", b"base")
    shutil.rmtree(host.written.blob_file(digest).parent)
    assert host.restart()["proved"] > 3


def test_one_that_does_not_come_up_is_said(host: Host) -> None:
    host.starts = False
    with pytest.raises(
        DeliveryError, match=r"does not answer on 127.0.0.1 port [0-9]+ within 1 s: see 'journalctl --unit registry"
    ):
        host.restart(patience=1)


def test_one_that_does_not_serve_before_is_not_restarted(host: Host) -> None:
    host.registry.stop()
    with pytest.raises(DeliveryError, match=r"does not answer on 127.0.0.1 port"):
        host.restart()
