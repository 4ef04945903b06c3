#!/usr/bin/python
# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module C(registry_trust)."""

from __future__ import annotations

DOCUMENTATION = r"""
module: registry_trust
short_description: Have every container engine of a node trust a registry, proven by a pull
version_added: 0.1.0
author:
  - longshore contributors (!UNKNOWN)
description:
  - Finds the engines of the node (containerd, Docker, Podman with Buildah and Skopeo, CRI-O), writes what each of them must find
    to trust the registries, and disturbs each as little as it allows. Files that an engine reads at every pull need nothing;
    Docker and CRI-O are told by a reload; containerd is restarted once, when it does not read a directory of hosts yet, which
    running containers outlive.
  - Then every engine pulls a fresh image of a few hundred bytes from each registry, which is pushed for this and deleted again;
    from a mirror also by the name of the registry that is mirrored.
    The registry keeps its bytes until its next garbage collection, and goes on listing the repository C(longshore/canary).
  - What others wrote is left as it is. A C(config.toml) keeps its order and comments, a C(daemon.json) its keys, and a file that
    others wrote in the place of one of this module is named and refused.
  - When an engine does not come back or cannot pull, every file is put back and the engines take that over.
  - What was written is kept in C(/var/lib/longshore/trust.json), with the bytes that were there before. O(state=absent) gives
    those back where nobody has changed the file since, and takes its own entries out of it where somebody has.
  - It needs the node's Python alone.
requirements:
  - C(crictl) for the pull through containerd or CRI-O; without it nothing is pulled there, and the result says so.
  - systemd where containerd has to be restarted.
attributes:
  check_mode:
    support: full
    description: Says what would be written, and what would be reloaded or restarted. Nothing is pushed or pulled.
  diff_mode:
    support: full
    description: Shows each file before and after. Values of keys that look like secrets are masked.
  platform:
    platforms: linux
    support: full
    description: Runs on the node, as root.
options:
  registries:
    description:
      - The registries, each in the one shape that the whole collection uses.
      - What this module wrote for a registry earlier and is not wanted for it any more is taken away, for example the entry of a
        registry that spoke plain HTTP and now speaks TLS. Registries that are not named are left alone, but for mirrors of those
        that are, see O(registries[].mirror_of).
      - With O(state=absent) only the endpoints count, and none at all stands for every registry that the module wrote something
        for.
    type: list
    elements: dict
    default: []
    suboptions:
      endpoint:
        description:
          - Host and port, as an image's name begins with them, for example V(registry.example:5000) or V([2001:db8::1]:5000).
        type: str
        required: true
      tls:
        description:
          - How the registry is spoken to. It is never guessed from the address.
          - V(verified) is TLS with a certificate that the system's authorities or O(registries[].ca) vouch for.
          - V(unverified) is TLS with any certificate. Docker, Podman and CRI-O then fall back to HTTP as well.
          - V(plain) is HTTP without TLS.
        type: str
        choices: [verified, unverified, plain]
        default: verified
      ca:
        description:
          - Certificates of the authorities that issued the registry's certificate, as PEM text, trusted for this registry alone.
        type: str
      username:
        description:
          - Who logs in for the check.
          - A login is not kept on the node, since pods bring theirs. A user who may not push does for the check, which then asks
            for an image that is not there.
        type: str
      password:
        description:
          - The password, or an access token in its place.
        type: str
      client_certificate:
        description:
          - A certificate that is shown to the registry, which asks its clients for one (mutual TLS), as PEM text; with those that
            lead to its authority behind it. O(registries[].client_key) is its key.
        type: str
      client_key:
        description:
          - The key of O(registries[].client_certificate), as PEM text and without a passphrase.
          - It is kept on the node for root alone. Rootless users cannot read it, and cannot pull from this registry.
        type: str
      mirror_of:
        description:
          - Registries that this one is a mirror of, for example V(docker.io). Engines ask it for their images before them, and
            several mirrors of one registry in the order of the list.
          - A registry that has mirrors may be one of the list itself, and then has those of the list alone. What was written for
            the sake of a mirror that is none of the list any more goes, too, see RV(mirrors_gone), unless a run has named it
            without O(registries[].mirror_of) or it is a mirror of another registry. Where the registry is not one of the list,
            mirrors of it that are not named are left alone.
          - Docker knows mirrors of V(docker.io) alone. For other registries a warning says so, and RV(engines[].unmirrored).
          - Let whoever likes pull from a mirror. containerd shows it the login that a pod has for the registry that is mirrored,
            Docker shows it none, and the other engines one that they have for the mirror itself.
          - A mirror that does not answer, or not as it should, is written, named by a warning and checked by the next run; so is
            one that takes the image for the check and then does not serve it.
        type: list
        elements: str
      mirror_paths:
        description:
          - By the names of registries of O(registries[].mirror_of), the path below which this mirror has their images, where it
            has them not by their own names, as a project of Harbor's is one. With V(hub) for C(docker.io),
            C(docker.io/library/web) is C(hub/library/web) there.
          - Docker knows no such path, and does not ask this mirror then; a warning says so.
        type: dict
  engines:
    description:
      - The engines to serve. V(auto) stands for those that are found and are nobody else's part; a containerd that only serves
        Docker is passed over, and one of k3s, RKE2 or MicroK8s, which write their configuration themselves.
      - V(podman) stands for Podman, Buildah and Skopeo, which read the same files.
      - One that is named and not on the node is an error.
    type: list
    elements: str
    choices: [auto, containerd, crio, docker, podman]
    default: [auto]
  state:
    description:
      - Whether the engines are to trust the registries, or this module's files and entries are to go.
    type: str
    choices: [present, absent]
    default: present
  restart:
    description:
      - Whether an engine may be restarted that needs it. With V(never) such an engine is left as it is, and named in
        RV(restart_needed).
    type: str
    choices: [allowed, never]
    default: allowed
  mirror_fallback:
    description:
      - Whether a registry of O(registries[].mirror_of) is asked itself where no mirror has an image.
      - One that is in O(registries) too is always asked, and Docker always asks V(docker.io).
    type: bool
    default: true
  purge:
    description:
      - Whether what this module wrote for registries that are not in O(registries) any more goes, see RV(purged). What
        others wrote stays.
      - O(registries) then has to name all that the node is to trust by this module, those of other tasks and playbooks too.
      - Refused with O(state=absent), where O(registries) says what goes.
    type: bool
    default: false
  override:
    description:
      - Whether a file may be replaced that others wrote in the place of one of this module. O(state=absent) brings it back.
    type: bool
    default: false
  verify:
    description:
      - When the engines pull. V(changed) is after a change, and where no pull with this version of the engine has proven yet
        that it trusts the registry as it is described now.
      - Of mirrors that differ in nothing but O(registries[].endpoint) the first that answers of the first three is pulled from,
        which proves the file that has all of them. With V(always) each is.
    type: str
    choices: [changed, always, never]
    default: changed
seealso:
  - module: longshore.delivery.image_pull
"""

