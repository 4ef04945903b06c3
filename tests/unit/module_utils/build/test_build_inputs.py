# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What makes two builds the same: the digest of the inputs, and the walk that finds them."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.longshore.delivery.plugins.module_utils.build import content_hashes, context
from ansible_collections.longshore.delivery.plugins.module_utils.build.content_hashes import ContentHashes
from ansible_collections.longshore.delivery.plugins.module_utils.build.dockerignore import IgnoreRules, parse
from ansible_collections.longshore.delivery.plugins.module_utils.build.inputs import (
    Inputs,
    Recorded,
    differences,
    why_different,
)
from ansible_collections.longshore.delivery.plugins.module_utils.image.recorded_inputs import DETAIL_LABEL, DIGEST_LABEL


def entries(root: Path, rules: IgnoreRules | None = None) -> dict[str, str]:
    return context.read(str(root), rules or IgnoreRules(), ContentHashes(str(root))).entries


def digest(root: Path) -> str:
    return Inputs({"context": entries(root)}).digest


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "context"
    (root / "package" / "empty").mkdir(parents=True)
    (root / "package" / "module.py").write_text("print()\n")
    (root / "run").write_text("x")
    (root / "run").chmod(0o755)
    (root / "link").symlink_to("package/module.py")
    return root


def test_a_walk_finds_everything(tree: Path) -> None:
    found = entries(tree)
    assert sorted(found) == ["link", "package", "package/empty", "package/module.py", "run"]
    assert found["link"] == "link package/module.py"
    assert found["run"].startswith("file 0755 2d711642b726b044")
    assert found["package/empty"].startswith("directory 07")


def test_times_and_owners_do_not_matter(tree: Path) -> None:
    before = digest(tree)
    for path in [tree, *tree.rglob("*")]:
        os.utime(path, (1, 1), follow_symlinks=False)
        if os.geteuid() == 0:
            os.chown(path, 4242, 4242, follow_symlinks=False)
    (tree / "run").write_text("x")
    assert digest(tree) == before


def touch_content(tree: Path) -> None:
    (tree / "run").write_text("y")


def touch_mode(tree: Path) -> None:
    (tree / "run").chmod(0o744)


def touch_directory_mode(tree: Path) -> None:
    (tree / "package").chmod(0o700)


def touch_link(tree: Path) -> None:
    (tree / "link").unlink()
    (tree / "link").symlink_to("run")


def touch_kind(tree: Path) -> None:
    (tree / "link").unlink()
    (tree / "link").write_text("package/module.py")


def touch_name(tree: Path) -> None:
    (tree / "run").rename(tree / "ran")


def touch_new(tree: Path) -> None:
    (tree / "package" / "new").mkdir()


@pytest.mark.parametrize(
    "touch",
    [touch_content, touch_mode, touch_directory_mode, touch_link, touch_kind, touch_name, touch_new],
)
def test_everything_else_does(tree: Path, touch: Callable[[Path], None]) -> None:
    before = digest(tree)
    touch(tree)
    assert digest(tree) != before


def test_a_directory_is_sent_when_something_in_it_is(tree: Path) -> None:
    assert sorted(entries(tree, parse("*\n!package/module.py"))) == ["package", "package/module.py"]
    assert sorted(entries(tree, parse("*\n!package/none"))) == []
    assert sorted(entries(tree, parse("package/*"))) == ["link", "package", "run"]


def test_what_lies_behind_a_link_may_be_there(tree: Path) -> None:
    (tree / "there").symlink_to("package")
    found = context.read(str(tree), IgnoreRules(), ContentHashes(str(tree)))
    assert found.holds("package/module.py")
    assert found.holds("there/module.py")
    assert not found.holds("package/none")
    assert not found.holds("there/none")


def tick(path: Path, scratch: Path) -> None:
    """Wait until the clock that stamps files shows a later time than the file's last change."""
    deadline = time.monotonic() + 15
    while True:
        scratch.write_text("")
        if scratch.stat().st_ctime_ns > path.stat().st_ctime_ns:
            return
        assert time.monotonic() < deadline, "the clock that stamps files stands still"


def test_a_file_that_was_not_touched_is_not_read_again(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content_hashes, "SETTLED", 0)
    cache = str(tmp_path / "cache" / "hashes.json")

    def read() -> tuple[dict[str, str], int]:
        hashes = ContentHashes(str(tree), cache)
        found = context.read(str(tree), IgnoreRules(), hashes).entries
        hashes.save()
        return found, hashes.files_read

    tick(tree / "run", tmp_path / "clock")
    first, count = read()
    assert count == 2
    assert oct(os.stat(cache).st_mode)[-3:] == "600"
    assert read() == (first, 0)
    status = os.stat(tree / "run")
    (tree / "run").write_text("z")
    os.utime(tree / "run", ns=(status.st_atime_ns, status.st_mtime_ns))
    tick(tree / "run", tmp_path / "clock")
    second, count = read()
    assert count == 1
    assert second["run"] != first["run"]
    Path(cache).write_text("broken")
    assert read() == (second, 2)


