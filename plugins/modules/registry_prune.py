#!/usr/bin/python
# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module C(registry_prune)."""

from __future__ import annotations

DOCUMENTATION = r"""
module: registry_prune
short_description: Delete images of a registry that no rule keeps and nothing uses
version_added: 0.1.0
author:
  - longshore contributors (!UNKNOWN)
description:
  - Deletes images of a registry by rules that say what is kept. A tag goes that at least one of O(rules) is about and none of
    these keeps. What no rule is about stays.
  - Registries delete by digest, and with a digest all tags that lead to it. So an image stays with all its tags as long as one of
    them does; a tag alone is never taken away, which distribution 2.8 cannot do and which would free no bytes.
  - What is in use stays, whatever the rules say. The cluster is asked for the images of its pods and of all that pods are made
    from - Deployments, StatefulSets, DaemonSets and ReplicationControllers with the revisions that they could be rolled back to
    (ReplicaSets and ControllerRevisions), Jobs and CronJobs, in all namespaces. What hosts' engines have is given in O(in_use).
    When one of them cannot be asked, the task fails and nothing is deleted.
  - A digest is taken as in use in every repository, and a tag in the repository of that name, by whatever name of the registry
    it is used, since nodes may know the registry by its address or have it as a mirror. An image is in use when one of its
    platforms is, or its configuration, which some engines call it by.
  - What an index lists goes with it, and so does what is about an image (signatures, attestations, bills of materials), tagged
    or not, by the registry's API for referrers or by tags as C(sha256-<hex>) and those of cosign. It stays where anything needs
    it that stays. What is about an image that no tag leads to stays.
  - Where a tag cannot be read, nothing goes in its repository, and the task warns. Manifests that no tag leads to are listed by
    no registry, and stay, unless they are one of the above.
  - While it deletes it notes in the registry what would be lost without its image, under the tag V(longshore-pruning). A run that
    was interrupted is completed by the next one that has a rule for the repository. So the user needs the right to push, too.
  - Deleting frees no bytes by itself. The registry's garbage collection does, which the role registry runs by a timer.
extends_documentation_fragment:
  - longshore.delivery.attributes
  - longshore.delivery.cluster
  - longshore.delivery.registry
attributes:
  action_group:
    membership: [longshore.delivery.cluster, longshore.delivery.registry]
  check_mode:
    support: full
    description: Says exactly what would go, why, and the bytes that would be freed. It asks everybody that the real run asks.
  diff_mode:
    support: full
    description: Shows each tag that goes with its digest.
options:
  registry:
    required: true
  rules:
    description:
      - What is kept of which repositories. What one rule keeps stays, whatever the others say.
      - At least one of O(rules[].keep_newest), O(rules[].keep_younger_than), O(rules[].keep_matching) and
        O(rules[].keep_versions) has to be given in each. A tag is kept that fulfils one of them.
    type: list
    elements: dict
    required: true
    suboptions:
      repositories:
        description:
          - Names of repositories, or patterns for them. V(*) and V(?) stand for anything but a slash, V(**) for anything.
        type: list
        elements: str
        required: true
      tags:
        description:
          - Names of tags, or patterns for them, that the rule is about. Other tags it neither keeps nor lets go. Without it the
            rule is about all tags.
        type: list
        elements: str
      keep_newest:
        description:
          - So many images of each repository are kept, of those that the rule is about - the ones that were created last by
            their configuration. V(0) keeps none because of that.
          - One whose time of creation is not known, and one that is as new as the last of them, is kept beside them. Images of
            a reproducible build may all be of one time.
        type: int
      keep_younger_than:
        description:
          - Images are kept that were created within that time by their configuration - a number with its unit V(s), V(m), V(h),
            V(d) or V(w), as V(30d). One whose time of creation is not known is kept.
        type: str
      keep_matching:
        description:
          - Tags are kept that are like one of these patterns.
        type: list
        elements: str
      keep_versions:
        description:
          - Tags are kept that are versions of one of these ranges, as V(>=1.4 <2), V(^1.4), V(~1.4.2), V(1.x) or several with
            V(||) between them. A tag may begin with V(v), and lack what is zero.
          - What follows a hyphen is not looked at. V(1.5.0-rc.1) and V(1.5-alpine) are of V(^1.4) as V(1.5.0) is.
        type: list
        elements: str
  cluster:
    description:
      - Whether a cluster is asked what it uses. With V(none) it is not, and what runs there may go.
    type: str
    choices: [required, none]
    default: required
  in_use:
    description:
      - What hosts' engines have, by the name of each host - a list of references, digests, image IDs, or of what
        M(longshore.delivery.image_info) returns as RV(longshore.delivery.image_info#module:images).
      - Anything but a list stands for a host that could not be asked, and fails the task, so that nothing is deleted.
      - It may be of whoever else uses images, such as another cluster.
    type: dict
  timeout:
    description:
      - How many seconds to wait for a connection to the registry, and for each further part of an answer.
    type: int
    default: 10
seealso:
  - module: longshore.delivery.registry_info
  - module: longshore.delivery.image_info
  - module: longshore.delivery.image_prune
"""

