# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The decision: what is built, pulled and named, and why."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.build.inputs import Inputs
from ansible_collections.longshore.delivery.plugins.module_utils.build.plan import (
    Observed,
    Plan,
    input_differences,
    make_plan,
    refuse_immutable,
)
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.image import Image
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.stages import BaseImage
from ansible_collections.longshore.delivery.plugins.module_utils.image.names import Glob
from ansible_collections.longshore.delivery.plugins.module_utils.image.tag_plan import TagError, TagStep
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference

ONE, TWO = Reference.parse("r.example/x:1"), Reference.parse("r.example/x:2")
OLD = Inputs({"context": {"a": "file 0644 1"}, "bases": {"b:1": "sha256:b1"}})
NOW = Inputs({"context": {"a": "file 0644 2"}, "bases": {"b:1": "sha256:b1"}})


def image(number: int, inputs: Inputs | None = None) -> Image:
    return Image(f"sha256:{number}", inputs.labels() if inputs else {}, (f"r.example/x:{number}",))


def test_nothing_is_done_when_the_image_is_of_these_inputs() -> None:
    there = image(1, NOW)
    plan = make_plan(Observed(NOW, {ONE: there, TWO: there}), "auto")
    assert plan == Plan((), False, there, (), ())
    assert not plan.changes


def test_no_image_is_built_with_all_its_names_after_its_bases_are_pulled() -> None:
    base = BaseImage(Reference.parse("b:1"), 1)
    plan = make_plan(Observed(NOW, {ONE: None, TWO: None}, absent_bases=(base,)), "auto")
    assert plan == Plan(
        (base,),
        True,
        None,
        (TagStep(ONE, None, None), TagStep(TWO, None, None)),
        ("there is no image r.example/x:1, r.example/x:2 in the engine",),
    )


def test_a_base_that_is_not_held_is_pulled_only_for_a_build() -> None:
    base = BaseImage(Reference.parse("b:1"), 1)
    assert make_plan(Observed(NOW, {ONE: image(1, NOW)}, absent_bases=(base,)), "auto").pull == ()


def test_a_base_that_its_registry_has_anew_is_pulled_and_built_on() -> None:
    held, missing = BaseImage(Reference.parse("b:1"), 1), BaseImage(Reference.parse("c:1"), 2)
    there = image(1, NOW)
    newer = Observed(NOW, {ONE: there}, outdated_bases=(held,), pull_base="newer")
    plan = make_plan(newer, "auto")
    assert (plan.pull, plan.build, plan.names) == ((held,), True, (TagStep(ONE, None, "sha256:1"),))
    assert plan.reasons == (f"the registry has another base image {held.reference}",)
    assert make_plan(newer, "never") == Plan((), False, there, (), ())
    assert make_plan(Observed(NOW, {ONE: None}, outdated_bases=(held,)), "never").pull == (held,)
    assert make_plan(newer, "always").pull == (held,)
    absent = make_plan(Observed(NOW, {ONE: there}, absent_bases=(missing,), pull_base="newer"), "auto")
    assert (absent.pull, absent.build) == ((missing,), True)
    assert absent.reasons == (f"the engine has no base image {missing.reference} to compare with the registry's",)


def test_changed_inputs_are_built_and_named() -> None:
    plan = make_plan(Observed(NOW, {ONE: image(1, OLD)}, last=OLD), "auto")
    assert (plan.build, plan.reasons) == (True, ("the context changed: a changed",))
    assert plan.names == (TagStep(ONE, None, "sha256:1"),)


def test_a_new_tag_is_compared_with_the_last_build() -> None:
    observed = Observed(NOW, {TWO: None}, last=OLD, last_name=str(ONE))
    assert make_plan(observed, "auto").reasons == (
        "there is no image r.example/x:2 in the engine",
        "since the last build, of r.example/x:1, the context changed: a changed",
    )
    assert [(found.kind, found.name) for found in input_differences(observed)] == [("context", "a")]
    same = Observed(NOW, {TWO: None}, last=NOW, last_name=str(ONE))
    assert make_plan(same, "auto").reasons == ("there is no image r.example/x:2 in the engine",)
    assert input_differences(same) == []


def test_a_base_image_that_is_not_there_is_no_change_since_the_last_build() -> None:
    base = BaseImage(Reference.parse("b:1"), 1)
    before = Inputs({**OLD.kinds, "bases": {str(base.reference): "sha256:b1"}})
    now = Inputs({**NOW.kinds, "bases": {}})
    observed = Observed(now, {TWO: None}, last=before, last_name=str(ONE), absent_bases=(base,))
    assert make_plan(observed, "auto").reasons[1:] == (
        "since the last build, of r.example/x:1, the context changed: a changed",
    )
    assert [found.kind for found in input_differences(observed)] == ["context"]


