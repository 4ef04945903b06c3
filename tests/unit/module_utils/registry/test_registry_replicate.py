# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real registries that catch up with one another: what is copied, which image of a tag counts, and what comes of faults."""

from __future__ import annotations

import contextlib
import threading
import time
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry import registry_replicate, replica_copy
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_plan import Rules, plan
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_storage import (
    Storage,
    delete,
    put_aside,
)
from tests.http_server import Reply, Request
from tests.unit.module_utils.image.making import Made, image, index

from .conftest import StartRegistry
from .pruning import about
from .replicas import Front, Replica, Result


@pytest.fixture
def group(start_registry: StartRegistry) -> t.Iterator[list[Replica]]:
    """Three registries, with nothing in them."""
    replicas = [Replica(Front(start_registry())) for _number in range(3)]
    for replica in replicas:
        replica.group = [one.endpoint for one in replicas]
    yield replicas
    for replica in replicas:
        replica.front.stop()


def all_catch_up(group: t.Sequence[Replica]) -> list[Result]:
    """At once, as hosts of a play do."""
    results: dict[int, Result] = {}

    def catch_up(number: int) -> None:
        results[number] = group[number].catch_up()

    threads = [threading.Thread(target=catch_up, args=(number,)) for number in range(len(group))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results[number] for number in range(len(group))]


def test_images_of_a_check_are_of_the_registry_that_is_checked(group: list[Replica]) -> None:
    first, second, _third = group
    first.push(image("canary"), "run-1", repository="longshore/canary")
    result = second.catch_up()
    assert (result["changed"], result["asked"]) == (False, [first.endpoint, group[2].endpoint])
    assert second.files() == {}


def bytes_of(*made: Made) -> int:
    parts: dict[str, int] = {}
    for one in made:
        parts[one.digest] = len(one.body)
        parts.update({digest: len(body) for digest, body in one.blobs.items()})
        parts.update({digest: len(body) for digest, (_type, body) in one.manifests.items()})
    return sum(parts.values())


def test_what_is_missing_comes_whole_and_once(group: list[Replica]) -> None:
    first, second, third = group
    children = {"linux/amd64": image("amd"), "linux/arm64": image("arm", architecture="arm64")}
    both, single = index(children), image("base", "single")
    signature = about(single)
    first.push(both, "1", "latest")
    first.push(single, "2")
    first.push(signature, single.digest.replace(":", "-") + ".sig")
    untagged = image("base", "nobody names it")
    first.push(untagged)
    second.push(image("tool"), "1", repository="shop/tools/tool")

    rehearsed = third.catch_up(check=True)
    assert third.files() == {}
    result = third.catch_up()
    assert result == rehearsed
    assert (result["changed"], result["tag_count"], result["away"]) == (True, 5, [])
    assert result["asked"] == [first.endpoint, second.endpoint]
    assert result["size"] == bytes_of(both, single, signature, untagged) + bytes_of(image("tool"))
    assert result["manifests"] == 7
    for tag, made in {"1": both, "latest": both, "2": single, untagged.digest: untagged}.items():
        assert third.digest(tag) == made.digest
    assert third.digest("1", "shop/tools/tool") == image("tool").digest
    assert {entry["by"] for entry in result["tags"]} == {"missing"}

    before = third.files()
    again = third.catch_up()
    assert (again["changed"], again["size"], again["tags"]) == (False, 0, [])
    assert third.files() == before


def test_an_image_without_a_tag_comes_only_from_a_registry_that_tells_of_it(group: list[Replica]) -> None:
    first, second, _third = group
    untagged, tagged = image("untagged"), image("tagged")
    first.push(untagged)
    first.push(tagged, "1")
    first.front.tells = second.front.tells = False
    assert second.catch_up()["manifests"] == 1
    assert second.digest(untagged.digest) is None
    first.front.tells = True
    assert second.catch_up()["manifests"] == 1
    assert second.digest(untagged.digest) == untagged.digest


def test_an_image_without_a_tag_that_was_collected_does_not_come_back(group: list[Replica]) -> None:
    first, second, _third = group
    untagged = image("untagged")
    first.push(untagged)
    assert second.catch_up()["manifests"] == 1
    storage = Storage(first.storage)
    for place in storage.places(plan(storage.read(), Rules(recent=0, untagged=0), {}, time.time() + 60)):
        delete(put_aside(place))
    assert first.digest(untagged.digest) is None
    assert first.catch_up()["changed"] is False
    assert first.digest(untagged.digest) is None
    assert second.digest(untagged.digest) == untagged.digest


def test_a_tag_that_moved_while_one_was_away_leads_to_the_newer_image_everywhere(group: list[Replica]) -> None:
    first, second, _third = group
    old, new = image("old"), image("new")
    second.push(old, "1")
    all_catch_up(group)
    second.push(new, "1")  # the first of the group has the older one, which was written there later
    second.set_age("1", 100)
    results = all_catch_up(group)
    assert [replica.digest("1") for replica in group] == [new.digest] * 3
    assert {entry["by"] for result in results for entry in result["tags"]} == {"history"}
    assert [result["conflicts"] for result in results] == [[], [], []]
    assert first.digest(old.digest) == old.digest, "what was pinned is still served"
    assert [result["changed"] for result in all_catch_up(group)] == [False] * 3