EXAMPLES = r"""
- name: Trust a registry with a private authority
  longshore.delivery.registry_trust:
    registries:
      - endpoint: registry.example:5000
        ca: "{{ lookup('ansible.builtin.file', 'registry-ca.crt') }}"
        username: ci
        password: "{{ vault_registry_password }}"

- name: Trust a registry that speaks plain HTTP, without restarting anything
  longshore.delivery.registry_trust:
    registries:
      - endpoint: 10.0.0.5:5000
        tls: plain
    restart: never
  register: trust

- name: Have Docker and Podman alone trust a registry, in the place of what others wrote, and pull at every run
  longshore.delivery.registry_trust:
    registries:
      - endpoint: registry.example:5000
    engines: [docker, podman]
    override: true
    verify: always

- name: Have a registry of one's own asked for Docker Hub's images, and Docker Hub never
  longshore.delivery.registry_trust:
    registries:
      - endpoint: mirror.example:5000
        mirror_of: [docker.io]
    mirror_fallback: false

- name: Trust a registry that asks its clients for a certificate
  longshore.delivery.registry_trust:
    registries:
      - endpoint: registry.example:5000
        client_certificate: "{{ lookup('ansible.builtin.file', 'node.crt') }}"
        client_key: "{{ vault_node_key }}"

- name: Have a registry asked that has others' images each in a project of its own
  longshore.delivery.registry_trust:
    registries:
      - endpoint: harbor.example
        mirror_of: [docker.io, quay.io]
        mirror_paths:
          docker.io: hub
          quay.io: quay

- name: Trust these two and no others that this module was ever told of
  longshore.delivery.registry_trust:
    registries:
      - endpoint: registry.example:5000
      - endpoint: mirror.example:5000
        mirror_of: [docker.io]
    purge: true

- name: Take away whatever this module wrote on the node
  longshore.delivery.registry_trust:
    state: absent
"""

