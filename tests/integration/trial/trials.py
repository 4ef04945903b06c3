# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""image_trial in this process, with an engine that is spoken to by Docker's API, which is asked past the collection as well."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import typing as t

import docker
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.running import run_command
from ansible_collections.longshore.delivery.plugins.module_utils.trial.image_trial import CAPABILITY
from ansible_collections.longshore.delivery.plugins.module_utils.trial.owner import RUN_LABEL
from tests import returned

from .contracts import BROKEN, COMMON, GOOD, IN_MEMORY, JMESPATH, OPTIONS, points
from .images import Images, PodmanImages


@dataclasses.dataclass
class Trial:
    """What came of one.

    :ivar message: of one that failed.
    :ivar containers: those that ran when the first point was judged, as the engine describes them.
    """

    result: dict[str, t.Any]
    message: str
    said: list[str]
    containers: list[dict[str, t.Any]]

    @property
    def limits(self) -> list[dict[str, t.Any]]:
        return [found["HostConfig"] for found in self.containers]

    def points(self, verdict: str) -> dict[str, str]:
        return points(self.result, verdict)


class Trials:
    """image_trial with one engine, and images there that are like no others.

    :param engine: closed with this.
    :param options: of a module, to ask it.
    """

    def __init__(self, engine: docker.DockerClient, options: dict[str, t.Any], images: Images | PodmanImages) -> None:
        self.engine = engine
        self.options = options
        self.images = images
        self._references: dict[str, str] = {}

    def image(self, name: str) -> str:
        if name not in self._references:
            self._references[name] = self.images.make(name)
        return self._references[name]

    def run(self, name: str, *, check: bool = False, **options: t.Any) -> Trial:
        image = self.image(name)
        given = {"image": image, **COMMON, **self.options, **options}
        checked = ArgumentSpecValidator(CAPABILITY.argument_spec).validate(given)
        assert checked.error_messages == []
        trial = Trial({}, "", [], [])

        def progress(line: str) -> None:
            trial.said.append(line)
            if not trial.containers:
                trial.containers = [self.engine.api.inspect_container(found["Id"]) for found in self.of(image)]

        context = Context(check=check, diff=False, warn=trial.said.append, progress=progress, run_command=run_command)
        try:
            trial.result = returned.run("image_trial", checked.validated_parameters, context)
        except DeliveryError as error:
            trial.result, trial.message = error.facts, str(error)
        return trial

    def contracts(self, broken: t.Iterable[str] = BROKEN) -> dict[str, Trial]:
        """Trials side by side, none of which is to disturb another.

        :param broken: those of C(BROKEN) among them.
        """
        good = {**GOOD, "assertions": [*GOOD["assertions"], JMESPATH]}
        wanted = {
            "good": good,
            "has options": OPTIONS,
            **{name: {"tmpfs": [directory]} for name, directory in IN_MEMORY.items()},
            **{name: BROKEN[name][0] for name in broken},
        }
        for name in wanted:
            self.image(name)
        with concurrent.futures.ThreadPoolExecutor(5) as threads:
            running = {name: threads.submit(self.run, name, **options) for name, options in wanted.items()}
        return {name: trial.result() for name, trial in running.items()}

    def of(self, *images: str) -> list[dict[str, t.Any]]:
        """The containers of images, by a trial or like one."""
        wanted = {*images, *(self.engine.images.get(image).id for image in images)}
        listed = self.engine.api.containers(all=True, filters={"label": RUN_LABEL})
        return [found for found in listed if {found["Image"], found["ImageID"]} & wanted]

    def left(self) -> list[dict[str, t.Any]]:
        return self.of(*self._references.values())

    def remove(self, container: str) -> None:
        with contextlib.suppress(docker.errors.NotFound):
            self.engine.api.remove_container(container, v=True, force=True)

    def close(self) -> None:
        """Take all of it away; fail where a container was left."""
        left = self.left()
        for found in left:
            self.remove(found["Id"])
        self.images.remove()
        self.engine.close()
        assert left == []
