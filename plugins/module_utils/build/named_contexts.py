# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Named contexts: what a Dockerfile's FROM, C(COPY --from) and C(RUN --mount) find under a name, beside its own stages."""

from __future__ import annotations

import dataclasses
import os
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build import context, dockerignore
from ansible_collections.longshore.delivery.plugins.module_utils.build.content_hashes import ContentHashes
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.stages import Stage
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference

OLDEST_ENGINE = (23, 0)  # whose own BuildKit knows them
_IMAGE = "docker-image://"
_NAME = re.compile(r"[a-z][a-z0-9_-]*\Z")
_ELSEWHERE = ("://", "git@", "target:")


class InvalidContext(DeliveryError):
    """A named context that cannot be."""


@dataclasses.dataclass(frozen=True)
class NamedContext:
    """A directory or an image under a name.

    :param directory: an absolute path; empty where it is an image.
    """

    name: str
    directory: str = ""
    image: t.Optional[Reference] = None

    @classmethod
    def parse(cls, name: str, text: str) -> NamedContext:
        """:raises DeliveryError: it is no name, no absolute path, no image with a tag or digest."""
        if not _NAME.match(name) or name == "scratch":
            raise InvalidContext(
                "'contexts' has the name %r; lower-case letters, digits, '_' and '-' can make one, but not 'scratch'."
                % name
            )
        if text.startswith(_IMAGE):
            reference = Reference.parse(text[len(_IMAGE) :])
            if reference.tag is None and reference.digest is None:
                raise InvalidContext("contexts.%s is the image %s without a tag. Add it." % (name, reference))
            return cls(name, image=reference)
        if any(sign in text for sign in _ELSEWHERE) or not os.path.isabs(text):
            raise InvalidContext(
                "contexts.%s is %r, which is no absolute path of a directory and no image as in %sdebian:12."
                % (name, text, _IMAGE)
            )
        return cls(name, directory=os.path.normpath(text))

    @property
    def option(self) -> str:
        """As buildx has it."""
        return "%s=%s" % (self.name, "%s%s" % (_IMAGE, self.image) if self.image else self.directory)

    def entries(self) -> t.Dict[str, str]:
        """What stands for it among the inputs: of a directory all that its own .dockerignore leaves.

        :raises DeliveryError: the directory is not there or cannot be read.
        """
        if self.image:
            return {self.name: "image %s" % self.image}
        found = self.read().entries
        return {self.name: "directory", **{"%s/%s" % (self.name, path): entry for path, entry in found.items()}}

    def read(self) -> context.BuildContext:
        """What there is in the directory.

        :raises DeliveryError: as C(entries).
        """
        if not os.path.isdir(self.directory):
            raise InvalidContext("contexts.%s is %s, which is no directory." % (self.name, self.directory))
        rules = dockerignore.IgnoreRules()
        path = os.path.join(self.directory, ".dockerignore")
        if os.path.isfile(path):
            try:
                with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
                    rules = dockerignore.parse(file.read(), path)
            except OSError as error:
                raise InvalidContext("%s cannot be read: %s." % (path, error.strerror)) from None
        hashes = ContentHashes.of_directory(self.directory)
        found = context.read(self.directory, rules, hashes)
        hashes.save()
        return found


def check_stages(contexts: t.Iterable[NamedContext], stages: t.Iterable[Stage], dockerfile: str) -> None:
    """See that no name is a stage's: it would take its place.

    :raises InvalidContext: one is.
    """
    names = {named.name for named in contexts}
    for stage in stages:
        if stage.name in names:
            raise InvalidContext(
                "contexts.%s has the name of a stage (%s, line %d). Name one of them otherwise."
                % (stage.name, dockerfile, stage.line)
            )