def test_a_note_that_is_not_of_that_image_names_no_files() -> None:
    other = Inputs({"context": {"z": "file 0644 9"}})
    assert make_plan(Observed(NOW, {ONE: image(1, OLD)}, last=other), "auto").reasons == ("the context changed",)


def test_an_image_of_another_maker_is_built_anew() -> None:
    plan = make_plan(Observed(NOW, {ONE: image(1)}), "auto")
    assert plan.build
    assert plan.reasons == ("r.example/x:1 records no inputs: it was built by other means",)


def test_a_missing_tag_is_added_and_one_elsewhere_moved() -> None:
    right, wrong = image(1, NOW), image(2, OLD)
    plan = make_plan(Observed(NOW, {TWO: wrong, ONE: right}), "auto")
    assert (plan.build, plan.image, plan.names) == (False, right, (TagStep(TWO, right.id, "sha256:2"),))
    plan = make_plan(Observed(NOW, {ONE: right, TWO: None}), "auto")
    assert (plan.build, plan.image, plan.names) == (False, right, (TagStep(TWO, right.id, None),))
    assert plan.changes


def test_an_image_of_the_same_inputs_under_another_tag_is_named_not_built() -> None:
    twin = image(7, NOW)
    for there in (None, image(1, OLD)):
        plan = make_plan(Observed(NOW, {ONE: there}, twin=twin), "auto")
        assert (plan.build, plan.image, plan.reasons) == (False, twin, ("r.example/x:7 has the same inputs",))


def test_one_of_the_same_inputs_that_has_no_name_is_named_not_built() -> None:
    waiting = dataclasses.replace(image(7, NOW), references=())
    plan = make_plan(Observed(NOW, {ONE: image(1, OLD)}, twin=waiting), "auto")
    assert (plan.build, plan.names) == (False, (TagStep(ONE, waiting.id, "sha256:1"),))
    assert plan.reasons == ("the image that waits for its names has the same inputs",)


def test_an_immutable_name_is_refused_when_it_would_move() -> None:
    immutable = [Glob.parse("x:1")]
    moved = make_plan(Observed(NOW, {ONE: image(1, OLD), TWO: None}), "auto")
    with pytest.raises(
        TagError,
        match=r"to another image: r\.example/x:1 \(which is sha256:1\)\..* It would be built, because the context changed\.",
    ):
        refuse_immutable(moved, immutable)
    refuse_immutable(moved, [Glob.parse("x:2"), Glob.parse("y:*")])
    taken = make_plan(Observed(NOW, {TWO: image(2, NOW), ONE: image(1, OLD)}), "auto")
    with pytest.raises(TagError, match=r"to sha256:2: r\.example/x:1 \(which is sha256:1\)\. .*first\.$"):
        refuse_immutable(taken, immutable)
    same = Observed(NOW, {ONE: image(1, NOW)})
    for plan in (make_plan(same, "auto"), make_plan(Observed(NOW, {ONE: None}), "auto")):
        refuse_immutable(plan, immutable)
    with pytest.raises(TagError, match="because rebuild is always"):
        refuse_immutable(make_plan(same, "always"), immutable)


def test_always_and_never() -> None:
    same, other = Observed(NOW, {ONE: image(1, NOW)}), Observed(NOW, {ONE: image(1, OLD), TWO: None})
    assert make_plan(same, "always").reasons == ("rebuild is always",)
    kept = make_plan(other, "never")
    assert (kept.build, kept.image, kept.names) == (False, image(1, OLD), (TagStep(TWO, "sha256:1", None),))
    assert kept.reasons == ("not built, because rebuild is never", "the context changed")
    assert make_plan(Observed(NOW, {ONE: None}), "never").build


def test_diff_mode_names_files_where_they_are_known_and_kinds_where_not() -> None:
    known = input_differences(Observed(NOW, {ONE: image(1, OLD)}, last=OLD))
    assert [(found.kind, found.name, found.before, found.after) for found in known] == [
        ("context", "a", "file 0644 1", "file 0644 2")
    ]
    unknown = input_differences(Observed(NOW, {ONE: image(1, OLD)}))
    assert [(found.kind, found.name, found.before, found.after) for found in unknown] == [
        ("context", "", OLD.digests["context"], NOW.digests["context"])
    ]
    first = input_differences(Observed(NOW, {ONE: None}))
    assert [(found.kind, found.before) for found in first] == [("context", None), ("bases", None)]
