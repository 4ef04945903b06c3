# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a collection of garbage takes from a registry's storage, and what it leaves: on real files, drawn at random."""

from __future__ import annotations

import contextlib
import tempfile
import time
import typing as t
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_plan import Garbage, Rules, plan
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_storage import (
    ASIDE,
    Storage,
    StrangeStorage,
    bring_back,
    delete,
    put_aside,
)

from .storages import OLD, Written

NAMES = ("shop", "shop/web", "base/debian")
HOUR = 3600.0
ALL = Rules(recent=HOUR, untagged=0)
ONLY_DELETED = Rules(recent=HOUR)


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return Written(tmp_path)


@contextlib.contextmanager
def drawn(data: st.DataObject) -> t.Iterator[Written]:
    """A storage with images that share layers, indexes of them and of each other, some with tags, and blobs left over."""
    with tempfile.TemporaryDirectory() as directory:
        written = Written(Path(directory))
        layers = st.lists(st.integers(0, 9), min_size=1, max_size=3, unique=True)
        for name in data.draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True), "repositories"):
            written.repository(name).joinpath("_layers").mkdir(parents=True)
            there: list[str] = []
            for chosen in data.draw(st.lists(layers, max_size=5), "images"):
                there.append(written.image(name, *(b"layer %d" % number for number in chosen)))
            for _turn in range(data.draw(st.integers(0, 2), "indexes") if there else 0):
                children = data.draw(st.lists(st.sampled_from(there), min_size=1, max_size=3, unique=True), "children")
                there.append(written.index(name, *children))
            tags = data.draw(st.lists(st.sampled_from(there), max_size=3), "tagged") if there else []
            for number, digest in enumerate(tags):
                written.tag(name, "t%d" % (number % 2), digest)
            for number in data.draw(st.lists(st.integers(0, 20), max_size=2), "left"):
                written.layer(name, b"layer %d" % number)
            for digest in data.draw(st.lists(st.sampled_from(there), max_size=1), "deleted") if there else []:
                if digest not in {found for needed in written.tagged().values() for found in needed}:
                    written.link_file(name, "_manifests/revisions", digest).unlink(missing_ok=True)
        yield written


def found(written: Written, rules: Rules = ALL, since: t.Mapping[tuple[str, str], float] | None = None) -> Garbage:
    return plan(Storage(str(written.root)).read(), rules, since or {}, time.time())


def collect(written: Written, rules: Rules = ALL) -> Garbage:
    storage = Storage(str(written.root))
    garbage = plan(storage.read(), rules, {}, time.time())
    for place in storage.places(garbage):
        delete(put_aside(place))
    return garbage


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_after_a_collection_every_tag_is_whole_and_nothing_else_is_left(data: st.DataObject) -> None:
    with drawn(data) as written:
        needed = written.tagged()
        garbage = collect(written)
        assert written.tagged() == needed
        assert written.blobs() == {digest for digests in needed.values() for digest in digests}
        for name in NAMES:
            assert written.links(name) == needed.get(name, set())
        assert found(written).is_empty
        promised = {(promise.repository, promise.digest) for promise in garbage.promises}
        assert promised == {(name, digest) for name, digests in needed.items() for digest in digests}


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_manifests_without_a_tag_stay_whole_unless_they_are_asked_for(data: st.DataObject) -> None:
    with drawn(data) as written:
        before = {
            (name, digest): written.pulled(name, digest)
            for name in NAMES
            for digest in written.links(name)
            if written.link_file(name, "_manifests/revisions", digest).exists()
            and not any(
                not written.link_file(name, "_manifests/revisions", child["digest"]).exists()
                for child in written.document(digest).get("manifests", ())
            )
        }
        collect(written, ONLY_DELETED)
        assert {place: written.pulled(*place) for place in before} == before
        assert found(written, ONLY_DELETED).is_empty


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_what_was_put_aside_comes_back_as_it_was(data: st.DataObject) -> None:
    """At whatever moment it was interrupted, and with nothing noted anywhere."""
    with drawn(data) as written:
        before, needed = written.files(), written.tagged()
        storage = Storage(str(written.root))
        places = storage.places(plan(storage.read(), ALL, {}, time.time()))
        for place in places[: data.draw(st.integers(0, len(places)), "reached")]:
            put_aside(place)
            assert written.tagged() == needed
        again = Storage(str(written.root))
        again.read()
        for aside in again.aside:
            bring_back(aside)
        assert written.files() == before


