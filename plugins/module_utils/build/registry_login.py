# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""A login for the docker command, which takes it from its configuration, or from programs that this names."""

from __future__ import annotations

import json
import os
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.private_files import read_json
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import configuration_directory
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings

_FILE = "config.json"
_DOCKER_HUB = "https://index.docker.io/v1/"  # as the command calls it there


def command_with_login(directory: str, login: t.Optional[RegistrySettings]) -> t.Dict[str, str]:
    """The environment in which the docker command has the user's own configuration, and this login beside those in it.

    :param directory: private, for as long as the command runs; what it takes of the user's is linked from there.
    :param login: None where the user's own is all there is.
    """
    if login is None or login.basic_authorization is None:
        return {}
    own, place = configuration_directory(), os.path.join(directory, "docker")
    os.mkdir(place, 0o700)
    for name in os.listdir(own) if os.path.isdir(own) else ():
        if name != _FILE:
            os.symlink(os.path.join(os.path.abspath(own), name), os.path.join(place, name))
    registry = _DOCKER_HUB if login.endpoint.is_docker_hub else str(login.endpoint)
    configuration = read_json(os.path.join(own, _FILE))
    authorization = login.basic_authorization.partition(" ")[2]
    configuration["auths"] = {**(configuration.get("auths") or {}), registry: {"auth": authorization}}
    if configuration.get("credsStore") or configuration.get("credHelpers"):
        # no program is asked for what stands in the file
        configuration["credHelpers"] = {**(configuration.get("credHelpers") or {}), registry: ""}
    with open(
        os.open(os.path.join(place, _FILE), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        json.dump(configuration, file)
    builders = os.environ.get("BUILDX_CONFIG") or os.path.join(os.path.abspath(own), "buildx")
    return {"DOCKER_CONFIG": place, "BUILDX_CONFIG": builders}
