# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""An image that breaks every rule, made by code: of dock's engines and of the registry image_audit says the same."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import stat
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.audit.finding import RULES
from ansible_collections.longshore.delivery.plugins.module_utils.audit.image_audit import CAPABILITY, AuditFailed
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from tests import returned
from tests.integration.asking import on_node
from tests.lab.nodes import NODES
from tests.unit.module_utils.audit.made import BROKEN_TOKEN, broken, layer_bytes

from .context import silent
from .lab import BUILDS, ENDPOINT, Builder

pytestmark = pytest.mark.lab

NODES_RUN = "linux/s390x"  # as no node of a lab does


def saved(salt: str, *names: str) -> tuple[bytes, str]:
    """The image as docker save writes it, like no other by its label, and its ID."""
    document, *files = copy.deepcopy(broken())
    layers = [layer_bytes(each) for each in files]
    document["config"]["Labels"]["longshore.test"] = salt
    document["rootfs"] = {
        "type": "layers",
        "diff_ids": ["sha256:" + hashlib.sha256(each).hexdigest() for each in layers],
    }
    config = json.dumps(document).encode()
    entry = {"Config": "config.json", "RepoTags": list(names), "Layers": ["0/layer.tar", "1/layer.tar"]}
    parts = {"config.json": config, "manifest.json": json.dumps([entry]).encode()}
    parts.update({f"{number}/layer.tar": each for number, each in enumerate(layers)})
    return layer_bytes({**parts}), "sha256:" + hashlib.sha256(config).hexdigest()


def audit(**options: t.Any) -> dict[str, t.Any]:
    """What image_audit returns on the controller."""
    defaults = {name: option.get("default") for name, option in CAPABILITY.argument_spec.items()}
    asked = {**defaults, "platforms": [NODES_RUN], "fail_on": "never", **options}
    result = returned.run("image_audit", asked, silent())
    assert BROKEN_TOKEN not in json.dumps(result)
    assert "hunter22" not in json.dumps(result)
    return result


def alike(result: dict[str, t.Any]) -> dict[str, t.Any]:
    """What is said of the image wherever it is."""
    (found,) = result["images"]
    same = {
        key: found[key] for key in ("references", "platform", "size", "wasted_bytes", "layers", "findings", "table")
    }
    return {**same, "references": sorted(found["references"]), "config": found["digests"]["config"]}


@pytest.fixture
def docks_podman(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[t.Callable[[bytes, str], None]]:
    """The program podman on this machine is dock's; loads an image there that is removed afterwards."""
    loaded: list[str] = []
    place = f"/var/tmp/longshore-test-audit-{os.getpid()}.tar"  # not in memory, where docker cp does not look
    node = NODES["dock"].container
    program = tmp_path / "bin" / "podman"
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable}\n"
        "import subprocess, sys\n"
        "words = sys.argv[1:]\n"
        "kept = words.index('--output') + 1 if '--output' in words else 0\n"
        f"asked = [*words[:kept], {place!r}, *words[kept + 1:]] if kept else words\n"
        f"done = subprocess.run(['docker', 'exec', {node!r}, 'podman', *asked])\n"
        "if kept and not done.returncode:\n"
        f"    subprocess.run(['docker', 'cp', {f'{node}:{place}'!r}, words[kept]], check=True, capture_output=True)\n"
        "sys.exit(done.returncode)\n"
    )
    program.chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")

    def load(archive: bytes, name: str) -> None:
        argv = ["docker", "exec", "-i", node, "podman", "load", "--quiet"]
        subprocess.run(argv, input=archive, check=True, capture_output=True)
        loaded.append(name)

    yield load
    for name in loaded:
        on_node("dock", "podman", "rmi", "--force", name)
    on_node("dock", "rm", "-f", place)


def test_one_image_everywhere(builder: Builder, docks_podman: t.Callable[[bytes, str], None], tmp_path: Path) -> None:
    names = [f"{ENDPOINT}/{builder.repository}:{tag}" for tag in ("1", "latest")]
    archive, image_id = saved(builder.repository, *names)
    builder.engine.images.load(archive)
    in_engine = audit(references=[names[0]], **BUILDS)
    assert (in_engine["engine"], in_engine["images"][0]["id"]) == ("docker", image_id)
    expected = alike(in_engine)
    assert expected["references"] == names
    assert {found["rule"] for found in expected["findings"]} == set(RULES)
    assert [layer["instruction"] for layer in expected["layers"]] == ["COPY . .", "RUN npm ci"]
    [wasted] = (found for found in expected["findings"] if found["rule"] == "wasted_bytes")
    assert (wasted["layer"], wasted["path"], wasted["bytes"]) == (0, "big", expected["wasted_bytes"])

    pushed = builder.push(tags=["1", "latest"])
    in_registry = audit(store="registry", registry=builder.registry, references=names)
    assert in_registry["images"][0]["digests"] == {"config": image_id, "manifest": pushed["digest"], "index": None}
    assert alike(in_registry) == expected

    (tmp_path / "image.tar").write_bytes(archive)
    in_archive = audit(store="archive", archive=str(tmp_path / "image.tar"))
    assert alike(in_archive) == expected

    docks_podman(archive, image_id.partition(":")[2])
    in_podman = audit(engine="podman", references=[names[1]])
    assert in_podman["engine"] == "podman"
    assert alike(in_podman) == expected


def test_what_fails_says_where_and_what(builder: Builder) -> None:
    name = f"{ENDPOINT}/{builder.repository}:1"
    builder.engine.images.load(saved(builder.repository, name)[0])
    with pytest.raises(AuditFailed, match=r"docker at tcp://.* critical or worse: .*private_key in key") as failed:
        audit(references=[name], fail_on="critical", **BUILDS)
    assert [image["references"] for image in failed.value.facts["images"]] == [[name]]
    known = [{"rule": rule, "reason": "known"} for rule, each in RULES.items() if each.severity == "critical"]
    [image] = audit(references=[name], fail_on="critical", exceptions=known, **BUILDS)["images"]
    assert {found["rule"] for found in image["excepted"]} == {exception["rule"] for exception in known}
    with pytest.raises(DeliveryError, match=f"docker at tcp://.* has no image {name}-none. Build"):
        audit(references=[f"{name}-none"], **BUILDS)
    with pytest.raises(DeliveryError, match=f"{ENDPOINT} has no image {name}. Build"):
        audit(store="registry", registry=builder.registry, references=[name])
