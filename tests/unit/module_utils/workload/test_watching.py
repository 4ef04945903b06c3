# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Watches that are cut, refused or too old, and what is known after each."""

from __future__ import annotations

import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.workload.cluster import Cluster
from ansible_collections.longshore.delivery.plugins.module_utils.workload.cluster_errors import ApiFault
from ansible_collections.longshore.delivery.plugins.module_utils.workload.watching import Source, Watcher
from tests.kubeconfig import kubeconfig

from .servers import ApiServer

PODS = Source("Pod", {"labelSelector": "a=b"})
HANG = ["hang"]


def known(watcher: Watcher) -> dict[str, int]:
    return {item["metadata"]["name"]: item["version"] for item in watcher.objects["Pod"].values()}


def until(watcher: Watcher, wanted: dict[str, int], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while known(watcher) != wanted:
        assert time.monotonic() < deadline, known(watcher)
        watcher.wait(deadline - time.monotonic())


def test_the_list_is_there_at_once_and_events_keep_it_up_to_date(tmp_path: Path) -> None:
    events = [("MODIFIED", "a"), ("ADDED", "b"), ("BOOKMARK", "nobody"), ("DELETED", "a"), "hang"]
    with ApiServer([["a"]], [events]) as api, Cluster(kubeconfig(tmp_path, api.address)) as cluster:
        with Watcher(cluster, "shop", [PODS]) as watcher:
            assert "a" in known(watcher)
            until(watcher, {"b": 3})
        assert (api.listed, api.watched) == (1, 1)


def test_a_watch_that_ends_goes_on_from_where_it_was(tmp_path: Path) -> None:
    with ApiServer([["a"]], [[("ADDED", "b")], [("ADDED", "c"), "hang"]]) as api:
        with Cluster(kubeconfig(tmp_path, api.address)) as cluster, Watcher(cluster, "shop", [PODS]) as watcher:
            until(watcher, {"a": 1, "b": 2, "c": 2})
        assert api.listed == 1


@pytest.mark.parametrize("end", [("ERROR", ""), "cut"], ids=["too old (410)", "cut"])
def test_a_watch_that_breaks_begins_anew_from_a_list_while_the_server_recovers(tmp_path: Path, end: t.Any) -> None:
    with ApiServer([["a"], 500, ["c"]], [[("ADDED", "b"), end], HANG]) as api:
        with Cluster(kubeconfig(tmp_path, api.address)) as cluster, Watcher(cluster, "shop", [PODS]) as watcher:
            until(watcher, {"c": 1})
        assert api.listed == 3


def test_waiting_ends_in_time_without_a_change(tmp_path: Path) -> None:
    with (
        ApiServer([["a"]], [HANG]) as api,
        Cluster(kubeconfig(tmp_path, api.address)) as cluster,
        Watcher(cluster, "shop", [PODS]) as watcher,
    ):
        began = time.monotonic()
        assert watcher.wait(0.2) is False
        assert 0.15 < time.monotonic() - began < 5


def test_what_may_not_be_seen_is_left_out_or_is_an_error(tmp_path: Path) -> None:
    with ApiServer([403], [HANG]) as api, Cluster(kubeconfig(tmp_path, api.address)) as cluster:
        with Watcher(cluster, "shop", [Source("Pod", {}, optional=True)]) as watcher:
            assert known(watcher) == {}
        with pytest.raises(ApiFault), Watcher(cluster, "shop", [PODS]):
            pass
