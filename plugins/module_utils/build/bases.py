# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The base images of a build: which the engine holds, which its registries have anew, and fetching them."""

from __future__ import annotations

import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.builder import (
    BaseStore,
    BuildEngineError,
    CannotAsk,
    RegistryAway,
)
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.image import Image
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.stages import BaseImage
from ansible_collections.longshore.delivery.plugins.module_utils.node.pull_faults import fault_in
from ansible_collections.longshore.delivery.plugins.module_utils.reference import InvalidReference, Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.errors import NOT_THERE

PULL_BASE = ("missing", "newer", "never")
_TO_BE_BUILT = "to be built"  # in place of an ID


class MissingBase(DeliveryError):
    """A base image that is needed, is not in the engine and may not be pulled."""


class Bases:
    """The base images of one build in one engine.

    :param dockerfile: the path of the file that names them, for messages.
    :param platforms: those that the image is built for; none for the engine's own.
    :param coming: references that the engine will have by then, with the IDs of their images; None of one that is to be built.
    :param served: references that a registry serves, with the digests of their images; none of one that is to be built. What the
        engine holds of them has to be that.
    :param may_come: is given a warning where a registry is not there, as a play may set it up before; None where it has to be.
    """

    def __init__(
        self,
        engine: BaseStore,
        images: t.Sequence[BaseImage],
        dockerfile: str,
        platforms: t.Sequence[str] = (),
        coming: t.Optional[t.Mapping[str, t.Optional[str]]] = None,
        served: t.Optional[t.Mapping[str, t.Sequence[str]]] = None,
        may_come: t.Optional[t.Callable[[str], None]] = None,
    ) -> None:
        self._may_come = may_come
        self._away: t.Set[str] = set()
        self._coming = coming or {}
        self._served = served or {}
        self._platforms = tuple(platforms)
        self._engine = engine
        self._images = tuple(images)
        self._dockerfile = dockerfile
        self._seen: t.Dict[str, Image] = {}

    @property
    def names(self) -> t.FrozenSet[str]:
        """Their references."""
        return frozenset(str(base.reference) for base in self._images)

    @property
    def are_coming(self) -> bool:
        """Whether one of them is to be built before."""
        return any(self._coming.get(str(base.reference), "") is None for base in self._images)

    def held(self) -> t.Dict[str, str]:
        """The image IDs of those that the engine holds now, or will hold by then, by reference."""
        names = [str(base.reference) for base in self._images]
        found = [(name, self._found(name)) for name in names if name not in self._coming]
        self._seen = {name: image for name, image in found if image}
        coming = {name: self._coming[name] or _TO_BE_BUILT for name in names if name in self._coming}
        return {**{name: image.id for name, image in self._seen.items()}, **coming}

    def _found(self, name: str) -> t.Optional[Image]:
        try:
            return self._engine.image(name)
        except RegistryAway as error:  # by a builder that asks registries
            self._warn_or_raise(name, error, error)
            return None

    def _warn_or_raise(self, name: str, error: DeliveryError, told: DeliveryError) -> None:
        """
        :param told: what is raised where the error does not tell of a registry that is not there, or that has to be.
        """
        if self._may_come is None or fault_in(str(error), name).kind not in NOT_THERE:
            raise told from None
        if name not in self._away:
            self._away.add(name)
            self._may_come(
                "What the registry of the base image %s (%s) serves is not known: %s. In check mode it is taken for one that a "
                "play sets up before." % (name, self._dockerfile, str(error).rstrip("."))
            )

    def on_build(self, reference: Reference) -> t.Optional[t.Tuple[str, ...]]:
        """The ONBUILD instructions of one that the engine was seen to hold; None of another, or where it does not tell them."""
        name = str(reference)
        coming = self._coming.get(name)
        image = self._engine.image(coming) if coming else self._seen.get(name)
        return image.on_build if image else None

    def absent(self, held: t.Mapping[str, str]) -> t.Tuple[BaseImage, ...]:
        return tuple(base for base in self._images if str(base.reference) not in held)

    def counts_as(self, name: str, recorded: str) -> str:
        """The ID that one which the engine does not hold counts as.

        :param recorded: of the one that an image was built on.
        """
        digests = self._served.get(name)
        if digests is None or recorded in digests:
            return recorded
        return digests[0] if digests else _TO_BE_BUILT

    def outdated(self, asks: bool) -> t.Tuple[BaseImage, ...]:
        """Those that the engine was seen to hold and whose registry serves another image under the same tag.

        The engine asks the registry, with the credentials of the docker command's configuration. One that came from no registry
        and went to none cannot be older than what is there: it is held to be right, as is one that is named by its digest.

        :param asks: whether registries are asked; else it is known of those alone that were brought to one before.
        :raises DeliveryError: a registry does not answer.
        """
        return tuple(base for base in self._images if self._is_outdated(base, asks))

    def _is_outdated(self, base: BaseImage, asks: bool) -> bool:
        image = self._seen.get(str(base.reference))
        digests = registry_digests(image, base.reference) if image else set()
        known = self._served.get(str(base.reference))
        if image is not None and known is not None:
            return not {image.id, *digests} & {*known}
        if not asks or base.reference.digest is not None or not digests:
            return False
        try:
            served = self._engine.registry_digest(base.reference)
        except DeliveryError as error:
            told = BuildEngineError(
                "Whether there is a newer base image %s (%s, line %d) cannot be known: %s. See that the engine can reach its "
                "registry, or set 'pull_base: missing'." % (base.reference, self._dockerfile, base.line, error)
            )
            self._warn_or_raise(str(base.reference), error, told)
            return False
        return served not in digests

    def served(self, base: BaseImage) -> str:
        """The digest of what would be pulled; empty where a play brings it to its registry before.

        :raises DeliveryError: its registry does not have it, or refuses.
        """
        if str(base.reference) in self._served:
            return ""
        try:
            return self._engine.registry_digest(base.reference)
        except CannotAsk as error:
            if self._may_come is None:
                raise self._not_pulled(base, error) from None
            self._may_come("Whether %s can be pulled is not known in check mode: %s." % (base.reference, error))
            return ""
        except DeliveryError as error:
            self._warn_or_raise(str(base.reference), error, self._not_pulled(base, error))
            return ""

    def refuse(self, needed: t.Sequence[BaseImage]) -> None:
        """See that nothing has to be pulled.

        :raises MissingBase: something has to be.
        """
        if needed:
            raise MissingBase(
                "%s does not hold %s, and 'pull_base' is never. Build or load it there first, or set "
                "'pull_base: missing'."
                % (
                    sentence(self._engine.where),
                    " and ".join(
                        "the base image %s (%s, line %d)" % (base.reference, self._dockerfile, base.line)
                        for base in needed
                    ),
                )
            )

    def pull(self, base: BaseImage) -> None:
        """:raises DeliveryError: it could not be pulled."""
        try:
            for platform in self._platforms or (None,):
                self._engine.pull(base.reference, platform)
        except DeliveryError as error:
            raise self._not_pulled(base, error) from None

    def _not_pulled(self, base: BaseImage, error: DeliveryError) -> DeliveryError:
        return BuildEngineError(
            "The base image %s (%s, line %d) could not be pulled: %s. Correct its name, build it first, or see that the "
            "engine can reach its registry." % (base.reference, self._dockerfile, base.line, error)
        )


def sentence(text: str) -> str:
    """With a capital letter in front."""
    return text[:1].upper() + text[1:]


def registry_digests(image: Image, reference: Reference) -> t.Set[str]:
    """The digests under which the registry of a reference has an image, as far as the engine knows."""
    found = set()
    for named in image.repository_digests:
        try:
            known = Reference.parse(named)
        except InvalidReference:
            continue
        if known.name == reference.name and known.digest is not None:
            found.add(str(known.digest))
    return found
