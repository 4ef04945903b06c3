# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""A certificate with its key, which clients show a registry that asks for one (mutual TLS)."""

from __future__ import annotations

import re
import ssl
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.registry.memory_file import file_in_memory

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")
_KEY = re.compile(r"-----BEGIN ([A-Z ]*)PRIVATE KEY-----[^-]+-----END \1PRIVATE KEY-----")


class InvalidPair(Exception):
    """Two texts that are no such pair; the message names the option and the way out, and shows nothing of them."""


def certificates_in(text: str) -> t.List[str]:
    """The certificates of a PEM text, each by itself, in their order."""
    return _CERTIFICATE.findall(text)


class ClientPair(t.NamedTuple):
    """Both as PEM text: the certificate with those that lead to its authority, and its key."""

    certificate: str
    key: str

    @classmethod
    def of(cls, certificate: str, key: str) -> t.Optional[ClientPair]:
        """Take the PEM blocks out of two texts; None where both are empty, as templates leave them.

        :raises InvalidPair: one of them is missing or cannot be read, or they are not each other's.
        """
        if not certificate.strip() and not key.strip():
            return None
        for option, text, other in (
            ("client_certificate", certificate, "client_key"),
            ("client_key", key, "client_certificate"),
        ):
            if not text.strip():
                raise InvalidPair("'%s' is given and '%s' is not; set both or none." % (other, option))
        blocks, found = certificates_in(certificate), _KEY.search(key)
        if not blocks:
            raise InvalidPair("'client_certificate' holds no certificate in PEM form (-----BEGIN CERTIFICATE-----).")
        if found is None:
            raise InvalidPair("'client_key' holds no private key in PEM form (-----BEGIN PRIVATE KEY-----).")
        pair = cls("\n".join(blocks) + "\n", found.group() + "\n")
        try:
            pair.show_by(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                raise InvalidPair(
                    "'client_key' is not the key of 'client_certificate'. Give the two that were issued together."
                ) from None
            raise InvalidPair(
                "'client_certificate' and 'client_key' cannot be read: %s." % (error.reason or error)
            ) from None
        return pair

    def show_by(self, context: ssl.SSLContext) -> None:
        """Have connections of this context show it.

        :raises InvalidPair: the key has a passphrase.
        :raises ssl.SSLError: OpenSSL does not take them.
        """
        with file_in_memory(self.certificate + self.key) as both:
            context.load_cert_chain(both, password=_no_passphrase)


def _no_passphrase() -> str:
    """:raises InvalidPair: OpenSSL asks for one, which it does where the key has it."""
    raise InvalidPair("'client_key' has a passphrase, which no engine can type. Give the key without one.")
