# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images to try, around the lab's busybox: one that keeps the contract, and one for each point that fails it."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
import typing as t

import docker

from tests.integration.asking import on_node
from tests.lab.nodes import DOCK
from tests.lab.places import Places

PLACES = Places.of_user()
PORT = 8080
VOLUME = "/kept"
USER = "10001:10001"

# Docker's; it would log to a file
HEALTH = "HEALTHCHECK --interval=1s CMD echo checked >> /var/log/health.log"

NEEDS_PASSWORD = '[ -n "$DB_PASSWORD" ] || { echo "DB_PASSWORD is not set" >&2; exit 78; }\n'
SERVE = f"busybox httpd -f -p {PORT} -h /www"
# The server behind a shell that ends it: as process 1 it would ignore the signal. A trap runs between two commands; in 'wait',
# one did not run for 60 s once.
ENDS = f"{SERVE} &\nserver=$!\ntrap 'kill $server; echo stopping; exit 0' TERM\nwhile :; do sleep 0.2; done\n"
GOOD = f'{NEEDS_PASSWORD}echo "serving with $DB_PASSWORD"\n{ENDS}'

# as process 1, so that it is what the kernel kills: a shell keeps in its memory what a command said
FILL = "echo filling\nx=$(head -c 200000000 /dev/zero | tr '\\0' x)\necho ${#x}\nsleep 60\n"

SCRIPTS = {
    "good": GOOD,
    "ignores the signal": f"{NEEDS_PASSWORD}echo serving\nexec {SERVE}\n",
    "logs to a file": f"{NEEDS_PASSWORD}echo serving > /var/log/app.log\n{ENDS}",
    "needs its file system": f"{NEEDS_PASSWORD}echo serving\nmkdir -p /data/state || exit 3\necho 1 > /data/state/n\n{ENDS}",
    "root": GOOD,
    "does not listen": f"{NEEDS_PASSWORD}echo waiting\ntrap 'exit 0' TERM\nwhile :; do sleep 0.2; done\n",
    "goes without the variable": f"echo serving\n{ENDS}",
    "nobody": GOOD,
    "nothing": GOOD,
    "ends": 'echo "ending with $DB_PASSWORD"\nexit 3\n',
    "fills its memory": FILL,
    "fills it when asked": f"{NEEDS_PASSWORD}{SERVE} &\ntrap 'exit 0' TERM\nuntil [ -e /tmp/fill ]; do sleep 0.1; done\n{FILL}",
    # in a directory that the image has not
    "writes to memory": f"{NEEDS_PASSWORD}echo serving\necho 1 > /scratch/n || exit 3\n{ENDS}",
    # in one that is root's there
    "writes to memory over a directory": f"{NEEDS_PASSWORD}echo serving\necho 1 > /srv/n || exit 3\n{ENDS}",
    "has options": f'[ "$1" = serve ] || exit 64\n{NEEDS_PASSWORD}echo serving\n{ENDS}'.replace(str(PORT), "$PORT"),
}


class Images:
    """Imports images into an engine under a prefix, and takes them away again."""

    def __init__(self, engine: docker.DockerClient, prefix: str) -> None:
        self.engine = engine
        self.prefix = prefix
        self.busybox = busybox_layer()
        self.made: list[str] = []

    def make(self, name: str, script: str | None = None) -> str:
        """Import the image of a name of C(SCRIPTS), or one with another script; its reference."""
        reference = _reference(self.prefix, name)
        layer = layer_of(self.busybox, SCRIPTS[name] if script is None else script)
        changes = [*changes_of(name), HEALTH]
        made = self.engine.api.import_image_from_data(layer, reference[:-2], tag="1", changes=changes)
        assert "error" not in json.loads(made), made
        self.made.append(reference)
        return reference

    def remove(self) -> None:
        for reference in self.made:
            self.engine.images.remove(reference, force=True)


