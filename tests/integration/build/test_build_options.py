# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a build may use, and what it leaves in the image: on real engines."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import socket
import subprocess
import tarfile
import typing as t
import uuid
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile import words
from tests.integration.asking import eventually, on_node
from tests.lab.nodes import NODES

from .engine import Engine

pytestmark = [pytest.mark.lab, pytest.mark.wide]


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


def test_a_dockerfile_in_the_options_is_built_by_and_kept_nowhere(engine: Engine, source: Path, shell: str) -> None:
    (source / "Dockerfile").unlink()
    (source / ".dockerignore").unlink()
    options: dict[str, t.Any] = {"tags": ["1"], "dockerfile_inline": "FROM scratch\nCOPY . /all/\n"}
    assert engine.build("inline", source, **options)["built"]
    assert list(engine.files_below("inline:1", "all")) == os.listdir(source) == ["app"]
    assert not engine.build("inline", source, **options)["changed"]
    options["dockerfile_inline"] += "LABEL a=b\n"
    assert engine.build("inline", source, **options)["why"] == ["the Dockerfile changed"]
    options["dockerfile_inline"] = f"FROM {shell}\nRUN exit 3\n"
    with pytest.raises(DeliveryError, match=r"failed at dockerfile_inline, line 2, RUN exit 3: it ended with exit"):
        engine.build("inline", source, **options, network="none")


def test_named_contexts_are_read_and_are_inputs(engine: Engine, source: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / "deep").mkdir(parents=True)
    (other / "deep" / "file").write_text("one\n")
    (other / "deep" / "left.log").touch()
    (other / ".dockerignore").write_text("**/*.log\n")
    engine.build("base", source, tags=["1"])
    (source / "Dockerfile").write_text("FROM first\nCOPY --from=second . /other/\n")
    contexts = {"first": f"docker-image://{engine.prefix}/base:1", "second": str(other)}
    options: dict[str, t.Any] = {"tags": ["1"], "contexts": contexts}
    if engine.client.version()["Version"].startswith("20."):
        for check in (True, False):
            with pytest.raises(
                DeliveryError, match=r"'contexts' needs Docker 23 or newer, and the engine at .* is 20\."
            ):
                engine.build("contexts", source, check=check, **options)
        return
    engine.build("contexts", source, **options)
    assert {"dir/app", "other/deep/file", "other/.dockerignore"} <= set(engine.files("contexts:1"))
    assert "other/deep/left.log" not in engine.files("contexts:1")
    assert not engine.build("contexts", source, **options)["changed"]
    (other / "deep" / "left.log").write_text("x")
    assert not engine.build("contexts", source, **options)["changed"]
    (other / "deep" / "file").write_text("two\n")
    assert engine.build("contexts", source, **options)["why"] == [
        "the named contexts changed: second/deep/file changed"
    ]
    status = os.stat(other / "deep" / "file")
    (other / "deep" / "file").write_text("six\n")
    os.utime(other / "deep" / "file", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert engine.build("contexts", source, **options)["built"]
    expected = "file 0644 " + hashlib.sha256(b"six\n").hexdigest()
    assert engine.files("contexts:1")["other/deep/file"] == expected
    engine.build("base", source, tags=["1"], labels={"a": "b"}, dockerfile_inline="FROM scratch\nCOPY app /\n")
    why = engine.build("contexts", source, **options)["why"]
    assert why == [f"the base images changed: {engine.prefix}/base:1 changed"]


def test_a_commit_is_in_the_image_and_builds_none(engine: Engine, source: Path) -> None:
    def git(*arguments: str) -> str:
        who = ("-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *who, *arguments], cwd=source.parent, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def labelled() -> str | None:
        labels: dict[str, str] = engine.client.images.get(f"{engine.prefix}/revision:1").labels
        return labels.get("org.opencontainers.image.revision")

    git("init", "--quiet")
    git("add", "source")
    git("commit", "--quiet", "--message", "one")
    options: dict[str, t.Any] = {"tags": ["1"], "source_revision": True}
    planned = engine.build("revision", source, check=True, **options)
    first = engine.build("revision", source, **options)
    one = git("rev-parse", "HEAD")
    assert planned["revision"] == first["revision"] == labelled() == one
    git("commit", "--quiet", "--allow-empty", "--message", "two")
    again = engine.build("revision", source, **options)
    assert (again["changed"], labelled()) == (False, one)
    assert "revision" not in again
    (source / "app").write_text("two\n")
    engine.build("revision", source, **options)
    assert labelled() == git("rev-parse", "HEAD") + "-dirty"


def test_podman_is_known_before_a_build(own_home: None, source: Path) -> None:
    (source / "Dockerfile").write_text("FROM scratch\nRUN --mount=type=ssh x\n")
    address, port = NODES["dock"].address, 20000 + uuid.uuid4().int % 10000
    # it ends by itself when nobody has spoken to it for so many seconds
    on_node("dock", "sh", "-c", f"podman system service --time=5 tcp:{address}:{port} > /dev/null 2>&1 &")

    def answers() -> bool:
        with contextlib.suppress(OSError), socket.create_connection((address, port), 1):
            return True
        return False

    eventually(answers)
    engine = Engine(f"tcp://{address}:{port}", None)
    for check in (True, False):
        with pytest.raises(
            DeliveryError,
            match=r"is Podman 4\..*, which has no BuildKit\..*Dockerfile needs BuildKit: line 2, RUN with",
        ):
            engine.build("podman", source, check=check, tags=["1"])
    engine.clean()


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
    again = build(rebuild="always", cache_to={"type": "inline"})
    assert (again[copy], importing in again, keeps_cache()) == (True, False, True)
    assert importing in build(rebuild="always", cache_from=[{"reference": name}])
    assert build(rebuild="always", no_cache=True)[copy] is False
    assert not engine.build("cached", source, tags=["1"], no_cache=True)["built"]


def test_variables_are_what_the_engine_makes_of_them(engine: Engine, source: Path) -> None:
    """In a FROM, in the scope before the first of them, and in any other word, which labels show."""
    texts = [
        *("$A", "${A}", "${A:-x}", "${A-x}", "${A:+x}", "${A+x}", "${E:-x}", "${E-x}", "${E:+x}", "${E+x}", "${N:-x}"),
        *(
            "${N-x}",
            "${N:+x}",
            "${N+x}",
            "${N:-${A}y}",
            "'$A'",
            '"$A"',
            "\\$A",
            '"\\$A"',
            "a${A}b$E$N.c",
            "${A:-}",
            "${N:-'q r'}",
        ),
    ]
    if engine.client.version()["Version"].startswith("20."):
        texts = [text for text in texts if not re.search(r"\{\w[-+]", text)]  # its BuildKit has none without the colon
    given = {"A": "1", "E": "", "B": "from the options"}
    lines = ["ARG BASE=${TARGETOS:-none}", "ARG B=unused", "FROM ${N:-scratch} AS one"]
    lines += ["ARG A=2", "ARG E=default", "ARG B"]
    lines += [f"LABEL of{number}={text}" for number, text in enumerate([*texts, "$B", "$BASE"])]
    (source / "Dockerfile").write_text("\n".join([*lines, "FROM ${BASE:+one}", "COPY app /"]))
    engine.build("variables", source, tags=["1"], args=given)
    labels = engine.client.images.get(f"{engine.prefix}/variables:1").labels
    expected = [words.expand(text, {"A": "1", "E": ""}) for text in texts]
    # an argument from before the first FROM is known in a stage that declares it
    assert [labels[f"of{number}"] for number in range(len(texts) + 2)] == [*expected, "from the options", ""]
