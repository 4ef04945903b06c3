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
  - Reads each layer of an image once, as a stream, and says what each of them adds, changes and deletes, and what is wrong
    with them and with how the image is run.
  - Bytes that a later layer deletes or overwrites are shipped all the same; they are found with their total, be they a
    large file or a secret.
  - Secrets are looked for in every file of every layer, by the detectors of C(detect-secrets) for tokens of a certain form,
    and by rules for private keys and for files that hold credentials by what they are for. Passwords and what else has no
    form are looked for in the environment, labels, build arguments, command and history, and in files of settings up to
    1 MiB that came with no installed package. No value is shown or returned.
  - The two detectors of C(detect-secrets) for any random text are not asked, since every image has digests by the thousand,
    and none of them asks its issuer on the network whether a secret is valid.
  - Runs in the process of ansible-playbook where the task is plainly local, and shows each layer as it was read, and a
    table in the end.
  - "The rules and their severities: V(private_key) and V(platform) are critical; V(secret), V(secret_in_settings),
    V(credential_file) and V(env_file) are high; V(git_directory), V(wasted_bytes), V(cache_order), V(unpinned_base),
    V(latest_tag), V(root_user) and V(shell_form) are medium; V(package_cache), V(wide_context) and V(setuid) are low."
  - The base of an image is known where its labels C(org.opencontainers.image.base.name) and
    C(org.opencontainers.image.base.digest) say it, and instructions where it has a history.
requirements:
  - Python package C(detect-secrets)
  - Python package C(zstandard) for layers compressed with zstd, before Python 3.14
attributes:
  check_mode:
    support: full
    description: Nothing is ever changed; check mode makes no difference.
  diff_mode:
    support: none
    description: Nothing is ever changed.
  platform:
    platforms: posix
    support: full
    description: Where the task runs.
options:
  archive:
    description:
      - Absolute path of an archive where the task runs, as C(docker save) writes it, or with an OCI layout, also compressed
        with gzip or zstd.
      - With several images or platforms in it, each is audited.
    type: path
    required: true
  platforms:
    description:
      - The platforms of the nodes that are to run the image, for example V(linux/amd64). An image for none of them is a
        finding.
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
"""

EXAMPLES = r"""
- name: Say what is wrong with an image that is to run on these nodes
  longshore.delivery.image_audit:
    archive: "{{ playbook_dir }}/shop-web.tar"
    platforms: [linux/amd64, linux/arm64]
    fail_on: medium
    exceptions:
      - rule: private_key
        path: srv/app/tests/*
        reason: keys that the tests made, known to everybody
      - rule: setuid
        reason: those of the base image
  register: audited

- name: Show the bytes that are shipped and never seen
  ansible.builtin.debug:
    msg: "{{ audited.images[0].wasted_bytes }} of {{ audited.images[0].size }} bytes"
"""

RETURN = r"""
images:
  description: The images of the archive. A task that O(fail_on) fails returns them too.
  returned: success
  type: list
  elements: dict
  contains:
    references:
      description: The names that the archive gives it.
      type: list
      elements: str
      sample: ["registry.example:5000/shop/web:1.4"]
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
"""

from ansible_collections.longshore.delivery.plugins.module_utils.audit.image_audit import CAPABILITY
from ansible_collections.longshore.delivery.plugins.module_utils.capability import module_main


def main() -> None:
    module_main(CAPABILITY)


if __name__ == "__main__":
    main()
