# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shop itself: a WSGI application without state, apart from what it counts."""

from __future__ import annotations

import json
import logging
import platform
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

from shop.metrics import CONTENT_TYPE, Metrics

if TYPE_CHECKING:
    from wsgiref.types import StartResponse

    from shop.configuration import Configuration

logger = logging.getLogger("shop.requests")

PROBES = ("/health", "/ready", "/metrics")


class Answer(NamedTuple):
    """What a route gives back; the body is text."""

    status: HTTPStatus
    body: str
    content_type: str = "application/json"


def as_json(code: HTTPStatus, /, **facts: object) -> Answer:
    return Answer(code, json.dumps(facts, ensure_ascii=False) + "\n")


class Shop:
    """The application; `stopping` set means that no new work should be sent here."""

    def __init__(self, configuration: Configuration, version: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.stopping = False
        self._configuration = configuration
        self._version = version
        self._clock = clock
        self._warm_at = clock() + configuration.warmup_seconds
        self._metrics = Metrics(version)
        self._routes: dict[str, Callable[[dict[str, Any]], Answer]] = {
            "/": self._front_page,
            "/health": self._health,
            "/ready": self._ready,
            "/metrics": self._show_metrics,
        }

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        began = self._clock()
        self._metrics.began()
        path = environ.get("PATH_INFO") or "/"
        route = path if path in self._routes else "other"
        answer = as_json(HTTPStatus.INTERNAL_SERVER_ERROR, error="the application failed, its log says why")
        try:
            answer = self._answer(path, environ)
        except Exception:
            logger.exception("request failed", extra={"facts": {"path": path}})
        finally:
            seconds = self._clock() - began
            self._metrics.ended(route, answer.status, seconds)
        logger.log(
            logging.DEBUG if path in PROBES else logging.INFO,
            "request",
            extra={
                "facts": {
                    "method": environ["REQUEST_METHOD"],
                    "path": path,
                    "status": int(answer.status),
                    "milliseconds": round(seconds * 1000, 3),
                }
            },
        )
        body = answer.body.encode()
        headers = [("Content-Type", answer.content_type), ("Content-Length", str(len(body)))]
        if answer.status == HTTPStatus.METHOD_NOT_ALLOWED:
            headers.append(("Allow", "GET, HEAD"))
        start_response(f"{answer.status.value} {answer.status.phrase}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    @property
    def ready(self) -> bool:
        """Warm, and not on the way out."""
        return not self.stopping and self._clock() >= self._warm_at

    def _answer(self, path: str, environ: dict[str, Any]) -> Answer:
        if path not in self._routes:
            return as_json(HTTPStatus.NOT_FOUND, error=f"there is nothing at {path}", routes=list(self._routes))
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return as_json(HTTPStatus.METHOD_NOT_ALLOWED, error=f"{environ['REQUEST_METHOD']} is not for {path}")
        return self._routes[path](environ)

    def _front_page(self, environ: dict[str, Any]) -> Answer:
        return as_json(HTTPStatus.OK, greeting=self._configuration.greeting, version=self._version, pod=platform.node())

    def _health(self, environ: dict[str, Any]) -> Answer:
        return as_json(HTTPStatus.OK, status="alive")

    def _ready(self, environ: dict[str, Any]) -> Answer:
        wanted = self._configuration.ready_header
        if wanted and environ.get("HTTP_" + wanted[0].upper().replace("-", "_")) != wanted[1]:
            return as_json(
                HTTPStatus.BAD_REQUEST, status="unknown", error=f"READY_HEADER wants the header {': '.join(wanted)}"
            )
        if self.ready:
            return as_json(HTTPStatus.OK, status="ready")
        if self.stopping:
            return as_json(HTTPStatus.SERVICE_UNAVAILABLE, status="stopping")
        left = self._warm_at - self._clock()
        return as_json(HTTPStatus.SERVICE_UNAVAILABLE, status="warming up", seconds_left=f"{left:.1f}")

    def _show_metrics(self, environ: dict[str, Any]) -> Answer:
        return Answer(HTTPStatus.OK, self._metrics.text(self.ready), CONTENT_TYPE)
