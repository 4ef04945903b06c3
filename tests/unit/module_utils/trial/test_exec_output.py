# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The output of commands as Docker's engine frames it: in order, without an end, too much of it, and broken."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.trial.engine import MOST_READ
from ansible_collections.longshore.delivery.plugins.module_utils.trial.exec_output import (
    BrokenOutput,
    connection_of,
    read_output,
)

STDOUT, STDERR = 1, 2


def frame(stream: int, content: bytes) -> bytes:
    return bytes((stream, 0, 0, 0)) + len(content).to_bytes(4, "big") + content


@contextlib.contextmanager
def sent(pieces: t.Iterable[bytes], *, ends: bool = True) -> t.Iterator[socket.socket]:
    """A connection by which these come, and then an end or nothing."""
    here, there = socket.socketpair()

    def send() -> None:
        with contextlib.suppress(OSError):
            for piece in pieces:
                there.sendall(piece)
            if ends:
                there.shutdown(socket.SHUT_WR)

    with here, there:
        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        yield here
        here.shutdown(socket.SHUT_RDWR)
        thread.join(30)


def soon() -> float:
    return time.monotonic() + 0.3


def later() -> float:
    return time.monotonic() + 60


def test_both_streams_come_in_their_order_however_they_are_cut() -> None:
    whole = frame(STDOUT, b"one ") + frame(STDERR, b"two ") + frame(STDOUT, b"three")
    with sent(whole[at : at + 1] for at in range(len(whole))) as connection:
        assert read_output(connection, later()) == b"one two three"


def test_of_a_large_output_that_ends_the_first_mebibyte_is_kept() -> None:
    with sent(itertools.repeat(frame(STDOUT, b"x" * 100_000), 30)) as connection:
        assert read_output(connection, later()) == b"x" * MOST_READ


@pytest.mark.parametrize("content", [b"aaaa\n", b"x" * 100_000], ids=["in small pieces", "in large ones"])
def test_one_without_an_end_is_read_until_its_time_is_over(content: bytes) -> None:
    with sent(itertools.repeat(frame(STDOUT, content))) as connection, pytest.raises(socket.timeout):
        read_output(connection, soon())


@pytest.mark.parametrize("begun", [b"", frame(STDOUT, b"a"), frame(STDOUT, b"abc")[:-1], b"\1\0"])
def test_a_silence_is_awaited_until_the_time_is_over(begun: bytes) -> None:
    with sent([begun], ends=False) as connection, pytest.raises(socket.timeout):
        read_output(connection, soon())


def test_what_is_no_frame_is_said() -> None:
    with sent([b"a text without frames"]) as connection, pytest.raises(BrokenOutput, match="cannot be read"):
        read_output(connection, later())


def test_the_connection_is_closed_also_where_a_reader_of_it_is_handed_out() -> None:
    here, there = socket.socketpair()
    with there:
        reader = here.makefile("rb", buffering=0)
        here.close()
        with connection_of(reader) as connection:
            there.sendall(frame(STDOUT, b"a"))
            there.shutdown(socket.SHUT_WR)
            assert read_output(connection, later()) == b"a"
        assert reader.closed
        assert there.recv(1) == b""
