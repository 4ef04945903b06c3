# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""A builder that buildx knows by a name, as one that runs elsewhere: it has its own cache, no images, and asks registries for
those that a build stands on.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.bases import sentence
from ansible_collections.longshore.delivery.plugins.module_utils.build.builder import (
    BuildEngineError,
    BuilderMissing,
    BuildRequest,
    RegistryAway,
)
from ansible_collections.longshore.delivery.plugins.module_utils.build.buildx import (
    CONFIG_ID,
    MANIFEST_ID,
    Buildx,
    check_buildx,
)
from ansible_collections.longshore.delivery.plugins.module_utils.build.docker_builds import (
    DockerBuildEngine,
    check_values,
)
from ansible_collections.longshore.delivery.plugins.module_utils.capability import RunCommand
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import DockerAddress
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.image import Image
from ansible_collections.longshore.delivery.plugins.module_utils.node.pull_faults import fault_in
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.errors import NOT_THERE

_FIELD = re.compile(r"^(Driver|Platforms|Error): *(.*)", re.MULTILINE)
_NOT_THERE = re.compile(r": not found\s*\Z")
_PLATFORM = re.compile(r"[a-z0-9]+/[a-z0-9/]+")


class NamedBuilderEngine(DockerBuildEngine):
    """A Docker engine for which a named builder builds. It is not asked at all where the image is to be elsewhere.

    :param builder_name: as C(docker buildx ls) shows it.
    """

    def __init__(self, address: DockerAddress, run_command: RunCommand, builder_name: str) -> None:
        super().__init__(address, run_command)
        self._name = builder_name
        self.bases = RegistryBases(builder_name, address, run_command)

    def builder(self, request: BuildRequest) -> Buildx:
        """:raises BuilderMissing: there is no such builder, or it is an engine's own."""
        check_buildx(self._run_command, self.address)
        fields = self._inspected()
        if fields.get("Driver") == "docker":
            raise BuilderMissing(
                "The builder %s is a Docker engine's own, which is meant by its address. Set 'docker_host' in place of 'builder'."
                % self._name
            )
        check_values(request)
        buildx = Buildx(self.address, self._run_command, writes_layouts=not request.stays, builder=self._name)
        if request.stays:
            self._refuse_for_engine(request)
            # an engine with its own store knows no manifest, and another calls the image by it
            buildx.image_id = MANIFEST_ID if self.by_containerd() else CONFIG_ID
        return buildx

    def _refuse_for_engine(self, request: BuildRequest) -> None:
        """:raises BuilderMissing: the builder cannot hand an engine what would come out."""
        given = {
            "platforms": len(request.platforms) > 1,
            "annotations": bool(request.annotations),
            "provenance": bool(request.provenance),
            "sbom": request.sbom is not None,
        }
        names = ["'%s'" % name for name, is_given in given.items() if is_given]
        if names:
            raise BuilderMissing(
                "%s hands an engine one image for one platform, without manifests, and %s asks for more. Set 'output' to layout "
                "or registry, or leave it away." % (sentence(self.bases.where), " and ".join(names))
            )

    def platform_arguments(self) -> t.Dict[str, str]:
        """TARGETARCH, BUILDPLATFORM and so on for the builder's own platform, which is the first that it names."""
        found = _PLATFORM.search(self._inspected().get("Platforms", ""))
        if found is None:
            raise BuilderMissing(
                "%s does not tell its platform, by which the Dockerfile names a base image. See that it runs: docker buildx "
                "inspect --bootstrap %s." % (sentence(self.bases.where), self._name)
            )
        system, architecture = found.group().split("/")[:2]
        values = {"OS": system, "ARCH": architecture, "PLATFORM": found.group()}
        return {side + part: value for side in ("BUILD", "TARGET") for part, value in values.items()}

    def _inspected(self) -> t.Dict[str, str]:
        """What buildx says of the builder.

        :raises BuilderMissing: there is none, or it does not answer.
        """
        done = self._run_command(
            ["docker", "buildx", "inspect", self._name], environment=self.address.command_environment
        )
        fields = {name: value.strip() for name, value in reversed(_FIELD.findall(done.stdout))}
        if done.rc or fields.get("Error"):
            said = fields.get("Error") or (done.stderr.strip() or done.stdout.strip()).replace("ERROR: ", "")
            raise BuilderMissing(
                "Buildx has no builder %s that works: %s. 'docker buildx ls' shows those that it has, for the user who runs this "
                "and by this user's DOCKER_CONFIG." % (self._name, said)
            )
        return fields


class RegistryBases:
    """The base images of a builder that has none: what their registries serve, by the docker command and its credentials."""

    def __init__(self, builder_name: str, address: DockerAddress, run_command: RunCommand) -> None:
        self._name = builder_name
        self._address = address
        self._run_command = run_command

    @property
    def where(self) -> str:
        return "the builder %s" % self._name

    def image(self, name: str) -> t.Optional[Image]:
        """What the registry of a reference serves, for which its digest stands; None where it has none."""
        reference = Reference.parse(name)
        if reference.digest is not None:
            return Image(str(reference.digest), {})
        digest = self._asked(reference)
        return Image(digest, {}, repository_digests=("%s@%s" % (reference.name, digest),)) if digest else None

    def registry_digest(self, reference: Reference) -> str:
        """The digest that the reference's registry serves now."""
        digest = self._asked(reference)
        if not digest:
            raise BuildEngineError("its registry has no %s" % reference)
        return digest

    def login(self, reference: Reference) -> t.Optional[t.Tuple[str, str]]:
        """None: nothing is to be pulled, of which it would be asked."""
        return None

    def pull(self, reference: Reference, platform: t.Optional[str] = None) -> None:
        """The builder does that itself.

        :raises BuildEngineError: there is nothing to pull.
        """
        self.registry_digest(reference)

    def _asked(self, reference: Reference) -> str:
        argv = [
            "docker",
            "buildx",
            "imagetools",
            "inspect",
            "--builder",
            self._name,
            "--format",
            # what begins with .Manifest is taken for the wish to see all of it (buildx 0.13)
            "{{with .Manifest}}{{.Digest}}{{end}}",
        ]
        done = self._run_command([*argv, str(reference)], environment=self._address.command_environment)
        if done.rc == 0:
            return done.stdout.strip()
        said = done.stderr.strip() or done.stdout.strip()
        if _NOT_THERE.search(said):
            return ""
        away = fault_in(said, str(reference)).kind in NOT_THERE
        raise (RegistryAway if away else BuildEngineError)(
            "The registry of the base image %s did not tell what it serves: %s. It is asked by the docker command, with its "
            "credentials and the system's authorities." % (reference, said.replace("ERROR: ", ""))
        )
