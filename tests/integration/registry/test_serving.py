# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The registry that the role makes on the lab's Docker host, asked by clients of its own while the role does its work."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
import typing as t
import uuid
from pathlib import Path

import pytest
import yaml

from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient, RegistryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from tests.lab.nodes import NODES
from tests.lab.places import Places

CHECKOUT = Path(__file__).resolve().parents[2]
DOCK = NODES["dock"].address
PORT = 5000
VAULT = CHECKOUT / "examples/shop/inventory/group_vars/all/vault.yml"
LOGIN = {"username": "ci", "password": yaml.safe_load(VAULT.read_text())["vault_registry_password"]}
REGISTRY = {"endpoint": f"{DOCK}:{PORT}", "tls": "verified", **LOGIN}
SITE = "/etc/nginx/conf.d/longshore-registry.conf"
CONFIGURATION = "/etc/longshore/registry/config.yml"
DROP_IN = "/etc/systemd/system/docker-registry.service.d/longshore.conf"
OCI = "application/vnd.oci.image.manifest.v1+json"

pytestmark = pytest.mark.lab


def play(*options: str, ok: bool = True, **variables: t.Any) -> str:
    """Run the stage on the lab; returns what was printed."""
    given = json.dumps({"longshore_registry": REGISTRY, **variables})
    program = Path(sys.executable).parent / "ansible-playbook"
    stage = CHECKOUT / "playbooks" / "registry.yml"
    done = subprocess.run(
        [program, "-i", Places.of_user().inventory, stage, "--extra-vars", given, *options],
        cwd=CHECKOUT,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) is ok, done.stdout[-8000:] + done.stderr[-4000:]
    return done.stdout + done.stderr


def recap(output: str) -> dict[str, int]:
    (line,) = [line for line in output.splitlines() if re.match(r"dock\s+: ok=", line)]
    return {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", line)}


def on_dock(*argv: str) -> str:
    return subprocess.run(
        ["docker", "exec", "longshore-dock", *argv], capture_output=True, text=True, check=True
    ).stdout


def processes() -> dict[str, str]:
    """Main process of both services, which is another after a restart and the same after a reload."""
    names = ["nginx.service", "docker-registry.service"]
    found = on_dock("systemctl", "show", "--property", "MainPID", "--value", *names).split()
    assert "0" not in found
    return dict(zip(names, found))


def files() -> dict[str, str]:
    digests = on_dock("sha256sum", SITE, CONFIGURATION, DROP_IN, "/etc/longshore/registry/htpasswd")
    return {name: digest for digest, name in (line.split() for line in digests.splitlines())}


@pytest.fixture(scope="module")
def ca() -> str:
    """The registry is there, as the role makes it."""
    play()
    return on_dock("cat", "/etc/longshore/registry/ca.crt")


def client(ca: str, login: dict[str, str] | None = None) -> RegistryClient:
    base = {"endpoint": f"{DOCK}:{PORT}", "ca": ca}
    return RegistryClient(RegistrySettings.from_params({**base, **(LOGIN if login is None else login)}))


@pytest.fixture(scope="module")
def repository() -> str:
    return f"registry-test/{uuid.uuid4().hex}"


@pytest.fixture
def image(ca: str, repository: str) -> t.Iterator[ManifestDigest]:
    """A small image that is pushed before and deleted after each test."""
    with client(ca) as pushing:
        config = pushing.push_blob(repository, b"{}")
        layer = os.urandom(200_000)
        blob = pushing.push_blob(repository, layer)
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI,
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": str(config), "size": 2},
            "layers": [
                {
                    "mediaType": "application/vnd.oci.image.layer.v1.tar",
                    "digest": str(blob),
                    "size": len(layer),
                }
            ],
        }
        digest = pushing.put_manifest(repository, "1", OCI, json.dumps(manifest).encode())
        yield digest
        pushing.delete_manifest(repository, digest)


class Pulls:
    """Pulls over and over, each on a TLS connection of its own, by several clients at once."""

    def __init__(self, ca: str, repository: str, digest: ManifestDigest) -> None:
        self.done = 0
        self.failures: list[str] = []
        self._stop = threading.Event()
        self._arguments = (ca, repository, digest)
        self._threads = [threading.Thread(target=self._pull) for _thread in range(4)]

    def _pull(self) -> None:
        ca, repository, digest = self._arguments
        while not self._stop.is_set():
            try:
                with client(ca) as pulling:
                    manifest = pulling.get_manifest(repository, digest)
                    layer = manifest.document["layers"][0]
                    assert pulling.head_manifest(repository, "1") is not None
                assert layer["size"] == 200_000
                self.done += 1
            except Exception as error:
                self.failures.append(str(error))
            self._stop.wait(0.05)

    def __enter__(self) -> Pulls:
        for thread in self._threads:
            thread.start()
        self.wait_for(20)
        return self

    def wait_for(self, more: int) -> None:
        """Go on when that many further pulls have ended, well or not."""
        end, limit = self.done + len(self.failures) + more, time.monotonic() + 60
        while self.done + len(self.failures) < end:
            assert time.monotonic() < limit
            self._stop.wait(0.01)

    def __exit__(self, *exception: object) -> None:
        with contextlib.suppress(AssertionError):
            self.wait_for(20)
        self._stop.set()
        for thread in self._threads:
            thread.join()


