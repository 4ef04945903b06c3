# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""A collection of garbage, step by step: refuse writes, put aside, let writes through, prove, delete.

Until all is proved, whatever happens ends with everything back where it was; a run that was killed is settled by C(settle), which
the next run begins with. Clients go on pulling all the while: what they can name is never touched.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.counted import some
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_contents import Contents
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_gate import Gate, NotRefused
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_notes import (
    IDLE,
    PROVED,
    PUTTING_ASIDE,
    Notes,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_plan import (
    Garbage,
    Place,
    Promise,
    Rules,
    plan,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_proof import Proof
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_storage import (
    Storage,
    StrangeStorage,
    bring_back,
    delete,
    put_aside,
)

# faults that a message names, and lacking parts that a result does
_NAMED, _KEPT = 5, 100
Say = t.Callable[[str], None]


class Doubt(Exception):
    """Why nothing was collected, in words; all is as it was.

    :param unserved: some of what the registry did not serve.
    """

    def __init__(self, msg: str, unserved: t.Sequence[Promise] = ()) -> None:
        super().__init__(msg)
        self.unserved = unserved


@dataclasses.dataclass
class Result:
    """What came of a collection.

    :param refused_seconds: how long writes were refused.
    :param size: of what was deleted, in bytes.
    :param proved: how many manifests and blobs the registry was seen to serve after it.
    :param missing: what tags lack that they lacked before, in words.
    :param fault: why nothing was collected; empty when all went well.
    """

    began: float
    refused_seconds: float = 0.0
    manifests: int = 0
    layers: int = 0
    blobs: int = 0
    size: int = 0
    proved: int = 0
    missing: t.Tuple[str, ...] = ()
    fault: str = ""

    def as_json(self) -> t.Dict[str, t.Any]:
        """As it is kept and shown; C(began) as a date of UTC."""
        said = dataclasses.asdict(self)
        said["began"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.began))
        said["refused_seconds"] = round(self.refused_seconds, 1)
        said["missing"] = list(self.missing[:_KEPT])
        return said


@dataclasses.dataclass
class Collection:
    """One run, with the rights to all that it needs.

    :param at_most: the seconds after which writes are let through again, whatever has been reached by then, once the step that is
        under way has ended: a directory that is read or renamed. For as long a moment without uploads is waited for before.
    :param say: is told of each step.
    """

    storage: Storage
    notes: Notes
    gate: Gate
    proof: Proof
    rules: Rules
    at_most: float
    say: Say

    def run(self) -> Result:
        """Collect, while no other run is under way.

        :raises Busy: one is.
        """
        result = Result(began=time.time())
        with self.notes.alone(until_deleted=True):
            try:
                settle(self.storage, self.notes, self.gate, self.say)
                self._collect(result)
            except (Doubt, NotRefused, StrangeStorage, OSError) as fault:
                result.fault = str(fault)
            with contextlib.suppress(OSError):  # no room; the journal has it
                self.notes.keep_result(result.as_json())
        return result

    def _collect(self, result: Result) -> None:
        fault = self.proof.fault_of_registry()
        if fault:
            raise Doubt(fault)
        untagged = self.notes.untagged
        _contents, garbage = self._look(untagged)
        result.missing = garbage.missing
        if not garbage.is_empty:
            garbage = self._collect_seen(untagged, result)
        if self.rules.untagged is not None:
            self.notes.keep_untagged(garbage.untagged)

    def _collect_seen(self, untagged: t.Mapping[Place, float], result: Result) -> Garbage:
        """Collect what there is now that no write is under way, which may be other garbage than was seen before."""
        if self.gate.under_way:
            self.say("waiting for a moment without uploads")
            self.gate.wait_for_a_quiet_moment(time.monotonic() + self.at_most)
        deadline = time.monotonic() + self.at_most
        with self._brought_back_on_doubt():
            # writes are let through before anything is brought back, as when the proof fails: what is pushed meanwhile stays
            try:
                self.say("refusing writes")
                self.gate.close()
                self.gate.wait(deadline)
                self.say("no write is under way")
                contents, garbage = self._look(untagged, lambda: _check(deadline))
                asides = self._put_aside(contents, garbage, deadline)
            finally:
                self.gate.open()
                result.refused_seconds = self.gate.refused_seconds
                self.say("writes were refused for %.1f s" % result.refused_seconds)
            result.proved = self._prove(garbage)
            self.notes.enter(PROVED)
        for aside in asides:
            delete(aside)
        self.notes.enter(IDLE)
        result.missing = garbage.missing
        result.manifests, result.layers = len(garbage.manifests), len(garbage.layers)
        result.blobs, result.size = len(garbage.blobs), garbage.size
        return garbage

    def _look(
        self, untagged: t.Mapping[Place, float], check: t.Callable[[], None] = lambda: None
    ) -> t.Tuple[Contents, Garbage]:
        contents = self.storage.read(check)
        if self.storage.aside:  # of a run whose notes were lost
            _bring_back(self.storage.aside, self.say)
            contents = self.storage.read(check)
        garbage = plan(contents, self.rules, untagged, time.time())
        if garbage.faults:
            raise Doubt(
                "what is needed cannot be known: %s. Push that image again, or delete it" % some(garbage.faults, _NAMED)
            )
        self.say("%d manifests, %d links and %d blobs are garbage" % _counts(garbage))
        return contents, garbage

    def _put_aside(self, contents: Contents, garbage: Garbage, deadline: float) -> t.List[str]:
        """Give all of it names under which nothing is found, while nobody writes; returns where it is then."""
        self.notes.enter(PUTTING_ASIDE)
        asides = []
        for place in self.storage.places(garbage):
            asides.append(put_aside(place))
            _check(deadline)
        strange = _strange(self.storage.read(lambda: _check(deadline)), contents, garbage)
        _check(deadline)
        if strange:
            raise Doubt(
                "somebody wrote to the registry past nginx, at its own port or to its files: %s. Have all clients come "
                "through nginx" % some(strange, _NAMED)
            )
        return asides

    @contextlib.contextmanager
    def _brought_back_on_doubt(self) -> t.Iterator[None]:
        """Whatever ends the body, everything is where it was before; what was pushed again meanwhile stays."""
        try:
            yield
        except BaseException as fault:
            if self.notes.phase == IDLE:
                raise
            self.say("bringing back what was put aside, since %s" % (fault or type(fault).__name__))
            settle(self.storage, self.notes, self.gate, self.say)
            if isinstance(fault, Doubt) and fault.unserved:
                raise Doubt("%s; %s" % (fault, self._since(fault.unserved))) from None
            raise

    def _prove(self, garbage: Garbage) -> int:
        """Ask the registry for all that is needed, while clients go on pushing and deleting; returns how much that was."""
        self.say("asking the registry for %d manifests and blobs" % len(garbage.promises))
        faults: t.Dict[Promise, str] = {}
        for promise in garbage.promises:
            fault = self.proof.fault_of(promise) and self._fault_now(promise)
            if fault:
                faults[promise] = fault
            if len(faults) == _NAMED:
                break
        if faults:
            said = "the registry did not serve all that is needed: %s" % ", ".join(faults.values())
            raise Doubt(said, tuple(faults))
        for name, digest in garbage.layers:
            if self.proof.still_has(name, digest) and not self.storage.has_layer(name, digest):
                raise Doubt(
                    "the registry says that it has %s@%s, which is put aside: it has a cache, for which a client would not push "
                    "that layer again. Take 'cache' out of the configuration of its storage" % (name, digest)
                )
        self.say("the registry serves all that is needed")
        return len(garbage.promises)

    def _fault_now(self, promise: Promise) -> str:
        """Why it is not kept, as far as no client has deleted or replaced meanwhile what was promised."""
        left = self.storage.left_of(promise)
        return self.proof.fault_of(left) if left else ""

    def _since(self, unserved: t.Sequence[Promise]) -> str:
        """Whether it is served now that everything is back."""
        faults = [fault for fault in map(self.proof.fault_of, unserved) if fault]
        if faults:
            return "with everything brought back it does not either: %s. Push these images again" % ", ".join(faults)
        return "everything was brought back, and is served"


def settle(
    storage: Storage, notes: Notes, gate: Gate, say: Say, all_served: t.Callable[[], None] = lambda: None
) -> None:
    """End what a run that was killed has left, while no other run is under way, and let writes through.

    :param all_served: called as soon as nothing needs to come back, before what is garbage beyond doubt is deleted.
    :raises OSError: it cannot be ended; the next call goes on with it.
    """
    try:
        phase = notes.phase
        if phase == PUTTING_ASIDE:
            _bring_back(storage.find_aside(), say)
        all_served()
        if phase == PROVED:
            gate.open()
            for aside in storage.find_aside():
                delete(aside)
        if phase != IDLE:
            notes.enter(IDLE)
    finally:
        gate.open()


def _bring_back(asides: t.Iterable[str], say: Say) -> None:
    """Blobs first, since nothing is to lead to what is not there."""
    found = sorted(asides)
    for aside in found:
        bring_back(aside)
    say("brought back %d directories" % len(found))


def _strange(now: Contents, before: Contents, garbage: Garbage) -> t.List[str]:
    """What came or went, but for the garbage, in words."""
    found, left = _things(now), _things(before)
    left.difference_update(
        map("manifest %s@%s".__mod__, garbage.manifests),
        map("layer %s@%s".__mod__, garbage.layers),
        map("blob %s".__mod__, garbage.blobs),
    )
    said = ["%s is gone" % thing for thing in left - found] + ["%s came" % thing for thing in found - left]
    return sorted(said, reverse=True)  # tags first, which people know


def _things(contents: Contents) -> t.Set[str]:
    """All by which something is served, in words."""
    found = {"blob %s" % digest for digest in contents.blobs}
    for name, repository in contents.repositories.items():
        found.update("manifest %s@%s" % (name, digest) for digest in repository.manifests)
        found.update("layer %s@%s" % (name, digest) for digest in repository.layers)
        found.update("tag %s:%s of %s" % (name, *tag) for tag in repository.tags.items())
    return found


def _check(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise Doubt("it took longer than writes may be refused. Let registry_collect_refuse_seconds be more")


def _counts(garbage: Garbage) -> t.Tuple[int, int, int]:
    return len(garbage.manifests), len(garbage.layers), len(garbage.blobs)
