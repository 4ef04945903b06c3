# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Logging in to a registry: Basic authentication (RFC 7617) and tokens as the distribution project specifies them."""

from __future__ import annotations

import json
import re
import typing as t
from urllib.parse import urlencode

from ansible_collections.longshore.delivery.plugins.module_utils.registry.errors import Answer, RegistryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.transport import (
    Origin,
    Request,
    Transport,
)

_PART = re.compile(
    r'\s*,?\s*(?:([A-Za-z0-9!#$%&\'*+.^_`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))|([A-Za-z][A-Za-z0-9_-]*))'
)
_TOKEN_LIMIT = 1024 * 1024


class Challenge(t.NamedTuple):
    """One way to log in that a server offers; scheme and the parameters' names in lower case."""

    scheme: str
    parameters: t.Mapping[str, str]


def challenges(header: str) -> t.List[Challenge]:
    """Read a header WWW-Authenticate, or several of them joined by commas (RFC 9110, section 11.6.1)."""
    found: t.List[t.Tuple[str, t.Dict[str, str]]] = []
    for match in _PART.finditer(header):
        key, quoted, bare, scheme = match.groups()
        if scheme:
            found.append((scheme.lower(), {}))
        elif found:
            found[-1][1][key.lower()] = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else bare
    return [Challenge(scheme, parameters) for scheme, parameters in found]


class Authorization:
    """What to send as the header Authorization. It learns from refusals: nothing is sent that was not asked for."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._settings = transport.settings
        self._basic: t.Optional[str] = None
        self._tokens: t.Dict[t.Tuple[str, str], str] = {}

    @property
    def secrets(self) -> t.Tuple[str, ...]:
        """What no message may show."""
        basic = self._settings.basic_authorization
        known = [self._settings.password or "", (basic or "").partition(" ")[2]]
        known.extend(value.partition(" ")[2] for value in self._tokens.values())
        return tuple(secret for secret in known if secret)

    def header(self, repository: str, right: str) -> t.Optional[str]:
        """The value for a request, as far as it is known by now.

        :param right: C(pull), C(push) or C(delete): tokens are made for a repository and a right.
        """
        return self._tokens.get((repository, right)) or self._basic

    def renewed(self, refused: Answer, repository: str, right: str) -> t.Optional[str]:
        """The value to try after a 401, or None where these credentials, or none, have nothing more to offer.

        :raises RegistryError: the token service cannot be reached or refuses.
        """
        for challenge in challenges(refused.headers.get("www-authenticate", "")):
            if challenge.scheme == "basic":
                value = self._settings.basic_authorization
                # where a token is taken for the images, it may be no good for what else there is
                token = self._tokens.pop((repository, right), None)
                if value is None or (value == self._basic and token is None):
                    return None
                self._basic = value
                return value
            if challenge.scheme == "bearer" and "realm" in challenge.parameters:
                value = "Bearer " + self._token(challenge.parameters)
                self._tokens[repository, right] = value
                return value
        return None

    def _token(self, parameters: t.Mapping[str, str]) -> str:
        realm = parameters["realm"]
        basic = self._settings.basic_authorization
        try:
            origin = Origin.of(realm)
        except ValueError as error:
            raise self._transport.error("other", "its token service has no proper address: %s." % error) from None
        if basic and origin.scheme == "http" and self._settings.scheme == "https":
            raise self._transport.error(
                "tls",
                "its token service %s has no TLS; the password is not sent there. Give the service TLS." % origin.url,
            )
        query = [("service", parameters["service"])] if "service" in parameters else []
        query.extend(("scope", scope) for scope in parameters.get("scope", "").split())
        url = realm + ("&" if "?" in realm else "?") + urlencode(query)
        headers = {"Accept": "application/json"}
        if basic:
            headers["Authorization"] = basic
        answer = self._transport.exchange(Request("GET", url, headers, limit=_TOKEN_LIMIT))
        if answer.status in (401, 403):
            raise RegistryError(
                str(self._settings.endpoint), "unauthorized", self._refused(origin, answer), answer.status
            )
        try:
            document = json.loads(answer.body.decode()) if answer.status == 200 else {}
            token = document.get("token") or document.get("access_token")
        except (ValueError, AttributeError):
            token = None
        if not isinstance(token, str) or not token.isprintable():
            raise self._transport.error(
                "other", "its token service %s gives no token (HTTP %d)." % (origin.url, answer.status)
            )
        return token

    def _refused(self, origin: Origin, answer: Answer) -> str:
        said = "HTTP %d: %s" % (answer.status, answer.said(self.secrets))
        if self._settings.username is None:
            return "its token service %s wants a login (%s). Set 'username' and 'password' of the registry." % (
                origin.url,
                said,
            )
        return "its token service %s refuses user %r (%s). Check 'username' and 'password'." % (
            origin.url,
            self._settings.username,
            said,
        )
