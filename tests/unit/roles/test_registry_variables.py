# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role registry and its playbooks make of their options, worked out by Ansible itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[3]
ROLE = CHECKOUT / "roles" / "registry"
S3 = {"bucket": "images"}
UPSTREAM = {"endpoint": "registry.example"}
# a host for each
WANTED: dict[str, dict[str, t.Any]] = {
    "bucket_at_a_place": {"registry_s3": {**S3, "endpoint": "http://s3.example:9000", "prefix": "/one/two/"}},
    "bucket_at_a_safe_place": {"registry_s3": {**S3, "endpoint": "https://s3.example", "region": "eu"}},
    "bucket_of_amazon": {"registry_s3": {**S3, "region": "eu-west-1"}},
    "cache_of_plain": {"registry_upstream": {**UPSTREAM, "tls": "plain"}},
    "cache_of_plain_elsewhere": {"registry_upstream": {"endpoint": "[2001:db8::1]:5000", "tls": "plain"}},
    "cache_of_tls": {"registry_upstream": {**UPSTREAM, "keep_days": 3}},
    "cache_of_tls_elsewhere": {"registry_upstream": {"endpoint": "registry.example:80"}},
    "addresses": {"registry_addresses": ["192.0.2.1", "2001:db8::1"]},
    "plain": {"registry_tls": "plain"},
    "unverified": {"registry_tls": "unverified"},
    "given": {"registry_certificate": "PEM", "registry_certificate_key": "KEY"},
}
# what the cache is told, and what its host has of its own for the registry beside it
CACHE: dict[str, t.Any] = {
    "endpoint": "cache.example:5005",
    "tls": "unverified",
    "ca": "an authority",
    "username": "ci",
    "password": "a password",
    "upstream": UPSTREAM,
    "state": "absent",
    "users": [{"name": "dev", "password": "another"}],
    "anonymous_pull": True,
    "data": "/srv/cache",
    "backend_port": 6000,
    "metrics_port": 6001,
    "names": ["cache"],
    "certificate": "PEM",
    "certificate_key": "KEY",
    "remove_data": True,
    "firewall": "ufw",
    "firewall_sources": ["192.0.2.0/24"],
}
BESIDE = {
    "registry_users": [{"name": "beside", "password": "another"}],
    "registry_data": "/srv/images",
    "registry_s3": S3,
    "registry_collect": "weekly",
    "registry_names": ["beside"],
    "registry_state": "absent",
    "registry_node_address": "192.0.2.9",
    "registry_peers": ["192.0.2.8:5000"],
    "registry_plain_too": True,
    "registry_other_users_stay": True,
}
SEVERAL = {
    "one": {"ansible_host": "192.0.2.1"},
    "two": {"ansible_host": "two.example", "longshore_registry_address": "192.0.2.2"},
    "three": {"longshore_registry_address": "2001:db8::3"},
}


def work_out(directory: Path, plays: list[dict[str, t.Any]], hosts: dict[str, t.Any]) -> dict[str, t.Any]:
    """What tasks have written of each host, as JSON."""
    link = directory / "collections" / "ansible_collections" / "longshore" / "delivery"
    link.parent.mkdir(parents=True)
    link.symlink_to(CHECKOUT)
    (directory / "templates").symlink_to(ROLE / "templates")
    given = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())
    own = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    inventory = {"all": {"hosts": hosts, "vars": {**given, "role_path": str(ROLE), **own}}}
    if "one" in hosts:
        inventory["all"]["children"] = {"longshore_registry_hosts": {"hosts": {name: {} for name in SEVERAL}}}
    (directory / "hosts.yml").write_text(yaml.safe_dump(inventory, sort_keys=False))
    (directory / "plays.yml").write_text(yaml.safe_dump(plays, sort_keys=False))
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "hosts.yml", "plays.yml"],
        cwd=directory,
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(directory / "collections"), "ANSIBLE_FORKS": "2"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return {path.stem: json.loads(path.read_text()) for path in directory.glob("*.json")}


def writing(directory: Path, content: str, *vars_files: Path) -> list[dict[str, t.Any]]:
    """A play that writes an expression's value."""
    task = {
        "name": "Write it",
        "ansible.builtin.copy": {"content": content, "dest": str(directory) + "/{{ inventory_hostname }}.json"},
    }
    play = {"name": "A play", "hosts": "all", "gather_facts": False, "tasks": [task]}
    return [{**play, "vars_files": [str(path) for path in vars_files]}]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """The texts of the role's files, by host and the file's last name."""
    directory = tmp_path_factory.mktemp("texts")
    base = {"registry_endpoint": "registry.site:5000"}
    hosts = {name: {**base, **options} for name, options in WANTED.items()}
    plays = writing(directory, "{{ registry_wanted_now | to_json }}", ROLE / "vars" / "main.yml")
    worked_out = work_out(directory, plays, hosts)
    return {
        host: {os.path.basename(file["path"]): file["text"] for file in wanted["texts"]}
        for host, wanted in worked_out.items()
    }


@pytest.mark.parametrize(
    ("host", "s3"),
    [
        (
            "bucket_at_a_place",
            {
                "bucket": "images",
                "region": "us-east-1",
                "regionendpoint": "http://s3.example:9000",
                "secure": False,
                "forcepathstyle": True,
                "rootdirectory": "/one/two",
            },
        ),
        (
            "bucket_at_a_safe_place",
            {
                "bucket": "images",
                "region": "eu",
                "regionendpoint": "https://s3.example",
                "secure": True,
                "forcepathstyle": True,
                "rootdirectory": "/",
            },
        ),
        ("bucket_of_amazon", {"bucket": "images", "region": "eu-west-1", "rootdirectory": "/"}),
    ],
)
def test_a_bucket_is_asked_where_it_is(written: dict[str, dict[str, str]], host: str, s3: dict[str, t.Any]) -> None:
    storage = yaml.safe_load(written[host]["config.yml"])["storage"]
    assert storage["s3"] == s3
    assert "filesystem" not in storage


