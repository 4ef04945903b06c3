# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers that answer as they are told where an API server would be: for faults that a real one does not have at will."""

from __future__ import annotations

import contextlib
import json
import threading
import typing as t

from tests.http_server import AnsweringServer, Handler, HttpServer, Reply, Request, json_reply


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
