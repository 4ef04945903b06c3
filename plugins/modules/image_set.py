#!/usr/bin/python
# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_set
short_description: Build a list of images that stand on one another, and judge them
version_added: 0.1.0
author:
  - longshore contributors (!UNKNOWN)
description:
  - Sees, as M(longshore.delivery.image_build) does for one, that an engine holds an image for the inputs of each of a list.
  - An image is built after those of the list that its Dockerfile names in C(FROM) or C(COPY --from), and those that
    it depends on; images that do not wait for one another are built side by side, in processes of their own. The order of the
    list counts only for one whose bases cannot be known before its build, as when the engine's platform is in a C(FROM), which
    waits for all before it.
  - An image goes where its O(images[].output) says. One that stands on another of the list is refused where its build would not
    find that.
  - Where asked, an image is audited as by M(longshore.delivery.image_audit) and tried as by
    M(longshore.delivery.image_trial) when it has been built. It gets its names when it has passed, and those that stand on it are
    built then. An image that fails fails the task, so that no later task pushes it. Its names stay where they were; it stays
    in the engine without one until the next build, or in its registry, by its digest alone, until that collects its garbage,
    so that a run without changes judges it again and builds nothing.
  - "What passed is noted on the controller, below E(XDG_STATE_HOME) or C(~/.local/state): an image, by its ID, is judged
    once for one engine, name and set of options. Secrets are part of these; the note has no more of them than one digest,
    which needs a key that is kept beside it."
  - When one fails, what runs beside it comes to its end and nothing more is begun.
  - Runs in the process of ansible-playbook where the task is plainly local, and shows what goes on as it does.
requirements:
  - what M(longshore.delivery.image_build) needs
  - what M(longshore.delivery.image_audit) and M(longshore.delivery.image_trial) need, where they are asked for
extends_documentation_fragment:
  - longshore.delivery.attributes
  - longshore.delivery.engine
  - longshore.delivery.registry
attributes:
  action_group:
    membership: [longshore.delivery.engine, longshore.delivery.registry]
  check_mode:
    support: full
    description: Says of each image what M(longshore.delivery.image_build) would do. What is there already is audited, nothing is
      tried, and nothing is noted.
  diff_mode:
    support: full
    description: Shows for each image what M(longshore.delivery.image_build) shows.
