# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A pull-through cache beside the registry, of that registry: the same digests, also while its upstream is away."""

from __future__ import annotations

import contextlib
import os
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient, RegistryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.condition import condition_of
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from tests.integration.asking import eventually
from tests.lab.access import inventory

from .host import HOST, PLACES
from .lab import ADDRESS, BACKEND, DATA, NGINX, PORT, SITE, changed, client, on_host, play
from .test_container_backend import load, options
from .traffic import push

pytestmark = [pytest.mark.lab, pytest.mark.wide]

DIRECTORY, UNIT = "/etc/longshore/registry-cache", "longshore-registry-cache.service"
CACHES_DATA = f"{DATA}-cache"
PULLER = {"username": "puller", "password": "only-for-pulls"}
# what YAML, systemd and a shell read otherwise than it is written
SECRET = "\\ '\"$HOME` #&*: %n"
READER = {"username": "reader", "password": SECRET}
USERS: dict[str, t.Any] = {"registry_users": [{"name": "reader", "password": SECRET}]}
# by which a release 2.8 can log in
TOKENS = {**USERS, "registry_anonymous_pull": True}
CACHE = {"endpoint": f"{ADDRESS}:5020", **PULLER}


@pytest.fixture
def run(tmp_path: Path, ca: str) -> t.Iterator[t.Callable[..., str]]:
    """Runs the playbook of the cache; afterwards there is none, and the registry serves."""
    hosts = inventory([HOST], PLACES)
    hosts["all"]["children"]["longshore_registry_cache_hosts"] = {"hosts": {HOST.name: {}}}
    file = tmp_path / "hosts.yml"
    file.write_text(yaml.safe_dump(hosts))
    play(**USERS)

    def run(*given: str, upstream: dict[str, t.Any] | None = None, **more: t.Any) -> str:
        whole = {"endpoint": f"{ADDRESS}:{PORT}", "ca": ca, **READER, **(upstream or {})}
        cache = {**CACHE, "upstream": whole}
        return play(*given, playbook="registry_cache", hosts=file, longshore_registry_cache=cache, **more)

    yield run
    run(registry_state="absent", registry_remove_data=True)
    left = f"ls -d {DIRECTORY} {CACHES_DATA}/* /etc/systemd/system/{UNIT} /etc/nginx/conf.d/*cache* 2>/dev/null || true"
    assert on_host("sh", "-c", left) == ""
    with client(ca) as asking:
        asking.ping()
    play()


def settings(login: dict[str, str]) -> RegistrySettings:
    ca = on_host("cat", f"{DIRECTORY}/ca.crt")
    return RegistrySettings.from_params({"endpoint": CACHE["endpoint"], "ca": ca, **login})


def cache() -> RegistryClient:
    return RegistryClient(settings(PULLER))


def serves(repository: str, reference: str | ManifestDigest, digest: ManifestDigest) -> bool:
    """The cache gives a whole image of this digest."""
    with contextlib.suppress(RegistryError), cache() as pulling:
        manifest = pulling.get_manifest(repository, reference)
        (layer,) = manifest.layers
        return manifest.digest == digest and layer.matches(pulling.get_blob(repository, layer))
    return False


def keeps(repository: str, digest: ManifestDigest) -> bool:
    """The cache has it on its disk, which it writes while and after it hands it on."""
    place = f"{CACHES_DATA}/docker/registry/v2/repositories/{repository}"
    links = on_host(
        "sh", "-c", f"ls -d {place}/_manifests/revisions/sha256/{digest.encoded} {place}/_layers/sha256/* || true"
    )
    return len(links.split()) >= 2


@contextlib.contextmanager
def upstream_away() -> t.Iterator[None]:
    """Nothing listens on the upstream's port, and the cache's goes on."""
    on_host("mv", SITE, "/srv/site")
    on_host("systemctl", "reload", NGINX)
    eventually(lambda: f":{PORT} " not in on_host("ss", "-Hltn"))
    try:
        yield
    finally:
        on_host("mv", "/srv/site", SITE)
        on_host("systemctl", "reload", NGINX)
        eventually(lambda: f":{PORT} " in on_host("ss", "-Hltn"))


def state(*properties: str) -> list[str]:
    return on_host("systemctl", "show", "--property", ",".join(properties), "--value", UNIT).split()


