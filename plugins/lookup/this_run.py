# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lookup C(this_run)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: this_run
short_description: Which run of ansible-playbook this is, and whether another one is over
version_added: 0.1.0
author:
  - longshore contributors (!UNKNOWN)
description:
  - Tells the runs of ansible-playbook apart, so that a host on which one has begun to change something can refuse another.
  - A run that was killed leaves its note there. Whether it is over is to be seen on its controller alone, which is asked here.
options:
  _terms:
    description:
      - What hosts have noted of a run, as this lookup returned it there, each with C(id), C(controller) and C(process), or the
        text of such a note in JSON. An empty dictionary is no run, nor is a text that is no JSON.
    type: list
    elements: raw
"""

EXAMPLES = r"""
- name: Note on the host of a registry which run changes it
  longshore.delivery.registry_host_ledger:
    state: begun
    ledger: /var/lib/longshore/registry.json
    kept:
      directory: /etc/longshore/registry/before
      files: [/etc/longshore/registry/config.yml]
    run: "{{ lookup('longshore.delivery.this_run', found.other_run) }}"
"""

RETURN = r"""
_raw:
  description: This run, as the only item.
  type: list
  elements: dict
  contains:
    id:
      description: What no other run has.
      type: str
      sample: 8d1f3c52a6b94e0f9c7d1b2a3e4f5061/3f1c6f0e-6a3b-4c57-9d0e-2b8d7a9b1c11/4026531836/4711/123456
    controller:
      description: The name of the controller.
      type: str
      sample: ops.example
    user:
      description: The user there.
      type: str
      sample: ops
    process:
      description: The number of the process there.
      type: int
      sample: 4711
    succeeds:
      description: The id of a given run that is over. Empty where none is, or none that had this controller.
      type: str
      sample: ""
"""

import contextlib
import getpass
import json
import multiprocessing
import os
import platform
import typing as t
from pathlib import Path

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

_PROC = Path("/proc")


def _read(path: Path) -> str:
    """Empty where the system has no such file."""
    with contextlib.suppress(OSError):
        return path.read_text().strip()
    return ""


def _machine() -> str:
    """Empty where a machine has no identity but its name, which others may have too."""
    return _read(Path("/etc/machine-id"))


def _boot() -> str:
    return _read(_PROC / "sys/kernel/random/boot_id")


def _processes() -> str:
    """Within which the number of a process is its own: containers have theirs."""
    with contextlib.suppress(OSError):
        return os.readlink(_PROC / "self/ns/pid").strip("pid:[]")
    return ""


def _started(process: int) -> str:
    """When a process was started, in ticks since the boot (proc(5), field 22 of stat); empty where that is not to be seen."""
    # its second field is the program's name in parentheses, with whatever in it
    return " ".join(_read(_PROC / str(process) / "stat").rpartition(")")[2].split()[19:20])


def _has_ended(process: int, started: str) -> bool:
    """Whether the process that was started then is gone, and not only hidden from this user (hidepid)."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    now = _started(process)
    return bool(now and started) and now != started


def _read_note(noted: t.Any) -> t.Any:
    """A note, of which the text may be given."""
    if isinstance(noted, str):
        with contextlib.suppress(ValueError):
            return json.loads(noted)
        return {}
    return noted


def _is_over(noted: t.Mapping[str, t.Any], controller: str) -> bool:
    """Whether a run has ended for certain."""
    if not noted or noted["controller"] != controller:
        return False
    machine, boot, processes, process, started = noted["id"].split("/")
    if not machine or machine != _machine():
        return False
    if boot != _boot():
        return True
    return processes == _processes() and _has_ended(int(process), started)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without a name, as containers have
        return str(os.getuid())


class LookupModule(LookupBase):
    def run(
        self, terms: list[t.Any], variables: dict[str, t.Any] | None = None, **kwargs: t.Any
    ) -> list[dict[str, t.Any]]:
        self.set_options(var_options=variables, direct=kwargs)
        controller = platform.node()
        # a task has a process of its own, whose parent goes on from the first task to the last
        parent = multiprocessing.parent_process()
        process = parent.pid if parent and parent.pid else os.getpid()
        try:
            over = [noted["id"] for noted in map(_read_note, terms) if _is_over(noted, controller)]
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            raise AnsibleLookupError(
                f"A run is what this lookup returned of it, and {terms!r} has another: {error}"
            ) from error
        return [
            {
                "id": "/".join([_machine(), _boot(), _processes(), str(process), _started(process)]),
                "controller": controller,
                "user": _user(),
                "process": process,
                "succeeds": over[0] if over else "",
            }
        ]