def test_a_tag_that_went_back_to_an_older_image_does_so_everywhere(group: list[Replica]) -> None:
    second = group[1]
    old, new = image("old"), image("new")
    for made in (old, new):
        second.push(made, "1")
        all_catch_up(group)
    for replica in group:
        replica.set_age("1", 1000)
    second.push(old, "1")
    results = all_catch_up(group)
    assert [replica.digest("1") for replica in group] == [old.digest] * 3
    assert {entry["by"] for result in results for entry in result["tags"]} == {"age"}
    assert [result["conflicts"] for result in results] == [[], [], []]


def test_a_tag_that_is_being_written_is_read_when_it_is(group: list[Replica]) -> None:
    made = image("new")
    group[1].push(made, "1")
    asked = []

    def half_written(request: Request) -> Reply | None:
        if request.path != "/v2/shop/web/manifests/1":
            return None
        asked.append(request.method)
        return (500, {}, b"") if len(asked) % 3 else None

    group[1].front.answers_first = half_written
    assert group[0].catch_up()["failed_images"] == []
    assert group[0].digest("1") == made.digest
    assert len(asked) >= 3


@pytest.mark.parametrize(("ages", "kept", "by"), [((50, 100), 0, "age"), ((100, 50), 1, "age"), ((50, 50), 0, "order")])
def test_of_two_images_of_which_neither_followed_the_other_one_counts_and_both_are_named(
    group: list[Replica], ages: tuple[int, int], kept: int, by: str
) -> None:
    made = [image("one"), image("other")]
    for replica, one, age in zip(group, made, ages):
        replica.push(one, "1")
        replica.set_age("1", age)
    results = [replica.catch_up(check=True) for replica in group[:2]]
    all_catch_up(group)
    assert [replica.digest("1") for replica in group] == [made[kept].digest] * 3
    for number, result in enumerate(results):
        (conflict,) = result["conflicts"]
        assert (conflict["tag"], conflict["by"]) == ("shop/web:1", by)
        assert (conflict["own"], conflict["peer"]) == (made[number].digest, made[1 - number].digest)
        assert conflict["kept"] == ("own" if number == kept else "peer")
    assert all(replica.digest(one.digest) for replica in group for one in made), "none is lost"


def test_a_copy_of_an_older_image_is_as_old_as_that(group: list[Replica]) -> None:
    """Else it would be the newest for the one that was away while it was made."""
    first, second, third = group
    older, newer = image("older"), image("newer")
    first.push(older, "1")
    first.set_age("1", 100)
    third.group = [first.endpoint]
    third.catch_up()
    second.push(newer, "1")
    second.set_age("1", 50)
    assert second.catch_up()["tags"] == []
    all_catch_up(group)
    third.group = second.group
    third.catch_up()
    assert [replica.digest("1") for replica in group] == [newer.digest] * 3
    first.push(image("another"), "2")
    with pytest.raises(DeliveryError, match=r"No such file or directory. 'storage' has to be where registry"):
        second.catch_up(storage="/no/such/storage")


def test_those_that_are_away_are_named_and_catch_up_later(group: list[Replica]) -> None:
    first, second, third = group
    first.front.stop()
    made = image("made")
    second.push(made, "1")
    result = third.catch_up()
    (away,) = result["away"]
    assert away["registry"] == first.endpoint
    assert "nothing takes connections" in away["why"]
    assert third.warnings == [f"{away['why']} Registry {third.endpoint} may lack what that one holds."]
    assert (third.digest("1"), result["asked"]) == (made.digest, [second.endpoint])
    with pytest.raises(DeliveryError, match=r"has not what 1 peer may hold, which cannot be asked: .*Check the port"):
        third.catch_up(all_peers=True)


def test_a_peer_that_goes_away_meanwhile_is_named_and_the_others_are_asked(group: list[Replica]) -> None:
    first, second, third = group
    first.push(image("first"), "1")
    second.push(image("second"), "2")

    def cut_off(request: Request) -> Reply | None:
        return (503, {}, b"") if "/blobs/" in request.path else None

    first.front.answers_first = cut_off
    result = third.catch_up()
    assert [one["registry"] for one in result["away"]] == [first.endpoint]
    assert (third.digest("1"), third.digest("2")) == (None, image("second").digest)
    first.front.answers_first = lambda request: None
    assert third.catch_up()["tag_count"] == 1
    assert third.digest("1") == image("first").digest


