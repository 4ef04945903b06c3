# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role registry reads in nginx's own configuration, and decides of the number of its connections."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_connections import (
    Connections,
    given_back,
    read,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_obstacles import obstacles
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_plan import Plan, plan

from .test_host import WANTED, seen

DEBIAN = "user www-data;\n\nevents {\n\tworker_connections 768;\n\t# multi_accept on;\n}\n"
LIMIT = "worker_rlimit_nofile 8448; # of the role longshore.delivery.registry\nevents"
RAISED = DEBIAN.replace("768;", "4096; # 768 before the role longshore.delivery.registry").replace("events", LIMIT)


@pytest.mark.parametrize(
    ("text", "wanted", "to_be", "limit", "said"),
    [
        (DEBIAN, 4096, 4096, 8448, ["/nginx.conf has 768 connections for a process of nginx"]),
        (RAISED, 4096, 4096, 8448, []),
        (RAISED, 2048, 2048, 4352, ["/nginx.conf has 4096 connections for a process of nginx"]),
        (RAISED, 0, 768, 0, ["/nginx.conf has 4096 connections for a process of nginx"]),
        (DEBIAN, 0, 768, 0, []),
        (DEBIAN.replace("768", "4096"), 4096, 4096, 0, []),
        (DEBIAN.replace("768", "10000"), 4096, 10000, 0, []),
        (RAISED.replace(" 768", " 9000"), 4096, 9000, 0, ["/nginx.conf has 4096 connections for a process of nginx"]),
        (
            RAISED.replace(LIMIT, "events"),
            4096,
            4096,
            8448,
            ["/nginx.conf has another limit of files for a process of nginx"],
        ),
        (
            RAISED.replace("8448", "1"),
            4096,
            4096,
            8448,
            ["/nginx.conf has another limit of files for a process of nginx"],
        ),
        (
            "worker_rlimit_nofile 9000;\n" + DEBIAN,
            4096,
            4096,
            0,
            ["/nginx.conf has 768 connections for a process of nginx"],
        ),
        (
            "#worker_rlimit_nofile 9;\n" + DEBIAN,
            4096,
            4096,
            8448,
            ["/nginx.conf has 768 connections for a process of nginx"],
        ),
    ],
)
def test_what_is_to_be_written(text: str, wanted: int, to_be: int, limit: int, said: list[str]) -> None:
    found = read("/nginx.conf", text, wanted)
    assert (found.to_be, found.own_limit_to_be) == (to_be, limit)
    assert obstacles(seen(connections=found), WANTED) == []
    steps = plan(seen(connections=found), WANTED)
    assert steps == Plan(tuple(said), mend_connections=bool(said), reload_nginx=bool(said))


def test_the_highest_number_of_all_registries_counts() -> None:
    for wanted, beside in ((4096, 2048), (2048, 4096), (0, 4096)):
        assert not dataclasses.replace(read("/nginx.conf", RAISED, wanted), beside=beside).to_mend
    assert dataclasses.replace(read("/nginx.conf", RAISED, 4096), beside=8192).told["number"] == 8192


def test_what_others_want_stays_when_it_is_given_back() -> None:
    assert given_back(RAISED) == given_back(RAISED, 512) == DEBIAN
    assert given_back(RAISED, 4096) == RAISED
    assert given_back(RAISED, 2048) == RAISED.replace("4096", "2048").replace("8448", "4352")
    assert given_back(DEBIAN, 2048) == DEBIAN


@pytest.mark.parametrize("wanted", [0, 4096])
def test_a_file_that_comes_with_the_package_is_no_difference(wanted: int) -> None:
    found = read("/nginx.conf", None, wanted)
    assert found.differences == found.faults == ()
    assert found.to_mend is bool(wanted)


@pytest.mark.parametrize(
    ("text", "wanted", "words"),
    [
        (DEBIAN, 1023, "registry_connections is 1023, and has to be a number from 1024 to 500000, or 0"),
        (DEBIAN, 500001, "from 1024 to 500000"),
        (None, -1, "from 1024 to 500000"),
        ("events {}\n", 4096, "/nginx.conf has no number of worker_connections that could be raised"),
        ("# worker_connections 768;\n", 4096, "has no number of worker_connections"),
        (
            "events { worker_connections 768; }\n",
            4096,
            "has more than the number in the line of its worker_connections",
        ),
        (
            "worker_rlimit_nofile 8191;\n" + DEBIAN,
            4096,
            "8191 files (worker_rlimit_nofile), and 4096 connections need 8192",
        ),
    ],
)
def test_what_is_in_the_way(text: str | None, wanted: int, words: str) -> None:
    (said,) = obstacles(seen(connections=read("/nginx.conf", text, wanted)), WANTED)
    assert words in said


def test_nothing_is_in_the_way_where_nothing_is_to_be_raised() -> None:
    for text in ("events {}\n", "events { worker_connections 768; }\n", "worker_rlimit_nofile 9;\n" + DEBIAN):
        assert read("/nginx.conf", text, 0).faults == ()
    assert read("/nginx.conf", DEBIAN.replace("768;", "768;  # as it came"), 4096).faults == ()
    assert Connections().to_mend is False
