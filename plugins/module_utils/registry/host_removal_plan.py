# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What of a registry's host goes with C(registry_state: absent), and what stays and why: of what was observed, without I/O."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_ledger import Ledger
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_volume import Leaving

NGINX = "nginx"
NGINX_SERVICE = "nginx.service"
RELOAD, STOP = "reload", "stop"


@dataclasses.dataclass(frozen=True)
class OwnFile:
    """A file that the role writes, as far as it is there.

    :param sha256: of what is there; empty where nothing is.
    :param marked: whether it says that the role wrote it.
    """

    path: str
    sha256: str = ""
    marked: bool = False


@dataclasses.dataclass(frozen=True)
class Service:
    """A service as it is: C(there) is whether systemd knows it."""

    name: str
    there: bool = False
    active: bool = False
    enabled: bool = False
    masked: bool = False


@dataclasses.dataclass(frozen=True)
class Found:
    """What is on the host.

    :param files: those that the ledger names, and those by whose mark the role knows them without a ledger.
    :param own_units: units whose files are among them.
    :param services: of packages: the registry's, and nginx.
    :param others: what else nginx serves, in words.
    :param packages: those of the ledger that are installed.
    :param lent: files of others in which lines are the role's.
    :param needed: of these, by what they are needed; nothing else is removed with them.
    :param leftovers: what units and nginx made of the role's: notes, stamps, logs that are of no use without it.
    :param data: the images, the authority and the logs, as far as they are there.
    :param volume: in which the images are, where they are in one.
    :param beside: in words, other registries that the role has put on the host.
    :param shared: of the packages those that such a one needs too, with its words.
    :param shared_files: of the files those that such a one needs too.
    """

    ledger: Ledger = dataclasses.field(default_factory=Ledger)
    files: t.Tuple[OwnFile, ...] = ()
    own_units: t.Tuple[Service, ...] = ()
    services: t.Mapping[str, Service] = dataclasses.field(default_factory=dict)
    others: t.Tuple[str, ...] = ()
    packages: t.Tuple[str, ...] = ()
    needed: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    lent: t.Tuple[str, ...] = ()
    leftovers: t.Tuple[str, ...] = ()
    data: t.Tuple[str, ...] = ()
    of_others: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    beside: t.Tuple[str, ...] = ()
    shared: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    shared_files: t.Tuple[str, ...] = ()
    volume: t.Optional[Leaving] = None


@dataclasses.dataclass(frozen=True)
class Removal:
    """What is to be done, in this order but for nginx, which is told as soon as the site is gone.

    :param stop: units of the role and services of packages, which are disabled too.
    :param unmask: services of packages that the role keeps from being started.
    :param give_back: services that go on as before the role came: whether each is to run, and to start with the host.
    :param nginx: C(reload), C(stop), or empty.
    :param aside: files that somebody has changed since.
    :param lent: files of others in which lines of the role are put back.
    :param stays: what is left on the host, and why, in words.
    :param unfinished: whether the ledger names what is no more, as after a removal that was cut off.
    """

    stop: t.Tuple[str, ...] = ()
    unmask: t.Tuple[str, ...] = ()
    give_back: t.Mapping[str, t.Tuple[bool, bool]] = dataclasses.field(default_factory=dict)
    nginx: str = ""
    files: t.Tuple[str, ...] = ()
    aside: t.Tuple[str, ...] = ()
    lent: t.Tuple[str, ...] = ()
    leftovers: t.Tuple[str, ...] = ()
    packages: t.Tuple[str, ...] = ()
    data: t.Tuple[str, ...] = ()
    volume: t.Optional[Leaving] = None
    stays: t.Tuple[str, ...] = ()
    unfinished: bool = False

    @property
    def steps(self) -> t.List[str]:
        """What is to be done, in words; nothing where the host is as wanted."""
        steps = [
            *("%s is stopped, and starts with the host no more" % name for name in self.stop),
            *(["nginx.service is reloaded"] if self.nginx == RELOAD else []),
            *(["nginx.service is stopped, and starts with the host no more"] if self.nginx == STOP else []),
            *("%s is removed" % path for path in (*self.files, *self.leftovers)),
            *("%s, which somebody has changed, is put aside" % path for path in self.aside),
            *("what the role changed in %s is put back" % path for path in self.lent),
            *("package %s is removed" % name for name in self.packages),
            *("%s is masked no more" % name for name in self.unmask),
            *("%s runs as before" % name for name in self.give_back),
            *("%s is removed, with all that is in it" % path for path in self.data),
            *(["%s is removed" % self.volume.named] if self.volume else []),
        ]
        return steps or (["the ledger names no more what is gone already"] if self.unfinished else [])


