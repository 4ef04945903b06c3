# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""TLS towards a registry: what is verified, and what a certificate that does not pass says about itself."""

from __future__ import annotations

import functools
import hashlib
import os
import socket
import ssl
import time
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.registry.client_pair import ClientPair
from ansible_collections.longshore.delivery.plugins.module_utils.registry.clock import CLOCKS_APART, apart, moment
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import UNVERIFIED, RegistrySettings

# OpenSSL's verification flags; the ssl module names the second one since Python 3.10 and the third one never.
_STRICT = 0x20
_PARTIAL_CHAIN = 0x80000
_NO_CHECK_TIME = 0x200000

# OpenSSL's verification results (x509_vfy.h).
_NOT_YET_VALID, _EXPIRED = 9, 10
_SELF_SIGNED = 18
_ISSUER_FAULTS = (2, 7, 18, 19, 20, 21, 24, 27, 30, 79)
_NAME_FAULTS = (62, 64)


def client_context(settings: RegistrySettings) -> ssl.SSLContext:
    """A context that takes the certificates which the container engines take, with every Python and OpenSSL.

    The engines are written in Go: its verifier takes an intermediate certificate as anchor, ignores a host name in the common
    name, and does not insist on the key usages that Python's default demands since 3.13.
    """
    return _context(settings.tls, settings.ca, True, settings.client)


