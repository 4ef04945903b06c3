# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Put in and taken out again: the same bytes, and with edits of others in between only what is the collection's goes."""

from __future__ import annotations

import json
import os
import shutil
import stat
import tempfile
import typing as t
from pathlib import Path

import pytest
import tomllib
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.trust import ledger as ledgers

from .node import Node, Refused

Make = t.Callable[..., RegistrySettings]
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # each write is synced, hundreds of times here
HOST = "10.0.0.5:5000"
V2 = '[plugins."io.containerd.grpc.v1.cri"'

containerd_files = st.sampled_from(
    [
        None,
        "",
        "# only a comment",
        "version = 2\n",
        f"# keep\nversion = 2\n\n{V2}]\n  sandbox_image = 'p' # why\n{V2}.cni]\n    bin_dir = \"/x\"\n",
        f"version = 2\r\n{V2}.registry]\r\n\tconfig_path = ''\r\n",
        f"version = 2\n{V2}.registry.configs.\"h:1\".auth]\nusername = 'x'\n",
        f"version = 2\n{V2}.registry]\nconfig_path = 'ROOT/etc/containerd/certs.d'\n",
    ]
)
docker_files = st.sampled_from(
    [
        None,
        "",
        "{}",
        '{"debug": true}\n',
        '{\n    "log-driver": "journald",\n    "insecure-registries": [\n        "a:1"\n    ]\n}',
        '{"insecure-registries": []}',
        '{"registry-mirrors": ["https://theirs"], "insecure-registries": []}',
        f'{{"insecure-registries": ["{HOST}"]}}',
        '{\r\n\t"labels": ["ä"]\r\n}\r\n',
    ]
)
ways = st.lists(
    st.sampled_from(["ca", "other", "both", "turned", "unverified", "plain", "verified", "mirror"]),
    min_size=1,
    max_size=3,
)


@settings(max_examples=400)
@given(containerd_files, docker_files, ways, st.booleans())
def test_applied_and_taken_away_is_as_before(
    registry: Make, containerd: str | None, docker: str | None, tls: list[str], two: bool
) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as directory:
        node = Node(Path(directory))
        node.write("etc/hostname", "here")
        if containerd is not None:
            node.write("etc/containerd/config.toml", containerd.replace("ROOT", directory), 0o600)
        if docker is not None:
            node.write("etc/docker/daemon.json", docker)
        files, directories = node.files(), node.directories()
        for one in tls:
            wanted = [registry(one), *([registry("plain", "b.example")] if two else [])]
            node.serve(*wanted)
            after = node.files()
            again = node.serve(*wanted)
            assert not again.changes  # applied twice is applied once
            assert node.files() == after
        if two:
            node.serve(registry("plain", "b.example"), absent=True)
            assert not any("b.example" in path for path in node.files())
        node.serve(absent=True)
        assert node.files() == files
        assert node.directories() == directories
        assert ledgers.load(node.locations).records == {}
        assert not list((node.root / "var/lib/longshore/trust").glob("*"))


@settings(max_examples=60)
@given(docker_files, st.booleans())
def test_with_an_edit_of_others_in_between_only_its_own_goes(registry: Make, docker: str | None, late: bool) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as directory:
        node = Node(Path(directory))
        if docker is not None:
            node.write("etc/docker/daemon.json", docker)
        node.write("etc/containerd/config.toml", "version = 2\n")
        was_ours = HOST in (docker or "")
        node.serve(registry("plain"))
        settings_now = json.loads(node.read("etc/docker/daemon.json"))
        settings_now["max-concurrent-downloads"] = 7
        node.write("etc/docker/daemon.json", json.dumps(settings_now))
        config = node.write("etc/containerd/config.toml", node.read("etc/containerd/config.toml") + "[grpc]\nuid = 0\n")
        drop_in = "etc/containers/registries.conf.d/50-longshore-10.0.0.5_5000.conf"
        node.write(drop_in, node.read(drop_in) + "\n[[registry]]\nlocation = 'theirs:1'\n")
        if late:  # a run between the edit and the end keeps the edit
            assert not node.serve(registry("plain")).changes
            node.serve(registry("plain"), registry("ca", "c.example"))
        node.serve(absent=True)
        left = json.loads(node.read("etc/docker/daemon.json"))
        assert left["max-concurrent-downloads"] == 7
        assert (HOST in left.get("insecure-registries", [])) == was_ours
        before = json.loads(docker) if docker else {}
        assert {key: value for key, value in left.items() if key in before} == before
        assert tomllib.loads(config.read_text()) == {"version": 2, "grpc": {"uid": 0}}
        assert tomllib.loads(node.read(drop_in)) == {"registry": [{"location": "theirs:1"}]}


