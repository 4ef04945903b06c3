# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The one shape in which a registry is named everywhere: the option C(registry) and what it becomes."""

from __future__ import annotations

import base64
import dataclasses
import ssl
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.reference import (
    Endpoint,
    InvalidReference,
    Reference,
)
from ansible_collections.longshore.delivery.plugins.module_utils.reference_grammar import Flaw, check_repository
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client_pair import (
    ClientPair,
    InvalidPair,
    certificates_in,
)

VERIFIED = "verified"
UNVERIFIED = "unverified"
PLAIN = "plain"

REGISTRY_OPTIONS: t.Dict[str, t.Any] = {
    "endpoint": {"type": "str", "required": True},
    "tls": {"type": "str", "choices": [VERIFIED, UNVERIFIED, PLAIN], "default": VERIFIED},
    "ca": {"type": "str"},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "client_certificate": {"type": "str"},
    "client_key": {"type": "str", "no_log": True},
    "mirror_of": {"type": "list", "elements": "str"},
    "mirror_paths": {"type": "dict"},
}
REGISTRY_SPEC: t.Dict[str, t.Any] = {
    "type": "dict",
    "options": REGISTRY_OPTIONS,
    "required_together": [["username", "password"], ["client_certificate", "client_key"]],
}


class InvalidRegistry(DeliveryError):
    """A registry that cannot be meant as it is written; the message names the key and the way out, and shows no secret."""


@dataclasses.dataclass(frozen=True)
class RegistrySettings:
    """A registry as the user describes it.

    ``ca`` holds the PEM blocks alone, without what stood between them. An empty text counts as not set, since templates
    leave such behind.
    """

    endpoint: Endpoint
    tls: str = VERIFIED
    ca: t.Optional[str] = dataclasses.field(default=None, repr=False)
    username: t.Optional[str] = None
    password: t.Optional[str] = dataclasses.field(default=None, repr=False)
    mirror_of: t.Tuple[Endpoint, ...] = ()
    mirror_paths: t.Tuple[t.Tuple[Endpoint, str], ...] = ()
    client: t.Optional[ClientPair] = dataclasses.field(default=None, repr=False)

    @classmethod
    def from_params(cls, params: t.Mapping[str, t.Any]) -> RegistrySettings:
        """Make settings from the validated option C(registry).

        :raises InvalidReference: the endpoint, or one in C(mirror_of), is none.
        :raises InvalidRegistry: C(ca) holds no certificate, or keys contradict each other.
        """
        endpoint = Endpoint.parse(params["endpoint"])
        where = "registry %s" % endpoint
        tls = params.get("tls") or VERIFIED
        if tls not in (VERIFIED, UNVERIFIED, PLAIN):
            raise InvalidRegistry("%s: 'tls' is %r; verified, unverified and plain are known." % (where, tls))
        ca = readable_certificates(params.get("ca") or "", where)
        if ca and tls == PLAIN:
            raise InvalidRegistry(
                "%s: 'ca' is given and 'tls' is plain, which reads no certificate. Leave 'ca' away, or set 'tls' to verified."
                % where
            )
        username, password = params.get("username") or None, params.get("password") or None
        _check_credentials(username, password, where)
        mirror_of = tuple(Endpoint.parse(item) for item in params.get("mirror_of") or ())
        mirror_paths = _mirror_paths(params.get("mirror_paths") or {}, mirror_of, where)
        client = _client_pair(params.get("client_certificate") or "", params.get("client_key") or "", where)
        if client and tls == PLAIN:
            raise InvalidRegistry(
                "%s: 'client_certificate' is given and 'tls' is plain, which shows none. Leave it away, or set 'tls' to verified."
                % where
            )
        return cls(endpoint, tls, ca, username, password, mirror_of, mirror_paths, client)

    def path_for(self, upstream: Endpoint) -> str:
        """Below which path this mirror has the images of that registry; empty where it has them by the same names."""
        return dict(self.mirror_paths).get(upstream, "")

    @property
    def scheme(self) -> str:
        """C(https) or C(http)."""
        return "http" if self.tls == PLAIN else "https"

    @property
    def basic_authorization(self) -> t.Optional[str]:
        """The value of an HTTP header C(Authorization) for these credentials; a secret. None without credentials."""
        if self.username is None or self.password is None:
            return None
        return "Basic " + base64.b64encode(("%s:%s" % (self.username, self.password)).encode()).decode()


