# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Podman as an engine that runs what is tried, by its program, on the host that it runs on."""

from __future__ import annotations

import json
import os
import platform
import re
import tempfile
import time
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError, RunCommand
from ansible_collections.longshore.delivery.plugins.module_utils.node.client import EngineRefusal, run_program
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import PODMAN
from ansible_collections.longshore.delivery.plugins.module_utils.node.held_images import (
    with_algorithm,
    without_algorithm,
)
from ansible_collections.longshore.delivery.plugins.module_utils.node.said import core_of
from ansible_collections.longshore.delivery.plugins.module_utils.trial.docker_trials import host_port
from ansible_collections.longshore.delivery.plugins.module_utils.trial.engine import MOST_READ, Listed, Wish
from ansible_collections.longshore.delivery.plugins.module_utils.trial.observed import Answer, State
from ansible_collections.longshore.delivery.plugins.module_utils.trial.podman_ways import (
    GONE,
    ITS_OWN,
    NOT_NOTED,
    NOT_RUNNING,
    OF_THE_IMAGE,
    TMPFS,
)

# variables by which Podman itself would do otherwise
_PODMANS = re.compile(
    r"(?:PATH|HOME|USER|TMPDIR|TZ|LANG|NOTIFY_SOCKET)\Z|"
    r"(?:_|XDG|CONTAINER|STORAGE|REGISTR|BUILDAH|PODMAN|LD|GO|LC|DBUS|LISTEN|NETAVARK|AARDVARK|CNI|RUST|HTTPS?|NO|ALL|FTP)_?",
    re.IGNORECASE,
)
_ENDED_BY_TIMEOUT = 124
_NOT_EXECUTED = (125, 255)  # by Podman, which says why
# the two outputs in the order in which they were written
_IN_ORDER = ("sh", "-c", 'exec "$@" 2>&1', "sh")
# the same, of which the first bytes are kept, and the exit code
_LIMITED = (
    "sh",
    "-c",
    '{ { { { "$@" 2>&1 3>&- 4>&-; echo $? >&3; } | { head -c %d >&4; cat > /dev/null; }; } 3>&1; } '
    '| { read -r code; exit "$code"; }; } 4>&1' % MOST_READ,
    "sh",
)


class PodmanError(DeliveryError):
    """Podman does not do what it is asked; the message has its own words."""