class PodmanImages:
    """The same in dock's Podman, without a health check, which OCI's images have none of.

    :param prefix: of their names; what stands on them is taken away as well.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self._busybox = busybox_layer()

    def make(self, name: str) -> str:
        reference = self.reference(name)
        changes = [word for change in changes_of(name) for word in ("--change", change)]
        into = ["docker", "exec", "-i", DOCK.container, "podman", "import", "--quiet", *changes, "-", reference]
        layer = layer_of(self._busybox, SCRIPTS[name])
        subprocess.run(into, input=layer, check=True, timeout=60, capture_output=True)
        return reference

    def reference(self, name: str) -> str:
        return _reference(self.prefix, name)

    def remove(self) -> None:
        held = json.loads(on_node("dock", "podman", "images", "--format", "json"))
        mine = [image["Id"] for image in held if any(self.prefix in name for name in image.get("Names") or ())]
        on_node("dock", "sh", "-c", f"podman rmi --force {' '.join(mine)} && podman image prune --force")


def changes_of(name: str) -> list[str]:
    """What the image of a name of C(SCRIPTS) is configured by."""
    program = "/none" if name == "nothing" else "/serve"
    changes = [f'ENTRYPOINT ["{program}"]', "ENV PATH=/bin", f"EXPOSE {PORT}"]
    if name != "root":
        changes.append(f"USER {USER}")
    if name == "has options":
        changes.append(f"VOLUME {VOLUME}")
    return changes


def layer_of(busybox: bytes, script: str) -> bytes:
    """The tar of an image's only layer, around busybox' own."""
    layer = io.BytesIO(busybox)
    with tarfile.open(fileobj=layer, mode="a") as tar:
        for directory in ("data", "var", "var/log", VOLUME[1:]):
            _add(tar, directory, kind=tarfile.DIRTYPE, mode=0o777)
        _add(tar, "srv", kind=tarfile.DIRTYPE, mode=0o755)
        _add(tar, "serve", f"#!/bin/sh\n{script}", mode=0o755)
        _add(tar, "www/health", "ok\n")
        _add(tar, "www/ready", "ready\n")
        _add(tar, "www/metrics", "requests_total 0\n")
        _add(tar, "www/items.json", '{"items": [{"name": "anchor"}]}\n')
        # by its host name, which is another in each container
        whoami = '#!/bin/sh\nprintf "Content-Type: text/plain\\r\\n\\r\\n"; cat /etc/hostname\n'
        _add(tar, "www/cgi-bin/whoami", whoami, mode=0o755)
        greet = '#!/bin/sh\nprintf "Content-Type: text/plain\\r\\n\\r\\n${GREETING:-Welcome}\\n"\n'
        _add(tar, "www/cgi-bin/greeting", greet, mode=0o755)
        fill = '#!/bin/sh\n: > /tmp/fill\nprintf "Content-Type: text/plain\\r\\n\\r\\nsoon\\n"\n'
        _add(tar, "www/cgi-bin/fill", fill, mode=0o755)
    return layer.getvalue()


def busybox_layer() -> bytes:
    """The tar of the busybox image's one layer, from the lab's archive."""
    archive = max(PLACES.images.glob("archives-*/busybox.tar"), key=lambda path: path.stat().st_mtime)
    with tarfile.open(archive) as tar:
        name = next(name for name in tar.getnames() if name.endswith("layer.tar"))
        return t.cast("t.IO[bytes]", tar.extractfile(name)).read()


def _reference(prefix: str, name: str) -> str:
    return f"{prefix}/{name.replace(' ', '-')}:1"


def _add(tar: tarfile.TarFile, name: str, text: str = "", *, kind: bytes = tarfile.REGTYPE, mode: int = 0o644) -> None:
    member = tarfile.TarInfo(name)
    member.type, member.mode, member.size = kind, mode, len(text.encode())
    tar.addfile(member, io.BytesIO(text.encode()))
