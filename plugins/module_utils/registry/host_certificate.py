# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Whether a certificate, its key and its authority fit one another and a name, found out by a TLS handshake in memory.

The two ends of the handshake are this process: what OpenSSL accepts there it accepts on the wire, and nothing has to parse
a certificate.
"""

from __future__ import annotations

import contextlib
import dataclasses
import ipaddress
import ssl
import time
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.registry import tls
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import UNVERIFIED, RegistrySettings

DAY = 86400


@dataclasses.dataclass(frozen=True)
class Certificate:
    """A server certificate that was verified: SHA-256 of its DER form, seconds since the epoch, C(DNS:)/C(IP:) names."""

    fingerprint: str
    not_after: int
    subject_alt_names: t.Tuple[str, ...]

    def days_left(self, now: t.Optional[float] = None) -> int:
        return int((self.not_after - (time.time() if now is None else now)) // DAY)


class UnfitCertificate(Exception):
    """A certificate that cannot be served: what is wrong with it, as half a sentence.

    :param explained: the same for whoever has to put it right, with the way out.
    """

    def __init__(self, fault: str, explained: str = "") -> None:
        super().__init__(fault)
        self.explained = explained or "%s. Give one that fits its key and the endpoint" % fault


def alternative_name(name: str) -> str:
    """How a host or an address is written as a subject alternative name: 'IP:10.0.0.1' or 'DNS:registry.example'."""
    try:
        return "IP:%s" % ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return "DNS:%s" % name.lower()


def validity_fault(valid_days: int, renew_days: int) -> t.List[str]:
    """Why a certificate for so many days cannot be renewed so many days before its end; nothing where it can."""
    if 0 <= renew_days < valid_days:
        return []
    return [
        "Certificates are to be valid for %d days (registry_certificate_days) and to be renewed %d days before their end "
        "(registry_certificate_renew_days): each would be due at once. Set fewer days for the second than for the first, and at "
        "least 0." % (valid_days, renew_days)
    ]


def examine(certificate: str, key: str, settings: RegistrySettings, with_system: bool = True) -> Certificate:
    """Serve a certificate in memory to a client of this registry.

    :param certificate: a PEM file: the server's certificate, then the intermediate ones.
    :param key: the PEM file of its key, without a passphrase.
    :param settings: the host that clients ask for and the authority they trust; C(unverified) leaves both unchecked.
    :param with_system: whether clients trust the system's authorities too.
    :raises UnfitCertificate: key and certificate do not match, or the client refuses.
    """
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        server.load_cert_chain(certificate, key, password=no_passphrase)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise UnfitCertificate("it is not the certificate of its key") from None
        raise UnfitCertificate("the certificate or its key cannot be read (%s)" % (error.reason or error)) from None
    client = tls.kept_context(settings.tls, settings.ca, with_system)
    if settings.tls == UNVERIFIED:
        # the ssl module decodes none but a verified certificate: here it is its own anchor
        client = tls.client_context(RegistrySettings(settings.endpoint))
        client.load_verify_locations(certificate)
        client.check_hostname = False
    try:
        return _verified(_handshake(server, client, settings.endpoint.host))
    except ssl.SSLCertVerificationError as error:
        host = settings.endpoint.host
        _kind, explained = tls.certificate_fault(error, settings, host, _described(server, certificate, host))
        raise UnfitCertificate(error.verify_message.rstrip("."), explained.rstrip(".")) from None
    except (ssl.SSLError, ValueError) as error:
        raise UnfitCertificate(str(error)) from None


def no_passphrase() -> str:
    """:raises UnfitCertificate: OpenSSL asks for one, which it does where the key has it."""
    raise UnfitCertificate(
        "its key has a passphrase, which nobody can type when nginx starts; give the key without one"
    )


def _handshake(server_context: ssl.SSLContext, client_context: ssl.SSLContext, name: str) -> ssl.SSLObject:
    """The client's end of a connection that stands."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    client = client_context.wrap_bio(to_client, to_server, server_hostname=name)
    for side in (client, server) * 4:  # each turn is at most one flight; TLS 1.3 needs three of them
        with contextlib.suppress(ssl.SSLWantReadError):
            side.do_handshake()
    return client


def _described(server: ssl.SSLContext, certificate: str, name: str) -> t.Optional[tls.PeerCertificate]:
    """What a certificate that does not pass says of itself; None where that cannot be found out, as with text beyond ASCII."""
    with contextlib.suppress(ssl.SSLError, ValueError, TypeError, OSError), open(certificate) as stream:
        return tls.described(_handshake(server, tls.lenient_context(stream.read()), name))
    return None


def _verified(client: ssl.SSLObject) -> Certificate:
    peer = client.getpeercert() or {}
    names = t.cast("t.Sequence[t.Tuple[str, str]]", peer.get("subjectAltName", ()))
    return Certificate(
        tls.fingerprint(client),
        ssl.cert_time_to_seconds(str(peer["notAfter"])),
        tuple(alternative_name(value) for kind, value in names if kind in ("DNS", "IP Address")),
    )
