# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""A Docker engine as one that runs what is tried, by its API; Podman's service answers as Docker does."""

from __future__ import annotations

import io
import socket
import tarfile
import time
import typing as t
import urllib.parse

from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import DockerAddress
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.client import DockerEngine
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.faults import DockerEngineError
from ansible_collections.longshore.delivery.plugins.module_utils.moments import time_of
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import DOCKER
from ansible_collections.longshore.delivery.plugins.module_utils.trial.engine import MOST_READ, Listed, Wish
from ansible_collections.longshore.delivery.plugins.module_utils.trial.exec_output import (
    BrokenOutput,
    connection_of,
    read_output,
)
from ansible_collections.longshore.delivery.plugins.module_utils.trial.observed import Answer, State
from ansible_collections.longshore.delivery.plugins.module_utils.trial.podman_ways import (
    ITS_OWN,
    NOT_NOTED,
    NOT_RUNNING,
    OF_THE_IMAGE,
    TMPFS,
)
from ansible_collections.longshore.delivery.plugins.module_utils.trial.probes import await_

try:
    from docker import errors as docker_errors
except ImportError:  # DockerEngine says so
    docker_errors = None

# Docker removes what still runs only after it has killed it
REMOVE_SECONDS = 60
# which Podman's service makes writable in a file system that is read-only, unless something else is there
_PODMANS_OWN = ("/run", "/tmp", "/var/tmp")
# what is kept of a log, so that one that floods fills no disk
_LOGGING = {"type": "json-file", "config": {"max-size": "5m", "max-file": "1"}}


