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

from . import host_packages
from .command import run
from .engine import docker, labelled
from .errors import LabError
from .nodes import LABEL

if TYPE_CHECKING:
    from collections.abc import Callable

    from .places import Places
    from .progress import Progress

PROGRAMS = ("dockerd", "docker", "ip")
UNITS = ("docker.service", "docker.socket", "containerd.service")
DAEMON = "dockerd"
PID_FILES = {
    DAEMON: Path("/var/run/docker.pid"),
    "containerd": Path("/var/run/docker/containerd/containerd.pid"),
}
DATA = "/var/lib/docker"
BRIDGE = "docker0"
START_TIMEOUT = 60.0  # seconds
STOP_TIMEOUT = 60.0


def answers() -> bool:
    """Whether an engine answers the docker client here."""
    return docker("version", check=False, timeout=30).rc == 0


def ensure(places: Places, progress: Progress) -> None:
    """An engine that answers. Raises LabError with the way out where the lab must not or cannot start one."""
    if answers():
        return
    if os.environ.get("DOCKER_HOST"):
        raise LabError(
            f"No Docker engine answers at DOCKER_HOST={os.environ['DOCKER_HOST']}. Start it, or unset DOCKER_HOST."
        )
    absent = host_packages.missing(PROGRAMS)
    if os.geteuid() != 0 and not absent:
        raise LabError(
            "No Docker engine answers. Start it (`sudo systemctl start docker`) and let this user use it "
            "(`sudo usermod -aG docker $USER`, then log in again), or run this as root."
        )
    if not absent or host_packages.allowed():
        _note(places)
    for program in PROGRAMS:  # one after the other: what brings the engine may bring its client
        host_packages.install([program], places, progress)
    _start(places, progress)


def revive(places: Places, progress: Progress) -> None:
    """Start the engine that the lab had started and that has ended since: it holds what there is to remove."""
    if places.engine.is_dir() and not host_packages.missing(("dockerd", "docker")):
        _start(places, progress)


def stop(places: Places, progress: Progress) -> None:
    """Stop the engine if the lab itself started it, with what it left in the kernel; packages stay.

    An engine in which containers run that are not the lab's goes on, until a later call finds none.
    """
    units = [unit for unit in _units(places) if _is_active(unit)]
    process = _daemon(places)
    others = _running_others() if units or process else []
    if others:
        progress(
            f"host: the engine, which the lab had started, goes on: {', '.join(others)} in it "
            f"{'are' if others[1:] else 'is'} not the lab's. Without, `make lab-down` stops it"
        )
        return
    if units:
        progress(f"host: stopping {' '.join(units)}, which the lab had started")
        run(["systemctl", "stop", *units])
    elif process:
        progress("host: stopping dockerd, which the lab had started")
        _terminate(process, places)
    policy = _forward_policy(places)
    is_ours = policy.exists() and not answers()
    left = _clean_kernel(policy.read_text(encoding="ascii")) if is_ours else ""
    shutil.rmtree(places.engine, ignore_errors=True)
    if left:
        raise LabError(left)


def _running_others() -> list[str]:
    """Names of running containers that are not the lab's."""
    running = docker("ps", "--format", "{{.Names}}", check=False).stdout.split()
    return sorted(set(running) - set(labelled("container", LABEL))) if running else []


def _terminate(process: int, places: Places) -> None:
    os.kill(process, signal.SIGTERM)
    deadline = time.monotonic() + STOP_TIMEOUT
    while _daemon(places):
        if time.monotonic() > deadline:
            raise LabError(f"dockerd (process {process}) did not stop within {STOP_TIMEOUT:.0f} s.")
        time.sleep(0.1)


def _clean_kernel(policy: str) -> str:
    """Take out the bridge with its route, the engine's own chains, its policy and mounts, which dockerd leaves when it ends.

    What could not be taken out, as a sentence with the way out; nothing if all is gone.
    """
    for point in mounts_of_engine(Path("/proc/self/mountinfo").read_text(encoding="utf-8")):
        run(["umount", point], check=False)
    run(["ip", "link", "delete", BRIDGE], check=False)
    for table in ("filter", "nat"):
        rules = run(["iptables", "-t", table, "-S"], check=False).stdout.splitlines()
        ours = [rule.split() for rule in rules if "DOCKER" in rule or BRIDGE in rule or "172.17.0.0/16" in rule]
        for rule in ours:
            if rule[0] == "-A" and not rule[1].startswith("DOCKER"):
                run(["iptables", "-t", table, "-D", *rule[1:]], check=False)
        chains = [rule[1] for rule in ours if rule[0] == "-N"]
        for action in ("-F", "-X"):
            for chain in chains:
                run(["iptables", "-t", table, action, chain], check=False)
    run(["iptables", "-P", "FORWARD", policy], check=False)  # dockerd sets DROP where it turns forwarding on
    if Path("/sys/class/net", BRIDGE).exists():
        return (
            f"The engine is stopped, and its network interface {BRIDGE} stays: `ip link delete {BRIDGE}` as root takes it "
            "away (`ip` is in Debian's package iproute2)."
        )
    return ""


