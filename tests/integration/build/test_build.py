# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""image_build on real engines: the controller's own and the lab's dock, asked directly what they hold."""

from __future__ import annotations

import hashlib
import os
import shutil
import typing as t
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.longshore.delivery.plugins.module_utils.build.definition import read_definition
from ansible_collections.longshore.delivery.plugins.module_utils.build.named_contexts import NamedContext
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed, DeliveryError

from .ancestry import told_apart
from .engine import Engine, below

pytestmark = pytest.mark.lab


def test_a_second_run_builds_nothing_and_a_changed_byte_builds(engine: Engine, source: Path) -> None:
    first = engine.build("app", source, tags=["1", "2"])
    built = engine.id("app:1")
    assert first["changed"]
    assert built == engine.id("app:2") == first["image"]["id"] == first["image"]["config_digest"]
    assert engine.id("app:latest") is None
    assert engine.files_below("app:1", "dir") == {"app": "file 0644 " + hashlib.sha256(b"one\n").hexdigest()}

    again = engine.build("app", source, tags=["1", "2"])
    assert (again["changed"], again["why"], engine.commands, engine.progress) == (False, [], [], [])
    assert again["image"] == first["image"]
    os.utime(source / "app", (1, 1))
    (source / "app").write_text("one\n")
    (source / "new.log").write_text("kept out")
    assert not engine.build("app", source, tags=["1", "2"])["changed"]

    (source / "app").write_text("two\n")
    planned = engine.build("app", source, check=True, tags=["1", "2"])
    assert engine.id("app:1") == built
    done = engine.build("app", source, tags=["1", "2"])
    assert planned["why"] == done["why"] == ["the context changed: app changed"]
    assert planned["changed"]
    assert done["changed"]
    assert planned["inputs"] == done["inputs"]
    assert "context app: file" in done["diff"]["before"]
    assert engine.id("app:1") == engine.id("app:2") == done["image"]["id"] != built
    assert done["named"] == [
        {"reference": f"{engine.prefix}/app:{tag}", "before": built, "after": engine.id("app:1")} for tag in "12"
    ]
    assert f"moved from {str(built).removeprefix('sha256:')[:12]} to" in engine.progress[-1]


