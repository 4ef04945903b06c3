# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What a wait finds when it begins, so that a pod which has recovered is not judged by what is over. Pure.

A cluster tells of an end or a failed probe long after it: restarts are counted as long as a pod lives, events kept for an hour.
The clocks of controller, API server and nodes differ, so no time of one is compared with a time of another. Old is what was there
at the first look. Only an event and a container's start are compared by their times, which the same node has given to both.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.workload.observed import (
    ContainerState,
    EventState,
    PodState,
)


@dataclasses.dataclass(frozen=True)
class FirstLook:
    """The pods and events that were there when a wait began; nothing where every pod is as new as the wait.

    :param restarts: of each container, by the pod's uid and the container's name.
    :param events: by uid and version: an event that occurs again is the same one in another version.
    """

    restarts: t.Mapping[t.Tuple[str, str], int] = dataclasses.field(default_factory=dict)
    events: t.FrozenSet[t.Tuple[str, str]] = frozenset()

    @classmethod
    def at(cls, pods: t.Iterable[PodState], events: t.Iterable[EventState]) -> FirstLook:
        """Remember a look."""
        return cls(
            {(pod.uid, container.name): container.restarts for pod in pods for container in pod.containers},
            frozenset(_occurrence(event) for event in events),
        )

    def restarts_since(self, pod: PodState, container: ContainerState) -> int:
        """How often a container was started again since then; of a pod that was not there, since its making."""
        return container.restarts - self.restarts.get((pod.uid, container.name), 0)

    def still_counts(self, pod: PodState, container: ContainerState, event: EventState) -> bool:
        """Whether an event about a container is about this wait.

        One from before it counts as long as the container has not run since: it has then not recovered. Times are whole seconds
        cut off, so that one of the same second as the start is taken to have led to it.
        """
        if (pod.uid, container.name) not in self.restarts or _occurrence(event) not in self.events:
            return True
        return not container.has_run or bool(container.began and event.last > container.began)


def _occurrence(event: EventState) -> t.Tuple[str, str]:
    return event.own_uid, event.version
