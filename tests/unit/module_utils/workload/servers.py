# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers that answer as they are told where an API server would be: for faults that a real one does not have at will."""

from __future__ import annotations

import contextlib
import json
import threading
import typing as t
from pathlib import Path

from ansible_collections.longshore.delivery.plugins.module_utils.workload.cluster import Cluster
from ansible_collections.longshore.delivery.plugins.module_utils.workload.suspicion import Patience
from ansible_collections.longshore.delivery.plugins.module_utils.workload.waiting import follow
from tests.http_server import AnsweringServer, Handler, HttpServer, Reply, Request, json_reply
from tests.kubeconfig import kubeconfig

from .documents import Json, replica_set


@contextlib.contextmanager
def server(*answers: tuple[int, t.Any]) -> t.Iterator[tuple[str, list[str]]]:
    """An HTTP server with these answers in turn, the last one for ever; its address and what was asked."""
    asked: list[str] = []

    def answer(request: Request) -> Reply:
        status, document = answers[min(len(asked), len(answers) - 1)]
        asked.append("%s %s" % (request.path, request.headers.get("authorization", "")))
        return (status, {}, document.encode()) if isinstance(document, str) else json_reply(document, status)

    with AnsweringServer(answer) as running:
        yield "http://" + running.endpoint, asked


class ApiServer(HttpServer):
    """Lists and watches of one kind, by a script: each list and each watch takes the next entry, the last one for ever.

    :param lists: names of the objects that are there, or an HTTP status to refuse with.
    :param watches: events as (type, name), C("cut") or C("hang"); without these a watch ends after them.
    """

    def __init__(self, lists: list[t.Any], watches: list[list[t.Any]]) -> None:
        self.lists, self.watches = lists, watches
        self.listed = self.watched = 0
        self._ended = threading.Event()
        script = self

        class Scripted(Handler):
            def do_GET(self) -> None:
                if "watch=true" in self.path:
                    script._watch(self)
                else:
                    script._list(self)

        super().__init__(Scripted)
        self.address = "http://" + self.endpoint

    def stop(self) -> None:
        self._ended.set()
        super().stop()

    def _list(self, handler: Handler) -> None:
        entry = self.lists[min(self.listed, len(self.lists) - 1)]
        self.listed += 1
        status = entry if isinstance(entry, int) else 200
        items = [] if isinstance(entry, int) else [pod(name, 1) for name in entry]
        handler.reply(*json_reply({"metadata": {"resourceVersion": "1"}, "items": items}, status))

    def _watch(self, handler: Handler) -> None:
        """Chunked, an event a chunk, as the API server does; C("cut") ends the connection in the middle of a chunk."""
        entry = self.watches[min(self.watched, len(self.watches) - 1)]
        self.watched += 1
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.send_header("Connection", "close")
        handler.end_headers()
        for number, event in enumerate(entry, 2):
            if event == "hang":
                self._ended.wait(30)
                return
            if event == "cut":
                handler.wfile.write(b'64\r\n{"type": "MODI')
                return
            kind, name = event
            item = {"code": 410, "kind": "Status"} if kind == "ERROR" else pod(name, number)
            line = json.dumps({"type": kind, "object": item}).encode() + b"\n"
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
            handler.wfile.flush()
        handler.wfile.write(b"0\r\n\r\n")


def pod(name: str, version: int) -> dict[str, t.Any]:
    return {"metadata": {"name": name, "uid": "uid-" + name, "resourceVersion": str(version)}, "version": version}


class OneRelease(AnsweringServer):
    """An API server of one release: a Deployment C(web), its pod and events. A wait for it is followed by `followed`.

    :param later: what the watches tell of after a first look, by plural kind; and nothing more.
    """

    def __init__(self, deployment: Json, pod: Json, events: t.Sequence[Json], later: dict[str, Json]) -> None:
        self._shown, self._over = threading.Event(), threading.Event()
        revision = replica_set("new", "2")
        revision["metadata"]["uid"] = "uid-web-new"
        self._lists: dict[str, list[Json]] = {
            "deployments": [deployment],
            "replicasets": [revision],
            "pods": [pod],
            "events": list(events),
        }
        self._later = later
        super().__init__(self._answer)

    def followed(self, directory: Path, patience: Patience, seconds: float = 20.0) -> list[str]:
        """The names of the pods that run when the wait is over, of so many seconds at most. Raises RolloutFailed."""
        with Cluster(kubeconfig(directory, "http://" + self.endpoint)) as cluster:
            pods = follow(cluster, "shop", "web", 2, seconds, patience, lambda line: self._shown.set())
        return [item.name for item in pods]

    def stop(self) -> None:
        self._over.set()
        self._shown.set()
        super().stop()

    def _answer(self, request: Request) -> Reply:
        kind = request.path.partition("?")[0].rpartition("/")[2]
        if "watch=true" not in request.path:
            return json_reply({"metadata": {"resourceVersion": "1"}, "items": self._lists.get(kind, [])})
        self._shown.wait(30)
        item = self._later.pop(kind, None)
        if item is None:
            self._over.wait(30)
            return 200, {}, b""
        item["metadata"]["resourceVersion"] = "2"
        return 200, {}, json.dumps({"type": "MODIFIED", "object": item}).encode() + b"\n"
