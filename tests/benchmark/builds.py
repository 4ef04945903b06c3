# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""image_build against community.docker's docker_image_build and the docker command, by dock's engine: 1,000 files, 100 MB."""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import os
import subprocess
import sys
import sysconfig
import time
import typing as t
import uuid
from pathlib import Path

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.longshore.delivery.plugins.module_utils.build import context as contexts
from ansible_collections.longshore.delivery.plugins.module_utils.build.content_hashes import SETTLED, ContentHashes
from ansible_collections.longshore.delivery.plugins.module_utils.build.definition import read_definition
from ansible_collections.longshore.delivery.plugins.module_utils.build.dockerignore import IgnoreRules
from ansible_collections.longshore.delivery.plugins.module_utils.build.image_build import CAPABILITY
from ansible_collections.longshore.delivery.plugins.module_utils.build.inputs import Inputs
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed, Context
from ansible_collections.longshore.delivery.plugins.module_utils.running import run_command
from tests.lab.nodes import BUILDER
from tests.lab.places import Places

from .pairs import Limit, Row, paired

FILES, BYTES = 1_000, 100_000
TIMES = 100  # as many files in a look at many
DOCKERFILE = "FROM scratch\nCOPY . /\n"
PLACES = Places.of_user()
CHECKOUT = Path(__file__).resolve().parents[2]


class Source:
    """A directory to build, its images under names of their own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.name = f"longshore.benchmark/{uuid.uuid4().hex[:12]}"
        self._versions = itertools.count()
        for number in range(FILES):
            path = directory / f"part{number % 20}" / str(number)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(os.urandom(BYTES))
        (directory / "Dockerfile").write_text(DOCKERFILE)
        self.environment = {
            **os.environ,
            "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
            # community.docker is the one of the development environment's package ansible
            "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / ".cache" / "collections"),
            "DOCKER_CONFIG": str(PLACES.docker_config),
            "DOCKER_HOST": BUILDER,
            "DOCKER_CERT_PATH": str(PLACES.builder),
            "DOCKER_TLS_VERIFY": "1",
        }
        # what the peer asks by docker-py, which takes the certificates from the options alone
        tls = {"ca_path": "ca.pem", "client_cert": "cert.pem", "client_key": "key.pem"}
        peers = {"docker_host": BUILDER, "validate_certs": True}
        peers.update({option: str(PLACES.builder / file) for option, file in tls.items()})
        self.ours = {"name": f"{self.name}/ours", "tags": ["1"], "source": str(directory)}
        self.play("ours", {"longshore.delivery.image_build": self.ours})
        theirs = {"name": f"{self.name}/theirs", "tag": "1", "path": str(directory), "rebuild": "always"}
        self.play("theirs", {"community.docker.docker_image_build": {**theirs, **peers}})

    def play(self, name: str, *tasks: dict[str, t.Any]) -> None:
        play = {"hosts": "localhost", "gather_facts": False, "tasks": tasks}
        self.playbook(name).write_text(json.dumps([play]))

    def playbook(self, name: str) -> Path:
        return self.directory.parent / f"{name}.yml"

    def change(self) -> None:
        (self.directory / "part7" / "7").write_bytes(b"%d" % next(self._versions) + os.urandom(BYTES))

    def seconds(self, *command: str | Path, says: str = "") -> float:
        began = time.monotonic()
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - began
        said = done.stdout + done.stderr
        if done.returncode or says not in said:
            raise SystemExit(
                f"{command} ended with {done.returncode}, {says!r} was to be said; it said:\n{said[-3000:]}"
            )
        return seconds

    def played(self, name: str, changed: int | None = None) -> float:
        program = Path(sys.executable).parent / "ansible-playbook"
        says = "" if changed is None else f"changed={changed} "
        return self.seconds(program, self.playbook(name), says=says)

    def command_changed(self) -> float:
        self.change()
        tag = f"{self.name}/command:1"
        return self.seconds("docker", "buildx", "build", "--builder=default", "--load", "--tag", tag, self.directory)

    def decided(self) -> float:
        began = time.monotonic()
        read_definition(str(self.directory), "Dockerfile")
        return time.monotonic() - began

    def changed(self) -> float:
        """The task alone, without Ansible's own start, after a change."""
        self.change()
        given = {**self.ours, "docker_host": BUILDER, "docker_cert_path": str(PLACES.builder)}
        params = ArgumentSpecValidator(CAPABILITY.argument_spec).validate(given).validated_parameters
        context = Context(check=False, diff=False, warn=print, progress=lambda _line: None, run_command=self.command)
        began = time.monotonic()
        result = CAPABILITY.run(params, context)
        seconds = time.monotonic() - began
        if not result["changed"]:
            raise SystemExit(f"image_build did something else, so this would measure another thing: {result['why']}")
        return seconds

    def command(self, argv: t.Sequence[str], **options: t.Any) -> Completed:
        """With the lab's buildx."""
        added = {**(options.pop("environment", None) or {}), "DOCKER_CONFIG": str(PLACES.docker_config)}
        return run_command(argv, environment=added, **options)

    def remove(self) -> None:
        for owner in ("ours", "theirs", "command"):
            with contextlib.suppress(SystemExit):  # it was not built
                self.seconds("docker", "image", "rm", f"{self.name}/{owner}:1")


