# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A capability that does what a front has to handle: installed beside the real ones by the tests of the two fronts."""

from __future__ import annotations

import os
import platform
import sys
import time
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Capability, Context, DeliveryError


def wait_for(path: str, seconds: float = 120) -> None:
    """Wait for a file that the test makes once it has seen what it waits for."""
    deadline = time.monotonic() + seconds
    while not os.path.exists(path):
        if time.monotonic() > deadline:
            raise DeliveryError("nobody made %s" % path)
        time.sleep(0.05)


def show_and_wait(place: str, context: Context) -> None:
    """Show a line, then one of a command; each time go on only when the test has seen it."""
    context.progress("a line of the function")
    wait_for(os.path.join(place, "seen-function"))
    script = "echo a line of a command; i=0; until [ -e seen-command ] || [ $i = 1200 ]; do sleep 0.1; i=$((i+1)); done"
    context.run_command(["sh", "-c", script], directory=place, on_line=context.progress)
    wait_for(os.path.join(place, "seen-command"), seconds=0)


def hang(place: str, context: Context) -> None:
    """Run a command with a child of its own, both longer than any test waits, and write down that it was cleaned up."""
    try:
        script = "sh -c 'echo hangs: $PPID $$; exec sleep 120'; true"
        context.run_command(["sh", "-c", script], on_line=context.progress)
    finally:
        time.sleep(0.5)  # longer than ansible-core gives its workers to end
        with open(os.path.join(place, "cleaned-up"), "w") as file:
            file.write(str(os.getpid()))


def run(params: dict[str, t.Any], context: Context) -> dict[str, t.Any]:
    token = params["token"]
    behaviour = params["behaviour"]
    context.progress("step one with %s" % token)
    if behaviour == "warn":
        context.warn("a warning with %s" % token)
    if behaviour == "conceal":
        found = "found-" + params["left"]
        context.conceal(found)
        context.progress("a line with %s" % found)
        context.warn("a warning with %s" % found)
        raise DeliveryError("refused with %s" % found, where="here with %s" % found)
    if behaviour == "tell":
        for line in token.splitlines():
            context.progress("it says %s" % line)
            context.warn("it says %s" % line)
        raise DeliveryError("it says %s" % token, lines=token.splitlines())
    if behaviour == "bytes":
        # what a file's name that is no UTF-8 becomes
        context.warn("a warning of \udcff")
        raise DeliveryError("refused for \udcff", keys={"of \udcff": "with \udcff"})
    if behaviour == "refuse":
        raise DeliveryError("refused with %s" % token, where="here with %s" % token, numbers=[1, 2])
    if behaviour == "crash":
        raise ValueError("crashed with %s" % token)
    if behaviour == "exit":
        raise SystemExit("left with %s" % token)
    if behaviour == "show":
        show_and_wait(params["place"], context)
    if behaviour == "hang":
        hang(params["place"], context)
    result = {
        "changed": params["number"] > 1,
        "check": context.check,
        "echo": {name: params[name] for name in ("number", "flag", "words", "table", "when")},
        "types": {name: type(params[name]).__name__ for name in ("number", "flag", "words", "table", "when")},
        "host": platform.node(),
        "pid_is_ansible": any("ansible-playbook" in word for word in sys.argv[:1]),
        "keys": {"key with %s" % token: "value with %s" % token},
        "long": "x" * 70000,
        "tuple": (1, "two"),
        "text": "snow \u2603, quote ', newline \n.",
        "nothing": None,
    }
    if context.diff:
        result["diff"] = {"before": "token: %s\n" % token, "after": "number: %s\n" % params["number"]}
    if behaviour == "command":
        lines: list[str] = []
        script = "cat; echo $PROBE; pwd; echo err >&2; printf unfinished; exit 3"
        completed = context.run_command(["sh", "-c", script], stdin="in\n", environment={"PROBE": "set"}, directory="/")
        followed = context.run_command(
            ["sh", "-c", script], environment={"PROBE": "set"}, directory="/", on_line=lines.append
        )
        missing = context.run_command(["longshore-no-such-program", "x"])
        nowhere = context.run_command(["true"], directory="/no/such/directory")
        result["command"] = [completed.rc, completed.stdout, completed.stderr]
        result["followed"] = [followed.rc, followed.stdout, followed.stderr]
        result["lines"] = sorted(lines)
        result["missing"] = [missing.rc, missing.stdout, missing.stderr]
        result["nowhere"] = [nowhere.rc, nowhere.stdout, nowhere.stderr]
    if behaviour == "stdout":
        print("noise on standard output with %s" % token)
        os.environ["LONGSHORE_PROBE"] = "left behind"
    return result


CAPABILITY = Capability(
    run=run,
    argument_spec=dict(
        behaviour=dict(
            type="str",
            default="work",
            choices=[
                "work",
                "warn",
                "conceal",
                "tell",
                "bytes",
                "refuse",
                "crash",
                "exit",
                "command",
                "stdout",
                "show",
                "hang",
            ],
        ),
        place=dict(type="path"),
        token=dict(type="str", no_log=True, default=""),
        number=dict(type="int", default=1, aliases=["count"]),
        flag=dict(type="bool", default=False),
        words=dict(type="list", elements="str", default=[]),
        table=dict(
            type="dict", options=dict(inner=dict(type="float", required=True), secret=dict(type="str", no_log=True))
        ),
        when=dict(type="raw"),
        old=dict(type="str", removed_in_version="9.0.0", removed_from_collection="longshore.delivery"),
        left=dict(type="str"),
        right=dict(type="str"),
    ),
    constraints=dict(mutually_exclusive=[("left", "right")]),
)
