#!/usr/bin/python
# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module C(registry_restore)."""

from __future__ import annotations

DOCUMENTATION = r"""
module: registry_restore
short_description: Bring the images of a registry back from a backup
version_added: 0.1.0
author:
  - longshore contributors (!UNKNOWN)
description:
  - Has a registry serve exactly what a snapshot of M(longshore.delivery.registry_backup) says, on a host that has no images or
    in place of those that it has.
  - What is to be served is made beside what is, of bytes whose digests were worked out anew. It takes the other's place in one
    step, while the registry runs, and the registry is asked for every manifest, by digest and by tag, and for every blob.
    On any doubt what was there before is back, and only when all is proved is it deleted.
  - Bytes that the registry has already are not copied but linked, so that there has to be room for the others alone.
  - A run that was killed is taken back by the next one, which goes on with what was copied.
  - What is pushed while it runs is lost with the push failing, or ends the restore.
requirements:
  - Runs on the host of the registry, as root, with the backup in a directory there. The registry runs.
extends_documentation_fragment:
  - longshore.delivery.attributes
attributes:
  action_group:
    membership: []
  check_mode:
    support: full
    description: Reads all that the snapshot needs of the backup, and says what would be restored and lost.
  diff_mode:
    support: none
    description: There is no text that would be changed.
  platform:
    platforms: linux
    description: Where the module runs.
options:
  directory:
    description:
      - The directory of the backup.
    type: path
    required: true
  snapshot:
    description:
      - Which moment to go back to, as M(longshore.delivery.registry_backup) returned it. By default the last one.
    type: str
    default: ""
  files:
    description:
      - Files that are put back where they are missing, with owner and mode, as far as the snapshot has them.
      - They belong together. Where one of them is there and is another, none is touched, and that is warned of.
    type: list
    elements: path
    default: []
  storage:
    description:
      - The directory of the images, which is C(rootdirectory) in the registry's configuration. What is made in it is its owner's.
      - Empty for O(files) alone.
    type: path
    default: ""
  backend_port:
    description:
      - The registry's own port on C(127.0.0.1), which asks for no login.
    type: int
    default: 5001
  garbage_notes:
    description:
      - The directory of the notes of what collects garbage on this host, which is kept from it meanwhile; a collection that is
        under way is waited for.
    type: path
    default: ""
  discard:
    description:
      - Whether the registry may lose what it has and the snapshot has not. Otherwise that is refused, and told in RV(lost).
    type: bool
    default: false
seealso:
  - module: longshore.delivery.registry_backup
"""

EXAMPLES = r"""
- name: Put back the authority, so that clients go on trusting the registry that is to be set up here
  longshore.delivery.registry_restore:
    directory: /mnt/backup/registry
    files:
      - /etc/longshore/registry/ca.crt
      - /etc/longshore/registry/ca.key

- name: Have the registry serve what it did on one day, and lose what came since
  longshore.delivery.registry_restore:
    directory: /mnt/backup/registry
    snapshot: 000012-20261122T031500Z
    storage: /var/lib/docker-registry
    backend_port: 5001
    garbage_notes: /var/lib/longshore-registry-garbage
    discard: true
"""

RETURN = r"""
snapshot:
  description: The snapshot that was restored.
  returned: success
  type: str
  sample: 000012-20261122T031500Z
files:
  description: The files that were put back.
  returned: success
  type: list
  elements: str
copied:
  description: How many blobs were copied from the backup.
  returned: success
  type: int
copied_size:
  description: Their size, in bytes.
  returned: success
  type: int
tags:
  description: How many tags are in the snapshot.
  returned: success
  type: int
lost:
  description: What the registry had and has no more, or would lose, as tags and digests; 100 of it at most.
  returned: success, and where the restore is refused for it
  type: list
  elements: str
  sample: ["shop/web:1.5"]
proved:
  description: How many manifests and blobs the registry was seen to serve.
  returned: success
  type: int
missing:
  description: What tags lacked when the snapshot was made, in words; 100 of it at most.
  returned: success
  type: list
  elements: str
"""

from ansible_collections.longshore.delivery.plugins.module_utils.capability import module_main
from ansible_collections.longshore.delivery.plugins.module_utils.registry.registry_restore import CAPABILITY


def main() -> None:
    module_main(CAPABILITY)


if __name__ == "__main__":
    main()
