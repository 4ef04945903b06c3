# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Skopeo, which stands for Podman where there is none: it reads the same files and keeps no images."""

from __future__ import annotations

import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import RunCommand
from ansible_collections.longshore.delivery.plugins.module_utils.node.auth_file import login_option
from ansible_collections.longshore.delivery.plugins.module_utils.node.client import asked_as, run_program
from ansible_collections.longshore.delivery.plugins.module_utils.node.login import Login
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference


class Skopeo:
    """:param seconds: the most that a pull may take; None for as long as it takes."""

    def __init__(self, run_command: RunCommand, program: str, seconds: t.Optional[int] = None) -> None:
        self._run_command = run_command
        self._program = program
        self._seconds = seconds

    def pull(self, reference: Reference, login: t.Optional[Login]) -> None:
        """Read an image's manifest and configuration: what a pull would begin with.

        :raises EngineRefusal: Skopeo's own words.
        """
        with login_option(login) as option:
            # without --config it also asks for all tags, and that of no mirror
            argv = [self._program, "inspect", "--config", *option, "docker://" + asked_as(reference)]
            run_program(self._run_command, argv, self._seconds)

    def remove(self, reference: Reference) -> None:
        """Nothing was kept."""
