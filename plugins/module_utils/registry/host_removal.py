# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Take away from a host what the role C(registry) put there; the ledger goes last, and so the next run completes it."""

from __future__ import annotations

import glob
import hashlib
import os
import re
import shutil
import time
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils import atomic
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed, DeliveryError, RunCommand
from ansible_collections.longshore.delivery.plugins.module_utils.registry import (
    host_connections,
    host_instances,
    host_volume,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_notes import PROVED, PUTTING_ASIDE
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_ledger import (
    Ledger,
    Place,
    digest_of,
    place_of,
    save,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_listeners import Sockets
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_removal_plan import (
    NGINX,
    NGINX_SERVICE,
    RELOAD,
    STOP,
    Found,
    OwnFile,
    Removal,
    Service,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_units import package_versions, units
from ansible_collections.longshore.delivery.plugins.module_utils.registry.quiet_storage import no_collection

# how far a mark may be from a file's first byte: after the line that names the program which runs it
_HEAD = 200
_NGINX_FILES = ("/etc/nginx/conf.d/*.conf", "/etc/nginx/sites-enabled/*", "/var/www/html/*")
_OF_THE_PACKAGE = ("/etc/nginx/sites-enabled/default", "/var/www/html/index.nginx-debian.html")
_APT = ["apt-get", "--quiet", "--no-auto-remove", "-o", "DPkg::Lock::Timeout=60"]
_PATIENCE, _PAUSE = 15.0, 0.1

Params = t.Mapping[str, t.Any]


def observe(params: Params, ledger: Ledger, run_command: RunCommand) -> Found:
    """Look at the host."""
    paths = dict.fromkeys([*ledger.files, *params["files"]])
    asked = [*params["units"], *params["services"]]
    seen = {
        unit.name: Service(
            unit.name,
            unit.loaded or unit.masked,
            unit.is_active or unit.active == "activating",
            unit.enabled,
            unit.masked,
        )
        for unit in units(asked, run_command).values()
    }
    packages = tuple(package_versions(ledger.packages, run_command)) if ledger.packages else ()
    beside = {
        host_instances.named(name): one for name, one in host_instances.ledgers(params["ledger"]).items() if one.files
    }
    data = _there(params["data"])
    of_others = _of_others(data, params["instance"])
    return Found(
        ledger=ledger,
        files=tuple(OwnFile(path, digest_of(path), _is_marked(path, params["mark"])) for path in paths),
        own_units=tuple(seen[name] for name in params["units"]),
        services={name: seen[name] for name in params["services"]},
        others=_others(params, run_command) if params["site"] else (),
        lent=_lent(params["nginx_file"], _connections_beside(params)),
        packages=packages,
        needed=_needed(packages, run_command) if packages else {},
        shared_files=tuple(params["shared_files"]),
        leftovers=_there(params["leftovers"]),
        data=tuple(path for path in data if path not in of_others),
        of_others=of_others,
        beside=tuple(beside),
        shared={name: said for said, one in beside.items() for name in packages if name in one.packages},
        volume=_volume(params["volume"], ledger, [path for path in data if path not in of_others], run_command),
    )


def _of_others(data: t.Iterable[str], instance: str) -> t.Dict[str, str]:
    """Those of these places that are of another registry on the host too, with its name."""
    return {
        path: one.named
        for one in host_instances.others(instance)
        for path in data
        if one.data and host_instances.overlap(path, one.data)
    }


def carry_out(removal: Removal, found: Found, params: Params, run_command: RunCommand) -> None:
    """Do it.

    :raises DeliveryError: a step failed; the ledger is as before, and what comes after the step is not done.
    """
    _Removing(removal, found, params, run_command).run()


class _Removing:
    def __init__(self, removal: Removal, found: Found, params: Params, run_command: RunCommand) -> None:
        self._removal, self._found, self._params = removal, found, params
        self._run_command = run_command

    def run(self) -> None:
        removal, site = self._removal, self._params["site"]
        files = [*removal.files, *removal.aside]
        if removal.nginx == RELOAD:
            self._see_nginx_whole()
        # first of all nobody comes to the registry any more
        self._remove(path for path in files if path == site)
        for path in removal.lent:
            _give_back(path, _connections_beside(self._params))
        if removal.nginx == RELOAD:
            self._must(["nginx", "-t", "-q"])
            self._must(["systemctl", "reload", NGINX_SERVICE])
        elif removal.nginx == STOP and self._found.services[NGINX_SERVICE].there:
            self._must(["systemctl", "disable", "--now", "--quiet", NGINX_SERVICE])
        self._stop(removal.stop)
        self._settle_garbage()
        self._remove(path for path in files if path != site)
        for path in removal.leftovers:
            _remove_all(path)
        if removal.packages:
            environment = {"DEBIAN_FRONTEND": "noninteractive"}
            self._must([*_APT, "remove", "--yes", *removal.packages], environment)
        self._must(["systemctl", "daemon-reload"])
        for name in (*removal.stop, *self._params["services"]):
            self._run_command(["systemctl", "reset-failed", name])  # one that did not fail has nothing to forget
        if removal.unmask:
            self._must(["systemctl", "unmask", "--quiet", *removal.unmask])
        for name, (active, enabled) in removal.give_back.items():
            self._must(["systemctl", "enable" if enabled else "disable", "--quiet", name])
            self._must(["systemctl", "restart" if active else "stop", name])
        with no_collection(self._params["garbage_notes"]):
            for path in self._data():
                _remove_all(path)
        if removal.volume:
            self._must(removal.volume.argv)
        self._see_nobody_served()
        save(self._what_stays(), self._params["ledger"])

    def _data(self) -> t.Iterable[str]:
        """What was to be removed, and what of that a registry has written since, until it stopped: a cache notes what it has."""
        there = _there(self._params["data"]) if self._params["remove_data"] else ()
        of_others = _of_others(there, self._params["instance"])
        return dict.fromkeys([*self._removal.data, *(path for path in there if path not in of_others)])

    def _must(self, argv: t.Sequence[str], environment: t.Optional[t.Mapping[str, str]] = None) -> Completed:
        done = self._run_command(argv, environment=environment)
        if done.rc:
            raise DeliveryError(
                "The registry was not taken away: '%s' says: %s. What was done so far stays done; run this again when that is "
                "mended." % (" ".join(argv), " ".join((done.stderr or done.stdout).split()).rstrip(".") or done.rc)
            )
        return done

    def _see_nginx_whole(self) -> None:
        check = self._run_command(["nginx", "-t", "-q"])
        if check.rc and not host_instances.is_said_of(self._params["instance"], check.stderr):
            raise DeliveryError(
                "The configuration of nginx on this host is broken, so that it would go on serving the registry; nothing was "
                "changed. nginx says: %s. Mend it first." % " ".join(check.stderr.split()).rstrip(".")
            )

    def _stop(self, names: t.Sequence[str]) -> None:
        if names:
            self._run_command(["systemctl", "disable", "--quiet", *names])  # what has no [Install] has none to lose
            self._must(["systemctl", "stop", *names])

    def _settle_garbage(self) -> None:
        """What a collection has put aside comes back, before what brings it back is removed."""
        notes = self._params["garbage_notes"]
        if not _is_unsettled(notes):
            return
        if self._params["settling"] in self._params["units"]:
            # it has started once all is back, and goes on deleting what nobody needs
            self._must(["systemctl", "start", "--wait", self._params["settling"]])
        if _is_unsettled(notes):
            raise DeliveryError(
                "A collection of garbage was cut off on this host, and what it put aside could not be brought back: "
                "'journalctl --unit %s' says why. The registry is stopped, and its files stay until that is mended."
                % self._params["settling"]
            )

    def _remove(self, paths: t.Iterable[str]) -> None:
        for path in paths:
            if path in self._removal.aside:
                os.makedirs(self._params["aside"], mode=0o700, exist_ok=True)
                shutil.move(path, _free(os.path.join(self._params["aside"], os.path.basename(path))))
            else:
                atomic.remove(path)

    def _see_nobody_served(self) -> None:
        """nginx reloads after it was told to."""
        deadline = time.monotonic() + _PATIENCE
        port = self._params["port"]
        while self._removal.nginx and any(held.unit == NGINX_SERVICE for held in Sockets().listeners(port)):
            if time.monotonic() > deadline:
                raise DeliveryError(
                    "nginx goes on listening on port %d of this host, where the registry was. Look whether another site of nginx "
                    "has that port; else 'journalctl --unit nginx' says what keeps it from reloading." % port
                )
            time.sleep(_PAUSE)

    def _what_stays(self) -> Ledger:
        """Give the directories back, and say of which that could not be done yet, where no other ledger does."""
        left: t.Dict[str, t.Optional[Place]] = {}
        volumes = self._found.ledger.volumes
        others = host_instances.ledgers(self._params["ledger"]).values()
        for path in sorted(self._found.ledger.directories, key=len, reverse=True):
            before = self._found.ledger.directories[path]
            if any(kept.startswith(path + "/") for kept in _there(self._params["data"])):
                left[path] = before
            elif any(path in other.directories for other in others) and os.path.isdir(path) and os.listdir(path):
                continue
            elif before is None and path in volumes:  # a volume without its directory would be a broken one
                if os.path.isdir(path):
                    left[path] = before
            elif before is None:
                atomic.remove_empty([path])
                if os.path.isdir(path):
                    left[path] = before
            elif place_of(path) not in (None, before):
                os.chown(path, before.uid, before.gid)
                os.chmod(path, before.mode)
        return Ledger(directories=left, volumes={path: named for path, named in volumes.items() if path in left})


def _volume(
    wanted: t.Optional[t.Mapping[str, str]], ledger: Ledger, data: t.Iterable[str], run_command: RunCommand
) -> t.Optional[host_volume.Leaving]:
    made = [path for path in ledger.volumes if path in ledger.directories and ledger.directories[path] is None]
    is_the_roles = wanted is not None and wanted["place"] in made
    return host_volume.leaving(wanted, is_the_roles, data, run_command)


def _is_marked(path: str, mark: str) -> bool:
    state = atomic.read(path)
    return bool(state and mark) and mark.encode() in state.content[:_HEAD] if state else False


def _there(patterns: t.Iterable[str]) -> t.Tuple[str, ...]:
    """What is there of these paths; only one with an asterisk is a pattern."""
    return tuple(
        path
        for pattern in patterns
        for path in (sorted(glob.glob(pattern)) if "*" in pattern else [pattern])
        if os.path.lexists(path)
    )


def _others(params: Params, run_command: RunCommand) -> t.Tuple[str, ...]:
    """What nginx serves beside the registry: files that no package has brought, and those of packages that were changed."""
    files = [path for path in _there(_NGINX_FILES) if path not in (params["site"], *_OF_THE_PACKAGE)]
    said = run_command(["dpkg", "--verify", NGINX, "nginx-common"]).stdout
    changed = [line.split()[-1] for line in said.splitlines() if "/etc/nginx/" in line]
    own = params["nginx_file"] if _is_the_packages(params["nginx_file"], run_command) else ""
    return (*files, *(path for path in changed if path != own and os.path.exists(path)))


def _connections_beside(params: Params) -> int:
    """How many connections of nginx the registries beside this one want."""
    return max((one.connections for one in host_instances.others(params["instance"])), default=0)


def _lent(path: str, least: int) -> t.Tuple[str, ...]:
    state = atomic.read(path) if path else None
    return (path,) if state and host_connections.given_back(_text(state), least) != _text(state) else ()


def _give_back(path: str, least: int) -> None:
    state = atomic.read(path)
    if state:
        after = host_connections.given_back(_text(state), least).encode("utf-8", "surrogateescape")
        atomic.write(path, after, state.mode)


def _text(state: atomic.FileState) -> str:
    return state.content.decode("utf-8", "surrogateescape")


def _is_the_packages(path: str, run_command: RunCommand) -> bool:
    """Whether a file of a package's configuration has its bytes, but for the role's lines."""
    state = atomic.read(path) if path else None
    if state is None:
        return False
    content = host_connections.given_back(_text(state)).encode("utf-8", "surrogateescape")
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()  # which dpkg knows it by
    listed = run_command(["dpkg-query", "--show", "--showformat", "${Conffiles}\n", "nginx-common"]).stdout
    return [path, digest] in [line.split()[:2] for line in listed.splitlines()]


def _needed(packages: t.Sequence[str], run_command: RunCommand) -> t.Dict[str, str]:
    """Of these packages those with which others would go, and which ones."""
    with_all = _gone_with(packages, run_command)
    if not with_all - set(packages):
        return {}
    found = {}
    for name in packages:
        further = sorted(_gone_with([name], run_command) - set(packages))
        if further:
            found[name] = ", ".join(further)
    return found


def _gone_with(packages: t.Sequence[str], run_command: RunCommand) -> t.Set[str]:
    said = run_command([*_APT, "--simulate", "remove", *packages]).stdout
    return set(re.findall(r"^Remv (\S+)", said, re.MULTILINE))


def _is_unsettled(notes: str) -> bool:
    return bool(notes) and any(os.path.exists(os.path.join(notes, phase)) for phase in (PUTTING_ASIDE, PROVED))


def _remove_all(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        atomic.remove(path)


def _free(path: str) -> str:
    """This path, or with a number after it, where nothing is yet."""
    number, found = 1, path
    while os.path.lexists(found):
        number += 1
        found = "%s.%d" % (path, number)
    return found
