# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.
"""How a registry is: whether and by which way it is reached, what it lets one do, and what is not as it should be."""

from __future__ import annotations

import dataclasses
import os
import socket
import time
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.registry.abilities import Abilities, abilities_of
from ansible_collections.longshore.delivery.plugins.module_utils.registry.authorization import challenges
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.clock import (
    CLOCKS_APART,
    apart,
    moment,
    seconds_of,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.errors import NOT_THERE, Answer, RegistryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.proxies import Proxies, proxies_of
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import PLAIN, RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.registry.tls import PeerCertificate, peer_certificate
from ansible_collections.longshore.delivery.plugins.module_utils.registry.transport import Request, Transport

ACCEPTED, REFUSED = "accepted", "refused"
_DAY = 86400


@dataclasses.dataclass(frozen=True)
class Problem:
    """Something that is not as it should be.

    :param kind: as C(errors.KINDS) has them.
    :param blocks: whether the registry's contents cannot be read because of it.
    """

    kind: str
    message: str
    blocks: bool = True


@dataclasses.dataclass(frozen=True)
class Authentication:
    """How the registry's API wants its clients to log in.

    :param kind: C(none), or what the first challenge is of, as C(basic) or C(bearer).
    :param realm: of that challenge: for C(bearer) the address of the token service.
    :param login: whether it took the given one; None where none was given or wanted.
    """

    kind: str
    realm: t.Optional[str] = None
    service: t.Optional[str] = None
    login: t.Optional[str] = None


@dataclasses.dataclass(frozen=True)
class Condition:
    """What was seen of a registry.

    :param addresses: what its name is resolved to here.
    :param reachable: whether a registry answers there.
    :param via: what its answer shows of a proxy.
    :param clock_difference: how many seconds its clock is ahead of this machine's.
    """

    settings: RegistrySettings
    addresses: t.Tuple[str, ...] = ()
    proxies: Proxies = dataclasses.field(default_factory=Proxies)
    reachable: bool = False
    via: t.Optional[str] = None
    server: t.Optional[str] = None
    api_version: t.Optional[str] = None
    certificate: t.Optional[PeerCertificate] = None
    authentication: t.Optional[Authentication] = None
    clock_difference: t.Optional[int] = None
    abilities: Abilities = dataclasses.field(default_factory=Abilities)
    problems: t.Tuple[Problem, ...] = ()

    @property
    def can_be_read(self) -> bool:
        return self.reachable and not any(problem.blocks for problem in self.problems)

    def days_left(self, now: float) -> t.Optional[int]:
        """For how many whole days its certificate is still valid; negative once it is not."""
        return int((self.certificate.not_after - now) // _DAY) if self.certificate else None

    def shown(self, now: float) -> t.Dict[str, t.Any]:
        """As a task's result has it."""
        return {
            "endpoint": str(self.settings.endpoint),
            "reachable": self.reachable,
            "problem": self.problems[0].message if self.problems else None,
            "problems": [{"kind": problem.kind, "message": problem.message} for problem in self.problems],
            "addresses": list(self.addresses),
            "proxy": {
                "environment": self.proxies.named,
                "variable": self.proxies.variable,
                "exempt": self.proxies.exempt,
                "via": self.via,
            },
            "tls": self.settings.tls,
            "certificate": self._shown_certificate(now),
            "authentication": dataclasses.asdict(self.authentication) if self.authentication else None,
            "api_version": self.api_version,
            "server": self.server,
            "clock_difference": self.clock_difference,
            **dataclasses.asdict(self.abilities),
        }

    def _shown_certificate(self, now: float) -> t.Optional[t.Dict[str, t.Any]]:
        found = self.certificate
        if found is None:
            return None
        return {
            "subject": found.subject,
            "issuer": found.issuer,
            "names": list(found.names),
            "not_before": _utc(found.not_before),
            "not_after": _utc(found.not_after),
            "days_left": self.days_left(now),
            "fingerprint": found.fingerprint,
        }


def condition_of(settings: RegistrySettings, timeout: float, write_to: t.Optional[str] = None) -> Condition:
    """Look at a registry. What is wrong with it is in the result; nothing is raised for it.

    :param timeout: in seconds, for connecting and for each wait for bytes.
    :param write_to: a repository in which an upload is begun and cancelled; None for no such try.
    """
    host, port = settings.endpoint.address(settings.scheme)
    seen = Condition(settings, _addresses(host, port), proxies_of(os.environ, settings.scheme, host, port))
    try:
        answer, ahead = _first_answer(settings, timeout)
    except RegistryError as error:
        way = error.kind not in NOT_THERE
        seen = dataclasses.replace(seen, certificate=_certificate(settings, timeout) if way else None)
        return _with(seen, Problem(error.kind, str(error) + _by_proxy_instead(seen.proxies, error)))
    seen = dataclasses.replace(
        seen,
        certificate=_certificate(settings, timeout),
        via=answer.proxy,
        server=answer.headers.get("server"),
        api_version=answer.headers.get("docker-distribution-api-version"),
        clock_difference=ahead,
    )
    with RegistryClient(settings, timeout) as client:
        seen = _logged_in(seen, client, answer)
        if seen.can_be_read:
            abilities, refused = abilities_of(client, write_to)
            seen = dataclasses.replace(seen, abilities=abilities)
            if refused is not None:
                seen = _with(seen, Problem(refused.kind, str(refused), blocks=False))
    if ahead is not None and abs(ahead) > CLOCKS_APART:
        seen = _with(seen, Problem("clock", _clocks_apart(settings, ahead), blocks=False))
    return seen


def _with(seen: Condition, problem: Problem) -> Condition:
    return dataclasses.replace(seen, problems=(*seen.problems, problem))


def _addresses(host: str, port: int) -> t.Tuple[str, ...]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def _certificate(settings: RegistrySettings, timeout: float) -> t.Optional[PeerCertificate]:
    if settings.tls == PLAIN:
        return None
    return peer_certificate(*settings.endpoint.address(settings.scheme), timeout)


def _first_answer(settings: RegistrySettings, timeout: float) -> t.Tuple[Answer, t.Optional[int]]:
    """What the registry answers without a login, and how many seconds its clock is ahead."""
    transport = Transport(settings, timeout)
    before = time.time()
    try:
        answer = transport.exchange(Request("GET", "/v2/", {"User-Agent": "longshore.delivery"}, limit=1024 * 1024))
    finally:
        transport.close()
    served = seconds_of(answer.headers.get("date"))
    # it was written at some time between, and cut to the second
    return answer, None if served is None else round(served + 0.5 - (before + time.time()) / 2)


def _logged_in(seen: Condition, client: RegistryClient, answer: Answer) -> Condition:
    """What the API takes, with the given login where it wants one."""
    offered = challenges(answer.headers.get("www-authenticate", "")) if answer.status == 401 else []
    kind = offered[0].scheme if offered else "none"
    parameters = offered[0].parameters if offered else {}
    given = bool(offered) and seen.settings.username is not None
    login: t.Optional[str] = ACCEPTED if given else None
    reachable = True
    problems = seen.problems
    try:
        client.ping()
    except RegistryError as error:
        refused = error.kind in ("unauthorized", "forbidden")
        login = REFUSED if given and refused else None
        reachable = refused and answer.status in (200, 401)
        problems = (*problems, Problem(error.kind, str(error)))
    return dataclasses.replace(
        seen,
        reachable=reachable,
        problems=problems,
        authentication=Authentication(kind, parameters.get("realm"), parameters.get("service"), login)
        if reachable
        else None,
    )


def _by_proxy_instead(proxies: Proxies, error: RegistryError) -> str:
    if not proxies.is_used or error.kind not in NOT_THERE:
        return ""
    return (
        " This collection goes there itself, and %s names the proxy %s for it: if there is no other way, name it in NO_PROXY "
        "where it is near, or run this where it is reached without a proxy." % (proxies.variable, proxies.named)
    )


def _clocks_apart(settings: RegistrySettings, ahead: int) -> str:
    now = time.time()
    return (
        "Registry %s: its clock is %s this machine's (it says %s, this machine %s). Certificates and tokens are refused for "
        "that. Set the one that is off (NTP)." % (settings.endpoint, apart(ahead), moment(now + ahead), moment(now))
    )


def _utc(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