def test_children_of_an_index_need_no_tag(written: Written) -> None:
    children = [written.image("shop", b"amd64"), written.image("shop", b"arm64")]
    inner = written.index("shop", *children)
    written.tag("shop", "1", written.index("shop", inner))
    assert found(written).is_empty


def test_what_a_tag_led_to_before_goes_with_its_history(written: Written) -> None:
    old, new = written.image("shop", b"old", b"base"), written.image("shop", b"new", b"base")
    written.tag("shop", "1", old)
    written.tag("shop", "1", new)
    garbage = collect(written)
    assert garbage.manifests == (("shop", old),)
    assert garbage.history == (("shop", "1", old),)
    assert garbage.size > len(b"old")
    assert written.links("shop") == written.pulled("shop", new)


def test_of_a_manifest_the_empty_directory_stays(written: Written) -> None:
    """As when the registry deletes it: by that a host of several knows that it had it, and does not copy it back."""
    digest = written.image("shop", b"gone")
    link = written.link_file("shop", "_manifests/revisions", digest)
    assert collect(written).manifests == (("shop", digest),)
    assert (link.parent.is_dir(), [*link.parent.parent.iterdir()]) == (True, [link.parent])
    assert not [*link.parent.iterdir()]
    assert found(written).is_empty
    assert written.image("shop", b"gone") == digest
    assert link.read_text() == digest
    assert collect(written).manifests == (("shop", digest),)


def test_a_layer_that_another_repository_has_stays_there(written: Written) -> None:
    written.tag("base/debian", "12", written.image("base/debian", b"shared"))
    layer = written.layer("shop", b"shared")
    garbage = collect(written)
    assert garbage.layers == (("shop", layer),)
    assert layer in written.blobs()


def test_a_manifest_that_was_pushed_as_a_blob_too_keeps_its_link(written: Written) -> None:
    """The registry goes on serving it as a blob, whether there is such a link or not."""
    image = written.image("shop", b"layer")
    written.tag("shop", "1", image)
    written.write(written.link_file("shop", "_layers", image), image.encode())
    assert found(written).is_empty


@pytest.mark.parametrize("rules", [ALL, ONLY_DELETED])
def test_what_was_pushed_recently_stays(written: Written, rules: Rules) -> None:
    """Its image, tag or index may be still on its way."""
    now = time.time()
    written.image("shop", b"recent", changed_at=now - HOUR / 2)
    written.layer("shop", b"layer", now - HOUR / 2)
    written.blob(b"no link yet", now - HOUR / 2)
    assert found(written, rules).is_empty


def test_a_link_that_was_written_again_keeps_an_old_layer(written: Written) -> None:
    """As when a client pushes another image of the same layer, which it need not send again."""
    layer = written.layer("shop", b"layer")
    written.write(written.link_file("shop", "_layers", layer), layer.encode(), time.time())
    assert found(written).is_empty


def test_a_manifest_goes_when_it_was_seen_without_a_tag_for_long_enough(written: Written) -> None:
    digest = written.image("shop", b"layer")
    rules = Rules(recent=0, untagged=10 * HOUR)
    first = found(written, rules)
    assert not first.manifests
    assert first.untagged[("shop", digest)] == pytest.approx(time.time(), abs=60)
    assert not found(written, rules, {("shop", digest): time.time() - 9 * HOUR}).manifests
    assert found(written, rules, {("shop", digest): time.time() - 11 * HOUR}).manifests == (("shop", digest),)
    ahead = found(written, rules, {("shop", digest): time.time() + 1000 * HOUR})
    assert ahead.untagged[("shop", digest)] <= time.time(), "of a clock that was wrong"
    written.tag("shop", "1", digest)
    assert found(written, rules, first.untagged).untagged == {}


def damage(written: Written, digest: str, body: bytes) -> None:
    written.write(written.blob_file(digest), body)


@pytest.mark.parametrize(
    ("body", "word"),
    [(b"", "another digest"), (b"{}", "another digest"), (b"x" * 5_000_000, "more than 4194304 bytes")],
)
def test_a_manifest_that_cannot_be_read_is_a_fault(written: Written, body: bytes, word: str) -> None:
    image = written.image("shop", b"layer")
    written.tag("shop", "1", image)
    damage(written, image, body)
    (fault,) = found(written).faults
    assert fault.startswith(f"shop@{image}: ")
    assert word in fault


