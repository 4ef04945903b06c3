# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's engines, asked by their own clients, and the module, run on the nodes as Ansible runs it."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import subprocess
import sys
import typing as t
from pathlib import Path

from tests.lab.nodes import NODES, Node
from tests.lab.places import Places
from tests.returned import as_documented

CHECKOUT = Path(__file__).resolve().parents[3]
PLACES = Places.of_user()
CONTAINERD_1, CONTAINERD_2, CRIO, DOCK = NODES["cp"], NODES["n1"], NODES["n2"], NODES["dock"]
EVERY_NODE = (CONTAINERD_1, CONTAINERD_2, CRIO, DOCK)
LEDGER = "/var/lib/longshore"
# where engines read trust from, or might
WATCHED = ["/etc/containerd", "/etc/docker", "/etc/containers"]


class Engine(t.NamedTuple):
    """An engine on a node, as its own client reaches it."""

    node: Node
    name: str

    def __str__(self) -> str:
        return f"{self.name} on {self.node.name}"

    def pull(self, image: str, login: tuple[str, str] | None = None) -> str | None:
        """Pull an image. Returns what the engine's client said if it failed, None if it did not."""
        pair = ":".join(login) if login else ""
        auth = base64.b64encode(pair.encode()).decode()
        if self.name == "podman":
            command = ["podman", "pull", *(["--creds", pair] if login else []), image]
        elif self.name == "docker":
            # a directory of the client's own: the engine itself keeps no login
            settings = json.dumps({"auths": {image.partition("/")[0]: {"auth": auth}} if login else {}})
            script = (
                'd=$(mktemp -d); printf %s "$1" > $d/config.json; docker --config $d pull "$2"; r=$?; rm -r $d; exit $r'
            )
            command = ["sh", "-c", script, "sh", settings, image]
        else:
            command = ["env", *([f"CRICTL_AUTH={auth}"] if login else []), "crictl", "pull", image]
        done = on(self.node, *command, check=False)
        return None if done.returncode == 0 else done.stdout + done.stderr

    def forget(self, image: str) -> None:
        """Remove an image that a test pulled."""
        client = self.name if self.name in ("podman", "docker") else "crictl"
        on(self.node, client, "rmi", image, check=False)

    def images(self) -> str:
        client = self.name if self.name in ("podman", "docker") else "crictl"
        return on(self.node, client, "images").stdout


CRI = [Engine(CONTAINERD_1, "containerd"), Engine(CONTAINERD_2, "containerd"), Engine(CRIO, "crio")]
ENGINES = [*CRI, Engine(DOCK, "docker"), Engine(DOCK, "podman")]


def on(node: Node, *command: str, check: bool = True, data: bytes | None = None) -> subprocess.CompletedProcess[str]:
    argv = ["docker", "exec", *(["-i"] if data is not None else []), node.container, *command]
    done = subprocess.run(argv, input=data, capture_output=True, check=False, timeout=120)
    result = subprocess.CompletedProcess(argv, done.returncode, done.stdout.decode(), done.stderr.decode())
    assert not check or result.returncode == 0, f"{node.name}: {command}: {result.stdout}{result.stderr}"
    return result


def read(node: Node, path: str) -> str | None:
    done = on(node, "cat", path, check=False)
    return done.stdout if done.returncode == 0 else None


def write(node: Node, path: str, text: str) -> None:
    on(node, "sh", "-c", 'mkdir -p "$(dirname "$1")" && cat > "$1"', "sh", path, data=text.encode())


def files(node: Node) -> dict[str, str]:
    """Digest, mode and owner of every file that an engine might read trust from, and every directory there."""
    script = (
        'for d in "$@"; do [ -d $d ] && find $d -type f -exec sha256sum {} + -exec stat -c "%a %U %n" {} +;'
        " [ -d $d ] && find $d -type d; done; true"
    )
    lines = on(node, "sh", "-c", script, "sh", *WATCHED).stdout.splitlines()
    return dict.fromkeys(sorted(lines), "")


def main_processes(node: Node) -> dict[str, str]:
    """The main process of each engine, which is another after a restart and the same after a reload; the kubelet's too."""
    units = ["containerd", "docker", "crio", "kubelet"]
    shown = on(node, "systemctl", "show", "--property", "MainPID", "--value", *units).stdout.split()
    return {unit: pid for unit, pid in zip(units, shown) if pid != "0"}


def run_module(*nodes: Node, check: bool = False, diff: bool = False, **options: t.Any) -> dict[str, dict[str, t.Any]]:
    """Run the module on these nodes at once. Returns its result by node; C(output) of each is all that was printed."""
    argv: list[str | Path] = [
        Path(sys.executable).parent / "ansible",
        ",".join(node.name for node in nodes),
        *("-i", PLACES.inventory),
        *("-m", "longshore.delivery.registry_trust", "-a", json.dumps(options)),
        *(["--check"] if check else []),
        *(["--diff"] if diff else []),
    ]
    # JSON, so that what is printed can be read again
    settings = {**environment(), "ANSIBLE_CALLBACK_RESULT_FORMAT": "json"}
    done = subprocess.run(argv, cwd=CHECKOUT, env=settings, capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    results = {}
    for match in re.finditer(r"^(\S+) \| (\S+) => (?=\{)", done.stdout, re.MULTILINE):
        result, _end = json.JSONDecoder().raw_decode(done.stdout, match.end())
        results[match.group(1)] = {**result, "failed": match.group(2) == "FAILED!", "output": output}
        as_documented("registry_trust", results[match.group(1)])
    assert set(results) == {node.name for node in nodes}, output
    return results


def run_on(node: Node, **options: t.Any) -> dict[str, t.Any]:
    """Run the module on one node. Returns its result."""
    return run_module(node, **options)[node.name]


def play(playbook: Path | str, *options: str, ok: bool = True, **variables: t.Any) -> str:
    """Run a playbook on the lab. Returns what it printed."""
    argv = [Path(sys.executable).parent / "ansible-playbook", "-i", PLACES.inventory, playbook, *options]
    argv += ["--extra-vars", json.dumps(variables)]
    done = subprocess.run(argv, cwd=CHECKOUT, env=environment(), capture_output=True, text=True, check=False)
    assert (done.returncode == 0) is ok, done.stdout[-8000:] + done.stderr[-4000:]
    return done.stdout + done.stderr


def environment() -> dict[str, str]:
    return {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg")}


@contextlib.contextmanager
def trust_set_aside() -> t.Iterator[None]:
    """Take this collection's trust off every node, as if it had never been there, and bring it back afterwards."""
    kept: dict[Node, bytes | None] = {}
    for node in EVERY_NODE:
        paths = list((json.loads(read(node, f"{LEDGER}/trust.json") or '{"files": {}}'))["files"])
        there = [path for path in [*paths, LEDGER] if on(node, "test", "-e", path, check=False).returncode == 0]
        archive = subprocess.run(
            ["docker", "exec", node.container, "tar", "-C", "/", "-cf", "-", *(path.lstrip("/") for path in there)],
            capture_output=True,
            check=True,
        ).stdout
        kept[node] = archive if there else None
    try:
        for result in run_module(*EVERY_NODE, state="absent").values():
            assert not result.get("failed"), result
        yield
    finally:
        run_module(*EVERY_NODE, state="absent")
        for node, before in kept.items():
            if before is not None:
                on(node, "tar", "-C", "/", "-xf", "-", data=before)
            for unit in ("docker", "crio"):  # what a reload takes over, should there have been any
                on(node, "systemctl", "kill", "--kill-who=main", "--signal=HUP", unit, check=False)