RETURN = r"""
engines:
  description: The engines that were served, in the order in which that was done.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name, as in O(engines).
      type: str
    version:
      description: Its version, as it says itself.
      type: str
      sample: 1.7.24
    config_file:
      description: The configuration file, or directory, that it reads.
      type: str
      sample: /etc/containerd/config.toml
    is_running:
      description: Whether it runs. One that does not reads its files when it starts.
      type: bool
    files:
      description: The files that were changed for it.
      type: list
      elements: str
    action:
      description: What was done so that it takes them over, V(nothing), V(reload) or V(restart).
      type: str
    reason:
      description: Why.
      type: str
    unmirrored:
      description: The registries whose mirrors it does not ask, as Docker asks none but those of V(docker.io).
      type: list
      elements: str
    pulls:
      description:
        - One entry for each registry that it was checked with in this run, and for each that it was checked with as a mirror of.
      type: list
      elements: dict
      contains:
        registry:
          description: The registry.
          type: str
        upstream:
          description: By the name of which registry the image was pulled, where this one was asked as its mirror; else empty.
          type: str
        verified_by:
          description:
            - V(pull), V(answer) where the registry takes no push from this user and told the engine that it has no such image,
              or V(not checked).
          type: str
        milliseconds:
          description: How long the engine took.
          type: int
        remark:
          description: What else is to be said.
          type: str
passed_over:
  description: Engines that are on the node and are another's part, with the reason.
  returned: success
  type: dict
  sample: {containerd: it serves Docker}
restart_needed:
  description: The engines that need a restart, which O(restart=never) kept from them. Nothing was changed for them.
  returned: success
  type: list
  elements: str
mirrors_gone:
  description:
    - Mirrors of registries of the list that are not in it any more. What was written for them was taken away, or would be in
      check mode.
  returned: success
  type: list
  elements: str
  sample: ["10.0.0.7:5000"]
purged:
  description: Registries that are not in the list any more, and that O(purge) took away, or would in check mode.
  returned: success
  type: list
  elements: str
  sample: ["old-registry.example:5000"]
engine:
  description: The engine that failed.
  returned: when an engine cannot pull
  type: str
config_file:
  description: Its configuration file.
  returned: when an engine cannot pull
  type: str
pull_error:
  description:
    - What it was, such as V(ca), V(https_on_http), V(http_on_https), V(tls), V(clock), V(name), V(refused), V(timeout),
      V(unauthorized), V(forbidden), V(not_found), V(platform), V(digest), V(disk), V(busy), V(engine), V(cri) or V(other).
  returned: when an engine cannot pull
  type: str
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
refusals:
  description: What stands in the way on the node.
  returned: when something does
  type: list
  elements: str
"""

from ansible_collections.longshore.delivery.plugins.module_utils.capability import module_main
from ansible_collections.longshore.delivery.plugins.module_utils.trust.registry_trust import CAPABILITY


def main() -> None:
    """Run the capability on the node."""
    module_main(CAPABILITY)


if __name__ == "__main__":
    main()
