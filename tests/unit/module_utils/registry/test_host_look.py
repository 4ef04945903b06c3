# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The look of the role registry as a whole, at a host whose systemd and dpkg are stood in for."""

from __future__ import annotations

import hashlib
import os
import ssl
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed, Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry import host, host_quadlet
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_authority import ANNOUNCED, TURNED
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_files import group_name, user_name
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_listeners import Sockets
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_state import NGINX

from .certificates import Certificates, Issued
from .conftest import Serve

ENDPOINT = "registry.example"
Look = t.Callable[..., t.Dict[str, t.Any]]


def run_command(argv: t.Sequence[str], **_options: t.Any) -> Completed:
    """A host where nginx runs and no package is installed."""
    unit = f"Id={NGINX}\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\nMainPID=0\n"
    return Completed(0, unit if argv[0] == "systemctl" else "", "")


@pytest.fixture
def issued(certificates: Certificates) -> Issued:
    return certificates.issue("registry", [ENDPOINT], certificates.authority())


@pytest.fixture
def look(tmp_path: Path, serve: Serve, issued: Issued, monkeypatch: pytest.MonkeyPatch) -> Look:
    """Look as root at a host that serves C(issued), whose authority has this content."""
    monkeypatch.setattr(host, "host_fault", lambda: None)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(Sockets, "listeners", lambda self, *ports: [])  # else this process would be in the way
    server = serve(lambda request: (401, {}, b""), issued)
    context = Context(False, False, print, pytest.fail, run_command)

    def take(
        authority: bytes, certificate: Issued | None = issued, valid_days: int = 365, **params: t.Any
    ) -> dict[str, t.Any]:
        (tmp_path / "ca.crt").write_bytes(authority)
        given = {
            "registry": {"endpoint": f"{ENDPOINT}:{server.port}", "tls": "verified"},
            "addresses": ["127.0.0.1"],
            "backend_port": 1,
            "site": "",
            "site_stamp": "",
            "configuration_stamp": "",
            "certificate": {
                "origin": "own",
                "certificate": str(certificate.cert_file) if certificate else "",
                "key": str(certificate.key_file) if certificate else "",
                "authority": str(tmp_path / "ca.crt"),
                "authority_key": str(tmp_path / "ca.key"),
                "next_authority_key": str(tmp_path / "next.key"),
                "valid_days": valid_days,
            },
            **params,
        }
        validated = ArgumentSpecValidator(host.CAPABILITY.argument_spec).validate(given)
        assert not validated.errors.messages
        return host.run(validated.validated_parameters, context)

    return take


