# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Which engine runs what is tried: the one that is asked for, or the first that is there."""

from __future__ import annotations

import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import RunCommand
from ansible_collections.longshore.delivery.plugins.module_utils.image.engine_there import engine_there, program_of
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import AUTO, DOCKER, PODMAN
from ansible_collections.longshore.delivery.plugins.module_utils.trial.docker_trials import DockerTrials
from ansible_collections.longshore.delivery.plugins.module_utils.trial.engine import TrialEngine
from ansible_collections.longshore.delivery.plugins.module_utils.trial.podman_trials import PodmanError, PodmanTrials
from ansible_collections.longshore.delivery.plugins.module_utils.trial.wanted import Wanted


def find_engine(wanted: Wanted, run_command: RunCommand) -> t.Tuple[TrialEngine, str]:
    """The engine, and why it is that one.

    :raises DeliveryError: it is not there.
    """
    name, why = wanted.engine, "it was asked for"
    if name == AUTO:
        name, why = engine_there(wanted.address, (PODMAN,))
    if name == DOCKER:
        return DockerTrials(wanted.address), why
    return PodmanTrials(program_of(PODMAN, PodmanError), run_command), why
