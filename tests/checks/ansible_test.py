# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-test on a copy of the checkout, without anything fetched but from PyPI.

It insists on a directory ansible_collections/longshore/delivery, refuses links, and fetches get-pip for its virtual
environments from a place that closed networks do not reach: a stand-in that asks ensurepip serves the same end.
"""

from __future__ import annotations

import concurrent.futures
import fnmatch
import os
import re
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

import yaml

from tests.lab.places import Places
from tests.pythons import NODE_PYTHONS, find_python, starts

CHECKOUT = Path(__file__).resolve().parents[2]

PIP_SETTINGS = ("cert", "index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "client-cert")

GET_PIP = """
import subprocess
import sys

# in a process of its own: ensurepip turns pip's configuration off for the one that calls it
subprocess.check_call([sys.executable, "-m", "ensurepip", "--upgrade"])
pins = [word for word in sys.argv[1:] if "==" in word]
if pins:
    sys.exit(subprocess.call([sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *pins]))
"""


def cache_directory() -> Path:
    """Where the copy is kept: outside the checkout, as ansible-test asks git which files below one count."""
    directory = Places.of_user().root / "ansible-test"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def tracked(*patterns: str) -> list[Path]:
    """The files that git tracks or would track; with patterns, those that match one."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns]
    listed = subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True).stdout
    paths = [CHECKOUT / name.decode() for name in listed.split(b"\0") if name]
    return [path for path in paths if path.is_file()]


def all_names() -> set[str]:
    """The names of all those files, from the checkout on."""
    return {str(path.relative_to(CHECKOUT)) for path in tracked()}


def packed_names() -> set[str]:
    """Of those the collection's archive has, by what galaxy.yml keeps out of it."""
    kept_out = yaml.safe_load((CHECKOUT / "galaxy.yml").read_text())["build_ignore"]
    return {
        name
        for name in all_names()
        if not any(
            fnmatch.fnmatch(str(place), pattern) for place in (name, *Path(name).parents) for pattern in kept_out
        )
    }


def collection_below(root: Path) -> Path:
    """Where tools of Ansible look for the collection below a directory of collections."""
    return root / "ansible_collections" / "longshore" / "delivery"


def copy_collection(root: Path, wanted: set[str]) -> Path:
    """Copy files of the checkout to ROOT/ansible_collections/longshore/delivery, and return that directory.

    :param wanted: their names; nothing else is there afterwards.
    """
    target = collection_below(root)
    # kept between runs: a file that did not change keeps its time, and ansible-test's caches their worth
    for path in [path for path in target.rglob("*") if path.is_file()]:
        name = str(path.relative_to(target))
        if name not in wanted and not name.startswith("tests/output/"):
            path.unlink()
    for name in sorted(wanted):
        source, copy = CHECKOUT / name, target / name
        if (
            not copy.exists()
            or copy.read_bytes() != source.read_bytes()
            or copy.stat().st_mode != source.stat().st_mode
        ):
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy)
    return target


def carry_pip_settings(home: Path) -> None:
    """Give pip in HOME the user's own index, proxy and certificates, which ansible-test would take from its environment."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    settings = dict(re.findall(r"^(?:global|:env:)\.([a-z-]+)='(.*)'$", listed, re.MULTILINE))
    kept = {name: value for name, value in settings.items() if name in PIP_SETTINGS}
    configuration = home / ".config" / "pip" / "pip.conf"
    configuration.parent.mkdir(parents=True, exist_ok=True)
    configuration.write_text("[global]\n" + "".join(f"{name} = {value}\n" for name, value in kept.items()))


def working_pythons(directory: Path) -> str:
    """Link every Python that starts into DIRECTORY, and return a PATH with those and without a version manager's dead shims."""
    directory.mkdir(parents=True, exist_ok=True)
    for link in directory.glob("python*"):
        link.unlink()
    for version in NODE_PYTHONS:
        python = find_python(version)
        if python:
            (directory / f"python{version}").symlink_to(python)
    path = [Path(place) for place in os.environ["PATH"].split(os.pathsep) if place]
    versions = ("3.8", *NODE_PYTHONS)  # ansible-core 2.19 asks for 3.8 too, which no node may have
    shims = [place / f"python{version}" for place in path for version in versions]
    dead = {shim.parent for shim in shims if shim.exists() and not starts(shim)}
    return os.pathsep.join(str(place) for place in (directory, *path) if place not in dead)


class Sanity(t.NamedTuple):
    """What came of the tests.

    :param said: all outputs.
    :param ran: the names of those that ran, each as often as it did; by Python where it is for one of them.
    :param available: the names of all that there are.
    """

    passed: bool
    said: str
    ran: list[str]
    available: set[str]


def sanity(names: set[str], bin_directory: Path | None = None) -> Sanity:
    """Run every sanity test on a copy of the checkout, in two runs at once: pylint takes as long as all the others, on one core.

    Each has a copy and a home of its own, since ansible-test is not made for company.

    :param names: the files of the checkout to run them on.
    :param bin_directory: where the ansible-test to use is; by default that of the Python that runs.
    """
    tools = bin_directory or Path(sys.executable).parent
    all_but_pylint, pylint_alone = (cache_directory() / name for name in ("others", "pylint"))
    for root in (all_but_pylint, pylint_alone):
        copy_collection(root, names)
    with concurrent.futures.ThreadPoolExecutor() as both:
        others = both.submit(_sanity, all_but_pylint, tools, "--skip-test", "pylint")
        pylint = both.submit(_sanity, pylint_alone, tools, "--test", "pylint")
    runs = [others.result(), pylint.result()]
    said = "".join(run.stdout + run.stderr for run in runs)
    listed = _sanity(all_but_pylint, tools, "--list-tests")
    return Sanity(
        passed=not any(run.returncode for run in runs),
        said=said,
        ran=re.findall(r'Running sanity test "(\S+)"', said),
        available=set(re.findall(r"^[a-z0-9-]+$", listed.stdout, re.MULTILINE)),
    )


def _sanity(root: Path, tools: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ansible-test sanity on the copy below ROOT, which also has the home with what ansible-test keeps."""
    collection, home = collection_below(root), root / "home"
    environment = {**os.environ, "HOME": str(home), "PYTHONPATH": "", "PATH": working_pythons(home / "bin")}
    shellcheck = home / "bin" / "shellcheck"
    shellcheck.unlink(missing_ok=True)
    shellcheck.symlink_to(Path(sys.executable).with_name("shellcheck"))
    carry_pip_settings(home)
    shims: set[str] = set()
    while True:
        done = subprocess.run(
            [str(tools / "ansible-test"), "sanity", "--venv", "--color", "no", *arguments],
            cwd=collection,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        # the name of the file follows ansible-core's version and is learned from its complaint
        asked = re.search(r"(get_pip_[0-9_]+\.py)", done.stdout + done.stderr)
        if done.returncode == 0 or not asked or asked.group(1) in shims:
            return done
        shims.add(asked.group(1))
        cache = home / ".ansible" / "test" / "cache"
        cache.mkdir(parents=True, exist_ok=True)
        (cache / asked.group(1)).write_text(GET_PIP)
