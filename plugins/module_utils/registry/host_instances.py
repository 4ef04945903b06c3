# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The registries that the role has put on one host beside one another, each but one with a name: its instance.

What is of one alone has its name; nginx, its number of connections, the packages and the registry's user are of all. What an
instance has is read from its files, so that one counts that does not run at the moment.
"""

from __future__ import annotations

import dataclasses
import glob
import json
import os
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_files import content_of
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_ledger import Ledger, load

# in which a variable of nginx with it still has room
_NAME = re.compile(r"[a-z][a-z0-9]{0,9}\Z")
# as an instance without a name has them in names of its own: longshore-registry-garbage.service, longshore-registry-plain.log
_RESERVED = ("garbage", "plain")

# as roles/registry has them: registry_directory and registry_site_file of vars/main.yml, and the lines of two templates
_CONFIGURATIONS = "etc/longshore/registry*/config.yml"
_SITE = "etc/nginx/conf.d/longshore-registry%s.conf"
_DIRECTORY = "etc/longshore/registry%s/"
_BACKEND = re.compile(r"^ +addr: 127\.0\.0\.1:(\d+)$", re.MULTILINE)
_STORE = re.compile(r'^  filesystem:\n +rootdirectory: (".*")$', re.MULTILINE)
_ENDPOINT = re.compile(r"^ +listen \S*?:(\d+)(?: ssl)?;$", re.MULTILINE)
_CONNECTIONS = re.compile(r"^# of nginx\.conf: (\d+) connections", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Instance:
    """A registry of the role's, as its files say.

    :param ports: those of its endpoint, and those of 127.0.0.1 that are its own.
    :param data: the directory of its images; empty where they are in none.
    :param connections: how many it wants nginx to take; 0 where that does not matter to it.
    """

    name: str
    ports: t.Tuple[int, ...] = ()
    data: str = ""
    connections: int = 0

    @property
    def named(self) -> str:
        return named(self.name)


def named(name: str) -> str:
    """In words, which registry of a host it is."""
    return "the instance '%s' (registry_instance)" % name if name else "the registry without a registry_instance"


def check(name: str) -> None:
    """:raises DeliveryError: no instance can have this name."""
    if name and (not _NAME.match(name) or name in _RESERVED):
        raise DeliveryError(
            "registry_instance is %r, and has to begin with a lower-case letter, have at most 10 such letters and digits, and "
            "be none of %s. Leave it empty for the only registry of a host." % (name, " and ".join(_RESERVED))
        )


def others(name: str, root: str = "/") -> t.Tuple[Instance, ...]:
    """The instances on this host but for the one of this name, in the order of their names."""
    found = []
    for path in glob.glob(os.path.join(root, _CONFIGURATIONS)):
        directory = os.path.basename(os.path.dirname(path))
        other = directory[len("registry-") :]
        if directory in ("registry", "registry-" + other) and other != name:
            suffix = "-" + other if other else ""
            found.append(_read(other, _text(path), _text(os.path.join(root, _SITE % suffix))))
    return tuple(sorted(found, key=lambda one: one.name))


def present(name: str, root: str = "/") -> Instance:
    """The instance of this name as its files are now; one without ports where there is none."""
    suffix = "-" + name if name else ""
    return _read(name, _text(configuration_of(name, root)), _text(os.path.join(root, _SITE % suffix)))


def configuration_of(name: str, root: str = "/") -> str:
    """The file that the registry of this instance is told to serve."""
    return os.path.join(root, _CONFIGURATIONS.replace("*", "-" + name if name else ""))


def _read(name: str, configuration: str, site: str) -> Instance:
    store, connections = _STORE.search(configuration), _CONNECTIONS.search(site)
    ports = [*_ENDPOINT.findall(site), *_BACKEND.findall(configuration)]
    return Instance(
        name,
        tuple(dict.fromkeys(int(port) for port in ports)),
        json.loads(store[1]) if store else "",
        int(connections[1]) if connections else 0,
    )


def is_said_of(name: str, words: str) -> bool:
    """Whether what nginx says against its configuration is about the site or a file of this instance, and of no other."""
    suffix = "-" + name if name else ""
    return any("/" + place % suffix in words for place in (_SITE, _DIRECTORY))


def _text(path: str) -> str:
    return content_of(path).decode("utf-8", "replace")


def conflicts(found: t.Iterable[Instance], ports: t.Mapping[int, str], data: str) -> t.List[str]:
    """What two instances would both have, each a sentence with its way out.

    :param ports: those of this one, with the options that set them.
    :param data: the directory of its images.
    """
    said = []
    for other in found:
        said += [
            "Port %d (%s) is one of %s, which is on this host too. Set another one." % (port, option, other.named)
            for port, option in ports.items()
            if port in other.ports
        ]
        if data and other.data and overlap(data, other.data):
            said.append(
                "registry_data %s and the images of %s, in %s, would be in one place. Set another one."
                % (data, other.named, other.data)
            )
    return said


def overlap(one: str, another: str) -> bool:
    """Whether one of two places is in the other."""
    first, second = (os.path.join(os.path.normpath(path), "") for path in (one, another))
    return first.startswith(second) or second.startswith(first)


def ledgers(ledger: str) -> t.Dict[str, Ledger]:
    """The ledgers beside this one, by the names of their instances.

    :raises DeliveryError: one of them cannot be understood.
    """
    found = {}
    for path in sorted(glob.glob(os.path.join(os.path.dirname(ledger), "registry*.json"))):
        if path != ledger:
            found[os.path.basename(path)[len("registry-") : -len(".json")]] = load(path)
    return found
