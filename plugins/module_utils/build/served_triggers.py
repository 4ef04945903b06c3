# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The ONBUILD instructions of an image that a registry holds and no engine yet, read without pulling it.

The registry is asked from here for what it serves the engine, by its digest, so that what comes is right whoever sends it. That
is why a registry whose certificate nobody here vouches for is asked all the same; a login is for one that is vouched for alone.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.reference import InvalidReference, Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient, RegistryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import (
    PLAIN,
    UNVERIFIED,
    RegistrySettings,
)

_SECONDS = 5.0  # for what is a help
# by what is wrong with a verified connection, how it is asked without a login
_OTHERWISE = {"ca": UNVERIFIED, "tls": UNVERIFIED, "clock": UNVERIFIED, "https_on_http": PLAIN}

Login = t.Tuple[str, str]


def served_triggers(
    reference: Reference, digest: str, platform: str, login: t.Optional[Login] = None
) -> t.Optional[t.Tuple[str, ...]]:
    """None where they cannot be known from here.

    :param digest: that the reference's registry serves the engine.
    :param platform: the one of an index that counts.
    :param login: name and password.
    """
    username, password = login or (None, None)
    settings = RegistrySettings(reference.endpoint, username=username, password=password)
    try:
        try:
            return _read(settings, reference.repository, digest, platform)
        except RegistryError as error:
            if error.kind not in _OTHERWISE:
                raise
            settings = RegistrySettings(reference.endpoint, _OTHERWISE[error.kind])
            return _read(settings, reference.repository, digest, platform)
    except (RegistryError, InvalidReference):
        return None


def _on_build_of(config: t.Any) -> t.Optional[t.Tuple[str, ...]]:
    """The ONBUILD instructions in the document of an image's configuration; None where it is none."""
    try:
        return tuple(map(str, config["config"].get("OnBuild") or ()))
    except (LookupError, TypeError, AttributeError):
        return None


def _read(settings: RegistrySettings, repository: str, digest: str, platform: str) -> t.Optional[t.Tuple[str, ...]]:
    with RegistryClient(settings, _SECONDS) as client:
        manifest = client.get_manifest(repository, ManifestDigest.parse(digest))
        if manifest.is_index:
            child = next((child for child in manifest.children if child.platform == platform), None)
            if child is None:
                return None
            manifest = client.get_manifest(repository, child.digest)
        if manifest.config_digest is None:
            return None
        try:
            return _on_build_of(json.loads(client.get_blob(repository, manifest.config_digest).decode()))
        except ValueError:
            return None