def test_cut_off_at_any_request_it_leaves_nothing_half_and_the_next_run_completes_it(group: list[Replica]) -> None:
    first, second, _third = group
    made = index({"linux/amd64": image("base", "amd"), "linux/arm64": image("base", "arm", architecture="arm64")})
    first.push(made, "1")
    cut_off = 0
    for number in range(1, 100):
        writes = 0

        def refuse(request: Request, last: int = number) -> Reply | None:
            nonlocal writes
            writes += request.method in ("POST", "PUT", "PATCH")
            return (500, {}, b"cut off") if writes >= last else None

        second.front.answers_first = refuse
        with contextlib.suppress(DeliveryError):
            second.catch_up()
            break
        cut_off += 1
        second.front.answers_first = lambda request: None
        assert second.digest("1") is None
    assert cut_off > 5
    second.front.answers_first = lambda request: None
    assert second.digest("1") == made.digest


def test_writes_that_are_refused_for_a_while_are_waited_for(
    group: list[Replica], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica_copy, "_PAUSE", 0.01)
    first, second, _third = group
    first.push(image("made"), "1")
    refused = 0

    def collecting(request: Request) -> Reply | None:
        nonlocal refused
        if request.method in ("GET", "HEAD") or refused >= 5:
            return None
        refused += 1
        return 503, {"Retry-After": "10"}, b"garbage is being collected"

    second.front.answers_first = collecting
    assert second.catch_up()["tag_count"] == 1
    assert refused == 5
    first.push(image("more"), "2")
    refused = -1_000_000
    begun = time.monotonic()
    with pytest.raises(DeliveryError, match=r"takes no request .* garbage is being collected.* Try again in 10 s"):
        second.catch_up(patience=1)
    assert 0.5 < time.monotonic() - begun < 30


def test_an_image_that_is_damaged_is_named_and_leaves_the_others(group: list[Replica]) -> None:
    first, second, _third = group
    bad, good = image("bad"), image("good")
    first.push(bad, "1")
    first.push(good, "2")
    layer = bad.document["layers"][0]["digest"]
    first.front.registry.blob_file(layer).write_bytes(b"something else")
    with pytest.raises(
        DeliveryError, match=r"lacks \d images that could not be copied. The first is shop/web"
    ) as caught:
        second.catch_up()
    assert {one["image"] for one in caught.value.facts["failed_images"]} >= {"shop/web:1"}
    assert caught.value.facts["changed"] is True
    assert (second.digest("1"), second.digest("2")) == (None, good.digest)


def test_a_tag_that_moves_meanwhile_is_not_written_over(group: list[Replica]) -> None:
    first, second, _third = group
    first.push(image("first"), "1")
    first.set_age("1", 100)
    own = image("pushed meanwhile")

    def push_meanwhile(request: Request) -> Reply | None:
        if request.method == "PUT" and "/manifests/" in request.path:
            second.front.answers_first = lambda request: None
            second.push(own, "1")
        return None

    # so that its manifest comes with the tag
    first.front.answers_first = lambda request: (404, {}, b"") if "/revisions/" in request.path else None
    second.front.answers_first = push_meanwhile
    (conflict,) = second.catch_up()["conflicts"]
    assert (conflict["kept"], conflict["own"]) == ("own", own.digest)
    all_catch_up(group)
    assert first.digest("1") == second.digest("1") == own.digest


def test_a_push_that_comes_while_writes_are_refused_is_not_written_over(
    group: list[Replica], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica_copy, "_PAUSE", 0.01)
    first, second, _third = group
    first.push(image("first"), "1")
    first.set_age("1", 100)
    own = image("pushed as soon as writes are taken again")

    def collecting(request: Request) -> Reply | None:
        if request.method != "PUT" or not request.path.endswith("/manifests/1"):
            return None
        second.front.answers_first = lambda request: None
        second.push(own, "1")
        return 503, {"Retry-After": "10"}, b"garbage is being collected"

    second.front.answers_first = collecting
    result = second.catch_up()
    assert (result["tags"], second.digest("1")) == ([], own.digest)


def test_ten_thousand_tags_are_compared_some_at_a_time(group: list[Replica], monkeypatch: pytest.MonkeyPatch) -> None:
    """By their names, which a registry gives all at once; what is made of them is a few at a time."""
    given: list[int] = []
    compare = registry_replicate._differing

    def counted(source: t.Any, target: t.Any, part: t.Any) -> tuple[str, ...]:
        given.append(len(part.tags))
        return () if part.tags[0] != "t0" else compare(source, target, part)

    monkeypatch.setattr(registry_replicate, "_differing", counted)
    monkeypatch.setattr(registry_replicate, "_AT_ONCE", 1)
    group[0].push(image("one"), "t0")
    names = b'{"name": "shop/web", "tags": [%s]}' % b", ".join(b'"t%d"' % number for number in range(10_000))
    group[0].front.answers_first = lambda request: (200, {}, names) if "/tags/list" in request.path else None
    assert group[1].catch_up()["tag_count"] == 1
    assert (sum(given), max(given)) == (10_000, 32)
