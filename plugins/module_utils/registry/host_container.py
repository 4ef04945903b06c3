# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""A registry in a container that its systemd unit runs by Docker or Podman.

The unit's main process is the engine's: what listens is in a control group of the engine's, and is known by the variable that the
unit gives it.
"""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import RunCommand
from ansible_collections.longshore.delivery.plugins.module_utils.reference import InvalidReference, Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_listeners import Listener, Sockets
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_program import Program
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_units import (
    Unit,
    arguments_of,
    environment_of,
)

# what the engines say of an image, or a container, that is not there
_NOT_THERE = ("no such image", "image not known", "no such container", "no such object")
# which a container's unit gives its own process: the path of the engine's command, or host_quadlet.STARTER
_ENGINE_VARIABLE = "LONGSHORE_REGISTRY_ENGINE"
# what would end a path in the engine's list of mounts
_UNMOUNTABLE = ',:"'


@dataclasses.dataclass(frozen=True)
class Container:
    """What an engine has of the registry.

    :param image: what the reference names on this host, as the engine's own identity of it; empty where it is not there.
    :param runs: that of the image that the container was made of; empty where there is no container.
    :param process: the container's first one, 0 where none runs.
    :param fault: why the engine cannot run it, as a sentence with the way out.
    """

    reference: str = ""
    image: str = ""
    runs: str = ""
    process: int = 0
    fault: str = ""

    @property
    def lacks_image(self) -> bool:
        return bool(self.reference) and not self.image

    @property
    def runs_another_image(self) -> bool:
        return bool(self.image and self.runs) and self.image != self.runs

    def found_in(self, unit: Unit, sockets: Sockets) -> Unit:
        """The unit with what its container is given and listens on, instead of the engine's process."""
        if not self.reference:
            return unit
        return dataclasses.replace(
            unit,
            environment=environment_of(self.process),
            listens=tuple(sockets.addresses_of(self.process)),
            program="",
        )


def observe(engine: str, reference: str, name: str, data: str, run_command: RunCommand) -> Container:
    """Ask the engine for the image and the container.

    :param engine: the path of its command.
    :param name: of the container.
    :param data: the directory of the images, which is mounted there.
    """
    fault = _fault(reference, data)
    if not fault and not os.access(engine, os.X_OK):
        fault = "registry_engine is %s, and there is no %s on this host. Install it, or set the other one." % (
            os.path.basename(engine),
            engine,
        )
    if fault:
        return Container(reference, fault=fault)
    answers = []
    for kind, wanted, form in (("image", reference, "{{.Id}}"), ("container", name, "{{.Image}} {{.State.Pid}}")):
        asked = run_command([engine, kind, "inspect", "--format", form, wanted])
        if asked.rc and not any(words in asked.stderr.lower() for words in _NOT_THERE):
            return Container(
                reference,
                fault="%s does not answer on this host: %s. Start it, or see what it lacks."
                % (os.path.basename(engine), " ".join(asked.stderr.split()).rstrip(".") or "exit status %d" % asked.rc),
            )
        answers.append([] if asked.rc else asked.stdout.replace("sha256:", "").split())
    image, container = answers
    return Container(
        reference,
        image=image[0] if image else "",
        runs=container[0] if len(container) == 2 else "",
        process=int(container[1]) if len(container) == 2 else 0,
    )


def what_else_runs(unit: Unit, program: Program, container: Container) -> str:
    """In words, what was replaced since the unit was started, as by an upgrade of a package: it goes on running as it was."""
    if program.identity and unit.program != program.identity:
        return "program than %s" % program.path
    return "image than %s" % container.reference if container.runs_another_image else ""


def is_of_another(engine: str, unit: Unit) -> bool:
    """Whether the unit runs a container by another engine, or form of unit, than this one ('' for none): only what started it
    ends it whole.
    """
    return unit.environment.get(_ENGINE_VARIABLE, engine) != engine


def _fault(reference: str, data: str) -> str:
    if not reference:
        return (
            "registry_backend is container, and registry_image is empty. Set it to an image of the distribution project's "
            "registry, best of all by digest."
        )
    try:
        Reference.parse(reference)
    except InvalidReference as error:
        return "registry_image: %s" % error
    if any(character in data for character in _UNMOUNTABLE):
        return "registry_data %s cannot be mounted into a container: it has one of %s. Set another place." % (
            data,
            " ".join(_UNMOUNTABLE),
        )
    return ""


def attributed(
    listeners: t.Iterable[Listener], unit: str, variable: str, configuration: str, proc: str = "/proc"
) -> t.Tuple[Listener, ...]:
    """The listeners, those that a container of the unit's holds as the unit's: they are in the engine's control group.

    :param variable: which every registry of the role's is given.
    :param configuration: the path that this one alone is told to serve, so that it is known from those beside it.
    """

    def is_ours(pid: int) -> bool:
        return variable in environment_of(pid, proc) and configuration in arguments_of(pid, proc)

    return tuple(
        dataclasses.replace(listener, unit=unit) if is_ours(listener.pid) else listener for listener in listeners
    )