def plan(found: Found, site: str, remove_data: bool) -> Removal:
    """Decide.

    :param site: the file of nginx's site.
    :param remove_data: whether images and authority go too.
    """
    for_others = found.shared_files if found.beside else ()
    there = [file for file in found.files if file.sha256 and file.path not in for_others]
    aside = tuple(file.path for file in there if found.ledger.files.get(file.path) and _is_changed(file, found.ledger))
    strangers = tuple(file.path for file in there if file.path not in found.ledger.files and not file.marked)
    gone = tuple(file.path for file in there if file.path not in (*aside, *strangers))
    is_there = bool(gone or aside or found.ledger.files or found.ledger.packages)
    nginx, said_of_nginx = _nginx(found, site) if is_there else ("", [])
    kept = {**found.needed, **found.shared}
    packages = tuple(name for name in found.packages if name not in kept and (name != NGINX or nginx == STOP))
    gives_back = is_there and not found.beside  # else the last of them does
    give_back, stop = _services(found) if gives_back else ({}, [])
    stop += [unit.name for unit in found.own_units if unit.active or unit.enabled]
    volume = found.volume if remove_data and found.volume and not found.volume.kept_for else None
    stays = [
        *("%s, which is not in the ledger and does not say that the role wrote it" % path for path in strangers),
        *said_of_nginx,
        *("package %s, which %s needs" % (name, by) for name, by in kept.items()),
        *([] if remove_data else found.data),
        *("%s, where the images of %s are" % (path, by) for path, by in found.of_others.items()),
        *([_kept(found.volume, remove_data)] if found.volume and not volume else []),
    ]
    if is_there and not found.ledger.exists:
        stays.append("all packages, since the ledger that would say which of them the role has installed is gone")
    return Removal(
        stop=tuple(sorted(stop)),
        unmask=tuple(
            name for name, service in found.services.items() if gives_back and _is_masked_since(service, found.ledger)
        ),
        give_back=give_back,
        nginx=nginx,
        files=gone,
        aside=aside,
        lent=found.lent,
        leftovers=found.leftovers,
        packages=packages,
        data=found.data if remove_data else (),
        volume=volume,
        stays=tuple(stays),
        unfinished=bool(found.ledger.files or found.ledger.packages or found.ledger.services),
    )


def _kept(volume: Leaving, remove_data: bool) -> str:
    return "%s, %s" % (volume.named, volume.kept_for) if remove_data and volume.kept_for else volume.named


def _is_changed(file: OwnFile, ledger: Ledger) -> bool:
    return file.sha256 != ledger.files[file.path]


def _nginx(found: Found, site: str) -> t.Tuple[str, t.List[str]]:
    """What is to be done with nginx, and why it stays."""
    service = found.services.get(NGINX_SERVICE, Service(NGINX_SERVICE))
    before = found.ledger.services.get(NGINX_SERVICE)
    serves = any(file.path == site and file.sha256 for file in found.files) or site in found.ledger.files
    is_the_roles = NGINX in found.ledger.packages or (before is not None and not before.active)
    others = (*found.others, *found.beside)
    if is_the_roles and not others:
        is_to_stop = service.active or service.enabled or NGINX in found.packages
        return (STOP if is_to_stop else ""), []
    reload = RELOAD if serves and service.active else ""
    if is_the_roles:
        return reload, ["nginx, which serves others too: %s" % ", ".join(others)]
    return reload, ["nginx, which was there before"] if before else ["nginx"] if service.there else []


def _is_masked_since(service: Service, ledger: Ledger) -> bool:
    before = ledger.services.get(service.name)
    return service.masked and not (before and before.masked)


def _services(found: Found) -> t.Tuple[t.Dict[str, t.Tuple[bool, bool]], t.List[str]]:
    """What the services of packages, nginx aside, are to do again, and which of them stop."""
    give_back: t.Dict[str, t.Tuple[bool, bool]] = {}
    stop = []
    for name, service in found.services.items():
        if name == NGINX_SERVICE:
            continue
        before = found.ledger.services.get(name)
        if before and (before.active or before.enabled) and service.there:
            give_back[name] = before.active, before.enabled
        elif service.active or service.enabled:
            stop.append(name)
    return give_back, stop