class DockerTrials:
    """One engine at an address."""

    name = DOCKER

    def __init__(self, address: DockerAddress) -> None:
        self.address = address
        self._engine = DockerEngine(address)
        self.where = "the engine at %s" % address
        parts = urllib.parse.urlsplit(address.host)
        self._remote = parts.scheme == "tcp"
        self.host = (parts.hostname or "127.0.0.1") if self._remote else "127.0.0.1"

    def close(self) -> None:
        self._engine.close()

    def image(self, name: str) -> t.Optional[t.Mapping[str, t.Any]]:
        return self._engine.inspected(name)

    def now(self) -> float:
        moment = time_of(self._engine.info()["SystemTime"])
        return moment.timestamp() if moment else time.time()

    def make(self, wish: Wish) -> str:
        confinement = wish.confinement
        with self._engine.calls(REMOVE_SECONDS) as api:
            limits = api.create_host_config(
                mem_limit=wish.memory,
                memswap_limit=wish.memory,
                nano_cpus=int(wish.cpus * 1e9),
                read_only=confinement.read_only,
                tmpfs=self._tmpfs(wish) if confinement.read_only else None,
                cap_drop=["ALL"] if confinement.no_capabilities else None,
                security_opt=["no-new-privileges"],
                # a remote engine's host is asked from here, so the port is open to others for the moment
                port_bindings={"%d/tcp" % port: ("" if self._remote else self.host,) for port in wish.ports},
                log_config=_LOGGING,
            )
            made = api.create_container(
                wish.image,
                command=list(wish.command) if wish.command is not None else None,
                environment=dict(wish.env),
                user=wish.user or None,
                ports=[(port, "tcp") for port in wish.ports],
                host_config=limits,
                labels=dict(wish.labels),
                name=wish.name,
                healthcheck={"Test": ["NONE"]},
                use_config_proxy=False,  # one of this user's configuration, often with a password
            )
        return str(made["Id"])

    def _tmpfs(self, wish: Wish) -> t.Dict[str, str]:
        """By directory the options of what is in memory."""
        if not self._engine.is_podman():
            return dict.fromkeys(wish.tmpfs, _owned_by(wish.owner))
        return {**dict.fromkeys(_PODMANS_OWN, "ro"), **dict.fromkeys(wish.tmpfs, TMPFS)}

    def start(self, container: str) -> str:
        with self._engine.calls(REMOVE_SECONDS) as api:
            try:
                api.start(container)
            except docker_errors.APIError as error:
                said = str(error.explanation or error).strip()
                if error.is_server_error() and not OF_THE_IMAGE.search(said):
                    raise
                return said
        return ""

    def state(self, container: str) -> State:
        with self._engine.calls() as api:
            return State.from_inspect(api.inspect_container(container))

    def published(self, container: str, port: int) -> int:
        with self._engine.calls() as api:
            return host_port(api.inspect_container(container), port)

    def log(self, container: str, lines: t.Union[int, str]) -> str:
        with self._engine.calls() as api:
            written: bytes = api.logs(container, stdout=True, stderr=True, tail=lines)
        return written.decode("utf-8", errors="replace")

    def written(self, container: str) -> t.List[str]:
        its_own = ITS_OWN if self._engine.is_podman() else ()
        with self._engine.calls() as api:
            found = [entry["Path"] for entry in api.diff(container) or () if entry["Kind"] in (0, 1)]
        return [path for path in found if path not in its_own]

    def signal(self, container: str, name: str) -> None:
        with self._engine.calls() as api:
            try:
                api.kill(container, name)
            except docker_errors.APIError as error:
                if error.status_code not in (404, 409) and not NOT_RUNNING.search(str(error.explanation)):
                    raise

    def file(self, container: str, path: str) -> str:
        with self._engine.calls() as api:
            try:
                stream, stat = api.get_archive(container, path)
                if stat["size"] > MOST_READ:
                    return ""
                with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
                    file = archive.extractfile(archive.getmembers()[0])
                    return file.read().decode("utf-8", errors="replace") if file else ""
            except (docker_errors.APIError, tarfile.TarError):
                return ""

    def execute(self, container: str, command: t.Sequence[str], seconds: float) -> Answer:
        deadline = time.monotonic() + seconds
        try:
            with self._engine.calls() as api:
                run = api.exec_create(container, list(command))["Id"]
                with connection_of(api.exec_start(run, socket=True)) as connection:
                    output = _in_time(connection, deadline)
                if output is not None:
                    # it may have closed its outputs, and go on
                    found = await_(
                        lambda: api.exec_inspect(run), lambda found: not found["Running"], deadline - time.monotonic()
                    )
        except (DockerEngineError, BrokenOutput) as error:
            return Answer(problem=str(error))
        if output is None or found["Running"]:
            return Answer(problem="the command did not end within %d s" % seconds)
        return Answer(status=found["ExitCode"], text=output.decode("utf-8", errors="replace"))

    def listed(self, label: str, value: str = "") -> t.List[Listed]:
        with self._engine.calls(REMOVE_SECONDS) as api:
            found = api.containers(all=True, filters={"label": "%s=%s" % (label, value) if value else label})
        return [Listed(entry["Id"], entry.get("Labels") or {}, float(entry["Created"])) for entry in found]

    def remove(self, container: str) -> None:
        with self._engine.calls(REMOVE_SECONDS) as api:
            try:
                try:
                    api.remove_container(container, v=True, force=True)
                except docker_errors.APIError as error:
                    if not NOT_NOTED.search(str(error.explanation)):
                        raise
                    api.remove_container(container, v=True, force=True)
            except docker_errors.APIError as error:
                # gone, or somebody else is at it: another trial that found the same leftover
                if error.status_code not in (404, 409):
                    raise


def _owned_by(user: str) -> str:
    """The option of a tmpfs: where the image has the directory, the mode stays as it is there, and only its owner may write.

    runc 1.1 sets that mode anew whatever the options say. A user's name says nothing outside the container.
    """
    number, _colon, group = user.partition(":")
    numbers = {"uid": number, "gid": group or number}
    return ",".join("%s=%s" % (key, value) for key, value in numbers.items() if value.isdigit())


def _in_time(connection: socket.socket, deadline: float) -> t.Optional[bytes]:
    """A command's output; None where it did not end. C(calls) would take that for the engine's silence."""
    try:
        return read_output(connection, deadline)
    except socket.timeout:
        return None


def host_port(inspected: t.Mapping[str, t.Any], port: int) -> int:
    """The port of the host by which one of a container is reached; 0 where none is, or it has ended: Podman still tells one."""
    if not inspected["State"]["Running"]:
        return 0
    ports = (inspected.get("NetworkSettings") or {}).get("Ports") or {}
    published = ports.get("%d/tcp" % port) or []
    return int(published[0]["HostPort"]) if published else 0
