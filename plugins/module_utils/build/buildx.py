# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""BuildKit by way of the C(docker buildx build) command line: docker-py has no BuildKit."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import io
import os
import re
import tempfile
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.build_record import BuildRecord
from ansible_collections.longshore.delivery.plugins.module_utils.build.named_contexts import NamedContext
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed, DeliveryError, RunCommand
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import (
    DockerAddress,
    configuration_directory,
)
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference

OLDEST = (0, 13)  # the first with --progress=rawjson
PLUGIN_DIRECTORIES = (
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
)
_IMAGE_ID, _DOCKERFILE = "image-id", "Dockerfile"
_ROOM = 128  # bytes
_GET_IT = (
    "Install it: on Debian and Ubuntu the package docker-buildx, from Docker's own repository docker-buildx-plugin"
)


class BuildxMissing(DeliveryError):
    """There is no docker command, no buildx plugin, or one that is too old."""


class NoTemporaryDirectory(DeliveryError):
    """There is no place for temporary files that is not sent to the builder."""


@dataclasses.dataclass(frozen=True)
class Secret:
    """A secret that RUN instructions may mount: its value comes from a file, an environment variable or the options."""

    id: str
    file: t.Optional[str] = None
    env: t.Optional[str] = None
    value: t.Optional[str] = dataclasses.field(default=None, repr=False)


@dataclasses.dataclass(frozen=True)
class SshAgent:
    """An SSH agent that RUN instructions may mount.

    :param path: of its socket, or of a private key without passphrase; empty for the agent of the environment (SSH_AUTH_SOCK).
    """

    id: str
    path: str = ""


@dataclasses.dataclass(frozen=True)
class BuildRequest:
    """What is to be built.

    :param inline: the Dockerfile itself, where it is in no file.
    :param extra_hosts: addresses by name.
    :param cache_from: images that hold a build's cache.
    :param cache_to: where the cache is kept for others; 'inline' is in the image.
    """

    source: str
    dockerfile: str
    args: t.Dict[str, str] = dataclasses.field(default_factory=dict)
    target: str = ""
    labels: t.Dict[str, str] = dataclasses.field(default_factory=dict)
    secrets: t.Tuple[Secret, ...] = ()
    network: str = ""
    extra_hosts: t.Dict[str, str] = dataclasses.field(default_factory=dict)
    ssh: t.Tuple[SshAgent, ...] = ()
    no_cache: bool = False
    cache_from: t.Tuple[Reference, ...] = ()
    cache_to: str = ""
    inline: t.Optional[bytes] = None
    contexts: t.Tuple[NamedContext, ...] = ()

    def command(self, directory: str) -> t.List[str]:
        """The command line, which holds no secret: values go by the environment.

        :param directory: with the Dockerfile where it is in no file, and for the image's ID.
        """
        # the engine's own builder, whatever the user made the current one; an attestation would give each build another digest
        argv = ["docker", "buildx", "build", "--builder=default", "--progress=rawjson", "--provenance=false", "--load"]
        argv += ["--iidfile", os.path.join(directory, _IMAGE_ID)]
        argv += ["--file", self.dockerfile if self.inline is None else os.path.join(directory, _DOCKERFILE)]
        for named in self.contexts:
            argv += ["--build-context", named.option]
        for name, value in sorted(self.args.items()):
            argv += ["--build-arg", "%s=%s" % (name, value)]
        for name, value in sorted(self.labels.items()):
            argv += ["--label", "%s=%s" % (name, value)]
        if self.target:
            argv += ["--target", self.target]
        if self.network:
            argv += ["--network", self.network]
        for name, address in sorted(self.extra_hosts.items()):
            argv += ["--add-host", "%s:%s" % (name, address)]
        if self.no_cache:
            argv += ["--no-cache"]
        for reference in self.cache_from:
            argv += ["--cache-from", "type=registry,ref=%s" % reference]
        if self.cache_to:
            argv += ["--cache-to", "type=" + self.cache_to]
        for number, secret in enumerate(self.secrets):
            origin = "src=" + secret.file if secret.file else "env=" + (secret.env or _variable(number))
            argv += ["--secret", _comma_separated("id=" + secret.id, origin)]
        for agent in self.ssh:
            argv += ["--ssh", "%s=%s" % (agent.id, agent.path) if agent.path else agent.id]
        return [*argv, self.source]

    @property
    def environment(self) -> t.Dict[str, str]:
        """The variables that carry the secrets given by value."""
        return {
            _variable(number): secret.value for number, secret in enumerate(self.secrets) if secret.value is not None
        }


