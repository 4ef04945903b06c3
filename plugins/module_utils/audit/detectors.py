# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The detectors of the package detect-secrets, each asked only where its secrets can be.

Only what looks at one string is used of the package (C(analyze_string)): its C(analyze_line) may ask a secret's issuer on the
network whether it is valid.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError

try:
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
    from detect_secrets.filters import heuristic
    from detect_secrets.plugins.keyword import CONFIG_DENYLIST_REGEX_TO_GROUP
except ImportError as import_error:
    IMPORT_PROBLEM: t.Optional[str] = str(import_error)
else:
    IMPORT_PROBLEM = None

# What a detector's secrets cannot be without, as a cheap search in bytes; a hit is shown to the detectors named. A pattern
# begins with letters of its own, which the re module looks for at 2 to 3 GB/s; an alternation in front would be 50 times slower.
ANCHORS: t.Tuple[t.Tuple[bytes, t.Tuple[str, ...]], ...] = (
    (rb"A(?:3T[A-Z0-9]|BIA|CCA|KIA|SIA)[0-9A-Z]{16}", ("AWSKeyDetector",)),
    (rb"gh[oprsu]_[A-Za-z0-9_]{36}", ("GitHubTokenDetector",)),
    (rb"gl(?:pat|dt|ft|soat|rt|cbt|imt|ptt|agent|oas)-[A-Za-z0-9_\-]{20}", ("GitLabTokenDetector",)),
    (rb"GR1348941[A-Za-z0-9_\-]{20}", ("GitLabTokenDetector",)),
    (rb"xox[abposr]-\d", ("SlackDetector",)),
    (rb"hooks\.slack\.com/services/T", ("SlackDetector",)),
    (rb"k_live_[0-9a-zA-Z]{24}", ("StripeDetector",)),
    (rb"eyJ[A-Za-z0-9_=-]{10,}\.[A-Za-z0-9_=-]{10}", ("JwtTokenDetector",)),
    (rb":_authToken=", ("NpmDetector",)),
    (rb"pypi-AgE", ("PypiTokenDetector",)),
    (rb"AccountKey=[a-zA-Z0-9+/=]{88}", ("AzureStorageKeyDetector",)),
    (rb"SG\.[a-zA-Z0-9_-]{22}\.", ("SendGridDetector",)),
    (rb"sq0csp-", ("SquareOAuthDetector",)),
    (rb"T3BlbkFJ[A-Za-z0-9]{20}", ("OpenAIDetector",)),
)
# Those whose secrets look like much else are asked where settings are: the image's configuration, and small files of settings.
IN_SETTINGS = (
    "ArtifactoryDetector",
    "AWSKeyDetector",
    "BasicAuthDetector",
    "CloudantDetector",
    "DiscordBotTokenDetector",
    "IbmCloudIamDetector",
    "IbmCosHmacDetector",
    "KeywordDetector",
    "MailchimpDetector",
    "SoftlayerDetector",
    "TelegramBotTokenDetector",
    "TwilioKeyDetector",
)
# Those never asked: digests are in every image by the thousand, addresses are no secrets, and a key's first line alone is
# in every library that reads keys (see private_keys.py).
LEFT_OUT = ("Base64HighEntropyString", "HexHighEntropyString", "IPPublicDetector", "PrivateKeyDetector")

_PLACEHOLDER = re.compile(r"example|changeme|change_me|placeholder|redacted|dummy|your[-_]|x{6}|\*\*\*|\.\.\.", re.I)
_MAYBE = re.compile(
    r"pass|pwd|secret|token|key|cred|auth|api|db_|://\S+@|AC[a-z0-9]{32}|SK[a-z0-9]{32}|AKC|AP[0-9A-F]|\d:", re.I
)


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
        classes = {kind.__name__: kind for kind in get_mapping_from_secret_type_to_class().values()}
        wanted = {name for _pattern, names in ANCHORS for name in names}.union(IN_SETTINGS)
        self._by_name = {name: classes[name]() for name in sorted(wanted & classes.keys())}
        self._settings = [self._by_name[name] for name in IN_SETTINGS if name in self._by_name]
        self._all = list(self._by_name.values())

    def anchored(self, names: t.Sequence[str], line: str, hit: str) -> t.Optional[str]:
        """The kind of the first secret that one of these detectors sees in a line; None for none.

        :param hit: what a search of C(ANCHORS) found. Some detectors give back but a part of their secret.
        """
        if _PLACEHOLDER.search(hit):
            return None
        return self._first((self._by_name[name] for name in names if name in self._by_name), line)

    def in_settings(self, line: str) -> t.Optional[str]:
        """The same of those that are asked where settings are."""
        return self._first(self._settings, line) if _MAYBE.search(line) else None

    def anywhere(self, line: str) -> t.Optional[str]:
        """The same of all of them."""
        return self._first(self._all, line)

    def _first(self, detectors: t.Iterable[t.Any], line: str) -> t.Optional[str]:
        for detector in detectors:
            further = {}
            if type(detector).__name__ == "KeywordDetector":
                further = {"denylist_regex_to_group": CONFIG_DENYLIST_REGEX_TO_GROUP}
            for value in detector.analyze_string(line, **further):
                if value and not _harmless(value, line, detector):
                    return str(detector.secret_type)
        return None


def _harmless(value: str, line: str, detector: t.Any) -> bool:
    """Whether a value only stands where a secret would: a template, a reference, a placeholder."""
    return bool(
        _PLACEHOLDER.search(value)
        or heuristic.is_templated_secret(value)
        or heuristic.is_prefixed_with_dollar_sign(value)
        or heuristic.is_not_alphanumeric_string(value)
        or heuristic.is_sequential_string(value)
        or heuristic.is_likely_id_string(value, line, detector)
        or (type(detector).__name__ in ("KeywordDetector", "BasicAuthDetector") and _reference(value, line))
    )


def _reference(value: str, line: str) -> bool:
    return heuristic.is_indirect_reference(line) or value.startswith(("/", "%", "<", "{", "@")) or len(value) < 4
