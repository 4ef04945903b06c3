# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Drop-ins of containers-registries.conf(5), which Podman, Buildah, Skopeo and CRI-O read."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.reference import Endpoint
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import VERIFIED, RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.trust.mirrors import (
    CLOSED,
    HEAD,
    MIRROR,
    OPEN,
    Share,
    Upstream,
    begins,
)
from ansible_collections.longshore.delivery.plugins.module_utils.trust.toml_lines import (
    Assignment,
    Header,
    quoted,
    statements,
    string_value,
)


def drop_in_name(endpoint: Endpoint) -> str:
    """The name of this registry's file: no ':' or bracket in it, and late enough to come after a distribution's own."""
    return "50-longshore-%s.conf" % re.sub(r"[^A-Za-z0-9.-]", "_", str(endpoint))


def shares(registry: RegistrySettings) -> t.Tuple[Share, ...]:
    """What this registry has in its own file, none where none is needed: C(insecure) covers plain HTTP and TLS without
    verification alike.
    """
    if registry.tls == VERIFIED:
        return ()
    return (Share(str(registry.endpoint), HEAD, _entry("[[registry]]", registry)),)


def share_of_mirror(registry: RegistrySettings, path: str) -> Share:
    """What a mirror has in its upstream's file.

    :param path: below which it has the upstream's images.
    """
    entry = _entry("[[registry.mirror]]", registry, "/" + path if path else "")
    return Share(str(registry.endpoint), MIRROR, "\n" + entry)


def share_for_mirrors(upstream: Upstream) -> Share:
    """What the file of an upstream has that is not named itself. A blocked one is not asked, its mirrors are."""
    entry = _entry("[[registry]]", RegistrySettings(upstream.endpoint))
    return Share("", OPEN, entry) if upstream.is_asked else Share("", CLOSED, entry + "blocked = true\n")


def text(parts: t.Sequence[Share]) -> str:
    """The file; mirrors are asked in its order."""
    first = begins(parts)
    return "".join(share.text for share in ([] if first is None else [first]) + [s for s in parts if s.place == MIRROR])


def _entry(header: str, registry: RegistrySettings, path: str = "") -> str:
    insecure = "" if registry.tls == VERIFIED else "insecure = true\n"
    return "%s\nlocation = %s\n%s" % (header, quoted(str(registry.endpoint) + path), insecure)


def entry_of(text: str, endpoint: str) -> t.Optional[t.Dict[str, str]]:
    """The entry that a file has for this registry, with raw values; None if it has none.

    :raises TomlError: the text is no TOML, which breaks every pull already.
    """
    entries: t.List[t.Dict[str, str]] = []
    for statement in statements(text):
        if isinstance(statement, Header):
            if statement.path == ("registry",) and statement.is_array:
                entries.append({})
        elif isinstance(statement, Assignment) and entries and statement.table == ("registry",):
            entries[-1][statement.path[-1]] = text[statement.value[0] : statement.value[1]]
    for entry in entries:
        if string_value(entry.get("prefix") or entry.get("location") or "") == endpoint:
            return entry
    return None


def is_insecure(entry: t.Mapping[str, str]) -> bool:
    """Whether this entry already says what that of C(shares) says."""
    return entry.get("insecure") == "true"
