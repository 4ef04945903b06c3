# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.
"""A walk of what a registry has: its repositories, their tags, and what is served under each.

Everything comes while it is read, and a few connections read side by side: however many tags there are, some pages of their
names and some images are held at a time. A registry that does not page its tags, as distribution's before version 3, gives
all names of one repository at once; they are held then, and no more than that.
"""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.reference import InvalidReference
from ansible_collections.longshore.delivery.plugins.module_utils.reference_grammar import Flaw, check_repository
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.image_reader import ImageReader
from ansible_collections.longshore.delivery.plugins.module_utils.registry.referrers import (
    About,
    has_api,
    subject_of_tag,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.served import ServedTag
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.side_by_side import streamed
from ansible_collections.longshore.delivery.plugins.module_utils.wildcards import fits, has_wildcards

_AT_ONCE = 32  # tags that one connection reads before it hands them on


def check_named(repository: str, option: str) -> None:
    """:param option: where it is named, for the message.

    :raises InvalidReference: it is no repository.
    """
    try:
        check_repository(repository)
    except Flaw as flaw:
        raise InvalidReference("%s: %r is no repository: %s." % (option, repository, flaw)) from None


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What of a registry is looked at. Patterns as C(wildcards) has them; with none, everything is.

    :param repositories: patterns for their names.
    :param tags: patterns for the tags' names.
    """

    repositories: t.Tuple[str, ...] = ()
    tags: t.Tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in self.named:
            check_named(name, "repositories")

    @property
    def named(self) -> t.List[str]:
        """Those that are no patterns."""
        return [name for name in self.repositories if not has_wildcards(name)]

    @property
    def needs_catalog(self) -> bool:
        """Whether the list of all repositories has to be read, which not every registry has."""
        return not self.repositories or len(self.named) < len(self.repositories)

    def has_repository(self, name: str) -> bool:
        return not self.repositories or any(fits(pattern, name) for pattern in self.repositories)

    def has_tag(self, tag: str) -> bool:
        return not self.tags or any(fits(pattern, tag) for pattern in self.tags)


@dataclasses.dataclass(frozen=True)
class _Batch:
    """Some tags of a repository, in the order of the registry's list."""

    repository: str
    about: About
    tags: t.Tuple[str, ...]


class Walk:
    """A walk; a context manager that closes its own connection.

    Its methods raise C(RegistryError) where the registry cannot be reached or refuses.

    :param settings: of the registry.
    :param wanted: what of it is looked at.
    :param at_once: how many connections read images.
    :param timeout: in seconds, for connecting and for each wait for bytes.
    """

    def __init__(
        self, settings: RegistrySettings, wanted: t.Optional[Wanted] = None, at_once: int = 4, timeout: float = 10.0
    ) -> None:
        self._settings = settings
        self._wanted = wanted or Wanted()
        self._at_once = at_once
        self._timeout = timeout
        self._client = RegistryClient(settings, timeout)

    def __enter__(self) -> Walk:
        return self

    def __exit__(self, *exception: object) -> None:
        self._client.close()

    def repositories(self) -> t.Iterator[str]:
        """The names of the repositories, in the order of the registry's catalog; those asked for by name come first."""
        named = list(dict.fromkeys(self._wanted.named))
        yield from named
        if not self._wanted.needs_catalog:
            return
        for page in self._client.repository_pages():
            yield from (name for name in page if name not in named and self._wanted.has_repository(name))

    def tags(self, repository: str) -> t.Iterator[str]:
        """The tags of a repository that are looked at, in the order of the registry's list; none where there is none."""
        for page in self._client.tag_pages(repository):
            yield from (tag for tag in page if self._wanted.has_tag(tag))

    def images(self, repositories: t.Iterable[str]) -> t.Iterator[ServedTag]:
        """What is served under the tags of these repositories, in the order of their lists."""
        for read in streamed(self._reading, self._batches(repositories), self._at_once):
            yield from read

    def _batches(self, repositories: t.Iterable[str]) -> t.Iterator[_Batch]:
        for repository in repositories:
            about: t.Optional[About] = None
            tags: t.List[str] = []
            for tag in self.tags(repository):
                about = about or self._about(repository)
                tags.append(tag)
                if len(tags) == _AT_ONCE:
                    yield _Batch(repository, about, tuple(tags))
                    tags = []
            if about and tags:
                yield _Batch(repository, about, tuple(tags))

    def _about(self, repository: str) -> About:
        """Where referrers are found. Their tags are read from the list, which costs less than to ask for each image's."""
        if has_api(self._client, repository):
            return About(by_api=True)
        pages = self._client.tag_pages(repository)
        return About(tags=frozenset(tag for page in pages for tag in page if subject_of_tag(tag)))

    @contextlib.contextmanager
    def _reading(self) -> t.Iterator[t.Callable[[_Batch], t.List[ServedTag]]]:
        with RegistryClient(self._settings, self._timeout) as client:
            reader = ImageReader(client)
            yield lambda batch: [reader.of_tag(batch.repository, tag, batch.about) for tag in batch.tags]
