# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role registry decides from what its look has found."""

from __future__ import annotations

import dataclasses
import time
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_authority import Authority
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_certificate import DAY, Certificate
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_container import Container
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_data import MIB, Data
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_files import (
    ABSENT,
    DIRECTORY,
    FILE,
    NOTHING,
    FoundFile,
    WantedFile,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_listeners import Listener
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_obstacles import obstacles, warnings
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_plan import Plan, plan
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_program import Program
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_serving import Serving
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_state import (
    GIVEN,
    NGINX,
    NONE,
    OWN,
    PACKAGED,
    REGISTRY,
    STAMP_VARIABLE,
    Observed,
    Wanted,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_units import Unit
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_users import User
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings

SITE = WantedFile("/site", FILE, "root", "root", "0644", "wanted", NGINX)
CONFIGURATION = WantedFile("/configuration", FILE, "root", "root", "0644", "wanted", REGISTRY)
SECRET = WantedFile("/secret", FILE, "root", "root", "0600")
IMAGES = WantedFile("/data", DIRECTORY, "keeper", "keeper", "0755")
LEFT = WantedFile("/left", ABSENT, "root", "root", "0644", mark="# ours")
SETTINGS = RegistrySettings.from_params({"endpoint": "registry.example:5000"})
WANTED = Wanted(
    settings=SETTINGS,
    names=("192.0.2.7",),
    addresses=("0.0.0.0",),
    port=5000,
    backend_port=5001,
    packages=("docker-registry", "nginx"),
    files=(SITE, CONFIGURATION, SECRET, IMAGES, LEFT),
    site_stamp="site",
    configuration_stamp="configuration",
    users=(User("ci", "tide-and-time"),),
    certificate_origin=OWN,
    renew_days=30,
    valid_days=365,
)
RUNNING = Unit(
    REGISTRY,
    loaded=True,
    active="active",
    enabled=True,
    started_at=1000.0,
    environment={STAMP_VARIABLE: "configuration"},
    program="8:7",
)
PROGRAM = Program("/registry", "8:7", "v3.1.2")
SERVED = Serving(stamp="site", certificate="print", anonymous=401, login=200)


def certificate(days: float = 365, names: tuple[str, ...] = ("DNS:registry.example", "IP:192.0.2.7")) -> Certificate:
    return Certificate("print", int(time.time() + days * DAY), names)


FOUND = {
    SITE: FoundFile(FILE, owner="root", group="root", mode=0o644, sha256="wanted"),
    CONFIGURATION: FoundFile(FILE, owner="root", group="root", mode=0o644, sha256="wanted", changed_at=900.0),
    SECRET: FoundFile(FILE, owner="root", group="root", mode=0o600),
    IMAGES: FoundFile(DIRECTORY, owner="keeper", group="keeper", mode=0o755),
    LEFT: NOTHING,
}
AS_WANTED = Observed(
    packages={"docker-registry": "2.8", "nginx": "1.22"},
    units={
        NGINX: Unit(NGINX, loaded=True, active="active", enabled=True),
        REGISTRY: RUNNING,
        PACKAGED: Unit(PACKAGED, masked=True),
    },
    files=tuple(FOUND.values()),
    data=Data("/data", "keeper", stored=True, mount="/", free_bytes=1000 * MIB, free_files=1000),
    certificate=certificate(),
    authority=Authority("PEM", "/ca.crt", phase="settled", has_key=True, days_left=3000),
    listeners=(
        Listener("0.0.0.0", 5000, 10, "nginx", NGINX),
        Listener("127.0.0.1", 5001, 11, "docker-registry", REGISTRY),
        Listener("0.0.0.0", 80, 10, "nginx", NGINX),
    ),
    serving=SERVED,
    program=PROGRAM,
    site_has_port=True,
)


def seen(**changes: t.Any) -> Observed:
    return dataclasses.replace(AS_WANTED, **changes)


def seen_file(file: WantedFile, found: FoundFile | None = None, **changes: t.Any) -> Observed:
    found = dataclasses.replace(FOUND[file], **changes) if found is None else found
    return seen(files=tuple({**FOUND, file: found}.values()))


def seen_data(**changes: t.Any) -> Observed:
    return seen(data=dataclasses.replace(AS_WANTED.data, **changes))


def seen_authority(**changes: t.Any) -> Observed:
    return seen(authority=dataclasses.replace(AS_WANTED.authority, **changes))


def unit(name: str, **changes: t.Any) -> dict[str, Unit]:
    return {**AS_WANTED.units, name: dataclasses.replace(AS_WANTED.units[name], **changes)}


def test_nothing_is_to_do_where_all_is_as_wanted() -> None:
    assert plan(AS_WANTED, WANTED) == Plan()
    assert plan(AS_WANTED, WANTED).as_wanted
    assert obstacles(AS_WANTED, WANTED) == []
    assert warnings(AS_WANTED, WANTED) == []


def test_pulls_without_a_login_need_users_for_pushes() -> None:
    wanted = dataclasses.replace(WANTED, anonymous_pull=True)
    assert obstacles(AS_WANTED, wanted) == []
    (said,) = obstacles(AS_WANTED, dataclasses.replace(wanted, users=()))
    assert "registry_anonymous_pull asks for a login to push and delete, and there is no user" in said


def test_a_password_is_not_changed_where_other_users_stay() -> None:
    found = seen(user_differences=("user ci has another password",))
    assert obstacles(found, WANTED) == []
    (said,) = obstacles(found, dataclasses.replace(WANTED, other_users_stay=True))
    assert "Give the new login another name" in said


EMPTY_HOST = Observed(
    packages={},
    units={NGINX: Unit(NGINX), REGISTRY: Unit(REGISTRY), PACKAGED: Unit(PACKAGED)},
    files=(NOTHING,) * 5,
    user_differences=("user ci is missing",),
    serving=Serving("nginx does not run"),
    default_site=True,
)


def test_all_is_to_do_on_an_empty_host_and_nothing_is_in_the_way() -> None:
    steps = plan(EMPTY_HOST, WANTED)
    assert steps.install
    assert steps.mask_packaged, "before the package is there"
    assert steps.make_authority
    assert steps.make_certificate
    assert steps.write_users
    assert steps.mend_files
    assert not steps.mend_data
    assert not steps.remove_files
    assert steps.reload_nginx
    assert not steps.restart_registry, "there is nothing to restart"
    assert obstacles(EMPTY_HOST, WANTED) == []


@pytest.mark.parametrize(
    ("observed", "word", "steps"),
    [
        (seen(packages={"nginx": "1.22"}, data=Data()), "docker-registry is not installed", {"install"}),
        (seen(packages={"nginx": "1.22"}), "docker-registry is not installed", {"install", "mend_data"}),
        (seen_file(SECRET, mode=0o666), "/secret has mode 0666", {"mend_files"}),
        (seen_file(IMAGES, owner="root"), "/data belongs to root:keeper", {"mend_files"}),
        (seen_file(IMAGES, NOTHING), "/data is missing", {"mend_files"}),
        (seen_file(SITE, NOTHING), "/site is missing", {"mend_files"}),
        (seen_file(SITE, sha256="edited"), "/site has another content", {"mend_files", "reload_nginx"}),
        (seen_file(CONFIGURATION, sha256="edited", changed_at=1001.0), "another content", {"mend_files"}),
        (
            seen_file(CONFIGURATION, sha256="edited", changed_at=999.0),
            "runs another configuration",
            {"mend_files", "restart_registry"},
        ),
        (
            seen_file(LEFT, FoundFile(FILE, owner="root", group="root", mode=0o600, marked=True)),
            "/left is not wanted any more",
            {"remove_files"},
        ),
        (seen_data(unwritable=("keeper cannot write to /data/docker",)), "cannot write", {"mend_data"}),
        (seen(user_differences=("user eve is not among the wanted ones",)), "eve", {"write_users"}),
        (seen(certificate=None, certificate_fault="expired"), "expired", {"make_certificate", "reload_nginx"}),
        (seen(certificate=None), "no certificate yet", {"make_certificate", "reload_nginx"}),
        (
            dataclasses.replace(seen_authority(takes_key=True), certificate=None),
            "no certificate yet",
            {"take_authority_key", "make_certificate", "reload_nginx"},
        ),
        (seen(certificate=certificate(29.9)), "in 29 days", {"make_certificate", "reload_nginx"}),
        (
            seen(certificate=certificate(names=("IP:192.0.2.7",))),
            "lacks DNS:registry.example",
            {"make_certificate", "reload_nginx"},
        ),
        (
            seen(certificate=certificate(names=("DNS:registry.example", "IP:192.0.2.7", "DNS:old.example"))),
            "for DNS:old.example too",
            {"make_certificate", "reload_nginx"},
        ),
        (
            seen(units=unit(REGISTRY, environment={STAMP_VARIABLE: "old"})),
            "another configuration",
            {"restart_registry"},
        ),
        (seen(units=unit(REGISTRY, environment={})), "another configuration", {"restart_registry"}),
        (
            seen(program=dataclasses.replace(PROGRAM, identity="8:9")),
            "another program than /registry is now",
            {"restart_registry"},
        ),
        (seen(container=Container("img:3")), "image img:3 is not on this host", {"pull_image"}),
        (
            seen(other_container=True, units=unit(REGISTRY, environment={})),
            "another configuration",
            {"stop_container", "restart_registry"},
        ),
        (seen(container=Container("img:3", "aa", "bb", 7)), "another image than img:3 is now", {"restart_registry"}),
        (seen_data(has_user=False), "there is no user keeper", {"make_user", "mend_data"}),
        (seen_data(has_user=False, stored=False), "there is no user keeper", {"make_user"}),
        (seen(packages={"nginx": "1.22"}, data=Data(has_user=False)), "docker-registry is not", {"install"}),
        (seen(units=unit(REGISTRY, needs_daemon_reload=True)), "another configuration", {"restart_registry"}),
        (seen(units=unit(PACKAGED, loaded=True, masked=False)), "is not masked", {"mask_packaged"}),
        (seen(units=unit(REGISTRY, active="failed", log="no space left")), "no space left", set()),
        (seen(units=unit(REGISTRY, enabled=False)), "would not start with the host", set()),
        (seen(units=unit(NGINX, enabled=False)), "would not start with the host", set()),
        (seen(units=unit(NGINX, active="inactive")), "nginx.service is inactive", {"reload_nginx"}),
        (seen(serving=dataclasses.replace(SERVED, stamp="old")), "another configuration", {"reload_nginx"}),
        (seen(serving=dataclasses.replace(SERVED, certificate="old")), "or certificate", {"reload_nginx"}),
        (seen(serving=dataclasses.replace(SERVED, fault="/v2/ answers HTTP 502")), "502", set()),
    ],
)
def test_each_drift_is_named_and_has_its_own_step_only(observed: Observed, word: str, steps: set[str]) -> None:
    found = plan(observed, WANTED)
    assert word in " ".join(found.differences)
    assert {key for key, value in dataclasses.asdict(found).items() if value is True} == steps


@pytest.mark.parametrize("active", ["inactive", "failed", "activating"])
def test_a_file_that_a_stopped_registry_will_read_is_written(active: str) -> None:
    edited = dataclasses.replace(FOUND[CONFIGURATION], sha256="edited")
    found = plan(
        seen(files=tuple({**FOUND, CONFIGURATION: edited}.values()), units=unit(REGISTRY, active=active)), WANTED
    )
    assert "/configuration has another content" in found.differences
    assert found.mend_files
    assert not found.restart_registry


def test_a_renewal_waits_for_its_days() -> None:
    assert plan(seen(certificate=certificate(30.1)), WANTED).as_wanted


def test_what_may_be_missing_and_what_somebody_else_left_is_no_difference() -> None:
    assert plan(seen_file(SECRET, NOTHING), WANTED).as_wanted
    assert plan(seen_file(LEFT, FoundFile(FILE, marked=False)), WANTED).as_wanted


def wanting(**changes: t.Any) -> Wanted:
    return dataclasses.replace(WANTED, **changes)


def listening(address: str, port: int, program: str = "apache2", unit_name: str = "apache2.service") -> Observed:
    return seen(listeners=(Listener(address, port, 812, program, unit_name),))


STOPPED = unit(NGINX, active="inactive")
OTHER_SITE = seen(listeners=(Listener("0.0.0.0", 5000, 10, "nginx", NGINX),), serving=Serving(), site_has_port=False)


@pytest.mark.parametrize(
    ("observed", "wanted", "words"),
    [
        (listening("0.0.0.0", 5000), WANTED, ["Port 5000", "apache2 (process 812, apache2.service)", "another port"]),
        (listening("::", 5000), WANTED, ["Port 5000"]),
        (listening("127.0.0.1", 5001), WANTED, ["Port 5001", "registry_backend_port"]),
        (OTHER_SITE, WANTED, ["serves another site", "nginx -T"]),
        (
            dataclasses.replace(listening("0.0.0.0", 80), units=STOPPED, default_site=True),
            WANTED,
            ["Port 80", "default site"],
        ),
        (
            seen(units=unit(PACKAGED, active="active")),
            WANTED,
            ["docker-registry.service runs on this host already", "disable --now"],
        ),
        (listening("127.0.0.1", 5002), wanting(metrics_port=5002), ["Port 5002", "registry_metrics_port"]),
        (AS_WANTED, wanting(backend_port=5000), ["both have port 5000", "registry_backend_port"]),
        (AS_WANTED, wanting(metrics_port=5000), ["both have port 5000", "registry_metrics_port"]),
        (AS_WANTED, wanting(metrics_port=5001), ["both 5001"]),
        (AS_WANTED, wanting(users=(User("ci", ""),)), ["'ci'", "no password"]),
        (
            AS_WANTED,
            wanting(settings=dataclasses.replace(SETTINGS, ca="OTHER")),
            ["registry_ca", "registry_certificate"],
        ),
        (
            dataclasses.replace(seen_authority(has_key=False), certificate=None),
            WANTED,
            ["key of its authority is missing", "remove both"],
        ),
        (AS_WANTED, wanting(renew_days=365), ["valid for 365 days", "renewed 365 days before", "Set fewer days"]),
        (AS_WANTED, wanting(renew_days=-1), ["at least 0"]),
        (
            seen(certificate=None, certificate_fault="it is not the certificate of its key"),
            wanting(certificate_origin=GIVEN),
            ["registry_certificate has: it is not the certificate of its key"],
        ),
        (seen(missing_addresses=("192.0.2.9",)), WANTED, ["no address 192.0.2.9"]),
        (seen_file(IMAGES, FoundFile(FILE)), WANTED, ["/data is to be a directory", "Move it away"]),
        (seen_file(SECRET, FoundFile(DIRECTORY)), WANTED, ["/secret is to be a file", "Move it away"]),
        (seen_data(read_only=True, mount="/mnt"), WANTED, ["registry_data /data", "/mnt", "read-only", "for writing"]),
        (seen_data(free_bytes=16 * MIB - 1), WANTED, ["registry_data /data", "15 MiB left for keeper", "Make room"]),
        (seen_data(free_files=0), WANTED, ["no file left for keeper"]),
        (seen_data(closed="/srv"), WANTED, ["keeper may not enter /srv", "chmod o+x /srv"]),
        (seen_data(reader="www-data", unread="/srv"), WANTED, ["www-data may not enter /srv", "chmod o+x /srv"]),
        (
            seen_data(reader="www-data", unread="/srv", in_volume=True),
            WANTED,
            ["registry_peers", "www-data may not enter /srv", "elsewhere, without registry_volume"],
        ),
        (
            seen(program=Program("/registry")),
            WANTED,
            ["registry_program /registry is not on this host", "leave the option"],
        ),
        (seen(program=Program("/registry", "8:7", fault="is none")), WANTED, ["registry_program /registry is none"]),
        (seen(container=Container("img:3", "aa", fault="It cannot.")), WANTED, ["It cannot."]),
        (seen(units=unit(NGINX, loaded=False, masked=True)), WANTED, ["nginx.service is masked", "systemctl unmask"]),
    ],
)
def test_what_is_in_the_way_is_named_with_the_way_out(observed: Observed, wanted: Wanted, words: list[str]) -> None:
    (found,) = obstacles(observed, wanted)
    for word in words:
        assert word in found
    assert found.endswith(".")


@pytest.mark.parametrize(
    ("observed", "wanted"),
    [
        (listening("192.0.2.8", 5000), wanting(addresses=("192.0.2.7",))),
        (listening("0.0.0.0", 80), WANTED),  # nginx runs without that port
        (dataclasses.replace(listening("0.0.0.0", 80), units=STOPPED), WANTED),  # it has no default site
        (dataclasses.replace(OTHER_SITE, site_has_port=True), WANTED),  # its own site, which waits for a reload
        (dataclasses.replace(OTHER_SITE, serving=Serving(stamp="old")), WANTED),  # its own, whose file was removed
        (seen_authority(has_key=False), WANTED),  # the key may be elsewhere as long as nothing is to be signed
        (AS_WANTED, wanting(settings=dataclasses.replace(SETTINGS, ca="PEM\n"))),
        (AS_WANTED, wanting(renew_days=364)),
        (AS_WANTED, wanting(renew_days=400, certificate_origin=GIVEN)),  # only warned of
        (seen_data(free_bytes=16 * MIB), WANTED),
        (seen(program=Program("/registry"), packages={"nginx": "1.22"}), WANTED),  # the package brings it
        (seen_data(free_files=-1), WANTED),  # a file system without a limit of files
    ],
)
def test_what_is_not_in_the_way(observed: Observed, wanted: Wanted) -> None:
    assert obstacles(observed, wanted) == []


PLAIN = RegistrySettings.from_params({"endpoint": "registry.example:5000", "tls": "plain"})


@pytest.mark.parametrize(
    ("observed", "wanted", "word"),
    [
        (seen(certificate=None), wanting(settings=PLAIN, certificate_origin=NONE), "plain HTTP"),
        (AS_WANTED, wanting(plain_too=True), "answers plain HTTP beside TLS"),
        (AS_WANTED, wanting(users=()), "no users"),
        (seen(site_is_plain=True), WANTED, "longshore.delivery.plain_to_tls changes both with no failed pull"),
        (seen(certificate=certificate(5.5)), wanting(certificate_origin=GIVEN), "expires in 5 days"),
        (seen_authority(days_left=12), WANTED, "authority of registry registry.example:5000 expires in 12 days"),
        (seen_authority(days_left=12), WANTED, "longshore.delivery.rotate_authority replaces it"),
    ],
)
def test_what_has_to_be_said(observed: Observed, wanted: Wanted, word: str) -> None:
    (found,) = warnings(observed, wanted)
    assert word in found
