#!/usr/bin/python
# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module C(registry_replicate)."""

from __future__ import annotations

DOCUMENTATION = r"""
module: registry_replicate
short_description: Have a registry hold what its peers hold
version_added: 0.1.0
author:
  - longshore contributors (!UNKNOWN)
description:
  - For several registries that are to serve the same. Run for each of them, also at once, it copies from all others what that one
    lacks, by digest. Layers come first, then what names them, the children of an index before it, and a tag at the very end. So
    whatever cuts it off, nothing is half there, and the next run goes on with what was copied.
  - Where a tag leads to different images, the newer one is taken. What a tag led to before is older than what it leads to now;
    where that does not tell, the tag that was written last counts, and of two that were written at the same time the order of
    O(peers).
  - Where one of the two registries tells neither, the tag stays as it is in both, and the module fails once all others are
    copied.
  - Images without a tag are copied too, and what a tag led to before is known, where the role
    P(longshore.delivery.registry#role) was told of the peers (C(registry_peers)). Other registries tell neither.
  - Nothing is deleted. What was deleted from one registry comes back from another that has it.
requirements:
  - Runs where all of these registries can be reached, best on the host of the one that is to have the images; with O(storage)
    there and as root.
extends_documentation_fragment:
  - longshore.delivery.attributes
  - longshore.delivery.registry
attributes:
  action_group:
    membership: [longshore.delivery.registry]
  check_mode:
    support: full
    description: Says what would be copied.
  diff_mode:
    support: none
    description: There is no text that would be changed.
  platform:
    platforms: posix
    description: Where the module runs.
options:
  registry:
    description:
      - The registry that is to have the images, by an address of its own if a name leads to all of them.
    required: true
  peers:
    description:
      - The endpoints of all registries that are to hold the same, in the same order everywhere. They are spoken to as O(registry)
        is, with its TLS, authorities and login.
      - That of O(registry) may be among them. It is not asked, and its place counts for two images that were pushed at the same
        time. Without it, it is the last.
    type: list
    elements: str
    required: true
  storage:
    description:
      - The directory of the registry's images on this host, which is C(rootdirectory) in its configuration. A tag that is copied
        is then as old here as it is there, so that the time tells which of two is newer wherever it was copied to before.
    type: path
    default: ""
  all_peers:
    description:
      - Whether the module fails when a peer cannot be asked. What the others have is copied before.
    type: bool
    default: false
  patience:
    description:
      - For how many seconds, from its start, the registry is tried again when it takes no writes, as while its garbage is
        collected.
    type: int
    default: 300
seealso:
  - module: longshore.delivery.registry_info
"""

EXAMPLES = r"""
- name: Have the registry of this host hold what those of the others hold
  longshore.delivery.registry_replicate:
    registry:
      endpoint: 192.0.2.11:5000
      ca: "{{ authorities_of_all }}"
      username: ci
      password: "{{ vault_registry_password }}"
    peers:
      - 192.0.2.11:5000
      - 192.0.2.12:5000
      - 192.0.2.13:5000
    storage: /var/lib/docker-registry

- name: The same at night, when it has to be complete and garbage may be collected for long
  longshore.delivery.registry_replicate:
    registry:
      endpoint: 192.0.2.11:5000
      tls: plain
    peers:
      - 192.0.2.12:5000
    all_peers: true
    patience: 900
"""

RETURN = r"""
tags:
  description: The tags that were written, 100 at most.
  returned: success
  type: list
  elements: dict
  contains:
    tag:
      description: Repository and tag.
      type: str
      sample: shop/web:1.4
    digest:
      description: What it leads to now.
      type: str
    before:
      description: What it led to before; none where there was no such tag.
      type: str
    from:
      description: The peer that has it.
      type: str
    by:
      description: What decided, which is V(missing), V(history), V(age) or V(order).
      type: str
tag_count:
  description: How many tags were written.
  returned: success
  type: int
manifests:
  description: How many manifests were copied.
  returned: success
  type: int
blobs:
  description: How many layers and configurations were copied.
  returned: success
  type: int
size:
  description: The bytes of all that was copied.
  returned: success
  type: int
conflicts:
  description:
    - The tags of which neither image followed the other, as after pushes to both while they could not reach one another; 100 at
      most. One of the images has the tag no more. It is still there by its digest. Where nothing tells which is newer, both keep
      the tag, each in its registry, and the module fails.
  returned: success
  type: list
  elements: dict
  contains:
    tag:
      description: Repository and tag.
      type: str
    own:
      description: What it led to in the registry.
      type: str
    peer:
      description: What it leads to in the peer.
      type: str
    from:
      description: The peer.
      type: str
    kept:
      description: Which of them is kept, V(own) or V(peer), or V(neither) where that is not decided.
      type: str
    by:
      description: What decided, which is V(age), V(order) or V(nothing).
      type: str
failed_images:
  description: What could not be copied, 100 at most. The module fails where there is any.
  returned: success
  type: list
  elements: dict
  contains:
    image:
      description: Repository and tag, or digest.
      type: str
    from:
      description: The peer that has it.
      type: str
    why:
      description: What was in the way.
      type: str
away:
  description: The peers that could not be asked, or not to the end.
  returned: success
  type: list
  elements: dict
  contains:
    registry:
      description: The peer.
      type: str
    why:
      description: The error.
      type: str
asked:
  description: The peers that were asked.
  returned: success
  type: list
  elements: str
registry_error:
  description: >-
    Why the registry did not answer as it should: V(refused), V(name), V(timeout), V(tls), V(ca), V(clock), V(http_on_https),
    V(https_on_http), V(unauthorized), V(forbidden), V(not_found) or V(other).
  returned: when a registry did not
  type: str
  sample: unauthorized
registry_endpoint:
  description: Which registry that was.
  returned: as RV(registry_error)
  type: str
  sample: registry.example:5000
"""

from ansible_collections.longshore.delivery.plugins.module_utils.capability import module_main
from ansible_collections.longshore.delivery.plugins.module_utils.registry.registry_replicate import CAPABILITY


def main() -> None:
    module_main(CAPABILITY)


if __name__ == "__main__":
    main()