class Tree:
    """A directory of empty files, a thousand in each of its own, and what is kept of them.

    :param directory: where both are.
    """

    def __init__(self, directory: Path, files: int) -> None:
        self._root, self._cache = directory / "context", directory / "hashes.json"
        for part in range(files // FILES):
            below = self._root / str(part)
            below.mkdir(parents=True)
            (below / "0").touch()
            for number in range(1, FILES):
                os.link(below / "0", below / str(number))

    def looked_at(self, times: int = 1) -> float:
        began = time.monotonic()
        for _time in range(times):
            hashes = ContentHashes(str(self._root), str(self._cache))
            entries = contexts.read(str(self._root), IgnoreRules(), hashes).entries
            hashes.save()
            if not Inputs({"context": entries}).digest:
                raise SystemExit("there is no digest of the files, so this would measure another thing")
        return time.monotonic() - began


def peer() -> str:
    """The collection that is measured against, with its version: that of the package ansible, which constraints.txt pins."""
    manifest = Path(sysconfig.get_path("purelib"), "ansible_collections", "community", "docker", "MANIFEST.json")
    information = json.loads(manifest.read_text())["collection_info"]
    return "%(namespace)s.%(name)s %(version)s" % information


def rows(directory: Path, empty: t.Callable[[], float], runs: int) -> t.Iterator[tuple[str, Row]]:
    """:param empty: runs an empty play and gives its seconds."""
    contents = directory / "context"
    contents.mkdir()
    source = Source(contents)
    few, many = Tree(directory / "few", FILES), Tree(directory / "many", TIMES * FILES)
    try:
        few.looked_at()
        many.looked_at()
        source.played("ours")
        time.sleep(SETTLED / 1e9 + 0.5)  # what was written a moment ago is read again at the next look
        unchanged = functools.partial(source.played, "ours", changed=0)
        unchanged()
        yield (
            "image_build's look at 1,000 files of 100 MB, nothing changed / an empty play",
            paired(source.decided, empty, runs, Limit("seconds", 0.06)),
        )
        yield (
            f"image_build's look at {TIMES * FILES:,} files, nothing changed / {TIMES} times at {FILES:,}",
            paired(many.looked_at, functools.partial(few.looked_at, TIMES), runs, Limit("ratio", 1.5)),
        )
        yield (
            "image_build, nothing changed / an empty play",
            paired(unchanged, empty, runs, Limit("more", 0.5)),
        )
        yield (
            "image_build, nothing changed / docker_image_build, nothing changed",
            {
                **paired(unchanged, functools.partial(source.played, "theirs"), runs, Limit("ratio", 0.5)),
                "peer": peer(),
            },
        )
        yield (
            "image_build's function, a changed file / docker buildx build, a changed file",
            paired(source.changed, source.command_changed, runs, Limit("more", 0.5)),
        )
    finally:
        source.remove()
