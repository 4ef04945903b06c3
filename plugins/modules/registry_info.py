#!/usr/bin/python
# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module C(registry_info)."""

from __future__ import annotations

DOCUMENTATION = r"""
module: registry_info
short_description: Show how a registry is, and what it has
version_added: 0.1.0
author:
  - longshore contributors (!UNKNOWN)
description:
  - Shows how a registry is - whether it is reachable, by which way, with which certificate, how it wants its clients to log in
    and whether it takes the given login, how far its clock is off, and what it lets one do. What is wrong is told with its
    cause and the way out, in RV(problem), or fails the task, see O(fail_on_problem).
  - Shows what a registry has - repositories, tags, and of each tag the digest, media type, platforms, size, time of creation,
    children and what refers to it. Tags are read while they come and by several connections side by side, so that what is
    held is what is selected.
  - It goes to the registry itself, not by a proxy that the environment names. Which that would be is told, since container
    engines may go by it.
requirements:
  - The Python package C(jmespath) where the task runs, for O(query) alone.
extends_documentation_fragment:
  - longshore.delivery.registry
attributes:
  action_group:
    support: full
    description: The groups by which C(module_defaults) reach the module.
    membership: [longshore.delivery.registry]
  check_mode:
    support: full
    description: Changes nothing in any case. Check mode leaves O(write_to) as it is, since it stores nothing.
  diff_mode:
    support: N/A
    description: There is no change to show.
  platform:
    platforms: posix
    support: full
    description: Where the task runs, from where the registry is looked at. On a node it tells what the node would meet.
options:
  registry:
    required: true
  contents:
    description:
      - How far the registry's contents are looked at.
      - With V(none) it is only shown how the registry is; that is a few requests, whatever it has.
      - With V(repositories) their names are shown, with V(tags) also the names of their tags. With V(images) the manifest of
        each tag is read, and its configuration, but no layer.
      - Without it V(images) where O(repositories), O(tags) or O(query) is given, else V(none).
    type: str
    choices: [none, repositories, tags, images]
  repositories:
    description:
      - Names of repositories, or patterns for them. V(*) and V(?) stand for anything but a slash, V(**) for anything. Without
        it all are meant.
      - With names alone the registry's catalog is not read, which not every registry has and not every user may read.
    type: list
    elements: str
  tags:
    description:
      - Names of tags, or patterns for them, as in O(repositories).
    type: list
    elements: str
  query:
    description:
      - A JMESPath expression. Tags are selected for which it holds, that is, is neither false, null nor empty. It is evaluated
        for each tag as RV(tags) shows it. Where it is nothing for each of them, the task warns.
    type: str
  write_to:
    description:
      - A repository to which it is tried whether a push would be taken. An upload is begun there and cancelled at once, so that
        no image and no tag is stored. Distribution 2.8 keeps the empty directory of such an upload.
      - Without it nothing is written, and RV(push_accepted) is V(null).
    type: str
  fail_on_problem:
    description:
      - Whether the task fails where there is a problem, with all of them in its message. As a preflight it then stops before
        anything is changed.
      - Without it a registry that is not reachable is no failure of the task.
    type: bool
    default: false
  timeout:
    description:
      - How many seconds to wait for a connection, and for each further part of an answer.
    type: int
    default: 10
seealso:
  - module: longshore.delivery.image_info
  - module: longshore.delivery.registry_trust
"""

EXAMPLES = r"""
- name: Stop here unless every node can reach the registry, log in and push
  longshore.delivery.registry_info:
    registry:
      endpoint: registry.example:5000
      ca: "{{ lookup('ansible.builtin.file', 'registry-ca.crt') }}"
      username: ci
      password: "{{ vault_registry_password }}"
    write_to: shop/preflight
    fail_on_problem: true
    timeout: 5

- name: See how a registry is, whatever that is
  longshore.delivery.registry_info:
    registry:
      endpoint: registry.example:5000
  register: registry

- name: Say so while there is time
  ansible.builtin.debug:
    msg: "The registry's certificate ends in {{ registry.certificate.days_left }} days."
  when: registry.certificate and registry.certificate.days_left < 30

- name: See which repositories there are
  longshore.delivery.registry_info:
    registry:
      endpoint: registry.example:5000
    contents: repositories

- name: See what of the shop is served for no arm64
  longshore.delivery.registry_info:
    registry:
      endpoint: registry.example:5000
    repositories: ["shop/*"]
    tags: ["1.*"]
    query: "!contains(platforms, 'linux/arm64')"

- name: See which images of the shop nobody has signed
  longshore.delivery.registry_info:
    registry:
      endpoint: registry.example:5000
    repositories: [shop/web]
    query: "platforms && !referrers"
"""

