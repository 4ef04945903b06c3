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
from ansible_collections.longshore.delivery.plugins.module_utils.trust.mirrors import (
    CLOSED,
    DOCKER_HUB,
    HEAD,
    MIRROR,
    OPEN,
    TAIL,
    Share,
    Upstream,
    begins,
)
from ansible_collections.longshore.delivery.plugins.module_utils.trust.toml_lines import quoted

_DOCKER_HUBS_HOST = "registry-1.docker.io"  # docker.io itself serves no image


class Files(t.NamedTuple):
    """The absolute paths of what containerd is to read for one registry: its authorities, and what is shown to it."""

    authority: t.Optional[str] = None
    client: t.Optional[t.Tuple[str, str]] = None


def shares(registry: RegistrySettings, files: Files) -> t.Tuple[Share, ...]:
    """What this registry has in its own file, none where containerd needs none: TLS that the system's authorities vouch for.

    A C([host]) table is always there: containerd up to 1.7.24 drops a file without one. C(ca) and C(skip_verify) stand
    inside of it and before it: containerd 1.7.24 asks the server once more where the host answers 404, and without them
    there an image that is missing would be told as a certificate that nobody vouches for.
    """
    if registry.tls not in (PLAIN, UNVERIFIED) and files == Files():
        return ()
    endpoint = str(registry.endpoint)
    return (
        Share(endpoint, HEAD, _server(_url(registry), _settings(registry, files))),
        Share(endpoint, TAIL, _host(registry, files)),
    )


def share_of_mirror(registry: RegistrySettings, files: Files, path: str) -> Share:
    """What a mirror has in its upstream's file.

    :param path: below which it has the upstream's images. With C(override_path) containerd puts no C(/v2) of its own behind it.
    """
    return Share(str(registry.endpoint), MIRROR, _host(registry, files, "/v2/" + path if path else ""))


def share_for_mirrors(upstream: Upstream) -> Share:
    """What the file of an upstream has that is not named itself."""
    if not upstream.is_asked:
        return Share("", CLOSED, "")
    host = _DOCKER_HUBS_HOST if upstream.endpoint == DOCKER_HUB else str(upstream.endpoint)
    return Share("", OPEN, _server("https://%s" % host, ()))


def text(parts: t.Sequence[Share]) -> str:
    """The file. containerd asks the hosts in its order, and then the server; where no upstream is to be asked, the last mirror
    is that too.
    """
    first = begins(parts)
    hosts = [share.text for share in parts if share.place in (MIRROR, TAIL)]
    head = first.text if first is not None else ""
    if first is not None and first.place == CLOSED:
        table, _capabilities, *settings = hosts[-1].splitlines()
        head = _server(table[len('[host."') : -len('"]')], [setting.strip() for setting in settings])
    return "\n".join([head, *hosts])


def _url(registry: RegistrySettings) -> str:
    return "%s://%s" % (registry.scheme, registry.endpoint)


def _settings(registry: RegistrySettings, files: Files) -> t.List[str]:
    found = ["skip_verify = true"] if registry.tls == UNVERIFIED else []
    if files.authority is not None:
        found.append("ca = %s" % quoted(files.authority))
    if files.client is not None:
        found.append("client = [[%s]]" % ", ".join(map(quoted, files.client)))
    return found


def _server(url: str, settings: t.Iterable[str]) -> str:
    return "".join(line + "\n" for line in ("server = %s" % quoted(url), *settings))


def _host(registry: RegistrySettings, files: Files, path: str = "") -> str:
    overriding = ["override_path = true"] if path else []
    lines = [
        "[host.%s]" % quoted(_url(registry) + path),
        '  capabilities = ["pull", "resolve"]',
        *("  " + setting for setting in _settings(registry, files) + overriding),
    ]
    return "".join(line + "\n" for line in lines)