@dataclasses.dataclass(frozen=True)
class Built:
    """A build that has ended: the image's ID, or empty and how the command ended."""

    image_id: str
    record: BuildRecord
    completed: Completed


def _variable(number: int) -> str:
    return "LONGSHORE_BUILD_SECRET_%d" % number


def _comma_separated(*fields: str) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(fields)
    return text.getvalue()


def check_buildx(run_command: RunCommand, address: DockerAddress) -> None:
    """See that the command line can build.

    :raises BuildxMissing: it cannot; the message says where it was looked for.
    """
    found = run_command(["docker", "buildx", "version"], environment=address.command_environment)
    if found.rc == 127:
        raise BuildxMissing(
            "BuildKit is used by way of the docker command, which is not in PATH (%s). Install it, without an engine if that is "
            "elsewhere: on Debian and Ubuntu the package docker-cli." % os.environ.get("PATH", "")
        )
    if found.rc != 0:
        directories = [os.path.join(configuration_directory(), "cli-plugins"), *PLUGIN_DIRECTORIES]
        raise BuildxMissing(
            "The docker command has no buildx plugin, by which BuildKit is used. It looked for docker-buildx in %s. "
            "%s, or put it into one of these directories." % (", ".join(directories), _GET_IT)
        )
    version = re.search(r"\sv?(\d+)\.(\d+)", found.stdout)
    if version and (int(version.group(1)), int(version.group(2))) < OLDEST:
        raise BuildxMissing(
            "The docker command's buildx plugin is too old: %s, and 0.13 is the first that reports its steps as data. %s."
            % (found.stdout.strip(), _GET_IT)
        )


def build(
    request: BuildRequest, address: DockerAddress, run_command: RunCommand, show: t.Callable[[str], None]
) -> Built:
    """Build an image into the engine's store, without a name.

    :param show: is given a line for each step.
    :raises NoTemporaryDirectory: there is none, or it cannot be written to.
    """
    record = BuildRecord(show)
    with _temporary_directory(request) as directory:
        completed = run_command(
            request.command(directory),
            environment={**address.command_environment, **request.environment},
            on_line=record.line,
        )
        try:
            with open(os.path.join(directory, _IMAGE_ID), encoding="ascii") as file:
                image_id = file.read().strip()
        except OSError:
            image_id = ""
    return Built(image_id if completed.rc == 0 else "", record, completed)


@contextlib.contextmanager
def _temporary_directory(request: BuildRequest) -> t.Iterator[str]:
    """With the Dockerfile that is in no file, and room for the image's ID, which the command writes when it has built."""
    place = _outside(request)
    with contextlib.ExitStack() as stack:
        try:
            directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="longshore-build-", dir=place))
            for name, content in ((_IMAGE_ID, b" " * _ROOM), (_DOCKERFILE, request.inline)):
                if content is not None:
                    with open(os.path.join(directory, name), "wb") as file:
                        file.write(content)
        except OSError as error:
            raise NoTemporaryDirectory(
                "The directory for temporary files %s cannot be written to: %s. Make room there, or set TMPDIR to another."
                % (place, error.strerror)
            ) from None
        yield directory


def _outside(request: BuildRequest) -> str:
    """A directory for temporary files that is no part of the build's: what is written there would be sent to the builder.

    :raises NoTemporaryDirectory: there is none.
    """
    sources = [request.source, *(named.directory for named in request.contexts if named.directory)]
    roots = tuple(os.path.join(os.path.realpath(source), "") for source in sources)
    candidates = (tempfile.gettempdir(), "/tmp", "/var/tmp", os.path.expanduser("~"))
    for candidate in candidates:
        inside = os.path.join(os.path.realpath(candidate), "").startswith(roots)
        if not inside and os.access(candidate, os.W_OK | os.X_OK):
            return candidate
    raise NoTemporaryDirectory(
        "There is no directory for temporary files outside of the build's directory %s; looked at were %s. Set TMPDIR to one."
        % (" and ".join(sources), ", ".join(candidates))
    )
