#!/usr/bin/python
# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module C(registry_restart)."""

from __future__ import annotations

DOCUMENTATION = r"""
module: registry_restart
short_description: Start a registry anew, and prove that it serves what it did
version_added: 0.1.0
author:
  - longshore contributors (!UNKNOWN)
description:
  - Asks a registry for every manifest, child and blob of every tag, restarts it, as after another program was put in its place,
    and asks it for all of that again. What it does not serve any more is a failure.
  - Measures how long it did not answer.
  - While it runs no garbage is collected by what the role P(longshore.delivery.registry#role) has put on the host.
requirements:
  - Runs on the host of the registry, as root.
extends_documentation_fragment:
  - longshore.delivery.attributes
attributes:
  action_group:
    membership: []
  check_mode:
    support: full
    description: Only asks the registry.
  diff_mode:
    support: none
    description: There is no text that would be changed.
  platform:
    platforms: linux
    description: Where the module runs.
options:
  unit:
    description:
      - The registry's systemd unit.
    type: str
    required: true
  port:
    description:
      - The registry's own port on 127.0.0.1.
    type: int
    required: true
  storage:
    description:
      - The directory of the images, which is C(rootdirectory) in the registry's configuration.
    type: path
    required: true
  garbage_notes:
    description:
      - The directory of the notes of what collects garbage on this host, which is kept from it meanwhile.
    type: path
    default: ""
  patience:
    description:
      - The seconds within which the registry has to answer.
    type: int
    default: 15
seealso:
  - module: longshore.delivery.registry_restore
"""

EXAMPLES = r"""
- name: Restart a registry whose program was replaced
  longshore.delivery.registry_restart:
    unit: longshore-registry.service
    port: 5001
    storage: /var/lib/docker-registry
    garbage_notes: /var/lib/longshore-registry-garbage
    patience: 30
"""

RETURN = r"""
outage_seconds:
  description: How long the registry did not answer.
  returned: success
  type: float
  sample: 0.24
proved:
  description: How many manifests and blobs it serves, as tags lead to them.
  returned: success
  type: int
unserved:
  description: What it does not serve and did not before, in words; 100 of it at most.
  returned: success
  type: list
  elements: str
"""

from ansible_collections.longshore.delivery.plugins.module_utils.capability import module_main
from ansible_collections.longshore.delivery.plugins.module_utils.registry.registry_restart import CAPABILITY


def main() -> None:
    module_main(CAPABILITY)


if __name__ == "__main__":
    main()
