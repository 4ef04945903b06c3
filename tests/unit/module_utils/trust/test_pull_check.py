# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""For how long an engine may fail that was just told to read its files again."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.node.client import EngineRefusal
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import CONTAINERD, PODMAN, Engine
from ansible_collections.longshore.delivery.plugins.module_utils.node.processes import Process
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Endpoint, Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.trust import mirror_check, pull_check
from ansible_collections.longshore.delivery.plugins.module_utils.trust.canary import REPOSITORY, Canary
from ansible_collections.longshore.delivery.plugins.module_utils.trust.mirrors import Upstream
from ansible_collections.longshore.delivery.plugins.module_utils.trust.pull_check import CannotPull

from .node import no_commands

MIRROR, SITE = Endpoint("m.example"), Endpoint("registry.site", 5000)
CANARY = Canary(Reference(MIRROR, REPOSITORY, "run-1"), ManifestDigest.of(b"{}"))
ENGINE = Engine(PODMAN, "4.3.1", "/etc/containers/registries.conf.d")
NO_NAME = "dial tcp: lookup registry.site: no such host"


@dataclasses.dataclass
class Pulling:
    """An engine's client, and the clock: each pull says one of these, or nothing, and takes so many seconds."""

    said: list[str]
    seconds: float
    now: float = 100.0
    pulled: list[tuple[str, t.Any]] = dataclasses.field(default_factory=list)

    def pull(self, reference: Reference, login: t.Any) -> None:
        self.now += self.seconds
        self.pulled.append((str(reference), login))
        said = self.said.pop(0)
        if said:
            raise EngineRefusal(said)

    def remove(self, reference: Reference) -> None:
        pass

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def begin(monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., Pulling]:
    def made(*said: str, seconds: float = 0.1) -> Pulling:
        pulling = Pulling(list(said), seconds)
        monkeypatch.setattr(pull_check, "puller", lambda *_arguments: pulling)
        monkeypatch.setattr(pull_check, "time", pulling)
        return pulling

    return made


def by_mirror(
    was_reloaded: bool = True, is_open: bool = True, engine: Engine = ENGINE, login: tuple[str, str] | None = None
) -> pull_check.Check:
    settings = RegistrySettings(SITE, username=login and login[0], password=login and login[1])
    mirror = RegistrySettings(MIRROR, username="ci", password="not-shown")
    upstream = Upstream(SITE, settings, (mirror,), True)
    return mirror_check.check_mirror(engine, mirror, upstream, CANARY, is_open, no_commands, was_reloaded)


def test_a_pull_that_began_before_the_reload_had_its_effect_may_fail_late(begin: t.Callable[..., Pulling]) -> None:
    pulling = begin(NO_NAME, "", seconds=30)
    checked = by_mirror()
    assert (checked.how, checked.registry, checked.upstream) == ("pull", "m.example", "registry.site:5000")
    assert pulling.pulled == [("registry.site:5000/longshore/canary:run-1", None)] * 2, "without the mirror's login"


def test_one_that_begins_after_that_may_not(begin: t.Callable[..., Pulling]) -> None:
    pulling = begin(*[NO_NAME] * 100)
    with pytest.raises(CannotPull):
        by_mirror()
    assert pull_check.SETTLING < pulling.now - 100 < pull_check.SETTLING + 1
    once = begin(NO_NAME, "")
    with pytest.raises(CannotPull):
        by_mirror(was_reloaded=False)
    assert len(once.pulled) == 1


def test_a_mirror_that_asks_for_a_login_is_tried_with_that_of_its_upstream(begin: t.Callable[..., Pulling]) -> None:
    pulling = begin("")
    checked = by_mirror(is_open=False)
    assert (checked.how, pulling.pulled) == ("not checked", [])
    assert "it asks for a login, and an engine has none for it that pulls from registry.site:5000" in checked.remark
    of_the_site = ("dev", "of-the-site")
    assert by_mirror(is_open=False, login=of_the_site).how == "not checked", "Podman shows it to no mirror"
    containerd = dataclasses.replace(ENGINE, name=CONTAINERD, daemon=Process(1 << 30, (), 0))
    assert by_mirror(is_open=False, engine=containerd, login=of_the_site).how == "pull"
    ((_image, login),) = pulling.pulled
    assert (login.username, login.password) == of_the_site
