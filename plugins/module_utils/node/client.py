# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What the clients of a node's engines have in common."""

from __future__ import annotations

import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import RunCommand
from ansible_collections.longshore.delivery.plugins.module_utils.node.held_images import HeldImage
from ansible_collections.longshore.delivery.plugins.module_utils.node.login import Login
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference

_ENDED_BY_TIMEOUT = 124  # coreutils' timeout(1) and busybox's


class EngineRefusal(Exception):
    """An engine that does not do what it is asked, or does not answer; the text is its own words."""


class Puller(t.Protocol):
    """What can pull; every method raises C(EngineRefusal)."""

    def pull(self, reference: Reference, login: t.Optional[Login]) -> None:
        """Fetch an image by its digest, by its tag where it has no digest. The login is kept for the pull alone."""

    def remove(self, reference: Reference) -> None:
        """Take an image away that nobody else can have."""


class ImageStore(Puller, t.Protocol):
    """What keeps images, too; every method raises C(EngineRefusal).

    :param sets_tags: whether it can name an image that it holds; the CRI cannot.
    """

    sets_tags: bool

    def images(self) -> t.List[HeldImage]:
        """All images that it holds."""

    def tag(self, reference: Reference) -> None:
        """Set the reference's tag on the image of its digest, which the engine holds."""


def asked_as(reference: Reference) -> str:
    """How an image is named to an engine: few of them take a tag and a digest at once."""
    return "%s@%s" % (reference.name, reference.digest) if reference.digest else str(reference)


def run_program(
    run_command: RunCommand,
    argv: t.Sequence[str],
    seconds: t.Optional[int] = None,
    environment: t.Optional[t.Mapping[str, str]] = None,
) -> str:
    """Run an engine's program; returns what it prints.

    :param seconds: the most that it may take; None for as long as it takes.
    :raises EngineRefusal: it fails, with what it said, or is ended.
    """
    limit = [] if seconds is None else ["timeout", str(seconds)]
    done = run_command([*limit, *argv], environment=environment)
    if seconds is not None and done.rc == _ENDED_BY_TIMEOUT:
        raise EngineRefusal("timed out after %d s" % seconds)
    if done.rc:
        raise EngineRefusal(done.stderr or done.stdout)
    return done.stdout
