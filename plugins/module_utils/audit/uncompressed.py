# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The bytes of a layer without its compression, in blocks, told by its first bytes and not by what a manifest says."""

from __future__ import annotations

import contextlib
import importlib
import queue
import threading
import typing as t
import zlib

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.verified_stream import Readable

BLOCK_BYTES = 4 * 1024 * 1024  # with more of it isal takes a quarter longer
_INPUT_BYTES = 2 * 1024 * 1024  # a thread waits up to 5 ms for the interpreter's lock, so that it is asked for seldom
_AHEAD = 3  # blocks that may wait to be read
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_END = None


class UnreadableLayer(DeliveryError):
    """A layer that is damaged, or compressed in a way that nothing here can undo."""


def blocks(stream: Readable) -> t.Iterator[bytes]:
    """The uncompressed bytes in blocks of at most C(BLOCK_BYTES), however well the layer is compressed.

    :raises UnreadableLayer: the compressed bytes are damaged or end too early.
    """
    first = stream.read(_INPUT_BYTES)
    while first and len(first) < len(_ZSTD):
        more = stream.read(_INPUT_BYTES)
        if not more:
            break
        first += more
    if first.startswith(_GZIP):
        return _gzip(first, stream)
    if first.startswith(_ZSTD):
        return _zstd(first, stream)
    return _plain(first, stream)


def _plain(first: bytes, stream: Readable) -> t.Iterator[bytes]:
    while first:
        yield first
        first = stream.read(BLOCK_BYTES)


def _gzip(data: bytes, stream: Readable) -> t.Iterator[bytes]:
    """A gzip file may be several, one after the other; pigz and stargz write such layers."""
    decompressor, errors = _inflater()
    inflate = decompressor(zlib.MAX_WBITS | 16)
    try:
        while True:
            block = inflate.decompress(data, BLOCK_BYTES)
            if block:
                yield block
            data = inflate.unconsumed_tail
            if inflate.eof:
                data = inflate.unused_data or stream.read(_INPUT_BYTES)
                if not data.lstrip(b"\0"):
                    return
                inflate = decompressor(zlib.MAX_WBITS | 16)
            elif not data:
                data = stream.read(_INPUT_BYTES)
                if not data and not block:
                    raise UnreadableLayer("its gzip data end too early. Fetch or build the image again.")
    except errors as error:
        raise UnreadableLayer("its gzip data are damaged (%s). Fetch or build the image again." % error) from None


def _inflater() -> t.Tuple[t.Callable[[int], t.Any], t.Tuple[t.Type[Exception], ...]]:
    """What undoes gzip: the package isal, which takes half as long as zlib, where it is installed."""
    try:
        from isal import isal_zlib
    except ImportError:
        return zlib.decompressobj, (zlib.error,)
    faster: t.Any = isal_zlib  # which types its error as an instance
    return faster.decompressobj, (faster.error,)


def _zstd(data: bytes, stream: Readable) -> t.Iterator[bytes]:
    """By the standard library from Python 3.14 on, before that by the package zstandard."""
    source = _Joined(data, stream)
    try:
        opened, errors = _zstd_reader(source)
    except ImportError:
        raise UnreadableLayer(
            "it is compressed with zstd, which this Python cannot undo. Install the package 'zstandard' with pip where the "
            "task runs, or use Python 3.14."
        ) from None
    try:
        while True:
            block = opened.read(BLOCK_BYTES)
            if not block:
                return
            yield block
    except errors as error:
        raise UnreadableLayer("its zstd data are damaged (%s). Fetch or build the image again." % error) from None


def _zstd_reader(source: _Joined) -> t.Tuple[Readable, t.Tuple[t.Type[Exception], ...]]:
    with contextlib.suppress(ImportError):
        standard = importlib.import_module("compression.zstd")
        return standard.ZstdFile(source), (standard.ZstdError, EOFError)
    package = importlib.import_module("zstandard")
    return package.ZstdDecompressor().stream_reader(source, read_across_frames=True), (package.ZstdError,)


class _Joined:
    """A stream with its first bytes put back in front."""

    def __init__(self, first: bytes, stream: Readable) -> None:
        self._first = first
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        if self._first:
            taken = self._first if size < 0 else self._first[:size]
            self._first = self._first[len(taken) :]
            return taken
        return self._stream.read(_INPUT_BYTES if size < 0 else size)


@contextlib.contextmanager
def read_ahead(source: t.Iterator[bytes]) -> t.Iterator[t.Iterator[bytes]]:
    """Read blocks in a thread of its own, a few ahead: zlib lets go of the interpreter's lock while it works.

    What the source raises is raised where its next block would have been. The thread has ended when the context has.
    """
    waiting: queue.Queue[t.Union[bytes, Exception, None]] = queue.Queue(_AHEAD)
    stop = threading.Event()

    def put(item: t.Union[bytes, Exception, None]) -> None:
        while not stop.is_set():
            with contextlib.suppress(queue.Full):
                waiting.put(item, timeout=0.1)
                return

    def fill() -> None:
        try:
            for block in source:
                put(block)
                if stop.is_set():
                    return
        except Exception as error:
            put(error)
        else:
            put(_END)

    def taken() -> t.Iterator[bytes]:
        while True:
            item = waiting.get()
            if item is _END:
                return
            if isinstance(item, Exception):
                raise item
            yield item

    thread = threading.Thread(target=fill, name="longshore-read-ahead", daemon=True)
    thread.start()
    try:
        yield taken()
    finally:
        stop.set()
        thread.join()
