# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""An engine of the cluster that pulls over and over, asked on its node: this costs little beside what is done meanwhile."""

from __future__ import annotations

import base64
import subprocess

from tests.integration.registry_trust.lab import Engine

# Until it is told to end. The engine asks the registry by a connection of its own each time, for what the tag now stands for.
_SCRIPT = """
end=$(mktemp -u)
while [ ! -e $end ]; do
  said=$(crictl pull "$1" 2>&1) && echo ok || echo "$(date +%T)" $said
  sleep 0.1
done &
read -r line
touch $end
wait
rm $end
crictl rmi "$1" > /dev/null 2>&1 || true
"""


class Pulls:
    """A context: the image is pulled, with a pause of 100 ms.

    :ivar count: how often, once it has ended.
    :ivar failures: what the engine said.
    """

    def __init__(self, engine: Engine, image: str, login: tuple[str, str] | None) -> None:
        self.engine = engine
        self.count = 0
        self.failures: list[str] = []
        auth = base64.b64encode(":".join(login).encode()).decode() if login else ""
        given = [f"--env=CRICTL_AUTH={auth}"] if login else []
        self._argv = ["docker", "exec", "-i", *given, engine.node.container, "sh", "-c", _SCRIPT, "sh", image]

    def __enter__(self) -> Pulls:
        self._running = subprocess.Popen(
            self._argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        return self

    def __exit__(self, *exception: object) -> None:
        output, _none = self._running.communicate("\n", timeout=60)
        lines = output.splitlines()
        self.failures = [f"{self.engine}: {line}" for line in lines if line != "ok"]
        self.count = len(lines)
