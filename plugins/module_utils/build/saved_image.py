# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""An image that an engine gives away, as parts of an OCI layout: what C(docker save) writes, and Podman's and Buildah's C(dir:).

The configuration stays as it is byte by byte, so that the image keeps its config digest, and its health check, which OCI's words
do not have. Manifests are made anew: the one has none, the others' may be Docker's.
"""

from __future__ import annotations

import json
import os
import posixpath
import tarfile
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.builder import BuildEngineError
from ansible_collections.longshore.delivery.plugins.module_utils.image.layout_writer import Descriptor, Parts

Stored = t.Tuple[Descriptor, t.Dict[str, str]]  # what stands for a manifest, and its platform


def from_archive(archive: t.IO[bytes], parts: Parts, annotations: t.Mapping[str, str]) -> Stored:
    """Take the image of an archive that C(docker save) wrote.

    :raises BuildEngineError: it is none.
    """
    try:
        with tarfile.open(fileobj=archive, mode="r:") as tar:
            members = {posixpath.normpath(member.name): member for member in tar}

            def opened(path: str) -> t.IO[bytes]:
                member = members[posixpath.normpath(path)]
                if member.issym():  # a layer that an image has twice
                    member = members[posixpath.normpath(posixpath.join(posixpath.dirname(path), member.linkname))]
                return t.cast("t.IO[bytes]", tar.extractfile(member))

            [listed] = json.load(opened("manifest.json"))
            config = opened(listed["Config"]).read()
            layers = [parts.layer(opened(path)) for path in listed["Layers"] or ()]
            return parts.image(config, layers, annotations)
    except (tarfile.TarError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise BuildEngineError(
            "The engine gave the image away in a form that is not known (%s: %s)." % (type(error).__name__, error)
        ) from None


def from_directory(directory: str, parts: Parts, annotations: t.Mapping[str, str]) -> Stored:
    """Take the image of a directory that C(podman push dir:) wrote.

    :raises BuildEngineError: it is none.
    """
    try:
        with open(os.path.join(directory, "manifest.json"), "rb") as file:
            manifest = json.load(file)
        with open(_file(directory, manifest["config"]), "rb") as file:
            config = file.read()
        layers = []
        for entry in manifest["layers"]:
            with open(_file(directory, entry), "rb") as file:
                layers.append(parts.layer(file))
        return parts.image(config, layers, annotations)
    except (LookupError, TypeError, ValueError, FileNotFoundError) as error:
        raise BuildEngineError(
            "The engine gave the image away in a form that is not known (%s: %s)." % (type(error).__name__, error)
        ) from None


def _file(directory: str, entry: t.Mapping[str, t.Any]) -> str:
    return os.path.join(directory, os.path.basename(str(entry["digest"]).partition(":")[2]))
