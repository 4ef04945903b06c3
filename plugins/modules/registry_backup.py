#!/usr/bin/python
# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module C(registry_backup)."""

from __future__ import annotations

DOCUMENTATION = r"""
module: registry_backup
short_description: Back up the images of a registry while it serves
version_added: 0.1.0
author:
  - longshore contributors (!UNKNOWN)
description:
  - Copies what a registry keeps in its file system to a directory on the same host, such as a mounted disk or share. Clients go
    on pulling and pushing, and what is in the backup is true of one moment, so that every image in it is whole.
  - Each blob is copied once, and its digest is worked out anew meanwhile. A run with nothing new copies nothing and changes
    nothing.
  - Each run that finds something new writes a snapshot, which names all that was there. It is written last, so that a run that
    was killed, or found no room, leaves none, and the next one goes on with what was copied.
  - A backup is of one registry on one host, and notes it; that of another is refused. The registry's directory notes where its
    backups are, so that a disk that is not mounted is not taken for an empty one.
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
    description: Says what would be copied.
  diff_mode:
    support: none
    description: There is no text that would be changed.
  platform:
    platforms: linux
    description: Where the module runs.
options:
  directory:
    description:
      - The directory of the backup, which is made if it is missing, for root alone. One that holds something else is refused.
    type: path
    required: true
  storage:
    description:
      - The directory of the images, which is C(rootdirectory) in the registry's configuration.
    type: path
    required: true
  files:
    description:
      - Further files that are to be in the backup, as far as they are there, with owner and mode.
    type: list
    elements: path
    default: []
  garbage_notes:
    description:
      - The directory of the notes of what collects garbage on this host, which is kept from it meanwhile; a collection that is
        under way is waited for.
    type: path
    default: ""
  keep:
    description:
      - How many snapshots are kept, the last ones. Older ones are deleted, and then the blobs that none needs.
      - With V(0) all of them are.
    type: int
    default: 0
  reread:
    description:
      - Whether what is in the backup already is read again. What has other bytes there than it should is copied anew.
    type: bool
    default: false
seealso:
  - module: longshore.delivery.registry_restore
"""

EXAMPLES = r"""
- name: Back up the images of a registry to another disk
  longshore.delivery.registry_backup:
    directory: /mnt/backup/registry
    storage: /var/lib/docker-registry

- name: Back up the configuration too, keep the last 30 snapshots, and read again what is there already
  longshore.delivery.registry_backup:
    directory: /mnt/backup/registry
    storage: /var/lib/docker-registry
    files:
      - /etc/longshore/registry/config.yml
      - /etc/longshore/registry/htpasswd
    garbage_notes: /var/lib/longshore-registry-garbage
    keep: 30
    reread: true
"""

RETURN = r"""
snapshot:
  description: The snapshot that says what the registry holds now; empty in check mode where there is none yet.
  returned: success
  type: str
  sample: 000012-20261122T031500Z
copied:
  description: How many blobs and files were copied.
  returned: success
  type: int
copied_size:
  description: Their size, in bytes.
  returned: success
  type: int
repositories:
  description: How many repositories are in the snapshot.
  returned: success
  type: int
tags:
  description: How many tags are in the snapshot.
  returned: success
  type: int
manifests:
  description: How many manifests are in the snapshot, each counted in each of its repositories.
  returned: success
  type: int
blobs:
  description: How many blobs are in the snapshot.
  returned: success
  type: int
size:
  description: Their size, in bytes.
  returned: success
  type: int
missing:
  description: What tags of the registry lack, in words, and so do in the snapshot; 100 of it at most.
  returned: success
  type: list
  elements: str
forgotten:
  description: The snapshots that were deleted.
  returned: success
  type: list
  elements: str
forgotten_blobs:
  description: How many blobs were deleted since no snapshot needs them any more.
  returned: success
  type: int
forgotten_size:
  description: Their size, in bytes.
  returned: success
  type: int
"""

from ansible_collections.longshore.delivery.plugins.module_utils.capability import module_main
from ansible_collections.longshore.delivery.plugins.module_utils.registry.registry_backup import CAPABILITY


def main() -> None:
    module_main(CAPABILITY)


if __name__ == "__main__":
    main()
