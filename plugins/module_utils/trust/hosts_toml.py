# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""containerd's hosts.toml of one registry: read at every pull, so that it needs neither a restart nor a reload."""

from __future__ import annotations

import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import (
    PLAIN,
    UNVERIFIED,
    RegistrySettings,
)
from ansible_collections.longshore.delivery.plugins.module_utils.trust.toml_lines import quoted


def hosts_toml(registry: RegistrySettings, ca_file: t.Optional[str]) -> t.Optional[str]:
    """The text for this registry, None where containerd needs none: TLS that the system's authorities vouch for.

    A C([host]) table is always there: containerd up to 1.7.24 drops a file without one. C(ca) and C(skip_verify) count
    inside
    of it only.

    :param ca_file: the absolute path of the authorities' file.
    """
    if registry.tls not in (PLAIN, UNVERIFIED) and ca_file is None:
        return None
    url = "%s://%s" % (registry.scheme, registry.endpoint)
    lines = [
        "server = %s" % quoted(url),
        "",
        "[host.%s]" % quoted(url),
        '  capabilities = ["pull", "resolve"]',
    ]
    if registry.tls == UNVERIFIED:
        lines.append("  skip_verify = true")
    elif ca_file is not None:
        lines.append("  ca = %s" % quoted(ca_file))
    return "\n".join(lines) + "\n"
