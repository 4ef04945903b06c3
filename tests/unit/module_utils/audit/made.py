# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Layers and images made by code."""

from __future__ import annotations

import io
import tarfile
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.audit.base_rules import BASE_NAME
from ansible_collections.longshore.delivery.plugins.module_utils.audit.finding import Finding
from ansible_collections.longshore.delivery.plugins.module_utils.audit.layer import FileScan, LayerContents, read_layer
from ansible_collections.longshore.delivery.plugins.module_utils.audit.report import Audited
from ansible_collections.longshore.delivery.plugins.module_utils.audit.secret_scan import Sighting
from ansible_collections.longshore.delivery.plugins.module_utils.audit.wasted import WORTH_SAYING
from ansible_collections.longshore.delivery.plugins.module_utils.image.contents import ImageContents
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference

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


BROKEN_TOKEN = "ghp" + "_" + "qZ7mK2xW9bT4vR8nY3cL6pF1hJ5sD0gXaEuI"  # in two parts, so that nobody takes it for one


def broken() -> tuple[dict[str, t.Any], dict[str, Content], dict[str, Content]]:
    """Configuration and two layers of an image that breaks every rule, once it is named latest and its platform is not wanted."""
    base: dict[str, Content] = {
        "app/.git/HEAD": b"x",
        "app/.env": b"x",
        "root/.netrc": b"x",
        "key": ("-----BEGIN %s-----\n%s" % ("PRIVATE" + " KEY", "QZ7mK2" * 20)).encode(),
        "lib.so": ("\x7fELF\0-----BEGIN %s-----\n%s" % ("PRIVATE" + " KEY", "QZ7mK2" * 20)).encode(),
        "token": BROKEN_TOKEN.encode(),
        "big": bytes(WORTH_SAYING),
        "bin/su": with_mode(0o4755),
        "root/.cache/pip/x": b"x",
    }
    document = config(
        [("COPY . . # buildkit", True), ("RUN /bin/sh -c npm ci # buildkit", True)],
        Env=["DB_PASSWORD=hunter22"],
        Labels={BASE_NAME: "debian"},
        Cmd=["/bin/sh", "-c", "app"],
    )
    return document, base, {".wh.big": b""}


def audited(document: dict[str, t.Any], layers: tuple[LayerContents, ...], *references: str) -> Audited:
    """An image that was read, by its configuration, its layers and its names."""
    image = ImageContents("an image", tuple(Reference.parse(name) for name in references), config=document)
    return Audited(image, layers)


def rules(findings: t.Iterable[Finding]) -> list[str]:
    return [found.rule for found in findings]
