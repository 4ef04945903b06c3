# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The images of a Docker engine, by its API."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import DockerAddress
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.image import Image
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference
from ansible_collections.longshore.delivery.plugins.module_utils.verified_stream import Readable

try:
    import docker
    import requests
    from docker import errors as docker_errors
except ImportError as error:
    IMPORT_PROBLEM: t.Optional[str] = str(error)
else:
    IMPORT_PROBLEM = None

    class _Client(docker.APIClient):
        """A client that keeps to the CA it is given: requests would prefer that of REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE."""

        def merge_environment_settings(
            self, url: t.Any, proxies: t.Any, stream: t.Any, verify: t.Any, cert: t.Any
        ) -> t.Any:
            return super().merge_environment_settings(
                url, proxies, stream, self.verify if verify is None else verify, cert
            )


CONTAINERD_STORE = ["driver-type", "io.containerd.snapshotter.v1"]  # in DriverStatus
ANSWER_SECONDS = 15  # for what an engine answers from its own store
REGISTRY_SECONDS = 60  # for what an engine asks a registry and answers
PULL_SECONDS = 300  # without a sign of life of a pull
SAVE_SECONDS = 300  # before the first byte of a saved image: the engine prepares all of it
_PIECE = 1024 * 1024  # bytes of a saved image at once


class DockerEngineError(DeliveryError):
    """The engine cannot be reached, or refused something; the message names engine, cause and way out."""


