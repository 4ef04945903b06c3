# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What clients push to a restored storage that was not proved: it is acknowledged, and nothing may lose it."""

from __future__ import annotations

import shutil
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry import restored_storage
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_proof import Proof

from .kept_place import Kept
from .test_registry_restore import cut_off, kept, replace_images

__all__ = ["kept"]  # the fixture


def push(kept: Kept) -> None:
    kept.written.tag("shop/web", "pushed", kept.written.image("shop/web", b"pushed"))


@pytest.mark.parametrize("discard", [True, False])
def test_a_push_after_a_restore_that_was_killed_is_not_lost_by_the_next(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, discard: bool
) -> None:
    replace_images(kept)
    cut_off(kept, monkeypatch, discard=True)
    push(kept)
    served = kept.written.contents()
    with pytest.raises(
        DeliveryError, match=r"Nothing was restored: .* shop/web:pushed came to it from clients"
    ) as caught:
        kept.restore(discard=discard)
    assert kept.written.contents() == served
    # the way out, as it is told
    mark = kept.written.root / "docker" / restored_storage.MARK
    assert f"remove {mark} and then {kept.beside()}" in str(caught.value)
    mark.unlink()
    shutil.rmtree(kept.beside())
    with pytest.raises(DeliveryError, match="would lose it: shop/web:pushed"):
        kept.restore()
    assert kept.restore(discard=True)["lost"] == ["shop/web:pushed"]


def test_without_a_push_the_next_restore_completes_it(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = kept.written.blobs()
    replace_images(kept)
    cut_off(kept, monkeypatch, discard=True)
    kept.restore(discard=True)
    assert kept.written.blobs() == wanted
    assert not kept.beside().exists()


def test_a_push_to_what_is_not_proved_in_the_end_is_kept_and_named(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_images(kept)
    before = kept.written.tagged()
    pushes = iter([True])

    def not_served(_self: object, _promise: object) -> t.Optional[str]:
        if next(pushes, False):
            push(kept)
        return "a blob is not served"

    with monkeypatch.context() as patched:
        patched.setattr(Proof, "fault_of", not_served)
        with pytest.raises(DeliveryError, match="Meanwhile shop/web:pushed came to what was restored") as caught:
            kept.restore(discard=True)
    place = kept.beside() / "docker"
    assert f"kept as {place}" in str(caught.value)
    assert kept.written.tagged() == before
    assert (place / "registry/v2/repositories/shop/web/_manifests/tags/pushed/current/link").exists()
    with pytest.raises(DeliveryError, match="shop/web:pushed came to it from clients") as again:
        kept.restore(discard=True)
    assert f"kept as {place} and not served" in str(again.value)
    shutil.rmtree(kept.beside())
    assert kept.restore(discard=True)["changed"]
