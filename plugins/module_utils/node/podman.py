# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Podman, by its program."""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import RunCommand
from ansible_collections.longshore.delivery.plugins.module_utils.node.auth_file import login_option
from ansible_collections.longshore.delivery.plugins.module_utils.node.client import EngineRefusal, asked_as, run_program
from ansible_collections.longshore.delivery.plugins.module_utils.node.held_images import HeldImage, without_algorithm
from ansible_collections.longshore.delivery.plugins.module_utils.node.login import Login
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference
from ansible_collections.longshore.delivery.plugins.module_utils.verified_stream import Readable

_IS_LIST = re.compile(r"manifest list|image index", re.IGNORECASE)
_GONE = re.compile(r"image not known|no such image", re.IGNORECASE)


class Podman:
    """The images of the user who runs this.

    :param program: its path.
    :param seconds: the most that a pull may take; None for as long as it takes.
    """

    sets_tags = True

    def __init__(self, run_command: RunCommand, program: str, seconds: t.Optional[int] = None) -> None:
        self._run_command = run_command
        self._program = program
        self._seconds = seconds

    def images(self, hidden: bool = False) -> t.List[HeldImage]:
        """
        :param hidden: whether those that builds left between their steps are among them.
        :raises EngineRefusal: Podman fails.
        """
        which = ["--all"] if hidden else []
        return [
            HeldImage.of(image["Id"], [*(image.get("RepoDigests") or ()), *(image.get("Names") or ())])
            for image in json.loads(self._podman(["images", *which, "--no-trunc", "--format", "json"]) or "[]")
        ]

    def inspected(self, image_id: str) -> t.Optional[t.Dict[str, t.Any]]:
        """What Podman shows of an image; None where it is gone, nothing where it is a list with no image for this host.

        :raises EngineRefusal: Podman's own words.
        """
        try:
            [found] = json.loads(self._podman(["image", "inspect", without_algorithm(image_id)]))
        except EngineRefusal as refusal:
            if _GONE.search(str(refusal)):
                return None
            if _IS_LIST.search(str(refusal)):
                return {}
            raise
        return t.cast("t.Dict[str, t.Any]", found)

    def all_inspected(self, image_ids: t.Sequence[str]) -> t.Dict[str, t.Optional[t.Dict[str, t.Any]]]:
        """What Podman shows of each image, as C(inspected) does, by one process for all of them where none is gone.

        :raises EngineRefusal: Podman's own words.
        """
        if len(image_ids) > 1:
            asked = map(without_algorithm, image_ids)
            with contextlib.suppress(EngineRefusal):  # one that is gone, or a list, is an error of all
                # in their order, as a list's image has an ID of its own
                return dict(zip(image_ids, json.loads(self._podman(["image", "inspect", *asked]))))
        return {image_id: self.inspected(image_id) for image_id in image_ids}

    def history(self, image_id: str) -> t.List[t.Dict[str, t.Any]]:
        """An image's history as Podman shows it, the newest first; none where the image is gone.

        :raises EngineRefusal: Podman's own words.
        """
        try:
            found: t.List[t.Dict[str, t.Any]] = json.loads(
                self._podman(["history", "--format", "json", without_algorithm(image_id)])
            )
        except EngineRefusal as refusal:
            if _GONE.search(str(refusal)):
                return []
            raise
        return found

    @contextlib.contextmanager
    def saved(self, *images: str) -> t.Iterator[Readable]:
        """Images by names or IDs as C(podman save) writes them: into a file for the time, as what programs print is text here.

        :raises EngineRefusal: Podman's own words.
        """
        # where Podman itself puts large files; /tmp may be in memory
        with tempfile.TemporaryDirectory(prefix="longshore-", dir=os.environ.get("TMPDIR") or "/var/tmp") as directory:
            path = os.path.join(directory, "image.tar")
            several = ["--multi-image-archive"] if len(images) > 1 else []  # else they are further names of the first
            options = ["--quiet", "--format", "docker-archive", *several, "--output", path]
            self._podman(["save", *options, *map(without_algorithm, images)])
            with open(path, "rb") as file:
                yield file

    def pull(self, reference: Reference, login: t.Optional[Login]) -> None:
        """:raises EngineRefusal: Podman's own words."""
        with login_option(login) as option:
            self._podman(["pull", "--quiet", *option, asked_as(reference)], self._seconds)

    def tag(self, reference: Reference) -> None:
        """:raises EngineRefusal: Podman's own words."""
        self.name(asked_as(reference), reference)

    def name(self, image_id: str, reference: Reference) -> None:
        """Name an image by the reference's tag; the name is taken from whatever image has it.

        :raises EngineRefusal: Podman's own words.
        """
        self._podman(["tag", without_algorithm(image_id), "%s:%s" % (reference.name, reference.tag)])

    def remove(self, reference: Reference) -> None:
        """Remove this name of an image, and the image if it has no other.

        :raises EngineRefusal: it stays.
        """
        self._podman(["rmi", asked_as(reference)])

    def discard(self, name: str) -> None:
        """Remove a name, or an image by its ID. What is gone already is no error.

        :raises EngineRefusal: it stays.
        """
        try:
            self._podman(["rmi", without_algorithm(name)])
        except EngineRefusal as refusal:
            if not _GONE.search(str(refusal)):
                raise

    def containers(self) -> t.List[t.Dict[str, t.Any]]:
        """All containers, running or not, also those of builds, as Podman lists them.

        :raises EngineRefusal: Podman fails.
        """
        found: t.List[t.Dict[str, t.Any]] = json.loads(
            self._podman(["ps", "--all", "--external", "--format", "json"]) or "[]"
        )
        return found

    def _podman(self, arguments: t.Sequence[str], seconds: t.Optional[int] = None) -> str:
        return run_program(self._run_command, [self._program, *arguments], seconds)
