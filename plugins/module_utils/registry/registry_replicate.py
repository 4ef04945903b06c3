# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Having one registry hold what its peers hold: what it lacks is copied, and of two images under one tag the newer one.

Each host of a group pulls from all others; nobody writes to another's registry. All decide alike, so that they can do it at once
and hold the same afterwards. Nothing is deleted.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import time
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Capability, Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.counted import counted
from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Endpoint
from ansible_collections.longshore.delivery.plugins.module_utils.registry import canaries
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.errors import RegistryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.replica_copy import Copier
from ansible_collections.longshore.delivery.plugins.module_utils.registry.replica_plan import (
    NEITHER,
    PEER,
    TagState,
    Verdict,
    verdict,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.replica_records import PLACE, Records
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import (
    REGISTRY_SPEC,
    RegistrySettings,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.storage_layout import current
from ansible_collections.longshore.delivery.plugins.module_utils.side_by_side import streamed

_AT_ONCE = 4
_BATCH = 32  # tags that one connection compares before it hands them on
_MOMENT, _PAUSE = 2.0, 0.05  # seconds
_ATTEMPTS = 3  # for a tag that moves while its image is copied
_TOLD = 100  # of each list of the result
# of one image; by any other, the registry as a whole does not do its part
_OF_ONE_IMAGE = ("not_found", "forbidden", "other")


class _Part(t.NamedTuple):
    """Some tags of a repository to compare; without any, its manifests."""

    repository: str
    tags: t.Tuple[str, ...] = ()


class _Compared(t.NamedTuple):
    """What is not the same: C(tags), or the digests of C(manifests) that are missing. C(fault) where the peer did not answer."""

    repository: str
    tags: t.Tuple[str, ...] = ()
    manifests: t.Tuple[str, ...] = ()
    fault: str = ""


@dataclasses.dataclass
class _Found:
    """What came of all peers."""

    tags: t.List[t.Dict[str, t.Any]] = dataclasses.field(default_factory=list)
    tag_count: int = 0
    manifests: int = 0
    blobs: int = 0
    size: int = 0
    conflicts: t.List[t.Dict[str, t.Any]] = dataclasses.field(default_factory=list)
    undecided: t.List[t.Dict[str, t.Any]] = dataclasses.field(default_factory=list)
    undecided_count: int = 0
    failed: t.List[t.Dict[str, t.Any]] = dataclasses.field(default_factory=list)
    away: t.List[t.Dict[str, t.Any]] = dataclasses.field(default_factory=list)
    asked: t.List[str] = dataclasses.field(default_factory=list)

    def shown(self) -> t.Dict[str, t.Any]:
        return {
            "changed": bool(self.tag_count or self.manifests),
            "tags": self.tags,
            "tag_count": self.tag_count,
            "manifests": self.manifests,
            "blobs": self.blobs,
            "size": self.size,
            "conflicts": self.conflicts,
            "failed_images": self.failed,
            "away": self.away,
            "asked": self.asked,
        }


def run(params: t.Dict[str, t.Any], context: Context) -> t.Dict[str, t.Any]:
    """Replicate.

    :raises DeliveryError: the registry itself does not take it, some images cannot be copied, of some nothing tells whether they
        are newer, or with C(all_peers) a peer cannot be asked; what could be copied is.
    """
    settings = RegistrySettings.from_params(params["registry"])
    group = [Endpoint.parse(name) for name in params["peers"]]
    peers = [one for one in group if not one.same_server(settings.endpoint, settings.scheme)]
    own_place = group.index(settings.endpoint) if settings.endpoint in group else len(group)
    deadline = time.monotonic() + params["patience"]
    found = _Found()
    try:
        with RegistryClient(settings) as target:
            target.ping()
            _warn_if_closed(target, context)
            for peer in peers:
                source_settings = dataclasses.replace(settings, endpoint=peer)
                with RegistryClient(source_settings) as source:
                    copier = Copier(source, target, deadline, context.check)
                    try:
                        comes_first = group.index(peer) < own_place
                        _Replication(source, target, copier, comes_first, params["storage"], found, context).run()
                    finally:
                        found.manifests += copier.copied.manifests
                        found.blobs += copier.copied.blobs
                        found.size += copier.copied.size
    except DeliveryError as error:
        error.facts.update(found.shown())
        raise
    for one in found.away:
        context.warn("%s Registry %s may lack what that one holds." % (one["why"], settings.endpoint))
    if found.failed:
        first = found.failed[0]
        raise DeliveryError(
            "Registry %s lacks %s that could not be copied. The first is %s: %s"
            % (settings.endpoint, counted(len(found.failed), "image"), first["image"], first["why"]),
            **found.shown(),
        )
    if found.undecided:
        first = found.undecided[0]
        raise DeliveryError(
            "Of %s nothing tells which image is newer, and both stay where they are. The first is %s, which is %s in registry "
            "%s and %s in %s: one of them does not tell what its tags led to before and when they were written. Have both tell "
            "it (the role registry, with registry_peers and a registry_data that nginx's user www-data can enter), or push the "
            "image that counts to both."
            % (
                counted(found.undecided_count, "tag"),
                first["tag"],
                first["own"],
                settings.endpoint,
                first["peer"],
                first["from"],
            ),
            **found.shown(),
        )
    if found.away and params["all_peers"]:
        raise DeliveryError(
            "Registry %s has not what %s may hold, which cannot be asked: %s"
            % (settings.endpoint, counted(len(found.away), "peer"), found.away[0]["why"]),
            **found.shown(),
        )
    return found.shown()


class _Replication:
    """From one peer."""

    def __init__(
        self,
        source: RegistryClient,
        target: RegistryClient,
        copier: Copier,
        peer_comes_first: bool,
        storage: str,
        found: _Found,
        context: Context,
    ) -> None:
        self._source = source
        self._target = target
        self._copier = copier
        self._peer_comes_first = peer_comes_first
        self._storage = storage
        self._found = found
        self._context = context
        self._peer = str(source.settings.endpoint)

    def run(self) -> None:
        """:raises RegistryError: the registry itself does not take it."""
        try:
            self._source.ping()
            self._found.asked.append(self._peer)
            _warn_if_closed(self._source, self._context)
            for compared in streamed(self._comparing, self._parts(), _AT_ONCE):
                if compared.fault:
                    return self._lost(compared.fault)
                for name in compared.manifests:
                    self._one(compared.repository, "@" + name, self._manifest, ManifestDigest.parse(name))
                for tag in compared.tags:
                    self._one(compared.repository, ":" + tag, self._tag, tag)
        except RegistryError as error:
            if error.endpoint != self._peer:
                raise
            self._lost(str(error))

    def _lost(self, why: str) -> None:
        self._found.away.append({"registry": self._peer, "why": why})

    def _parts(self) -> t.Iterator[_Part]:
        for page in self._source.repository_pages():
            for repository in page:
                if canaries.is_of_canaries(repository):
                    continue
                yield _Part(repository)
                tags: t.List[str] = []
                for names in self._source.tag_pages(repository):
                    for tag in names:
                        tags.append(tag)
                        if len(tags) == _BATCH:
                            yield _Part(repository, tuple(tags))
                            tags = []
                if tags:
                    yield _Part(repository, tuple(tags))

    @contextlib.contextmanager
    def _comparing(self) -> t.Iterator[t.Callable[[_Part], _Compared]]:
        """By connections of its own: this runs in processes beside one another."""
        with RegistryClient(self._source.settings) as source, RegistryClient(self._target.settings) as target:

            def compared(part: _Part) -> _Compared:
                try:
                    if part.tags:
                        return _Compared(part.repository, _differing(source, target, part))
                    return _Compared(part.repository, manifests=_missing(source, target, part.repository))
                except RegistryError as error:
                    if error.endpoint != self._peer:
                        raise
                    return _Compared(part.repository, fault=str(error))

            yield compared

    def _one(self, repository: str, name: str, act: t.Callable[[str, t.Any], None], what: t.Any) -> None:
        """What goes wrong with one image leaves the others."""
        try:
            act(repository, what)
        except RegistryError as error:
            if error.kind not in _OF_ONE_IMAGE or error.status in (429, 503):
                raise
            self._note(self._found.failed, {"image": repository + name, "from": self._peer, "why": str(error)})

    def _manifest(self, repository: str, digest: ManifestDigest) -> None:
        if self._source.head_manifest(repository, digest) is not None:  # else it was deleted there
            self._copier.image(repository, digest)

    def _tag(self, repository: str, tag: str) -> None:
        for _attempt in range(_ATTEMPTS):
            own, peer = _led_to(self._target, repository, tag), _led_to(self._source, repository, tag)
            if peer is None or own == peer:
                return
            decided = self._verdict(repository, tag, own, peer) if own is not None else Verdict(PEER, "missing")
            if decided.conflict:
                entry = {"tag": "%s:%s" % (repository, tag), "own": str(own), "peer": str(peer), "from": self._peer}
                entry.update({"kept": decided.newer, "by": decided.by})
                self._note(self._found.conflicts, entry)
                if decided.newer == NEITHER:
                    self._note(self._found.undecided, entry)
                    self._found.undecided_count += 1
            if decided.newer != PEER:
                return
            self._context.progress("%s:%s from %s" % (repository, tag, self._peer))
            self._copier.image(repository, peer)
            # copying takes its time, in which either may have moved on
            # asked before: until it has its age, the copy is the newer one for whoever compares meanwhile
            written_at = self._written_at(repository, tag)
            if self._copier.tag(
                repository, tag, peer, functools.partial(self._is_so_still, repository, tag, own, peer)
            ):
                if written_at is not None:
                    self._keep_age(repository, tag, written_at)
                self._found.tag_count += 1
                entry = {"tag": "%s:%s" % (repository, tag), "digest": str(peer), "from": self._peer}
                self._note(self._found.tags, {**entry, "before": str(own) if own else None, "by": decided.by})
                return
        raise self._source.error("other", "%s:%s moves on again and again. Run this again." % (repository, tag))

    def _is_so_still(self, repository: str, tag: str, own: t.Optional[ManifestDigest], peer: ManifestDigest) -> bool:
        decided = self._verdict(repository, tag, own, peer) if own is not None else Verdict(PEER, "missing")
        led_to = _led_to(self._target, repository, tag), _led_to(self._source, repository, tag)
        return decided.newer == PEER and led_to == (own, peer)

    def _written_at(self, repository: str, tag: str) -> t.Optional[float]:
        """When a tag was written there, by the clock of this host; None where that cannot be kept here, or is not told."""
        if self._context.check or not self._storage:
            return None
        age = Records(self._source).age(repository, tag)
        return None if age is None or age < 0 else time.time() - age

    def _keep_age(self, repository: str, tag: str, moment: float) -> None:
        """Have a tag be as old here as there: else a copy of an older image would be the newer one for who looks next."""
        link = current(self._storage, repository, tag)
        try:
            os.utime(link, (moment, moment))
        except OSError as error:
            raise DeliveryError(
                "%s: %s. 'storage' has to be where registry %s keeps its images on this host, and this needs root."
                % (link, error.strerror, self._target.settings.endpoint)
            ) from None

    def _verdict(self, repository: str, tag: str, own: ManifestDigest, peer: ManifestDigest) -> Verdict:
        ours, theirs = Records(self._target), Records(self._source)
        return verdict(
            TagState(own, ours.past(repository, tag, peer), ours.age(repository, tag)),
            TagState(peer, theirs.past(repository, tag, own), theirs.age(repository, tag)),
            self._peer_comes_first,
        )

    def _note(self, told: t.List[t.Dict[str, t.Any]], entry: t.Dict[str, t.Any]) -> None:
        if len(told) < _TOLD:
            told.append(entry)


def _warn_if_closed(client: RegistryClient, context: Context) -> None:
    if Records(client).are_closed():
        context.warn(
            "Registry %s cannot tell what it stores (HTTP 403 below %s): its images without a tag are not copied, and where a "
            "tag leads to another image elsewhere nothing tells which is newer. On its host nginx's user www-data may not enter "
            "a directory on the way to registry_data: let it (chmod o+x), or set another place. The role registry names it."
            % (client.settings.endpoint, PLACE)
        )


def _missing(source: RegistryClient, target: RegistryClient, repository: str) -> t.Tuple[str, ...]:
    """The manifests of a repository that the registry never had, where the peer tells what it has: those without a tag too."""
    theirs = Records(source).manifests(repository)
    if not theirs:
        return ()
    return tuple(sorted(theirs - (Records(target).manifests(repository) or set())))


def _differing(source: RegistryClient, target: RegistryClient, part: _Part) -> t.Tuple[str, ...]:
    return tuple(
        tag for tag in part.tags if _led_to(target, part.repository, tag) != _led_to(source, part.repository, tag)
    )


def _led_to(client: RegistryClient, repository: str, tag: str) -> t.Optional[ManifestDigest]:
    """What a tag leads to.

    A registry writes that in place: who asks in this very moment reads half of it, and is told of HTTP 500 (distribution 2.8, its
    driver for file systems). So hosts do it to one another that copy at once.
    """
    deadline = time.monotonic() + _MOMENT
    while True:
        try:
            head = client.head_manifest(repository, tag)
            return head.digest if head else None
        except RegistryError as error:
            if error.status != 500 or time.monotonic() > deadline:
                raise
        time.sleep(_PAUSE)


ARGUMENT_SPEC: t.Dict[str, t.Any] = {
    "registry": {**REGISTRY_SPEC, "required": True},
    "peers": {"type": "list", "elements": "str", "required": True},
    "storage": {"type": "path", "default": ""},
    "all_peers": {"type": "bool", "default": False},
    "patience": {"type": "int", "default": 300},
}
CAPABILITY = Capability(run=run, argument_spec=ARGUMENT_SPEC)
