# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a build may use, and what it leaves in the image: on real engines."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import typing as t
from pathlib import Path

import pytest

from .engine import Engine

pytestmark = pytest.mark.lab


def test_secrets_reach_the_build_and_nothing_else(engine: Engine, source: Path, shell: str, tmp_path: Path) -> None:
    (tmp_path / "secret,file").write_text("from a file")
    read = " && ".join(f"read -r {name} < /run/secrets/{name}; echo ${{#{name}}}" for name in "abc")
    mounts = " ".join(f"--mount=type=secret,id={name}" for name in "abc")
    (source / "Dockerfile").write_text(f"FROM {shell}\nRUN {mounts} : {engine.prefix}; {read}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SECRET_FOR_TEST", "from the environment")
        secrets = [
            {"id": "a", "file": str(tmp_path / "secret,file")},
            {"id": "b", "env": "SECRET_FOR_TEST"},
            {"id": "c", "value": "from the options"},
        ]
        result = engine.build("secrets", source, tags=["1"], secrets=secrets, network="none")
    assert result["log"] == ["11", "20", "16"]
    assert "from the options" not in str(engine.commands) + str(engine.progress) + str(result)
    image = engine.client.images.get(f"{engine.prefix}/secrets:1")
    assert "from" not in str(image.history()).lower().replace(shell, "")
    held = str(engine.files("secrets:1"))
    for secret in (b"from a file", b"from the environment", b"from the options"):
        assert hashlib.sha256(secret).hexdigest() not in held


def test_a_command_finds_its_hosts_and_its_agent(engine: Engine, source: Path, shell: str, agent: str) -> None:
    read = '[ -S "$SSH_AUTH_SOCK" ] && while read -r line; do echo "$line"; done < /etc/hosts'
    (source / "Dockerfile").write_text(f"FROM {shell}\nRUN --mount=type=ssh,id=git : {engine.prefix}; {read}\n")
    result = engine.build(
        "hosts",
        source,
        tags=["1"],
        network="none",
        ssh=[{"id": "git", "path": agent}],
        extra_hosts={"four.example": "192.0.2.1", "six.example": "2001:db8::1"},
    )
    found = {name: address for address, name, *_more in map(str.split, result["log"]) if name.endswith(".example")}
    assert found == {"four.example": "192.0.2.1", "six.example": "2001:db8::1"}


def test_a_build_takes_its_steps_from_an_image_and_from_nowhere(engine: Engine, source: Path) -> None:
    name = f"{engine.prefix}/cached:1"
    (source / "app").write_text(engine.prefix)

    def build(**options: t.Any) -> dict[str, bool]:
        steps = engine.build("cached", source, tags=["1"], **options)["steps"]
        return {step["step"]: step["cached"] for step in steps}

    def keeps_cache() -> bool:
        with tarfile.open(fileobj=io.BytesIO(b"".join(engine.client.images.get(name).save()))) as archive:
            manifest = json.load(t.cast("t.IO[bytes]", archive.extractfile("manifest.json")))
            config = json.load(t.cast("t.IO[bytes]", archive.extractfile(manifest[0]["Config"])))
        return "moby.buildkit.cache.v0" in config

    copy, importing = "[1/1] COPY app /dir/app", f"importing cache manifest from {name}"
    assert build()[copy] is False
    assert not keeps_cache()
    again = build(rebuild="always", cache_to="inline")
    assert (again[copy], importing in again, keeps_cache()) == (True, False, True)
    assert importing in build(rebuild="always", cache_from=[name])
    assert build(rebuild="always", no_cache=True)[copy] is False
    assert not engine.build("cached", source, tags=["1"], no_cache=True)["built"]
