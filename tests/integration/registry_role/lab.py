# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stage as its users run it, and its host itself, asked without Ansible."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import typing as t
from pathlib import Path

import yaml

from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings

from .host import HOST, PLACES

CHECKOUT = Path(__file__).resolve().parents[3]
ADDRESS = HOST.address
PORT = 5000
VAULT = CHECKOUT / "examples/shop/inventory/group_vars/all/vault.yml"
LOGIN = {"username": "ci", "password": yaml.safe_load(VAULT.read_text())["vault_registry_password"]}
REGISTRY = {"endpoint": f"{ADDRESS}:{PORT}", "tls": "verified", **LOGIN}
DIRECTORY = "/etc/longshore/registry"
SITE = "/etc/nginx/conf.d/longshore-registry.conf"
CONFIGURATION = f"{DIRECTORY}/config.yml"
UNIT = "/etc/systemd/system/longshore-registry.service"
DATA = "/var/lib/docker-registry"
STRANGER = "stranger.service"
NGINX, BACKEND = "nginx.service", "longshore-registry.service"
PACKAGED = "docker-registry.service"


def begin(
    *options: str, playbook: str = "registry", hosts: Path | None = None, **variables: t.Any
) -> subprocess.Popen[str]:
    """Begin to run the stage on the lab, or another playbook of the registry's, as a group of processes."""
    given = json.dumps({"longshore_registry": REGISTRY, **variables})
    program = Path(sys.executable).parent / "ansible-playbook"
    stage = CHECKOUT / "playbooks" / f"{playbook}.yml"
    return subprocess.Popen(
        [program, "-i", hosts or PLACES.inventory, stage, "--extra-vars", given, *options],
        cwd=CHECKOUT,
        env={
            **os.environ,
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
            "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def play(*options: str, ok: bool = True, **variables: t.Any) -> str:
    """Run it; returns what was printed."""
    running = begin(*options, **variables)
    output, errors = running.communicate()
    assert (running.returncode == 0) is ok, output[-8000:] + errors[-4000:]
    return output + errors


def until(task: str, running: subprocess.Popen[str]) -> None:
    """Wait until a run comes to a task."""
    assert running.stdout
    said = []
    for line in running.stdout:
        said.append(line)
        if line.startswith("TASK [") and task in line:
            return
    raise AssertionError(f"it ended without '{task}': " + "".join(said)[-8000:])


def kill_at(task: str, **variables: t.Any) -> None:
    """Begin to run it, and kill all of it when it comes to a task."""
    running = begin(**variables)
    try:
        until(task, running)
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.communicate()


def changed(output: str) -> int:
    """How many tasks of a run changed something."""
    (count,) = re.findall(rf"^{HOST.name}\s+: ok=\d+ +changed=(\d+)", output, re.MULTILINE)
    return int(count)


def said_differences(output: str) -> list[str]:
    """What a run said that was not as wanted."""
    found = re.search(r"TASK \[[^]]*Say what is not as wanted\][^{]*(\{.*?^\})", output, re.DOTALL | re.MULTILINE)
    return json.loads(found[1])["msg"] if found else []


def on_host(*argv: str, stdin: str | None = None) -> str:
    return subprocess.run(
        ["docker", "exec", "-i", HOST.container, *argv], input=stdin, capture_output=True, text=True, check=True
    ).stdout


@contextlib.contextmanager
def meanwhile(script: str) -> t.Iterator[None]:
    """A shell script that runs on the host, as a service of somebody else's, while the body does."""
    on_host("systemd-run", "--quiet", "--collect", f"--unit={STRANGER}", "sh", "-c", script)
    try:
        yield
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):  # it has ended
            on_host("systemctl", "stop", STRANGER)


def processes() -> dict[str, str]:
    """Main process of both services, which is another after a restart and the same after a reload."""
    names = [NGINX, BACKEND]
    found = on_host("systemctl", "show", "--property", "MainPID", "--value", *names).split()
    assert "0" not in found
    return dict(zip(names, found))


def files() -> dict[str, str]:
    """Everything that the role sets on the host's disk: kind, owner, mode and content, by path."""
    places = [DIRECTORY, os.path.dirname(SITE), UNIT]
    listed = on_host("find", *places, DATA, "-maxdepth", "1", "-printf", "%p %y %U:%G %m\n").splitlines()
    found = dict(line.split(" ", 1) for line in listed)
    for line in on_host("find", *places, "-type", "f", "-exec", "sha256sum", "{}", "+").splitlines():
        digest, path = line.split()
        found[path] = found.get(path, "") + " " + digest
    return found


def served_certificate() -> str:
    return ssl.get_server_certificate((ADDRESS, PORT))


def strict_context(ca: str) -> ssl.SSLContext:
    """What Python 3.13 does by default: keyUsage on the authority, key identifiers on both."""
    context = ssl.create_default_context(cadata=ca)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def client(ca: str, login: dict[str, str] | None = None) -> RegistryClient:
    base = {"endpoint": f"{ADDRESS}:{PORT}", "ca": ca}
    return RegistryClient(RegistrySettings.from_params({**base, **(LOGIN if login is None else login)}))