def kept_context(
    tls: str, ca: t.Optional[str], with_system: bool, client: t.Optional[ClientPair] = None
) -> ssl.SSLContext:
    """A context of the same kind that is made once in a process, for every client that trusts the same: not to be changed.

    To load the system's authorities takes 25 to 90 ms, as much as a whole unchanged push takes otherwise.

    :param with_system: whether the system's authorities are trusted beside those of C(ca).
    :param client: what is shown to a server that asks for a certificate.
    """
    return _kept(tls, ca, with_system, client, os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@functools.lru_cache(maxsize=16)
def _kept(
    tls: str, ca: t.Optional[str], with_system: bool, client: t.Optional[ClientPair], *_places: t.Optional[str]
) -> ssl.SSLContext:
    """:param _places: what names the places of the system's authorities for OpenSSL."""
    return _context(tls, ca, with_system, client)


def _context(tls: str, ca: t.Optional[str], with_system: bool, client: t.Optional[ClientPair]) -> ssl.SSLContext:
    if tls == UNVERIFIED:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        # it loads the system's authorities unless it is given others
        context = ssl.create_default_context(cadata=ca)
        if ca and with_system:
            context.load_default_certs()
        context.hostname_checks_common_name = False
        context.verify_flags = ssl.VerifyFlags((int(context.verify_flags) & ~_STRICT) | _PARTIAL_CHAIN)
    if client:
        client.show_by(context)
    context.set_alpn_protocols(["http/1.1"])
    return context


class PeerCertificate(t.NamedTuple):
    """What a server's certificate says; dates in seconds since 1970."""

    subject: str
    issuer: str
    names: t.Tuple[str, ...]
    not_before: float
    not_after: float
    fingerprint: str


def peer_certificate(host: str, port: int, timeout: float) -> t.Optional[PeerCertificate]:
    """Read a server's certificate without believing it; None where that does not succeed. For error messages only.

    The ssl module decodes none but a verified certificate, hence the second connection, for which it is its own anchor.
    """
    blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    blind.check_hostname = False
    blind.verify_mode = ssl.CERT_NONE
    try:
        der = _certificate_bytes(host, port, timeout, blind)
        lenient = lenient_context(ssl.DER_cert_to_PEM_cert(der))
        with (
            socket.create_connection((host, port), timeout) as plain,
            lenient.wrap_socket(plain, server_hostname=host) as tls,
        ):
            return described(tls)
    except (OSError, ValueError):
        return None


def lenient_context(pem: str) -> ssl.SSLContext:
    """A context that takes these certificates for any host and at any time: the ssl module decodes none but a verified one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags = ssl.VerifyFlags(_PARTIAL_CHAIN | _NO_CHECK_TIME)
    context.load_verify_locations(cadata=pem)
    return context


def described(connection: t.Union[ssl.SSLSocket, ssl.SSLObject]) -> PeerCertificate:
    """What the verified certificate at the other end says.

    :raises ValueError: there is none.
    """
    decoded = t.cast(t.Dict[str, t.Any], connection.getpeercert())
    if not decoded:
        raise ValueError("no certificate")
    return PeerCertificate(
        subject=_person(decoded.get("subject", ())),
        issuer=_person(decoded.get("issuer", ())),
        names=tuple(value for _kind, value in decoded.get("subjectAltName", ())),
        not_before=ssl.cert_time_to_seconds(decoded["notBefore"]),
        not_after=ssl.cert_time_to_seconds(decoded["notAfter"]),
        fingerprint=fingerprint(connection),
    )


def fingerprint(connection: t.Union[ssl.SSLSocket, ssl.SSLObject]) -> str:
    """SHA-256 of the DER form of the certificate at the other end, verified or not, in hexadecimal digits."""
    return hashlib.sha256(connection.getpeercert(True) or b"").hexdigest()


def _certificate_bytes(host: str, port: int, timeout: float, context: ssl.SSLContext) -> bytes:
    with (
        socket.create_connection((host, port), timeout) as plain,
        context.wrap_socket(plain, server_hostname=host) as tls,
    ):
        der = tls.getpeercert(binary_form=True)
    if der is None:
        raise ValueError("no certificate")
    return der


def certificate_fault(
    error: ssl.SSLCertVerificationError,
    settings: RegistrySettings,
    host: str,
    certificate: t.Optional[PeerCertificate],
    server_clock: t.Callable[[], t.Optional[float]] = lambda: None,
) -> t.Tuple[str, str]:
    """The kind of error and its cause with the way out, for a certificate that did not pass.

    :param server_clock: asks the server for its time, in seconds since 1970.
    """
    code = error.verify_code
    if code in (_EXPIRED, _NOT_YET_VALID):
        return "clock", _clock_fault(code, certificate, server_clock())
    if code in _NAME_FAULTS:
        return "tls", _name_fault(host, certificate)
    if code in _ISSUER_FAULTS:
        return "ca", _issuer_fault(code, settings, certificate)
    return "tls", "its certificate does not pass: %s (OpenSSL %d). Issue another one." % (error.verify_message, code)


def _clock_fault(code: int, certificate: t.Optional[PeerCertificate], served: t.Optional[float]) -> str:
    now = time.time()
    clock = "this machine's clock says %s" % moment(now)
    if served is not None and abs(served - now) > CLOCKS_APART:
        clock += ", which is %s the server's" % apart(now - served)
        if certificate is not None and certificate.not_before <= served <= certificate.not_after:
            clock += ", by which the certificate is valid: this machine's is likely the one that is off"
    if certificate is None or certificate.not_before <= now <= certificate.not_after:
        whose, valid = "a certificate in its chain, most likely its authority's,", ""
    else:
        whose = "its certificate"
        valid = " (valid from %s to %s)" % (moment(certificate.not_before), moment(certificate.not_after))
    if code == _EXPIRED:
        return "%s has expired%s; %s. Renew it, or set the clock." % (whose, valid, clock)
    return "%s is not valid yet%s; %s. Set the clock (NTP), or wait." % (whose, valid, clock)


def _name_fault(host: str, certificate: t.Optional[PeerCertificate]) -> str:
    if certificate is None:
        names = "for another host"
    elif certificate.names:
        names = "for %s" % ", ".join(certificate.names)
    else:
        names = "for no host: it has no subject alternative names, and a common name does not count"
    return (
        "its certificate is %s, not for %s. Issue one with %s among its subject alternative names, or name the registry as the "
        "certificate does." % (names, host, host)
    )


def _issuer_fault(code: int, settings: RegistrySettings, certificate: t.Optional[PeerCertificate]) -> str:
    given = _authorities(settings.ca)
    nor = ", nor does the given 'ca' (%s) vouch for it" % ", ".join(repr(name) for name in given) if settings.ca else ""
    if certificate is None:
        return (
            "its certificate comes from an authority that this machine does not trust%s. Set 'ca' to the right one's PEM."
            % nor
        )
    if code == _SELF_SIGNED:
        return (
            "its certificate (%r, SHA-256 %s) is signed by itself, and this machine does not trust it%s. Set 'ca' to its "
            "PEM if it is the registry's own." % (certificate.subject, certificate.fingerprint, nor)
        )
    if certificate.issuer in given:
        return (
            "its certificate was issued by %r, and the given 'ca' has that name and another key: the authority was made anew. "
            "Set 'ca' to the PEM of the present one." % certificate.issuer
        )
    return (
        "its certificate was issued by %r, whom this machine does not trust%s. Set 'ca' to the PEM of that authority."
        % (
            certificate.issuer,
            nor,
        )
    )


def _authorities(pem: t.Optional[str]) -> t.List[str]:
    if not pem:
        return []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=pem)
    return [_person(t.cast(t.Any, entry).get("subject", ())) for entry in context.get_ca_certs()]


def _person(name: t.Any) -> str:
    pairs = [pair for relative in name for pair in relative]
    common = [value for key, value in pairs if key == "commonName"]
    return common[0] if common else ", ".join(value for _key, value in pairs)
