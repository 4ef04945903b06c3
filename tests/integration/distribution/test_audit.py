# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""An image that breaks every rule, made by code: of every engine and of the registry image_audit says the same."""

from __future__ import annotations

import json
import typing as t
import uuid
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.audit.finding import RULES
from ansible_collections.longshore.delivery.plugins.module_utils.audit.image_audit import CAPABILITY, AuditFailed
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.running import run_command
from tests import returned
from tests.unit.module_utils.audit.made import BROKEN_TOKEN, broken, layer_bytes

from .context import silent
from .holders import Holder, Saved
from .lab import BUILDS, ENDPOINT, PREFIX, Builder

pytestmark = [pytest.mark.lab, pytest.mark.wide]

NODES_RUN = "linux/s390x"  # as no node of a lab does


def saved(*names: str) -> tuple[bytes, str]:
    """The image as docker save writes it, and its ID."""
    document, *files = broken()
    images = Saved()
    image_id = images.add(document, [layer_bytes(each) for each in files], *names)
    return images.archive(), image_id


def audit(told: list[str] | None = None, /, **options: t.Any) -> dict[str, t.Any]:
    """What image_audit returns on the controller.

    :param told: gets what is shown meanwhile.
    """
    defaults = {name: option.get("default") for name, option in CAPABILITY.argument_spec.items()}
    asked = {**defaults, "platforms": [NODES_RUN], "fail_on": "never", **options}
    context = silent() if told is None else Context(False, False, pytest.fail, told.append, run_command)
    result = returned.run("image_audit", asked, context)
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


def test_an_image_of_every_engine(holder: Holder, tmp_path: Path) -> None:
    repository = f"registry.example/{PREFIX}/{uuid.uuid4().hex[:12]}"
    names = [f"{repository}:1", f"{repository}:latest"]
    archive, image_id = saved(*names)
    (tmp_path / "image.tar").write_bytes(archive)
    expected = alike(audit(store="archive", archive=str(tmp_path / "image.tar")))
    assert (expected["references"], expected["config"]) == (names, image_id)
    assert {found["rule"] for found in expected["findings"]} == set(RULES)
    assert [layer["instruction"] for layer in expected["layers"]] == ["COPY . .", "RUN npm ci"]
    [wasted] = (found for found in expected["findings"] if found["rule"] == "wasted_bytes")
    assert (wasted["layer"], wasted["path"], wasted["bytes"]) == (0, "big", expected["wasted_bytes"])
    holder.load(archive)
    held = holder.names()[names[1]]
    try:
        by_name = audit(references=[names[1]], **holder.options)
        assert (by_name["images"][0]["id"], alike(by_name)) == (held, expected)
        assert by_name["engine"] == holder.options.get("engine", "docker")
    finally:
        holder.remove(held)


def test_a_layer_of_several_images_of_an_engine_is_read_once(holder: Holder) -> None:
    document, *files = broken()
    layers = [*map(layer_bytes, files), layer_bytes({"app/more": b"1"})]
    names = [f"registry.example/{PREFIX}/{uuid.uuid4().hex[:12]}:1" for _number in range(2)]
    images = Saved()
    # the uppermost layer of one is within the other
    images.add(document, layers[:2], names[0])
    longer = {**document, "history": [*document["history"], {"created_by": "COPY more /app # buildkit"}]}
    images.add(longer, layers, names[1])
    holder.load(images.archive())
    held = holder.names()
    try:
        told: list[str] = []
        together = audit(told, references=names, **holder.options)["images"]
        assert len([line for line in told if line.startswith("read ")]) == len(layers)
        alone = [audit(references=[name], **holder.options)["images"][0] for name in names]
        by_name = {each["references"][0]: each for each in together}
        assert [by_name[name] for name in names] == alone
        assert [len(each["layers"]) for each in alone] == [2, 3]
        by_id = audit(references=[held[name] for name in names], **holder.options)["images"]
        assert {each["references"][0]: each for each in by_id} == by_name
    finally:
        for name in names:
            holder.remove(held[name])


def test_what_was_pushed_is_the_same_in_the_registry(builder: Builder) -> None:
    names = [f"{ENDPOINT}/{builder.repository}:{tag}" for tag in ("1", "latest")]
    archive, image_id = saved(*names)
    builder.engine.images.load(archive)
    in_engine = audit(references=[image_id[:19]], **BUILDS)
    pushed = builder.push(tags=["1", "latest"])
    in_registry = audit(store="registry", registry=builder.registry, references=names)
    assert in_registry["images"][0]["digests"] == {"config": image_id, "manifest": pushed["digest"], "index": None}
    assert alike(in_registry) == alike(in_engine)


def test_what_fails_says_where_and_what(builder: Builder) -> None:
    name = f"{ENDPOINT}/{builder.repository}:1"
    builder.engine.images.load(saved(name)[0])
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
