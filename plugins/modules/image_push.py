#!/usr/bin/python
# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module C(image_push)."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image_push
short_description: Have a registry serve an image of a Docker engine
version_added: 0.1.0
author:
  - longshore contributors (!UNKNOWN)
description:
  - Asks the registry what the tags serve, and the engine for its image. If they are the same image, by the digests and
    whichever image store the engine has, nothing is pushed.
  - Otherwise the engine pushes one tag, further tags get the same manifest, and the registry is asked again.
  - A login that the registry refuses, and an image that the engine does not have, are found out before anything is pushed.
  - Runs on the controller in its own process where it can, and shows the layers as they are pushed.
requirements:
  - The Python package C(docker) where the task runs.
extends_documentation_fragment:
  - longshore.delivery.attributes
  - longshore.delivery.engine
  - longshore.delivery.registry
attributes:
  action_group:
    membership: [longshore.delivery.engine, longshore.delivery.registry]
  check_mode:
    support: full
    description:
      - Asks the registry and the engine, and says what would be pushed.
      - An image that is not built yet, and a registry that nothing serves yet, are a warning, as what comes before in the same
        playbook may change that.
  diff_mode:
    support: full
    description: Shows the digest of each tag before and after.
options:
  name:
    description:
      - The image's name, with its registry, for example V(registry.example:5000/shop/web), or without it together with
        O(registry).
      - It may end in a tag, as if that were the first of O(tags).
      - A name without a registry is looked for in the engine with the registry in front and without it. Both being there as two
        images is an error, since either could be meant.
      - An image that has only the shorter name gets the longer one for as long as the push lasts.
    type: str
    required: true
  tags:
    description:
      - The tags that are to serve the image. At least one is needed, here or in O(name); no tag is assumed.
      - Those that the engine has must be one image. A tag that the engine does not have is set in the registry all the same.
    type: list
    elements: str
  registry:
    description:
      - The registry, in the one shape that the whole collection uses.
      - Without it, the registry in O(name) is spoken to by verified TLS and without a login.
      - The engine speaks to the registry as it has been told where it runs, see M(longshore.delivery.registry_trust). The login
        is given to it with the push alone.
seealso:
  - module: longshore.delivery.image_pull
  - module: longshore.delivery.registry_trust
"""

EXAMPLES = r"""
- name: Push what the engine calls shop/web:1.4
  longshore.delivery.image_push:
    name: shop/web
    tags: ["1.4", "1"]
    registry:
      endpoint: registry.example:5000
      ca: "{{ lookup('ansible.builtin.file', 'registry-ca.crt') }}"
      username: ci
      password: "{{ vault_registry_password }}"
  register: pushed

- name: Show what pods and nodes are to be given
  ansible.builtin.debug:
    msg: "{{ pushed.reference }}"

- name: Push from an engine elsewhere
  longshore.delivery.image_push:
    name: registry.example:5000/shop/web:1.4
    docker_host: tcp://builder.example:2376
    docker_cert_path: ~/.docker/builder
"""

RETURN = r"""
digest:
  description:
    - The manifest digest by which the registry serves the image, be it a manifest's or an index's.
    - V(null) in check mode where the image would be pushed, since its digest is known after that.
  returned: success
  type: str
  sample: sha256:6a5a5368e0c2d3e5909184fa28ddfd56072e7ff3ee9a945876f7eee5896ef5bb
reference:
  description: The image pinned to RV(digest); V(null) where that is.
  returned: success
  type: str
  sample: registry.example:5000/shop/web@sha256:6a5a5368e0c2d3e5909184fa28ddfd56072e7ff3ee9a945876f7eee5896ef5bb
image_id:
  description:
    - What the engine calls the image ID, which is the config digest in Docker's classic image store and the digest of the
      manifest or index in a containerd image store.
    - V(null) in check mode where the engine has no such image yet.
  returned: success
  type: str
  sample: sha256:2d389e545974d4a93ebdef09b650753a55f72d1ab4518d17a30c0e1b3e297444
tags:
  description: The tags, in the order in which they were given.
  returned: success
  type: list
  elements: dict
  contains:
    tag:
      description: The tag.
      type: str
      sample: "1.4"
    reference:
      description: The image by this tag.
      type: str
      sample: registry.example:5000/shop/web:1.4
    before:
      description: The digest that it served before; V(null) if it served nothing.
      type: str
      sample: sha256:9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0
    digest:
      description: The digest that it serves now; V(null) in check mode where that is known after the push.
      type: str
      sample: sha256:6a5a5368e0c2d3e5909184fa28ddfd56072e7ff3ee9a945876f7eee5896ef5bb
layers:
  description: How many layers the engine sent, took over from another repository, and found in the registry.
  returned: when the engine pushed
  type: dict
  sample: {"pushed": 1, "mounted": 0, "existing": 4}
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
engine_error:
  description: The same for what the engine said.
  returned: when the engine failed to push
  type: str
  sample: ca
"""

from ansible_collections.longshore.delivery.plugins.module_utils.capability import module_main
from ansible_collections.longshore.delivery.plugins.module_utils.pull.image_push import CAPABILITY


def main() -> None:
    module_main(CAPABILITY)


if __name__ == "__main__":
    main()