@pytest.mark.rare
def test_a_cache_of_the_registry(run: t.Callable[..., str], ca: str, repository: str, image: ManifestDigest) -> None:
    basic = " ".join(run(ok=False).split())
    assert f"Registry {ADDRESS}:{PORT} wants name and password themselves (Basic)" in basic
    play(**TOKENS)
    nobody = " ".join(run(upstream={"endpoint": f"{ADDRESS}:9"}, ok=False).split())
    assert "is not to be started without its upstream (registry_upstream), and nothing was changed" in nobody
    assert f"nothing takes connections at {ADDRESS} port 9" in nobody
    assert on_host("sh", "-c", f"ls -d {DIRECTORY} 2>/dev/null || true") == ""

    output = run("-v", "--diff")
    assert changed(output) > 0
    assert changed(run()) == 0
    assert changed(play(**TOKENS)) == 0
    assert on_host("stat", "--format", "%U %a", f"{DIRECTORY}/upstream.env").split() == ["root", "600"]
    readable = on_host(
        "sh",
        "-c",
        "find /etc/longshore /etc/systemd/system /etc/nginx /var/lib/longshore -perm -004 -type f | xargs cat",
    )
    logged = on_host("journalctl", "--unit", UNIT, "--output", "cat") + on_host("ps", "-eo", "args")
    for secret in (SECRET, PULLER["password"]):
        assert secret not in output + readable + logged + on_host("systemctl", "show", UNIT)

    assert serves(repository, "1", image)
    assert condition_of(settings(PULLER), 10, write_to="probe").shown(0.0)["mirror"] is True
    with cache() as pushing, pytest.raises(RegistryError) as refused:
        pushing.push_blob(repository, b"nothing")
    assert refused.value.status == 405
    with RegistryClient(settings({})) as asking, pytest.raises(RegistryError) as unknown:
        asking.ping()
    assert unknown.value.kind == "unauthorized"
    eventually(lambda: keeps(repository, image))

    started = state("InvocationID")
    said = " ".join(
        run(
            upstream={"tls": "plain", "ca": "", "keep_days": 1},
            registry_collect="weekly",
            registry_node_address=ADDRESS,
            ok=False,
        ).split()
    )
    for words in (
        "registry_upstream has keep_days, which a registry",
        "is a cache, which removes by itself",
        "registry_node_address is set",
    ):
        assert words in said
    assert "refuses user 'reader'" in " ".join(run(upstream={"password": "a-wrong-one"}, ok=False).split())
    assert state("InvocationID") == started

    with upstream_away():
        assert serves(repository, image, image)
        assert serves(repository, "1", image)
        assert changed(run()) == 0
        on_host("systemctl", "stop", NGINX)
        assert changed(run()) > 0
        assert serves(repository, "1", image)
        assert state("InvocationID") == started
        on_host("systemctl", "restart", UNIT)
        eventually(lambda: int(state("NRestarts")[0]) > 0)
        away = " ".join(run(ok=False).split())
        assert f"nothing takes connections at {ADDRESS} port {PORT}" in away
        assert "A cache that is away for that alone comes back by itself." in away
        assert "goroutine" not in away
    eventually(lambda: serves(repository, image, image), 30)
    assert changed(run()) == 0


@pytest.mark.parametrize("playbook", ["back_up_registry", "restore_registry", "collect_garbage"])
def test_what_is_no_caches_is_refused(ca: str, playbook: str) -> None:
    cached = {"registry_upstream": {"endpoint": "up.example"}, "registry_backup": "/srv/backup"}
    said = " ".join(play(playbook=playbook, ok=False, **cached).split())
    assert f"{ADDRESS}:{PORT} is a pull-through cache of up.example (registry_upstream), and" in said
    assert on_host("sh", "-c", "ls -d /srv/backup 2>/dev/null || true") == ""


@pytest.mark.rare
def test_a_cache_in_a_container_of_a_release_3(
    run: t.Callable[..., str], ca: str, repository: str, image: ManifestDigest, tmp_path: Path
) -> None:
    load("docker", tmp_path)
    container = options("docker")
    run(upstream={"keep_days": 1}, **container)
    assert changed(run(upstream={"keep_days": 1}, **container)) == 0
    assert "ttl: 24h" in on_host("cat", f"{DIRECTORY}/config.yml")
    assert serves(repository, "1", image)
    assert (
        on_host("docker", "container", "inspect", "--format", "{{.State.Running}}", "longshore-registry-cache")
        == "true\n"
    )
    with upstream_away():
        on_host("systemctl", "restart", UNIT)
        eventually(lambda: int(state("NRestarts")[0]) > 0)
    eventually(lambda: serves(repository, image, image), 30)
    with client(ca) as pushing:
        newer = push(pushing, repository, os.urandom(1000), "2")
        assert serves(repository, "2", newer)
        pushing.delete_manifest(repository, newer)
    assert BACKEND in on_host("systemctl", "list-units", "--state=active", "--plain", "longshore-registry*")
