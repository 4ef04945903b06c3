# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build the lab's Go programs from the Go module proxy, once, and keep them in the lab's cache.

The sources are tests/lab/programs/<name>/; go.sum there decides what the compiler may see. A program lands in
CACHE/programs/<name>/<key>/ by one rename, so a directory of that name is complete; the key covers the sources, the
recipe, the Go version and the machine. By hand: `python -m tests.lab.builds kubernetes crictl` prints the directories.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from .errors import LabError
from .golang import BuildError, Go, find_go
from .host_packages import refresh
from .places import Places
from .recipes import PROGRAMS, Program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

SOURCES = Path(__file__).resolve().parent / "programs"
HEARTBEAT = 30.0  # seconds between two signs of life of one build
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def build_key(program: Program, sources: Path, go: Go, machine: str) -> str:
    """Name of what would come out: a digest over file names and contents, the recipe, the Go version and the machine."""
    digest = hashlib.sha256()
    recipe = {**asdict(program), "hint": None, "argv": _go_build(program, Path("go"), Path("out"))}
    digest.update(json.dumps([recipe, go.version, machine], sort_keys=True).encode())
    for file in sorted(sources.rglob("*")):
        if file.is_file() and not file.name.startswith("."):
            digest.update(f"\0{file.relative_to(sources).as_posix()}\0".encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:20]


def _go_build(program: Program, command: Path, output: Path) -> list[str]:
    return [
        str(command),
        "build",
        "-v",
        "-trimpath",
        "-tags",
        ",".join(program.tags),
        "-ldflags",
        program.ldflags,
        "-o",
        f"{output}/",
        *program.packages,
    ]


