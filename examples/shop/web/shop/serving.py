# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m shop serve`: from the first signal handler to the last log line."""

from __future__ import annotations

import logging
import os
import signal
import sys
from types import FrameType

from shop import __version__
from shop.application import Shop
from shop.configuration import EXIT_CODE, Configuration, ConfigurationError
from shop.logs import log_to_stdout

logger = logging.getLogger("shop")


def serve() -> int:
    """Serve until SIGTERM or SIGINT; 0 after a clean end, 1 when the port is taken or requests were cut off, 78 for
    a wrong configuration."""
    # The kernel does not apply a signal's default to a container's first process: without this an early SIGTERM is lost.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    log_to_stdout()
    try:
        configuration = Configuration.from_environment(os.environ)
    except ConfigurationError as error:
        logger.error("cannot start: %s", error)
        return EXIT_CODE
    log_to_stdout(configuration.log_level)
    return _serve(configuration)


def _serve(configuration: Configuration) -> int:
    from shop.draining import DrainingServer

    shop = Shop(configuration, __version__)
    try:
        server = DrainingServer(shop, configuration.port, configuration.threads)
    except OSError as error:
        logger.error("cannot listen on port %d (PORT): %s", configuration.port, error)
        return 1

    def stop(number: int, frame: FrameType | None) -> None:
        server.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    logger.info("serving", extra={"facts": {"port": configuration.port, "version": __version__}})

    def on_stop() -> None:
        shop.stopping = True
        logger.info("stopping: answering the requests under way")

    cut_off = server.run(configuration.drain_seconds, on_stop)
    if cut_off:
        logger.error("stopped with %d requests unanswered after DRAIN_SECONDS", cut_off)
        return 1
    logger.info("stopped")
    return 0
