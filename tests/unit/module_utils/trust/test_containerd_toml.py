# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""config.toml of containerd: the right table for the file's version and the binary's, and what is refused."""

from __future__ import annotations

import pytest
import tomllib

from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.trust import hosts_toml, registries_conf
from ansible_collections.longshore.delivery.plugins.module_utils.trust.containerd_toml import (
    Refused,
    cri_is_disabled,
    imports,
    registry_table,
    speaks_of_registries,
    with_directory,
)
from ansible_collections.longshore.delivery.plugins.module_utils.trust.hosts_toml import Files
from ansible_collections.longshore.delivery.plugins.module_utils.trust.registries_conf import (
    drop_in_name,
    entry_of,
    is_insecure,
)

V2 = '[plugins."io.containerd.grpc.v1.cri".registry]\n'
V3 = "[plugins.'io.containerd.cri.v1.images'.registry]\n"
DIRECTORY = "/etc/containerd/certs.d"


@pytest.mark.parametrize(
    ("text", "major", "table"),
    [
        ("version = 2\n", 1, "io.containerd.grpc.v1.cri"),
        ("version = 2\n", 2, "io.containerd.grpc.v1.cri"),  # 2.x migrates it at its start
        ("version = 3\n", 2, "io.containerd.cri.v1.images"),
        ("", 1, "io.containerd.grpc.v1.cri"),
        ("# nothing\n", 2, "io.containerd.cri.v1.images"),
        ("# no line end", 1, "io.containerd.grpc.v1.cri"),
        (
            'version = 2\n[plugins]\n  [plugins."io.containerd.grpc.v1.cri"]\n    x = 1\n',
            1,
            "io.containerd.grpc.v1.cri",
        ),
        ("version = 2\n" + V2 + 'config_path = ""\n', 1, "io.containerd.grpc.v1.cri"),
        ("version = 3\n" + V3 + "config_path = '/a:/b'\n", 2, "io.containerd.cri.v1.images"),
    ],
)
def test_the_directory_goes_where_this_containerd_reads_it(text: str, major: int, table: str) -> None:
    before = registry_table(text, major)
    assert before.directory(major) is None
    edited = with_directory(text, before, DIRECTORY).text
    document = tomllib.loads(edited)
    assert document["plugins"][table]["registry"]["config_path"] == DIRECTORY
    assert document["version"] == (3 if "images" in table else 2)
    assert registry_table(edited, major).directory(major) == DIRECTORY
    assert text in edited or "config_path" in text  # nothing but lines that come


@pytest.mark.parametrize(
    ("value", "major", "directory"),
    [("/a", 1, "/a"), ("/a", 2, "/a"), ("/a:/b", 1, "/a"), ("/a:/b", 2, None), ("", 1, None), ("", 2, None)],
)
def test_which_directory_is_read(value: str, major: int, directory: str | None) -> None:
    # 2.1.9 and 2.2 read neither directory of a list, without a word; 1.x reads all
    assert registry_table(f"version = 2\n{V2}config_path = '{value}'\n", major).directory(major) == directory


@pytest.mark.parametrize(
    ("text", "major", "words"),
    [
        ("version = 3\n", 1, "does not start"),
        ("version = 1\n", 1, "version is 1"),
        ("version = 4\n", 2, "version is 4"),
        ('disabled_plugins = ["cri"]\n', 1, "no 'version'"),
        ("version = 2\n" + V3, 1, "does not read there"),
        ("version = 3\n" + V2, 2, "does not read there"),
        ("version = 2\n" + V2[:-2] + '.mirrors."docker.io"]\nendpoint = []\n', 1, "registry.mirrors"),
        ("version = 2\n" + V2[:-2] + '.configs."h:5000".tls]\nca_file = "x"\n', 1, "registry.configs"),
        (
            "version = 2\n" + V2 + '[plugins."io.containerd.grpc.v1.cri".registry.configs]\nh.tls.ca_file = "x"\n',
            1,
            "configs",
        ),
    ],
)
def test_what_would_stop_containerd_or_its_cri_is_refused(text: str, major: int, words: str) -> None:
    with pytest.raises(Refused, match=words):
        registry_table(text, major)


def test_a_login_beside_the_directory_is_no_obstacle() -> None:
    text = "version = 2\n" + V2[:-2] + '.configs."h:5000".auth]\nusername = "x"\n'
    assert registry_table(text, 1).config_path is None


def test_an_inline_table_is_left_to_its_author() -> None:
    text = 'version = 2\n[plugins."io.containerd.grpc.v1.cri"]\nregistry = { x = 1 }\n'
    with pytest.raises(Refused, match="inline table"):
        with_directory(text, registry_table(text, 1), DIRECTORY)


def test_what_else_is_read_of_it() -> None:
    assert cri_is_disabled('disabled_plugins = ["cri"]\n')
    assert not cri_is_disabled('disabled_plugins = ["io.containerd.nri.v1.nri"]\n')
    assert imports("imports = ['conf.d/*.toml']\nversion = 2\n") == ["conf.d/*.toml"]
    # 1.x takes an imported CRI table in place of the whole one, 2.x merges it
    other = 'version = 2\n[plugins."io.containerd.grpc.v1.cri".cni]\nbin_dir = "/x"\n'
    assert speaks_of_registries(other, 1)
    assert not speaks_of_registries(other, 2)


def registry(**params: str) -> RegistrySettings:
    return RegistrySettings.from_params({"endpoint": "[2001:db8::1]:5000", **params})


def test_hosts_toml_has_a_host_table_and_says_what_counts_in_it_and_before_it() -> None:
    url = "https://[2001:db8::1]:5000"
    with_ca = tomllib.loads(hosts_toml.text(hosts_toml.shares(registry(), Files("/x/ca.crt"))))
    assert (with_ca["server"], with_ca["ca"]) == (url, "/x/ca.crt")
    assert with_ca["host"] == {url: {"capabilities": ["pull", "resolve"], "ca": "/x/ca.crt"}}
    unverified = tomllib.loads(hosts_toml.text(hosts_toml.shares(registry(tls="unverified"), Files())))
    assert (unverified["host"][url]["skip_verify"], unverified["skip_verify"]) == (True, True)
    plain = tomllib.loads(hosts_toml.text(hosts_toml.shares(registry(tls="plain"), Files())))
    assert plain["server"] == "http://[2001:db8::1]:5000"
    assert list(plain["host"]) == ["http://[2001:db8::1]:5000"]
    assert hosts_toml.shares(registry(), Files()) == ()
    shown = tomllib.loads(hosts_toml.text(hosts_toml.shares(registry(), Files(client=("/x/c.cert", "/x/c.key")))))
    assert shown["client"] == shown["host"][url]["client"] == [["/x/c.cert", "/x/c.key"]]


def test_drop_ins() -> None:
    assert registries_conf.shares(registry()) == ()
    text = registries_conf.text(registries_conf.shares(registry(tls="plain")))
    assert tomllib.loads(text) == {"registry": [{"location": "[2001:db8::1]:5000", "insecure": True}]}
    assert drop_in_name(registry().endpoint) == "50-longshore-_2001_db8__1__5000.conf"
    found = entry_of("[[registry]]\nlocation = 'other'\n" + text, "[2001:db8::1]:5000")
    assert found is not None
    assert is_insecure(found)
    # the prefix counts where there is one
    assert entry_of("[[registry]]\nprefix = 'h:1/a'\nlocation = 'h:1'\n", "h:1") is None
