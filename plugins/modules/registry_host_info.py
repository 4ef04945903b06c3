#!/usr/bin/python
# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module C(registry_host_info)."""

from __future__ import annotations

DOCUMENTATION = r"""
module: registry_host_info
short_description: The look of role registry at the host of the registry
version_added: 0.1.0
author:
  - longshore contributors (!UNKNOWN)
description:
  - The look of the role P(longshore.delivery.registry#role) at its host, and that role's first and last step. Its options are
    what the role has worked out of its own variables, so it is not a general information module. Use the role to have a
    registry, also in check mode to hear what is not as wanted.
  - Observes, in one call, all that the role would set on the host, and says what is not as wanted. It changes nothing.
  - Fails, before the role changes anything, where somebody has to put something right first, such as a port that is in use.
requirements:
  - Runs on the host of the registry, as root, on a distribution of Debian's family with systemd.
extends_documentation_fragment:
  - longshore.delivery.attributes
  - longshore.delivery.registry
attributes:
  action_group:
    membership: [longshore.delivery.registry]
  check_mode:
    support: full
    description: Runs the same in check mode, since it changes nothing.
  diff_mode:
    support: none
    description: Nothing is changed.
  platform:
    platforms: debian
    description: Where the module runs.
options:
  registry:
    required: true
  instance:
    description:
      - The name of the registry among several on the host; empty for the one without a name.
    type: str
    default: ""
  unit:
    description:
      - The unit of the registry.
    type: str
    default: longshore-registry.service
  plain_too:
    description:
      - Whether nginx answers plain HTTP beside TLS, which is warned of.
    type: bool
    default: false
  names:
    description:
      - Names and addresses, beside the endpoint's, that the certificate has to be for.
    type: list
    elements: str
    default: []
  addresses:
    description:
      - Addresses of the host on which nginx listens.
    type: list
    elements: str
    default: ["0.0.0.0"]
  backend_port:
    description:
      - The port on C(127.0.0.1) of the registry behind nginx.
    type: int
    required: true
  metrics_port:
    description:
      - The port on C(127.0.0.1) where that registry tells its metrics; V(0) for none.
    type: int
    default: 0
  packages:
    description:
      - Debian packages that are needed.
    type: list
    elements: str
    default: []
  program:
    description:
      - The program that the registry is to be. Empty where that does not count.
    type: str
    default: ""
  container:
    description:
      - The container that the registry is to run in, instead of O(program).
    type: dict
    suboptions:
      engine:
        description:
          - The path of the engine's command, C(docker) or C(podman).
        type: str
        required: true
      reference:
        description:
          - The image.
        type: str
        required: true
      name:
        description:
          - The container's name.
        type: str
        required: true
      data:
        description:
          - The directory of the images, which is mounted into the container.
        type: str
        required: true
  quadlet:
    description:
      - The other form of the registry's unit, for a Podman whose units can be generated of quadlets. Both forms are among
        O(files), and the one that fits the host is wanted, the other one not.
    type: dict
    suboptions:
      file:
        description:
          - The quadlet.
        type: str
        required: true
      unit_file:
        description:
          - The unit, which is wanted where nothing generates one.
        type: str
        required: true
      stamp:
        description:
          - What O(configuration_stamp) is with the quadlet.
        type: str
        required: true
      required:
        description:
          - Whether a host that generates no units of quadlets is refused.
        type: bool
        default: false
  files:
    description:
      - Files and directories as they should be. What they are comes back in RV(before).
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description:
          - Where it is.
        type: str
        required: true
      kind:
        description:
          - What it is; V(absent) is for what should not be there.
        type: str
        choices: [file, directory, absent]
        default: file
      owner:
        description:
          - Whose it is.
        type: str
        default: root
      group:
        description:
          - Of which group it is.
        type: str
        default: root
      mode:
        description:
          - Its mode, in octal digits.
        type: str
        default: "0644"
      sha256:
        description:
          - The SHA-256 of its content, in hexadecimal digits. Without one the content does not count and the file may be missing.
        type: str
        default: ""
      read_by:
        description:
          - The unit that reads the file when it starts, and has to do so again when somebody had written something else.
        type: str
        default: ""
      mark:
        description:
          - How a file that is V(absent) begins if it is to go. One that begins otherwise is somebody else's and stays.
        type: str
        default: ""
      needed:
        description:
          - Whether the file may not be missing, whatever it holds.
        type: bool
        default: false
  kept:
    description:
      - The directory with copies of what a change replaces, as O(longshore.delivery.registry_host_ledger#module:kept) has it.
      - It is there while a run of the role changes the registry, and after one that was killed.
    type: path
    default: ""
  ledger:
    description:
      - The file of the ledger, as O(longshore.delivery.registry_host_ledger#module:ledger) has it.
    type: path
    default: ""
  secret_files:
    description:
      - The texts that those of O(files) are to have that hold a secret. They are compared here, and no digest of them is told.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description:
          - Where it is, as O(files[].path) has it.
        type: str
        required: true
      text:
        description:
          - Its whole content.
        type: str
        required: true
  data:
    description:
      - The place for the images, looked at as the user that the registry runs as.
    type: dict
    suboptions:
      path:
        description:
          - The directory.
        type: str
        required: true
      user:
        description:
          - The user.
        type: str
        required: true
      volume:
        description:
          - The named volume of the engine of O(container) whose directory O(data.path) has to be; empty for none. The user then
            need not come there from the root.
        type: str
        default: ""
      reader:
        description:
          - Another user who has to be able to read the images, and to come there from the root; empty for none.
        type: str
        default: ""
  s3:
    description:
      - The bucket that keeps the images, instead of the directory of O(data). The registry that runs is asked whether it lists
        there, and with O(wait) also whether it writes and deletes, by an upload that is begun and given up.
    type: dict
    suboptions:
      bucket:
        description:
          - Its name.
        type: str
        default: ""
      region:
        description:
          - Its region.
        type: str
        default: ""
      endpoint:
        description:
          - Where the storage is, with a scheme; empty for Amazon's own.
        type: str
        default: ""
      prefix:
        description:
          - What the names of all objects begin with.
        type: str
        default: ""
      access_key:
        description:
          - The name of the login that the registry's process has to have.
        type: str
        default: ""
      secret_key:
        description:
          - Its secret.
        type: str
        default: ""
      ca:
        description:
          - The authority of the storage's certificate, as PEM text.
        type: str
        default: ""
      beside:
        description:
          - Options of the role that are set and work on files, which is refused.
        type: list
        elements: str
        default: []
  site:
    description:
      - The file of nginx's site.
    type: str
    required: true
  site_stamp:
    description:
      - What that site answers under C(/longshore/site) when nginx runs the wanted version of it.
    type: str
    required: true
  configuration_stamp:
    description:
      - The environment variable C(LONGSHORE_REGISTRY_CONFIGURATION) of a registry that runs the wanted configuration.
    type: str
    required: true
  certificate:
    description:
      - The certificate that nginx serves.
    type: dict
    required: true
    suboptions:
      origin:
        description:
          - V(own) is issued by the role's own authority, V(given) comes from elsewhere.
        type: str
        choices: [own, given, none]
        required: true
      certificate:
        description:
          - The file of the certificate.
        type: str
        default: ""
      key:
        description:
          - The file of its key.
        type: str
        default: ""
      authority:
        description:
          - The file of the own authority's certificate.
        type: str
        default: ""
      authority_key:
        description:
          - The file of the own authority's key.
        type: str
        default: ""
      next_authority_key:
        description:
          - The file of the key of the authority that is to follow the own one. Which of them signs is said by their order in the
            file of the own authority, the first one.
        type: str
        default: ""
      text:
        description:
          - A given certificate with its key, as PEM text.
        type: str
        default: ""
      renew_days:
        description:
          - From how many days before its end an own certificate is to be made anew.
        type: int
        default: 30
      valid_days:
        description:
          - For how many days it is to be made, which have to be more than those.
        type: int
        default: 365
      another:
        description:
          - Whether an own certificate is to be made anew also where nothing is wrong with it, with another key.
        type: bool
        default: false
  users:
    description:
      - Exactly the users that there should be.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description:
          - The user's name.
        type: str
        required: true
      password:
        description:
          - The user's password.
        type: str
        required: true
  users_file:
    description:
      - The C(htpasswd) file.
    type: str
    default: ""
  other_users_stay:
    description:
      - Whether others than O(users) may be there. None of those may then have another password than it has.
    type: bool
    default: false
  without_users:
    description:
      - Whether it is meant that a registry which asks for a login until now has no O(users) any more, so that everybody may push
        and delete. Without it that is in the way.
    type: bool
    default: false
  anonymous_pull:
    description:
      - Whether pulls need no login, for which there have to be O(users), since pushes do.
    type: bool
    default: false
  upstream:
    description:
      - The registry that this one is a pull-through cache of, in the shape of O(registry).
    type: dict
    suboptions:
      endpoint:
        description:
          - Its host and port.
        type: str
        required: true
      tls:
        description:
          - How it is spoken to. A cache cannot leave its certificate V(unverified).
        type: str
        choices: [verified, unverified, plain]
        default: verified
      ca:
        description:
          - The authority of its certificate, as PEM text.
        type: str
      username:
        description:
          - The user by which the cache fetches, who is in the environment of its process with the password.
        type: str
      password:
        description:
          - That user's password.
        type: str
      keep_days:
        description:
          - The days for which the cache keeps what it fetched; V(0) for ever.
        type: int
  collect:
    description:
      - What collects garbage.
    type: dict
    suboptions:
      calendar:
        description:
          - When it is to run, as a calendar expression of systemd; empty for never.
        type: str
        default: ""
      untagged_days:
        description:
          - The days after which manifests without a tag are to go; V(-1) for never.
        type: int
        default: -1
      recent_hours:
        description:
          - The hours for which all stays that was pushed.
        type: int
        default: 24
      refuse_seconds:
        description:
          - The longest time that writes may be refused, in seconds.
        type: int
        default: 120
      timer:
        description:
          - The unit that starts it.
        type: str
        required: true
      settling:
        description:
          - The unit that ends at boot what was cut off.
        type: str
        required: true
      result:
        description:
          - The file in which it notes what came of it.
        type: str
        required: true
  connections:
    description:
      - How many connections nginx takes.
    type: dict
    suboptions:
      path:
        description:
          - The file of nginx's own configuration.
        type: str
        required: true
      least:
        description:
          - The least number for each of its processes; V(0) for the one that it has without the role.
        type: int
        default: 0
  own_name:
    description:
      - What the name of O(registry.endpoint) stands for on the host itself, where several hosts serve it.
    type: dict
    suboptions:
      path:
        description:
          - The host's own table of names.
        type: str
        required: true
      address:
        description:
          - The address of this host; empty where the table is to have no line of the role's.
        type: str
        default: ""
      mark:
        description:
          - How the role's line ends.
        type: str
        default: "# longshore.delivery.registry"
  firewall:
    description:
      - What the host's firewall is to let through to the port of O(registry.endpoint).
    type: dict
    suboptions:
      kind:
        description:
          - V(ufw), or empty where there is to be no rule of the role's.
        type: str
        choices: ["", ufw]
        default: ""
      sources:
        description:
          - Addresses and networks of clients; empty for all.
        type: list
        elements: str
        default: []
      comment:
        description:
          - The comment of the role's rules.
        type: str
        default: longshore.delivery.registry
  served:
    description:
      - What RV(served) of an earlier look said. The module then only sees to it that the same is served, and fails when it is
        not within O(wait).
    type: dict
    suboptions:
      stamp:
        description:
          - What nginx answered under C(/longshore/site).
        type: str
        default: ""
      certificate:
        description:
          - SHA-256 of the certificate that was presented.
        type: str
        default: ""
      anonymous:
        description:
          - The HTTP status of C(/v2/) without a login.
        type: int
        default: 0
      login:
        description:
          - The HTTP status of C(/v2/) with the login of the first of O(users).
        type: int
        default: 0
      listens:
        description:
          - Where the registry behind nginx listened.
        type: list
        elements: str
        default: []
  wait:
    description:
      - Seconds within which all has to be as wanted, or the module fails; it waits no longer once a service has failed for good.
      - With V(0) it looks once and tells.
    type: int
    default: 0
"""

