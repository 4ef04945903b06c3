#!/usr/bin/python
# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module C(image_pull)."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image_pull
short_description: Have a node hold images, by their digests
version_added: 0.1.0
author:
  - longshore contributors (!UNKNOWN)
description:
  - Asks the node's own container engine which images it holds, and has it pull those that it lacks. Afterwards the engine is
    asked again, and its digests are compared with the wanted ones.
  - One call a node does all of its images. An image that fails keeps no other from being pulled, unless the reason concerns the
    registry as a whole.
  - It needs the node's Python alone.
requirements:
  - C(crictl) on nodes of containerd and CRI-O, C(podman) on hosts of Podman. Docker is spoken to on its socket.
extends_documentation_fragment:
  - longshore.delivery.attributes
  - longshore.delivery.registry
attributes:
  action_group:
    membership: [longshore.delivery.registry]
  check_mode:
    support: full
    description: Asks the engine, and says what would be pulled.
  diff_mode:
    support: full
    description: Shows which of the wanted images the engine holds before and after.
  platform:
    platforms: linux
    description: Runs on the node.
options:
  images:
    description:
      - The images, each pinned to a digest, as M(longshore.delivery.image_push) returns them in C(reference).
      - A tag before the digest, as in V(registry.example:5000/shop/web:1.4@sha256:...), is set on the image where the engine can
        do that, which Docker and Podman can; the CRI, which Kubernetes uses, cannot, and there it is ignored.
    type: list
    elements: str
    required: true
  registry:
    description:
      - The registry, in the one shape that the whole collection uses. It gives the login, which images of other registries are
        not pulled with.
      - The engine gets it for the pull alone. It is in no command line and is not kept.
      - How the engine speaks to the registry, O(registry.tls) and O(registry.ca), is a matter of
        M(longshore.delivery.registry_trust).
  engine:
    description:
      - Which engine is to hold the images.
      - By V(auto) it is the runtime that the kubelet uses on a node of Kubernetes; elsewhere Docker if its socket is there, else
        Podman, else containerd or CRI-O where C(crictl) is there. It is returned with the reason.
      - A socket in another place than usual is found by the flags of the running engine, or of the kubelet.
    type: str
    choices: [auto, containerd, crio, docker, podman]
    default: auto
seealso:
  - module: longshore.delivery.image_push
  - module: longshore.delivery.registry_trust
"""

EXAMPLES = r"""
- name: Have every node hold what was pushed
  longshore.delivery.image_pull:
    images:
      - registry.example:5000/shop/web@sha256:6a5a5368e0c2d3e5909184fa28ddfd56072e7ff3ee9a945876f7eee5896ef5bb
    registry:
      endpoint: registry.example:5000
      username: ci
      password: "{{ vault_registry_password }}"

- name: Have Podman hold an image, also where Docker runs
  longshore.delivery.image_pull:
    images: ["{{ pushed.reference }}"]
    engine: podman
"""

RETURN = r"""
engine:
  description: The engine that was asked.
  returned: when it was found
  type: str
  sample: containerd
engine_reason:
  description: Why it was that one.
  returned: when it was found
  type: str
  sample: its kubelet runs and uses it
images:
  description: The wanted images, in the order in which they were given.
  returned: when the engine answered
  type: list
  elements: dict
  contains:
    reference:
      description: The image as it was asked for.
      type: str
      sample: registry.example:5000/shop/web@sha256:6a5a5368e0c2d3e5909184fa28ddfd56072e7ff3ee9a945876f7eee5896ef5bb
    digest:
      description: Its digest.
      type: str
      sample: sha256:6a5a5368e0c2d3e5909184fa28ddfd56072e7ff3ee9a945876f7eee5896ef5bb
    present:
      description: Whether the engine holds it now.
      type: bool
      sample: true
    pulled:
      description: Whether it was pulled by this task.
      type: bool
      sample: true
    seconds:
      description: How long that took.
      type: float
      sample: 1.25
engine_error:
  description: Why an image could not be pulled, for example V(ca), V(unauthorized) or V(not_found).
  returned: on failure of the engine
  type: str
  sample: ca
"""

from ansible_collections.longshore.delivery.plugins.module_utils.capability import module_main
from ansible_collections.longshore.delivery.plugins.module_utils.pull.image_pull import CAPABILITY


def main() -> None:
    module_main(CAPABILITY)


if __name__ == "__main__":
    main()
