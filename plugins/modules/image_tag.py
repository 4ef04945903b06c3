#!/usr/bin/python
# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module C(image_tag)."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image_tag
short_description: Give an image of an engine further names
version_added: 0.1.0
author:
  - longshore contributors (!UNKNOWN)
description:
  - Gives an image that Docker or Podman holds further names, each with its tag. A name that another image has is moved, and the
    result says from which image to which.
  - All names are given or none. Should one fail, the others are put back, but for those of an image that had no name before,
    since an engine removes an image with its last name.
  - The engine is asked again afterwards. Nothing is sent to a registry, see M(longshore.delivery.image_push).
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
    description:
      - Asks the engine, and says which names would be given and moved.
      - An image that is not there yet is a warning, as what comes before in the same playbook may change that.
  diff_mode:
    support: full
    description: Shows which image has each name before and after.
options:
  image:
    description:
      - The image, by a reference with tag or digest, by its ID, or by the first digits of that, 12 or more.
    type: str
    required: true
  references:
    description:
      - The names that it is to have, each with its tag. One without a registry is of Docker Hub, as for Docker.
    type: list
    elements: str
    required: true
  immutable:
    description:
      - Patterns of names that may be given once and not be moved to another image, as
        O(longshore.delivery.image_info#module:globs) has them. That such a name would move is an error, before any name is given.
    type: list
    elements: str
  engine:
    description:
      - Which engine is asked.
      - By V(auto) it is Docker at O(docker_host) or at the environment's E(DOCKER_HOST) where one of these is set; else Docker if
        its socket is there, else Podman. A node of Kubernetes is spoken to by the CRI, which cannot give names, and is an error.
      - By V(docker) O(docker_host) and E(DOCKER_HOST) come first, too. By V(podman) they are not looked at.
    type: str
    choices: [auto, docker, podman]
    default: auto
seealso:
  - module: longshore.delivery.image_info
  - module: longshore.delivery.image_push
"""

EXAMPLES = r"""
- name: Call what was tested the release, once and for all
  longshore.delivery.image_tag:
    image: shop/web:candidate
    references: [shop/web:1.4.0, shop/web:1.4]
    immutable: ["shop/*:?.?.?"]
  register: tagged

- name: Do so on a builder elsewhere
  longshore.delivery.image_tag:
    docker_host: tcp://builder.example:2376
    docker_cert_path: ~/.docker/builder
    image: "{{ tagged.image_id }}"
    references: [registry.example:5000/shop/web:1.4]

- name: Name an image of Podman, also where Docker runs
  longshore.delivery.image_tag:
    engine: podman
    image: localhost/shop/web:1.4
    references: [registry.example:5000/shop/web:1.4]
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
image_id:
  description: What the engine calls the image. V(null) in check mode where it is not there yet.
  returned: success
  type: str
  sample: sha256:2d389e545974d4a93ebdef09b650753a55f72d1ab4518d17a30c0e1b3e297444
tags:
  description: The names, in the order in which they were given.
  returned: success
  type: list
  elements: dict
  contains:
    reference:
      description: The name in full.
      type: str
      sample: docker.io/shop/web:1.4
    before:
      description: The ID of the image that had it before; V(null) if none had.
      type: str
      sample: sha256:9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0
    image_id:
      description: The ID of the image that has it now, as RV(image_id).
      type: str
      sample: sha256:2d389e545974d4a93ebdef09b650753a55f72d1ab4518d17a30c0e1b3e297444
    moved:
      description: Whether it was taken from another image.
      type: bool
      sample: true
"""

from ansible_collections.longshore.delivery.plugins.module_utils.capability import module_main
from ansible_collections.longshore.delivery.plugins.module_utils.image.image_tag import CAPABILITY


def main() -> None:
    module_main(CAPABILITY)


if __name__ == "__main__":
    main()
