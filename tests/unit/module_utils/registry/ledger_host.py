# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A registry's host whose ledger is a real one."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed, Context
from tests.returned import run

MARK = "# Written by the role"


class Host(t.NamedTuple):
    """A directory with what the role writes, on a host whose programs only say what they were asked for."""

    root: Path
    asked: list[list[str]]

    @property
    def ledger(self) -> Path:
        return self.root / "state/registry.json"

    def call(self, state: str, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        params = {
            "state": state,
            "instance": "",
            "ledger": str(self.ledger),
            "files": [str(self.root / "etc/config.yml"), str(self.root / "etc/htpasswd")],
            "shared_files": [],
            "mark": MARK,
            "directories": [str(self.root / "etc"), str(self.root / "images")],
            "packages": [],
            "services": [],
            "units": [],
            "site": "",
            "port": 0,
            "nginx_file": str(self.root / "nginx.conf"),
            "leftovers": [str(self.root / "notes")],
            "garbage_notes": "",
            "settling": "",
            "data": [str(self.root / "images/docker"), str(self.root / "log*")],
            "remove_data": False,
            "volume": None,
            "aside": str(self.root / "state/aside"),
            "kept": None,
            "run": None,
            **options,
        }

        def answer(argv: t.Sequence[str], **more: t.Any) -> Completed:
            self.asked.append(list(argv))
            return Completed(0, "", "")

        return run("registry_host_ledger", params, Context(check, True, lambda said: None, print, answer))

    def leave(self) -> None:
        """What a run of the role does and notes."""
        (self.root / "images").mkdir(mode=0o700)
        assert self.call("begun")["changed"]
        (self.root / "etc").mkdir()
        (self.root / "images/docker").mkdir()
        (self.root / "images").chmod(0o755)
        for name, text in (("etc/config.yml", f"{MARK}\n"), ("etc/htpasswd", "ci:hash"), ("log.1", "")):
            (self.root / name).write_text(text)
        assert not self.call("begun")["changed"]
        assert not self.call("done")["changed"]