@pytest.mark.parametrize("document", [{}, {"layers": [{"size": 1}]}, {"config": 7}, {"manifests": [{"digest": "x"}]}])
def test_a_manifest_of_an_unknown_kind_is_a_fault(written: Written, document: dict[str, t.Any]) -> None:
    written.tag("shop", "1", written.manifest("shop", document))
    assert len(found(written).faults) == 1


def test_a_manifest_that_cannot_be_read_and_goes_is_none(written: Written) -> None:
    written.manifest("shop", {})
    assert found(written).faults == ()
    assert len(found(written).manifests) == 1


def test_what_is_missing_before_is_named_and_not_promised(written: Written) -> None:
    image, gone = written.image("shop", b"layer", b"gone"), written.layer("shop", b"gone")
    other = written.image("shop", b"other")
    written.tag("shop", "1", written.index("shop", image, other))
    written.blob_file(gone).unlink()
    written.write(written.link_file("shop", "_manifests/revisions", other), b"")
    garbage = found(written)
    assert set(garbage.missing) == {f"shop@{image}: blob {gone}", f"shop@{other}: the manifest"}
    assert garbage.is_empty
    assert not {gone, other} & {promise.digest for promise in garbage.promises}


def test_a_blob_of_another_size_than_its_manifest_says_is_missing(written: Written) -> None:
    image, layer = written.image("shop", b"layer"), written.layer("shop", b"layer")
    written.tag("shop", "1", image)
    damage(written, layer, b"cut")
    assert found(written).missing == (f"shop@{image}: blob {layer}",)


def test_a_layer_that_comes_from_elsewhere_is_not_missing(written: Written) -> None:
    layer = {"digest": "sha256:" + 64 * "0", "size": 1, "urls": ["https://elsewhere.example"]}
    written.tag("shop", "1", written.manifest("shop", {"layers": [layer]}))
    assert found(written).missing == ()


def test_the_first_schema_and_its_signatures_are_kept(written: Written) -> None:
    layer, signature = written.layer("shop", b"layer"), written.blob(b"signature")
    digest = written.manifest("shop", {"schemaVersion": 1, "fsLayers": [{"blobSum": layer}]})
    place = written.link_file("shop", "_manifests/revisions", digest).parent
    written.write(place / "signatures" / signature.replace(":", "/") / "link", signature.encode())
    written.tag("shop", "1", digest)
    assert found(written).is_empty


@pytest.mark.parametrize("place", ["blobs/sha256/ab", "repositories/other", "repositories/shop/_layers/sha256/ab"])
def test_a_symbolic_link_is_refused(written: Written, place: str) -> None:
    written.image("shop", b"layer")
    link = written.base / place
    link.symlink_to("/")
    with pytest.raises(StrangeStorage, match=str(link)):
        found(written)


def test_a_tag_that_names_no_digest_is_refused(written: Written) -> None:
    written.tag("shop", "1", written.image("shop", b"layer"))
    written.write(written.repository("shop") / "_manifests/tags/1/current/link", b"")
    with pytest.raises(StrangeStorage, match="not known what tag 1 needs"):
        found(written)


def test_blobs_without_any_repository_are_refused(written: Written) -> None:
    written.blob(b"layer")
    with pytest.raises(StrangeStorage, match="perhaps it is not mounted"):
        found(written)


def test_an_empty_storage_has_no_garbage(written: Written) -> None:
    assert found(written).is_empty


def test_what_was_pushed_again_meanwhile_stays(written: Written) -> None:
    digest = written.blob(b"layer")
    directory = written.blob_file(digest).parent
    aside = Path(put_aside(str(directory)))
    written.blob(b"layer", OLD + 1)
    bring_back(str(aside))
    assert written.blob_file(digest).stat().st_mtime == OLD + 1
    assert not aside.exists()


def test_a_push_that_was_cut_off_meanwhile_does_not_keep_it_away(written: Written) -> None:
    digest = written.blob(b"layer")
    directory = written.blob_file(digest).parent
    aside = put_aside(str(directory))
    written.write(directory / "other", b"")
    bring_back(aside)
    assert written.blob_file(digest).read_bytes() == b"layer"
    assert not Path(aside).exists()
    bring_back(str(directory) + ASIDE)  # a second time there is nothing to do
