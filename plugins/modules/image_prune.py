#!/usr/bin/python
# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module C(image_prune)."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image_prune
short_description: Remove images of an engine that nothing uses
version_added: 0.1.0
author:
  - longshore contributors (!UNKNOWN)
description:
  - Removes images of Docker or Podman. Those are meant that fulfil each option that is given; at least one of O(references),
    O(globs), O(labels), O(dangling), O(older_than) and O(keep) has to be. Of O(references) and O(globs) one that fits is enough.
  - By O(references) and O(globs) an image loses the names that are meant, and goes itself when it has no other. Without these two
    it loses all its names.
  - An image that a container uses, running or not, stays with all its names, and is returned as kept, with the reason. So is one
    that an image was built on which stays, as far as the engine knows that. Nothing is forced.
  - With an image goes what Docker's classic builder or Podman left between its steps and no other image stands on.
    BuildKit's cache is not touched, and neither is a registry.
  - The engine is asked again afterwards.
  - On a node it needs the node's Python alone. On the controller it runs in the process that is already there, where it can.
requirements:
  - The Python package C(docker) where the task runs, for an engine at V(tcp://...) alone.
  - C(podman) on hosts of Podman. Docker is spoken to on its socket.
extends_documentation_fragment:
  - longshore.delivery.attributes
  - longshore.delivery.engine
attributes:
  action_group:
    membership: [longshore.delivery.engine]
  check_mode:
    support: full
    description: Says exactly what would go, and the bytes that would be gained.
  diff_mode:
    support: full
    description: Shows each name that goes with its image.
options:
  engine:
    description:
      - Which engine is asked.
      - By V(auto) it is Docker at O(docker_host) or at the environment's E(DOCKER_HOST) where one of these is set; else Docker if
        its socket is there, else Podman. A node of Kubernetes is an error, since its kubelet removes images that no pod uses.
      - By V(docker) O(docker_host) and E(DOCKER_HOST) come first, too. By V(podman) they are not looked at.
    type: str
    choices: [auto, docker, podman]
    default: auto
  references:
    description:
      - Names that go, each with its tag; or without tag and digest, for every name in the repository. With a digest, the names in
        that repository of the image that has it.
      - An image's ID, with V(sha256:) or without, or its first digits, 12 or more, for the image with all its names.
      - A reference without a registry is of Docker Hub, as for Docker.
    type: list
    elements: str
  globs:
    description:
      - Patterns of names that go, as O(longshore.delivery.image_info#module:globs) has them.
    type: list
    elements: str
  labels:
    description:
      - Images with all of these labels, each as V(key) or V(key=value).
    type: list
    elements: str
  dangling:
    description:
      - With V(true) images that have no tag, as is left of one whose tag was moved; with V(false) those that have one.
      - V(false) alone says too little of what is to go, and is an error.
    type: bool
  older_than:
    description:
      - Images that were created longer ago, by their configuration - a number with its unit V(s), V(m), V(h), V(d) or V(w),
        as V(30d).
      - An image whose time of creation is not known is not removed by this. A reproducible build's may be that of its source, or
        1970.
    type: str
  keep:
    description:
      - So many images of each repository lose no name in it - those that were created last, 1 or more. One whose time of creation
        is not known, and one that is as new as the last of them, stays beside them.
      - Images that have no tag are of no repository, and are left to O(dangling).
    type: int
seealso:
  - module: longshore.delivery.image_info
  - module: community.docker.docker_prune
    description: Removes containers, networks, volumes and the cache of builds, too.
"""

EXAMPLES = r"""
- name: Remove what retagging left on the builder
  longshore.delivery.image_prune:
    docker_host: tcp://builder.example:2376
    docker_cert_path: ~/.docker/builder
    labels: [org.opencontainers.image.vendor=shop]
    dangling: true

- name: Leave the three newest images of each of the shop's repositories, and what is younger than a month
  longshore.delivery.image_prune:
    globs: ["registry.example:5000/shop/*"]
    keep: 3
    older_than: 30d
  register: pruned

- name: Remove one name, and one image with all its names, from Podman
  longshore.delivery.image_prune:
    engine: podman
    references: [registry.example:5000/shop/web:1.3, 2d389e545974]
"""

RETURN = r"""
engine:
  description: The engine that was asked.
  returned: when it was found
  type: str
  sample: docker
engine_reason:
  description: Why it was that one.
  returned: as RV(engine)
  type: str
  sample: its socket is there
removed:
  description: What went, or would go in check mode, in this order.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The image's ID.
      type: str
      sample: sha256:2d389e545974d4a93ebdef09b650753a55f72d1ab4518d17a30c0e1b3e297444
    references:
      description: The names by tag that were taken from it.
      type: list
      elements: str
      sample: ["registry.example:5000/shop/web:1.3"]
    whole:
      description: Whether the image itself went. If not, it has other names.
      type: bool
      sample: true
    size:
      description: Its bytes unpacked, with the layers that it shares. V(null) by Docker with containerd's image store.
      type: int
      sample: 7340032
kept:
  description: Images that were meant, and stay.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The image's ID.
      type: str
      sample: sha256:9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0
    references:
      description: Its names by tag.
      type: list
      elements: str
      sample: ["registry.example:5000/shop/web:1.4"]
    why:
      description: What keeps it.
      type: str
      sample: in use by web
bytes_gained:
  description:
    - The bytes of the layers that no image needs any more. Docker counts those of their files, Podman those of their archives.
    - V(null) where the engine does not tell the size of a layer that is shared with an image that stays, and by Docker with
      containerd's image store, which keeps each layer packed and unpacked and shows the sum of an image alone.
  returned: success
  type: int
  sample: 7340032
"""

from ansible_collections.longshore.delivery.plugins.module_utils.capability import module_main
from ansible_collections.longshore.delivery.plugins.module_utils.image.image_prune import CAPABILITY


def main() -> None:
    module_main(CAPABILITY)


if __name__ == "__main__":
    main()