EXAMPLES = r"""
- name: Keep releases from 1.4 on and, of what branches built, the three newest and those of the last two weeks
  longshore.delivery.registry_prune:
    registry:
      endpoint: registry.example:5000
      ca: "{{ lookup('ansible.builtin.file', 'registry-ca.crt') }}"
      username: ci
      password: "{{ vault_registry_password }}"
    rules:
      - repositories: ["shop/*"]
        tags: ["v*", "1.*", "2.*", latest]
        keep_versions: [">=1.4 <2", "^2.1"]
        keep_matching: [latest, "*-lts"]
      - repositories: [shop/web, shop/api]
        tags: ["branch-*"]
        keep_newest: 3
        keep_younger_than: 14d
    kubeconfig: /etc/longshore/kubeconfig
    kube_context: shop
    timeout: 30
  register: pruned

- name: Say what was gained once the registry collects its garbage
  ansible.builtin.debug:
    msg: "{{ pruned.removed | length }} manifests, {{ (pruned.bytes_freed or 0) | human_readable }}"

# A play of its own comes before: hosts: longshore_nodes, with a task of image_info whose result is registered as held.
# For all of a group: in_use: "{{ dict(groups.longshore_nodes | zip(groups.longshore_nodes | map('extract', hostvars)
# | map(attribute='held.images', default=''))) }}"
- name: Ask no cluster, but take what the engines of two nodes have; one that was not reached stops it
  longshore.delivery.registry_prune:
    registry:
      endpoint: registry.example:5000
    rules:
      - repositories: ["**"]
        keep_newest: 5
    cluster: none
    in_use:
      node1.example: "{{ hostvars['node1.example'].held.images | default('') }}"
      node2.example: "{{ hostvars['node2.example'].held.images | default('') }}"
  check_mode: true
"""

RETURN = r"""
removed:
  description:
    - The manifests that went, or would go in check mode, in this order. In a failed task those that went until then.
  returned: success, and when deleting failed
  type: list
  elements: dict
  contains:
    repository:
      description: The repository.
      type: str
      sample: shop/web
    digest:
      description: The digest of the manifest.
      type: str
      sample: sha256:6a5a5368e0c2d3e5909184fa28ddfd56072e7ff3ee9a945876f7eee5896ef5bb
    tags:
      description: The tags that go with it; of an image that is kept, those that it has.
      type: list
      elements: str
      sample: ["1.3"]
    media_type:
      description: Its media type.
      type: str
      sample: application/vnd.oci.image.index.v1+json
    platforms:
      description: The platforms that it is for, sorted.
      type: list
      elements: str
      sample: ["linux/amd64", "linux/arm64"]
    created:
      description: When it was created by its configuration, in UTC; of an index, the last of its children.
      type: str
      sample: "2026-11-21T17:40:12Z"
    size:
      description: Bytes of all that it is made of, whatever else needs them. V(null) where some of it is not there.
      type: int
      sample: 7340032
    why:
      description: Why no rule keeps it.
      type: str
      sample: "rule 1: it is none of the 3 newest"
    along_with:
      description: The digest of the image that it goes with; V(null) for what goes for itself.
      type: str
      sample: sha256:9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0
kept:
  description: The images that rules are about, and that stay.
  returned: success
  type: list
  elements: dict
  contains:
    repository:
      description: The repository.
      type: str
      sample: shop/web
    digest:
      description: The digest of the manifest.
      type: str
      sample: sha256:9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0
    tags:
      description: Its tags.
      type: list
      elements: str
      sample: ["1.4"]
    media_type:
      description: Its media type.
      type: str
      sample: application/vnd.oci.image.manifest.v1+json
    platforms:
      description: The platforms that it is for, sorted.
      type: list
      elements: str
      sample: ["linux/amd64"]
    created:
      description: When it was created, as in RV(removed[].created).
      type: str
      sample: "2026-11-21T17:40:12Z"
    size:
      description: Bytes of all that it is made of.
      type: int
      sample: 3670016
    why:
      description: All that keeps it.
      type: list
      elements: str
      sample: ["in use by ReplicaSet shop/web-7d9c", "rule 1: it is one of the 3 newest"]
bytes_freed:
  description:
    - The bytes, as they are stored, that nothing needs any more to which a tag of the registry leads. The registry's garbage
      collection frees them.
    - V(null) where a tag cannot be read, or the size of something is not known.
  returned: success
  type: int
  sample: 7340032
asked:
  description: Who was asked what is in use, the hosts of O(in_use) among them.
  returned: success
  type: list
  elements: str
  sample: ["node1.example", "the cluster at https://192.0.2.1:6443"]
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

import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import module_main
from ansible_collections.longshore.delivery.plugins.module_utils.registry.registry_prune import (
    ClusterUse,
    registry_prune,
)


def _cluster_use() -> ClusterUse:
    from ansible_collections.longshore.delivery.plugins.module_utils.workload.images_in_use import images_in_use

    return images_in_use


CLUSTER_SPEC: t.Dict[str, t.Any] = {"kubeconfig": {"type": "str"}, "kube_context": {"type": "str"}}
CAPABILITY = registry_prune(_cluster_use, CLUSTER_SPEC)


def main() -> None:
    module_main(CAPABILITY)


if __name__ == "__main__":
    main()
