#!/usr/bin/python
# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_trial
short_description: Run an image for a moment and see whether it can be operated
version_added: 0.1.0
author:
  - longshore contributors (!UNKNOWN)
description:
  - Runs copies of an image in a Docker engine or in Podman, with little memory and CPU, a read-only root file system, no
    capability and no new privileges, and sees whether it keeps a contract. Each point passes, fails, or is not asked.
  - "The points: it C(starts) and C(listens) on its port in time; its C(health), C(ready) and C(metrics) endpoints answer; the
    C(assertion)s of your own hold; it ends at once without a variable of O(required_env) and names it; a variable of
    O(changed_env) changes what it answers; its C(user) is not root; its C(logs) go to stdout or stderr and to no file; its
    stop signal C(stops) it in time; it is C(transient), which means that it comes up with a read-only root file system, and
    again after its end; and two C(copies) run side by side."
  - The task fails when a point does that is not in O(accept). The result also has a table of the twelve factors, which says of
    each how it was checked, or why not.
  - An image that does not come up with a read-only root and no capability is tried with the engine's default capabilities, then
    with a root file system that it may write. So it fails the point that it fails, and the others are asked all the same.
  - Everything is awaited with a deadline. Containers and their volumes are removed however the trial ends. What a trial left
    that was killed is found by its label C(delivery.longshore.trial) and removed by the next one that uses the engine.
  - Runs in the process of ansible-playbook where the task is plainly local, and shows each verdict there as it falls.
requirements:
  - Python package C(docker), for Docker
  - Python package C(jmespath), for assertions with C(jmespath)
  - Docker engine 20.10 or newer, or Podman
extends_documentation_fragment:
  - longshore.delivery.attributes
  - longshore.delivery.engine
attributes:
  action_group:
    membership: [longshore.delivery.engine]
  check_mode:
    support: full
    description: Says what would be tried, and runs nothing. Where the engine has no such image yet, it warns.
  diff_mode:
    support: none
    description: Nothing changes.
options:
  engine:
    description:
      - Which engine runs it.
      - By V(auto) it is Docker at O(docker_host) or at the environment's E(DOCKER_HOST) where one of these is set; else Docker if
        its socket is there, else Podman.
      - By V(docker) O(docker_host) and E(DOCKER_HOST) come first, too; what listens there may be Podman's service, which speaks
        Docker's API. By V(podman) they are not looked at, and the program C(podman) is asked where the task runs, as the user
        who runs it.
    type: str
    choices: [auto, docker, podman]
    default: auto
  image:
    description:
      - The image, by its ID or a reference with a tag or digest, since V(latest) is not assumed. The engine must hold it, nothing
        is pulled.
    type: str
    required: true
  command:
    description:
      - What the container gets in place of the image's C(CMD).
    type: list
    elements: str
  env:
    description:
      - Variables that it gets. Values are texts or numbers.
    type: dict
    default: {}
  secrets:
    description:
      - Variables that it gets and whose values are secret. They appear in no result, log or command line.
      - While the trial runs, who may use the engine can see them, as with any container.
    type: dict
    default: {}
  user:
    description:
      - The user it runs as, as C(USER) in a Dockerfile. Without it the image's own.
    type: str
  port:
    description:
      - The TCP port that it is to listen on. Without it the one that the image exposes, where it exposes exactly one.
      - Where there is none, nothing is asked that needs it, and it has started when it still runs after 3 seconds.
      - It is published on a free port of the engine's host; of a local engine to that host alone.
    type: int
  health:
    description:
      - Path of its health endpoint. It must answer with a status of 200 to 399, as for a probe of Kubernetes, and be done with
        its answer within 5 seconds. So must the other endpoints.
    type: str
  ready:
    description:
      - Path of its readiness endpoint, which is awaited within O(start_timeout).
    type: str
  metrics:
    description:
      - Path of its metrics endpoint, which must not be empty.
    type: str
  required_env:
    description:
      - Names of variables without which it must end by itself, with an exit code that is not 0 and with output that names
        the variable. A copy is started for each, with all other variables.
    type: list
    elements: str
    default: []
  changed_env:
    description:
      - Variables whose value must show in what it answers. A copy is started for each.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The variable's name.
        type: str
        required: true
      value:
        description: The value it is changed to.
        type: str
        required: true
      path:
        description: The path whose answer is to show it.
        type: str
        default: /
      regex:
        description:
          - What is to be found in the answer's body with that value, and not without it.
          - Without it the answer must be another, where two copies without the change give the same.
        type: str
  assertions:
    description:
      - Conditions of your own, each by one of C(http), C(exec) and C(tcp). Each is asked again until it holds or its time is
        over.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: What it is called in the result. Without it the path, the command or the port.
        type: str
      http:
        description:
          - A path to get. Redirects are not followed, they are an answer.
          - Of an answer that does not end, what comes within 5 seconds is judged; of a large one, the first MiB.
        type: str
      exec:
        description:
          - A command to run in the container, as a list of words. It must end with 0.
          - The first MiB of its output counts.
        type: list
        elements: str
      tcp:
        description: A port that is to take connections.
        type: int
      port:
        description: The port for C(http), where it is not O(port).
        type: int
      headers:
        description: Headers of the request. Put no secret there that you do not have in O(secrets) as well.
        type: dict
        default: {}
      status:
        description: The status that is wanted. Without it one of 200 to 399, as for a probe of Kubernetes.
        type: int
      regex:
        description: A regular expression that is to be found in the body or in the command's output.
        type: str
      jmespath:
        description: A JMESPath expression that is to hold for the body as JSON. Null, false and what is empty do not hold.
        type: str
      timeout:
        description: Seconds within which it has to hold.
        type: int
        default: 5
  accept:
    description:
      - Points that may fail. They do so in the result, with a warning.
    type: list
    elements: str
    default: []
    choices:
      - starts
      - listens
      - health
      - ready
      - metrics
      - assertion
      - required_env
      - changed_env
      - user
      - logs
      - stops
      - transient
      - copies
  start_timeout:
    description:
      - Seconds within which it must be up, and those within which it must end without a required variable.
    type: int
    default: 30
  stop_timeout:
    description:
      - Seconds within which its stop signal must end it, as C(terminationGracePeriodSeconds) of a pod.
    type: int
    default: 30
  memory:
    description:
      - The memory each copy may use, with units as the docker command has them, so that V(256m) is 256 MiB. There is no swap.
    type: str
    default: 256MiB
  cpus:
    description:
      - The CPUs each copy may use.
    type: float
    default: 1.0
  tmpfs:
    description:
      - Directories in memory that it may write, and that are empty at each start.
    type: list
    elements: str
    default: [/tmp]
