# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The place for the images: one that the registry cannot write to is mended, or named before anything is changed."""

from __future__ import annotations

import contextlib
import os
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryError

from .lab import DATA, changed, client, files, on_host, play, processes, said_differences

pytestmark = [pytest.mark.lab, pytest.mark.wide]

MOUNT = "/mnt/registry-test"


def test_images_that_belong_to_somebody_else_are_given_to_the_registry(ca: str, repository: str) -> None:
    """As after a restore by root, or with a volume of another host."""
    running = processes()
    with client(ca) as pushing:
        pushing.push_blob(repository, b"a layer")
        on_host("chown", "--recursive", "root:root", f"{DATA}/docker")
        with pytest.raises(RegistryError):
            pushing.push_blob(repository, os.urandom(1000))
        output = play()
        assert said_differences(output) == [
            f"docker-registry cannot write to {DATA}/docker, which belongs to root:root, mode 0755"
        ]
        assert changed(output) == 1
        pushing.push_blob(repository, os.urandom(1000))
    assert processes() == running
    assert changed(play()) == 0


def test_a_single_directory_of_the_images_is_noticed_too(ca: str, repository: str) -> None:
    repositories = f"{DATA}/docker/registry/v2/repositories"
    on_host("chmod", "555", f"{repositories}/registry-test")
    output = play()
    assert f"cannot write to {repositories}/registry-test" in " ".join(said_differences(output))
    with client(ca) as pushing:
        pushing.push_blob(f"{repository}-other", os.urandom(1000))


@contextlib.contextmanager
def mounted(*options: str) -> t.Iterator[None]:
    on_host("mkdir", "--parents", MOUNT)
    on_host("mount", "--types", "tmpfs", "--options", ",".join(["size=20m", *options]), "tmpfs", MOUNT)
    try:
        yield
    finally:
        on_host("umount", MOUNT)
        on_host("rmdir", MOUNT)


def refused(place: str) -> str:
    before, running = files(), processes()
    output = play(ok=False, registry_data=place)
    assert changed(output) == 0
    assert (files(), processes()) == (before, running)
    return " ".join(output.split())


def test_a_full_file_system_is_named(ca: str) -> None:
    with mounted():
        on_host("fallocate", "--length", "15M", f"{MOUNT}/other")
        said = refused(f"{MOUNT}/images")
    assert f"registry_data {MOUNT}/images, and the file system there (mounted at {MOUNT}) has 5 MiB left" in said
    assert "Make room" in said


def test_a_read_only_file_system_is_named(ca: str) -> None:
    with mounted("ro"):
        said = refused(f"{MOUNT}/images")
    assert f"(mounted at {MOUNT}) is read-only" in said


def test_a_directory_that_the_registry_may_not_enter_is_named(ca: str) -> None:
    with mounted("mode=700"):
        said = refused(f"{MOUNT}/images")
    assert f"docker-registry may not enter {MOUNT} on the way there" in said