def test_nobody_gets_in_without_a_login(ca: str) -> None:
    for login in ({}, {**LOGIN, "password": "not-the-password"}, {**LOGIN, "username": "nobody"}):
        with client(ca, login) as asking, pytest.raises(RegistryError) as refused:
            asking.ping()
        assert (refused.value.kind, refused.value.status) == ("unauthorized", 401)


def test_the_registry_behind_is_reached_through_nginx_alone(ca: str) -> None:
    sockets = on_dock("ss", "-Hltn", "sport", "=", ":5001").split()
    assert "127.0.0.1:5001" in sockets
    assert "0.0.0.0:5001" not in sockets


def test_what_is_pushed_is_pulled_and_can_be_deleted(ca: str, repository: str) -> None:
    with client(ca) as pushing:
        data = os.urandom(20_000_000)
        blob = pushing.push_blob(repository, data)
        assert hashlib.sha256(pushing.get_blob(repository, blob)).hexdigest() == hashlib.sha256(data).hexdigest()
        size = len(data)
        document = {
            "schemaVersion": 2,
            "mediaType": OCI,
            "config": {"mediaType": "application/octet-stream", "digest": str(blob), "size": size},
            "layers": [],
        }
        digest = pushing.put_manifest(repository, "big", OCI, json.dumps(document).encode())
        head = pushing.head_manifest(repository, "big")
        assert head is not None
        assert head.digest == digest
        assert pushing.delete_manifest(repository, digest)
        assert pushing.head_manifest(repository, "big") is None


def strict_context(ca: str) -> ssl.SSLContext:
    """What Python 3.13 does by default: keyUsage on the authority, key identifiers on both."""
    context = ssl.create_default_context(cadata=ca)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def test_the_certificate_passes_the_strictest_client_and_is_for_the_address(ca: str) -> None:
    pem = ssl.get_server_certificate((DOCK, PORT))
    assert pem != ca
    with (
        contextlib.closing(socket.create_connection((DOCK, PORT), 10)) as plain,
        strict_context(ca).wrap_socket(plain, server_hostname=DOCK) as tls,
    ):
        peer = t.cast("dict[str, t.Any]", tls.getpeercert())
    assert ("IP Address", DOCK) in peer["subjectAltName"]
    assert ssl.cert_time_to_seconds(peer["notAfter"]) - time.time() > 30 * 86400
    shown = on_dock(
        "openssl", "x509", "-in", "/etc/longshore/registry/ca.crt", "-noout", "-ext", "keyUsage,basicConstraints"
    )
    assert shown.count("critical") == 2
    assert "Certificate Sign, CRL Sign" in shown
    server = on_dock(
        "openssl", "x509", "-in", "/etc/longshore/registry/server.crt", "-noout", "-ext", "extendedKeyUsage"
    )
    assert "TLS Web Server Authentication" in server


def test_secrets_are_for_root_and_nginx_alone(ca: str) -> None:
    modes = on_dock(
        "sh", "-c", "cd /etc/longshore/registry && stat -c '%n %a %U:%G' ca.key server.key htpasswd"
    ).splitlines()
    assert modes == ["ca.key 600 root:root", "server.key 600 root:root", "htpasswd 640 root:www-data"]
    assert re.fullmatch(r"ci:\$2y\$05\$\S{53}\n", on_dock("cat", "/etc/longshore/registry/htpasswd"))


def test_a_second_run_changes_nothing_in_one_round_trip(ca: str) -> None:
    before, running = files(), processes()
    output = play("-vvv")
    assert recap(output)["changed"] == 0
    assert output.count("SSH: EXEC") == 1
    assert LOGIN["password"] not in output
    assert (files(), processes()) == (before, running)
    assert recap(play("--check", "--diff"))["changed"] == 0


def test_check_mode_says_what_would_change_and_no_password(ca: str) -> None:
    before = files()
    output = play("-vvv", "--diff", "--check", registry_users=[{"name": "dev", "password": "another-password"}])
    assert recap(output)["changed"] == 1, "what is said"
    assert "user dev is missing" in output
    assert "user ci is not among the wanted ones" in output
    assert files() == before
    for secret in (LOGIN["password"], "another-password", "$2y$"):
        assert secret not in output


def test_reloads_of_nginx_fail_no_pull(ca: str, repository: str, image: ManifestDigest) -> None:
    with Pulls(ca, repository, image) as pulls:
        for _turn in range(12):
            on_dock("systemctl", "reload", "nginx")
            pulls.wait_for(10)
    assert pulls.failures == []
    assert pulls.done >= 120


