#!/usr/bin/python
# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module C(registry_host_ledger)."""

from __future__ import annotations

DOCUMENTATION = r"""
module: registry_host_ledger
short_description: Note what is put on a registry's host, and take it away again
version_added: 0.1.0
author:
  - longshore contributors (!UNKNOWN)
description:
  - The ledger of the role P(longshore.delivery.registry#role) on the host of a registry, which says what the role has put there
    and what was there before. It has no secret in it, and root alone can read it.
  - With O(state=absent) that is taken away again. What was there before goes on as it did, and nginx serves what else it serves
    without a dropped connection.
  - A removal that was cut off is completed by the next one.
  - With O(kept), copies of files that a change may replace are there from its beginning to its end, and with O(run) no other run
    begins one meanwhile.
requirements:
  - Runs on the host of the registry, as root.
extends_documentation_fragment:
  - longshore.delivery.attributes
attributes:
  action_group:
    membership: []
  check_mode:
    support: full
    description: Says what would be done.
  diff_mode:
    support: full
    description: With O(state=absent), what is on the host and goes.
  platform:
    platforms: linux
    description: Where the module runs.
options:
  state:
    description:
      - V(begun) notes what was there before, and what is about to be put there. What is noted already stays so.
      - V(done) notes what was written.
      - V(absent) takes it away.
    type: str
    choices: [begun, done, absent]
    required: true
  instance:
    description:
      - The name of the registry among several on the host; empty for the one without a name. Others have a ledger each, beside
        O(ledger). What they need stays there, and what they were first to find is noted in this one too.
    type: str
    default: ""
  ledger:
    description:
      - The file of the ledger.
    type: path
    required: true
  files:
    description:
      - The files that the role writes. Not all of them have to be there.
    type: list
    elements: path
    default: []
  mark:
    description:
      - What a file has in its first lines if the role wrote it. Where the ledger is gone, only files with it are removed.
    type: str
    default: ""
  directories:
    description:
      - The directories that are made, or get another owner or mode.
      - One that was not there before is removed once nothing is in it any more.
    type: list
    elements: path
    default: []
  packages:
    description:
      - The packages that are installed if they are missing. Only those that were missing are removed again, each unless another
        package needs it.
    type: list
    elements: str
    default: []
  services:
    description:
      - The services of packages that are run, that of nginx among them. One that ran before the role came does so again.
    type: list
    elements: str
    default: []
  kept:
    description:
      - With O(state=begun), files to copy, with owners and modes; with O(state=done) the copies are removed.
    type: dict
    suboptions:
      directory:
        description:
          - Where the copies are, for root alone, under the last names of the files.
        type: path
        required: true
      files:
        description:
          - The files. Not all of them have to be there.
        type: list
        elements: path
        default: []
  run:
    description:
      - The run that begins its change, as the lookup P(longshore.delivery.this_run#lookup) has it. It is noted in the directory
        of O(kept), and goes with that.
      - With O(state=begun) and O(state=absent), the module fails and changes nothing where another run is noted that may still
        go on, or where one has changed the registry since this one looked at it.
    type: dict
    suboptions:
      id:
        description:
          - What no other run has.
        type: str
        required: true
      controller:
        description:
          - The name of the controller.
        type: str
        required: true
      user:
        description:
          - The user there.
        type: str
        required: true
      process:
        description:
          - The number of the process there.
        type: int
        required: true
      succeeds:
        description:
          - The id of a run that is over for certain, though its note may be there.
        type: str
        default: ""
      follows:
        description:
          - The id of the last run that had changed the registry when this one looked, as the module
            M(longshore.delivery.registry_host_info) returns it; empty for none. Without it, nobody asks.
        type: str
  units:
    description:
      - Units whose files are among O(files). They are stopped, and start with the host no more.
    type: list
    elements: str
    default: []
  site:
    description:
      - The one of O(files) that nginx reads. It is removed first of all.
    type: path
    default: ""
  port:
    description:
      - The port on which nginx serves it.
    type: int
    default: 0
  shared_files:
    description:
      - Those of O(files) that other registries on the host have too, and that go with the last of them.
    type: list
    elements: path
    default: []
  nginx_file:
    description:
      - nginx's own configuration, in which the role has raised the number of connections. That is put back.
    type: path
    default: ""
  leftovers:
    description:
      - What is of no use without the registry, and is removed with it.
    type: list
    elements: path
    default: []
  garbage_notes:
    description:
      - The directory of the notes of what collects garbage. A collection that was cut off is ended before its program is removed.
    type: path
    default: ""
  settling:
    description:
      - The one of O(units) that ends it.
    type: str
    default: ""
  data:
    description:
      - What stays unless O(remove_data) is set. One with an asterisk is a pattern.
    type: list
    elements: path
    default: []
  remove_data:
    description:
      - Whether O(data) is removed too.
    type: bool
    default: false
  volume:
    description:
      - The named volume of an engine's that has O(data) in it. With O(remove_data) it is removed too, by its engine, if the role
        has made it, no other container uses it and nothing else is in it.
    type: dict
    suboptions:
      engine:
        description:
          - The path of the engine's command.
        type: str
        required: true
      name:
        description:
          - The volume's name.
        type: str
        required: true
      place:
        description:
          - Its directory, which is one of O(directories).
        type: path
        required: true
      container:
        description:
          - The container of the registry's own.
        type: str
        default: ""
  aside:
    description:
      - The directory for files that somebody has changed since they were written. They are moved there, for root alone.
    type: path
    default: ""
seealso:
  - module: longshore.delivery.registry_host_info
"""

