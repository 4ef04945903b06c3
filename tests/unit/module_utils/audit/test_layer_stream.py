# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A layer's stream: compressed in any way, damaged, in every dialect of tar, in little memory."""

from __future__ import annotations

import gzip
import importlib.util
import io
import random
import subprocess
import sys
import tarfile
import threading
import tracemalloc
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.audit import uncompressed
from ansible_collections.longshore.delivery.plugins.module_utils.audit.layer import Entry, normal, read_layer
from ansible_collections.longshore.delivery.plugins.module_utils.audit.secret_scan import Sighting
from ansible_collections.longshore.delivery.plugins.module_utils.audit.tar_stream import TarStream
from ansible_collections.longshore.delivery.plugins.module_utils.audit.uncompressed import UnreadableLayer, blocks

from .made import layer, layer_bytes, link, nothing

ODD = random.Random(5).randbytes(3 * uncompressed.BLOCK_BYTES + 7)


@pytest.fixture(params=["isal", "zlib"])
def inflater(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What undoes gzip, whichever is installed."""
    if request.param == "isal":
        pytest.importorskip("isal", reason="the package isal is not in this environment: make venv")
    else:
        monkeypatch.setitem(sys.modules, "isal", None)


def contents(data: bytes) -> dict[str, bytes]:
    return {member.name: b"".join(pieces) for member, pieces in TarStream(blocks(io.BytesIO(data))).members()}


@pytest.mark.usefixtures("inflater")
@pytest.mark.parametrize("tar_format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_every_byte_arrives(tar_format: int, compress: t.Callable[[bytes], bytes]) -> None:
    files = {"a": b"", "odd": ODD, "d/full": b"x" * 1024, "last": b"y"}
    assert contents(compress(layer_bytes(dict(files), tar_format))) == files


def test_long_names_and_names_that_are_no_utf_8_arrive() -> None:
    files = {"d/" * 100 + "x" * 150: b"1", "caf\udce9": b"2"}
    for tar_format in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        assert contents(layer_bytes(dict(files), tar_format)) == files


@pytest.mark.usefixtures("inflater")
def test_a_gzip_file_may_be_several() -> None:
    data = layer_bytes({"odd": ODD})
    assert contents(gzip.compress(data[:700]) + gzip.compress(data[700:]))["odd"] == ODD


def zstandard() -> str | None:
    return next((name for name in ("compression.zstd", "zstandard") if _importable(name)), None)


def _importable(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def test_zstd_is_undone_or_the_way_out_is_said() -> None:
    module = zstandard()
    if module:
        compressed = importlib.import_module(module).compress(layer_bytes({"odd": ODD}))
        assert contents(compressed)["odd"] == ODD
    else:
        with pytest.raises(UnreadableLayer, match="zstandard"):
            contents(b"\x28\xb5\x2f\xfd rest")


def test_members_may_be_passed_over_or_read_in_part() -> None:
    names = []
    for member, pieces in TarStream(blocks(io.BytesIO(layer_bytes({"one": ODD, "two": ODD, "three": b"3"})))).members():
        names.append(member.name)
        if member.name == "two":
            next(pieces)
    assert names == ["one", "two", "three"]


def test_an_empty_layer_is_no_error() -> None:
    assert contents(b"") == {}
    assert contents(gzip.compress(b"")) == {}
    assert contents(layer_bytes({})) == {}


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


COMPRESSED = gzip.compress(layer_bytes({"odd": ODD}), mtime=0)


@pytest.mark.usefixtures("inflater")
@pytest.mark.parametrize(
    "data",
    [
        layer_bytes({"odd": ODD})[:-200000],
        layer_bytes({"a": b"1", "odd": ODD})[: 1024 + 300],
        _flipped(layer_bytes({"a": b"1", "b": b"2"}), 1024 + 150),
        b"no archive at all" * 100,
        COMPRESSED[: len(COMPRESSED) // 2],
        COMPRESSED[:-6],
        _flipped(COMPRESSED, len(COMPRESSED) // 2),
        _flipped(COMPRESSED, len(COMPRESSED) - 6),
    ],
    ids=["cut", "cut in a header", "header", "no tar", "gzip cut", "gzip trailer cut", "gzip", "checksum"],
)
def test_what_is_damaged_is_an_error(data: bytes) -> None:
    with pytest.raises(UnreadableLayer, match="again"):
        read_layer(io.BytesIO(data), nothing)
    assert not [thread for thread in threading.enumerate() if thread.name == "longshore-read-ahead"]


def test_an_error_of_who_looks_ends_the_thread_that_reads_ahead() -> None:
    def broken(path: str, size: int, pieces: t.Iterable[bytes]) -> list[Sighting]:
        raise KeyError(path)

    with pytest.raises(KeyError):
        read_layer(io.BytesIO(layer_bytes(dict.fromkeys("abcdef", ODD))), broken)
    assert not [thread for thread in threading.enumerate() if thread.name == "longshore-read-ahead"]


class _Zeros(io.RawIOBase):
    """An archive of one large file that is nowhere in memory."""

    def __init__(self, size: int) -> None:
        self.member = tarfile.TarInfo("zeros")
        self.member.size = size
        self.head = self.member.tobuf()
        self.left = size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self.head:
            head, self.head = self.head, b""
            return head
        count = min(size, self.left)
        self.left -= count
        return bytes(count)


def test_a_large_file_takes_the_memory_of_a_few_blocks() -> None:
    tracemalloc.start()
    try:
        found = read_layer(t.cast("t.BinaryIO", _Zeros(256 * 1024 * 1024)), nothing)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.size == 256 * 1024 * 1024
    assert peak < 16 * uncompressed.BLOCK_BYTES


@pytest.mark.usefixtures("inflater")
def test_a_well_compressed_layer_takes_no_more() -> None:
    data = gzip.compress(bytes(64 * 1024 * 1024), 9)
    assert len(data) < 100_000
    assert max(len(block) for block in blocks(io.BytesIO(data))) <= uncompressed.BLOCK_BYTES


def test_many_members_are_not_kept_by_the_reader() -> None:
    stream = TarStream(blocks(io.BytesIO(layer_bytes({"f%d" % number: b"" for number in range(10000)}))))
    tracemalloc.start()
    try:
        assert sum(1 for _member in stream.members()) == 10000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * uncompressed.BLOCK_BYTES


def test_a_sparse_file_counts_with_its_size_and_the_next_is_found(tmp_path: Path) -> None:
    """GNU tar writes what tarfile only reads."""
    hole = tmp_path / "hole"
    with hole.open("wb") as file:
        file.write(b"begin")
        file.seek(4 * 1024 * 1024)
        file.write(b"end")
    (tmp_path / "next").write_bytes(b"next")
    for kind in ("gnu", "pax"):
        made = subprocess.run(
            ["tar", "--sparse", "--format", kind, "-C", str(tmp_path), "-c", "hole", "next"],
            check=True,
            stdout=subprocess.PIPE,
        ).stdout
        assert len(made) < 1024 * 1024, "the file system made no hole, or tar did not see it"
        found = read_layer(io.BytesIO(made), nothing).entries
        assert found["hole"].size == 4 * 1024 * 1024 + 3
        assert found["next"].size == 4


def test_what_a_layer_writes_and_deletes() -> None:
    found = layer(
        {
            "./etc/": None,
            "./etc/app.conf": b"12345",
            "/bin/sh": link(tarfile.SYMTYPE, "dash"),
            "bin/again": link(tarfile.LNKTYPE, "bin/sh"),
            "etc/.wh.gone": b"",
            ".wh.top": b"",
            "data/.wh..wh..opq": b"",
            ".wh..wh.plnk": None,
        }
    )
    assert found.entries == {
        "etc": Entry("directory", 0, 0o755),
        "etc/app.conf": Entry("file", 5, 0o644),
        "bin/sh": Entry("other", 0, 0o644),
        "bin/again": Entry("other", 0, 0o644, "bin/sh"),
    }
    assert found.whiteouts == ("etc/gone", "top")
    assert found.opaque == ("data",)
    assert found.size == 5


@pytest.mark.parametrize(
    ("name", "path"), [("./.env", ".env"), ("/a//b/", "a/b"), ("./", ""), (".git/config", ".git/config")]
)
def test_a_name_becomes_a_path(name: str, path: str) -> None:
    assert normal(name) == path