def test_a_new_authority_takes_the_place_of_the_old(node: Node, registry: Make) -> None:
    node.serve(registry("ca"))
    node.serve(registry("other"))
    for path, (content, _mode) in node.files().items():
        if path.endswith("longshore.crt"):
            assert content.decode() == registry("other").ca


def test_a_registry_that_changes_its_way_leaves_nothing_of_the_old_behind(node: Node, registry: Make) -> None:
    node.serve(registry("plain"))
    node.serve(registry("ca"))
    assert not (node.root / "etc/docker/daemon.json").exists()
    assert not list(node.root.glob("etc/containers/registries.conf.d/*"))
    assert "http://" not in node.read(f"etc/containerd/certs.d/{HOST}/hosts.toml")


def test_registries_that_are_not_named_are_left_alone(node: Node, registry: Make) -> None:
    node.serve(registry("plain"))
    node.serve(registry("plain", "b.example"))
    node.serve(registry("plain", "b.example"), absent=True)
    assert json.loads(node.read("etc/docker/daemon.json")) == {"insecure-registries": [HOST]}
    assert 'config_path = "' in node.read("etc/containerd/config.toml")


def test_docker_gets_an_empty_list_before_the_key_goes(node: Node, registry: Make) -> None:
    node.write("etc/docker/daemon.json", '{"debug": true}')
    node.serve(registry("plain"))
    (step,) = [step for step in node.planned(absent=True).steps if step.path.endswith("daemon.json")]
    assert json.loads(step.interim or b"") == {"debug": True, "insecure-registries": []}
    assert step.after == b'{"debug": true}'


def test_a_file_of_the_collection_that_rootless_users_cannot_read_is_mended(node: Node, registry: Make) -> None:
    node.serve(registry("ca"))
    path = node.root / f"etc/containers/certs.d/{HOST}/longshore.crt"
    path.chmod(0o600)
    assert node.serve(registry("ca")).changes
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_an_authority_that_somebody_replaced_is_not_overwritten(
    node: Node, registry: Make, authorities: list[str]
) -> None:
    node.serve(registry("ca"))
    path = f"etc/docker/certs.d/{HOST}/longshore.crt"
    node.write(path, authorities[1])
    with pytest.raises(Refused, match="was changed since this collection wrote it"):
        node.serve(registry("ca"))
    planned = node.serve(absent=True)
    assert node.read(path) == authorities[1]
    assert any("keeps its content" in remark for remark in planned.remarks)


def test_a_link_stays_a_link(node: Node, registry: Make) -> None:
    target = node.write("etc/elsewhere/daemon.json", "{}")
    (node.root / "etc/docker").mkdir()
    os.symlink("../elsewhere/daemon.json", node.root / "etc/docker/daemon.json")
    node.serve(registry("plain"))
    assert (node.root / "etc/docker/daemon.json").is_symlink()
    assert HOST in target.read_text()
    node.serve(absent=True)
    assert target.read_text() == "{}"
    assert (node.root / "etc/docker/daemon.json").is_symlink()


class Failed(DeliveryError):
    """A check that fails."""


@pytest.mark.parametrize("failure", [Failed("no pull"), KeyboardInterrupt()])
def test_everything_is_put_back_when_the_check_fails(node: Node, registry: Make, failure: BaseException) -> None:
    node.write("etc/containerd/config.toml", "version = 2\n", 0o600)
    node.write("etc/docker/daemon.json", '{"debug": true}')
    files, directories = node.files(), node.directories()

    def fail(_actions: t.Any) -> None:
        assert node.files() != files
        raise failure

    node.before_step = fail
    with pytest.raises(type(failure) if isinstance(failure, KeyboardInterrupt) else DeliveryError) as error:
        node.serve(registry("ca"), registry("plain", "b.example"))
    assert node.files() == files
    assert node.directories() == directories
    assert not (node.root / "var/lib/longshore/trust.json").exists()
    if isinstance(error.value, DeliveryError):
        assert "as it was before this run" in str(error.value)


def test_a_failed_change_leaves_the_earlier_trust(node: Node, registry: Make) -> None:
    node.serve(registry("ca"))
    files, ledger = node.files(), (node.root / "var/lib/longshore/trust.json").read_bytes()

    def fail(_actions: t.Any) -> None:
        raise Failed("no pull")

    node.before_step = fail
    with pytest.raises(DeliveryError):
        node.serve(registry("other"))
    assert node.files() == files
    assert (node.root / "var/lib/longshore/trust.json").read_bytes() == ledger
    node.before_step = lambda actions: None
    node.serve(absent=True)
    assert not node.files()


