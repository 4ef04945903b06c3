# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the lab keeps what it makes: all of it below the user's XDG cache, none of it in the checkout."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Places:
    """Paths below CACHE. `lab` is the state of the running lab and goes with it; programs and images stay."""

    root: Path

    @classmethod
    def of_user(cls) -> Places:
        """CACHE of whoever runs this: $XDG_CACHE_HOME/longshore, else ~/.cache/longshore."""
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        return cls(Path(base) / "longshore")

    @property
    def lock(self) -> Path:
        return self.root / "lab.lock"

    @property
    def images(self) -> Path:
        """Images of the nodes as saved tars, and the archives that nodes import."""
        return self.root / "images"

    @property
    def engine(self) -> Path:
        """Log and process id of an engine that the lab itself started."""
        return self.root / "engine"

    @property
    def installing(self) -> Path:
        """Names what packages of the host are being installed for, until they are."""
        return self.root / "installing"

    @property
    def lab(self) -> Path:
        return self.root / "lab"

    @property
    def ssh(self) -> Path:
        return self.lab / "ssh"

    @property
    def pki(self) -> Path:
        return self.lab / "pki"

    @property
    def builder(self) -> Path:
        """ca.pem, cert.pem and key.pem of a client of dock's engine."""
        return self.lab / "builder"

    @property
    def docker_config(self) -> Path:
        """DOCKER_CONFIG of the controller: holds the buildx plugin."""
        return self.lab / "docker"

    @property
    def inventory(self) -> Path:
        return self.lab / "inventory.yml"

    @property
    def kubeconfig(self) -> Path:
        return self.lab / "kubeconfig"
