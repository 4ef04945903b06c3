# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter C(endpoint)."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.longshore.delivery.plugins.module_utils.endpoint import Endpoint
from ansible_collections.longshore.delivery.plugins.module_utils.reference_grammar import InvalidReference

DOCUMENTATION = r"""
name: endpoint
short_description: Take a registry's endpoint apart
version_added: 0.1.0
author:
  - longshore contributors (!UNKNOWN)
description:
  - Turns the text that names a registry into its host and port.
  - An IPv6 address comes without its brackets.
positional: tls
options:
  _input:
    description: The endpoint, as in V(registry.example:5000) or V([2001:db8::1]:5000).
    type: str
    required: true
  tls:
    description: How the registry is spoken to, which decides about the port where none is written.
    type: str
    choices: [verified, unverified, plain]
    default: verified
"""

EXAMPLES = r"""
- name: Say where the registry listens
  ansible.builtin.debug:
    msg: "{{ ('registry.example' | longshore.delivery.endpoint).port }}" # 443
"""

RETURN = r"""
_value:
  description: The endpoint's C(host) (a string) and C(port) (an integer).
  type: dict
"""


def endpoint(text: str, tls: str = "verified") -> dict[str, t.Any]:
    """:raises AnsibleFilterError: the text is no endpoint."""
    try:
        host, port = Endpoint.parse(str(text)).address("http" if tls == "plain" else "https")
    except InvalidReference as error:
        raise AnsibleFilterError(str(error)) from error
    return {"host": host, "port": port}


class FilterModule:
    """Filters on registries' names."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"endpoint": endpoint}