RETURN = r"""
endpoint:
  description: The registry.
  returned: when the registry was looked at
  type: str
  sample: registry.example:5000
reachable:
  description:
    - Whether a registry answers there. One that does and refuses the login is reachable. One with a certificate that does not
      pass is not.
  returned: when the registry was looked at
  type: bool
  sample: true
problem:
  description: The first of RV(problems), with its cause and the way out; V(null) without one.
  returned: when the registry was looked at
  type: str
  sample: >-
    Registry registry.example:5000: its certificate is for registry.lab, 192.0.2.7, not for registry.example. Issue one with
    registry.example among its subject alternative names, or name the registry as the certificate does.
problems:
  description: What is not as it should be.
  returned: when the registry was looked at
  type: list
  elements: dict
  contains:
    kind:
      description:
        - Of what kind it is, in the words of RV(registry_error).
        - A clock that is off by more than a minute is of kind V(clock), too.
      type: str
      sample: tls
    message:
      description: The thing, the place, the cause and the way out.
      type: str
      sample: >-
        Registry registry.example:5000: it refuses user 'ci' for the registry's API (HTTP 401: UNAUTHORIZED: authentication
        required). Check 'username' and 'password'.
addresses:
  description: What the registry's name is resolved to where the task runs; empty where it is not known.
  returned: when the registry was looked at
  type: list
  elements: str
  sample: ["192.0.2.7"]
proxy:
  description: Proxies on the way to the registry.
  returned: when the registry was looked at
  type: dict
  contains:
    environment:
      description:
        - The proxy that the task's environment names for this registry, without its login. A service, as a container engine
          is one, may have another environment.
      type: str
      sample: http://proxy.example:3128
    variable:
      description: By which variable it is named.
      type: str
      sample: HTTPS_PROXY
    exempt:
      description: The entry of E(NO_PROXY) by which the registry is reached without it, or V(localhost), which needs none.
      type: str
      sample: 192.0.2.0/24
    via:
      description: What the registry's answer shows of a proxy that is in between all the same.
      type: str
      sample: 1.1 gateway.example
tls:
  description: How the registry was spoken to, as the option says.
  returned: when the registry was looked at
  type: str
  sample: verified
certificate:
  description: The certificate that is shown there, whether it passes or not; V(null) without TLS.
  returned: when the registry was looked at
  type: dict
  contains:
    subject:
      description: Its common name, or all of its name where it has none.
      type: str
      sample: registry.example
    issuer:
      description: Who issued it.
      type: str
      sample: Longshore registry authority
    names:
      description: Its subject alternative names, which are what it is for.
      type: list
      elements: str
      sample: ["registry.example", "192.0.2.7"]
    not_before:
      description: From when it is valid, in UTC.
      type: str
      sample: "2026-11-21T17:40:12Z"
    not_after:
      description: Until when it is valid, in UTC.
      type: str
      sample: "2027-11-21T17:40:12Z"
    days_left:
      description: How many whole days that is from now by this machine's clock. Less than 14 are a warning.
      type: int
      sample: 364
    fingerprint:
      description: SHA-256 of its DER form.
      type: str
      sample: 7f1c1f5c2c3a0f0b6f5d4d9b6a8e1b3c5d7e9f0a1b2c3d4e5f60718293a4b5c6
authentication:
  description: How the registry's API wants its clients to log in; V(null) where none answers.
  returned: when the registry was looked at
  type: dict
  contains:
    kind:
      description: V(none), V(basic), V(bearer), or what else it asks for.
      type: str
      sample: basic
    realm:
      description: The realm of that, which for V(bearer) is the address of the token service.
      type: str
      sample: https://registry.example:5001/token
    service:
      description: What the token service calls this registry.
      type: str
      sample: registry.example
    login:
      description: V(accepted) or V(refused); V(null) where none was given, or none is asked for.
      type: str
      sample: accepted
api_version:
  description: What the registry says in the header C(Docker-Distribution-Api-Version). The program's version it does not tell.
  returned: when the registry was looked at
  type: str
  sample: registry/2.0
server:
  description: What answers, by the header C(Server), such as the server in front of the registry.
  returned: when the registry was looked at
  type: str
  sample: nginx
clock_difference:
  description: How many seconds the registry's clock is ahead of this machine's, by its header C(Date), give or take one.
  returned: when the registry was looked at
  type: int
  sample: 0
delete_enabled:
  description: Whether manifests can be deleted; V(null) where that cannot be known, as while writes are refused.
  returned: when the registry was looked at
  type: bool
  sample: true
read_only:
  description: Whether the registry, or the server in front of it, refuses every write; V(null) where that cannot be known.
  returned: when the registry was looked at
  type: bool
  sample: false
mirror:
  description:
    - Whether it is a pull-through cache. V(null) where that cannot be known. One of distribution is known by O(write_to) alone,
      as it otherwise looks like a registry that deletes nothing.
  returned: when the registry was looked at
  type: bool
  sample: false
push_accepted:
  description: Whether a push to O(write_to) would be taken; V(null) without that option.
  returned: when the registry was looked at
  type: bool
  sample: true
repositories:
  description: The repositories that were looked at, sorted; V(null) where none were, or the registry cannot be read.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: shop/web
    tags:
      description: How many of its tags were looked at; V(null) where none were.
      type: int
      sample: 12
tags:
  description: The selected tags, sorted; V(null) where none were looked at, or the registry cannot be read.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Repository and tag.
      type: str
      sample: shop/web:1.4
    repository:
      description: The repository.
      type: str
      sample: shop/web
    tag:
      description: The tag.
      type: str
      sample: "1.4"
    digest:
      description: The digest of the manifest that is served. This and what follows is V(null) with O(contents=tags).
      type: str
      sample: sha256:6a5a5368e0c2d3e5909184fa28ddfd56072e7ff3ee9a945876f7eee5896ef5bb
    media_type:
      description: The media type of that.
      type: str
      sample: application/vnd.oci.image.index.v1+json
    artifact_type:
      description: What it is where it is no image, such as a chart or a signature.
      type: str
      sample: application/vnd.cncf.helm.config.v1+json
    platforms:
      description: The platforms that it is for, sorted.
      type: list
      elements: str
      sample: ["linux/amd64", "linux/arm64"]
    size:
      description:
        - Bytes of all that it is made of, each counted once - manifests, configurations and layers as they are stored. V(null)
          where some of it is not there.
      type: int
      sample: 7340032
    created:
      description: When it was created by its configuration, in UTC; of an index, the last of its children.
      type: str
      sample: "2026-11-21T17:40:12Z"
    subject:
      description: The digest of what it is about, where it says so.
      type: str
      sample: sha256:9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0
    children:
      description: What an index lists, in its order, attestations among it. Empty for an image.
      type: list
      elements: dict
      contains:
        digest:
          description: Its digest.
          type: str
          sample: sha256:9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0
        media_type:
          description: Its media type.
          type: str
          sample: application/vnd.oci.image.manifest.v1+json
        platform:
          description: What it is for; V(unknown/unknown) is an attestation.
          type: str
          sample: linux/arm64
        size:
          description: Its bytes, counted as those of the whole.
          type: int
          sample: 3670016
        created:
          description: When it was created by its configuration, in UTC.
          type: str
          sample: "2026-11-21T17:40:12Z"
        served:
          description: Whether it is there. A mirror may have some platforms alone.
          type: bool
          sample: true
    referrers:
      description:
        - What refers to it, such as signatures and bills of materials - by the registry's API for that, or by the tags
          C(sha256-<hex>) and those of cosign where it has none.
      type: list
      elements: dict
      contains:
        digest:
          description: Its digest.
          type: str
          sample: sha256:2d389e545974d4a93ebdef09b650753a55f72d1ab4518d17a30c0e1b3e297444
        media_type:
          description: Its media type.
          type: str
          sample: application/vnd.oci.image.manifest.v1+json
        artifact_type:
          description: What it is, as far as it says; else C(sig), C(att) or C(sbom) by its tag.
          type: str
          sample: application/spdx+json
        tag:
          description: The tag by which it was found.
          type: str
          sample: sha256-6a5a5368e0c2d3e5909184fa28ddfd56072e7ff3ee9a945876f7eee5896ef5bb
    problems:
      description: What of it cannot be read, or is listed and is not there.
      type: list
      elements: str
      sample: []
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
from ansible_collections.longshore.delivery.plugins.module_utils.registry.registry_info import CAPABILITY


def main() -> None:
    module_main(CAPABILITY)


if __name__ == "__main__":
    main()
