# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""A Docker engine as one that builds: with BuildKit where buildx is there, else with its classic builder."""

from __future__ import annotations

import os
import tempfile
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.bases import sentence
from ansible_collections.longshore.delivery.plugins.module_utils.build.build_cache import INLINE
from ansible_collections.longshore.delivery.plugins.module_utils.build.builder import (
    BaseStore,
    Builder,
    BuilderMissing,
    BuildRequest,
)
from ansible_collections.longshore.delivery.plugins.module_utils.build.command_length import check_length
from ansible_collections.longshore.delivery.plugins.module_utils.build.named_contexts import (
    OLDEST_ENGINE,
    InvalidContext,
)
from ansible_collections.longshore.delivery.plugins.module_utils.build.record import shortened
from ansible_collections.longshore.delivery.plugins.module_utils.capability import RunCommand
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import DockerAddress
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.client import DockerEngine
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.faults import DockerEngineError
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile import words
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.dockerfile import (
    Instruction,
    buildkit_needs,
    with_heredoc,
    with_substitution,
)
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.stages import SYNTAX_ARGUMENT
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import DOCKER

if t.TYPE_CHECKING:
    from ansible_collections.longshore.delivery.plugins.module_utils.image.layout_writer import Descriptor, Parts

_EPOCH_SINCE = (23, 0)
_NETWORKS = ("default", "host", "none")  # of buildx 0.13
_PIECE = 1024 * 1024  # bytes of a saved image at once


def check_values(request: BuildRequest) -> None:
    """See that the command of buildx can be given all values.

    :raises BuilderMissing: the network is none of BuildKit's.
    """
    if request.network and request.network not in _NETWORKS:
        raise BuilderMissing(
            "'network' is %s, and BuildKit knows %s only. Set it to one of them, 'builder' to one of buildx in that "
            "network (docker buildx create --driver-opt network=%s), or 'engine' to docker_classic."
            % (request.network, ", ".join(_NETWORKS), request.network)
        )
    secrets = {"secrets.%s" % secret.id: secret.value for secret in request.secrets if secret.value is not None}
    check_length({**request.values(request.labels), **secrets}, os.environ)


def _with_trigger_from(request: BuildRequest) -> t.Optional[Instruction]:
    return next((found for found in request.triggers if any(found.sources)), None)


_Find = t.Callable[[BuildRequest], t.Optional[Instruction]]
_Rules = t.Tuple[t.Tuple[str, t.Tuple[int, int], _Find], ...]


def _with(kind: str) -> _Find:
    return lambda request: with_substitution(request.dockerfile, kind, request.triggers)


# the first Docker both of whose builders read it: what it is, and how it is found
_SUBSTITUTED_SINCE: _Rules = (
    # Dockerfile 1.6, BuildKit 0.12; 20.10 does not read it, 26.1 does
    ("has " + words.WITHOUT_COLON, (25, 0), _with(words.WITHOUT_COLON)),
    # Dockerfile 1.7, BuildKit 0.13
    ("has " + words.BY_PATTERN, (26, 0), _with(words.BY_PATTERN)),
)
# the first Docker whose BuildKit reads it without an image of the language
_READ_SINCE: _Rules = (
    *_SUBSTITUTED_SINCE,
    # Dockerfile 1.4, BuildKit 0.10
    ("has a here-document", (23, 0), lambda request: with_heredoc(request.dockerfile)),
    # Dockerfile 1.11, BuildKit 0.17; BuildKit 0.8 copies from the context instead, and 0.13 refuses
    ("takes from an image or a stage by ONBUILD", (27, 4), _with_trigger_from),
)


