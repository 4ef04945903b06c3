# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter C(trust_table)."""

from __future__ import annotations

import typing as t

DOCUMENTATION = r"""
name: trust_table
short_description: Tell what came of registry_trust on many nodes
version_added: 0.1.0
author:
  - longshore contributors (!UNKNOWN)
description:
  - Makes lines of a table from results of M(longshore.delivery.registry_trust), one for each node, engine and registry that
    something was done or checked for, and one that counts what was as wanted.
  - A node whose result has no engines, since it failed there, has a line that says so.
positional: registries
options:
  _input:
    description: The results by the nodes' names.
    type: dict
    required: true
  registries:
    description: The registries as the module was given them.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Say what was done where
  ansible.builtin.debug:
    msg: "{{ dict(ansible_play_hosts | zip(results)) | longshore.delivery.trust_table(registry_trust_registries) }}"
  vars:
    results: "{{ ansible_play_hosts | map('extract', hostvars, 'registry_trust_result') }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: The lines, the first of them the heads of the columns; none where everything was as wanted.
  type: list
  elements: str
  sample:
    - "node  engine             registry               trusted by           done     pull"
    - "n1    containerd 1.7.24  registry.example:5000  its own authorities  restart  38 ms"
    - "n2    as wanted: crio 1.36.1"
"""

HEADS = ("node", "engine", "registry", "trusted by", "done", "pull")
_WAYS = {"plain": "nothing: plain HTTP", "unverified": "nothing: any certificate"}

Result = t.Mapping[str, t.Any]


def trust_table(results: t.Mapping[str, Result], registries: t.Sequence[Result]) -> list[str]:
    """The lines; columns as wide as what is in them."""
    rows: list[tuple[str, ...]] = []
    notes: list[tuple[str, str]] = []
    for node, result in results.items():
        if "engines" not in result:
            notes.append((node, "failed; the error is above"))
            continue
        engines = result["engines"]
        rows += [(node, *row) for engine in engines if _is_told(engine) for row in _rows(engine, registries)]
        waiting = result.get("restart_needed", ())
        resting = [_named(engine) for engine in engines if not _is_told(engine) and engine["name"] not in waiting]
        if resting:
            notes.append((node, "as wanted: " + ", ".join(resting)))
        notes += [(node, "needs a restart: " + name) for name in waiting]
        notes += [(node, "passed over: " + name) for name in result.get("passed_over", ())]
    if not rows and all(note.startswith(("as wanted", "passed over")) for _node, note in notes):
        return []
    widths = [max(len(row[at]) for row in (HEADS, *rows)) for at in range(len(HEADS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in (HEADS, *rows)]
    return lines + [f"{node.ljust(widths[0])}  {note}" for node, note in notes]


def _is_told(engine: Result) -> bool:
    """Whether something was done or checked. What waits for a restart has files that were not written."""
    return bool(engine["files"] or engine["pulls"] or engine["action"] != "nothing")


def _named(engine: Result) -> str:
    return " ".join(word for word in (engine["name"], engine["version"]) if word)


def _rows(engine: Result, registries: t.Sequence[Result]) -> t.Iterator[tuple[str, ...]]:
    """What there is to say of one engine and each registry, and of each by whose name it asked a mirror."""
    done = engine["action"] if engine["action"] != "nothing" else "written" if engine["files"] else "nothing"
    for registry in registries:
        endpoint = registry["endpoint"]
        pulls = [pull for pull in engine["pulls"] if pull["registry"] == endpoint]
        for pull in pulls or [{}]:
            upstream = pull.get("upstream")
            name = f"{endpoint} for {upstream}" if upstream else endpoint
            yield _named(engine), name, _trusted_by(registry), done, _pulled(pull)


def _trusted_by(registry: Result) -> str:
    way = _WAYS.get(registry.get("tls") or "verified")
    return way or ("its own authorities" if registry.get("ca") else "the system's authorities")


def _pulled(pull: Result) -> str:
    if not pull:
        return "-"
    return f"{pull['milliseconds']} ms" if pull["verified_by"] != "not checked" else "not checked"


class FilterModule:
    """Filters on results of the trust stage."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"trust_table": trust_table}
