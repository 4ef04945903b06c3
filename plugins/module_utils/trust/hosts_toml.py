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

    A C([host]) table is always there: containerd up to 1.7.24 drops a file without one. C(ca) and C(skip_verify) stand
    inside of it and before it: containerd 1.7.24 asks the server once more where the host answers 404, and without them
    there an image that is missing would be told as a certificate that nobody vouches for.

    :param ca_file: the absolute path of the authorities' file.
    """
    if registry.tls not in (PLAIN, UNVERIFIED) and ca_file is None:
        return None
    url = "%s://%s" % (registry.scheme, registry.endpoint)
    settings = []
    if registry.tls == UNVERIFIED:
        settings = ["skip_verify = true"]
    elif ca_file is not None:
        settings = ["ca = %s" % quoted(ca_file)]
    lines = [
        "server = %s" % quoted(url),
        *settings,
        "",
        "[host.%s]" % quoted(url),
        '  capabilities = ["pull", "resolve"]',
        *("  " + setting for setting in settings),
    ]
    return "\n".join(lines) + "\n"