EXAMPLES = r"""
- name: Look whether a registry serves with a certificate of the role's own authority
  longshore.delivery.registry_host_info:
    registry:
      endpoint: registry.example:5000
    backend_port: 5001
    files:
      - {path: /etc/longshore/registry/config.yml, owner: root, mode: "0644", sha256: "{{ digest_of_the_configuration }}"}
    site: /etc/nginx/conf.d/longshore-registry.conf
    site_stamp: "{{ stamp_of_the_site }}"
    configuration_stamp: "{{ stamp_of_the_configuration }}"
    certificate:
      origin: own
      certificate: /etc/longshore/registry/server.pem
      key: /etc/longshore/registry/server.key
      authority: /etc/longshore/registry/ca.crt
      authority_key: /etc/longshore/registry/ca.key
      next_authority_key: /etc/longshore/registry/next/ca.key
      renew_days: 30
      valid_days: 365
      another: true # as when somebody else may have its key

- name: Look whether a plain registry serves, with nothing else wanted of its host
  longshore.delivery.registry_host_info:
    registry:
      endpoint: registry.example:5000
      tls: plain
    backend_port: 5001
    packages: [docker-registry, nginx]
    site: /etc/nginx/conf.d/longshore-registry.conf
    site_stamp: "{{ stamp_of_the_site }}"
    configuration_stamp: "{{ stamp_of_the_configuration }}"
    certificate:
      origin: none
    without_users: true
  register: look

- name: Wait until a registry with a given certificate and a login is as wanted
  longshore.delivery.registry_host_info:
    registry:
      endpoint: registry.example:5000
      ca: "{{ lookup('ansible.builtin.file', 'registry-ca.crt') }}"
    instance: shop
    unit: longshore-registry-shop.service
    plain_too: true
    names: [registry.internal.example, 192.0.2.7]
    addresses: [192.0.2.7]
    backend_port: 5001
    metrics_port: 5002
    program: /opt/registry/registry
    files:
      - {path: /etc/longshore/registry, kind: directory, mode: "0755"}
      - {path: /etc/longshore/registry/htpasswd, group: www-data, mode: "0640"}
      - {path: /var/lib/longshore/registry.json, mode: "0600", needed: true}
      - {path: /etc/longshore/registry/config.yml, sha256: "{{ digest_of_the_file }}", read_by: longshore-registry-shop.service}
      - {path: /etc/longshore/registry/left.pem, kind: absent, mark: "# Written by "}
    data:
      path: /var/lib/docker-registry
      user: docker-registry
      reader: www-data
    site: /etc/nginx/conf.d/longshore-registry.conf
    site_stamp: "{{ stamp_of_the_site }}"
    configuration_stamp: "{{ stamp_of_the_configuration }}"
    certificate:
      origin: given
      certificate: /etc/longshore/registry/given.pem
      key: /etc/longshore/registry/given.pem
      text: "{{ vault_registry_certificate_and_key }}"
    users:
      - {name: ci, password: "{{ vault_registry_password }}"}
    users_file: /etc/longshore/registry/htpasswd
    other_users_stay: true
    anonymous_pull: true
    collect:
      calendar: Sun 03:30
      untagged_days: 30
      recent_hours: 24
      refuse_seconds: 60
      timer: longshore-registry-garbage.timer
      settling: longshore-registry-garbage-settle.service
      result: /var/lib/longshore-registry-garbage/result.json
    connections:
      path: /etc/nginx/nginx.conf
      least: 4096
    own_name:
      path: /etc/hosts
      address: 192.0.2.11
      mark: "# longshore.delivery.registry shop"
    firewall:
      kind: ufw
      sources: [192.0.2.0/24]
      comment: longshore.delivery.registry shop
    wait: 15

- name: Look whether a plain registry serves in a container of Podman's
  longshore.delivery.registry_host_info:
    registry:
      endpoint: registry.example:5000
      tls: plain
    backend_port: 5001
    packages: [nginx]
    container:
      engine: /usr/bin/podman
      reference: registry.example/mirror/registry:3.1.2
      name: longshore-registry
      data: /var/lib/containers/storage/volumes/images/_data
    data:
      path: /var/lib/containers/storage/volumes/images/_data
      user: docker-registry
      volume: images
    quadlet:
      file: /etc/containers/systemd/longshore-registry.container
      unit_file: /etc/systemd/system/longshore-registry.service
      stamp: "{{ stamp_of_the_configuration_with_the_quadlet }}"
      required: true
    site: /etc/nginx/conf.d/longshore-registry.conf
    site_stamp: "{{ stamp_of_the_site }}"
    configuration_stamp: "{{ stamp_of_the_configuration }}"
    certificate:
      origin: none

- name: Look whether a plain cache of Docker Hub serves
  longshore.delivery.registry_host_info:
    registry:
      endpoint: cache.example:5000
      tls: plain
    backend_port: 5001
    program: /opt/registry/registry
    upstream:
      endpoint: docker.io
      tls: verified
      ca: "{{ lookup('ansible.builtin.file', 'proxy-ca.crt') }}"
      username: shop
      password: "{{ vault_docker_hub_password }}"
      keep_days: 30
    files:
      - {path: /etc/longshore/registry/upstream.env, mode: "0600", read_by: longshore-registry.service}
    kept: /etc/longshore/registry/before
    ledger: /var/lib/longshore/registry.json
    secret_files:
      - {path: /etc/longshore/registry/upstream.env, text: "{{ variables_with_the_login }}"}
    site: /etc/nginx/conf.d/longshore-registry.conf
    site_stamp: "{{ stamp_of_the_site }}"
    configuration_stamp: "{{ stamp_of_the_configuration }}"
    certificate:
      origin: none

- name: Wait until a registry keeps its images in a bucket
  longshore.delivery.registry_host_info:
    registry:
      endpoint: registry.example:5000
      tls: plain
    backend_port: 5001
    packages: [docker-registry, nginx]
    s3:
      bucket: images
      region: us-east-1
      endpoint: https://s3.example:9000
      prefix: registry
      access_key: registry
      secret_key: "{{ vault_bucket_secret }}"
      ca: "{{ lookup('ansible.builtin.file', 's3-ca.crt') }}"
      beside: []
    site: /etc/nginx/conf.d/longshore-registry.conf
    site_stamp: "{{ stamp_of_the_site }}"
    configuration_stamp: "{{ stamp_of_the_configuration }}"
    certificate:
      origin: none
    wait: 15

- name: Wait until a registry that was changed and put back serves as it did
  longshore.delivery.registry_host_info:
    registry:
      endpoint: registry.example:5000
      ca: "{{ lookup('ansible.builtin.file', 'registry-ca.crt') }}"
    backend_port: 5001
    site: /etc/nginx/conf.d/longshore-registry.conf
    site_stamp: "{{ stamp_of_the_site }}"
    configuration_stamp: "{{ stamp_of_the_configuration }}"
    certificate:
      origin: own
      certificate: /etc/longshore/registry/server.pem
      key: /etc/longshore/registry/server.key
      authority: /etc/longshore/registry/ca.crt
      authority_key: /etc/longshore/registry/ca.key
    served:
      stamp: "{{ look.served.stamp }}"
      certificate: "{{ look.served.certificate }}"
      anonymous: 401
      login: 200
      listens: ["127.0.0.1:5001"]
    wait: 15

- name: Say what is not as wanted
  ansible.builtin.debug:
    msg: "{{ look.differences }}"
"""

