# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The detectors of the package detect-secrets, each asked only where its secrets can be.

Only what looks at one string is used of the package (C(analyze_string)): its C(analyze_line) may ask a secret's issuer on the
network whether it is valid.
"""

from __future__ import annotations

import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.audit.anchors import DETECTORS
from ansible_collections.longshore.delivery.plugins.module_utils.audit.own_detectors import OWN
from ansible_collections.longshore.delivery.plugins.module_utils.audit.secret_values import PLACEHOLDER, is_words
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError

try:
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
    from detect_secrets.filters import heuristic
    from detect_secrets.plugins.keyword import CONFIG_DENYLIST_REGEX_TO_GROUP
except ImportError as import_error:
    IMPORT_PROBLEM: t.Optional[str] = str(import_error)
else:
    IMPORT_PROBLEM = None

_ASSIGNED = rb"[^\n=:]{0,40}[=:]"
_WORDS = ("AWSKeyDetector", "IbmCloudIamDetector", "IbmCosHmacDetector", "KeywordDetector", "SoftlayerDetector")
# What the secrets of those cannot be without that look like much else, and are asked where settings are: in the image's
# configuration and in small files of settings. Sought in lower case.
SETTINGS_ANCHORS: t.Tuple[t.Tuple[bytes, t.Tuple[str, ...]], ...] = (
    *((word + _ASSIGNED, _WORDS) for word in (b"pass", b"pwd", b"secret", b"token", b"key", b"contrase")),
    (rb"://[^\s/]{1,256}@", ("BasicAuthDetector", "CloudantDetector")),
    (rb"cloudant", ("CloudantDetector",)),
    (rb"api\.softlayer\.com", ("SoftlayerDetector",)),
    # behind a blank, '=', ':' or '"', which no word with such letters is within another
    (rb"a(?<![!#-9;<>-~]a)(?:kc[a-z0-9]{10}|p[0-9a-f][a-z0-9]{8})", ("ArtifactoryDetector",)),
    (rb"ac[a-z0-9]{32}", ("TwilioKeyDetector",)),
    (rb"sk[a-z0-9]{32}", ("TwilioKeyDetector",)),
    (rb"-us\d", ("MailchimpDetector",)),
    (rb":[0-9a-z_-]{35}", ("TelegramBotTokenDetector",)),
    (rb"\.[a-z0-9_-]{6}\.[a-z0-9_-]{27}", ("DiscordBotTokenDetector",)),
)
# Those never asked: digests are in every image by the thousand, addresses are no secrets, and a key's first line alone is
# in every library that reads keys (see private_keys.py).
LEFT_OUT = ("Base64HighEntropyString", "HexHighEntropyString", "IPPublicDetector", "PrivateKeyDetector")


class Detectors:
    """What the package can tell of a line.

    :raises DeliveryError: the package is missing.
    """

    def __init__(self) -> None:
        if IMPORT_PROBLEM:
            raise DeliveryError(
                "The Python package 'detect-secrets' is missing where this runs (%s). Install it with pip."
                % IMPORT_PROBLEM
            )
        kinds: t.Dict[str, t.Any] = get_mapping_from_secret_type_to_class()
        classes = {kind.__name__: kind for kind in kinds.values()}
        wanted = DETECTORS.union(*(names for _pattern, names in SETTINGS_ANCHORS))
        self._by_name = {**{name: classes[name]() for name in sorted(wanted & classes.keys())}, **OWN}
        self._all = list(self._by_name.values())

    def kind(self, name: str) -> t.Optional[str]:
        """What a detector calls its secrets; None of one that the package does not have."""
        return str(self._by_name[name].secret_type) if name in self._by_name else None

    def seen(self, names: t.Iterable[str], line: str, hit: str, of_system: bool = False) -> t.Optional[str]:
        """The kind of the first secret that one of these detectors sees in a line; None for none.

        :param hit: what the search found. Some detectors give back but a part of their secret.
        :param of_system: whether the line is of the system's settings, where words like "passwd" are settings' names.
        """
        if PLACEHOLDER.search(hit):
            return None
        return self._first((self._by_name[name] for name in names if name in self._by_name), line, of_system)

    def anywhere(self, line: str) -> t.Optional[str]:
        """The same of all detectors."""
        return self._first(self._all, line)

    def by_keyword(self, name: str, value: str) -> t.Optional[str]:
        """The kind of a setting by its name, with the package's keywords; None for a number, an address or a choice."""
        if value.isdigit() or "://" in value:
            return None
        return self._first((self._by_name["KeywordDetector"],), "%s=%s" % (name, value), True)

    def _first(self, detectors: t.Iterable[t.Any], line: str, of_system: bool = False) -> t.Optional[str]:
        for detector in detectors:
            further = {}
            by_keyword = type(detector).__name__ == "KeywordDetector"
            if by_keyword:
                further = {"denylist_regex_to_group": CONFIG_DENYLIST_REGEX_TO_GROUP}
            for value in detector.analyze_string(line, **further):
                if (
                    value
                    and not _harmless(value, line, detector)
                    and not (by_keyword and of_system and is_words(value))
                ):
                    return str(detector.secret_type)
        return None


def _harmless(value: str, line: str, detector: t.Any) -> bool:
    """Whether a value only stands where a secret would: a template, a reference, a placeholder."""
    return bool(
        PLACEHOLDER.search(value)
        or heuristic.is_templated_secret(value)
        or heuristic.is_prefixed_with_dollar_sign(value)
        or heuristic.is_not_alphanumeric_string(value)
        or heuristic.is_sequential_string(value)
        or heuristic.is_likely_id_string(value, line, detector)
        or (type(detector).__name__ in ("KeywordDetector", "BasicAuthDetector") and _reference(value, line))
    )


def _reference(value: str, line: str) -> bool:
    return heuristic.is_indirect_reference(line) or value.startswith(("/", "%", "<", "{", "@")) or len(value) < 4