class DockerBuildEngine(DockerEngine):
    """
    :param classic: whether the classic builder is asked for.
    """

    name = DOCKER
    follows_syntax = True

    def __init__(self, address: DockerAddress, run_command: RunCommand, classic: bool = False) -> None:
        super().__init__(address)
        self.bases: BaseStore = self
        self._run_command = run_command
        self._classic = classic

    def instructions(self, name: str) -> t.List[str]:
        """The history of the image of a reference or an ID: how each entry was made, the newest first; none where it has none."""
        return [str(entry.get("CreatedBy") or "") for entry in self.history(name)]

    @property
    def where(self) -> str:
        return "the engine at %s" % self.address

    def builder(self, request: BuildRequest) -> Builder:
        """BuildKit; the classic builder where buildx is missing and nothing needs BuildKit, or where it is asked for.

        :raises DockerEngineError: the engine is Podman's service.
        :raises BuilderMissing: something needs BuildKit, and there is none.
        """
        # here: a run that builds nothing needs none of them, and Ansible compiles what it imports at each run
        from ansible_collections.longshore.delivery.plugins.module_utils.build.buildx import (
            Buildx,
            BuildxMissing,
            check_buildx,
        )

        self._refuse_podman(request)
        if self._classic:
            return self._checked_classic(request, "'engine' is docker_classic, the builder without BuildKit.")
        try:
            check_buildx(self._run_command, self.address)
        except BuildxMissing as missing:
            return self._checked_classic(request, str(missing))
        if request.contexts and self.version_number() < OLDEST_ENGINE:
            raise InvalidContext(
                "'contexts' needs Docker 23 or newer, and %s is %s."
                % (self.where, ".".join(map(str, self.version_number())))
            )
        self._refuse_by_language(request)
        by_containerd = self._refuse_by_store(request)
        self._refuse_cache(request)
        check_values(request)
        # an engine with its own store has no exporter for layouts
        buildx = Buildx(self.address, self._run_command, writes_layouts=not request.stays and by_containerd)
        if self.version_number() < _EPOCH_SINCE:
            buildx.no_epoch = "BuildKit of Docker before 23 does not know SOURCE_DATE_EPOCH"
        return buildx

    def export(
        self, image_id: str, parts: Parts, annotations: t.Mapping[str, str]
    ) -> t.Tuple[Descriptor, t.Dict[str, str]]:
        """Add an image to the parts of an OCI layout; what stands for its manifest, and its platform."""
        from ansible_collections.longshore.delivery.plugins.module_utils.build.saved_image import from_archive

        with tempfile.TemporaryFile(dir=parts.path) as archive:
            with self.saved(image_id) as stream:
                piece = stream.read(_PIECE)
                while piece:
                    archive.write(piece)
                    piece = stream.read(_PIECE)
            archive.seek(0)
            return from_archive(archive, parts, annotations)

    def _refuse_by_language(self, request: BuildRequest) -> None:
        """
        :raises BuilderMissing: the engine's own BuildKit does not read something in a Dockerfile that names no image to read it.
        """
        if request.dockerfile.syntax or SYNTAX_ARGUMENT in request.args:
            return
        told = self._newer_language(request, _READ_SINCE, "BuildKit reads by itself")
        if told:
            raise BuilderMissing(
                "%s. Write '# syntax=docker/dockerfile:1' into the Dockerfile's first line, by which the engine pulls an image "
                "that reads it, or set 'docker_host' to a newer engine." % told
            )

    def _checked_classic(self, request: BuildRequest, why: str) -> Builder:
        """
        :param why: why it is this builder, as a sentence.
        :raises BuilderMissing: it does not read something in the Dockerfile, or something needs BuildKit.
        """
        from ansible_collections.longshore.delivery.plugins.module_utils.build.classic import Classic, check_classic

        check_classic(request, why)
        told = self._newer_language(request, _SUBSTITUTED_SINCE, "the classic builder reads")
        if told:
            raise BuilderMissing("%s. Write it without, or set 'docker_host' to a newer engine." % told)
        return Classic(self)

    def _newer_language(self, request: BuildRequest, rules: _Rules, reads: str) -> str:
        """What the engine is too old for, as a sentence without its end; empty where there is nothing."""
        for what, since, find in rules:
            found = find(request)
            if found and self.version_number() < since:
                return "%s, line %d: %s %s, which %s in Docker %s or newer, and %s is %s" % (
                    request.dockerfile.name,
                    found.line,
                    shortened(str(found)),
                    what,
                    reads,
                    ".".join(map(str, since)),
                    self.where,
                    ".".join(map(str, self.version_number())),
                )
        return ""

    def _refuse_by_store(self, request: BuildRequest) -> bool:
        """
        :returns: whether it is containerd's; false also where that makes no difference.
        :raises BuilderMissing: Docker's own image store cannot keep what would come out.
        """
        given = {
            "platforms": len(request.platforms) > 1 and request.stays,
            "annotations": bool(request.annotations) and request.stays,
            "provenance": bool(request.provenance),
            "sbom": request.sbom is not None,
        }
        foreign = request.has_bases and any(
            platform != self.platform_arguments()["BUILDPLATFORM"] for platform in request.platforms
        )
        asks = foreign or any(given.values())
        if request.stays and not asks:
            return False
        by_containerd = self.by_containerd()
        if by_containerd or not asks:
            return by_containerd
        names = ["'%s'" % name for name, is_given in given.items() if is_given] or ["'platforms'"]
        raise BuilderMissing(
            "%s cannot keep what %s asks for: Docker's own image store has one platform for a name, and no manifests. Have the "
            "engine use containerd's, by the feature containerd-snapshotter in its daemon.json (Docker 24 or newer), or leave it "
            "away." % (sentence(self.where), " and ".join(names))
        )

    def _refuse_cache(self, request: BuildRequest) -> None:
        """:raises BuilderMissing: the engine's BuildKit keeps its cache nowhere but in the image."""
        if request.cache_to and request.cache_to.kind != INLINE and not self.by_containerd():
            raise BuilderMissing(
                "%s cannot keep a build's cache in %s, as 'cache_to' has it: with Docker's own image store its BuildKit keeps it "
                "in the image alone. Set 'type' there to inline, or 'builder' to one of buildx, or have the engine use "
                "containerd's store, by the feature containerd-snapshotter in its daemon.json (Docker 24 or newer)."
                % (sentence(self.where), request.cache_to)
            )

    def _refuse_podman(self, request: BuildRequest) -> None:
        try:
            self.check_buildkit()
        except DockerEngineError as error:
            needing = buildkit_needs(request.dockerfile, request.triggers)
            raise BuilderMissing("%s%s" % (error, " %s." % needing if needing else "")) from None
