# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The Docker engine that builds, pushes and runs: what it has, and what is done with it."""

from __future__ import annotations

import contextlib
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import DockerAddress
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.api import Document, EngineApi
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.faults import (
    ANSWER_SECONDS,
    DockerEngineError,
    refused,
    unreachable,
)
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.image import Image
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.transport import (
    FAULTS,
    EngineTransport,
    HttpTransport,
    may_be_proxied,
)
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference

if t.TYPE_CHECKING:
    from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.package import DockerPackage

CONTAINERD_STORE = ["driver-type", "io.containerd.snapshotter.v1"]  # in DriverStatus
REGISTRY_SECONDS = 60  # for what an engine asks a registry and answers
PULL_SECONDS = 300  # without a sign of life of a pull
SAVE_SECONDS = 300  # before the first byte of a saved image: the engine prepares all of it


class DockerEngine(EngineApi):
    """One engine. Every method raises C(DockerEngineError).

    What asks a registry needs its credentials, which the docker package finds as the docker command does; what streams is its
    work, too. It is loaded when it is needed, since that takes longer than all that is asked where nothing is to do.
    """

    def __init__(self, address: DockerAddress) -> None:
        self.address = address
        self._package: t.Optional[DockerPackage] = None
        self._version: t.Optional[Document] = None
        transport: EngineTransport = HttpTransport(address)
        if may_be_proxied(address):
            transport = self._loaded("auto").transport  # which knows the rules of proxies
        super().__init__(transport, ANSWER_SECONDS, SAVE_SECONDS)

    def close(self) -> None:
        super().close()
        if self._package is not None:
            self._package.close()

    def image(self, name: str) -> t.Optional[Image]:
        """The image of a reference or an ID; None where the engine has none."""
        found = self.inspected(name)
        return None if found is None else Image.of_api(found, (found.get("Config") or {}).get("Labels"))

    def labelled(self, label: str, value: str) -> t.List[Image]:
        """The images with a label."""
        listed = self.listed(label="%s=%s" % (label, value))
        return [Image.of_api(found, found.get("Labels")) for found in listed]

    def tag(self, image_id: str, reference: Reference) -> None:
        """Name an image; the name is taken from whatever image has it."""
        self.name_image(image_id, reference)

    def remove(self, name: str) -> None:
        """Remove a name, or an image that has none. One that is gone already is no error."""
        self.discard(name, parents=False)

    def by_containerd(self) -> bool:
        """Whether it keeps its images in containerd's store, not in its own."""
        return CONTAINERD_STORE in (self.info().get("DriverStatus") or ())

    def pull(self, reference: Reference, platform: t.Optional[str] = None) -> None:
        """Fetch an image with the credentials of the docker command's configuration."""
        tag = str(reference.digest) if reference.digest else reference.tag
        with self.calls(PULL_SECONDS) as api:
            for event in api.pull(reference.name, tag=tag, stream=True, decode=True, platform=platform):
                if "error" in event:
                    raise DockerEngineError(
                        "the engine at %s could not pull %s: %s" % (self.address, reference, event["error"])
                    )

    def registry_digest(self, reference: Reference) -> str:
        """The digest that the reference's registry serves now, as the engine sees it, with the same credentials as C(pull)."""
        with self.calls(REGISTRY_SECONDS) as api:
            return str(api.inspect_distribution(str(reference))["Descriptor"]["digest"])

    def is_podman(self) -> bool:
        """Whether it is Podman's service, which answers as Docker does."""
        components = self.version().get("Components") or ()
        return any(str(component.get("Name")).startswith("Podman") for component in components)

    def login(self, reference: Reference) -> t.Optional[t.Tuple[str, str]]:
        """Name and password for the reference's registry by the docker command's configuration, as for C(pull); secret. None
        where there is none, or a token in its place.
        """
        return self._loaded().login(str(reference.endpoint))

    def version(self) -> Document:
        """What C(docker version) shows of the engine. It is asked once: what decides by it decides by one engine."""
        if self._version is None:
            self._version = super().version()
        return self._version

    def check_buildkit(self) -> None:
        """:raises DockerEngineError: the engine has none."""
        if self.is_podman():
            raise DockerEngineError(
                "The engine at %s is Podman %s, which has no BuildKit. Set 'docker_host' to a Docker engine."
                % (self.address, self.version().get("Version"))
            )

    def built(self, archive: t.IO[bytes], **options: t.Any) -> t.Iterator[t.Dict[str, t.Any]]:
        """Build with the classic builder; what it tells, event by event. It leaves no container behind, also when it fails.

        :param archive: the context as a tar.
        :param options: as docker-py has them.
        """
        with self.calls() as api:
            # no limit: an instruction may be silent for as long as it runs
            yield from api.build(
                fileobj=archive, custom_context=True, rm=True, forcerm=True, decode=True, timeout=None, **options
            )

    def version_number(self) -> t.Tuple[int, ...]:
        """The engine's version, as far as it is numbers: C(26.1.5+dfsg1) is 26, 1, 5."""
        found = re.match(r"\d+(\.\d+)*", str(self.version().get("Version")))
        return tuple(map(int, found.group().split("."))) if found else ()

    def platform_arguments(self) -> t.Dict[str, str]:
        """What BuildKit sets for the engine's own platform: TARGETARCH, BUILDPLATFORM and so on."""
        version = self.version()
        values = {"OS": version["Os"], "ARCH": version["Arch"], "PLATFORM": "%(Os)s/%(Arch)s" % version}
        return {side + part: value for side in ("BUILD", "TARGET") for part, value in values.items()}

    @contextlib.contextmanager
    def calls(self, seconds: int = ANSWER_SECONDS) -> t.Iterator[t.Any]:
        """The docker package's C(APIClient), for what is no image's; what it raises in the body is translated.

        :param seconds: without an answer.
        :raises DockerEngineError: in place of the package's errors; or the package is missing.
        """
        with self._loaded().calls(seconds) as api:
            yield api

    def _loaded(self, api_version: str = "") -> DockerPackage:
        if self._package is None:
            from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.package import (
                DockerPackage,
            )

            self._package = DockerPackage(self.address, api_version or str(self.version().get("ApiVersion") or "auto"))
        return self._package

    def _refusal(self, message: str) -> DockerEngineError:
        return refused(self.address, message)

    @contextlib.contextmanager
    def _faults(self, seconds: int) -> t.Iterator[None]:
        try:
            yield
        except FAULTS as error:
            raise unreachable(self.address, error, seconds) from None
