# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""From what was seen to a verdict on each point. Nothing here asks an engine."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.counted import counted
from ansible_collections.longshore.delivery.plugins.module_utils.trial.condition import fault as fault_of
from ansible_collections.longshore.delivery.plugins.module_utils.trial.observed import (
    Answer,
    Output,
    Start,
    State,
    Stop,
    WithChange,
    WithoutVariable,
)
from ansible_collections.longshore.delivery.plugins.module_utils.trial.plan import SETTLE_SECONDS, Plan, Point
from ansible_collections.longshore.delivery.plugins.module_utils.trial.shown import last_words
from ansible_collections.longshore.delivery.plugins.module_utils.trial.wanted import Assertion, Condition, Wanted

PASS, FAIL, NOT_ASKED = "pass", "fail", "not asked"
# seconds within which a program that looks at its variables first has ended, on a slow machine too
_AT_ONCE = 10
_KILLED = 137  # 128 and the signal's number; not every engine says that it was for want of memory

# by its name a file is a log: in a directory of logs, or ending as logs do, rotated ones too
_LOG_FILE = re.compile(r"/logs?/|\.log(?:[.-][^/]+)?\Z|\.(?:out|err)\Z")


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What came of a point, and why in a user's words."""

    point: Point
    verdict: str
    detail: str

    @property
    def result(self) -> t.Dict[str, str]:
        return {
            "point": self.point.kind,
            "subject": self.point.subject,
            "wanted": self.point.text,
            "verdict": self.verdict,
            "detail": self.detail,
        }

    def __str__(self) -> str:
        return "%s: %s, %s" % (" ".join(filter(None, (self.point.kind, self.point.subject))), self.verdict, self.detail)


def not_asked(point: Point, why: str = "") -> Verdict:
    return Verdict(point, NOT_ASKED, why or point.not_asked)


def is_success(answer: Answer) -> bool:
    """Whether an answer is one by which a probe of Kubernetes takes an endpoint for sound."""
    return answer.status is not None and 200 <= answer.status < 400


def _judged(point: Point, fault: str, praise: str) -> Verdict:
    return Verdict(point, FAIL if fault else PASS, fault or praise)