RETURN = r"""
as_wanted:
  description: Whether there is nothing to do.
  returned: success
  type: bool
differences:
  description: What is not as wanted, in words.
  returned: success
  type: list
  elements: str
  sample: ["nginx.service is inactive"]
can_rehearse:
  description: Whether check mode can go through all the steps; on a host without the packages it cannot.
  returned: success
  type: bool
install:
  description: Whether a package is missing.
  returned: success
  type: bool
mend_files:
  description: Whether one of O(files) has another content, owner or mode, or is missing.
  returned: success
  type: bool
mend_data:
  description: Whether what is in O(data) is to be given to the registry's user.
  returned: success
  type: bool
remove_files:
  description: Whether one of O(files) is there and should not be.
  returned: success
  type: bool
make_authority:
  description: Whether the own authority is to be made.
  returned: success
  type: bool
take_authority_key:
  description: Whether the key of the next authority is to become the own one's, which is to sign the certificate.
  returned: success
  type: bool
make_certificate:
  description: Whether the own certificate is to be made, for the first time or anew.
  returned: success
  type: bool
make_key:
  description: Whether it is to be made with another key.
  returned: success
  type: bool
write_users:
  description: Whether the file of users has others than the wanted ones.
  returned: success
  type: bool
restart_registry:
  description: Whether the registry runs with another configuration than the wanted one.
  returned: success
  type: bool
reload_nginx:
  description: Whether nginx runs with another site or certificate than the wanted one, or does not run.
  returned: success
  type: bool
pull_image:
  description: Whether the image of O(container) is not on the host.
  returned: success
  type: bool
make_volume:
  description: Whether the volume of O(data) is not on the host.
  returned: success
  type: bool
stop_container:
  description: Whether the unit runs a container of another engine or form than the wanted one, which it has to end itself.
  returned: success
  type: bool
quadlet_generator:
  description: What makes the registry's unit of O(quadlet); empty where the unit is wanted.
  returned: success
  type: str
  sample: /usr/lib/systemd/system-generators/podman-system-generator
make_user:
  description: Whether the user that the registry runs as is to be made.
  returned: success
  type: bool
mask_packaged:
  description: Whether the unit that the package C(docker-registry) brings could be started, and is to be masked.
  returned: success
  type: bool
mend_collect:
  description: Whether the units that collect garbage do not run as O(collect) says.
  returned: success
  type: bool
mend_connections:
  description: Whether nginx is to take another number of connections.
  returned: success
  type: bool
mend_name:
  description: Whether the table of names is to have another line of the role's, or none.
  returned: success
  type: bool
mend_firewall:
  description: Whether the firewall is to let others through.
  returned: success
  type: bool
firewall:
  description: The rules that are to be made and removed, each with its port and source.
  returned: success
  type: dict
  sample: {"missing": [[5000, "192.0.2.0/24"]], "surplus": []}
name_before:
  description: The line of the role's that the table of names has; empty for none.
  returned: success
  type: str
name_shadowed:
  description: Whether somebody else's line with the name is above it, so that it does not count.
  returned: success
  type: bool
connections:
  description: How O(connections) are to be written.
  returned: success
  type: dict
  contains:
    there:
      description: Whether nginx's own configuration is there.
      type: bool
    raises:
      description: Whether its number is lower than the wanted one, or than that of another registry on the host.
      type: bool
    number:
      description: The number that is to be there.
      type: int
    files:
      description: The limit of files for a process of nginx that is to be there; V(0) for none of the role's.
      type: int
authority:
  description: The authority that clients have to trust, as PEM text; empty where there is none to hand on.
  returned: success
  type: str
authority_phase:
  description:
    - V(settled) where the own authority is one; V(announced) where clients are told of another that is to follow it; V(turned)
      where that one signs, and clients are told of the one before still.
    - Empty where there is no own authority.
  returned: success
  type: str
  sample: settled
changed_by:
  description: The id of the last run of the role that has changed the registry, as its ledger has it. Empty where there is none.
  returned: success
  type: str
  sample: 8d1f3c52a6b94e0f9c7d1b2a3e4f5061/3f1c6f0e-6a3b-4c57-9d0e-2b8d7a9b1c11/4026531836/4711/123456
other_run:
  description: The run of the role that has begun to change the registry and has not ended its change. Empty where there is none.
  returned: success
  type: dict
  contains:
    id:
      description: What no other run has.
      type: str
      sample: 8d1f3c52a6b94e0f9c7d1b2a3e4f5061/3f1c6f0e-6a3b-4c57-9d0e-2b8d7a9b1c11/4026531836/4711/123456
    controller:
      description: The name of its controller.
      type: str
      sample: ops.example
    user:
      description: The user there.
      type: str
      sample: ops
    process:
      description: The number of the process there.
      type: int
      sample: 4711
    began:
      description: When it began its change, in seconds since the epoch.
      type: float
      sample: 1795446185.25
before:
  description: What each of O(files) is now.
  returned: success, empty when nothing is to do
  type: list
  elements: dict
  contains:
    kind:
      description: V(file) or V(directory); empty where nothing is.
      type: str
    uid:
      description: The number of its owner.
      type: int
    gid:
      description: The number of its group.
      type: int
    mode:
      description: Its mode, in octal digits.
      type: str
    as_wanted:
      description: Whether it is as O(files) says.
      type: bool
served:
  description: What a client gets now, and where the registry behind nginx listens; for the option O(served) of a later look.
  returned: success
  type: dict
  sample: {"stamp": "5f2e", "certificate": "9a0c", "anonymous": 401, "login": 200, "listens": ["127.0.0.1:5001"]}
subject_alt_names:
  description: The names that the certificate has to be for.
  returned: success
  type: list
  elements: str
  sample: ["IP:192.0.2.7"]
certificate:
  description: The certificate that is there, or is given; V(null) where there is none that passes.
  returned: success
  type: dict
  contains:
    fingerprint:
      description: SHA-256 of the certificate.
      type: str
    days_left:
      description: Whole days until it expires.
      type: int
    subject_alt_names:
      description: Names that it is for.
      type: list
      elements: str
packages:
  description: Versions of the packages that are installed.
  returned: success
  type: dict
  sample: {"docker-registry": "2.8.2+ds1-1+b5"}
program:
  description: The program that was asked for, and the version that it says of itself.
  returned: success
  type: dict
  sample: {"path": "/usr/local/lib/registry-3.1.2/registry", "version": "v3.1.2"}
units:
  description: The services.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The service's name.
      type: str
    there:
      description: Whether the host has it.
      type: bool
    active:
      description: Whether it runs.
      type: bool
    enabled:
      description: Whether it starts with the host.
      type: bool
listeners:
  description: Who listens on the ports that matter.
  returned: success
  type: list
  elements: dict
  sample: [{"address": "0.0.0.0", "port": 5000, "pid": 812, "program": "nginx", "unit": "nginx.service"}]
collected:
  description: What the last collection of garbage noted; V(null) where there was none.
  returned: success
  type: dict
  contains:
    began:
      description: When it began, in UTC.
      type: str
    refused_seconds:
      description: How long writes were refused.
      type: float
    manifests:
      description: How many manifests were deleted.
      type: int
    layers:
      description: How many links of repositories to layers were deleted.
      type: int
    blobs:
      description: How many blobs were deleted.
      type: int
    size:
      description: The size of those blobs, in bytes.
      type: int
    proved:
      description: How many manifests and blobs the registry was seen to serve afterwards.
      type: int
    missing:
      description: What tags lack, and did before, in words.
      type: list
      elements: str
    fault:
      description: Why nothing was collected; empty when all went well.
      type: str
serving:
  description: Whether a client is served.
  returned: success
  type: bool
serving_fault:
  description: Why none is.
  returned: success
  type: str
obstacles:
  description: What has to be put right first.
  returned: failure
  type: list
  elements: str
"""

from ansible_collections.longshore.delivery.plugins.module_utils.capability import module_main
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host import CAPABILITY


def main() -> None:
    module_main(CAPABILITY)


if __name__ == "__main__":
    main()
