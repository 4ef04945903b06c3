# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""One container that is tried, and all of a trial's together."""

from __future__ import annotations

import calendar
import dataclasses
import io
import posixpath
import tarfile
import threading
import time
import typing as t
import urllib.parse
import uuid

from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.client import DockerEngine
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.faults import DockerEngineError
from ansible_collections.longshore.delivery.plugins.module_utils.trial import probes
from ansible_collections.longshore.delivery.plugins.module_utils.trial.observed import Answer, State
from ansible_collections.longshore.delivery.plugins.module_utils.trial.owner import (
    OWNER_LABEL,
    RUN_LABEL,
    SECONDS_LABEL,
    Owner,
    is_leftover,
)
from ansible_collections.longshore.delivery.plugins.module_utils.trial.wanted import Wanted

try:
    from docker import errors as docker_errors
except ImportError:  # DockerEngine says so
    docker_errors = None

LOG_LINES = 50
# Docker removes what still runs only after it has killed it
REMOVE_SECONDS = 60
# what is kept of a log, so that one that floods fills no disk
_LOGGING = {"type": "json-file", "config": {"max-size": "5m", "max-file": "1"}}
_PASSWD_MOST = 1024 * 1024


@dataclasses.dataclass(frozen=True)
class Confinement:
    """What a copy may not do beside what none may.

    :param read_only: its root file system; the directories in 'tmpfs' it may write.
    :param no_capabilities: not even those that Docker gives by default.
    """

    read_only: bool
    no_capabilities: bool

    @property
    def capabilities(self) -> str:
        return "no capability at all" if self.no_capabilities else "Docker's default capabilities"


STRICT = Confinement(read_only=True, no_capabilities=True)
READ_ONLY = Confinement(read_only=True, no_capabilities=False)
LOOSE = Confinement(read_only=False, no_capabilities=False)


class Container:
    """A container. What cannot be asked of it any more, as it has ended, is an answer as well."""

    def __init__(self, engine: DockerEngine, identity: str, host: str) -> None:
        self.engine = engine
        self.id = identity
        self.host = host
        self.refused = ""

    def start(self) -> None:
        """Start it. That the engine takes it for one that cannot be started is its state.

        :raises DockerEngineError: it is the engine that cannot start anything now.
        """
        with self.engine.calls(REMOVE_SECONDS) as api:
            try:
                api.start(self.id)
            except docker_errors.APIError as error:
                if error.is_server_error():
                    raise
                self.refused = str(error.explanation or error).strip()

    def state(self) -> State:
        with self.engine.calls() as api:
            found = api.inspect_container(self.id)["State"]
        return State(
            running=bool(found["Running"]) and not self.refused,
            exit_code=int(found["ExitCode"]),
            out_of_memory=bool(found.get("OOMKilled")),
            refused=self.refused,
        )

    def log(self, lines: t.Union[int, str] = LOG_LINES) -> t.Tuple[str, ...]:
        """The last lines it wrote to stdout and stderr.

        :param lines: how many, or C(all).
        """
        with self.engine.calls() as api:
            written: bytes = api.logs(self.id, stdout=True, stderr=True, tail=lines)
        return tuple(written.decode("utf-8", errors="replace").splitlines())

    def written(self) -> t.Tuple[str, ...]:
        """Paths that it made or changed in its own file system, those with nothing of them below."""
        with self.engine.calls() as api:
            return leaves(entry["Path"] for entry in api.diff(self.id) or () if entry["Kind"] in (0, 1))

    def signal(self, name: str) -> None:
        """Send it a signal; one that has ended gets none."""
        with self.engine.calls() as api:
            try:
                api.kill(self.id, name)
            except docker_errors.APIError as error:
                if error.status_code not in (404, 409):
                    raise

    def user_number(self, user: str) -> t.Optional[int]:
        """The number of a user, by the container's /etc/passwd where it is a name; None where that does not tell."""
        name = user.partition(":")[0]
        if name.isdigit():
            return int(name)
        with self.engine.calls() as api:
            try:
                stream, stat = api.get_archive(self.id, "/etc/passwd")
                if stat["size"] > _PASSWD_MOST:
                    return None
                with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
                    file = archive.extractfile(archive.getmembers()[0])
                    text = file.read().decode("utf-8", errors="replace") if file else ""
            except (docker_errors.APIError, tarfile.TarError):
                return None
        fields = (line.split(":") for line in text.splitlines())
        return next((int(entry[2]) for entry in fields if entry[0] == name and entry[2].isdigit()), None)

    def connect(self, port: int) -> Answer:
        address = self._address(port)
        return probes.connect(self.host, address, "port %d" % port) if address else self._ended(port)

    def get(self, port: int, path: str, headers: t.Optional[t.Mapping[str, str]] = None) -> Answer:
        address = self._address(port)
        if not address:
            return self._ended(port)
        return probes.get(self.host, address, path, headers or {}, "port %d" % port)

    def execute(self, command: t.Sequence[str], seconds: float) -> Answer:
        """Run a command in it, and get its exit code and its output.

        In a thread, which ends with the container at the latest: the docker package waits without end.
        """
        found: t.List[Answer] = []
        thread = threading.Thread(target=lambda: found.append(self._execute(command)), daemon=True)
        thread.start()
        thread.join(seconds)
        return found[0] if found else Answer(problem="the command did not end within %d s" % seconds)

    def _execute(self, command: t.Sequence[str]) -> Answer:
        try:
            with self.engine.calls() as api:
                run = api.exec_create(self.id, list(command))["Id"]
                output: bytes = api.exec_start(run)
                code = api.exec_inspect(run)["ExitCode"]
        except DockerEngineError as error:
            return Answer(problem=str(error))
        return Answer(status=code, text=output.decode("utf-8", errors="replace"))

    def _address(self, port: int) -> int:
        """The port of the engine's host by which a port is reached; 0 when it has ended."""
        with self.engine.calls() as api:
            ports = api.inspect_container(self.id)["NetworkSettings"]["Ports"] or {}
        published = ports.get("%d/tcp" % port) or []
        return int(published[0]["HostPort"]) if published else 0

    def _ended(self, port: int) -> Answer:
        return Answer(problem="port %d: the container has ended" % port)


