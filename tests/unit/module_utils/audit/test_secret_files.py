# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that are secrets by what they are for, whatever is in them."""

from __future__ import annotations

import tarfile

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.audit import private_keys
from ansible_collections.longshore.delivery.plugins.module_utils.audit.secret_scan import SecretScan, Sighting

from .made import Content, layer, link


def sightings(scan: SecretScan, files: dict[str, Content]) -> list[Sighting]:
    return list(layer(files, scan.file).sightings)


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("root/.docker/config.json", "credential_file"),
        ("root/.aws/credentials", "credential_file"),
        ("home/ci/.kube/config", "credential_file"),
        ("root/.netrc", "credential_file"),
        ("root/.config/containers/auth.json", "credential_file"),
        ("run/containers/0/auth.json", "credential_file"),
        ("root/.s3cfg", "credential_file"),
        ("root/.config/rclone/rclone.conf", "credential_file"),
        ("root/.gnupg/secring.gpg", "private_key"),
        ("root/.gnupg/private-keys-v1.d/0123ABCD.key", "private_key"),
        ("root/.git-credentials", "credential_file"),
        ("root/.pypirc", "credential_file"),
        ("root/.pgpass", "credential_file"),
        ("root/.my.cnf", "credential_file"),
        ("root/.config/gcloud/application_default_credentials.json", "credential_file"),
        ("root/.azure/msal_token_cache.json", "credential_file"),
        ("root/.vault-token", "credential_file"),
        ("root/.config/gh/hosts.yml", "credential_file"),
        ("srv/.htpasswd", "credential_file"),
        ("app/terraform.tfstate", "credential_file"),
        ("root/.bash_history", "credential_file"),
        ("root/.ssh/id_ed25519", "private_key"),
        ("etc/ssh/ssh_host_rsa_key", "private_key"),
        ("app/server.p12", "private_key"),
        ("app/.env", "env_file"),
        (".env.production", "env_file"),
    ],
)
def test_a_secret_file_is_known_by_its_path(scan: SecretScan, path: str, rule: str) -> None:
    assert [(found.path, found.rule) for found in sightings(scan, {path: b"x"})] == [(path, rule)]
    assert sightings(scan, {path: b""}) == []


@pytest.mark.parametrize(
    "path",
    [
        "app/.env.example",
        "app/environment",
        "root/.ssh/id_rsa.pub",
        "app/.envrc.sample",
        "app/node_modules/x/.env",
        "etc/environment",
    ],
)
def test_a_file_that_only_looks_like_one_is_none(scan: SecretScan, path: str) -> None:
    assert sightings(scan, {path: b"x"}) == []


@pytest.mark.parametrize(("path", "rule"), [("app/.env", "env_file"), ("root/.ssh/id_rsa", "private_key")])
def test_a_further_name_of_a_file_is_known_as_well(scan: SecretScan, path: str, rule: str) -> None:
    further = link(tarfile.LNKTYPE, "data/x")
    (found,) = sightings(scan, {"data/x": b"x", path: further})
    assert (found.path, found.rule) == (path, rule)
    assert not sightings(scan, {"data/x": b"", path: further})
    both: dict[str, Content] = {"root/.netrc": b"x", "_netrc": link(tarfile.LNKTYPE, "root/.netrc")}
    assert [found.path for found in sightings(scan, both)] == ["root/.netrc"]


def test_a_repository_is_found_once(scan: SecretScan) -> None:
    files: dict[str, Content] = {
        "app/.git/HEAD": b"ref: refs/heads/main\n",
        "app/.git/config": b"[core]\n",
        "app/.git/objects/ab/cdef": b"x",
        "app/.gitignore": b"x",
    }
    assert [(found.path, found.rule) for found in sightings(scan, files)] == [("app/.git", "git_directory")]


def test_a_key_that_a_library_publishes_is_no_secret_and_any_other_is() -> None:
    """One of those with which GnuTLS tests itself; its header, which names the algorithm, is others' as well."""
    lines = ("MEgCAQAwHwYIKoUDBwEBAQEwEwYHKoUDAgIjAQYIKoUDBwEBAgIEIgQgKOF96tom", "D61rhSnzKjyrmO3fv0gdlHei+6ovrc8SnBk=")
    begin, end = ("-----%s %s-----" % (word, "PRIVATE" + " KEY") for word in ("BEGIN", "END"))
    published = "\n".join((begin, *lines, end, "")).encode()
    assert private_keys.kind(published) is None
    assert private_keys.kind(published.replace(b"D61r", b"D62r")) == "private key"