EXAMPLES = r"""
- name: Note what is there before nginx and a site are put on a host
  longshore.delivery.registry_host_ledger:
    state: begun
    ledger: /var/lib/longshore/registry.json
    files: [/etc/nginx/conf.d/longshore-registry.conf, /etc/longshore/registry/config.yml]
    directories: [/etc/longshore, /etc/longshore/registry]
    packages: [docker-registry, nginx]
    services: [docker-registry.service, nginx.service]

- name: Note what is there before a registry of a shop's is put beside it
  longshore.delivery.registry_host_ledger:
    state: begun
    instance: shop
    ledger: /var/lib/longshore/registry-shop.json
    files: [/etc/nginx/conf.d/longshore-registry-shop.conf, /etc/longshore/registry-shop/config.yml]

- name: Keep what is about to be replaced, too, and other runs off it, after one that was killed
  longshore.delivery.registry_host_ledger:
    state: begun
    ledger: /var/lib/longshore/registry.json
    files: [/etc/nginx/conf.d/longshore-registry.conf, /etc/longshore/registry/config.yml]
    kept:
      directory: /etc/longshore/registry/before
      files: [/etc/longshore/registry/config.yml]
    run:
      id: nightly-2
      controller: ops.example
      user: ops
      process: 4711
      succeeds: nightly-1
      follows: noon-7

- name: Note what was written
  longshore.delivery.registry_host_ledger:
    state: done
    ledger: /var/lib/longshore/registry.json
    files: [/etc/nginx/conf.d/longshore-registry.conf, /etc/longshore/registry/config.yml]

- name: Take it away, with the images
  longshore.delivery.registry_host_ledger:
    state: absent
    ledger: /var/lib/longshore/registry.json
    files: [/etc/nginx/conf.d/longshore-registry.conf, /etc/longshore/registry/config.yml]
    mark: "# Written by the role longshore.delivery.registry"
    services: [docker-registry.service, nginx.service]
    units: [longshore-registry-garbage.timer, longshore-registry-garbage-settle.service]
    site: /etc/nginx/conf.d/longshore-registry.conf
    port: 5000
    shared_files: [/etc/systemd/system/nginx.service.d/longshore-restart.conf]
    nginx_file: /etc/nginx/nginx.conf
    leftovers: [/var/lib/longshore-registry-garbage]
    garbage_notes: /var/lib/longshore-registry-garbage
    settling: longshore-registry-garbage-settle.service
    data: [/var/lib/docker-registry/docker, "/var/log/nginx/longshore-registry*.log*"]
    remove_data: true
    aside: /var/lib/longshore/registry-changed
    kept:
      directory: /etc/longshore/registry/before
    run:
      id: nightly-3
      controller: ops.example
      user: ops
      process: 4712

- name: Take one away whose images are in a volume, with that
  longshore.delivery.registry_host_ledger:
    state: absent
    ledger: /var/lib/longshore/registry.json
    data: [/var/lib/docker/volumes/images/_data/docker]
    remove_data: true
    volume:
      engine: /usr/bin/docker
      name: images
      place: /var/lib/docker/volumes/images/_data
      container: longshore-registry
"""

RETURN = r"""
steps:
  description: What was done to take it away, in words; in check mode what would be. Empty when nothing was to do.
  returned: success
  type: list
  elements: str
  sample: ["docker-registry.service is stopped, and starts with the host no more", "package docker-registry is removed"]
stays:
  description: What is left on the host, with its reason where there is another than that it was to stay.
  returned: success
  type: list
  elements: str
  sample: ["/var/lib/docker-registry/docker", "nginx, which was there before"]
"""

from ansible_collections.longshore.delivery.plugins.module_utils.capability import module_main
from ansible_collections.longshore.delivery.plugins.module_utils.registry.registry_host_ledger import CAPABILITY


def main() -> None:
    module_main(CAPABILITY)


if __name__ == "__main__":
    main()