def ending(state: State, memory: int) -> str:
    """How a container ended, and why where the engine knows."""
    if state.refused:
        return "the engine could not start it: %s" % state.refused
    if state.out_of_memory:
        return "it was killed for using more than %d MiB of memory (exit code %d); set 'memory' to what it needs" % (
            memory // 1024**2,
            state.exit_code,
        )
    if state.exit_code == _KILLED:
        return (
            "it ended with exit code %d, as one that is killed: for using more than %d MiB of memory, if nobody else did it"
            % (state.exit_code, memory // 1024**2)
        )
    return "it ended with exit code %d" % state.exit_code


def with_end(verdict: Verdict, state: State, memory: int) -> Verdict:
    """A verdict on a copy that is to run; when it fails and the copy has ended, it says how."""
    if verdict.verdict != FAIL or state.running:
        return verdict
    return dataclasses.replace(verdict, detail="%s; %s" % (verdict.detail, ending(state, memory)))


def starts(point: Point, start: Start, wanted: Wanted, plan: Plan, capabilities: str) -> Verdict:
    if start.started:
        seen = "after %.1f s" % start.seconds if plan.port else "it still runs after %d s" % SETTLE_SECONDS
        return Verdict(point, PASS, "%s, with %s" % (seen, capabilities))
    if start.state.running:
        return Verdict(point, PASS, "it runs after %.0f s, with %s" % (start.seconds, capabilities))
    said = ". Its last words: %s" % last_words(start.log, 5) if start.log else ", without a word"
    return Verdict(point, FAIL, ending(start.state, wanted.memory) + said)


def listens(point: Point, start: Start, wanted: Wanted, plan: Plan) -> Verdict:
    if not start.started and not start.state.running:
        return not_asked(point, "it did not start")
    fault = (
        ""
        if start.started
        else (
            "nothing listens on port %d after %d s (%s). Have it listen on 0.0.0.0, or on :: with IPv4 as well, "
            "not on 127.0.0.1, ::1 or IPv6 alone, or set 'port' or 'start_timeout'"
            % (plan.port, wanted.start_timeout, start.connecting)
        )
    )
    return _judged(point, fault, "after %.1f s" % start.seconds)


def endpoint(point: Point, answer: Answer) -> Verdict:
    """As a probe of Kubernetes judges, which waits for all of an answer; metrics have to be something as well."""
    fault = _status_fault(answer, 0)
    if not fault and answer.endless:
        fault = "status %s, but %s" % (answer.status, answer.endless)
    if not fault and point.kind == "metrics" and not answer.text.strip():
        fault = "status %s with nothing in it" % answer.status
    return _judged(point, fault, "status %s, %s" % (answer.status, answer.content_type or "no content type"))


def assertion(point: Point, wanted: Assertion, answer: Answer) -> Verdict:
    if wanted.tcp:
        return _judged(point, answer.problem, "port %d takes connections" % wanted.tcp)
    if wanted.command:
        fault = answer.problem or (
            "exit code %s: %s" % (answer.status, _start_of(answer.text) or "it wrote nothing") if answer.status else ""
        )
        fault = fault or _condition_fault(wanted.condition, answer.text)
        return _judged(point, fault, "exit code 0")
    fault = _status_fault(answer, wanted.status) or _condition_fault(wanted.condition, answer.text)
    verdict = _judged(point, fault, "status %s" % answer.status)
    # what came of it is judged: who asks for a stream knows that it is one
    return dataclasses.replace(verdict, detail="; ".join(filter(None, (verdict.detail, answer.endless))))


def _condition_fault(condition: Condition, text: str) -> str:
    fault = fault_of(condition, text)
    return "%s: %s" % (fault, _start_of(text)) if fault else ""


def _status_fault(answer: Answer, status: int) -> str:
    if answer.problem or answer.status is None:
        return answer.problem or "there was no answer"
    if answer.status == status if status else is_success(answer):
        return ""
    return "status %d, not %s: %s" % (answer.status, status or "200 to 399", _start_of(answer.text))


def _start_of(text: str) -> str:
    """Enough of a text to know it by."""
    line = " ".join(text.split())
    return line if len(line) <= 200 else line[:200] + "..."


def required_env(point: Point, seen: WithoutVariable, set_by_image: bool, wanted: Wanted, complete: float) -> Verdict:
    """It has to end by itself and at once, not well, and name the variable.

    :param complete: seconds after which a copy with all variables was up; twice that is still at once.
    """
    name = seen.name
    if set_by_image:
        return Verdict(point, FAIL, "the image sets %s itself, so nobody notices when it is forgotten" % name)
    if seen.started:
        return Verdict(point, FAIL, "it starts without %s as if nothing was missing" % name)
    if seen.state.running:
        return Verdict(
            point, FAIL, "without %s it still runs after %d s, and is not ready" % (name, wanted.start_timeout)
        )
    if seen.state.refused or seen.state.out_of_memory:
        return Verdict(point, FAIL, "without %s %s" % (name, ending(seen.state, wanted.memory)))
    if not seen.state.exit_code:
        return Verdict(point, FAIL, "without %s it ends with exit code 0, as if all was well" % name)
    if seen.state.seconds > max(_AT_ONCE, 2 * complete):
        return Verdict(
            point,
            FAIL,
            "without %s it ends after %.0f s only. Have it look at its variables first" % (name, seen.state.seconds),
        )
    if not re.search(r"(?<!\w)%s(?!\w)" % re.escape(name), "\n".join(seen.log)):
        return Verdict(
            point, FAIL, "it ends with exit code %d, but nothing it writes names %s" % (seen.state.exit_code, name)
        )
    return Verdict(point, PASS, "it ends with exit code %d and names it" % seen.state.exit_code)


def changed_env(point: Point, regex: str, seen: WithChange, memory: int) -> Verdict:
    """The answer with the change has to be another, where two copies without it give the same; or to match."""
    if not seen.start.started:
        how = ending(seen.start.state, memory) if not seen.start.state.running else "it does not get ready"
        return Verdict(point, FAIL, "with the change %s" % how)
    for answer in (seen.before, seen.again, seen.after):
        if answer.problem:
            return Verdict(point, FAIL, answer.problem)
    if regex:
        if not re.search(regex, seen.after.text, re.MULTILINE):
            return Verdict(point, FAIL, "with the change %r is not in it: %s" % (regex, _start_of(seen.after.text)))
        if re.search(regex, seen.before.text, re.MULTILINE):
            return Verdict(point, FAIL, "%r is in it without the change as well" % regex)
        return Verdict(point, PASS, "%r is in it with the change only" % regex)
    before, again, after = ((answer.status, answer.text) for answer in (seen.before, seen.again, seen.after))
    if before != again:
        return Verdict(
            point,
            FAIL,
            "two copies answer differently without the change, so that no difference tells; set 'regex' to what is to appear",
        )
    return _judged(point, "it answers the same with the change" if before == after else "", "another answer")


def user(point: Point, named: str, number: t.Optional[int]) -> Verdict:
    """By the user that the image or the option names.

    :param number: its number in the container; None where the container's /etc/passwd does not tell.
    """
    way_out = "name another by USER in the Dockerfile, or by 'user'"
    if not named:
        return Verdict(point, FAIL, "it names no user and so runs as root; %s" % way_out)
    if number == 0:
        return Verdict(point, FAIL, "its user %s is root; %s" % (named, way_out))
    if number is None:
        return Verdict(point, FAIL, "it runs as %s, whose number its /etc/passwd does not tell" % named)
    if not named.partition(":")[0].isdigit():
        return Verdict(
            point, PASS, "as %s, which is %d; Kubernetes' runAsNonRoot takes a number only" % (named, number)
        )
    return Verdict(point, PASS, "as %s" % named)


def logs(point: Point, output: Output) -> Verdict:
    files = [path for path in output.files if _LOG_FILE.search(path)]
    if files:
        also = "" if output.lines else ", and nothing to stdout or stderr"
        return Verdict(point, FAIL, "it logs to %s%s" % (", ".join(files[:5]), also))
    if not output.lines:
        return not_asked(point, "it wrote nothing: neither there nor to a file that looks like a log")
    return Verdict(point, PASS, "%s there, and no file that looks like a log" % counted(output.lines, "line"))


def stops(point: Point, stop: Stop, wanted: Wanted) -> Verdict:
    if stop.before:
        return Verdict(point, FAIL, "before %s was sent, %s" % (stop.signal, ending(stop.before, wanted.memory)))
    if not stop.ended:
        return Verdict(
            point,
            FAIL,
            "it still ran %d s after %s and was killed. Process 1 has to handle the signal: start it in exec form, or behind "
            "an init that hands signals on" % (wanted.stop_timeout, stop.signal),
        )
    return Verdict(point, PASS, "after %.1f s, with exit code %d" % (stop.seconds, stop.exit_code))


def transient(
    point: Point, strict: Start, restart: t.Optional[Start], files: t.Sequence[str], volumes: t.Sequence[str]
) -> Verdict:
    """By a copy whose root file system was read-only, and which was started again after it had ended.

    :param files: what the copy that could write did write.
    """
    if not strict.started:
        wrote = "; where it can, it writes %s" % ", ".join(files[:8]) if files else ""
        said = "; its last words: %s" % last_words(strict.log, 3) if strict.log else ""
        return Verdict(
            point,
            FAIL,
            "it does not come up with a read-only root file system%s%s. List in 'tmpfs' what it may write for the moment"
            % (wrote, said),
        )
    if restart is None or not restart.started:
        said = "; its last words: %s" % last_words(restart.log, 3) if restart and restart.log else ""
        return Verdict(point, FAIL, "it did not come up again after its end%s" % said)
    kept = ", but for its volumes %s" % ", ".join(volumes) if volumes else ""
    return Verdict(point, PASS, "with a read-only root file system, and again after %.1f s%s" % (restart.seconds, kept))


def copies(point: Point, second: Start, memory: int) -> Verdict:
    fault = (
        ""
        if second.started
        else (
            "the second copy: %s"
            % (second.connecting or "it is not ready" if second.state.running else ending(second.state, memory))
        )
    )
    return _judged(point, fault, "the second was up after %.1f s" % second.seconds)
