# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Running a program whose lines are followed while it runs, in the controller's process and in a module's."""

from __future__ import annotations

import os
import selectors
import subprocess
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed

# how long a program may take to end that was told to: buildx tells its builder first
STOP_SECONDS = 10


def run_command(
    argv: t.Sequence[str],
    *,
    stdin: t.Optional[str] = None,
    environment: t.Optional[t.Mapping[str, str]] = None,
    directory: t.Optional[str] = None,
    on_line: t.Optional[t.Callable[[str], None]] = None,
) -> Completed:
    """RunCommand of C(capability.py), with lines handed on as they come.

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
        return Completed(127, "", "%s: %s" % (missing, error.strerror or error))
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


def _follow(process: subprocess.Popen[bytes], on_line: t.Callable[[str], None]) -> t.Tuple[bytes, bytes]:
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
