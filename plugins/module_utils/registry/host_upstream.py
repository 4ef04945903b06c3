# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The upstream of a pull-through cache, and what a cache cannot be.

The distribution registry asks its upstream once when it starts, and ends where that is away (2.8 and 3); whether its login is
taken it does not ask. So the role does, before it starts one.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import (
    REGISTRY_OPTIONS,
    UNVERIFIED,
    RegistrySettings,
)

SPEC: t.Dict[str, t.Any] = {
    "type": "dict",
    "options": {
        **{name: option for name, option in REGISTRY_OPTIONS.items() if not name.startswith(("mirror_", "client_"))},
        "keep_days": {"type": "int"},
    },
    "required_together": [["username", "password"]],
}

# by which the distribution registry takes its login for the upstream: a key of its configuration with the sections before it
_USERNAME, _PASSWORD = "REGISTRY_PROXY_USERNAME", "REGISTRY_PROXY_PASSWORD"
_MOST_DAYS = 3650
# what YAML 1.1 takes for a line break, or refuses in a text, beyond what Basic authentication refuses anyway (settings.py)
_UNREADABLE = re.compile("[\x80-\x9f\u2028\u2029]")
_KNOWS_NO_DAYS = re.compile(r"v?2\.")  # Debian's says its version without the v


@dataclasses.dataclass(frozen=True)
class Upstream:
    """What a cache is asked to fetch from.

    :param keep_days: for how long it keeps what it fetched; 0 for ever, None for as long as the registry does by itself.
    """

    settings: RegistrySettings
    keep_days: t.Optional[int] = None

    def faults(self, version: str) -> t.List[str]:
        """What cannot be meant, each a sentence with its way out.

        :param version: of the registry's program; empty where it is not known.
        """
        said = []
        for key, value in (("username", self.settings.username), ("password", self.settings.password)):
            if _UNREADABLE.search(value or ""):
                said.append(
                    "registry_upstream has a %s with a line break or a control character, which a cache cannot be given. See "
                    "that it is whole, or set another one at the upstream." % key
                )
        if self.settings.tls == UNVERIFIED:
            said.append(
                "registry_upstream has tls unverified, and a cache checks the certificate of its upstream. Give its authority as "
                "'ca' there."
            )
        if self.keep_days is not None and not 0 <= self.keep_days <= _MOST_DAYS:
            said.append(
                "registry_upstream has keep_days %d, and a number of days from 0, which is for ever, to %d is meant."
                % (self.keep_days, _MOST_DAYS)
            )
        if self.keep_days is not None and _KNOWS_NO_DAYS.match(version):
            said.append(
                "registry_upstream has keep_days, which a registry %s does not know: it keeps what it fetched for 7 days. Leave "
                "keep_days away, or set registry_program or registry_image to a release 3." % version
            )
        return said

    @property
    def environment(self) -> t.Dict[str, str]:
        """The login in the registry's environment, as the role writes it: its values are read as YAML. A secret."""
        if self.settings.username is None or self.settings.password is None:
            return {}
        return {_USERNAME: _quoted(self.settings.username), _PASSWORD: _quoted(self.settings.password)}

    def is_login_of(self, environment: t.Mapping[str, str]) -> bool:
        """Whether a process with this environment has this login for its upstream."""
        wanted = self.environment
        return all(environment.get(name) == wanted.get(name) for name in (_USERNAME, _PASSWORD))


def of(params: t.Optional[t.Mapping[str, t.Any]]) -> t.Optional[Upstream]:
    """The upstream that the option C(upstream) names; None for a registry that is no cache.

    :raises InvalidReference: its endpoint is none.
    :raises InvalidRegistry: its keys contradict each other.
    """
    return Upstream(RegistrySettings.from_params(params), params["keep_days"]) if params else None


def _quoted(text: str) -> str:
    """A text as YAML has it in quotes."""
    return '"%s"' % text.replace("\\", "\\\\").replace('"', '\\"')
