# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read of an archive's headers is what tarfile reads."""

from __future__ import annotations

import io
import random
import tarfile
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.longshore.delivery.plugins.module_utils.audit.tar_header import Member, extended_size, plain
from ansible_collections.longshore.delivery.plugins.module_utils.audit.tar_stream import TarStream
from ansible_collections.longshore.delivery.plugins.module_utils.audit.uncompressed import UnreadableLayer

Found = list[tuple[Member, bytes]]
KINDS = (
    *(tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE, tarfile.LNKTYPE, tarfile.SYMTYPE),
    *(tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE),
)
NAMES = st.text(
    st.sampled_from("ab./é\udce9 \n=")  # a byte that is no UTF-8 among them
    | st.characters(exclude_characters="\0", exclude_categories=["Cs"]),
    min_size=1,
    max_size=300,
).map(lambda name: name.strip("/") or "x")


@st.composite
def members(draw: st.DrawFn) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(draw(NAMES))
    info.type = draw(st.sampled_from(KINDS))
    info.mode = draw(st.integers(0, 0o7777))
    info.uid = draw(st.sampled_from([0, 1000, 2**21, 2**33]))  # the last two do not fit in octal digits
    info.mtime = draw(st.sampled_from([0, 1.5, 2**33]))
    content = draw(st.binary(max_size=1500)) if info.isreg() else b""
    info.size = len(content)
    if info.issym() or info.islnk():
        info.linkname = draw(NAMES)
    if draw(st.booleans()):
        info.pax_headers = {"SCHILY.xattr.user.x": draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))}
    return info, content


def written(given_members: t.Iterable[tuple[tarfile.TarInfo, bytes]], tar_format: int, **options: t.Any) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tar_format, errors="surrogateescape", **options) as archive:
        for info, content in given_members:
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def by_tarfile(data: bytes) -> Found:
    with tarfile.open(fileobj=io.BytesIO(data), encoding="utf-8", errors="surrogateescape") as archive:
        return [
            (Member.of(info), t.cast("t.IO[bytes]", archive.extractfile(info)).read() if info.isreg() else b"")
            for info in archive
        ]


def read(data: bytes, block: int = 4096) -> Found:
    blocks = (data[start : start + block] for start in range(0, len(data), block))
    return [(member, b"".join(pieces)) for member, pieces in TarStream(blocks).members()]


def without_targets(found: Found) -> Found:
    """What is no link has none, whatever stands in its header."""
    return [
        (member if member.is_symbolic_link or member.is_hard_link else member._replace(target=""), content)
        for member, content in found
    ]


@given(st.lists(members(), max_size=6), st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]), st.integers(1, 3000))
def test_an_archive_is_read_as_tarfile_reads_it(
    given_members: list[tuple[tarfile.TarInfo, bytes]], tar_format: int, block: int
) -> None:
    data = written(given_members, tar_format)
    assert without_targets(read(data, block)) == without_targets(by_tarfile(data))


@given(st.lists(members(), min_size=1, max_size=3), st.data())
def test_a_damaged_one_is_read_so_too_or_refused(
    given_members: list[tuple[tarfile.TarInfo, bytes]], drawn: st.DataObject
) -> None:
    data = bytearray(written(given_members, tarfile.PAX_FORMAT))
    for _number in range(drawn.draw(st.integers(1, 4))):
        data[drawn.draw(st.integers(0, len(data) - 1))] = drawn.draw(st.integers(0, 255))
    try:
        found = read(bytes(data))
    except UnreadableLayer:
        return
    assert without_targets(found) == without_targets(by_tarfile(bytes(data)))


def test_what_is_said_for_all_that_follow_counts() -> None:
    files = [(tarfile.TarInfo("a"), b""), (tarfile.TarInfo("b"), b"")]
    data = written(files, tarfile.PAX_FORMAT, pax_headers={"path": "all of them"})
    assert [member.name for member, _content in read(data)] == ["all of them", "all of them"]


@pytest.mark.parametrize("tar_format", [tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT])
def test_nearly_all_headers_need_no_other_reader(tar_format: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long names, which are an archive's most frequent extended headers, among them."""
    name = "/".join(["directory" * 2] * 7)
    assert 100 < len(name) < 155
    infos = [tarfile.TarInfo(name + suffix) for suffix in ("", "x")]
    infos[0].type, infos[1].size = tarfile.DIRTYPE, 3
    if tar_format == tarfile.PAX_FORMAT:
        infos[1].name = "é" * 200
    data = written([(infos[0], b""), (infos[1], b"abc")], tar_format)
    expected = by_tarfile(data)
    monkeypatch.setattr(tarfile.TarInfo, "frombuf", None)
    end = data.rstrip(b"\0")
    stream = TarStream(iter([data[: -(-len(end) // 512) * 512]])).members()
    assert [(next(stream)[0], content) for _member, content in expected] == expected


def test_what_is_damaged_is_left_to_tarfile() -> None:
    header = tarfile.TarInfo("a").tobuf()
    assert plain(header) == Member("a", tarfile.REGTYPE, 0, 0o644)
    for number in random.Random(1).sample(range(512), 60):
        damaged = bytearray(header)
        damaged[number] ^= 1
        assert plain(bytes(damaged)) is None
    assert plain(header[:511]) is None
    assert extended_size(header) is None