def registry_of(name: str, params: t.Optional[t.Mapping[str, t.Any]]) -> t.Tuple[RegistrySettings, Reference]:
    """The registry that an image is to go to, and its name there.

    :param name: as the user wrote it; without a registry it is one of the given registry, or of Docker Hub where none is given.
    :param params: the option C(registry); None for a registry without a login, with a certificate that the system vouches for.
    :raises InvalidReference: the name is none, or of another registry than the given one.
    :raises InvalidRegistry: the given one is none.
    """
    if not params:
        reference = Reference.parse(name)
        return RegistrySettings(reference.endpoint), reference
    registry = RegistrySettings.from_params(params)
    reference = Reference.parse(name, registry.endpoint)
    if not reference.endpoint.same_server(registry.endpoint, registry.scheme):
        raise InvalidReference(
            "The image %s is to go to %s, and 'registry' is %s. Leave the registry out of the name, or correct one of them."
            % (name, reference.endpoint, registry.endpoint)
        )
    return registry, reference


def readable_certificates(text: str, where: str) -> t.Optional[str]:
    """The certificates of a PEM text; None where there is none.

    :raises InvalidRegistry: it holds something else.
    """
    if not text.strip():
        return None
    if "PRIVATE KEY-----" in text:
        raise InvalidRegistry(
            "%s: 'ca' holds a private key. Give the certificate alone, and keep the key where it is." % where
        )
    blocks = certificates_in(text)
    if not blocks:
        hint = ""
        if "\n" not in text.strip() and "BEGIN" not in text:
            hint = " If it is a file's name, read the file: {{ lookup('ansible.builtin.file', '...') }}."
        raise InvalidRegistry(
            "%s: 'ca' holds no certificate in PEM form (-----BEGIN CERTIFICATE-----).%s" % (where, hint)
        )
    pem = "\n".join(blocks) + "\n"
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError) as error:
        raise InvalidRegistry("%s: 'ca' holds a certificate that cannot be read: %s." % (where, error)) from None
    return pem


def _client_pair(certificate: str, key: str, where: str) -> t.Optional[ClientPair]:
    """What a client shows a registry that asks for its certificate; None where nothing is given.

    :raises InvalidRegistry: one of the two is missing, or they are not each other's.
    """
    try:
        return ClientPair.of(certificate, key)
    except InvalidPair as error:
        raise InvalidRegistry("%s: %s" % (where, error)) from None


def _mirror_paths(
    paths: t.Mapping[str, t.Any], mirror_of: t.Sequence[Endpoint], where: str
) -> t.Tuple[t.Tuple[Endpoint, str], ...]:
    """:raises InvalidRegistry: one is no path of repositories, or of a registry that this is no mirror of."""
    found = []
    for name, path in paths.items():
        upstream = Endpoint.parse(str(name))
        if upstream not in mirror_of:
            raise InvalidRegistry(
                "%s: 'mirror_paths' has %s, which 'mirror_of' does not name. Name it there, or leave it away here."
                % (where, upstream)
            )
        try:
            check_repository(str(path))
        except Flaw as flaw:
            raise InvalidRegistry("%s: 'mirror_paths' has %r for %s: %s." % (where, path, upstream, flaw)) from None
        found.append((upstream, str(path)))
    return tuple(found)


def _check_credentials(username: t.Optional[str], password: t.Optional[str], where: str) -> None:
    if (username is None) != (password is None):
        missing, given = ("password", "username") if password is None else ("username", "password")
        raise InvalidRegistry("%s: '%s' is given and '%s' is not; set both or none." % (where, given, missing))
    if username is not None and ":" in username:
        raise InvalidRegistry("%s: 'username' has a ':', which Basic authentication cannot carry (RFC 7617)." % where)
    for key, value in (("username", username), ("password", password)):
        if value is not None and any(ord(character) < 32 or ord(character) == 127 for character in value):
            raise InvalidRegistry(
                "%s: '%s' has a line break or another control character (RFC 7617 allows none). Read from a file or a command, "
                "it needs the filter 'trim'." % (where, key)
            )
