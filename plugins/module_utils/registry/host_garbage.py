# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The units on a registry's host that collect garbage, and what came of their last run."""

from __future__ import annotations

import dataclasses
import json
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import RunCommand
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_files import content_of
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_units import Unit

# By option, the least and the most that it may be, in words too.
_LIMITS = {
    "untagged_days": (-1, 36500, "-1, which keeps manifests without a tag, or a number of days up to 36500"),
    "recent_hours": (0, 8760, "a number of hours from 0 to 8760, which are a year"),
    "refuse_seconds": (5, 3600, "a number of seconds from 5, which a small collection takes, to 3600"),
}


@dataclasses.dataclass(frozen=True)
class Collecting:
    """What is there.

    :param wanted: whether garbage is to be collected.
    :param timer: starts a collection now and then.
    :param settling: ends at boot what was cut off.
    :param service: collects.
    :param last: what the last collection noted; None where there was none.
    :param untagged_days: after which manifests without a tag go; less than 0 for never.
    """

    wanted: bool
    timer: Unit
    settling: Unit
    service: Unit = dataclasses.field(default_factory=lambda: Unit(""))
    last: t.Optional[t.Mapping[str, t.Any]] = None
    untagged_days: int = -1

    @property
    def units(self) -> t.Tuple[Unit, ...]:
        """Those that are enabled, where garbage is collected."""
        return self.timer, self.settling

    @property
    def differences(self) -> t.Tuple[str, ...]:
        """What of the units is not as wanted, in words; their files are looked at with the others."""
        if not self.wanted:
            return tuple("%s is active" % unit.name for unit in (self.timer,) if unit.is_active)
        said = [
            "%s is known to systemd as it was before" % unit.name for unit in self.units if unit.needs_daemon_reload
        ]
        said += ["%s would not start with the host" % unit.name for unit in self.units if not unit.enabled]
        if not self.timer.is_active:
            said.append("%s is %s" % (self.timer.name, self.timer.active))
        return tuple(said)

    @property
    def warnings(self) -> t.Tuple[str, ...]:
        """What the next collection may do, and what the last one has to say to whoever runs the role."""
        if not self.wanted:
            return ()
        said, last = [], self.last or {}
        if self.untagged_days >= 0:
            said.append(
                "With registry_collect_untagged_days set to %d, a collection of garbage deletes images by their age alone "
                "once no tag leads to them, those too that pods run by digest: where a tag moves on, what runs is left without "
                "one. It cannot be pulled again then. Give each delivery a tag of its own that stays, or leave it at -1."
                % self.untagged_days
            )
        if last.get("fault"):
            said.append(
                "The last collection of garbage (%s) collected nothing: %s." % (last.get("began"), last["fault"])
            )
        elif self.service.result:  # such as oom-kill, of which the program cannot note anything itself
            said.append(
                "The last collection of garbage failed: of %s systemd says '%s'%s. See 'journalctl --unit %s'."
                % (
                    self.service.name,
                    self.service.result,
                    self.service.log and ", and the program: " + self.service.log,
                    self.service.name,
                )
            )
        if last.get("missing"):
            said.append(
                "Some tags of the registry lack parts of their images, and did before the last collection of garbage (%s): %s."
                % (last.get("began"), ", ".join(map(str, last["missing"][:5])))
            )
        return tuple(said)


def service_of(timer: str) -> str:
    """The unit that a timer starts where it names none (systemd.timer(5), Unit=)."""
    return timer[: -len("timer")] + "service"


def last_collection(path: str) -> t.Optional[t.Dict[str, t.Any]]:
    """What the last collection noted there; None for nothing that can be read."""
    try:
        said = json.loads(content_of(path).decode())
    except ValueError:
        return None
    return said if isinstance(said, dict) else None


def faults(collect: t.Mapping[str, t.Any], run_command: RunCommand) -> t.List[str]:
    """Why garbage cannot be collected as it is asked for, each a sentence with its way out.

    :param collect: the option C(collect).
    """
    if not collect["calendar"]:
        return []
    found = [
        "registry_collect_%s is %d, and has to be %s." % (name, collect[name], said)
        for name, (least, most, said) in _LIMITS.items()
        if not least <= collect[name] <= most
    ]
    asked = run_command(["systemd-analyze", "calendar", "--", collect["calendar"]])
    if asked.rc:
        found.append(
            "registry_collect has %r, which systemd does not take for a calendar expression: %s. Set one as in 'Sun 03:30'."
            % (collect["calendar"], " ".join(asked.stderr.split()).rstrip("."))
        )
    return found