def mounts_of_engine(mountinfo: str) -> list[str]:
    """Mount points of an engine that was killed, the last one first; a file system that was mounted for it is not among them.

    dockerd binds its directory to itself, so that the mount's root is that directory; of a disk it is "/".
    """
    found = []
    for line in mountinfo.splitlines():
        _number, _parent, _device, root, point = line.split()[:5]
        if point.startswith((f"{DATA}/", "/run/docker/")) or (point == DATA and root != "/"):
            found.append(point)
    return found[::-1]


def _note(places: Places) -> None:
    """Note what is about to be started, so that `stop` knows it as the lab's whatever interrupts the start."""
    places.engine.mkdir(parents=True, exist_ok=True)
    if not _forward_policy(places).exists():
        words = run(["iptables", "-S", "FORWARD"], check=False).stdout.split()[:3]
        _forward_policy(places).write_text(words[2] if words[:2] == ["-P", "FORWARD"] else "ACCEPT", encoding="ascii")
    if _systemd():
        inactive = [unit for unit in UNITS if not _is_active(unit)]
        _units_file(places).write_text(" ".join(dict.fromkeys([*_units(places), *inactive])), encoding="ascii")


def _start(places: Places, progress: Progress) -> None:
    """Start the engine and wait until it answers."""
    is_alive = _launch(places, progress)
    deadline = time.monotonic() + START_TIMEOUT
    while not answers():
        if time.monotonic() > deadline or not is_alive():
            raise LabError(f"dockerd did not come up. The end of its log:\n{_tail(_log(places))}")
        time.sleep(0.3)


def _launch(places: Places, progress: Progress) -> Callable[[], bool]:
    """Start the engine if it is not on its way already; what tells whether it still is."""
    if _systemd():
        progress("host: starting docker.service")
        run(["systemctl", "start", "docker.service"])
        return lambda: _is_active("docker.service")
    if answers():  # installing it started it, as under sysvinit
        shutil.copy(PID_FILES[DAEMON], _pid_file(places))
    elif not _daemon(places):
        progress(f"host: starting dockerd (there is no systemd); its log is {_log(places)}")
        daemon = _start_daemon(places)
        return lambda: daemon.poll() is None
    return lambda: _daemon(places) is not None


def _start_daemon(places: Places) -> subprocess.Popen[bytes]:
    """Start dockerd in a session of its own; its process itself notes its number before it becomes dockerd.

    It takes what a killed one has left for a sign that it runs, or its containerd, as long as any process has that number, be it
    an ended one that nobody has waited for.
    """
    for name, file in PID_FILES.items():
        if _process(file, name) is None:
            file.unlink(missing_ok=True)
    program = shutil.which("dockerd") or "/usr/sbin/dockerd"
    with _log(places).open("ab") as log:
        return subprocess.Popen(
            ["sh", "-c", 'echo $$ >"$0" && exec "$@"', str(_pid_file(places)), program],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
        )


def _daemon(places: Places) -> int | None:
    """Process id of the dockerd that the lab started, if that very process still runs."""
    return _process(_pid_file(places), DAEMON)


def _process(file: Path, program: str) -> int | None:
    """The number in a file, if this program runs by it."""
    try:
        process = int(file.read_text(encoding="ascii"))
        with Path(f"/proc/{process}/stat").open(encoding="ascii", errors="replace") as stat:
            _pid, name, state = stat.read().replace("(", ")").split(")")
    except (OSError, ValueError):
        return None
    return process if name == program and state.split()[0] != "Z" else None


def _systemd() -> bool:
    return Path("/run/systemd/system").is_dir()


def _is_active(unit: str) -> bool:
    return run(["systemctl", "is-active", "--quiet", unit], check=False).rc == 0


def _units(places: Places) -> list[str]:
    """Units that were not active when the lab started the engine."""
    try:
        return _units_file(places).read_text(encoding="ascii").split()
    except OSError:
        return []


def _units_file(places: Places) -> Path:
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