def test_an_edit_that_keeps_size_and_time_is_built(
    engine: Engine, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BuildKit by itself would not ask for such a file. Nor does what it takes from the environment count."""
    monkeypatch.setenv("DOCKER_DEFAULT_PLATFORM", "linux/s390x")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    for content, directory in (("one\n", "1st"), ("two\n", "2nd")):
        (source / "app").write_text(content)
        (source / "Dockerfile").write_text(f"FROM scratch\nCOPY app /{directory}/\n")
        for path in source.iterdir():
            os.utime(path, (1, 1))
        engine.build("kept", source, tags=["1"])
        expected = {"app": "file 0644 " + hashlib.sha256(content.encode()).hexdigest()}
        assert engine.files_below("kept:1", directory) == expected
    found = engine.client.images.get(f"{engine.prefix}/kept:1").attrs
    assert found["Architecture"] != "s390x"
    assert not found["Created"].startswith("1970")


def test_an_edit_that_keeps_what_was_built_is_built_whatever_was_read_since(engine: Engine, source: Path) -> None:
    """By check mode, or a task that fails before it builds: BuildKit has size and time of the file that it was sent."""
    for content, when in (("one\n", 1), ("two\n", 2), ("new\n", 1)):
        (source / "app").write_text(content)
        os.utime(source / "app", (when, when))
        engine.build("kept", source, tags=["2"], check=when == 2)
    expected = {"app": "file 0644 " + hashlib.sha256(b"new\n").hexdigest()}
    assert engine.files_below("kept:2", "dir") == expected


def test_another_controller_sees_that_nothing_changed(
    engine: Engine, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.build("other", source, tags=["1"])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    copy = tmp_path / "elsewhere"
    shutil.copytree(source, copy)
    assert not engine.build("other", copy, tags=["1"])["changed"]
    (copy / "app").chmod(0o600)
    shutil.rmtree(tmp_path / "state")
    assert engine.build("other", copy, tags=["1"])["why"] == ["the context changed"]


def test_everything_that_is_an_input_builds(engine: Engine, source: Path, agent: str) -> None:
    options: dict[str, t.Any] = {"tags": ["1"]}
    with open(source / "Dockerfile", "a") as file:
        file.write("ARG V\n")
    engine.build("inputs", source, **options)
    secret = {"secrets": [{"id": "s", "value": "x"}]}
    for change, reason in (
        ({"args": {"V": "1"}}, "the build arguments changed: V added"),
        ({"args": {"V": "2"}}, "the build arguments changed: V changed"),
        ({"labels": {"l": "1"}}, "the labels changed: l added"),
        (secret, "the names of the secrets changed: s added"),
    ):
        options.update(change)
        assert engine.build("inputs", source, **options)["why"] == [reason]
        assert not engine.build("inputs", source, **options)["changed"]
    options.update(ssh=[{"path": agent}], extra_hosts={"h.example": "192.0.2.1"})
    assert engine.build("inputs", source, **options)["why"] == [
        "the ids of the SSH agents changed: default added",
        "the extra hosts changed: h.example added",
    ]
    assert not engine.build("inputs", source, **options)["changed"]
    options["secrets"] = [{"id": "s", "value": "another"}]
    assert not engine.build("inputs", source, **options)["changed"]
    assert engine.client.images.get(f"{engine.prefix}/inputs:1").labels["l"] == "1"
    with open(source / "Dockerfile", "a") as file:
        file.write("ENV X=1\n")
    why = engine.build("inputs", source, **options)["why"]
    assert "the Dockerfile changed" in why


def test_a_changed_base_image_builds_what_is_made_from_it(engine: Engine, source: Path) -> None:
    base = f"{engine.prefix}/base:1"
    engine.build("base", source, tags=["1"])
    (source / "Child").write_text("ARG BASE\nFROM ${BASE} AS a\nFROM scratch\nCOPY --from=a /dir /copied\n")
    child: dict[str, t.Any] = {"tags": ["1"], "dockerfile": "Child", "args": {"BASE": base}}
    engine.build("child", source, **child)
    assert not engine.build("child", source, **child)["changed"]
    engine.build("base", source, tags=["1"], labels={"other": "one"})
    result = engine.build("child", source, **child)
    assert result["why"] == [f"the base images changed: {base} changed"]
    # an absent base is not what has to be built on: the image stays as it is
    engine.client.images.remove(base)
    assert not engine.build("child", source, **child)["changed"]


def test_an_image_that_others_made_from_it_is_not_taken_for_it(engine: Engine, source: Path) -> None:
    """It has its labels, be it by the same name or by another one of the repository."""
    (source / "app").write_text(engine.prefix)  # what an interrupted run leaves would keep this one's image
    first = engine.build("made", source, tags=["1"])
    for change in ("ENV A=b", "USER 7"):
        container = engine.client.containers.create(f"{engine.prefix}/made:1", "none")
        derived = container.commit(f"{engine.prefix}/made", "1", changes=change)
        container.remove()
        planned = engine.build("made", source, check=True, tags=["1"])
        done = engine.build("made", source, tags=["1"])
        assert planned["why"] == done["why"] == [f"{engine.prefix}/made:1 was made from the image of these inputs"]
        assert engine.id("made:1") == first["image"]["id"]
        derived.tag(f"{engine.prefix}/made", "debug")
        engine.client.images.remove(f"{engine.prefix}/made:1")
        assert engine.build("made", source, tags=["1"])["built"]
        assert engine.id("made:1") != derived.id
        assert not engine.build("made", source, tags=["1"])["changed"]
        engine.client.images.remove(derived.id, force=True)


@pytest.mark.parametrize("builder", ["docker", "docker_classic"])
def test_another_controller_does_not_take_it_for_it_either(
    engine: Engine, source: Path, tmp_path: Path, builder: str
) -> None:
    told_apart(engine, source, tmp_path / "states", builder)


def test_tags_are_added_and_taken_from_what_has_them(engine: Engine, source: Path) -> None:
    first = engine.build("tags", source, tags=["1"])
    added = engine.build("tags", source, tags=["1", "stable"])
    assert (added["changed"], added["built"], engine.commands) == (True, False, [])
    assert engine.id("tags:stable") == first["image"]["id"]
    (source / "app").write_text("two\n")
    engine.build("tags", source, tags=["2"])
    assert engine.id("tags:1") == first["image"]["id"] != engine.id("tags:2")
    moved = engine.build("tags", source, tags=["2", "stable"])
    assert moved["named"] == [
        {
            "reference": f"{engine.prefix}/tags:stable",
            "before": first["image"]["id"],
            "after": engine.id("tags:2"),
        }
    ]
    (source / "app").write_text("one\n")
    back = engine.build("tags", source, tags=["2"])
    assert (back["built"], engine.id("tags:2")) == (False, first["image"]["id"])


def test_an_immutable_tag_stays_where_it_is(engine: Engine, source: Path) -> None:
    options: dict[str, t.Any] = {"tags": ["1.0", "stable"], "immutable": ["longshore.test/**:*.*"]}
    first = engine.build("immutable", source, **options)
    assert not engine.build("immutable", source, **options)["changed"]
    (source / "app").write_text("two\n")
    for check in (True, False):
        with pytest.raises(
            DeliveryError, match=r"immutable:1\.0 \(which is .*because the context changed: app changed\."
        ):
            engine.build("immutable", source, check=check, **options)
    assert engine.commands == []
    assert engine.id("immutable:1.0") == engine.id("immutable:stable") == first["image"]["id"]
    options["tags"] = ["1.1", "stable"]
    assert engine.build("immutable", source, **options)["built"]
    assert engine.id("immutable:stable") == engine.id("immutable:1.1") != engine.id("immutable:1.0")


def test_always_and_never(engine: Engine, source: Path) -> None:
    engine.build("rebuild", source, tags=["1"])
    always = engine.build("rebuild", source, tags=["1"], rebuild="always")
    assert (always["built"], always["changed"]) == (True, False)
    (source / "app").write_text("two\n")
    never = engine.build("rebuild", source, tags=["1"], rebuild="never")
    assert (never["built"], never["changed"]) == (False, False)
    assert never["why"][0] == "not built, because rebuild is never"


def test_a_failing_instruction_is_named_and_nothing_is_tagged(engine: Engine, source: Path, shell: str) -> None:
    (source / "Dockerfile").write_text(f"FROM {shell}\nCOPY app /app\n\nRUN echo one; \\\n  echo two >&2; exit 3\n")
    with pytest.raises(DeliveryError) as caught:
        engine.build("failing", source, tags=["1"], network="none")
    assert "line 4, RUN echo one; echo two >&2; exit 3: it ended with exit code 3." in str(caught.value)
    assert sorted(caught.value.facts["log"]) == ["one", "two"]
    assert caught.value.facts["dockerfile_line"] == 4
    assert engine.id("failing:1") is None


def test_a_file_that_changes_during_the_build_leaves_no_image(engine: Engine, source: Path) -> None:
    original = engine.run_command

    def meddling(argv: list[str], **options: t.Any) -> Completed:
        if argv[2] == "build":
            (source / "app").write_text("changed meanwhile\n")
        return original(argv, **options)

    before = {image["Id"] for image in engine.client.api.images()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "run_command", meddling)
        with pytest.raises(
            DeliveryError, match=r"inputs changed while it was built: context app changed\. Run it again"
        ):
            engine.build("meddled", source, tags=["1"])
    assert engine.id("meddled:1") is None
    assert {image["Id"] for image in engine.client.api.images()} == before


def test_what_is_wrong_is_said_before_anything_is_built(engine: Engine, source: Path) -> None:
    (source / "Dockerfile").write_text("FROM 127.0.0.1:1/none:1\nCOPY app /\n")
    with pytest.raises(DeliveryError, match=r"127\.0\.0\.1:1/none:1 .*line 1\) could not be pulled"):
        engine.build("wrong", source, tags=["1"])
    assert [argv[:3] for argv in engine.commands] == [["docker", "buildx", "version"]]
    (source / "Dockerfile").write_text("FROM scratch\nCOPY some.log /\n")
    (source / "some.log").touch()
    with pytest.raises(DeliveryError, match=r"some\.log is kept out of the build by .*line 1: \*\.log"):
        engine.build("wrong", source, tags=["1"])
    assert engine.commands == []


NAMES = st.sampled_from(["a", "b", "ab", "a.b", ".c", "a b", "[x]", "Dockerfile"])
TREES = st.dictionaries(
    st.lists(NAMES, min_size=1, max_size=3).map("/".join), st.sampled_from([0o644, 0o755]), min_size=3
)
PARTS = st.sampled_from(
    ["a", "b", "ab", "a.b", "*", "**", "?", "[ab]", "[^a]", "a*", ".*", "**b", "a b", "\\[x]", "..", "Dockerfile"]
)
PATTERNS = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "", "!", "! ", "/", "# "]),
        st.lists(PARTS, min_size=1, max_size=3).map("/".join),
        st.sampled_from(["", "/", " "]),
    ),
)


WAYS = st.sampled_from(["outside of it", "in it", "in it, with rules of its own", "in the options"])


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(TREES, st.lists(PATTERNS, min_size=1, max_size=5), WAYS)
def test_the_engine_receives_what_is_read(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory, tree: dict[str, int], patterns: list[str], way: str
) -> None:
    """Wherever the Dockerfile is; and of a named context, which goes by its own rules."""
    root = tmp_path_factory.mktemp("tree")
    for path, mode in tree.items():
        if not any((root / above).is_file() for above in Path(path).parents) and not (root / path).exists():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(path)
            (root / path).chmod(mode)
    (root / "link").symlink_to("a/b")
    directory = tmp_path_factory.mktemp("outside") if way == "outside of it" else root
    dockerfile = directory / ("Build" if (root / "Dockerfile").is_dir() else "Dockerfile")
    rules, others = "\n".join(patterns), "\n".join(reversed(patterns))
    own_rules = way in ("outside of it", "in it, with rules of its own")
    (root / ".dockerignore").unlink(missing_ok=True)
    (root / ".dockerignore").write_text(others if own_rules else rules)
    if own_rules:
        Path(f"{dockerfile}.dockerignore").write_text(rules)
    text = "FROM scratch\nCOPY . /received/\n"
    options: dict[str, t.Any] = {}
    if not engine.client.version()["Version"].startswith("20."):
        text += "COPY --from=named . /named/\n"
        options["contexts"] = {"named": str(root)}
    if way == "in the options":
        options["dockerfile_inline"] = text
    else:
        dockerfile.write_text(text)
        options["dockerfile"] = str(dockerfile)
    found = read_definition(str(root), str(dockerfile), options.get("dockerfile_inline")).context.entries
    engine.build("received", root, tags=["1"], **options)
    received = engine.files("received:1")
    assert below(received, "received") == found
    if "contexts" in options:
        named = NamedContext("named", directory=str(root)).entries()
        assert below(received, "named") == below(named, "named")
