# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a list of images makes of its options and of its parts' results. The builds and gates themselves are seen on an engine."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.longshore.delivery.plugins.module_utils.build import image_build
from ansible_collections.longshore.delivery.plugins.module_utils.build import image_set as image_set_module
from ansible_collections.longshore.delivery.plugins.module_utils.build.image_set import SetFailed, image_set
from ansible_collections.longshore.delivery.plugins.module_utils.build.set_options import InvalidEntry
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Capability, Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import ADDRESS_SPEC
from ansible_collections.longshore.delivery.plugins.module_utils.running import run_command

AUDITED = {"size": 1, "wasted_bytes": 0, "findings": [], "excepted": []}
ID, BEFORE = "sha256:" + "1" * 64, "sha256:" + "0" * 64


def audit(params: dict[str, t.Any], context: Context) -> dict[str, t.Any]:
    if params["fail_on"] == "bad":
        raise DeliveryError("it is bad", images=[{**AUDITED, "findings": []}])
    return {"images": [AUDITED]}


def name_late(build: dict[str, t.Any], image_id: str, context: Context) -> dict[str, t.Any]:
    context.progress("named %s %s" % (build["name"], image_id))
    return {"named": [{"reference": build["name"] + ":1", "before": None, "after": image_id}]}


SPEC = {"references": {"type": "list"}, "engine": {"type": "str"}, "fail_on": {"type": "str"}, **ADDRESS_SPEC}
SET = image_set(audit=lambda: Capability(run=audit, argument_spec=SPEC), trial=lambda: pytest.fail("nothing is tried"))


