# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is noted of a registry's host, and what of it is taken away."""

from __future__ import annotations

import dataclasses
import json
import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed, Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry import host_instances, host_removal
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_instances import Instance
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_ledger import Ledger, Ran
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_removal_plan import (
    Found,
    OwnFile,
    Removal,
    Service,
    plan,
)
from tests.returned import run

from .ledger_host import MARK, Host

SITE, CONFIGURATION = "/etc/nginx/conf.d/registry.conf", "/etc/registry/config.yml"
REGISTRY, NGINX = "docker-registry.service", "nginx.service"
STOPPED = {REGISTRY: Ran(False, False), NGINX: Ran(False, False)}
RUNNING = {REGISTRY: Ran(True, True), NGINX: Ran(True, True)}
FOUND = Found(
    ledger=Ledger(
        True, {SITE: "1", CONFIGURATION: "2"}, {"/etc/registry": None}, ("docker-registry", "nginx"), STOPPED
    ),
    files=(OwnFile(SITE, "1", True), OwnFile(CONFIGURATION, "2", True)),
    own_units=(Service("garbage.timer", True, True, True), Service("settle.service")),
    services={REGISTRY: Service(REGISTRY, True, True, True), NGINX: Service(NGINX, True, True, True)},
    packages=("docker-registry", "nginx"),
    leftovers=("/var/lib/notes",),
    data=("/srv/images",),
)
REMOVAL = Removal(
    stop=(REGISTRY, "garbage.timer"),
    nginx="stop",
    files=(SITE, CONFIGURATION),
    leftovers=("/var/lib/notes",),
    packages=("docker-registry", "nginx"),
    stays=("/srv/images",),
    unfinished=True,
)


def removal(remove_data: bool = False, ledger: dict[str, t.Any] | None = None, **found: t.Any) -> Removal:
    noted = dataclasses.replace(FOUND.ledger, **(ledger or {}))
    return plan(dataclasses.replace(FOUND, **{"ledger": noted, **found}), SITE, remove_data)


def test_what_the_role_put_there_goes_and_the_data_stay() -> None:
    assert removal() == REMOVAL


def test_the_data_go_when_they_are_to() -> None:
    assert removal(remove_data=True) == dataclasses.replace(REMOVAL, data=("/srv/images",), stays=())


def test_what_ran_before_goes_on_and_its_packages_stay() -> None:
    assert removal(ledger={"services": RUNNING, "packages": ()}, packages=()) == dataclasses.replace(
        REMOVAL,
        stop=("garbage.timer",),
        nginx="reload",
        give_back={REGISTRY: (True, True)},
        packages=(),
        stays=("nginx, which was there before", "/srv/images"),
    )


def test_a_service_that_the_role_has_masked_is_so_no_more() -> None:
    masked = {**FOUND.services, REGISTRY: Service(REGISTRY, True, masked=True)}
    assert removal(services=masked).unmask == (REGISTRY,)
    assert removal(services=masked, ledger={"services": {REGISTRY: Ran(False, False, True)}}).unmask == ()
    assert removal(services=masked, ledger={"services": {**RUNNING}}).give_back == {REGISTRY: (True, True)}


def test_nginx_stays_for_others() -> None:
    assert removal(others=("/etc/nginx/conf.d/shop.conf",)) == dataclasses.replace(
        REMOVAL,
        nginx="reload",
        packages=("docker-registry",),
        stays=("nginx, which serves others too: /etc/nginx/conf.d/shop.conf", "/srv/images"),
    )


def test_a_package_stays_that_another_needs() -> None:
    assert removal(needed={"docker-registry": "shop"}) == dataclasses.replace(
        REMOVAL, packages=("nginx",), stays=("package docker-registry, which shop needs", "/srv/images")
    )


def test_what_another_registry_of_the_host_needs_stays() -> None:
    masked = {**FOUND.services, REGISTRY: Service(REGISTRY, True, masked=True)}
    for services in (FOUND.services, masked):
        shared = removal(services=services, beside=("the other",), shared={"docker-registry": "the other"})
        assert shared == dataclasses.replace(
            REMOVAL,
            stop=("garbage.timer",),
            nginx="reload",
            packages=(),
            stays=(
                "nginx, which serves others too: the other",
                "package docker-registry, which the other needs",
                "/srv/images",
            ),
        )


