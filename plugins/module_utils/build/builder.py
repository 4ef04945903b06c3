# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What is to be built and what came of it, whichever engine and builder it is."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import tempfile
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.build_cache import CacheSource, CacheTarget
from ansible_collections.longshore.delivery.plugins.module_utils.build.context import BuildContext
from ansible_collections.longshore.delivery.plugins.module_utils.build.named_contexts import NamedContext
from ansible_collections.longshore.delivery.plugins.module_utils.build.record import Record
from ansible_collections.longshore.delivery.plugins.module_utils.build.run_secrets import Secret, SshAgent
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.image import Image
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.dockerfile import Dockerfile, Instruction
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings

if t.TYPE_CHECKING:
    from ansible_collections.longshore.delivery.plugins.module_utils.image.layout_writer import Descriptor, Parts

IMAGE_ID, _DOCKERFILE = "image-id", "Dockerfile"  # files of the temporary directory
_ROOM = 4096  # bytes of the first
Show = t.Callable[[str], None]


class BuildEngineError(DeliveryError):
    """The engine does not do what it is asked; the message names engine, cause and way out."""


class CannotAsk(BuildEngineError):
    """The engine pulls from registries, and has no way to ask one what it serves."""


class RegistryAway(BuildEngineError):
    """The registry of a base image is not there, or not yet."""


class BuilderMissing(DeliveryError):
    """There is nothing that could build this; the message says what needs what."""


class NoTemporaryDirectory(DeliveryError):
    """There is no place for temporary files that is not sent to the builder."""


def outside(sources: t.Sequence[str]) -> str:
    """A directory for temporary files that is in none of these, from which an image is built.

    :raises NoTemporaryDirectory: there is none.
    """
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


@dataclasses.dataclass(frozen=True)
class BuildRequest:
    """What is to be built.

    :param context: what the build receives of the directory.
    :param contexts_entries: what it receives of the named contexts, each path below the name.
    :param path: of the Dockerfile; the option's name where it is in no file.
    :param inline: the Dockerfile itself, where it is in no file.
    :param target_index: the number of the stage that is built, from 0.
    :param extra_hosts: addresses by name.
    :param platforms: such as linux/arm64; none for the engine's own.
    :param provenance: min or max; empty for no attestation.
    :param has_bases: whether it comes from an image.
    :param triggers: the ONBUILD instructions of the images that it comes from.
    :param sbom: the image that lists what the image has; None for no list.
    :param source_date_epoch: seconds; the time of what the build makes, where the builder knows to set it.
    :param cache_from: where a build's cache may be.
    :param cache_to: where the cache is kept for others.
    :param cache_login: the registry of these, where the docker command does not have its login.
    :param stays: whether the image is to stay in the engine's store.
    :param layout: the directory to write an OCI layout into in place of the engine's store, by a builder that can.
    """

    context: BuildContext
    path: str
    dockerfile: Dockerfile
    args: t.Dict[str, str] = dataclasses.field(default_factory=dict)
    target: str = ""
    target_index: int = 0
    labels: t.Dict[str, str] = dataclasses.field(default_factory=dict)
    secrets: t.Tuple[Secret, ...] = ()
    network: str = ""
    extra_hosts: t.Dict[str, str] = dataclasses.field(default_factory=dict)
    ssh: t.Tuple[SshAgent, ...] = ()
    no_cache: bool = False
    cache_from: t.Tuple[CacheSource, ...] = ()
    cache_to: t.Optional[CacheTarget] = None
    cache_login: t.Optional[RegistrySettings] = None
    inline: t.Optional[bytes] = None
    contexts: t.Tuple[NamedContext, ...] = ()
    contexts_entries: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    platforms: t.Tuple[str, ...] = ()
    annotations: t.Dict[str, str] = dataclasses.field(default_factory=dict)
    provenance: str = ""
    sbom: t.Optional[Reference] = None
    source_date_epoch: t.Optional[int] = None
    has_bases: bool = False
    stays: bool = True
    layout: str = ""
    triggers: t.Tuple[Instruction, ...] = ()

    @contextlib.contextmanager
    def temporary_directory(self) -> t.Iterator[str]:
        """A private directory that is no part of the build's: what is written there would be sent to the builder. With the
        Dockerfile that is in no file, and room for the image's ID, which the command writes when it has built.

        :raises NoTemporaryDirectory: there is none, or it cannot be written to.
        """
        place = outside([self.context.root, *(named.directory for named in self.contexts if named.directory)])
        with contextlib.ExitStack() as stack:
            try:
                directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="longshore-build-", dir=place))
                for name, content in ((IMAGE_ID, b" " * _ROOM), (_DOCKERFILE, self.inline)):
                    if content is not None:
                        with open(os.path.join(directory, name), "wb") as file:
                            file.write(content)
            except OSError as error:
                raise NoTemporaryDirectory(
                    "The directory for temporary files %s cannot be written to: %s. Make room there, or set TMPDIR to another."
                    % (place, error.strerror)
                ) from None
            yield directory

    def options(self, labels: t.Mapping[str, str]) -> t.List[str]:
        """The options that the commands of Docker, Podman and Buildah have in common.

        :param labels: those that are to be given as options.
        """
        argv: t.List[str] = []
        for named in self.contexts:
            argv += ["--build-context", named.option]
        for name, value in sorted(self.args.items()):
            argv += ["--build-arg", "%s=%s" % (name, value)]
        for name, value in sorted(labels.items()):
            argv += ["--label", "%s=%s" % (name, value)]
        if self.target:
            argv += ["--target", self.target]
        if self.network:
            argv += ["--network", self.network]
        for name, address in sorted(self.extra_hosts.items()):
            argv += ["--add-host", "%s:%s" % (name, address)]
        if self.no_cache:
            argv += ["--no-cache"]
        return argv

    def values(self, labels: t.Mapping[str, str]) -> t.Dict[str, str]:
        """What of the user's own a command is given as arguments, by the options they come from.

        :param labels: those that are to be given as options.
        """
        kinds = (("args", self.args), ("labels", labels), ("annotations", self.annotations))
        return {
            "%s.%s" % (kind, name): "%s=%s" % (name, value) for kind, given in kinds for name, value in given.items()
        }

    def dockerfile_in(self, directory: str) -> str:
        """The path of the Dockerfile, which is in this temporary directory where it is in no file else."""
        return self.path if self.inline is None else os.path.join(directory, _DOCKERFILE)


