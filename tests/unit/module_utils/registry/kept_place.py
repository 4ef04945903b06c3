# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A registry with images, and a directory for its backup."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed, Context
from tests.returned import run

from .servers import Registry
from .storages import Written

# the functions of os by which a backup or a restore takes hold
CHANGES = ("rename", "rmdir", "sync")


class Kept(t.NamedTuple):
    """
    :ivar warnings: what the modules warned of.
    """

    registry: Registry
    written: Written
    directory: Path
    warnings: list[str]

    def back_up(self, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        params = {"files": [], "garbage_notes": "", "keep": 0, "reread": False, **options}
        return self._run("registry_backup", {"storage": str(self.written.root), **params}, check)

    def restore(self, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        params = {"snapshot": "", "files": [], "garbage_notes": "", "discard": False, **options}
        there = {"storage": str(self.written.root), "backend_port": self.registry.port}
        return self._run("registry_restore", {**there, **params}, check)

    def _run(self, module: str, params: dict[str, t.Any], check: bool) -> dict[str, t.Any]:
        context = Context(check, False, self.warnings.append, print, lambda *given, **more: Completed(127, "", ""))
        return run(module, {"directory": str(self.directory), **params}, context)

    def copied(self) -> dict[str, bytes]:
        """What the backup holds, by the digests that the files' names say."""
        found = [path for path in (self.directory / "blobs").rglob("*") if path.is_file()]
        return {f"{path.parents[1].name}:{path.name}": path.read_bytes() for path in found}

    def snapshots(self) -> list[str]:
        return sorted(path.stem for path in (self.directory / "snapshots").iterdir())

    def beside(self) -> Path:
        """Where a restore makes what is to be served."""
        return self.written.root / ".longshore-restore"


def fill(written: Written) -> None:
    """An index of two images, one image without a tag, two repositories with a blob in common."""
    children = [written.image("shop", b"amd64", b"base"), written.image("shop", b"arm64", b"base")]
    written.tag("shop", "1", written.index("shop", *children))
    written.image("shop", b"untagged", b"base")
    written.tag("shop/web", "1", written.image("shop/web", b"web", b"base"))
