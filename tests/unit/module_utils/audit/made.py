# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Layers and images made by code."""

from __future__ import annotations

import io
import tarfile
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.audit.finding import Finding
from ansible_collections.longshore.delivery.plugins.module_utils.audit.layer import FileScan, LayerContents, read_layer
from ansible_collections.longshore.delivery.plugins.module_utils.audit.secret_scan import Sighting

Content = t.Union[bytes, None, t.Callable[[tarfile.TarInfo], t.Optional[bytes]]]


def layer_bytes(files: dict[str, Content], tar_format: int = tarfile.PAX_FORMAT) -> bytes:
    """A layer's archive: a path's bytes, None for a directory, or a function that sets what else its header has."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tar_format, errors="surrogateescape") as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.mode = 0o755 if content is None else 0o644
            if content is None:
                member.type = tarfile.DIRTYPE
            data = content(member) if callable(content) else content
            member.size = len(data or b"")
            archive.addfile(member, io.BytesIO(data or b""))
    return buffer.getvalue()


def nothing(path: str, size: int, pieces: t.Iterable[bytes]) -> list[Sighting]:
    """Looks for no secrets."""
    return []


def layer(files: dict[str, Content], scan: FileScan = nothing) -> LayerContents:
    return read_layer(io.BytesIO(layer_bytes(files)), scan)


def with_mode(mode: int, data: bytes = b"\x7fELF") -> t.Callable[[tarfile.TarInfo], t.Optional[bytes]]:
    def content(member: tarfile.TarInfo) -> bytes:
        member.mode = mode
        return data

    return content


def link(kind: bytes, target: str) -> t.Callable[[tarfile.TarInfo], t.Optional[bytes]]:
    def content(member: tarfile.TarInfo) -> None:
        member.type = kind
        member.linkname = target

    return content


def config(history: t.Sequence[tuple[str, bool]] = (), **settings: t.Any) -> dict[str, t.Any]:
    """An OCI configuration; history is (created_by, whether it made a layer), settings what a container gets."""
    return {
        "os": "linux",
        "architecture": "amd64",
        "config": settings,
        "history": [
            {"created_by": line} if made else {"created_by": line, "empty_layer": True} for line, made in history
        ],
    }


def rules(findings: t.Iterable[Finding]) -> list[str]:
    return [found.rule for found in findings]
