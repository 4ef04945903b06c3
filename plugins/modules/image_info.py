#!/usr/bin/python
# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module C(image_info)."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image_info
short_description: Show the images of an engine, a registry or an OCI layout
version_added: 0.1.0
author:
  - longshore contributors (!UNKNOWN)
description:
  - Shows images in one shape, wherever they are - what they are called, their digests by kind, platform, size, layers, time
    of creation, labels and configuration.
  - What selects images narrows the result by each option that is given. Those that select by name, O(references) and
    O(globs), are looked at together, and one of them is enough. An image that is not there is no error, and is not in the
    result.
  - What a store does not tell is V(null) rather than guessed.
  - On a node it needs the node's Python alone. On the controller it runs in the process that is already there, where it can.
requirements:
  - The Python package C(docker) where the task runs, for an engine at V(tcp://...) alone.
  - The Python package C(jmespath) where the task runs, for O(query) alone.
  - C(crictl) on nodes of containerd and CRI-O, C(podman) on hosts of Podman. Docker is spoken to on its socket.
extends_documentation_fragment:
  - longshore.delivery.attributes
  - longshore.delivery.engine
  - longshore.delivery.registry
attributes:
  action_group:
    membership: [longshore.delivery.engine, longshore.delivery.registry]
  check_mode:
    support: full
    description: Changes nothing in any case.
  diff_mode:
    support: N/A
    description: There is no change to show.
options:
  store:
    description:
      - Where the images are - in an engine, see O(engine), in a registry, see O(registry), or in an OCI layout, see
        O(layout).
    type: str
    choices: [engine, registry, layout]
    default: engine
  engine:
    description:
      - Which engine is asked.
      - By V(auto) it is Docker at O(docker_host) or at the environment's E(DOCKER_HOST) where one of these is set; else the
        runtime that the kubelet uses on a node of Kubernetes; elsewhere Docker if its socket is there, else Podman, else
        containerd or CRI-O where C(crictl) is there. It is returned with the reason.
      - By V(docker) O(docker_host) and E(DOCKER_HOST) come first, too. By any other they are not looked at.
      - A socket in another place than usual is found by the flags of the running engine, or of the kubelet.
      - Podman shows the images of the user who runs the task.
    type: str
    choices: [auto, containerd, crio, docker, podman]
    default: auto
  registry:
    description:
      - The registry, in the one shape that the whole collection uses. It is required for O(store=registry) and not looked at
        otherwise.
      - Without O(references) and O(globs), and with a pattern that several repositories match, the registry's catalog is
        read, which not every registry has.
  layout:
    description:
      - Absolute path of a directory, or of an uncompressed tar, with an OCI layout, where the task runs. It is required for
        O(store=layout).
    type: path
  references:
    description:
      - Images by reference. With a tag and a digest the image must have both; with neither, every image of the repository is
        meant, since V(latest) is not assumed.
      - In an engine also by ID, with V(sha256:) or without, or by its first digits, 12 or more.
      - A reference without a registry is one of O(registry) for O(store=registry), else of Docker Hub, as for Docker.
    type: list
    elements: str
  globs:
    description:
      - Images by patterns for their names. V(*) and V(?) stand for anything but a slash, V(**) for anything.
      - A pattern is for the name with its registry, without it, or as Docker lists it.
      - What follows a colon is for the tag. A pattern without one means every tag, and images that have none.
      - In an OCI layout, names that are no references, as V(1.4), are matched as they are.
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
      - An image that was pulled by its digest alone has no tag either, and may well be in use.
    type: bool
  older_than:
    description:
      - Images that were created longer ago, by their configuration - a number with its unit V(s), V(m), V(h), V(d) or V(w),
        as V(30d).
      - An image whose time of creation is not known is not selected. A reproducible build's may be that of its source, or
        1970.
    type: str
  newer_than:
    description:
      - Images that were created less long ago, in the form of O(older_than).
    type: str
  query:
    description:
      - A JMESPath expression. Images are selected for which it holds, that is, is neither false, null nor empty. It is
        evaluated for each image as RV(images) shows it. Where it is nothing for each of them, the task warns.
    type: str
seealso:
  - module: longshore.delivery.image_build
  - module: longshore.delivery.image_pull
  - module: longshore.delivery.image_push
"""

EXAMPLES = r"""
- name: See what every node holds of the shop
  longshore.delivery.image_info:
    globs: ["registry.example:5000/shop/*"]
  register: held

- name: See whether Podman has an image, also where Docker runs
  longshore.delivery.image_info:
    engine: podman
    references: [registry.example:5000/shop/web:1.4]

- name: Find what retagging left on the builder a month ago or earlier
  longshore.delivery.image_info:
    docker_host: tcp://builder.example:2376
    docker_cert_path: ~/.docker/builder
    labels: [org.opencontainers.image.vendor=shop]
    dangling: true
    older_than: 30d

- name: See which platforms a registry serves of what was made today
  longshore.delivery.image_info:
    store: registry
    registry:
      endpoint: registry.example:5000
      username: ci
      password: "{{ vault_registry_password }}"
    references: [shop/web]
    newer_than: 24h

- name: Find images of a layout that run as root
  longshore.delivery.image_info:
    store: layout
    layout: "{{ playbook_dir }}/shop.tar"
    query: "!(config.User) || config.User == 'root'"
"""

RETURN = r"""
engine:
  description: The engine that was asked.
  returned: when it was found, for O(store=engine)
  type: str
  sample: containerd
engine_reason:
  description: Why it was that one.
  returned: as RV(engine)
  type: str
  sample: its kubelet runs and uses it
images:
  description:
    - The selected images, sorted by their references. An image of several platforms is one for each platform, as far as the
      store has them; engines show the one that they would run.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description:
        - What the store calls it. In an engine the image ID, which is the config digest but for Docker with containerd's
          image store; in a registry or a layout the manifest digest. With its algorithm in each of them, though Podman and
          CRI-O write theirs without.
      type: str
      sample: sha256:2d389e545974d4a93ebdef09b650753a55f72d1ab4518d17a30c0e1b3e297444
    references:
      description: Its references by tag, each in full.
      type: list
      elements: str
      sample: ["registry.example:5000/shop/web:1.4"]
    repository_digests:
      description: Its references by digest, which is a manifest's or an index's.
      type: list
      elements: str
      sample: ["registry.example:5000/shop/web@sha256:6a5a5368e0c2d3e5909184fa28ddfd56072e7ff3ee9a945876f7eee5896ef5bb"]
    names:
      description: What an OCI layout calls it where that is no reference.
      type: list
      elements: str
      sample: ["1.4"]
    digests:
      description: Its digests by kind, V(null) where the store does not tell one.
      type: dict
      contains:
        config:
          description: Of its configuration, which is the image ID of Docker's classic store.
          type: str
          sample: sha256:2d389e545974d4a93ebdef09b650753a55f72d1ab4518d17a30c0e1b3e297444
        manifest:
          description: Of its own manifest, for its platform. Docker's classic store and the CRI do not tell it.
          type: str
          sample: sha256:9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0
        index:
          description: Of the list by platform that it was found by.
          type: str
          sample: sha256:6a5a5368e0c2d3e5909184fa28ddfd56072e7ff3ee9a945876f7eee5896ef5bb
    platform:
      description: Its operating system, architecture and variant.
      type: str
      sample: linux/arm/v7
    size:
      description:
        - Bytes as its store counts them - what is transferred in a registry, a layout and containerd, what is unpacked in
          Docker's classic store, in Podman and in CRI-O.
      type: int
      sample: 7340032
    layers:
      description: Its layers, the lowest first.
      type: list
      elements: dict
      contains:
        diff_id:
          description: The digest of the unpacked layer.
          type: str
          sample: sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef
        digest:
          description: The digest of the layer as it is stored in a registry or a layout.
          type: str
          sample: sha256:4c5a6e3b1d5b16e2d4b3dd9a0f6bb8e3f6f54b5f6c63d62cf8c71f36c6ac2a1e
        compressed_size:
          description: Its bytes as stored there.
          type: int
          sample: 3145728
        size:
          description: Its bytes unpacked as Docker counts them, with containerd's image store by whole blocks of the disk.
          type: int
          sample: 7340032
        created_by:
          description: The instruction that made it, where the history tells layers from empty instructions.
          type: str
          sample: "COPY site /site # buildkit"
    created:
      description: When it was created, by its configuration, in UTC.
      type: str
      sample: "2026-11-21T17:40:12Z"
    labels:
      description: Its labels.
      type: dict
      sample: {"org.opencontainers.image.version": "1.4"}
    config:
      description:
        - What its containers are started with, by the names of the OCI image specification, C(User), C(Env), C(Entrypoint),
          C(Cmd), C(WorkingDir), C(ExposedPorts), C(Volumes) and C(StopSignal), and Docker's C(Healthcheck), C(OnBuild) and
          C(Shell). What is not set is left out.
      type: dict
      sample: {"User": "10001", "Entrypoint": ["/web"], "ExposedPorts": {"8080/tcp": {}}}
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
from ansible_collections.longshore.delivery.plugins.module_utils.image.image_info import CAPABILITY


def main() -> None:
    module_main(CAPABILITY)


if __name__ == "__main__":
    main()