@dataclasses.dataclass(frozen=True)
class Built:
    """A build that has ended.

    :param image_id: the image's ID; empty where it failed.
    :param said: what the builder itself said, where it failed and no step did.
    """

    image_id: str
    record: Record
    said: str = ""


class Builder(t.Protocol):
    """What builds an image into an engine's store, without a name.

    :ivar name: buildkit, classic or buildah.
    :ivar writes_layouts: whether it can write an OCI layout, of all platforms at once.
    :ivar no_epoch: why it does not know source_date_epoch; empty where it does.
    """

    name: str
    writes_layouts: bool
    no_epoch: str

    def build(self, request: BuildRequest, show: Show) -> Built:
        """
        :param show: is given a line for each step.
        :raises DeliveryError: it could not even begin.
        """


class BaseStore(t.Protocol):
    """Where base images are; every method raises C(DeliveryError)."""

    @property
    def where(self) -> str: ...

    def image(self, name: str) -> t.Optional[Image]:
        """The image of a reference; None where there is none."""

    def pull(self, reference: Reference, platform: t.Optional[str] = None) -> None:
        """Have it there."""

    def registry_digest(self, reference: Reference) -> str:
        """The digest that the reference's registry serves now."""

    def login(self, reference: Reference) -> t.Optional[t.Tuple[str, str]]:
        """Name and password for the reference's registry, as far as they are known here."""


class BuildEngine(t.Protocol):
    """An engine that holds images and has a builder; every method raises C(DeliveryError).

    :ivar name: docker, podman or buildah.
    :ivar follows_syntax: whether it reads a Dockerfile with the image that its directive C(syntax) names.
    :ivar where: as messages name it, as in "the engine at unix:///var/run/docker.sock".
    """

    name: str
    follows_syntax: bool

    @property
    def where(self) -> str: ...

    @property
    def bases(self) -> BaseStore:
        """Where its builder finds base images: itself, for an engine that builds."""

    def close(self) -> None: ...

    def image(self, name: str) -> t.Optional[Image]:
        """The image of a reference or an ID; None where the engine has none."""

    def instructions(self, name: str) -> t.List[str]:
        """The history of the image of a reference or an ID: how each entry was made, the newest first; none where it has none."""

    def labelled(self, label: str, value: str) -> t.List[Image]:
        """The images with a label."""

    def tag(self, image_id: str, reference: Reference) -> None:
        """Name an image; the name is taken from whatever image has it."""

    def remove(self, name: str) -> None:
        """Remove a name, or an image that has none. One that is gone already is no error."""

    def export(
        self, image_id: str, parts: Parts, annotations: t.Mapping[str, str]
    ) -> t.Tuple[Descriptor, t.Dict[str, str]]:
        """Add an image to the parts of an OCI layout; what stands for its manifest, and its platform."""

    def pull(self, reference: Reference, platform: t.Optional[str] = None) -> None:
        """Fetch an image with the credentials of the engine's own command."""

    def registry_digest(self, reference: Reference) -> str:
        """The digest that the reference's registry serves now."""

    def platform_arguments(self) -> t.Dict[str, str]:
        """TARGETARCH, BUILDPLATFORM and so on for the engine's own platform."""

    def builder(self, request: BuildRequest) -> Builder:
        """What can build this.

        :raises DeliveryError: nothing can. Where the Dockerfile or an option needs more, the message names it, with its line.
        """