DAMAGED: dict[str, t.Callable[[bytes], bytes]] = {
    "cut off": lambda pem: pem[: len(pem) // 2],
    "one whole, one cut off": lambda pem: pem + pem[: len(pem) // 2],
    "overwritten": lambda pem: bytes(range(256)),
    "blank": lambda pem: b"\n",
}


def assert_named(said: str, authority: Path) -> None:
    assert str(authority) in said
    assert "Put it back from a backup, or remove it: a new one is then made" in said
    assert "nothing answers" not in said
    assert "unable to get" not in said


@pytest.mark.parametrize("certificate", [True, False])
@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_authority_is_named_with_the_way_out(
    look: Look, tmp_path: Path, certificates: Certificates, issued: Issued, damage: str, certificate: bool
) -> None:
    content = DAMAGED[damage](certificates.authority().pem.encode())
    with pytest.raises(DeliveryError) as caught:
        look(content, issued if certificate else None)
    assert_named(str(caught.value), tmp_path / "ca.crt")
    assert len(caught.value.facts["obstacles"]) == 1


def test_a_damaged_authority_is_named_after_a_wait(look: Look, tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match="cannot be held against its authority") as caught:
        look(b"\n", wait=1)
    assert_named(str(caught.value), tmp_path / "ca.crt")


def test_what_is_served_is_seen_in_spite_of_a_damaged_authority(look: Look, issued: Issued) -> None:
    """The end of a run that failed compares it with what was served before."""
    fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(issued.pem)).hexdigest()
    served = {"stamp": "", "certificate": fingerprint, "anonymous": 401, "login": 0, "listens": []}
    assert look(b"\n", served=served)["served"] == served


def test_an_empty_file_is_no_authority_yet(look: Look) -> None:
    result = look(b"")
    assert result["make_authority"]
    assert not result["as_wanted"]


def test_a_certificate_of_the_authority_before_is_made_anew(
    look: Look, tmp_path: Path, certificates: Certificates
) -> None:
    present, following = certificates.authority("Registry"), certificates.authority("Registry")
    (tmp_path / "ca.key").write_bytes(present.key_file.read_bytes())
    (tmp_path / "next.key").write_bytes(following.key_file.read_bytes())
    for by, order, phase, is_made in (
        (present, (present, following), ANNOUNCED, False),
        (present, (following, present), TURNED, True),
        (following, (following, present), TURNED, False),
    ):
        both = "".join(each.pem for each in order)
        result = look(both.encode(), certificates.issue("registry", [ENDPOINT], by, (-1, 90)))
        assert ("certificate: it is of the authority before" in result["differences"]) is is_made
        assert result["make_certificate"] is result["take_authority_key"] is is_made
        assert result["authority_phase"] == phase
        assert result["authority"] == both, "clients are told of both"


@pytest.mark.parametrize("written", ["PASSWORD=tide\n", "PASSWORD=time\n", None])
def test_a_file_with_a_secret_is_compared_and_its_digest_told_nowhere(
    look: Look, tmp_path: Path, written: str | None
) -> None:
    text, path = "PASSWORD=tide\n", tmp_path / "login.env"
    if written is not None:
        path.write_text(written)
        path.chmod(0o600)
    owner = {"owner": user_name(os.getuid()), "group": group_name(os.getgid())}
    files = [
        {"path": str(tmp_path), "kind": "directory", **owner, "mode": f"{tmp_path.stat().st_mode & 0o7777:04o}"},
        {"path": str(path), "mode": "0600", "needed": True, "read_by": "longshore-registry.service", **owner},
    ]
    result = look(b"", files=files, secret_files=[{"path": str(path), "text": text}])
    said = [each for each in result["differences"] if str(path) in each]
    assert said == {text: [], None: [f"{path} is missing"]}.get(written, [f"{path} has another content"])
    assert result["mend_files"] is (written != text), "the unit of this host does not run"
    assert not result["restart_registry"]
    assert [each["kind"] for each in result["before"]] == ["directory", "" if written is None else "file"]
    for secret in (text, written):
        assert secret is None or hashlib.sha256(secret.encode()).hexdigest() not in repr(result)
        assert secret is None or secret.strip() not in repr(result)


def test_what_is_warned_of_and_refused_is_what_the_options_say(
    look: Look, certificates: Certificates, capsys: pytest.CaptureFixture[str]
) -> None:
    authority = certificates.authority(valid=(-1, 90))
    issued = certificates.issue("registry", [ENDPOINT], authority, (-1, 90))
    look(authority.pem.encode(), issued)
    assert "beside TLS" not in capsys.readouterr().out
    look(authority.pem.encode(), issued, plain_too=True)
    assert "answers plain HTTP beside TLS" in capsys.readouterr().out
    with pytest.raises(DeliveryError, match="valid for 30 days"):
        look(authority.pem.encode(), issued, valid_days=30)


@pytest.mark.parametrize("found", ["", "/usr/lib/systemd/system-generators/podman-system-generator"])
def test_the_form_that_fits_the_host_is_looked_for_and_told(
    look: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: str
) -> None:
    monkeypatch.setattr(host_quadlet, "generator", lambda root: found)
    unit, quadlet = tmp_path / "a.service", tmp_path / "a.container"
    for path in (unit, quadlet):
        path.write_text("# ours\n")
    params: dict[str, t.Any] = {
        "container": {"engine": "/bin/true", "reference": "registry:3", "name": "a", "data": ""},
        "quadlet": {"file": str(quadlet), "unit_file": str(unit), "stamp": "of the quadlet", "required": True},
        "files": [{"path": str(path), "sha256": "0" * 64, "mark": "# ours"} for path in (unit, quadlet)],
    }
    if not found:
        with pytest.raises(DeliveryError, match="registry_quadlet is always, and systemd has no"):
            look(b"", **params)
        params["quadlet"]["required"] = False
    result = look(b"", **params)
    assert result["quadlet_generator"] == found
    wanted, other = (quadlet, unit) if found else (unit, quadlet)
    assert {f"{other} is not wanted any more", f"{wanted} has another content"} <= {*result["differences"]}