class DockerEngine:
    """One engine.

    :raises DockerEngineError: the docker package is missing, or the engine does not answer.
    """

    def __init__(self, address: DockerAddress) -> None:
        if IMPORT_PROBLEM:
            raise DockerEngineError(
                "The Python package 'docker' is missing where this runs (%s). Install it with pip." % IMPORT_PROBLEM
            )
        self.address = address
        with self._errors():
            tls = None
            if address.certificates:
                ca, certificate, key = (
                    os.path.join(address.certificates, name) for name in ("ca.pem", "cert.pem", "key.pem")
                )
                tls = docker.tls.TLSConfig(client_cert=(certificate, key), ca_cert=ca, verify=True)
            self._api = _Client(base_url=address.host, version="auto", tls=tls, timeout=ANSWER_SECONDS)

    def close(self) -> None:
        self._api.close()

    def image(self, name: str) -> t.Optional[Image]:
        """The image of a reference or an ID; None where the engine has none."""
        with self._errors():
            try:
                found = self._api.inspect_image(name)
            except docker_errors.ImageNotFound:
                return None
        return _image(found, (found.get("Config") or {}).get("Labels"))

    def labelled(self, label: str, value: str) -> t.List[Image]:
        """The images with a label."""
        with self._errors():
            return [
                _image(found, found.get("Labels"))
                for found in self._api.images(filters={"label": "%s=%s" % (label, value)})
            ]

    def info(self) -> t.Dict[str, t.Any]:
        """What C(docker info) shows."""
        with self._errors():
            return dict(self._api.info())

    def listed(self, hidden: bool = False) -> t.List[t.Dict[str, t.Any]]:
        """All images but those between a build's steps, as the API lists them.

        :param hidden: those too.
        """
        with self._errors():
            return list(self._api.images(all=hidden))

    def inspected(self, image_id: str) -> t.Optional[t.Dict[str, t.Any]]:
        """What the API shows of an image; None where it is gone."""
        with self._errors():
            try:
                return dict(self._api.inspect_image(image_id))
            except docker_errors.ImageNotFound:
                return None

    def history(self, image_id: str) -> t.List[t.Dict[str, t.Any]]:
        """An image's history as the API shows it, the newest first; none where the image is gone."""
        with self._errors():
            try:
                return list(self._api.history(image_id))
            except docker_errors.NotFound:
                return []

    @contextlib.contextmanager
    def saved(self, image: str) -> t.Iterator[Readable]:
        """An image by a name or ID as C(docker save) writes it, read while it comes; nothing of it is kept."""
        with self._errors(SAVE_SECONDS):
            pieces = self._api.get_image(image, chunk_size=_PIECE)
        with contextlib.closing(pieces):
            yield _Pieces(pieces, self._errors)

    def tag(self, image_id: str, reference: Reference) -> None:
        """Name an image; the name is taken from whatever image has it."""
        with self._errors():
            self._api.tag(image_id, reference.name, reference.tag)

    def remove(self, name: str) -> None:
        """Remove a name, or an image that has none. One that is gone already is no error."""
        with self._errors(), contextlib.suppress(docker_errors.ImageNotFound):
            self._api.remove_image(name, noprune=True)

    def containers(self) -> t.List[t.Dict[str, t.Any]]:
        """All containers, running or not, as the API lists them."""
        with self._errors():
            return list(self._api.containers(all=True))

    def by_containerd(self) -> bool:
        """Whether it keeps its images in containerd's store, not in its own."""
        return CONTAINERD_STORE in (self.info().get("DriverStatus") or ())

    def pull(self, reference: Reference, platform: t.Optional[str] = None) -> None:
        """Fetch an image with the credentials of the docker command's configuration."""
        tag = str(reference.digest) if reference.digest else reference.tag
        with self._errors(PULL_SECONDS):
            for event in self._api.pull(reference.name, tag=tag, stream=True, decode=True, platform=platform):
                if "error" in event:
                    raise DockerEngineError(
                        "the engine at %s could not pull %s: %s" % (self.address, reference, event["error"])
                    )

    def registry_digest(self, reference: Reference) -> str:
        """The digest that the reference's registry serves now, as the engine sees it, with the same credentials as C(pull)."""
        with self._errors(REGISTRY_SECONDS):
            return str(self._api.inspect_distribution(str(reference))["Descriptor"]["digest"])

    def check_buildkit(self) -> None:
        """:raises DockerEngineError: the engine has none, as Podman, which answers as Docker does."""
        with self._errors():
            version = self._api.version()
        names = [str(component.get("Name")) for component in version.get("Components") or ()]
        if any(name.startswith("Podman") for name in names):
            raise DockerEngineError(
                "The engine at %s is Podman %s, which has no BuildKit. Set 'docker_host' to a Docker engine."
                % (self.address, version.get("Version"))
            )

    def built(self, archive: t.IO[bytes], **options: t.Any) -> t.Iterator[t.Dict[str, t.Any]]:
        """Build with the classic builder; what it tells, event by event. It leaves no container behind, also when it fails.

        :param archive: the context as a tar.
        :param options: as docker-py has them.
        """
        with self._errors():
            # no limit: an instruction may be silent for as long as it runs
            events = self._api.build(
                fileobj=archive, custom_context=True, rm=True, forcerm=True, decode=True, timeout=None, **options
            )
            yield from events

    def version(self) -> t.Tuple[int, ...]:
        """The engine's, as far as it is numbers: C(26.1.5+dfsg1) is 26, 1, 5."""
        with self._errors():
            found = re.match(r"\d+(\.\d+)*", str(self._api.version().get("Version")))
        return tuple(map(int, found.group().split("."))) if found else ()

    def platform_arguments(self) -> t.Dict[str, str]:
        """What BuildKit sets for the engine's own platform: TARGETARCH, BUILDPLATFORM and so on."""
        with self._errors():
            version = self._api.version()
        values = {"OS": version["Os"], "ARCH": version["Arch"], "PLATFORM": "%(Os)s/%(Arch)s" % version}
        return {side + part: value for side in ("BUILD", "TARGET") for part, value in values.items()}

    @contextlib.contextmanager
    def calls(self, seconds: int = ANSWER_SECONDS) -> t.Iterator[t.Any]:
        """The docker package's C(APIClient), for what is no image's; what it raises in the body is translated.

        :param seconds: without an answer.
        :raises DockerEngineError: in place of the package's errors.
        """
        with self._errors(seconds):
            yield self._api

    @contextlib.contextmanager
    def _errors(self, seconds: int = ANSWER_SECONDS) -> t.Iterator[None]:
        """Translate what goes wrong while the body waits for the engine."""
        try:
            if seconds != ANSWER_SECONDS:
                self._api.timeout = seconds
            yield
        except docker_errors.APIError as error:
            raise DockerEngineError(
                "The Docker engine at %s refused: %s" % (self.address, error.explanation or error)
            ) from None
        except (docker_errors.DockerException, requests.exceptions.RequestException, OSError) as error:
            raise DockerEngineError(_unreachable(self.address, str(error))) from None
        finally:
            if seconds != ANSWER_SECONDS:
                self._api.timeout = ANSWER_SECONDS