@pytest.mark.parametrize(
    ("host", "proxy"),
    [
        ("cache_of_plain", {"remoteurl": "http://registry.example"}),
        ("cache_of_plain_elsewhere", {"remoteurl": "http://[2001:db8::1]:5000"}),
        ("cache_of_tls", {"remoteurl": "https://registry.example", "ttl": "72h"}),
        ("cache_of_tls_elsewhere", {"remoteurl": "https://registry.example:80"}),
    ],
)
def test_an_upstream_is_asked_as_it_speaks(
    written: dict[str, dict[str, str]], host: str, proxy: dict[str, str]
) -> None:
    assert yaml.safe_load(written[host]["config.yml"])["proxy"] == proxy


@pytest.mark.parametrize(
    ("host", "listened", "certificate"),
    [
        ("addresses", ["192.0.2.1:5000 ssl", "[2001:db8::1]:5000 ssl"], "server.crt"),
        ("plain", ["0.0.0.0:5000"], ""),
        ("unverified", ["0.0.0.0:5000 ssl"], "server.crt"),
        ("given", ["0.0.0.0:5000 ssl"], "given.pem"),
    ],
)
def test_nginx_listens_where_and_by_what_it_is_asked_to(
    written: dict[str, dict[str, str]], host: str, listened: list[str], certificate: str
) -> None:
    lines = [line.strip().rstrip(";") for line in written[host]["longshore-registry.conf"].splitlines()]
    found = [line.partition(" ")[2].strip() for line in lines if line.startswith("listen ")]
    assert found == listened
    served = [os.path.basename(line.split()[1]) for line in lines if line.startswith("ssl_certificate ")]
    assert served == ([certificate] if certificate else [])


@pytest.mark.parametrize(
    "told", [CACHE, {"endpoint": "cache.example:5005", "upstream": UPSTREAM}], ids=["all", "least"]
)
def test_a_cache_takes_nothing_from_the_registry_beside_it(tmp_path: Path, told: dict[str, t.Any]) -> None:
    files = [CHECKOUT / "playbooks/vars/registry_cache_host.yml", ROLE / "vars" / "main.yml"]
    names = [*yaml.safe_load(files[0].read_text())]
    pairs = ", ".join(f"'{name}': {name}" for name in names if name != "registry_named_login")
    plays = writing(tmp_path, "{{ {" + pairs + "} | to_json }}", *files)
    worked_out = work_out(tmp_path, plays, {"cache": {**BESIDE, "longshore_registry_cache": told}})["cache"]
    own = {f"registry_{name}": value for name, value in told.items() if name not in ("username", "password")}
    login = {"name": "ci", "password": "a password"} if "username" in told else {}
    defaults = {
        "tls": "verified",
        "ca": "",
        "state": "present",
        "users": [],
        "anonymous_pull": False,
        "volume": "",
        "data": "/var/lib/docker-registry-cache",
        "backend_port": 5006,
        "metrics_port": 0,
        "names": [],
        "certificate": "",
        "certificate_key": "",
        "remove_data": False,
        "firewall": "",
        "firewall_sources": [],
        "s3": {},
        "collect": "",
        "plain_too": False,
        "other_users_stay": False,
        "node_address": "",
        "peers": [],
        "instance": "cache",
    }
    assert worked_out == {
        **{f"registry_{name}": value for name, value in defaults.items()},
        "registry_login": login,
        **own,
    }


MIRRORS = ["192.0.2.1:5000", "192.0.2.2:5000", "[2001:db8::3]:5000"]


@pytest.mark.parametrize(
    ("username", "options", "mirrors"),
    [
        ("", {}, True),
        ("", {"longshore_registry_mirrors": False}, False),
        ("ci", {}, False),
        ("ci", {"longshore_registry_mirrors": True}, True),
        ("ci", {"registry_anonymous_pull": True}, True),
    ],
)
def test_of_several_hosts_each_is_meant_by_its_address_and_a_mirror_where_that_is_of_use(
    tmp_path: Path, username: str, options: dict[str, t.Any], mirrors: bool
) -> None:
    registry = {"endpoint": "registry.site:5000", "username": username}
    hosts = {name: {**own, **options, "longshore_registry": registry} for name, own in SEVERAL.items()}
    content = (
        "{{ {'own': registry_node_address, 'peers': registry_peers, 'trusted': delivery_registry_trusted} | to_json }}"
    )
    files = [CHECKOUT / "playbooks/vars" / name for name in ("registry.yml", "registry_host.yml")]
    worked_out = work_out(tmp_path, writing(tmp_path, content, *files), hosts)
    assert [worked_out[name]["own"] for name in SEVERAL] == ["192.0.2.1", "192.0.2.2", "2001:db8::3"]
    for turn, name in enumerate(SEVERAL):
        assert worked_out[name]["peers"] == MIRRORS
        named, *others = worked_out[name]["trusted"]
        assert (named["endpoint"], "mirror_of" in named) == ("registry.site:5000", False)
        assert [one["endpoint"] for one in others] == (MIRRORS[turn:] + MIRRORS[:turn] if mirrors else [])
        assert all(one["mirror_of"] == ["registry.site:5000"] for one in others)