class Containers:
    """All containers of one trial. A label that they have in common finds them, however far a call to the engine came."""

    def __init__(self, engine: DockerEngine, wanted: Wanted, image: str, ports: t.Sequence[int], seconds: int) -> None:
        """
        :param image: its ID.
        :param ports: those to publish.
        :param seconds: within which the trial is over in any case.
        """
        self.engine = engine
        self.wanted = wanted
        self.image = image
        self.ports = ports
        self.run = uuid.uuid4().hex[:12]
        self.labels = {RUN_LABEL: self.run, OWNER_LABEL: str(Owner.here()), SECONDS_LABEL: str(seconds)}
        parts = urllib.parse.urlsplit(engine.address.host)
        self.remote = parts.scheme == "tcp"
        self.host = (parts.hostname or "127.0.0.1") if self.remote else "127.0.0.1"

    def start(self, confinement: Confinement, env: t.Mapping[str, str]) -> Container:
        """Make a copy and start it.

        :param env: its variables, beside those of the image.
        """
        wanted = self.wanted
        with self.engine.calls(REMOVE_SECONDS) as api:
            limits = api.create_host_config(
                mem_limit=wanted.memory,
                memswap_limit=wanted.memory,
                nano_cpus=int(wanted.cpus * 1e9),
                read_only=confinement.read_only,
                tmpfs=dict.fromkeys(wanted.tmpfs, "") if confinement.read_only else None,
                cap_drop=["ALL"] if confinement.no_capabilities else None,
                security_opt=["no-new-privileges"],
                # a remote engine's host is asked from here, so the port is open to others for the moment
                port_bindings={"%d/tcp" % port: ("" if self.remote else self.host,) for port in self.ports},
                log_config=_LOGGING,
            )
            made = api.create_container(
                self.image,
                command=list(wanted.command) if wanted.command is not None else None,
                environment=dict(env),
                user=wanted.user or None,
                ports=[(port, "tcp") for port in self.ports],
                host_config=limits,
                labels=self.labels,
                name="longshore-trial-%s-%s" % (self.run, uuid.uuid4().hex[:6]),
            )
        container = Container(self.engine, made["Id"], self.host)
        container.start()
        return container

    def remove(self) -> None:
        """Remove all that there are, with what they wrote."""
        self._remove({"label": "%s=%s" % (RUN_LABEL, self.run)}, lambda found: True)

    def remove_leftovers(self) -> int:
        """Remove what trials left that were killed; how many there were."""
        now = engine_seconds(self.engine.info()["SystemTime"])
        return self._remove(
            {"label": RUN_LABEL}, lambda found: is_leftover(found.get("Labels") or {}, now - found["Created"])
        )

    def _remove(self, filters: t.Mapping[str, str], unwanted: t.Callable[[t.Mapping[str, t.Any]], bool]) -> int:
        with self.engine.calls(REMOVE_SECONDS) as api:
            listed = [found for found in api.containers(all=True, filters=dict(filters)) if unwanted(found)]
            for found in listed:
                try:
                    api.remove_container(found["Id"], v=True, force=True)
                except docker_errors.APIError as error:
                    # gone, or somebody else is at it: another trial that found the same leftover
                    if error.status_code not in (404, 409):
                        raise
        return len(listed)


def leaves(paths: t.Iterable[str]) -> t.Tuple[str, ...]:
    """Of some paths those that are above none of the others, sorted."""
    listed = set(paths)
    above = {posixpath.dirname(path) for path in listed}
    return tuple(sorted(listed - above))


def engine_seconds(text: str) -> float:
    """An engine's clock as seconds since 1970, from RFC 3339 with nanoseconds and any offset."""
    moment, sign, offset = text[:19], "", ""
    for mark in ("+", "-"):
        _before, found, after = text[19:].partition(mark)
        if found:
            sign, offset = mark, after
    seconds = float(calendar.timegm(time.strptime(moment, "%Y-%m-%dT%H:%M:%S")))
    if offset:
        hours, _colon, minutes = offset.partition(":")
        distance = int(hours) * 3600 + int(minutes) * 60
        seconds -= distance if sign == "+" else -distance
    return seconds
