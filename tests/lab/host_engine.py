# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Have a Docker engine on the host: use the one that answers, else install and start Debian's, else say what to do."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from .command import run
from .debian import HOST_PACKAGES
from .engine import docker
from .errors import LabError

if TYPE_CHECKING:
    from .places import Places
    from .progress import Progress

UNITS = ("docker.service", "docker.socket", "containerd.service")
START_TIMEOUT = 60.0  # seconds
STOP_TIMEOUT = 60.0


def answers() -> bool:
    """Whether an engine answers the docker client here."""
    return shutil.which("docker") is not None and docker("version", check=False, timeout=30).rc == 0


def distribution(os_release: str) -> set[str]:
    """ID and ID_LIKE of an os-release file's text."""
    values: set[str] = set()
    for line in os_release.splitlines():
        key, _equals, value = line.partition("=")
        if key in {"ID", "ID_LIKE"}:
            values.update(value.strip().strip("\"'").split())
    return values


def install(what: str, progress: Progress) -> None:
    """Install Debian's packages for `what` (a key of HOST_PACKAGES) if its program is missing; root on Debian only."""
    if shutil.which(what) is not None:
        return
    packages = HOST_PACKAGES[what]
    release = Path("/etc/os-release")
    like = distribution(release.read_text(encoding="utf-8")) if release.is_file() else set()
    if os.geteuid() != 0 or not like & {"debian", "ubuntu"}:
        raise LabError(
            f"The lab needs {what}, which is not here, and installs it only as root on Debian or Ubuntu. "
            f"Install {' '.join(packages)} (or what your system calls it) and run this again."
        )
    progress(f"host: installing {' '.join(packages)} from {'Ubuntu' if 'ubuntu' in like else 'Debian'}, with apt-get")
    environment = {"DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "-q", "update"], environment=environment)
    run(["apt-get", "-q", "install", "-y", "--no-install-recommends", *packages], environment=environment)


def ensure(places: Places, progress: Progress) -> None:
    """An engine that answers. Raises LabError with the way out where the lab must not or cannot start one."""
    if answers():
        return
    if os.environ.get("DOCKER_HOST"):
        raise LabError(
            f"No Docker engine answers at DOCKER_HOST={os.environ['DOCKER_HOST']}. Start it, or unset DOCKER_HOST."
        )
    systemd = Path("/run/systemd/system").is_dir()
    before = _active_units() if systemd else set()
    install("dockerd", progress)
    if answers():  # installing it started it
        _remember_units(places, before)
        return
    if os.geteuid() != 0:
        raise LabError(
            "No Docker engine answers. Start it (`sudo systemctl start docker`) and let this user use it "
            "(`sudo usermod -aG docker $USER`, then log in again), or run this as root."
        )
    if systemd:
        progress("host: starting docker.service")
        run(["systemctl", "start", "docker.service"])
        _remember_units(places, before)
    else:
        progress(f"host: starting dockerd (there is no systemd); its log is {_log(places)}")
        _start_daemon(places)
    deadline = time.monotonic() + START_TIMEOUT
    while not answers():
        if time.monotonic() > deadline or not (_service(places).exists() or _daemon(places)):
            raise LabError(f"dockerd did not come up. The end of its log:\n{_tail(_log(places))}")
        time.sleep(0.3)


def stop(places: Places, progress: Progress) -> None:
    """Stop the engine if the lab itself started it, with what it left in the kernel; packages stay."""
    if _service(places).exists():
        units = _service(places).read_text(encoding="ascii").split()
        progress(f"host: stopping {' '.join(units)}, which the lab had started")
        run(["systemctl", "stop", *units])
    elif process := _daemon(places):
        progress("host: stopping dockerd, which the lab had started")
        os.kill(process, signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT
        while _daemon(places):
            if time.monotonic() > deadline:
                raise LabError(f"dockerd (process {process}) did not stop within {STOP_TIMEOUT:.0f} s.")
            time.sleep(0.1)
    else:
        return
    _remove_bridge()
    if _forward_policy(places).exists():  # dockerd sets DROP where it turns forwarding on
        run(["iptables", "-P", "FORWARD", _forward_policy(places).read_text(encoding="ascii")], check=False)
    shutil.rmtree(places.engine, ignore_errors=True)


def _remove_bridge() -> None:
    """Take out docker0 with its route, and the engine's own chains: dockerd leaves them when it ends."""
    run(["ip", "link", "delete", "docker0"], check=False)
    for table in ("filter", "nat"):
        rules = run(["iptables", "-t", table, "-S"], check=False).stdout.splitlines()
        ours = [rule.split() for rule in rules if "DOCKER" in rule or "docker0" in rule or "172.17.0.0/16" in rule]
        for rule in ours:
            if rule[0] == "-A" and not rule[1].startswith("DOCKER"):
                run(["iptables", "-t", table, "-D", *rule[1:]], check=False)
        chains = [rule[1] for rule in ours if rule[0] == "-N"]
        for action in ("-F", "-X"):
            for chain in chains:
                run(["iptables", "-t", table, action, chain], check=False)


def _start_daemon(places: Places) -> None:
    places.engine.mkdir(parents=True, exist_ok=True)
    program = shutil.which("dockerd") or "/usr/sbin/dockerd"
    policy = run(["iptables", "-S", "FORWARD"], check=False).stdout.split()[:3]
    if policy[:2] == ["-P", "FORWARD"]:
        _forward_policy(places).write_text(policy[2], encoding="ascii")
    with _log(places).open("ab") as log:
        process = subprocess.Popen(
            [program], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/"
        )
    _pid_file(places).write_text(f"{process.pid}\n", encoding="ascii")


def _daemon(places: Places) -> int | None:
    """Process id of the dockerd that the lab started, if that very process still runs."""
    try:
        process = int(_pid_file(places).read_text(encoding="ascii"))
        with Path(f"/proc/{process}/stat").open(encoding="ascii", errors="replace") as stat:
            _pid, name, state = stat.read().replace("(", ")").split(")")
    except (OSError, ValueError):
        return None
    return process if name == "dockerd" and state.split()[0] != "Z" else None


def _active_units() -> set[str]:
    return {unit for unit in UNITS if run(["systemctl", "is-active", "--quiet", unit], check=False).rc == 0}


def _remember_units(places: Places, before: set[str]) -> None:
    places.engine.mkdir(parents=True, exist_ok=True)
    _service(places).write_text(" ".join(unit for unit in UNITS if unit not in before), encoding="ascii")


def _service(places: Places) -> Path:
    return places.engine / "started-units"


def _pid_file(places: Places) -> Path:
    return places.engine / "dockerd.pid"


def _forward_policy(places: Places) -> Path:
    return places.engine / "forward-policy"


def _log(places: Places) -> Path:
    return places.engine / "dockerd.log"


def _tail(path: Path) -> str:
    try:
        return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
    except OSError:
        return "(there is none)"
