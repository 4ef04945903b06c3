# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many canaries and pulls it takes to prove that a node trusts what many hosts serve, and what a failure of one comes to."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Context
from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import Engine
from ansible_collections.longshore.delivery.plugins.module_utils.node.pull_faults import fault_in
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.errors import RegistryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.trust import canary as canaries
from ansible_collections.longshore.delivery.plugins.module_utils.trust import pull_check
from ansible_collections.longshore.delivery.plugins.module_utils.trust.apply import NotApplied
from ansible_collections.longshore.delivery.plugins.module_utils.trust.ledger import Ledger
from ansible_collections.longshore.delivery.plugins.module_utils.trust.mirrors import upstreams
from ansible_collections.longshore.delivery.plugins.module_utils.trust.plan import NOTHING, RELOAD, Action, Plan
from ansible_collections.longshore.delivery.plugins.module_utils.trust.proof import Proof
from ansible_collections.longshore.delivery.plugins.module_utils.trust.pull_check import CannotPull, Check

from .node import no_commands

SITE = "registry.site:5000"
ENGINES = [Engine("podman", "4.3.1", ""), Engine("containerd", "1.7.24", "")]


@dataclasses.dataclass
class Site:
    """Registries, the engines of one node, and what they did.

    :param away: registries that do not answer.
    :param failing: registries from which no engine can pull.
    :param emptied: registries that do not serve what they took.
    """

    away: set[str] = dataclasses.field(default_factory=set)
    failing: set[str] = dataclasses.field(default_factory=set)
    emptied: set[str] = dataclasses.field(default_factory=set)
    released: list[str] = dataclasses.field(default_factory=list)
    recalled: list[str] = dataclasses.field(default_factory=list)
    pulled: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    said: list[str] = dataclasses.field(default_factory=list)
    ledger: Ledger = dataclasses.field(default_factory=Ledger)

    def release(self, registry: RegistrySettings, path: str = "") -> canaries.Canary:
        assert not path
        if str(registry.endpoint) in self.away:
            raise RegistryError(str(registry.endpoint), "refused", "Nothing listens there.")
        self.released.append(str(registry.endpoint))
        return canaries.Canary(Reference(registry.endpoint, canaries.REPOSITORY, "run-1"), ManifestDigest.of(b"{}"))

    def recall(self, _canary: canaries.Canary, registry: RegistrySettings) -> None:
        self.recalled.append(str(registry.endpoint))

    def absence(self, _canary: canaries.Canary, registry: RegistrySettings) -> str | None:
        return "It is ill." if str(registry.endpoint) in self.emptied else None

    def pull(
        self, engine: Engine, _registry: RegistrySettings, canary: canaries.Canary, *_rest: t.Any, **_options: t.Any
    ) -> Check:
        place = str(canary.reference.endpoint)
        self.pulled.append((engine.name, place))
        if place in self.failing:
            raise CannotPull(fault_in("manifest unknown", str(canary.reference)), "manifest unknown")
        return Check(engine.name, place, pull_check.BY_PULL)

    def prove(self, *registries: RegistrySettings, verify: str = "changed", changes: bool = True) -> Proof:
        """As a run does it; what was proven is known to the next."""
        context = Context(check=False, diff=False, run_command=no_commands, warn=self.said.append, progress=print)
        proof = Proof(context, registries, upstreams(registries, True), verify)
        actions = tuple(Action(engine, RELOAD if changes else NOTHING, "") for engine in ENGINES)
        planned = Plan((), actions, {}, (), ())
        with proof.prepared(planned, self.ledger):
            proof.ask(actions)
        verified = proof.still_true(planned, self.ledger, False)
        for name, proven in proof.proven.items():
            verified.setdefault(name, {}).update(proven)
        self.ledger = Ledger(True, verified=verified)
        assert self.recalled == self.released
        return proof


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Site:
    made = Site()
    for name in ("release", "recall", "absence"):
        monkeypatch.setattr(canaries, name, getattr(made, name))
    monkeypatch.setattr(pull_check, "check", made.pull)
    monkeypatch.setattr(
        "ansible_collections.longshore.delivery.plugins.module_utils.trust.mirror_check.check", made.pull
    )
    monkeypatch.setattr(pull_check, "can_pull", lambda *_arguments: True)
    return made


