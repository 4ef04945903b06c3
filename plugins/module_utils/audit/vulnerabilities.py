# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""How trivy finds the images that are audited: at the engine or the registry itself, else as a layout of the image alone.

No login is among a program's arguments.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.audit.layer_names import image_name
from ansible_collections.longshore.delivery.plugins.module_utils.audit.sources import ARCHIVE, LAYOUT, REGISTRY
from ansible_collections.longshore.delivery.plugins.module_utils.audit.trivy import TrivyReport
from ansible_collections.longshore.delivery.plugins.module_utils.audit.trivy_program import Trivy, TrivyError
from ansible_collections.longshore.delivery.plugins.module_utils.audit.uncompressed import UnreadableLayer
from ansible_collections.longshore.delivery.plugins.module_utils.audit.unpacked import Blobs
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Context
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.client import DockerEngine
from ansible_collections.longshore.delivery.plugins.module_utils.image.contents import ImageContents
from ansible_collections.longshore.delivery.plugins.module_utils.image.local_engine import find_engine
from ansible_collections.longshore.delivery.plugins.module_utils.node.docker_socket import DockerSocket
from ansible_collections.longshore.delivery.plugins.module_utils.node.podman import Podman
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import VERIFIED, RegistrySettings

_Environment = t.Dict[str, str]


def look(
    trivy: Trivy, images: t.Sequence[ImageContents], params: t.Mapping[str, t.Any], context: Context
) -> t.List[TrivyReport]:
    """What trivy says of each of the images.

    :raises TrivyError: it fails, or cannot be given one of them.
    """
    reports = []
    with contextlib.ExitStack() as opened:
        # where large files may be; /tmp may be in memory
        place = os.environ.get("TMPDIR") or "/var/tmp"
        directory = opened.enter_context(tempfile.TemporaryDirectory(prefix="longshore-", dir=place))
        targets = _Targets(params, context, directory, opened)
        for number, image in enumerate(images):
            name = image_name(image)
            context.progress("trivy looks at %s" % name)
            empty = os.path.join(directory, "at-%d" % number)
            os.mkdir(empty)
            try:
                target, environment = targets.of(image, os.path.join(directory, "image-%d" % number))
            except (OSError, LookupError, ValueError, TypeError, UnreadableLayer) as error:
                raise TrivyError("%s cannot be given to trivy: %s." % (name, error)) from None
            reports.append(trivy.report(name, target, environment, empty))
    return reports


class _Targets:
    """Arguments and environment by which trivy finds an image.

    :param directory: for files of its own.
    """

    def __init__(
        self, params: t.Mapping[str, t.Any], context: Context, directory: str, opened: contextlib.ExitStack
    ) -> None:
        self._store = params["store"]
        self._directory = directory
        self._registry: t.Mapping[str, t.Any] = params["registry"] or {}
        self._path = str(params.get(self._store) or "")
        self._blobs: t.Optional[Blobs] = None
        self._client: t.Union[DockerSocket, DockerEngine, Podman, None] = None
        if self._store not in (REGISTRY, LAYOUT, ARCHIVE):
            client = find_engine(params, context, opened).client
            if isinstance(client, (DockerSocket, DockerEngine, Podman)):
                self._client = client

    def of(self, image: ImageContents, layout: str) -> t.Tuple[t.List[str], _Environment]:
        """:param layout: a directory that may be made for it."""
        if self._store == REGISTRY:
            return self._in_registry(image)
        if isinstance(self._client, (DockerSocket, DockerEngine)):
            # by its ID where that is its configuration's, which no name can be moved away from
            by_id = not image.references or image.id == str(image.digests.config)
            name = image.id if by_id else str(image.references[0])
            return ["--image-src", "docker", name], self._client.address.command_environment
        self._blobs_of(image).as_layout(image, layout)
        return ["--input", layout], {}

    def _in_registry(self, image: ImageContents) -> t.Tuple[t.List[str], _Environment]:
        settings = RegistrySettings.from_params(self._registry)
        environment: _Environment = {}
        if settings.username is not None and settings.password is not None:
            environment.update(TRIVY_USERNAME=settings.username, TRIVY_PASSWORD=settings.password)
        if settings.ca:
            # a program written in Go reads the system's directories of certificates beside this file
            path = os.path.join(self._directory, "ca.crt")
            with open(path, "w", encoding="utf-8") as file:
                file.write(settings.ca)
            environment["SSL_CERT_FILE"] = path
        insecure = [] if settings.tls == VERIFIED else ["--insecure"]
        name = "%s@%s" % (image.pinned[0].name, image.digests.manifest)
        return [*insecure, "--image-src", "remote", name], environment

    def _blobs_of(self, image: ImageContents) -> Blobs:
        if isinstance(self._client, Podman):
            place = os.path.join(self._directory, "blobs-" + image.id.rpartition(":")[2])
            with self._client.saved(str(image.references[0]) if image.references else image.id) as stream:
                return Blobs.unpacked(stream, place)
        if os.path.isdir(self._path):
            return Blobs(os.path.join(self._path, "blobs"))
        if self._blobs is None:
            with open(self._path, "rb") as file:
                self._blobs = Blobs.unpacked(file, os.path.join(self._directory, "blobs"))
        return self._blobs