class Cut(BaseException):
    """The end of the process, with nothing done after it."""


@pytest.mark.parametrize("after", range(9))
def test_a_run_that_is_cut_off_anywhere_is_completed_by_the_next(
    node: Node, registry: Make, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies after so many writes of files, the ledger's among them."""
    from ansible_collections.longshore.delivery.plugins.module_utils import atomic
    from ansible_collections.longshore.delivery.plugins.module_utils.trust import apply

    node.write("etc/containerd/config.toml", "version = 2\n")
    node.write("etc/docker/daemon.json", "{}")
    files = node.files()
    writes, write = 0, atomic.write

    def cutting(path: str, content: bytes, mode: int) -> None:
        nonlocal writes
        if writes == after:
            raise Cut
        writes += 1
        write(path, content, mode)

    monkeypatch.setattr(atomic, "write", cutting)
    monkeypatch.setattr(apply.Application, "_put_back", lambda self, error: None)
    with pytest.raises(Cut):
        node.serve(registry("ca"), registry("plain", "b.example"))
    monkeypatch.undo()
    node.serve(registry("ca"), registry("plain", "b.example"))
    assert not node.serve(registry("ca"), registry("plain", "b.example")).changes
    node.serve(absent=True)
    assert {path: file for path, file in node.files().items() if not path.endswith("candidate")} == files


def test_the_ledger_is_for_root_alone(node: Node, registry: Make) -> None:
    node.write("etc/docker/daemon.json", '{"http-proxy": "http://user:secret@proxy"}', 0o600)
    node.serve(registry("plain", username="ci", password="tell-nobody"))
    base = node.root / "var/lib/longshore"
    assert stat.S_IMODE(base.stat().st_mode) == 0o700
    assert stat.S_IMODE((base / "trust").stat().st_mode) == 0o700
    for path in [base / "trust.json", *(base / "trust").iterdir()]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "secret" not in (base / "trust.json").read_text()
    everything = b"".join(path.read_bytes() for path in node.root.rglob("*") if path.is_file())
    assert b"tell-nobody" not in everything


@pytest.mark.parametrize(
    "content", ["", "{}", '{"format": 9, "files": {}, "directories": [], "pending": {}, "verified": {}}', "[]"]
)
def test_a_ledger_that_cannot_be_understood_stops_everything(node: Node, registry: Make, content: str) -> None:
    node.write("var/lib/longshore/trust.json", content)
    with pytest.raises(DeliveryError, match=r"trust\.json.*Nothing is changed"):
        node.serve(registry("ca"))
    assert not node.files()


def test_bytes_that_are_no_longer_kept_are_said(node: Node, registry: Make) -> None:
    node.write("etc/docker/daemon.json", '{  "debug":true}')
    node.serve(registry("plain"))
    shutil.rmtree(node.root / "var/lib/longshore/trust")
    planned = node.serve(absent=True)
    assert json.loads(node.read("etc/docker/daemon.json")) == {"debug": True}
    assert any("no longer kept" in remark for remark in planned.remarks)


def test_a_file_that_cannot_be_written_leaves_the_others_as_they_were(node: Node, registry: Make) -> None:
    (node.root / "etc/docker").mkdir(parents=True)
    (node.root / "etc/docker/certs.d").write_text("a file where a directory belongs")
    files = node.files()
    with pytest.raises(DeliveryError):
        node.serve(registry("ca"))
    assert node.files() == files


def test_a_setting_that_was_put_in_again_stays_for_every_registry(node: Node, registry: Make) -> None:
    node.serve(registry("ca"))
    config = node.write("etc/containerd/config.toml", "version = 2\n")  # as an upgrade leaves it
    node.serve(registry("ca", "b.example"))
    assert "config_path" in config.read_text()
    node.serve(registry("ca", "b.example"), absent=True)
    assert "config_path" in config.read_text()
    node.serve(absent=True)
    assert config.read_text() == "version = 2\n"


@pytest.mark.parametrize(
    "steps", [("ca", "both", "turned", "other"), ("both", "ca"), ("turned", "ca"), ("other", "both")]
)
def test_one_authority_follows_another(node: Node, registry: Make, steps: tuple[str, ...]) -> None:
    """Also where what is to be trusted is a part of what was."""
    before = node.files()
    for step in steps:
        node.serve(registry(step))
        for path in ("etc/containerd/certs.d", "etc/docker/certs.d", "etc/containers/certs.d"):
            assert node.read(f"{path}/{HOST}/longshore.crt") == registry(step).ca
    node.serve(absent=True)
    assert node.files() == before
