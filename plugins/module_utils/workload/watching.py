# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Watches several lists of the API server at once and keeps their objects up to date, whatever happens to the connection."""

from __future__ import annotations

import dataclasses
import queue
import threading
import time
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.workload.cluster import Cluster, Query, Stream
from ansible_collections.longshore.delivery.plugins.module_utils.workload.cluster_errors import ApiFault
from ansible_collections.longshore.delivery.plugins.module_utils.workload.release import Json

_WATCH_SECONDS = 240
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0

Objects = t.Dict[str, Json]


@dataclasses.dataclass(frozen=True)
class Source:
    """One list to watch; where the user may not see an C(optional) one it stays empty."""

    kind: str
    query: t.Mapping[str, str]
    optional: bool = False


class Watcher:
    """A C(with) block in which C(objects) holds, by kind and uid, what the sources hold; C(wait) brings it up to date.

    A watch that ends, is cut or is too old (410) is begun anew from a fresh list, with growing pauses while the server is away.
    """

    def __init__(self, cluster: Cluster, namespace: str, sources: t.Sequence[Source]) -> None:
        self._cluster, self._namespace, self._sources = cluster, namespace, sources
        self.objects: t.Dict[str, Objects] = {source.kind: {} for source in sources}
        self._changes: queue.Queue[t.Callable[[], None]] = queue.Queue()
        self._ended = threading.Event()
        self._streams: t.Dict[str, Stream] = {}

    def __enter__(self) -> Watcher:
        """:raises ClusterError: a list that is not optional cannot be had."""
        versions: t.List[t.Tuple[Source, str]] = []
        for source in self._sources:
            try:
                versions.append((source, self._list(source)))
            except ApiFault as fault:
                if not source.optional or fault.status != 403:
                    raise
        for source, version in versions:
            threading.Thread(target=self._follow, args=(source, version), daemon=True).start()
        self._take_in(block_for=0.0)
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        for stream in list(self._streams.values()):
            stream.close()

    def wait(self, seconds: float) -> bool:
        """Wait for a change, at most so long; whether there was one."""
        return self._take_in(max(seconds, 0.001))

    def _take_in(self, block_for: float) -> bool:
        changed = False
        deadline = time.monotonic() + block_for
        while True:
            left = 0.0 if changed else max(0.0, deadline - time.monotonic())
            try:
                self._changes.get(timeout=left)() if left else self._changes.get_nowait()()
            except queue.Empty:
                return changed
            changed = True

    def _list(self, source: Source) -> str:
        answer = self._cluster.list(source.kind, self._namespace, dict(source.query))
        items = {item["metadata"]["uid"]: item for item in answer["items"]}

        def replace() -> None:
            self.objects[source.kind] = items

        self._changes.put(replace)
        return t.cast(str, answer["metadata"]["resourceVersion"])

    def _follow(self, source: Source, version: t.Optional[str]) -> None:
        pause = _SHORTEST_PAUSE
        while not self._ended.is_set():
            began = time.monotonic()
            try:
                if version is None:
                    version = self._list(source)
                version = self._watch(source, version)
            except Exception:  # a connection that was cut has many names in urllib3, some of them no OSError
                version = None
            pause = _SHORTEST_PAUSE if time.monotonic() - began > _LONGEST_PAUSE else min(pause * 2, _LONGEST_PAUSE)
            if version is None:
                self._ended.wait(pause)

    def _watch(self, source: Source, version: str) -> t.Optional[str]:
        """Follow one watch to its end; the version to go on from, or None when a fresh list is needed."""
        query: Query = {**source.query, "resourceVersion": version}
        stream = self._cluster.watch(source.kind, self._namespace, query, _WATCH_SECONDS)
        self._streams[source.kind] = stream
        try:
            for event in stream.events():
                if self._ended.is_set():
                    break
                item = event["object"]
                if event["type"] == "ERROR":  # a Status; most often 410 Gone
                    return None
                version = item["metadata"]["resourceVersion"]
                if event["type"] != "BOOKMARK":
                    self._changes.put(self._change(source.kind, event["type"] == "DELETED", item))
        finally:
            stream.close()
        return version

    def _change(self, kind: str, deleted: bool, item: Json) -> t.Callable[[], None]:
        def change() -> None:
            if deleted:
                self.objects[kind].pop(item["metadata"]["uid"], None)
            else:
                self.objects[kind][item["metadata"]["uid"]] = item

        return change
