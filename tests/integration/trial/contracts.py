# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the images of C(images.py) are asked in every engine, and what is to come of it there."""

from __future__ import annotations

import typing as t

from .images import PORT, VOLUME

SECRET = "a-long-secret-91c3"
# so long that a slow machine fails nothing; the second variable is one that Podman would take for its own
COMMON: dict[str, t.Any] = {
    "start_timeout": 60,
    "stop_timeout": 60,
    "secrets": {"DB_PASSWORD": SECRET, "LC_NAME": f"/{SECRET}"},
}
GREETING = {"name": "GREETING", "value": "Moin", "path": "/cgi-bin/greeting"}
GOOD: dict[str, t.Any] = {
    "required_env": ["DB_PASSWORD"],
    "health": "/health",
    "ready": "/ready",
    "metrics": "/metrics",
    "changed_env": [GREETING, {**GREETING, "regex": "^Moin$"}],
    "assertions": [
        {"http": "/items.json", "regex": '"anchor"', "status": 200},
        {"http": "/cgi-bin/greeting", "regex": "^Welcome$"},
        {"exec": ["sh", "-c", "echo $DB_PASSWORD $LC_NAME"], "regex": f"^{SECRET} /{SECRET}$"},
        {"exec": ["cat", "/proc/1/status"], "regex": r"^CapEff:\s0+$"},
        {"exec": ["cat", "/proc/1/status"], "regex": r"^NoNewPrivs:\s1$"},
        {"exec": ["sh", "-c", "echo x > /tmp/x && cat /tmp/x"], "regex": "^x$"},
        {"tcp": PORT},
    ],
}
# on the controller, which has the package for it
JMESPATH = {"http": "/items.json", "jmespath": "items[?name=='anchor']"}
OPTIONS: dict[str, t.Any] = {
    "command": ["serve"],
    "env": {"PORT": 8081},
    "port": 8081,
    "user": "4711",
    "memory": "64m",
    "cpus": 0.5,
    "tmpfs": ["/var/cache"],
    "assertions": [
        {"exec": ["sh", "-c", "echo x > /var/cache/x; id -u"], "regex": "^4711$"},
        {"name": "no file", "exec": ["sh", "-c", "echo x > /tmp/x || echo no"], "regex": "^no$"},
        {"name": "nor there", "exec": ["sh", "-c", "echo x > /data/x || echo no"], "regex": "^no$"},
        {"exec": ["cat", "/sys/fs/cgroup/memory/memory.limit_in_bytes"], "regex": f"^{64 * 1024**2}$"},
        {
            "exec": ["cat", "/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu/cpu.cfs_period_us"],
            "regex": "^50000\n100000$",
        },
        {"exec": ["sh", "-c", "yes | head -c 5000000; echo y >&2"], "regex": "^y$"},
        {"name": "too long", "exec": ["sh", "-c", "exec yes aaaa"], "timeout": 1},
        {"name": "goes on", "exec": ["sh", "-c", "exec sleep 60 > /dev/null 2>&1"], "timeout": 1},
    ],
    "changed_env": [{"name": "GREETING", "value": "Moin", "path": "/cgi-bin/whoami"}],
    "accept": ["assertion", "changed_env"],
}
# the directory in memory that each one writes
IN_MEMORY = {"writes to memory": "/scratch", "writes to memory over a directory": "/srv"}
KILLED = "for using more than 16 MiB of memory"  # not every engine says so, but it can be told
# options, and what the points say that fail
BROKEN: dict[str, tuple[dict[str, t.Any], dict[str, str]]] = {
    "ignores the signal": ({"stop_timeout": 2}, {"stops": "still ran 2 s after SIGTERM"}),
    "logs to a file": ({}, {"logs": "it logs to /var/log/app.log"}),
    "needs its file system": ({}, {"transient": "/data/state/n"}),
    "root": ({}, {"user": "it names no user"}),
    "does not listen": ({"start_timeout": 3}, {"listens": f"nothing listens on port {PORT} after 3 s"}),
    "goes without the variable": ({"required_env": ["DB_PASSWORD"]}, {"required_env": "as if nothing was missing"}),
    "fills its memory": ({"memory": "16m"}, {"starts": KILLED}),
    "fills it when asked": (
        {"memory": "16m", "assertions": [{"http": "/cgi-bin/fill", "regex": "never", "timeout": 60}]},
        {"assertion": KILLED, "stops": "before SIGTERM was sent, it "},
    ),
    "ends": ({}, {"starts": "it ended with exit code 3. Its last words: ending with "}),
    "nobody": ({"user": "somebody"}, {"starts": "the engine could not start it: ", "user": "it runs as somebody"}),
    "nothing": ({}, {"starts": "the engine could not start it: "}),
}


# those that fail by what the engine does or says
BY_THE_ENGINE = (
    "ignores the signal",
    "logs to a file",
    "needs its file system",
    "fills its memory",
    "ends",
    "nobody",
    "nothing",
)


def points(result: t.Mapping[str, t.Any], verdict: str) -> dict[str, str]:
    """The details of the points with a verdict, by their names."""
    return {point["point"]: point["detail"] for point in result["points"] if point["verdict"] == verdict}


def keeps_its_contract(result: t.Mapping[str, t.Any]) -> None:
    """Fail unless C(good) passed all of C(GOOD)."""
    assert (result["verdict"], result["changed"]) == ("pass", False)
    assert {point["verdict"] for point in result["points"]} == {"pass"}
    assert {row["verdict"] for row in result["twelve_factors"]} == {"pass", "not claimed"}
    assert [(entry["endpoint"], entry["status"], entry["body"]) for entry in result["endpoints"]] == [
        ("ready", 200, "ready\n"),
        ("health", 200, "ok\n"),
        ("metrics", 200, "requests_total 0\n"),
    ]
    assert points(result, "pass")["stops"].endswith("with exit code 0")
    assert len(result["log"]) == 2
    assert result["log"][-1] == "stopping"


def has_its_options(result: t.Mapping[str, t.Any]) -> None:
    """Fail unless C(has options) is as C(OPTIONS) say. What does not end, or shows no change, fails and is accepted."""
    failed = {point["subject"]: point["detail"] for point in result["points"] if point["verdict"] == "fail"}
    assert failed.pop("GREETING").startswith("two copies answer differently without the change")
    assert failed == dict.fromkeys(("too long", "goes on"), "the command did not end within 1 s")
    assert f"but for its volumes {VOLUME}" in points(result, "pass")["transient"]


def breaks_its_points_alone(name: str, result: t.Mapping[str, t.Any], message: str) -> None:
    """Fail unless the image of a name of C(BROKEN) failed those points, and its message says so."""
    failed, expected = points(result, "fail"), BROKEN[name][1]
    assert set(failed) == set(expected)
    for point, text in expected.items():
        assert text in failed[point]
        assert text in message
    assert f"{result['image']['reference']} in " in message
