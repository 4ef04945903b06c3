# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""registry_trust on many hosts, against a module that returns at once and against the same by ansible-core's modules.

The hosts are the lab's nodes under many names. What is written on one of them is there for all names of it, so that a change is
measured on the nodes themselves. Nothing is pulled: the others' tasks prove nothing either.
"""

from __future__ import annotations

import typing as t
from pathlib import Path

import yaml

from tests.demo.delivery import Delivery, deliver
from tests.demo.settings import Settings

from .pairs import Limit, Row, paired

HERE = Path(__file__).resolve().parent
HOSTS = 50
NODES = ("cp", "n1", "n2", "dock")
OURS = """
- hosts: "{{ benchmark_hosts }}"
  gather_facts: false
  become: true
  tasks:
    - longshore.delivery.registry_trust:
        registries: "{{ benchmark_registries }}"
        state: "{{ benchmark_state | default('present') }}"
        verify: never
"""
AT_ONCE = """
- hosts: "{{ benchmark_hosts }}"
  gather_facts: false
  become: true
  tasks:
    - ansible.builtin.ping:
"""
CLEARED = """
- hosts: longshore_nodes
  gather_facts: false
  become: true
  tasks:
    - ansible.builtin.file: {path: /etc/longshore-benchmark, state: absent}
"""
FIVE = [{"endpoint": f"benchmark{number}.invalid:5000", "tls": "plain"} for number in range(5)]
SIX = [*FIVE, {"endpoint": "benchmark5.invalid:5000", "tls": "plain"}]


def rows(settings: Settings, runs: int) -> t.Iterator[tuple[str, Row]]:
    play = _Plays(settings)
    peer, template = str(HERE / "trust_of_modules.yml"), str(HERE / "trust_by_template.yml")
    try:
        play.run(play.ours, "many", FIVE)
        play.run(peer, "many", FIVE)
        yield (
            f"registry_trust, {HOSTS} hosts and five registries, nothing to do / a module that returns at once",
            paired(play.resting(play.ours), play.resting(play.at_once), runs, Limit("ratio", 1.3)),
        )
        yield (
            "the same / six tasks by ansible-core's modules",
            paired(play.resting(play.ours), play.resting(peer), min(runs, 3), Limit("ratio", round(1 / 6, 3))),
        )
        yield (
            "the same / one loop over one template",
            paired(play.resting(play.ours), play.resting(template), min(runs, 3)),
        )
        play.run(peer, "longshore_nodes", FIVE)
        yield (
            "registry_trust, four nodes, one registry more / six tasks by ansible-core's modules",
            paired(
                play.adding(
                    play.ours, lambda: play.run(play.ours, "longshore_nodes", SIX[5:], benchmark_state="absent")
                ),
                play.adding(peer, lambda: play.cleared_of_one(peer)),
                runs,
                Limit("ratio", 0.25),
            ),
        )
    finally:
        play.run(play.ours, "longshore_nodes", SIX, benchmark_state="absent")
        play.run(play.cleared, "longshore_nodes", [])


class _Plays:
    """Runs plays on the lab's nodes under their own names and under many."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.ours = self._written("ours.yml", OURS)
        self.at_once = self._written("at_once.yml", AT_ONCE)
        self.cleared = self._written("cleared_trust.yml", CLEARED)
        hosts = {
            f"many{number:02}": {"ansible_host": "{{ hostvars['%s'].ansible_host }}" % NODES[number % len(NODES)]}
            for number in range(HOSTS)
        }
        inventory = {"all": {"children": {"many": {"hosts": hosts}}}}
        self._inventory = self._written("many.yml", yaml.safe_dump(inventory))

    def _written(self, name: str, text: str) -> str:
        path = self._settings.workspace / name
        path.write_text(text)
        return str(path)

    def run(
        self, playbook: str, hosts: str, registries: t.Sequence[t.Mapping[str, str]], **variables: t.Any
    ) -> Delivery:
        done = deliver(
            self._settings,
            playbook,
            *("-i", self._inventory),
            show=False,
            benchmark_hosts=hosts,
            benchmark_registries=list(registries),
            **variables,
        )
        if done.rc:
            raise SystemExit(f"{playbook} failed; see:\n{done.output[-3000:]}")
        return done

    def resting(self, playbook: str) -> t.Callable[[], float]:
        """What a run takes that has nothing to do."""

        def seconds() -> float:
            done = self.run(playbook, "many", FIVE)
            if sum(done.changed.values()):
                raise SystemExit(f"{playbook} changed something, so this would measure another thing: {done.changed}")
            return done.seconds

        return seconds

    def adding(self, playbook: str, before: t.Callable[[], object]) -> t.Callable[[], float]:
        """What a run takes that adds the sixth registry, after C(before) has taken that away."""

        def seconds() -> float:
            before()
            done = self.run(playbook, "longshore_nodes", SIX)
            if set(done.changed) - {name for name, count in done.changed.items() if count}:
                raise SystemExit(f"{playbook} did not add the registry everywhere: {done.changed}")
            return done.seconds

        return seconds

    def cleared_of_one(self, peer: str) -> None:
        """The peer's files as for five registries."""
        self.run(self.cleared, "longshore_nodes", [])
        self.run(peer, "longshore_nodes", FIVE)