def test_a_file_of_all_registries_goes_with_the_last_one() -> None:
    of_all: dict[str, t.Any] = {
        "files": (*FOUND.files, OwnFile("/etc/nginx.service.d", "3", True)),
        "shared_files": ("/etc/nginx.service.d",),
    }
    noted = {"files": {**FOUND.ledger.files, "/etc/nginx.service.d": "3"}}
    assert removal(ledger=noted, **of_all).files == (SITE, CONFIGURATION, "/etc/nginx.service.d")
    kept = removal(ledger=noted, beside=("the other",), **of_all)
    assert (kept.files, kept.aside) == ((SITE, CONFIGURATION), ())


def test_a_file_that_was_changed_is_put_aside() -> None:
    changed = (OwnFile(SITE, "1", True), OwnFile(CONFIGURATION, "3", True))
    assert removal(files=changed) == dataclasses.replace(REMOVAL, files=(SITE,), aside=(CONFIGURATION,))


def test_a_file_that_was_only_about_to_be_written_goes() -> None:
    assert removal(ledger={"files": {SITE: "", CONFIGURATION: ""}}) == REMOVAL


def test_without_a_ledger_only_what_says_so_goes_and_packages_stay() -> None:
    lost = removal(
        ledger={"exists": False, "files": {}, "packages": (), "services": {}},
        packages=(),
        files=(OwnFile(SITE, "1", True), OwnFile(CONFIGURATION, "2")),
    )
    assert lost == Removal(
        stop=(REGISTRY, "garbage.timer"),
        nginx="reload",
        files=(SITE,),
        leftovers=("/var/lib/notes",),
        stays=(
            f"{CONFIGURATION}, which is not in the ledger and does not say that the role wrote it",
            "nginx",
            "/srv/images",
            "all packages, since the ledger that would say which of them the role has installed is gone",
        ),
    )


def test_on_a_host_that_never_had_a_registry_nothing_is_done() -> None:
    services = {REGISTRY: Service(REGISTRY, True, True, True), NGINX: Service(NGINX, True, True, True)}
    assert plan(Found(services=services, packages=("nginx",)), SITE, True).steps == []


def test_a_removal_that_was_cut_off_is_completed() -> None:
    gone = tuple(OwnFile(file.path) for file in FOUND.files)
    stopped = {name: Service(name, False) for name in FOUND.services}
    rest = removal(files=gone, services=stopped, own_units=(), packages=(), leftovers=())
    assert rest.steps == ["the ledger names no more what is gone already"]
    assert removal(files=gone).steps[0] == f"{REGISTRY} is stopped, and starts with the host no more"


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return Host(tmp_path, [])


@pytest.fixture
def noted(host: Host) -> Host:
    """What a run of the role leaves."""
    host.leave()
    return host


def test_check_mode_says_what_would_go(noted: Host) -> None:
    before = sorted(noted.root.rglob("*"))
    said = noted.call("absent", check=True)
    assert said["changed"]
    assert said["diff"]["before"].split() == [str(noted.root / "etc/config.yml"), str(noted.root / "etc/htpasswd")]
    assert sorted(noted.root.rglob("*")) == before


def test_what_stays_is_given_back_with_the_data(noted: Host) -> None:
    (noted.root / "etc/htpasswd").write_text("by hand")
    nginx = noted.root / "nginx.conf"
    nginx.write_text(
        "worker_rlimit_nofile 8448; # of the role longshore.delivery.registry\n"
        "events {\n\tworker_connections 4096; # 768 before the role longshore.delivery.registry\n}\n"
    )
    assert noted.call("absent")["stays"] == [str(noted.root / "images/docker"), str(noted.root / "log.1")]
    assert nginx.read_text() == "events {\n\tworker_connections 768;\n}\n"
    assert not (noted.root / "etc").exists()
    assert (noted.root / "state/aside/htpasswd").read_text() == "by hand"
    assert list(json.loads(noted.ledger.read_text())["directories"]) == [str(noted.root / "images")]
    assert not noted.call("absent")["changed"]
    assert noted.call("absent", remove_data=True)["changed"]
    assert (noted.root / "images").stat().st_mode & 0o777 == 0o700
    assert not noted.ledger.exists()
    assert not (noted.root / "log.1").exists()
    assert not noted.call("absent", remove_data=True)["changed"]