def test_an_edit_within_one_tick_of_the_clock_is_seen(tree: Path, tmp_path: Path) -> None:
    """The hash of a file that has just been written is not relied on: its next edit could carry the same time."""
    cache = str(tmp_path / "hashes.json")
    hashes = ContentHashes(str(tree), cache)
    context.read(str(tree), IgnoreRules(), hashes)
    hashes.save()
    again = ContentHashes(str(tree), cache)
    context.read(str(tree), IgnoreRules(), again)
    assert again.files_read == 2


KINDS = st.dictionaries(
    st.sampled_from(["context", "dockerfile", "args", "target", "labels", "secrets", "bases"]),
    st.dictionaries(
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), st.text("abc ", max_size=3)
    ),
)


@given(KINDS, KINDS)
def test_the_digest_is_equal_exactly_when_the_inputs_are(
    one: dict[str, dict[str, str]], other: dict[str, dict[str, str]]
) -> None:
    first, second = Inputs(one), Inputs(other)
    assert (first.digest == second.digest) == (not differences(first, second))


@given(st.dictionaries(st.binary(min_size=1).filter(lambda name: b"\0" not in name), st.sampled_from(["file", "ü"])))
def test_the_digest_is_of_names_in_the_order_of_their_bytes(items: dict[bytes, str]) -> None:
    """Also of names that are no UTF-8: who has another order finds that everything changed."""
    content = b"".join(name + b"\0" + items[name].encode() + b"\0" for name in sorted(items))
    named = {os.fsdecode(name): value for name, value in items.items()}
    assert Inputs({"context": named}).digests == (
        {"context": f"sha256:{hashlib.sha256(content).hexdigest()}"} if items else {}
    )


@given(KINDS, st.dictionaries(st.text("abc", min_size=1), st.text("abc"), min_size=1))
def test_other_bases_make_other_inputs_alone(kinds: dict[str, dict[str, str]], bases: dict[str, str]) -> None:
    found = Inputs(kinds).with_bases(bases)
    assert found == Inputs({**kinds, "bases": bases})
    assert found.digest == Inputs({**kinds, "bases": bases}).digest


@given(KINDS)
def test_what_an_image_records_is_read_back(kinds: dict[str, dict[str, str]]) -> None:
    inputs = Inputs(kinds)
    recorded = Recorded.of(inputs.labels())
    assert recorded.digest == inputs.digest
    assert recorded.bases == inputs.bases
    assert why_different(recorded, inputs, None) == []


def test_moving_text_between_items_changes_the_digest() -> None:
    assert Inputs({"args": {"a": "b"}}).digest != Inputs({"args": {"ab": ""}}).digest
    assert Inputs({"args": {"a": "b"}}).digest != Inputs({"labels": {"a": "b"}}).digest


def test_the_reasons_name_what_changed() -> None:
    before = Inputs({"context": {"a": "1", "b": "1"}, "args": {"V": "1"}, "bases": {"r/x:1": "sha256:1"}})
    after = Inputs({"context": {"a": "2", "c": "1"}, "args": {"V": "2"}, "bases": {"r/x:1": "sha256:2"}})
    recorded = Recorded.of(before.labels())
    assert why_different(recorded, after, before) == [
        "the context changed: a changed, b removed, c added",
        "the build arguments changed: V changed",
        "the base images changed: r/x:1 changed",
    ]
    # another controller built it: of files only the kind is known, of base images all
    assert why_different(recorded, after, after) == [
        "the context changed",
        "the build arguments changed",
        "the base images changed: r/x:1 changed",
    ]


def test_what_there_is_one_of_is_not_named_twice() -> None:
    before = Inputs({"dockerfile": {"Dockerfile": "1"}, "sbom": {"sbom": "r/x:1"}})
    after = Inputs({"dockerfile": {"Dockerfile": "2"}, "target": {"target": "a"}})
    recorded = Recorded.of(before.labels())
    assert why_different(recorded, after, before) == [
        "the Dockerfile changed",
        "the target stage was added",
        "what lists the contents was removed",
    ]
    assert why_different(recorded, after, None)[0] == "the Dockerfile changed"


def test_a_name_does_nothing_to_the_terminal() -> None:
    before, after = Inputs({}), Inputs({"context": {"a\n\x1b[2K": "x"}})
    assert why_different(Recorded.of(before.labels()), after, before) == ["the context changed: a\\n\\x1b[2K added"]
    assert [found.name for found in differences(before, after)] == ["a\\n\\x1b[2K"]


def test_many_changes_are_counted() -> None:
    before, after = Inputs({}), Inputs({"context": {f"file{number:02}": "x" for number in range(20)}})
    (reason,) = why_different(Recorded.of(before.labels()), after, before)
    assert reason.endswith("file07 added, and 12 more")


@pytest.mark.parametrize(
    "labels", [None, {}, {DETAIL_LABEL: "{"}, {DETAIL_LABEL: "[]"}, {DIGEST_LABEL: "x", DETAIL_LABEL: "1"}]
)
def test_labels_of_another_maker_say_nothing(labels: dict[str, str] | None) -> None:
    recorded = Recorded.of(labels)
    assert recorded.kinds.keys() <= {"bases"}
    assert recorded.digest != Inputs({}).digest