class PodmanTrials:
    """Podman's containers of the user who runs this.

    :param program: its path.
    """

    name = PODMAN
    host = "127.0.0.1"

    def __init__(self, program: str, run_command: RunCommand) -> None:
        self._program = program
        self._run_command = run_command
        self.where = "Podman on %s" % platform.node()

    def close(self) -> None:
        """Nothing is open."""

    def image(self, name: str) -> t.Optional[t.Mapping[str, t.Any]]:
        found = self._inspected("image", without_algorithm(name))
        return None if found is None else {**found, "Id": with_algorithm(found["Id"])}

    def now(self) -> float:
        return time.time()

    def make(self, wish: Wish) -> str:
        confinement = wish.confinement
        argv = ["create", "--name", wish.name, "--memory", str(wish.memory), "--memory-swap", str(wish.memory)]
        argv += ["--cpus", str(wish.cpus), "--security-opt", "no-new-privileges"]
        argv += [
            "--log-driver",
            "k8s-file",
            "--log-opt",
            "max-size=5mb",
            "--http-proxy=false",
            "--pull=never",
            "--no-healthcheck",
        ]
        if confinement.read_only:
            argv += ["--read-only", "--read-only-tmpfs=false"]
            for directory in wish.tmpfs:
                argv += ["--tmpfs", "%s:%s" % (directory, TMPFS)]
        if confinement.no_capabilities:
            argv += ["--cap-drop", "ALL"]
        for port in wish.ports:
            argv += ["--publish", "%s::%d/tcp" % (self.host, port)]
        for name, value in sorted(wish.labels.items()):
            argv += ["--label", "%s=%s" % (name, value)]
        if wish.user:
            argv += ["--user", wish.user]
        # values may be secret: they go by Podman's own environment, those that it would take for its own by a private file
        own = {name: value for name, value in wish.env.items() if _PODMANS.match(name)}
        others = {name: value for name, value in wish.env.items() if name not in own}
        for name in sorted(others):
            argv += ["--env", name]
        with tempfile.TemporaryDirectory(prefix="longshore-trial-") as directory:
            if own:
                argv += ["--env-file", _env_file(own, directory)]
            argv += [without_algorithm(wish.image), *(wish.command or ())]
            return self._podman(argv, environment=others).strip().rpartition("\n")[2]

    def start(self, container: str) -> str:
        try:
            self._podman(["start", container])
        except PodmanError as error:
            if not OF_THE_IMAGE.search(str(error)):
                raise
            return str(error)
        return ""

    def state(self, container: str) -> State:
        return State.from_inspect(self._shown(container))

    def published(self, container: str, port: int) -> int:
        return host_port(self._shown(container), port)

    def log(self, container: str, lines: t.Union[int, str]) -> str:
        tail = [] if lines == "all" else ["--tail", str(lines)]
        return self._podman(["logs", *tail, container], in_order=True)

    def written(self, container: str) -> t.List[str]:
        found = json.loads(self._podman(["diff", "--format", "json", container]) or "{}")
        return [path for kind in ("changed", "added") for path in found.get(kind) or () if path not in ITS_OWN]

    def signal(self, container: str, name: str) -> None:
        try:
            self._podman(["kill", "--signal", name, container])
        except PodmanError as error:
            if not GONE.search(str(error)) and not NOT_RUNNING.search(str(error)):
                raise

    def file(self, container: str, path: str) -> str:
        with tempfile.TemporaryDirectory(prefix="longshore-trial-") as directory:
            copied = os.path.join(directory, "copied")
            try:
                self._podman(["cp", "%s:%s" % (container, path), copied])
            except PodmanError:
                return ""
            if os.path.islink(copied) or not os.path.isfile(copied) or os.path.getsize(copied) > MOST_READ:
                return ""
            with open(copied, encoding="utf-8", errors="replace") as file:
                return file.read()

    def execute(self, container: str, command: t.Sequence[str], seconds: float) -> Answer:
        argv = ["timeout", str(seconds), *_LIMITED, self._program, "exec", container, *command]
        done = self._run_command(argv)
        if done.rc == _ENDED_BY_TIMEOUT:
            return Answer(problem="the command did not end within %d s" % seconds)
        if done.rc in _NOT_EXECUTED and done.stdout.startswith("Error: "):
            return Answer(problem=core_of(done.stdout))
        return Answer(status=done.rc, text=done.stdout)

    def listed(self, label: str, value: str = "") -> t.List[Listed]:
        wanted = "label=%s=%s" % (label, value) if value else "label=%s" % label
        found = json.loads(self._podman(["ps", "--all", "--no-trunc", "--format", "json", "--filter", wanted]) or "[]")
        return [Listed(entry["Id"], entry.get("Labels") or {}, float(entry["Created"])) for entry in found or ()]

    def remove(self, container: str) -> None:
        argv = ["rm", "--force", "--time", "0", "--volumes", container]
        try:
            try:
                self._podman(argv)
            except PodmanError as error:
                if not NOT_NOTED.search(str(error)):
                    raise
                self._podman(argv)
        except PodmanError as error:
            if not GONE.search(str(error)):
                raise

    def _shown(self, container: str) -> t.Mapping[str, t.Any]:
        found = self._inspected("container", container)
        if found is None:
            raise PodmanError("%s does not have the container %s any more." % (self.where, container))
        return found

    def _inspected(self, kind: str, name: str) -> t.Optional[t.Dict[str, t.Any]]:
        try:
            [found] = json.loads(self._podman([kind, "inspect", name]))
        except PodmanError as error:
            if GONE.search(str(error)):
                return None
            raise
        return t.cast("t.Dict[str, t.Any]", found)

    def _podman(
        self,
        arguments: t.Sequence[str],
        environment: t.Optional[t.Mapping[str, str]] = None,
        in_order: bool = False,
    ) -> str:
        argv = [*(_IN_ORDER if in_order else ()), self._program, *arguments]
        try:
            return run_program(self._run_command, argv, environment=environment)
        except EngineRefusal as refusal:
            raise PodmanError("%s refused: %s" % (self.where, core_of(str(refusal)))) from None


def _env_file(variables: t.Mapping[str, str], directory: str) -> str:
    """A file with variables in a private directory.

    :raises PodmanError: a value has a line break, which such a file cannot hold.
    """
    for name, value in variables.items():
        if "\n" in value or "\r" in value:
            raise PodmanError("The variable %s has a line break, and Podman would take it for its own." % name)
    path = os.path.join(directory, "env")
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write("".join("%s=%s\n" % item for item in variables.items()))
    return path
