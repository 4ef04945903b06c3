# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A mirror that is none of its registry's any more: what was written for it goes, as if nobody had been told of it."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils import atomic
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.trust import apply
from ansible_collections.longshore.delivery.plugins.module_utils.trust import ledger as ledgers
from ansible_collections.longshore.delivery.plugins.module_utils.trust.plan import without_engines

from .node import Node, no_commands

Make = t.Callable[..., RegistrySettings]
SITE = "registry.site:5000"
PLACES = [f"10.0.0.{number}:5000" for number in (1, 2, 3)]
LEFT = PLACES[2]


def told(registry: Make, *places: str, tls: str = "ca") -> list[RegistrySettings]:
    """A registry that the hosts at these places serve."""
    return [registry(tls, SITE), *(registry(tls, place, mirror_of=[SITE]) for place in places)]


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path / "node")


def fresh(tmp_path: Path, registries: t.Sequence[RegistrySettings]) -> dict[str, bytes]:
    """The files of a node that was told of these alone."""
    node = Node(tmp_path / "fresh")
    node.serve(*registries)
    return contents(node)


def contents(node: Node) -> dict[str, bytes]:
    return {
        path: content.replace(str(node.root).encode(), b"") for path, (content, _mode) in sorted(node.files().items())
    }


@pytest.mark.parametrize("tls", ["ca", "plain", "unverified"])
@pytest.mark.parametrize("left", [PLACES[:2], PLACES[:1], []])
def test_nothing_is_left_of_it(tmp_path: Path, node: Node, registry: Make, tls: str, left: list[str]) -> None:
    node.serve(*told(registry, *PLACES, tls=tls))
    assert LEFT.encode() in b"".join(contents(node).values())
    node.serve(*told(registry, *left, tls=tls))
    assert contents(node) == fresh(tmp_path, told(registry, *left, tls=tls))
    assert LEFT not in ledgers.load(node.locations).told_for
    assert not node.planned(*told(registry, *left, tls=tls)).changes
    node.serve(absent=True)
    assert not node.files()
    assert not ledgers.load(node.locations).told_for


def test_docker_is_told_that_it_is_insecure_no_more(node: Node, registry: Make) -> None:
    node.write("etc/docker/daemon.json", '{"insecure-registries": ["theirs:1"]}')
    node.serve(*told(registry, *PLACES, tls="plain"))
    node.serve(*told(registry, *PLACES[:2], tls="plain"))
    listed = json.loads(node.read("etc/docker/daemon.json"))["insecure-registries"]
    assert listed == ["theirs:1", SITE, *PLACES[:2]]


def test_what_others_wrote_beside_it_stays(node: Node, registry: Make) -> None:
    node.serve(*told(registry, *PLACES))
    theirs = node.write(f"etc/docker/certs.d/{LEFT}/theirs.crt", "theirs")
    changed = node.write(f"etc/containers/certs.d/{LEFT}/longshore.crt", "changed")
    planned = node.serve(*told(registry, *PLACES[:2]))
    assert (theirs.read_text(), changed.read_text()) == ("theirs", "changed")
    assert not (theirs.parent / "longshore.crt").exists()
    assert any(f"{changed} was changed since and keeps its content" in remark for remark in planned.remarks)


@pytest.mark.parametrize("order", ["before", "between", "after"])
def test_one_that_was_named_for_itself_is_trusted_until_it_is_taken_away(
    node: Node, registry: Make, order: str
) -> None:
    itself, authority = registry("ca", LEFT), f"etc/docker/certs.d/{LEFT}/longshore.crt"
    if order == "before":
        node.serve(itself)
    node.serve(*told(registry, *PLACES))
    if order == "between":
        node.serve(itself)
        node.serve(*told(registry, *PLACES))
    if order == "after":
        node.serve(itself)
    node.serve(*told(registry, *PLACES[:2]))
    assert authority in node.files()
    assert LEFT not in node.read(f"etc/containerd/certs.d/{SITE}/hosts.toml")
    node.serve(itself, absent=True)
    assert not any(LEFT in path for path in node.files())


def test_one_that_is_a_mirror_of_another_too_stays_for_that(node: Node, registry: Make) -> None:
    node.serve(registry("ca", SITE), registry("ca", LEFT, mirror_of=[SITE, "other.site:5000"]))
    node.serve(registry("ca", SITE))
    assert LEFT in node.read("etc/containerd/certs.d/other.site:5000/hosts.toml")
    assert f"etc/docker/certs.d/{LEFT}/longshore.crt" in node.files()
    node.serve(registry("ca", "other.site:5000"))
    assert LEFT.encode() not in b"".join(contents(node).values())


def test_a_run_about_its_mirrors_alone_leaves_it(node: Node, registry: Make) -> None:
    node.serve(*told(registry, *PLACES))
    before = node.files()
    node.serve(*told(registry, *PLACES[:2])[1:])
    assert node.files() == before


def test_an_engine_that_is_left_as_it_is_has_it_taken_by_a_later_run(node: Node, registry: Make) -> None:
    node.serve(*told(registry, *PLACES))
    ledger = ledgers.load(node.locations)
    planned = without_engines(node.planned(*told(registry, *PLACES[:2])), {"containerd"}, ledger)
    apply.Application(planned, ledger, node.locations, no_commands, node.before_step).run()
    there = f"etc/containerd/certs.d/{LEFT}"
    assert {path for path in node.files() if LEFT in path} == {f"{there}/hosts.toml", f"{there}/longshore.crt"}
    node.serve(*told(registry, *PLACES[:2]))
    assert not any(LEFT in path for path in node.files())


class Cut(BaseException):
    """The end of the process, with nothing done after it."""


@pytest.mark.parametrize("after", range(8))
def test_a_run_that_is_cut_off_anywhere_is_completed_by_the_next(
    tmp_path: Path, node: Node, registry: Make, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After so many files that it has written or removed, the ledger among them."""
    node.serve(*told(registry, *PLACES))
    done = 0

    def cutting(work: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
        def cut(*arguments: t.Any) -> t.Any:
            nonlocal done
            if done == after:
                raise Cut
            done += 1
            return work(*arguments)

        return cut

    with monkeypatch.context() as patch:
        patch.setattr(atomic, "write", cutting(atomic.write))
        patch.setattr(atomic, "remove", cutting(atomic.remove))
        patch.setattr(apply.Application, "_put_back", lambda self, error: None)
        with pytest.raises(Cut):
            node.serve(*told(registry, *PLACES[:2]))
    node.serve(*told(registry, *PLACES[:2]))
    assert contents(node) == fresh(tmp_path, told(registry, *PLACES[:2]))
