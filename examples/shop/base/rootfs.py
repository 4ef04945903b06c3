#!/usr/bin/env python3
# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make rootfs.tar, all that the base image consists of, with debootstrap.

The tar is made once and kept in ${XDG_CACHE_HOME:-~/.cache}/longshore/images/; after that this only links it into the build
context, which takes no time. The same packages give the same bytes: names are sorted, times are fixed, and what would tell
the hour or the machine of the build (logs, caches, the resolver's configuration, the host's name) is left out.

Needs root and debootstrap; it runs in mount and process namespaces of its own, so whatever ends it leaves no mount and no
process behind.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SUITE = "bookworm"
PACKAGES = ("ca-certificates", "python3", "python3-venv")
MIRROR = "http://deb.debian.org/debian"
# Every file's time, and through the environment the dates that packages write while they are set up: bookworm's release.
EPOCH = 1686355200

# Empty in the image: mount points, and what belongs to the building machine or the moment.
EMPTIED = (
    "boot", "dev", "proc", "run", "sys", "tmp", "var/tmp", "var/cache", "var/log", "var/lib/apt/lists", "debootstrap",
    "usr/share/doc", "usr/share/i18n", "usr/share/info", "usr/share/lintian", "usr/share/locale", "usr/share/man",
)  # fmt: skip
REMOVED = (
    "debootstrap", "etc/hostname", "etc/machine-id", "etc/resolv.conf",
    "etc/group-", "etc/gshadow-", "etc/passwd-", "etc/shadow-", "etc/subgid-", "etc/subuid-",
    "var/lib/apt/extended_states", "var/lib/dpkg/available-old", "var/lib/dpkg/diversions-old",
    "var/lib/dpkg/statoverride-old", "var/lib/dpkg/status-old",
)  # fmt: skip

HERE = Path(__file__).resolve().parent


class RootfsError(Exception):
    """Why no root file system could be made, and what to do about it."""


def cache_directory() -> Path:
    """Where finished tars are kept: images/ in the project's XDG cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "longshore" / "images"


def cached_name() -> str:
    """The tar's name in the cache; it changes with this file, for this file is the recipe."""
    return f"shop-base-{SUITE}-{hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]}.tar"


@contextmanager
def only_one(directory: Path) -> Iterator[None]:
    """Hold the cache's lock, so that two runs at once make one tar; a run that dies gives it up."""
    directory.mkdir(parents=True, exist_ok=True)
    with open(directory / "shop-base.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def debootstrap(target: Path, mirror: str) -> None:
    """Fill `target` with Debian's packages; RootfsError carries debootstrap's own last lines."""
    if os.geteuid() != 0:
        cache = f"XDG_CACHE_HOME={cache_directory().parents[1]}"
        again = shlex.join(["sudo", "env", cache, sys.executable, str(HERE / "rootfs.py")])
        raise RootfsError(f"debootstrap makes device nodes and owners, which takes root. Run once: {again}")
    if shutil.which("debootstrap") is None:
        raise RootfsError("debootstrap is not installed: apt-get install debootstrap")
    command = [
        *("setpriv", "--pdeathsig", "KILL"),
        *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"),
        *("debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, str(target), mirror),
    ]
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "SOURCE_DATE_EPOCH": str(EPOCH),
        "LC_ALL": "C.UTF-8",
        **{name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")},
    }
    done = subprocess.run(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if done.returncode != 0:
        log = target / "debootstrap" / "debootstrap.log"
        details = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        last = "\n".join((details + done.stdout).splitlines()[-15:])
        raise RootfsError(f"debootstrap of {SUITE} from {mirror} failed (exit code {done.returncode}):\n{last}")


def clean(root: Path) -> None:
    """Take out what no container needs or what differs from build to build with the same packages."""
    for name in EMPTIED:
        directory = root / name
        for entry in directory.iterdir() if directory.is_dir() else ():
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    for name in REMOVED:
        path = root / name
        path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
    # Compiled files carry their source's time unless told otherwise, and the tar gives every file the same one.
    for compiled in root.glob("usr/**/__pycache__"):
        shutil.rmtree(compiled)
    compile_all = ("/usr/bin/python3", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash")
    subprocess.run(
        ["chroot", str(root), *compile_all, "/usr/lib/python3.11", "/usr/lib/python3"],
        check=True,
        stdout=subprocess.DEVNULL,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONHASHSEED": "0"},
    )


def pack(root: Path, tar: Path) -> None:
    """Write `root` as a tar whose bytes depend on names, modes, owners and contents alone."""

    def fixed(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.mtime = EPOCH
        member.uname = member.gname = ""
        return member

    with tarfile.open(tar, "w", format=tarfile.PAX_FORMAT) as archive:
        archive.add(root, arcname=".", recursive=False, filter=fixed)
        for path in sorted(root.rglob("*")):
            archive.add(path, arcname=str(path.relative_to(root)), recursive=False, filter=fixed)


def make(tar: Path, mirror: str) -> None:
    """Make `tar` under a temporary name and rename it, so that an interrupted run leaves no half of one."""
    for leftover in tar.parent.glob("shop-base.*.partial"):
        shutil.rmtree(leftover)
    work = Path(tempfile.mkdtemp(prefix="shop-base.", suffix=".partial", dir=tar.parent))
    try:
        root = work / "root"
        root.mkdir(mode=0o755)
        debootstrap(root, mirror)
        clean(root)
        pack(root, work / "rootfs.tar")
        os.replace(work / "rootfs.tar", tar)
        for earlier in set(tar.parent.glob("shop-base-*.tar")) - {tar}:
            earlier.unlink()
    finally:
        shutil.rmtree(work, ignore_errors=True)  # the next run sweeps what a dying child keeps writing


def place(tar: Path, destination: Path) -> bool:
    """Link (or copy, across file systems) the cached tar into the build context; tell whether that changed anything."""
    if destination.exists() and destination.samefile(tar):
        return False
    if destination.exists() and (destination.stat().st_size, int(destination.stat().st_mtime)) == (
        tar.stat().st_size,
        int(tar.stat().st_mtime),
    ):
        return False
    beside = destination.with_name(f".{destination.name}.{os.getpid()}")
    try:
        try:
            os.link(tar, beside)
        except OSError:
            shutil.copy2(tar, beside)
        os.replace(beside, destination)
    finally:
        beside.unlink(missing_ok=True)
    return True


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mirror", default=MIRROR, help="Debian mirror (default: %(default)s)")
    parser.add_argument("--refresh", action="store_true", help="make the tar anew, with the packages of today")
    parser.add_argument("--output", type=Path, default=HERE / "rootfs.tar", help="default: rootfs.tar beside this file")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    tar = cache_directory() / cached_name()
    try:
        with only_one(tar.parent):
            made = options.refresh or not tar.exists()
            if made:
                print(f"base image: debootstrap {SUITE} from {options.mirror}, about a minute", flush=True)
                make(tar, options.mirror)
            placed = place(tar, options.output)
    except (RootfsError, OSError, subprocess.CalledProcessError) as error:
        print(f"base image: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("base image: interrupted; nothing is left behind, run it again", file=sys.stderr)
        return 130
    what = "made" if made else "from the cache" if placed else "already in place"
    print(f"base image: {options.output.name} {what} ({tar}, {time.monotonic() - began:.1f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
