#!/usr/bin/python
# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module C(registry_host_files)."""

from __future__ import annotations

DOCUMENTATION = r"""
module: registry_host_files
short_description: Write the files of a registry's host
version_added: 0.1.0
author:
  - longshore contributors (!UNKNOWN)
description:
  - Writes files, makes directories, and sees to owners and modes, for the role P(longshore.delivery.registry#role), in one call.
    What is as wanted is not touched.
  - A file is written beside, synced and renamed, so that nobody reads half of it.
  - Takes O(files) as M(longshore.delivery.registry_host_info) does, which tells what of them is not as wanted.
requirements:
  - Runs on the host of the registry, as root.
extends_documentation_fragment:
  - longshore.delivery.attributes
attributes:
  action_group:
    membership: []
  check_mode:
    support: full
    description: Says what would be written.
  diff_mode:
    support: full
    description: The contents, owners and modes that change; of O(secret_files) the latter alone.
  platform:
    platforms: linux
    description: Where the module runs.
options:
  files:
    description:
      - Files and directories as they should be, in the order in which they are made.
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description:
          - Where it is. A link counts as what it leads to.
        type: str
        required: true
      kind:
        description:
          - What it is. One that is V(absent) is left as it is.
        type: str
        choices: [file, directory, absent]
        default: file
      owner:
        description:
          - Whose it is.
        type: str
        default: root
      group:
        description:
          - Of which group it is.
        type: str
        default: root
      mode:
        description:
          - Its mode, in octal digits.
        type: str
        default: "0644"
      sha256:
        description:
          - The SHA-256 of its content, in hexadecimal digits. That of a file among O(texts) or O(secret_files) is worked out.
        type: str
        default: ""
      read_by:
        description:
          - The unit that reads the file, for M(longshore.delivery.registry_host_info).
        type: str
        default: ""
      mark:
        description:
          - How a file that is V(absent) begins, for M(longshore.delivery.registry_host_info).
        type: str
        default: ""
      needed:
        description:
          - Whether the file is made, with nothing in it, where it is missing and no text is given.
        type: bool
        default: false
  texts:
    description:
      - What those of O(files) are to hold whose content counts.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description:
          - Where it is, as O(files[].path) has it.
        type: str
        required: true
      text:
        description:
          - Its whole content.
        type: str
        required: true
  secret_files:
    description:
      - The same of those that hold a secret, which is shown nowhere.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description:
          - Where it is, as O(files[].path) has it.
        type: str
        required: true
      text:
        description:
          - Its whole content.
        type: str
        required: true
seealso:
  - module: longshore.delivery.registry_host_info
  - module: longshore.delivery.registry_host_ledger
"""

EXAMPLES = r"""
- name: Write a registry's configuration, and the login of its bucket
  longshore.delivery.registry_host_files:
    files:
      - path: /etc/longshore/registry
        kind: directory
        mode: "0755"
      - path: /etc/longshore/registry/config.yml
        owner: root
        group: root
        mode: "0644"
        sha256: "{{ configuration | hash('sha256') }}"
        read_by: longshore-registry.service
      - path: /etc/longshore/registry/s3.env
        mode: "0600"
        needed: true
      - path: /etc/longshore/registry/given.pem
        kind: absent
        mark: "# Written by the role longshore.delivery.registry"
    texts:
      - path: /etc/longshore/registry/config.yml
        text: "{{ configuration }}"
    secret_files:
      - path: /etc/longshore/registry/s3.env
        text: "{{ vault_s3_environment }}"
"""

RETURN = r"""
written:
  description: The paths of those that were not as wanted, in the order of O(files). After a failure, those that are now.
  returned: always
  type: list
  elements: str
  sample: [/etc/longshore/registry/config.yml]
"""

from ansible_collections.longshore.delivery.plugins.module_utils.capability import module_main
from ansible_collections.longshore.delivery.plugins.module_utils.registry.registry_host_files import CAPABILITY


def main() -> None:
    module_main(CAPABILITY)


if __name__ == "__main__":
    main()
