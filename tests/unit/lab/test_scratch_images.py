# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Archives of images around one program: whole, and the same bytes for the same program."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import typing as t

from tests.lab.scratch_images import ScratchImage, archive

if t.TYPE_CHECKING:
    from pathlib import Path


def test_an_archive_is_an_image_and_reproducible(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF")
    image = ScratchImage("lab.test/tool:1", "tool", ("bin/alias",), user="1:1")
    archive(image, program, tmp_path / "a.tar")
    archive(image, program, tmp_path / "b.tar")
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()
    with tarfile.open(tmp_path / "a.tar") as tar:
        files = {member.name: t.cast(t.IO[bytes], tar.extractfile(member)).read() for member in tar.getmembers()}
    (manifest,) = json.loads(files["manifest.json"])
    assert manifest["RepoTags"] == ["lab.test/tool:1"]
    config = json.loads(files[manifest["Config"]])
    assert manifest["Config"] == hashlib.sha256(files[manifest["Config"]]).hexdigest() + ".json"
    assert config["config"]["Entrypoint"] == ["/tool"]
    assert config["config"]["User"] == "1:1"
    (layer,) = manifest["Layers"]
    assert config["rootfs"]["diff_ids"] == ["sha256:" + hashlib.sha256(files[layer]).hexdigest()]
    with tarfile.open(fileobj=io.BytesIO(files[layer])) as tar:
        assert tar.getmember("tool").mode == 0o755
        assert tar.getmember("bin/alias").linkname == "/tool"
        assert tar.getmember("tmp").mode == 0o1777
