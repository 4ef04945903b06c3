# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This file is PRIVATE to the collection.

"""What a module gets by being a process of its own, for a function that runs in the controller's worker instead."""

from __future__ import annotations

import contextlib
import io
import os
import selectors
import subprocess
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed
from ansible_collections.longshore.delivery.plugins.module_utils.interruption import unwound

# how long a program may take to end that was told to: buildx tells its builder first
STOP_SECONDS = 10


@contextlib.contextmanager
def as_a_process(directory: str) -> t.Iterator[None]:
    """Give the body its own working directory, environment and standard streams, and let SIGINT and SIGTERM unwind it.

    Without the guard a Ctrl-C ends an Ansible worker before its C(finally) blocks (seen on 2.19 and 2.21).
    """
    here, environment = os.getcwd(), dict(os.environ)
    with unwound():
        try:
            os.chdir(directory)
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                yield
        finally:
            os.chdir(here)
            os.environ.clear()
            os.environ.update(environment)


def run_command(
    argv: t.Sequence[str],
    *,
    stdin: str | None = None,
    environment: t.Mapping[str, str] | None = None,
    directory: str | None = None,
    on_line: t.Callable[[str], None] | None = None,
) -> Completed:
    """RunCommand of C(module_utils/capability.py), with lines handed on as they come.

    :raises TypeError: an input and lines: who writes to a program whose outputs fill up meanwhile waits for ever.
    """
    if stdin is not None and on_line is not None:
        raise TypeError("a command is given its input or has its lines read, not both")
    try:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **(environment or {})},
            cwd=directory,
        )
    except OSError as error:
        missing = directory if directory is not None and not os.path.isdir(directory) else argv[0]
        return Completed(127, "", f"{missing}: {error.strerror or error}")
    try:
        if on_line is None:
            stdout, stderr = process.communicate(None if stdin is None else stdin.encode())
        else:
            stdout, stderr = _follow(process, on_line)
    except BaseException:
        _stop(process)
        raise
    return Completed(process.returncode, stdout.decode(errors="replace"), stderr.decode(errors="replace"))


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a program that nobody reads any more: it may not keep an interrupted playbook waiting."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _follow(process: subprocess.Popen[bytes], on_line: t.Callable[[str], None]) -> tuple[bytes, bytes]:
    streams = {process.stdout: bytearray(), process.stderr: bytearray()}
    unfinished = dict.fromkeys(streams, b"")
    with selectors.DefaultSelector() as selector:
        for stream in streams:
            if stream:
                selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            for key, _events in selector.select():
                stream = t.cast("t.IO[bytes]", key.fileobj)
                chunk = os.read(key.fd, 65536)
                if not chunk:
                    selector.unregister(stream)
                streams[stream] += chunk
                *lines, unfinished[stream] = (unfinished[stream] + chunk).split(b"\n")
                if not chunk and unfinished[stream]:
                    lines.append(unfinished[stream])
                for line in lines:
                    on_line(line.decode(errors="replace").rstrip("\r"))
    process.wait()
    return bytes(streams[process.stdout]), bytes(streams[process.stderr])