class Running:
    """Builds that only tell how many there are at a time."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir()

    def build(self, params: dict[str, t.Any], context: Context) -> dict[str, t.Any]:
        own = self.directory / params["name"].replace("/", "-")
        own.touch()
        try:
            context.progress("beside %d" % len(list(self.directory.iterdir())))
            context.run_command(["sleep", "0.2"])
        finally:
            own.unlink()
        reference = params["name"] + ":1"
        context.progress("built %s, %s, %s" % (reference, params["names_later"], params["coming"]))
        context.progress("%s served %s" % (reference, params["served"]))
        return {
            "changed": True,
            "built": True,
            "engine": "docker",
            "image": {"id": ID, "references": [reference], "manifest_digest": ID, "config_digest": BEFORE},
            "named": [{"reference": reference, "before": BEFORE, "after": ID}],
            "pulled": [],
            "diff": {"before": "", "after": "x"},
        }


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    monkeypatch.setattr(image_build, "run", Running(tmp_path / "running").build)
    monkeypatch.setattr(image_set_module, "name_late", name_late)
    return tmp_path


def run(
    directory: Path, *names: str, check: bool = False, more: dict[str, dict[str, t.Any]] | None = None, **options: t.Any
) -> tuple[dict[str, t.Any], list[str]]:
    """:param names: one that is C(bad) fails its audit.

    :param more: of the images by their names.
    """
    images = [
        {"name": name, "tags": ["1"], "source": ".", "audit": {"fail_on": name}, **(more or {}).get(name, {})}
        for name in names
    ]
    given = {"images": images, "source_root": str(directory), "endpoint": "r.example", **options}
    checked = ArgumentSpecValidator(SET.argument_spec).validate(given)
    assert checked.error_messages == []
    said: list[str] = []
    context = Context(check=check, diff=True, warn=said.append, progress=said.append, run_command=run_command)
    return SET.run(checked.validated_parameters, context), said


def test_no_more_are_built_at_once_than_may_be(directory: Path) -> None:
    _result, said = run(directory, "a", "b", at_once=1)
    assert [line for line in said if line.startswith("beside")] == ["beside 1", "beside 1"]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"platforms": ["foo"]}, r"b: .*'platforms' has 'foo'"),
        ({"secrets": [{"id": "u", "file": "/no/such"}]}, "b: The file of the secret u, /no/such, is missing"),
        ({"ssh": [{"id": "git", "path": "key"}]}, "b: 'ssh' names the relative path"),
    ],
)
def test_what_one_cannot_be_is_said_with_its_name_before_any_is_built(
    directory: Path, entry: dict[str, t.Any], said: str
) -> None:
    shown: list[str] = []
    with pytest.raises(InvalidEntry, match=said):
        shown = run(directory, "a", "b", more={"b": entry})[1]
    assert shown == []


def test_one_name_is_that_of_one_image(directory: Path) -> None:
    with pytest.raises(
        InvalidEntry, match=r"a: r\.example/a:1 is the name of two images of the list, the other is a from"
    ):
        run(directory, "a", "b", "a")
    one = {"name": "a", "tags": ["1"], "source": "."}
    result, _said = run(directory, images=[one, {**one, "output": "layout", "layout": str(directory / "layout")}])
    assert len(result["images"]) == 2


def test_what_was_judged_is_judged_again_where_that_is_asked_for(directory: Path) -> None:
    for judge, before in (("auto", False), ("auto", True), ("always", False)):
        result, _said = run(directory, "a", judge=judge)
        assert result["images"][0]["audit"]["judged_before"] is before


def test_the_result_has_the_images_in_their_order_with_their_diffs(directory: Path) -> None:
    result, _said = run(directory, "b", "a")
    assert result["changed"]
    assert [image["name"] for image in result["images"]] == ["b", "a"]
    assert [image["references"] for image in result["images"]] == [["r.example/b:1"], ["r.example/a:1"]]
    assert [diff["after_header"] for diff in result["diff"]] == ["r.example/b:1", "r.example/a:1"]
    assert result["images"][0]["trial"] is None


def test_one_that_fails_says_what_was_not_begun_and_what_was_done(directory: Path) -> None:
    with pytest.raises(SetFailed) as caught:
        run(directory, "bad", "later", at_once=1)
    assert str(caught.value) == (
        "r.example/bad:1: it is bad Because of that not begun: r.example/later:1: audit. "
        "Names left as they were: r.example/bad:1 (000000000000), r.example/later:1 (000000000000)."
    )
    [image] = caught.value.facts["images"]
    assert (image["name"], image["audit"]["verdict"]) == ("bad", "fail")
    assert image["withheld"] == [{"reference": "r.example/bad:1", "before": BEFORE, "after": ID}]
    assert (image["build"]["named"], image["build"]["changed"]) == ([], False)
    assert not caught.value.facts["changed"]
    assert "diff" not in caught.value.facts


def test_an_image_gets_its_names_when_it_has_passed_and_others_stand_on_it_then(directory: Path) -> None:
    """One that is not judged gets them from its build."""
    more = {"above": {"depends_on": ["below"], "audit": None}}
    result, said = run(directory, "above", "below", more=more)
    told = [line for line in said if line.startswith(("built", "named")) or ": audit" in line]
    assert [line.split(",")[0] for line in told] == [
        "built r.example/below:1",
        "r.example/below:1: audit",
        f"named r.example/below {ID}",
        "built r.example/above:1",
    ]
    assert (told[0].split(", ")[1], told[-1].split(", ")[1]) == ("True", "False")
    assert [image["withheld"] for image in result["images"]] == [[], []]
    # as it was when the name was given
    assert result["images"][1]["build"]["named"][0]["before"] is None


def test_what_check_mode_foretells_of_an_image_counts_for_those_that_stand_on_it(directory: Path) -> None:
    result, said = run(directory, "above", "below", check=True, more={"above": {"depends_on": ["below"]}})
    [above] = [line for line in said if line.startswith("built r.example/above:1")]
    assert above.endswith("{'r.example/below:1': None}")
    assert [image["build"]["named"][0]["after"] for image in result["images"]] == [ID, ID]
    assert [image["withheld"] for image in result["images"]] == [[], []]
    assert not any(line.startswith("named") for line in said)


def test_what_went_to_a_registry_counts_by_its_digests_for_those_that_stand_on_it(directory: Path) -> None:
    more: dict[str, dict[str, t.Any]] = {
        "below": {"output": "registry", "audit": None},
        "above": {"depends_on": ["below"], "audit": None},
    }
    for check, digests in ((False, (ID, ID, BEFORE)), (True, ())):
        _result, said = run(directory, "above", "below", check=check, more=more)
        assert f"r.example/above:1 served { ({'r.example/below:1': digests}) }" in said
        assert "built r.example/above:1, False, {}" in said