notes:
  - A C(HEALTHCHECK) of the image does not run, as in Kubernetes.
  - Verified with Docker 26.1 on a remote host with TLS, and with Podman 4.3, by its program and by its service.
  - Podman adds a user without a name to C(/etc/passwd) and C(/etc/group) of a container. What it writes there is not told from
    what the image does, so these two never count as written.
  - For a container that is to stay, see M(community.docker.docker_container). An interactive shell is C(docker run -it).
"""

EXAMPLES = r"""
- name: See that the shop's web image can be operated
  longshore.delivery.image_trial:
    image: registry.example:5000/shop/web:1.4
    port: 8080
    ready: /ready
    health: /health
    metrics: /metrics
    secrets:
      DB_PASSWORD: "{{ vault_db }}"
    required_env: [DB_PASSWORD]
    changed_env:
      - name: GREETING
        value: Moin
        path: /
        regex: Moin
    assertions:
      - name: the catalogue has something
        http: /catalogue
        jmespath: length(products) > `0`
        headers: {Accept: application/json}
        status: 200
        timeout: 10
      - exec: [python, -m, shop, check]
        regex: ^ok
      - tcp: 9090
      - http: /debug
        port: 9090

- name: Try one that needs more, on another host's engine
  longshore.delivery.image_trial:
    image: registry.example:5000/shop/reports:2.0
    command: [serve, --quiet]
    env: {LOG_LEVEL: info}
    user: "10001:10001"
    memory: 1g
    cpus: 2
    tmpfs: [/tmp, /var/cache/reports]
    start_timeout: 120
    stop_timeout: 60
    accept: [logs]
    engine: docker
    docker_host: tcp://builder.example:2376
    docker_cert_path: ~/.docker/builder
"""

RETURN = r"""
engine:
  description: The engine that ran it.
  returned: success, or when a point failed
  type: str
  sample: docker
engine_reason:
  description: Why it was that one.
  returned: success, or when a point failed
  type: str
  sample: its socket is there
verdict:
  description: V(pass), V(fail) when a point failed, accepted or not, and V(not asked) in check mode.
  returned: success, or when a point failed
  type: str
  sample: pass
image:
  description: The image that was tried.
  returned: success, or when a point failed
  type: dict
  contains:
    reference:
      description: As it was asked for.
      type: str
    id:
      description: Its ID in the engine. Null in check mode where the engine has no such image yet.
      type: str
tried:
  description: What was tried or, in check mode, would be.
  returned: success, or when a point failed
  type: list
  elements: str
  sample: ["it starts within 30 s"]
points:
  description: All points of the contract.
  returned: success, or when a point failed
  type: list
  elements: dict
  contains:
    point:
      description: Its name, as in O(accept).
      type: str
    subject:
      description: The path, variable or assertion it is about. Empty where there is one point of its name.
      type: str
    wanted:
      description: What is to be.
      type: str
    verdict:
      description: V(pass), V(fail) or V(not asked).
      type: str
    detail:
      description: What was seen or, of one that was not asked, why not.
      type: str
  sample:
    - point: stops
      subject: ""
      wanted: SIGTERM ends it within 30 s
      verdict: pass
      detail: after 0.2 s, with exit code 0
twelve_factors:
  description: The table of the twelve factors.
  returned: success, or when a point failed
  type: list
  elements: dict
  contains:
    factor:
      description: Its number.
      type: int
    name:
      description: Its name.
      type: str
    verdict:
      description: V(pass), V(fail), V(not asked), or V(not claimed) where no image can show it.
      type: str
    how:
      description: How it was checked, what failed, or why it was not checked.
      type: str
endpoints:
  description: What the endpoints answered. Empty in check mode.
  returned: success, or when a point failed
  type: list
  elements: dict
  contains:
    endpoint:
      description: V(health), V(ready) or V(metrics).
      type: str
    path:
      description: Its path.
      type: str
    status:
      description: The status. Null when there was no answer.
      type: int
    content_type:
      description: The type of its content.
      type: str
    body:
      description: The first 200 characters of its body.
      type: str
log:
  description: The last lines that the copy wrote that was asked, 50 of them and 8 KiB at most. Empty in check mode.
  returned: success, or when a point failed
  type: list
  elements: str
leftovers:
  description: How many containers were removed that trials left which were killed.
  returned: success, or when a point failed
  type: int
"""

from ansible_collections.longshore.delivery.plugins.module_utils.capability import module_main
from ansible_collections.longshore.delivery.plugins.module_utils.trial.image_trial import CAPABILITY


def main() -> None:
    module_main(CAPABILITY)


if __name__ == "__main__":
    main()