def registry(endpoint: str, *mirror_of: str, **params: t.Any) -> RegistrySettings:
    return RegistrySettings.from_params({"endpoint": endpoint, "mirror_of": list(mirror_of), **params})


def hosts(number: int) -> list[RegistrySettings]:
    return [registry(SITE), *(registry(f"10.0.0.{index}:5000", SITE) for index in range(number))]


@pytest.mark.parametrize("number", [1, 3, 100])
def test_a_node_asks_the_registry_and_one_of_its_mirrors_however_many_there_are(site: Site, number: int) -> None:
    site.prove(*hosts(number))
    assert site.released == [SITE, "10.0.0.0:5000"]
    by_each = [SITE, "10.0.0.0:5000", SITE]  # the last by the registry's name, of an image that the mirror alone has
    assert site.pulled == [(engine.name, place) for engine in ENGINES for place in by_each]
    site.prove(*hosts(number), changes=False)
    assert len(site.released) == 2, "all is proven"


def test_where_the_first_is_away_the_next_proves_it_and_the_first_is_asked_again(site: Site) -> None:
    site.away = {"10.0.0.0:5000"}
    site.prove(*hosts(100))
    assert site.released == [SITE, "10.0.0.1:5000"]
    assert "the mirror 10.0.0.0:5000 could not be checked" in site.said[0]
    site.prove(*hosts(100), changes=False)
    assert (len(site.released), len(site.said)) == (2, 2)
    site.away = set()
    site.prove(*hosts(100), changes=False)
    assert site.released[2:] == ["10.0.0.0:5000"]


def test_no_more_than_three_are_tried(site: Site) -> None:
    site.away = {f"10.0.0.{index}:5000" for index in range(100)}
    site.prove(*hosts(100))
    assert (site.released, len(site.said)) == ([SITE], 3)


def test_always_asks_each(site: Site) -> None:
    site.prove(*hosts(5), verify="always", changes=False)
    assert len(site.released) == 6
    assert len(site.pulled) == len(ENGINES) * (1 + 5 * 2)


def test_mirrors_that_differ_in_more_than_their_place_are_asked_each(site: Site) -> None:
    mirrors = [
        registry("a:1", SITE),
        registry("b:1", SITE, tls="plain"),
        registry("c:1", SITE, username="ci", password="a"),
        registry("d:1", SITE, "docker.io"),
        registry("e:1"),
        registry("f:1"),
    ]
    site.prove(*mirrors)
    assert site.released == [str(one.endpoint) for one in mirrors]


def test_a_mirror_that_falls_ill_after_it_took_the_canary_is_passed_over(site: Site) -> None:
    site.failing = site.emptied = {"10.0.0.0:5000"}
    proof = site.prove(*hosts(2))
    assert (
        "the mirror 10.0.0.0:5000 could not be checked, and engines ask it all the same. The next run checks it"
        in site.said[0]
    )
    assert site.said[0].endswith("It took the check's image and does not serve it any more. It is ill.")
    assert {check.how for check in proof.checks if check.registry == "10.0.0.0:5000"} == {"not checked"}
    assert {endpoint for proven in site.ledger.verified.values() for endpoint in proven} == {SITE}
    site.failing = site.emptied = set()
    site.prove(*hosts(2), changes=False)
    assert site.released[2:] == ["10.0.0.0:5000"]


def test_an_engine_that_cannot_pull_from_a_mirror_that_serves_fails(site: Site) -> None:
    site.failing = {"10.0.0.0:5000"}
    with pytest.raises(NotApplied, match=r"a pull from 10\.0\.0\.0:5000 failed"):
        site.prove(*hosts(2))
    assert site.recalled == site.released


def test_a_registry_that_serves_no_more_is_said_to(site: Site) -> None:
    site.failing = site.emptied = {SITE}
    with pytest.raises(NotApplied, match="Nor does the registry serve this node itself any more"):
        site.prove(*hosts(2))
    assert site.recalled == site.released
