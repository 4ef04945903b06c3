# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One engine for the tests of image_build."""

from __future__ import annotations

import contextlib
import hashlib
import io
import tarfile
import typing as t
import uuid
from pathlib import Path

import docker
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.longshore.delivery.plugins.module_utils.build.image_build import CAPABILITY
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed, Context
from ansible_collections.longshore.delivery.plugins.module_utils.running import run_command
from tests import returned
from tests.integration.docker_clients import client_of
from tests.lab.places import Places

PLACES = Places.of_user()


class Engine:
    """One engine, its images under a prefix of their own, and image_build against it."""

    def __init__(self, host: str, certificates: Path | None) -> None:
        self.options: dict[str, t.Any] = {"docker_host": host}
        if certificates:
            self.options["docker_cert_path"] = str(certificates)
        self.client = client_of(host, certificates)
        self.prefix = f"longshore.test/{uuid.uuid4().hex[:12]}"
        self.progress: list[str] = []
        self.on_progress: t.Callable[[str], object] = lambda line: None
        self.commands: list[list[str]] = []
        self.built: list[str] = []

    def run_command(self, argv: t.Sequence[str], **options: t.Any) -> Completed:
        self.commands.append(list(argv))
        return run_command(argv, **options)

    def show(self, line: str) -> None:
        self.progress.append(line)
        self.on_progress(line)

    def build(self, name: str, source: Path, *, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        given_options = {"name": f"{self.prefix}/{name}", "source": str(source), **self.options, **options}
        checked = ArgumentSpecValidator(CAPABILITY.argument_spec).validate(given_options)
        assert checked.error_messages == []
        self.progress, self.commands = [], []
        how = Context(
            check=check,
            diff=True,
            warn=self.progress.append,
            progress=self.show,
            run_command=self.run_command,
        )
        result = returned.run("image_build", checked.validated_parameters, how)
        if result["changed"] and not check:
            self.built.append(result["image"]["id"])
        return result

    def id(self, name: str) -> str | None:
        try:
            return t.cast("str", self.client.images.get(f"{self.prefix}/{name}").id)
        except docker.errors.ImageNotFound:
            return None

    def files(self, name: str) -> dict[str, str]:
        """All that an image has, in the form that a walk gives."""
        container = self.client.containers.create(f"{self.prefix}/{name}", "none")
        try:
            content = io.BytesIO(b"".join(container.export()))
        finally:
            container.remove()
        found = {}
        with tarfile.open(fileobj=content) as archive:
            for member in archive.getmembers():
                path, mode = member.name.rstrip("/"), member.mode & 0o7777
                if member.issym():
                    found[path] = f"link {member.linkname}"
                elif member.isdir():
                    found[path] = f"directory {mode:04o}"
                elif member.isfile():
                    digest = hashlib.sha256(t.cast("t.IO[bytes]", archive.extractfile(member)).read()).hexdigest()
                    found[path] = f"file {mode:04o} {digest}"
        return found

    def files_below(self, name: str, directory: str) -> dict[str, str]:
        return below(self.files(name), directory)

    def clean(self) -> None:
        """Take away every image that was built here, the newest first: one may stand on another."""
        for image in reversed(self.built):
            with contextlib.suppress(docker.errors.ImageNotFound):
                self.client.images.remove(image, force=True)
        self.client.close()


def below(files: dict[str, str], directory: str) -> dict[str, str]:
    """Those of a directory, by their paths from there."""
    start = directory + "/"
    return {path[len(start) :]: entry for path, entry in files.items() if path.startswith(start)}