def test_what_a_registry_writes_until_it_has_stopped_goes_with_the_data(
    noted: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    late, stop = noted.root / "log.2", host_removal._Removing._stop

    def writing(removing: host_removal._Removing, names: t.Sequence[str]) -> None:
        late.write_text("the last words")
        stop(removing, names)

    monkeypatch.setattr(host_removal._Removing, "_stop", writing)
    noted.call("absent", remove_data=True)
    assert not late.exists()


def test_two_registries_of_a_host_know_of_one_another_and_the_last_one_gives_back(noted: Host) -> None:
    """The first one found no package, and no directory 'etc'."""
    ledger, etc = noted.root / "state/registry-shop.json", noted.root / "etc"
    said = json.loads(noted.ledger.read_text())
    before = {
        **said,
        "packages": ["libc6"],
        "services": {"nginx.service": {"active": False, "enabled": True, "masked": False}},
    }
    noted.ledger.write_text(json.dumps(before))
    shop: dict[str, t.Any] = {
        "instance": "shop",
        "ledger": str(ledger),
        "files": [str(etc / "shop.yml")],
        "directories": [str(etc)],
    }
    noted.call("begun", **shop, packages=["libc6"], services=["nginx.service"])
    (etc / "shop.yml").write_text(f"{MARK}\n")
    noted.call("done", **shop)
    beside = json.loads(ledger.read_text())
    assert beside["directories"] == {str(etc): None}
    assert (beside["packages"], beside["services"]) == (["libc6"], before["services"])

    assert noted.call("absent", remove_data=True)["changed"]
    assert (sorted(path.name for path in etc.iterdir()), noted.ledger.exists()) == (["shop.yml"], False)
    assert noted.call("absent", **shop)["changed"]
    assert not etc.exists()
    assert not ledger.exists()


def test_the_images_of_another_registry_stay_whatever_is_asked_for(
    noted: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Instance("big", data=str(noted.root / "images"))
    monkeypatch.setattr(host_instances, "others", lambda name: (other,))
    images = noted.root / "images/docker"
    said = noted.call("absent", remove_data=True)["stays"]
    assert said == [f"{images}, where the images of the instance 'big' (registry_instance) are"]
    assert images.is_dir()
    assert not (noted.root / "log.1").exists()


def test_what_was_noted_first_counts(noted: Host) -> None:
    noted.call("begun", packages=["libc6"], directories=[str(noted.root / "etc")])
    assert json.loads(noted.ledger.read_text())["directories"][str(noted.root / "etc")] is None


def test_a_host_that_never_had_a_registry_is_left_alone(host: Host) -> None:
    assert host.call("absent") == {"changed": False, "steps": [], "stays": [], "diff": {"before": "", "after": ""}}
    assert list(host.root.iterdir()) == []


def test_a_ledger_that_cannot_be_read_is_said(noted: Host) -> None:
    noted.ledger.write_text('{"format": 2}')
    for state in ("begun", "absent"):
        with pytest.raises(
            DeliveryError, match=r"cannot be understood .ValueError: its format is 2, this collection writes 1"
        ):
            noted.call(state)


def test_a_step_that_fails_leaves_the_ledger(noted: Host) -> None:
    before = noted.ledger.read_text()

    def fails(argv: t.Sequence[str], **more: t.Any) -> Completed:
        return Completed(1, "", "no reply.")

    params = {
        "instance": "",
        "files": [],
        "services": [],
        "units": [],
        "site": "",
        "port": 0,
        "nginx_file": "",
        "leftovers": [],
        "garbage_notes": "",
        "volume": None,
        "kept": None,
        "run": None,
    }
    given = {
        **params,
        "mark": "",
        "shared_files": [],
        "settling": "",
        "data": [],
        "remove_data": False,
        "aside": "",
        "directories": [],
    }
    with pytest.raises(
        DeliveryError, match=r"'systemctl daemon-reload' says: no reply. What was done so far stays done"
    ):
        run(
            "registry_host_ledger",
            {**given, "packages": [], "state": "absent", "ledger": str(noted.ledger)},
            Context(False, False, print, print, fails),
        )
    assert noted.ledger.read_text() == before


def test_without_root_nothing_is_said(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1)
    with pytest.raises(DeliveryError, match="Set 'become: true'"):
        host.call("absent")
