# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The named volume of an engine's that keeps a registry's images.

The local driver of both engines has a volume in a directory of the host, where all that works on files finds the images. It is
closed to other users than root on the way there, and given to the registry by the engine.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import RunCommand

# what both engines take for a name
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*\Z")
_NOT_THERE = "no such volume"
# options of the local driver with which it mounts something, for as long as a container uses it
_MOUNTED_BY = ("type", "device")
# in which directory an engine makes its volumes: what it is asked for, and what comes after its answer
_PLACES = {
    "docker": (["info", "--format", "{{.DockerRootDir}}"], "volumes"),
    "podman": (["info", "--format", "{{.Store.VolumePath}}"], ""),
}
SPEC: t.Dict[str, t.Any] = {
    "type": "dict",
    "options": {
        "engine": {"type": "str", "required": True},
        "name": {"type": "str", "required": True},
        "place": {"type": "path", "required": True},
        "container": {"type": "str", "default": ""},
    },
}


@dataclasses.dataclass(frozen=True)
class Volume:
    """A volume that is wanted; without a name none is.

    :param engine: the engine's name.
    :param fault: why it cannot keep the images, as a sentence with the way out.
    """

    name: str = ""
    engine: str = ""
    there: bool = False
    fault: str = ""

    @property
    def named(self) -> str:
        return "volume %s of %s" % (self.name, self.engine)

    @property
    def to_make(self) -> bool:
        return bool(self.name) and not self.there

    @property
    def differences(self) -> t.List[str]:
        return ["%s is not there" % self.named] if self.to_make else []


def observe(name: str, place: str, engine: str, in_bucket: bool, run_command: RunCommand) -> Volume:
    """Ask the engine for the volume; where it is not there yet, for the directory in which it would be.

    :param place: the directory of the images, which has to be the volume's.
    :param engine: the path of its command; empty where the registry is in no container.
    :param in_bucket: whether the images are to be in a bucket.
    """
    found = Volume(name, os.path.basename(engine))
    fault = _fault(name, engine, in_bucket)
    if fault:
        return dataclasses.replace(found, fault=fault)
    asked = run_command([engine, "volume", "inspect", name])
    if asked.rc and _NOT_THERE not in asked.stderr.lower():
        return dataclasses.replace(found, fault=_no_answer(found.engine, asked.stderr))
    if asked.rc:
        command, below = _PLACES.get(found.engine, _PLACES["docker"])
        said = run_command([engine, *command])
        if said.rc or not said.stdout.strip():
            return dataclasses.replace(found, fault=_no_answer(found.engine, said.stderr))
        there = os.path.join(said.stdout.strip(), below, name, "_data")
        return dataclasses.replace(found, fault=_elsewhere(found, place, there))
    (document,) = json.loads(asked.stdout)
    found = dataclasses.replace(found, there=True)
    options = document.get("Options") or {}
    if document["Driver"] != "local" or any(option in options for option in _MOUNTED_BY):
        return dataclasses.replace(
            found,
            fault="%s is not a directory of this host's at all times: its driver is %s%s. Name another volume, or mount that "
            "place on the host and set registry_data to it, without registry_volume."
            % (
                _begin(found.named),
                document["Driver"],
                "".join(", with %s %s" % pair for pair in sorted(options.items())),
            ),
        )
    return dataclasses.replace(found, fault=_elsewhere(found, place, document["Mountpoint"]))


def _fault(name: str, engine: str, in_bucket: bool) -> str:
    if not _NAME.match(name):
        return (
            "registry_volume is %r, which is no volume's name. Use letters, digits and _ . - only, beginning with a letter or a "
            "digit; a directory is what registry_data is for." % name
        )
    if in_bucket:
        return "registry_volume is %s, and registry_s3 keeps the images in a bucket. Leave one of them away." % name
    if not engine:
        return (
            "registry_volume is %s, a volume of an engine's, and registry_backend is package. Set registry_backend to container, "
            "or registry_data to a directory instead." % name
        )
    return ""


def _no_answer(engine: str, said: str) -> str:
    return "%s does not tell of its volumes on this host: %s. Start it, or see what it lacks." % (
        engine,
        " ".join(said.split()).rstrip(".") or "it says nothing",
    )


def _elsewhere(volume: Volume, place: str, there: str) -> str:
    if os.path.normpath(place) == os.path.normpath(there):
        return ""
    return "%s %s in %s, and registry_data is %s. Set registry_data to the former." % (
        _begin(volume.named),
        "is" if volume.there else "would be",
        there,
        place,
    )


def _begin(words: str) -> str:
    return words[0].upper() + words[1:]


@dataclasses.dataclass(frozen=True)
class Leaving:
    """A volume that is there when the registry is taken away.

    :param argv: what removes it.
    :param kept_for: why it has to stay whatever is asked for, in words; empty where it can go.
    """

    named: str
    argv: t.Tuple[str, ...]
    kept_for: str = ""


def leaving(
    wanted: t.Optional[t.Mapping[str, str]], is_the_roles: bool, data: t.Iterable[str], run_command: RunCommand
) -> t.Optional[Leaving]:
    """Look at a volume before the registry is taken away; None where there is none.

    :param wanted: with C(engine), C(name), C(place) and C(container), the registry's own.
    :param is_the_roles: whether the role has made it.
    :param data: what goes before it does.
    """
    if not wanted or run_command([wanted["engine"], "volume", "inspect", wanted["name"]]).rc:
        return None
    engine, name, place = wanted["engine"], wanted["name"], wanted["place"]
    asked = run_command([engine, "ps", "--all", "--filter", "volume=%s" % name, "--format", "{{.Names}}"])
    users = [user for user in asked.stdout.split() if user != wanted["container"]]
    gone = {os.path.basename(path) for path in data if os.path.dirname(path) == place}
    others = sorted({*os.listdir(place)} - gone) if os.path.isdir(place) else []
    kept_for = ""
    if not is_the_roles:
        kept_for = "which the role has not made"
    elif users:
        kept_for = "which other containers use: %s" % ", ".join(users)
    elif others:
        kept_for = "in which there are other things: %s" % ", ".join(others)
    return Leaving(named(wanted), (engine, "volume", "rm", name), kept_for)


def named(wanted: t.Mapping[str, str]) -> str:
    """In words, which volume an option names."""
    return "volume %s of %s" % (wanted["name"], os.path.basename(wanted["engine"]))
