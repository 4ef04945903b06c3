# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests to the Service, sent from a node of the cluster while something else goes on."""

from __future__ import annotations

import json
import typing as t
import uuid
from dataclasses import dataclass
from pathlib import Path

from .ad_hoc import AdHoc, script
from .errors import DemoError
from .settings import Settings

SCRIPT = Path(__file__).with_name("load_script.py")
LIMIT_SECONDS = 300


@dataclass(frozen=True)
class Count:
    """Answers by greeting, failed requests by reason."""

    answers: dict[str, int]
    failures: dict[str, int]

    @property
    def sent(self) -> int:
        return sum(self.answers.values()) + sum(self.failures.values())

    @classmethod
    def of(cls, told: str) -> Count:
        """Read what the script told. Raises DemoError if nobody stopped it, ValueError or LookupError if it told else."""
        counted = json.loads(told)
        if not counted["stopped"]:
            raise DemoError(
                f"the requests ended at their limit of {LIMIT_SECONDS} s, before the delivery that they were to accompany: see "
                f"why it takes so long, or raise LIMIT_SECONDS in {Path(__file__).name}"
            )
        return cls(counted["answers"], counted["failures"])


class Load:
    """A context: requests flow from HOST to URL while its body runs; `count` is there afterwards."""

    count: Count

    def __init__(self, settings: Settings, host: str, url: str) -> None:
        self._settings = settings
        self._host = host
        self._url = url
        self._stop_file = f"/tmp/longshore-demo-{uuid.uuid4().hex}"

    def __enter__(self) -> Load:
        self._sending = script(self._settings, self._host, SCRIPT, self._url, self._stop_file, str(LIMIT_SECONDS))
        return self

    def __exit__(self, *exception: t.Any) -> None:
        stopping = {"path": self._stop_file, "state": "touch", "mode": "0600"}
        try:
            AdHoc(self._settings, self._host, "ansible.builtin.file", stopping).results()
            self.count = self._read(self._sending.results())
        except DemoError:
            if exception[0] is None:  # else what went wrong before is what matters
                raise

    def _read(self, results: dict[str, dict[str, t.Any]]) -> Count:
        try:
            return Count.of(results[self._host]["stdout"])
        except (ValueError, LookupError) as error:
            raise DemoError(f"the requests from {self._host} to {self._url} were not counted: {results}") from error