def build_environment(cache: Path, cgo: bool, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a build: the module cache and Go's build cache live in the lab's cache unless the user chose."""
    return {
        "GOCACHE": str(cache / "go" / "build"),
        "GOMODCACHE": str(cache / "go" / "mod"),
        **environment,
        "GOTOOLCHAIN": "local",  # the Go that the key names, none that it downloads
        "GOFLAGS": "-mod=readonly -modcacherw -buildvcs=false",  # go.sum is the authority; the cache can be deleted
        "GOWORK": "off",
        "GOOS": "linux",
        "GOARCH": ARCHITECTURES.get(platform.machine(), platform.machine()),
        "CGO_ENABLED": "1" if cgo else "0",
    }


def build(
    names: Sequence[str],
    cache: Path,
    progress: Callable[[str], None],
    programs: Mapping[str, Program] = PROGRAMS,
    sources: Path = SOURCES,
) -> dict[str, Path]:
    """Directory with the binaries of each named program; builds the missing ones, one after the other, in that order.

    Raises BuildError. An interrupted build leaves Go's own caches, which the next run continues from, and nothing else.
    """
    go = find_go()
    directories = _directories(names, cache, go, programs, sources)
    elapsed: dict[str, float] = {}
    for name, target in directories.items():
        if not target.is_dir():
            started = time.monotonic()
            _Build(programs[name], sources / name, go, cache, progress).into(target)
            elapsed[name] = time.monotonic() - started
    if elapsed:
        total = sum(elapsed.values())
        shares = ", ".join(f"{name} {took:.0f} s ({took / total:.0%})" for name, took in elapsed.items())
        progress(f"built in {total:.0f} s: {shares}")
    return directories


def tools(
    names: Sequence[str], cache: Path, programs: Mapping[str, Program] = PROGRAMS, sources: Path = SOURCES
) -> list[str]:
    """Commands that building those of the named programs needs which the cache lacks. Raises BuildError."""
    directories = _directories(names, cache, find_go(), programs, sources)
    unbuilt = [programs[name] for name, target in directories.items() if not target.is_dir()]
    return list(dict.fromkeys(tool for program in unbuilt for tool in program.tools))


def _directories(
    names: Sequence[str], cache: Path, go: Go, programs: Mapping[str, Program], sources: Path
) -> dict[str, Path]:
    for name in names:
        if name not in programs:
            raise BuildError(f"There is no program {name!r} to build; there are {', '.join(programs)}.")
    machine = platform.machine()
    return {name: cache / "programs" / name / build_key(programs[name], sources / name, go, machine) for name in names}


@dataclass
class _Build:
    program: Program
    sources: Path
    go: Go
    cache: Path
    progress: Callable[[str], None]

    def into(self, target: Path) -> None:
        home = target.parent
        home.mkdir(parents=True, exist_ok=True)
        with self._lock(home / "lock") as lock:
            if target.is_dir():  # another run finished it while this one waited
                return
            self._tidy(home)  # what a killed run left; the lock says that nobody uses it
            partial = Path(tempfile.mkdtemp(prefix=".building-", dir=home))
            try:
                with (home / "build.log").open("w", encoding="utf-8") as log:
                    output = partial / "out"
                    output.mkdir()
                    self._build(output, partial, log, lock)
                output.rename(target)
            finally:
                self._tidy(home)

    @staticmethod
    def _tidy(home: Path) -> None:
        for left in home.glob(".building-*"):
            shutil.rmtree(left, ignore_errors=True)

    def _build(self, output: Path, scratch: Path, log: IO[str], lock: IO[str]) -> None:
        program = self.program
        started = time.monotonic()
        self.progress(f"{program.name}: building with {self.go.version}, {program.hint or 'once'}; log: {log.name}")
        for tool in program.tools:
            if shutil.which(tool) is None:
                raise BuildError(
                    f"{program.name}: building it needs {', '.join(program.tools)}; {tool} is not on PATH. "
                    "On Debian: apt-get install gcc libc6-dev pkg-config apt dpkg"
                )
        environment = build_environment(self.cache, program.cgo, os.environ)
        environment["GOTMPDIR"] = str(scratch)  # the compiler's own temporary files go when this build goes
        if program.debian:
            environment.update(self._unpacked(scratch.parent / ".building-debian", environment, log, lock))

        def run(argv: list[str]) -> None:
            self._run(argv, self.sources, environment, log, lock)

        run(_go_build(program, self.go.command, output))
        for source in program.static_c:
            directory = self._module(source.module, environment) / source.directory
            files = sorted(str(file) for file in directory.glob("*.c"))
            run(["gcc", *source.flags, "-o", str(output / source.output), *files])
        for name in program.outputs:
            if not os.access(output / name, os.X_OK):
                raise BuildError(f"{program.name}: the build made no {name}. Log: {log.name}")
        for link in program.links:
            (output / link).symlink_to(program.outputs[0])
        self.progress(f"{program.name}: built in {time.monotonic() - started:.0f} s")

    def _module(self, module: str, environment: Mapping[str, str]) -> Path:
        run = subprocess.run(
            [str(self.go.command), "list", "-m", "-f", "{{.Dir}}", module],
            cwd=self.sources,
            env=dict(environment),
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode or not run.stdout.strip():
            raise BuildError(f"{self.program.name}: where is module {module}? go list says: {run.stderr.strip()}")
        return Path(run.stdout.strip())

    def _unpacked(self, root: Path, environment: Mapping[str, str], log: IO[str], lock: IO[str]) -> dict[str, str]:
        """Unpack the Debian packages under `root`; the environment that makes the C compiler find them there.

        Go's build cache remembers the linker's flags of a package with the package: `root` has the same name in every
        build, and is in CGO_LDFLAGS (which, other than what pkg-config says, is part of Go's own cache key).
        """
        root.mkdir()
        if os.geteuid() == 0:
            refresh()
        download = ["apt-get", "download", *self.program.debian]
        self._run(download, root, environment, log, lock, "If apt knows no such package: apt-get update, then again.")
        for package in sorted(root.glob("*.deb")):
            self._run(["dpkg-deb", "--extract", str(package), str(root)], root, environment, log, lock)
        for library in root.rglob("*.so"):
            library.unlink()  # so that the linker takes the static library beside it
        return {
            "PKG_CONFIG_SYSROOT_DIR": str(root),
            "PKG_CONFIG_LIBDIR": os.pathsep.join(map(str, sorted(root.rglob("pkgconfig")))),
            "CGO_LDFLAGS": f"-O2 -g -L{root}",
        }

    def _run(
        self,
        argv: list[str],
        directory: Path,
        environment: Mapping[str, str],
        log: IO[str],
        lock: IO[str],
        advice: str = "",
    ) -> None:
        started = time.monotonic()
        log.write(f"$ {' '.join(argv)}\n")
        log.flush()
        begin = log.tell()
        process = subprocess.Popen(
            argv,
            cwd=directory,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that all of the compiler can be stopped at once
            pass_fds=[lock.fileno()],  # a compiler that outlives a killed run keeps the lock until it ends
        )
        try:
            while True:
                try:
                    code = process.wait(HEARTBEAT)
                    break
                except subprocess.TimeoutExpired:
                    written = _text(log.name, begin)
                    self.progress(
                        f"{self.program.name}: building for {time.monotonic() - started:.0f} s, "
                        f"{sum(map(_is_package, written))} packages compiled"
                    )
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        if code:
            lines = [line for line in _text(log.name, begin) if not _is_package(line)]
            said = [f"  {line}" for line in lines[-20:]] or ["  (it said nothing)"]
            raise BuildError(
                f"{self.program.name}: `{argv[0]} {argv[1]}` failed with exit code {code} after "
                f"{time.monotonic() - started:.0f} s in {directory}:\n"
                + "\n".join([*said, *filter(None, [advice]), f"The whole log: {log.name}"])
            )

    @contextlib.contextmanager
    def _lock(self, path: Path) -> Iterator[IO[str]]:
        with path.open("w", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.progress(f"{self.program.name}: another run is building it, waiting for that (lock: {path})")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield lock


def _text(path: str, begin: int) -> list[str]:
    with open(path, encoding="utf-8", errors="replace") as log:
        log.seek(begin)
        return log.read().splitlines()


def _is_package(line: str) -> bool:
    """Whether this is a line of `go build -v`: an import path, or a module that is being downloaded."""
    return line.startswith("go: downloading ") or (bool(line) and " " not in line and ":" not in line)


def main(arguments: Sequence[str]) -> int:
    try:
        built = build(arguments or list(PROGRAMS), Places.of_user().root, lambda line: print(line, file=sys.stderr))
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    for directory in built.values():
        print(directory)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
