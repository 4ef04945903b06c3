# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The role's own authority, and how far its replacement by another has come: what the host's files say.

Clients trust all certificates of its file, and the first one signs. While one authority follows another the file has both: first
the next one behind the present one, until every client trusts both; then the other way round.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import ssl
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.registry.authority_validity import days_left
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client_pair import certificates_in
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_certificate import (
    UnfitCertificate,
    no_passphrase,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_files import content_of
from ansible_collections.longshore.delivery.plugins.module_utils.registry.memory_file import file_in_memory

# How far a rotation has come: none is under way; the next authority is there for clients to trust; it is the one that signs.
SETTLED = "settled"
ANNOUNCED = "announced"
TURNED = "turned"


@dataclasses.dataclass(frozen=True)
class Authority:
    """What is there.

    :param pem: the file's text, empty where there is none.
    :param place: the file.
    :param fault: why it cannot be taken for an authority, as half a sentence.
    :param signing: the certificate of the authority that signs.
    :param phase: one of those above; empty where there is no authority, or a fault.
    :param has_key: whether the key of the one that signs is there.
    :param takes_key: whether that key still is the next one's, so that it has to become the present one.
    :param days_left: until the first of them expires.
    """

    pem: str = ""
    place: str = ""
    fault: str = ""
    signing: str = ""
    phase: str = ""
    has_key: bool = False
    takes_key: bool = False
    days_left: int = -1

    def obstacles(self, endpoint: t.Any, given: t.Optional[str], has_to_sign: bool) -> t.List[str]:
        """What keeps a certificate from being signed or handed on with it, each a sentence with its way out.

        :param given: the authority that clients are given.
        """
        if self.fault:
            return [
                "The authority of registry %s cannot be read in %s: %s. Put it back from a backup, or remove it: a new one is "
                "then made, which every client has to be told to trust." % (endpoint, self.place, self.fault)
            ]
        if given is not None and self.pem.split() != given.split():
            return [
                "An authority is given for %s (registry_ca), and the certificate there is made by the role's own one, which is "
                "another. Give registry_certificate and registry_certificate_key too, or leave the authority away: the role "
                "hands its own one on." % endpoint
            ]
        if has_to_sign and self.pem and not self.has_key:
            return [
                "The certificate of %s is to be made anew, and the key of its authority is missing beside the authority's "
                "certificate, or is another's. Put the key back, or remove both: a new authority is then made, which every "
                "client has to be told to trust." % endpoint
            ]
        return []

    def warnings(self, endpoint: t.Any, days: int) -> t.List[str]:
        if not self.pem or self.days_left >= days:
            return []
        return [
            "The authority of registry %s expires in %d days, and every certificate of it with it. The playbook "
            "longshore.delivery.rotate_authority replaces it without a failed pull." % (endpoint, self.days_left)
        ]


def observe(certificate: str, key: str, next_key: str) -> Authority:
    """Look at the authority in these files.

    :param next_key: where the key of the next authority waits.
    """
    pem = content_of(certificate).decode("utf-8", "replace")
    fault = authority_fault(pem)
    if fault or not pem:
        return Authority(pem, certificate, fault)
    signing, *others = certificates_in(pem)
    has_key = _is_of(key, signing)
    takes_key = bool(others) and not has_key and _is_of(next_key, signing)
    is_announced = any(_is_of(next_key, other) for other in others)
    return Authority(
        pem=pem,
        place=certificate,
        signing=signing,
        phase=ANNOUNCED if is_announced else TURNED if others else SETTLED,
        has_key=has_key or takes_key,
        takes_key=takes_key,
        days_left=days_left(pem),
    )


def authority_fault(pem: str) -> str:
    """Why this text cannot be taken for an authority, as half a sentence; empty where it can, or where there is none."""
    try:
        if pem:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError, TypeError) as error:  # TypeError: text beyond ASCII
        return "it is damaged, or holds something else than certificates in PEM form (%s)" % error
    return ""


def _is_of(key: str, certificate: str) -> bool:
    """Whether this file has the key of this certificate."""
    if not os.path.exists(key):
        return False
    with file_in_memory(certificate) as file, contextlib.suppress(ssl.SSLError, UnfitCertificate):
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(file, key, password=no_passphrase)
        return True
    return False
