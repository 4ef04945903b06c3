# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Building with a Docker engine's BuildKit, by way of the docker command's plugin buildx."""

from __future__ import annotations

import csv
import io
import os
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.build_record import BuildRecord
from ansible_collections.longshore.delivery.plugins.module_utils.build.builder import (
    IMAGE_ID,
    BuilderMissing,
    BuildRequest,
    Built,
    Show,
)
from ansible_collections.longshore.delivery.plugins.module_utils.build.private_files import read_json
from ansible_collections.longshore.delivery.plugins.module_utils.build.registry_login import command_with_login
from ansible_collections.longshore.delivery.plugins.module_utils.build.sent_directory import Sent, sent
from ansible_collections.longshore.delivery.plugins.module_utils.capability import RunCommand
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import (
    DockerAddress,
    configuration_directory,
)

OLDEST = (0, 13)  # the first with --progress=rawjson
PLUGIN_DIRECTORIES = (
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
)
# of what buildx says of an image, its ID: in the classic store its configuration's digest, in containerd's its manifest's
MANIFEST_ID = "containerimage.digest"
CONFIG_ID = "containerimage.config.digest"
OWN_BUILDER = "default"  # the engine's, whatever the user made the current one
# what the command would take from the user's environment and nobody sees among the inputs; empty is as good as not set
NOT_THE_USERS = {"DOCKER_DEFAULT_PLATFORM": "", "SOURCE_DATE_EPOCH": "", "BUILDX_BUILDER": ""}
_GET_IT = (
    "Install it: on Debian and Ubuntu the package docker-buildx, from Docker's own repository docker-buildx-plugin"
)


class BuildxMissing(BuilderMissing):
    """There is no docker command, no buildx plugin, or one that is too old."""


class Buildx:
    """BuildKit of the engine at an address."""

    name = "buildkit"
    no_epoch = ""
    image_id = MANIFEST_ID

    def __init__(
        self, address: DockerAddress, run_command: RunCommand, writes_layouts: bool = False, builder: str = OWN_BUILDER
    ) -> None:
        self._address = address
        self._run_command = run_command
        self.writes_layouts = writes_layouts
        self._builder = builder
        self._place = str(address) if builder == OWN_BUILDER else "builder " + builder

    def build(self, request: BuildRequest, show: Show) -> Built:
        """Build an image into the engine's store, without a name, or into an OCI layout."""
        record = BuildRecord(show)
        with request.temporary_directory() as directory, sent(request, directory, self._place) as given:
            own = {**self._address.command_environment, **command_with_login(directory, request.cache_login)}
            completed = self._run_command(
                command(request, given, directory, self._builder),
                environment={**own, **secret_variables(request), **NOT_THE_USERS},
                on_line=record.line,
            )
            image_id = str(read_json(os.path.join(directory, IMAGE_ID)).get(self.image_id, ""))
        said = "\n".join(record.messages).strip() or completed.stderr.strip()
        said = said or "docker buildx build ended with exit code %d and said nothing" % completed.rc
        return Built(image_id if completed.rc == 0 else "", record, said)


def command(request: BuildRequest, given: Sent, directory: str, builder: str = OWN_BUILDER) -> t.List[str]:
    """The command line, which holds no secret: values go by the environment.

    :param given: the paths by which it is given what it builds from.
    :param directory: for the image's ID.
    """
    argv = ["docker", "buildx", "build", "--builder=" + builder, "--progress=rawjson", *_results(request)]
    argv += ["--metadata-file", os.path.join(directory, IMAGE_ID), "--file", given.dockerfile]
    argv += request.options(request.labels)
    for source in request.cache_from:
        argv += ["--cache-from", _comma_separated(*source.fields)]
    if request.cache_to:
        argv += ["--cache-to", _comma_separated(*request.cache_to.fields)]
    for number, secret in enumerate(request.secrets):
        origin = "src=" + secret.file if secret.file else "env=" + (secret.env or _variable(number))
        argv += ["--secret", _comma_separated("id=" + secret.id, origin)]
    for agent in request.ssh:
        argv += ["--ssh", agent.option]
    return [*argv, given.root]


def _results(request: BuildRequest) -> t.Iterator[str]:
    """The options for what comes out and where it goes."""
    yield "--provenance=%s" % ("mode=" + request.provenance if request.provenance else "false")
    if request.sbom:
        yield "--attest=type=sbom,generator=%s" % request.sbom
    if request.layout:
        yield "--output=" + _comma_separated("type=oci", "tar=false", "dest=" + request.layout)
    else:
        yield "--load"
    if request.platforms:
        yield "--platform=" + ",".join(request.platforms)
    if request.source_date_epoch is not None:
        yield "--build-arg=SOURCE_DATE_EPOCH=%d" % request.source_date_epoch
    kinds = ("index", "manifest") if len(request.platforms) > 1 else ("manifest",)
    for name, value in sorted(request.annotations.items()):
        for kind in kinds:  # each for itself: of a list buildx 0.13 makes the annotation's name
            yield "--annotation=%s:%s=%s" % (kind, name, value)


def secret_variables(request: BuildRequest) -> t.Dict[str, str]:
    """The variables that carry the secrets given by value."""
    given = enumerate(request.secrets)
    return {_variable(number): secret.value for number, secret in given if secret.value is not None}


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