class _Pieces:
    """An answer's body as what it is read from."""

    def __init__(self, pieces: t.Iterator[bytes], errors: t.Callable[[], t.ContextManager[None]]) -> None:
        self._pieces = pieces
        self._errors = errors
        self._left = b""

    def read(self, size: int, /) -> bytes:
        gathered, count = [self._left] if self._left else [], len(self._left)
        with self._errors():
            while count < min(size, _PIECE):  # an engine may send little at once
                piece = next(self._pieces, b"")
                if not piece:
                    break
                gathered.append(piece)
                count += len(piece)
        whole = gathered[0] if len(gathered) == 1 else b"".join(gathered)
        self._left = whole[size:]
        return whole[:size]


_SETTINGS = (
    "Cmd",
    "Entrypoint",
    "Env",
    "ExposedPorts",
    "Healthcheck",
    "OnBuild",
    "Shell",
    "StopSignal",
    "User",
    "Volumes",
    "WorkingDir",
)
_CAUSES = (
    # what the client's exceptions say, the cause, the way out
    ("No such file", "there is no such socket", "Start Docker there, or set 'docker_host' to where it listens"),
    (
        "Permission denied",
        "this user may not use it",
        "Add the user to its group, usually docker, or run as one who may",
    ),
    ("Connection refused", "nothing listens there", "Start Docker there, or set 'docker_host' to where it listens"),
    (
        "CERTIFICATE_VERIFY_FAILED",
        "its certificate is not signed by the CA in ca.pem, or is for another name",
        "Set 'docker_cert_path' to the directory with its CA",
    ),
    (
        "alert",
        "it refuses the client's certificate",
        "Set 'docker_cert_path' to the directory with a certificate that its CA signed",
    ),
    ("BadStatusLine", "it speaks TLS", "Set 'docker_cert_path' to the directory with ca.pem, cert.pem and key.pem"),
    (
        "client sent an HTTP request to an HTTPS server",
        "it speaks TLS",
        "Set 'docker_cert_path' to the directory with ca.pem, cert.pem and key.pem",
    ),
    ("WRONG_VERSION_NUMBER", "it speaks no TLS", "Leave 'docker_cert_path' and DOCKER_TLS_VERIFY away"),
    ("timed out", "it does not answer within %d s" % ANSWER_SECONDS, "See whether the host is up and the port open"),
    ("No route to host", "there is no route to its host", "See whether the host is up"),
    ("resolve", "its host's name is not known", "Correct 'docker_host'"),
    ("Name or service not known", "its host's name is not known", "Correct 'docker_host'"),
)


def _unreachable(address: DockerAddress, text: str) -> str:
    for sign, cause, way_out in _CAUSES:
        if sign.lower() in text.lower():
            return "The Docker engine at %s cannot be reached: %s. %s." % (address, cause, way_out)
    return "The Docker engine at %s cannot be reached: %s" % (address, text)


def _image(found: t.Mapping[str, t.Any], labels: t.Optional[t.Dict[str, str]]) -> Image:
    return Image(
        id=found["Id"],
        labels=dict(labels or {}),
        references=tuple(name for name in found.get("RepoTags") or () if name != "<none>:<none>"),
        repository_digests=tuple(found.get("RepoDigests") or ()),
        layers=tuple((found.get("RootFS") or {}).get("Layers") or ()),
        content=content_of(found) if "RootFS" in found else "",
        settings=_settings_of(found) if "RootFS" in found else "",
    )


def _settings_of(shown: t.Mapping[str, t.Any]) -> str:
    """What stands for the settings that a container inherits, which labels are not."""
    config = shown.get("Config") or {}
    parts = {name: config.get(name) or None for name in _SETTINGS}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def content_of(shown: t.Mapping[str, t.Any]) -> str:
    """What stands for an image's configuration, of what an engine shows of it."""
    parts = {
        name: shown.get(name) for name in ("Created", "Author", "Config", "RootFS", "Os", "Architecture", "Variant")
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