def test_a_certificate_and_users_are_replaced_without_a_failed_pull(
    ca: str, repository: str, image: ManifestDigest
) -> None:
    running = processes()
    dev = {"username": "dev", "password": "another-password"}
    ci = {"name": LOGIN["username"], "password": LOGIN["password"]}
    served = ssl.get_server_certificate((DOCK, PORT))
    with Pulls(ca, repository, image) as pulls:
        output = play(
            registry_names=["registry.lab.example"], registry_users=[ci, {"name": "dev", "password": dev["password"]}]
        )
        assert recap(output)["changed"] > 0
        with client(ca, dev) as asking:
            asking.ping()
        renewed = ssl.get_server_certificate((DOCK, PORT))
        assert renewed != served
        with (
            contextlib.closing(socket.create_connection((DOCK, PORT), 10)) as plain,
            strict_context(ca).wrap_socket(plain, server_hostname="registry.lab.example"),
        ):
            pass
        play()
    assert pulls.failures == []
    assert processes() == running, "a reload does"
    with client(ca, dev) as asking, pytest.raises(RegistryError) as refused:
        asking.ping()
    assert refused.value.kind == "unauthorized"
    assert ssl.get_server_certificate((DOCK, PORT)) not in (served, renewed)


def test_drift_is_put_right(ca: str) -> None:
    on_dock(
        "sh", "-c", f"echo '# by hand' >> {SITE}; chmod 644 /etc/longshore/registry/ca.key; systemctl disable -q nginx"
    )
    output = play()
    assert f"{SITE} has another content" in output
    assert "ca.key has mode 0644" in output
    assert "nginx.service would not start with the host" in output
    assert recap(output)["changed"] == 3
    assert recap(play())["changed"] == 0


def test_a_site_that_nginx_has_not_loaded_is_noticed(ca: str) -> None:
    """As after a run that was killed between writing and reloading."""
    text = on_dock("cat", SITE)
    changed = text.replace("client_body_timeout 300s", "client_body_timeout 301s").replace(
        'return 200 "', 'return 200 "0'
    )
    subprocess.run(
        ["docker", "exec", "-i", "longshore-dock", "sh", "-c", f"cat > {SITE} && systemctl reload nginx && sleep 0"],
        input=changed,
        text=True,
        check=True,
    )
    subprocess.run(
        ["docker", "exec", "-i", "longshore-dock", "tee", SITE],
        input=text,
        text=True,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    output = play()
    assert "nginx serves port 5000 by another configuration" in output
    assert recap(output)["changed"] == 1
    assert recap(play())["changed"] == 0


def test_images_survive_a_restart_of_both_services(ca: str, repository: str, image: ManifestDigest) -> None:
    on_dock("systemctl", "restart", "docker-registry", "nginx")
    limit = time.monotonic() + 20
    while True:
        try:
            with client(ca) as pulling:
                assert pulling.get_manifest(repository, image).document["layers"]
            return
        except RegistryError:
            assert time.monotonic() < limit


def test_both_services_start_with_the_host(ca: str) -> None:
    assert on_dock("systemctl", "is-enabled", "nginx", "docker-registry").split() == ["enabled", "enabled"]


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"longshore_registry": {**REGISTRY, "endpoint": f"{DOCK}:22"}}, ["Port 22", "sshd (process", "another port"]),
        ({"longshore_registry": {**REGISTRY, "password": ""}}, ["user 'ci' has no password"]),
        ({"longshore_registry": {**REGISTRY, "ca": "{{ other_ca }}"}}, ["registry_ca", "registry_certificate"]),
        ({"longshore_registry": {**REGISTRY, "endpoint": "http://dock"}}, ["it has a scheme"]),
        (
            {"registry_certificate": "no PEM", "registry_certificate_key": "none"},
            ["registry_certificate", "cannot be read"],
        ),
        ({"registry_addresses": ["203.0.113.9"]}, ["no address 203.0.113.9"]),
        ({"registry_data": "/etc/hostname"}, ["/etc/hostname is to be a directory"]),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_changed(
    ca: str, variables: dict[str, t.Any], words: list[str]
) -> None:
    before, running = files(), processes()
    other = Places.of_user().builder / "ca.pem"
    output = play(ok=False, other_ca=other.read_text(), **variables)
    said = " ".join(output.split())
    for word in words:
        assert word in said
    assert recap(output)["changed"] == 0
    assert (files(), processes()) == (before, running)


def test_what_fails_on_the_way_is_put_back(ca: str) -> None:
    before, running = files(), processes()
    output = play(ok=False, registry_data="/proc/1/longshore")
    assert "was not changed as wanted: at 'Make the directory of the data'" in " ".join(output.split())
    assert (files(), processes()) == (before, running)
    assert recap(play())["changed"] == 0
