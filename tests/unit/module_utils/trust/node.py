# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node's files below a directory, with engines that are there and do not run: everything but the engines themselves is real."""

from __future__ import annotations

import dataclasses
import os
import typing as t
from pathlib import Path

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import Engine
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.trust import ledger as ledgers
from ansible_collections.longshore.delivery.plugins.module_utils.trust.apply import Application
from ansible_collections.longshore.delivery.plugins.module_utils.trust.locations import Locations
from ansible_collections.longshore.delivery.plugins.module_utils.trust.mirrors import upstreams
from ansible_collections.longshore.delivery.plugins.module_utils.trust.plan import Action, Plan, plan
from ansible_collections.longshore.delivery.plugins.module_utils.trust.scope import scope_of


class Refused(Exception):
    """The plan was refused, with these words."""


def no_commands(argv: t.Sequence[str], **options: t.Any) -> Completed:
    return Completed(127, "", f"{argv[0]}: not here")


@dataclasses.dataclass
class Node:
    """
    :param containerd: its version.
    :param docker: what sets a Docker that runs apart from one that does not, by the fields of its engine.
    :param fallback: whether upstreams are asked where no mirror has an image.
    """

    root: Path
    containerd: str = "1.7.24"
    before_step: t.Callable[[t.Sequence[Action]], None] = lambda actions: None
    docker: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    fallback: bool = True

    @property
    def locations(self) -> Locations:
        return Locations(str(self.root))

    @property
    def engines(self) -> list[Engine]:
        at = self.locations
        return [
            Engine("podman", "4.3.1", at.registries_drop_ins),
            Engine("docker", "26.1.5", str(self.root / "etc/docker/daemon.json"), **self.docker),
            Engine("crio", "1.36.1", "/etc/crio/crio.conf"),
            Engine("containerd", self.containerd, str(self.root / "etc/containerd/config.toml")),
        ]

    def planned(
        self, *registries: RegistrySettings, absent: bool = False, override: bool = False, purge: bool = False
    ) -> Plan:
        ledger = ledgers.load(self.locations)
        mirrored = [] if absent else upstreams(registries, self.fallback)
        scoped = scope_of(self.engines, registries, mirrored, absent, override, ledger, self.locations, purge)
        kept = {
            record.before: content
            for record in ledger.records.values()
            if record.before and (content := ledgers.stored(record.before, self.locations)) is not None
        }
        planned = plan(self.engines, scoped.scope, scoped.files, ledger, kept, override, self.locations)
        refusals = [*scoped.refusals, *planned.refusals]
        if refusals:
            raise Refused(" ".join(refusals))
        return planned

    def remarks(self, *registries: RegistrySettings) -> list[str]:
        """What the user should know and does no harm."""
        ledger = ledgers.load(self.locations)
        mirrored = upstreams(registries, self.fallback)
        return scope_of(self.engines, registries, mirrored, False, False, ledger, self.locations).remarks

    def serve(
        self, *registries: RegistrySettings, absent: bool = False, override: bool = False, purge: bool = False
    ) -> Plan:
        planned = self.planned(*registries, absent=absent, override=override, purge=purge)
        before = ledgers.load(self.locations)
        Application(planned, before, self.locations, no_commands, self.before_step).run()
        return planned

    def files(self) -> dict[str, tuple[bytes, int]]:
        """Content and mode of every file below /etc."""
        found = {}
        for directory, _names, names in os.walk(self.root / "etc"):
            for name in names:
                path = Path(directory, name)
                found[str(path.relative_to(self.root))] = (path.read_bytes(), path.stat().st_mode & 0o7777)
        return found

    def directories(self) -> set[str]:
        return {str(path.relative_to(self.root)) for path in (self.root / "etc").rglob("*") if path.is_dir()}

    def write(self, path: str, content: bytes | str, mode: int = 0o644) -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        target.chmod(mode)
        return target

    def read(self, path: str) -> str:
        return (self.root / path).read_text()
