# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Which points an image is asked about, and which not and why: decided before anything runs."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.trial.observed import ImageConfig
from ansible_collections.longshore.delivery.plugins.module_utils.trial.wanted import Assertion, Wanted

# a copy that listens on nothing has started when it still runs after so many seconds
SETTLE_SECONDS = 3


class NothingToAsk(DeliveryError):
    """What is to be asked or started is said nowhere; the message names what, and who could say it."""


@dataclasses.dataclass(frozen=True, eq=False)
class Point:
    """One point of the contract. Two of the same words are two.

    :param kind: one of C(options.POINTS).
    :param subject: the path, variable or assertion it is about; empty where there is one point of its kind.
    :param text: what is to be.
    :param not_asked: why nobody asks; empty where it is asked.
    """

    kind: str
    subject: str
    text: str
    not_asked: str = ""


@dataclasses.dataclass(frozen=True)
class Plan:
    """All points, in their order.

    :param port: the one that the image is to listen on; 0 for none.
    :param ports: all that anything asks.
    """

    points: t.Tuple[Point, ...]
    port: int
    ports: t.Tuple[int, ...]
    user: str


def make_plan(wanted: Wanted, image: ImageConfig) -> Plan:
    """Decide what to ask.

    :raises NothingToAsk: neither the options nor the image say what to start, or at which port to ask for a path.
    """
    if not image.has_command and wanted.command is None:
        raise NothingToAsk(
            "%s has neither ENTRYPOINT nor CMD, so that nothing starts in it. Name one in its Dockerfile, or in 'command'."
            % wanted.called
        )
    port, no_port = _port(wanted, image)
    if no_port:
        _see_that_none_is_needed(wanted, no_port)
    points = [
        Point("starts", "", "it starts within %d s" % wanted.start_timeout),
        Point("listens", "", "it listens on port %d within %d s" % (port, wanted.start_timeout), no_port)
        if port
        else Point("listens", "", "it listens on its port", no_port),
    ]
    for kind in ("health", "ready", "metrics"):
        path = wanted.endpoints.get(kind, "")
        not_asked = "" if path else "there is no path in '%s'" % kind
        points.append(Point(kind, path, "its %s endpoint answers with a status of 200 to 399" % kind, not_asked))
    for assertion in wanted.assertions:
        points.append(Point("assertion", assertion.name, _sense(assertion, port)))
    points += [
        Point("required_env", name, "it ends at once without %s and says so" % name) for name in wanted.required_env
    ] or [Point("required_env", "", "it ends at once without a variable that it needs", "'required_env' is empty")]
    points += [
        Point("changed_env", change.name, "%s changes what it answers at %s" % (change.name, change.path))
        for change in wanted.changed_env
    ] or [Point("changed_env", "", "a variable changes what it answers", "'changed_env' is empty")]
    points += [
        Point("user", "", "it runs as a user who is not root"),
        Point("logs", "", "its log goes to stdout or stderr, not to files"),
        Point("stops", "", "%s ends it within %d s" % (image.stop_signal, wanted.stop_timeout)),
        Point(
            "transient", "", "it needs no file system of its own to write to, and comes up again without what it wrote"
        ),
        Point("copies", "", "two copies run side by side"),
    ]
    others = {number for assertion in wanted.assertions for number in (assertion.port, assertion.tcp) if number}
    ports = tuple(sorted({port, *others} - {0}))
    return Plan(tuple(points), port, ports, wanted.user or image.user)


def _port(wanted: Wanted, image: ImageConfig) -> t.Tuple[int, str]:
    """The port, and why there is none."""
    if wanted.port:
        return wanted.port, ""
    if len(image.ports) == 1:
        return image.ports[0], ""
    if image.ports:
        listed = ", ".join(map(str, image.ports))
        return 0, "there is no 'port', and the image exposes several (%s)" % listed
    return 0, "there is no 'port', and the image exposes none"


def _see_that_none_is_needed(wanted: Wanted, no_port: str) -> None:
    needing = ["'%s'" % kind for kind in wanted.endpoints]
    needing += ["'changed_env' %s" % change.name for change in wanted.changed_env]
    needing += [
        "assertion '%s'" % assertion.name for assertion in wanted.assertions if assertion.http and not assertion.port
    ]
    if needing:
        raise NothingToAsk(
            "%s: %s cannot be asked: %s. Set 'port' to the one that it listens on."
            % (wanted.called, ", ".join(needing), no_port)
        )


def _sense(assertion: Assertion, port: int) -> str:
    if assertion.tcp:
        return "something listens on port %d" % assertion.tcp
    condition = assertion.condition
    also = "".join(
        " and %s %r" % (kind, text)
        for kind, text in (("regex", condition.regex), ("jmespath", condition.jmespath))
        if text
    )
    if assertion.command:
        return "the command ends with 0%s" % also
    status = str(assertion.status) if assertion.status else "200 to 399"
    return "%s at port %d answers with %s%s" % (assertion.http, assertion.port or port, status, also)