options:
  images:
    description:
      - The images. What is not described further is an option of M(longshore.delivery.image_build).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description:
          - The image's name in the registry, as in V(shop/web).
        type: str
        required: true
      source:
        description:
          - The build's directory, absolute or below O(source_root).
        type: path
        required: true
      tags:
        description:
          - Its tags. There must be one here or in the name; V(latest), too, has to be asked for.
        type: list
        elements: str
        default: []
      immutable:
        description:
          - Patterns of names that may be given once and not be moved to another image, as in V(shop/*:?.?.?).
        type: list
        elements: str
        default: []
      contexts:
        description:
          - Named contexts, each an absolute path of a directory or an image, as in V(docker-image://debian:12).
        type: dict
        default: {}
      dockerfile:
        description:
          - Path of the Dockerfile, absolute or relative to the source.
        type: path
        default: Dockerfile
      dockerfile_inline:
        description:
          - The Dockerfile itself, in place of a path.
        type: str
      args:
        description:
          - Build arguments.
        type: dict
        default: {}
      bases:
        description:
          - Build arguments that name images of the same registry, most often others of the list.
          - With V(base/python:bookworm) for the argument C(BASE) it gets that name with the registry in front.
        type: dict
        default: {}
      depends_on:
        description:
          - Names of images of the list, or references, that are to be built before it. What its Dockerfile names in
            C(FROM), C(COPY --from) or a named context is so anyway.
        type: list
        elements: str
        default: []
      target:
        description:
          - The stage to build. By default the last one.
        type: str
      labels:
        description:
          - Labels of the image.
        type: dict
        default: {}
      source_revision:
        description:
          - Whether an image that is built gets the commit of its source as a label.
        type: bool
        default: false
      secrets:
        description:
          - Secrets for C(RUN --mount=type=secret). Each has one of O(images[].secrets[].file), O(images[].secrets[].env)
            and O(images[].secrets[].value).
        type: list
        elements: dict
        suboptions:
          id:
            description:
              - The id by which the Dockerfile mounts it.
            type: str
            required: true
          file:
            description:
              - Absolute path of a file with the secret.
            type: path
          env:
            description:
              - Name of a variable with the secret, in the environment of ansible-playbook.
            type: str
          value:
            description:
              - The secret itself.
            type: str
      network:
        description:
          - The network of RUN instructions. By default the engine's.
        type: str
      extra_hosts:
        description:
          - IP addresses by name, for RUN instructions.
        type: dict
        default: {}
      ssh:
        description:
          - SSH agents for C(RUN --mount=type=ssh).
        type: list
        elements: dict
        suboptions:
          id:
            description:
              - The id by which the Dockerfile mounts it.
            type: str
            default: default
          path:
            description:
              - Absolute path of the agent's socket or of a private key. By default the agent of the environment.
            type: path
      no_cache:
        description:
          - Whether every step runs anew when the image is built.
        type: bool
        default: false
      cache_from:
        description:
          - Caches from which steps may be taken. One that cannot be had is a warning.
        type: list
        elements: dict
        default: []
        suboptions:
          type:
            description:
              - V(registry) is an image with its cache, or a cache by itself, V(local) a directory.
            type: str
            choices: [registry, local]
            default: registry
          reference:
            description:
              - The image or the cache, with its tag or digest.
            type: str
          path:
            description:
              - Absolute path of the directory.
            type: path
      cache_to:
        description:
          - Where the cache of a build is kept for other builders.
        type: dict
        suboptions:
          type:
            description:
              - V(inline) keeps it in the image, V(registry) in a registry, V(local) in a directory.
            type: str
            choices: [inline, registry, local]
            required: true
          reference:
            description:
              - The name of the cache with its tag.
            type: str
          path:
            description:
              - Absolute path of the directory, which is in no source.
            type: path
          mode:
            description:
              - V(min) keeps the steps whose results are in the image, V(max) all.
            type: str
            choices: [min, max]
            default: min
          image_manifest:
            description:
              - Whether the cache is kept in the form of an image, which some registries ask for.
            type: bool
            default: false
      platforms:
        description:
          - What the image is built for, as V(linux/arm64); by default the engine's own platform.
        type: list
        elements: str
        default: []
      annotations:
        description:
          - Annotations of the image's manifest.
        type: dict
        default: {}
      provenance:
        description:
          - Whether BuildKit attests how the image was built.
        type: str
        choices: [none, min, max]
        default: none
      sbom:
        description:
          - An image that lists what the image has, for an attestation.
        type: str
      source_date_epoch:
        description:
          - The time of the image, in seconds since 1970. It is built twice, to see whether the same comes out.
        type: int
      pull_base:
        description:
          - Which base images are pulled; V(newer) asks their registries for newer ones.
        type: str
        choices: [missing, newer, never]
        default: missing
      builder:
        description:
          - The name of a builder that buildx has, in place of the engine's own. Of the list's images it finds those in a
            registry.
        type: str
      output:
        description:
          - Where the image is to be. In a registry, see O(registry), others of the list find it as well, and their engine pulls
            it from there with its own settings, anew where it holds another image under the name.
          - In an OCI layout no other image of the list can stand on it. A list may have an image twice, with another output.
          - One that is audited has to be in the engine or a registry, one that is tried in the engine.
        type: str
        choices: [engine, layout, registry]
        default: engine
      layout:
        description:
          - Absolute path of the directory of an OCI layout, required for O(images[].output=layout).
        type: path
      audit:
        description:
          - Has the image audited, with these options of M(longshore.delivery.image_audit) but those that say which image;
            V({}) takes its defaults. C(dockerfile) may be relative to the source. Without it the image is not audited.
        type: dict
      trial:
        description:
          - Has the image tried, with these options of M(longshore.delivery.image_trial) but C(image) and C(secrets); V({})
            takes its defaults. Without it the image is not tried.
        type: dict
      trial_secrets:
        description:
          - The option C(secrets) of M(longshore.delivery.image_trial).
        type: dict
        default: {}
      distribute:
        description:
          - How far the image goes after the build, for the role P(longshore.delivery.image_distribution#role). Nothing is
            done with it here, so that one list serves both.
        type: str
        choices: [nodes, registry, nowhere]
  endpoint:
    description:
      - The registry with which the images' names begin, as in V(registry.example:5000). By default that of O(registry), without
        which it is Docker Hub.
    type: str
    default: ""
  registry:
    description:
      - The registry for images whose O(images[].output) is V(registry), in the one shape that the whole collection uses.
      - It is for them, and its login for caches that are there. Base images are pulled with the engine's own settings.
  source_root:
    description:
      - The absolute directory below which relative sources are. Without it they have to be absolute.
    type: path
  at_once:
    description:
      - How many builds, audits and trials may run at the same time.
    type: int
    default: 4
  judge:
    description:
      - V(auto) audits and tries an image that has not passed with the same options before, V(always) each time.
    type: str
    choices: [auto, always]
    default: auto
  rebuild:
    description:
      - V(auto) builds when the inputs changed, V(always) builds with the engine's cache, V(never) where there is no image.
    type: str
    choices: [auto, always, never]
    default: auto
  engine:
    description:
      - What builds, as O(longshore.delivery.image_build#module:engine), and then holds, hands out and runs what is judged.
    type: str
    choices: [auto, docker, docker_classic, podman, buildah]
    default: auto
seealso:
  - module: longshore.delivery.image_build
  - module: longshore.delivery.image_audit
  - module: longshore.delivery.image_trial
"""

EXAMPLES = r"""
- name: Build a base and two images on it side by side, and see that one is fit to ship
  longshore.delivery.image_set:
    endpoint: registry.example:5000
    source_root: "{{ playbook_dir }}"
    images:
      - name: base/python
        source: base
        tags: [bookworm]
        distribute: registry
      - name: shop/web
        source: web
        tags: ["1.4"]
        immutable: ["shop/*:?.?"]
        dockerfile: Dockerfile
        bases: {BASE: base/python:bookworm}
        args: {PYTHON: "3.13"}
        target: final
        labels: {org.opencontainers.image.vendor: the shop}
        source_revision: true
        contexts: {assets: "{{ playbook_dir }}/assets"}
        secrets:
          - {id: index, env: PIP_INDEX_URL}
          - {id: bundle, file: /etc/ssl/certs/ca-certificates.crt}
          - {id: token, value: "{{ vault_token }}"}
        ssh:
          - {id: default, path: /run/agent.sock}
        network: host
        extra_hosts: {packages.example: 192.0.2.7}
        no_cache: false
        cache_from:
          - {type: registry, reference: "registry.example:5000/shop/web:1.3"}
        cache_to: {type: inline}
        platforms: [linux/amd64]
        annotations: {org.opencontainers.image.title: The shop}
        provenance: min
        sbom: docker.io/docker/buildkit-syft-scanner:1
        source_date_epoch: 1735689600
        pull_base: newer
        audit:
          fail_on: medium
          dockerfile: Dockerfile
          exceptions:
            - {rule: setuid, reason: those of the base image}
        trial:
          ready: /ready
          required_env: [DB_PASSWORD]
        trial_secrets: {DB_PASSWORD: "{{ vault_db }}"}
      - name: shop/tools
        source: .
        dockerfile_inline: |
          FROM registry.example:5000/base/python:bookworm
          COPY tools /opt/tools
        tags: ["1.4"]
        depends_on: [shop/web]
    at_once: 2
    judge: always
    rebuild: auto
    engine: docker
    docker_host: tcp://builder.example:2376
    docker_cert_path: ~/.docker/builder

- name: Build a base and an image on it for two platforms straight into a registry, and what is carried where there is no network
  longshore.delivery.image_set:
    registry:
      endpoint: registry.example:5000
      tls: verified
      ca: "{{ lookup('ansible.builtin.file', 'ca.crt') }}"
      username: ci
      password: "{{ vault_registry_password }}"
      mirror_of: [docker.io]
    source_root: "{{ playbook_dir }}"
    images:
      - name: base/python
        source: base
        tags: [bookworm]
        platforms: [linux/amd64, linux/arm64]
        builder: farm
        output: registry
      - name: shop/web
        source: web
        tags: ["1.4"]
        bases: {BASE: base/python:bookworm}
        platforms: [linux/amd64, linux/arm64]
        builder: farm
        cache_to: {type: registry, reference: "registry.example:5000/shop/web:cache", mode: max, image_manifest: true}
        output: registry
      - name: shop/web
        source: web
        tags: ["1.4"]
        bases: {BASE: base/python:bookworm}
        builder: farm
        cache_from:
          - {type: local, path: /var/cache/shop/web}
        cache_to: {type: local, path: /var/cache/shop/web, mode: max}
        output: layout
        layout: /srv/shop/images
"""

RETURN = r"""
images:
  description: The images, in the list's order. When one failed, those that did.
  returned: success, or when one failed
  type: list
  elements: dict
  contains:
    name:
      description: The name in the list.
      type: str
      sample: shop/web
    references:
      description: What the image is called, with its registry.
      type: list
      elements: str
      sample: ["registry.example:5000/shop/web:1.4"]
    build:
      description:
        - What M(longshore.delivery.image_build) returns. Null where the build was not begun.
      type: dict
    audit:
      description:
        - What M(longshore.delivery.image_audit) returns of the image, as C(findings), C(excepted), C(size) and C(wasted_bytes),
          with C(verdict), which is V(pass), V(fail), or V(not asked) in check mode of an image that is not built yet, and
          C(judged_before), whether that comes from an earlier run.
        - Null where the image is not audited, or was not built.
      type: dict
    trial:
      description:
        - Likewise the C(verdict), C(points) and C(twelve_factors) of M(longshore.delivery.image_trial).
      type: dict
    withheld:
      description:
        - The names that the image did not get because it, or another one, failed. C(build.named) has none then.
      type: list
      elements: dict
      contains:
        reference:
          description: The name.
          type: str
        before:
          description: The ID of the image that has it still; null where none has.
          type: str
        after:
          description: The ID of the image that was to get it.
          type: str
"""

from ansible_collections.longshore.delivery.plugins.module_utils.build.image_set import image_set
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Capability, module_main


def _audit() -> Capability:
    from ansible_collections.longshore.delivery.plugins.module_utils.audit.image_audit import CAPABILITY as AUDIT

    return AUDIT


def _trial() -> Capability:
    from ansible_collections.longshore.delivery.plugins.module_utils.trial.image_trial import CAPABILITY as TRIAL

    return TRIAL


CAPABILITY = image_set(audit=_audit, trial=_trial)


def main() -> None:
    module_main(CAPABILITY)


if __name__ == "__main__":
    main()
