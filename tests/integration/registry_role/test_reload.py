# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Users and certificates that are replaced while clients pull and push."""

from __future__ import annotations

import contextlib
import socket
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryError
from tests.unit.module_utils.registry.certificates import Certificates

from .host import HOST
from .lab import (
    ADDRESS,
    DIRECTORY,
    PORT,
    SITE,
    changed,
    client,
    kill_at,
    on_host,
    play,
    processes,
    said_differences,
    served_certificate,
    strict_context,
)
from .traffic import Halfway, Pulls, Traffic, pull_strictly

pytestmark = pytest.mark.lab

DEV = {"username": "dev", "password": "another-password"}


@pytest.fixture
def dev_in_inventory(tmp_path: Path) -> str:
    """The option for an inventory that has a user of its own, beside the one of longshore_registry."""
    users = [{"name": DEV["username"], "password": DEV["password"]}]
    inventory = tmp_path / "users.yml"
    inventory.write_text(yaml.safe_dump({"all": {"hosts": {HOST.name: {"registry_users": users}}}}))
    return f"--inventory={inventory}"


@pytest.mark.wide
@pytest.mark.rare
def test_certificates_and_users_are_replaced_without_a_failed_request(
    ca: str, repository: str, image: ManifestDigest, certificates: Certificates, dev_in_inventory: str
) -> None:
    running, own = processes(), served_certificate()
    authority = certificates.authority()
    issued = certificates.issue("registry", [ADDRESS], authority)
    given: dict[str, t.Any] = {
        "registry_ca": authority.pem,
        "registry_certificate": issued.pem,
        "registry_certificate_key": issued.key_file.read_text(),
    }
    halfway = Halfway(ca, repository)
    halfway.send_half()
    fresh = Pulls(lambda: pull_strictly(ca, repository, image))
    with Traffic(ca + authority.pem, repository, image) as traffic:
        play(**given)
        assert served_certificate() == issued.pem
        assert changed(play(**given)) == 0
        halfway.send_some()

        output = play(dev_in_inventory, registry_names=["registry.lab.example"], registry_certificate_days=40)
        assert set(said_differences(output)) == {
            f"{SITE} has another content",
            f"{DIRECTORY}/given.pem is not wanted any more",
            "nginx serves port 5000 by another configuration or certificate",
            "the certificate lacks DNS:registry.lab.example",
            "user dev is missing",
        }
        with client(ca, DEV) as asking:
            asking.ping()
        renewed = served_certificate()
        assert renewed not in (own, issued.pem)
        with (
            contextlib.closing(socket.create_connection((ADDRESS, PORT), 10)) as plain,
            strict_context(ca).wrap_socket(plain, server_hostname="registry.lab.example"),
        ):
            pass
        halfway.send_some()

        due: dict[str, t.Any] = {"registry_names": ["registry.lab.example"], "registry_certificate_renew_days": 60}
        with fresh:
            assert said_differences(play(dev_in_inventory, **due)) == ["the certificate expires in 39 days"]
            assert changed(play(dev_in_inventory, **due)) == 0
        assert served_certificate() not in (own, issued.pem, renewed)
        halfway.send_some()
        output = play()
        assert "user dev is not among the wanted ones" in said_differences(output)
        assert changed(play()) == 0
    halfway.send_rest()
    assert (traffic.failures, fresh.failures) == ([], [])
    assert min(traffic.pulls, traffic.pushes, fresh.count) > 20
    assert processes() == running, "a reload does"
    with client(ca, DEV) as asking, pytest.raises(RegistryError) as refused:
        asking.ping()
    assert refused.value.kind == "unauthorized"
    assert served_certificate() not in (own, renewed, issued.pem)
    assert "given.pem" not in on_host("ls", DIRECTORY)


@pytest.mark.wide
def test_another_certificate_comes_with_another_key_and_without_a_failed_pull(
    ca: str, repository: str, image: ManifestDigest
) -> None:
    asked = ["another certificate is asked for, with another key"]
    running, before, key = processes(), served_certificate(), on_host("cat", f"{DIRECTORY}/server.key")
    with Pulls(lambda: pull_strictly(ca, repository, image)) as pulls:
        assert said_differences(play("--check", playbook="rotate_certificate")) == asked
        assert (served_certificate(), on_host("cat", f"{DIRECTORY}/server.key")) == (before, key)
        kill_at("Put what was issued in its place", playbook="rotate_certificate")
        on_host("nginx", "-t", "-q")
        assert served_certificate() == before
        found = said_differences(play(playbook="rotate_certificate"))
        assert set(found) == {*asked, f"{DIRECTORY}/before is not wanted any more"}
        assert served_certificate() != before
        assert on_host("cat", f"{DIRECTORY}/server.key") != key
        assert changed(play()) == 0
    assert (pulls.failures, processes()) == ([], running)
    assert pulls.count > 20
    said = play(playbook="rotate_certificate", ok=False, registry_certificate="given", registry_certificate_key="too")
    assert "its certificate is given. Put another one and its key into registry_certificate" in " ".join(said.split())


def test_a_given_file_of_somebody_else_stays(ca: str) -> None:
    on_host("tee", f"{DIRECTORY}/given.pem", stdin="somebody else's\n")
    assert changed(play()) == 0
    assert on_host("cat", f"{DIRECTORY}/given.pem") == "somebody else's\n"
    on_host("rm", f"{DIRECTORY}/given.pem")


def test_reloads_fail_no_request(ca: str, repository: str, image: ManifestDigest) -> None:
    halfway = Halfway(ca, repository)
    halfway.send_half()
    halfway.send_rest()
    halfway.receive_half()
    with Traffic(ca, repository, image) as traffic:
        for _turn in range(12):
            on_host("systemctl", "reload", "nginx")
            traffic.wait_for(10)
    halfway.receive_rest()
    assert traffic.failures == []
    assert min(traffic.pulls, traffic.pushes) > 20
