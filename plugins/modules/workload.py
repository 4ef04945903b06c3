#!/usr/bin/python
# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: workload
short_description: Run a release on a Kubernetes cluster, ready, or say why not
version_added: 0.1.0
author:
  - longshore contributors (!UNKNOWN)
description:
  - One task is one release. Its Deployment, Service, ConfigMap and Secrets are brought to the cluster by server-side
    apply, under a field manager of its own (C(longshore.delivery)). What others set on these objects is left alone.
  - The image is looked up in its registry, and the pods run the digest found there. An image that is not there fails
    the task before anything is changed.
  - Every object is tried first by a dry run on the server. Only those that would differ are applied, so that a second
    run changes nothing, and a refusal (an unknown field, a quota, a conflict) comes before the first change.
  - Then it waits until the new pods are ready and no earlier one is left, by watching the API server. When a pod
    cannot start, it stops waiting and says in one paragraph which pod, on which node, why, and what to do. The pods of
    the earlier revision go on serving meanwhile, as none of them is taken away before a new one is ready.
  - Configuration and secrets become immutable objects named by their content. So a change of them replaces the pods,
    and earlier revisions keep theirs. They are removed when no revision of the Deployment uses them any more, beside
    the next change.
  - Pods run with safe defaults. They may not run as root or gain privileges, have no capabilities, and get the
    runtime's seccomp profile.
  - Runs in the process of ansible-playbook where the task is plainly local, and shows there each step of the rollout.
extends_documentation_fragment:
  - longshore.delivery.attributes
  - longshore.delivery.cluster
  - longshore.delivery.registry
attributes:
  action_group:
    membership: [longshore.delivery.cluster, longshore.delivery.registry]
  check_mode:
    support: full
    description: Asks the server what it would make of each object. In a namespace that is yet to be created the server
      tries nothing, so that the objects are shown as they would be sent. A tag that the registry does not have yet, and a
      registry that nothing serves yet, are a warning, as what comes before in the same playbook may change that.
  diff_mode:
    support: full
    description: Shows the objects before and after, without status and managed fields. Values of Secrets are never
      shown.
options:
  name:
    description:
      - The release's name, also that of its Deployment, its Service and its main container.
      - Lower-case letters, digits and V(-), a letter first.
    type: str
    required: true
  namespace:
    description:
      - The namespace of all its objects.
    type: str
    default: default
  create_namespace:
    description:
      - Create the namespace where it does not exist. One that exists is not touched, and none is ever removed, also not one
        that was made for a release which the cluster then refused.
      - Needs the right to get and create namespaces.
    type: bool
    default: false
  state:
    description:
      - V(present) brings the release to the cluster. V(absent) removes its objects, found by their labels, and nothing
        else.
    type: str
    choices: [present, absent]
    default: present
  image:
    description:
      - The image of the main container, for example V(shop/web:1.4). Without a registry in its name it is in
        O(registry), and without that on Docker Hub.
      - Required for O(state=present).
    type: str
  pin:
    description:
      - Look images up in their registry, and run what has the tag now by its digest.
      - V(false) asks no registry and lets nodes run whatever has that name when they pull it, or by which they hold an
        image already.
    type: bool
    default: true
  replicas:
    description:
      - How many pods. Left alone where it is not given, also after a run with another number, so that an autoscaler can take
        it over; a new release then has one.
    type: int
  ports:
    description:
      - The ports on which the main container listens.
    type: list
    elements: dict
    suboptions:
      name:
        description: The port's name, by which probes may call it. At most 15 characters.
        type: str
        required: true
      port:
        description: Its number, in the pods and at the Service.
        type: int
        required: true
      protocol:
        description: What is spoken below the application.
        type: str
        choices: [TCP, UDP, SCTP]
        default: TCP
  service:
    description:
      - Have a Service with the release's name and O(ports). By default there is one when there are ports.
    type: bool
  probes:
    description:
      - How the kubelet finds out how the main container is.
      - Each has exactly one of C(exec), C(http) and C(tcp). A port is called by its name in O(ports) or by its number.
    type: dict
    suboptions:
      startup:
        description:
          - Passes once when the application has started. The others begin after it, and its time (O(probes.startup.period)
            times O(probes.startup.failures)) is what a slow start or a warm-up may take.
        type: dict
        suboptions: &probe
          exec:
            description: A command in the container, as a list. Exit code 0 is success.
            type: list
            elements: str
          http:
            description:
              - A path, such as V(/ready), or a dictionary of C(path), C(port), C(headers) (a dictionary) and C(scheme)
                (V(http) or V(https)). Status 200 to 399 is success.
              - Without a port it is the one called V(http), else the first.
            type: raw
          tcp:
            description: A port that takes a connection.
            type: str
          delay:
            description: Seconds from the container's start to the first probe. By default none.
            type: int
          period:
            description: Seconds from one probe to the next. By default V(1) for startup, V(5) for ready, V(10) for live.
            type: int
          timeout:
            description: Seconds in which a probe has to be answered. By default V(1).
            type: int
          successes:
            description: Successes in a row after which the container counts as ready. By default V(1).
            type: int
          failures:
            description: Failures in a row after which it counts as failed. By default V(60) for startup, else V(3).
            type: int
      ready:
        description:
          - Passes as long as the application can take requests. See also O(ready_grace).
        type: dict
        suboptions: *probe
      live:
        description:
          - Fails when only a new start helps, and the kubelet then starts the container again.
        type: dict
        suboptions: *probe
  config:
    description:
      - Environment variables of the main container, kept in a ConfigMap. Booleans become V(true) and V(false), numbers
        their text.
    type: dict
  secrets:
    description:
      - Environment variables of the main container, kept in a Secret.
      - The Secret's name is a hash of its content, made so slow (scrypt) that a weak value cannot be guessed from it
        quickly.
    type: dict
  env:
    description:
      - Environment variables of the main container, written into the Deployment. For what is neither configuration nor
        secret.
    type: dict
  command:
    description:
      - Replaces the image's ENTRYPOINT.
    type: list
    elements: str
  args:
    description:
      - Replaces the image's CMD.
    type: list
    elements: str
  resources:
    description:
      - What the main container asks for, and may use at most.
    type: dict
    suboptions: &resources
      requests:
        description: Amounts by name, for example C(100m) of C(cpu) and C(64Mi) of C(memory).
        type: dict
      limits:
        description: Amounts by name.
        type: dict
  run_as_user:
    description:
      - The numeric user of the main container. By default the image's USER, which must be a number unless
        O(run_as_root=true).
    type: int
  sidecars:
    description:
      - Containers that start before the main one, run beside it and end after it (Kubernetes' native sidecars).
    type: list
    elements: dict
    suboptions:
      name:
        description: The container's name.
        type: str
        required: true
      image:
        description: Its image, looked up as O(image) is.
        type: str
        required: true
      command:
        description: Replaces the image's ENTRYPOINT.
        type: list
        elements: str
      args:
        description: Replaces the image's CMD.
        type: list
        elements: str
      env:
        description: Environment variables.
        type: dict
      resources:
        description: What it asks for, and may use at most.
        type: dict
        suboptions: *resources
      run_as_user:
        description: Its numeric user.
        type: int
  run_as_root:
    description:
      - Let containers run as root. Privileges and capabilities stay taken away.
    type: bool
    default: false
  pre_stop_pause:
    description:
      - Seconds between the order to stop a pod and SIGTERM to its main container, in which every node learns to send it
        no more requests. The kubelet waits, so that the image needs no shell (Kubernetes 1.30 or newer).
      - By default V(5) with a Service, else V(0).
    type: int
  stop_seconds:
    description:
      - Seconds that containers have to stop after SIGTERM. The pod's grace period is this and the pause together.
    type: int
    default: 30
  take_ownership:
    description:
      - Take over fields that another field manager has set to other values. By default that is an error which names
        fields and manager.
    type: bool
    default: false
  wait:
    description:
      - Wait until the rollout is done, also where nothing was to be changed and an earlier one is under way. With
        O(state=absent), until the pods are gone.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds to wait at most.
    type: int
    default: 300
  ready_grace:
    description:
      - Seconds that a container which runs, and has passed its startup probe, is given to pass its readiness probe before
        the wait is given up. They are counted anew when the container is started again.
      - An application that takes longer to warm up needs a startup probe that covers the warm-up, or more seconds here.
        Without a startup probe they begin with the container's start.
      - It is never less than the readiness probe itself needs for its first successes (delay, period and timeout).
    type: int
    default: 15
notes:
  - The wait is given up at once for an image that cannot be pulled, a command that cannot be run, a container that has ended
    twice or was stopped by its startup or liveness probe, a user that may not be root, and pods that Kubernetes refuses to
    create. It is given up after 10 seconds where a registry does not answer a node, its name is not found, no node takes a
    pod, or a Secret or ConfigMap is not there, and after 30 seconds where a volume, a network or a container cannot be made.
  - Of a pod that was there when the wait began, ends and failed probes from before it do not count, unless the container has
    not run since or is held back by the kubelet because it ends over and over (C(CrashLoopBackOff)).
  - What was applied stays when the wait is given up. Correct it and run the task again, or run it with the earlier image.
  - Verified with Kubernetes 1.36.
"""

EXAMPLES = r"""
- name: Run the shop
  longshore.delivery.workload:
    name: web
    namespace: shop
    create_namespace: true
    image: shop/web:1.4
    registry:
      endpoint: registry.example:5000
      ca: "{{ lookup('ansible.builtin.file', 'ca.crt') }}"
      username: ci
      password: "{{ vault_registry_password }}"
    replicas: 3
    ports:
      - {name: http, port: 8080}
    probes:
      startup: {exec: [python, -m, shop, check]}
      ready: {http: {path: /ready, headers: {X-Probe: kubelet}}, period: 2}
      live: {tcp: http}
    config:
      LOG_LEVEL: info
    secrets:
      DB_PASSWORD: "{{ vault_database_password }}"
    resources:
      requests: {cpu: 100m, memory: 64Mi}
      limits: {memory: 128Mi}
    sidecars:
      - name: shipper
        image: shop/shipper:1.0
        command: [python, -m, shipper]
        args: [--metrics, "9101"]
        env: {TARGET: "http://logs.example:3100"}
        resources: {limits: {memory: 32Mi}}
        run_as_user: 10002

- name: Run its workers, which serve nobody, under a user of their own
  longshore.delivery.workload:
    name: worker
    namespace: shop
    image: registry.example:5000/shop/web:1.4
    command: [python, -m, shop]
    args: [work, --queue, orders]
    env:
      WORKER_THREADS: "4"
    run_as_user: 1000
    ports:
      - {name: metrics, port: 9100, protocol: TCP}
    service: false

- name: Run a search that warms up for minutes, and takes its time to end
  longshore.delivery.workload:
    name: search
    namespace: shop
    image: registry.example:5000/shop/search:2.0
    ports:
      - {name: http, port: 9200}
    probes:
      startup: {tcp: http, delay: 10, period: 5, failures: 60}
      ready: {http: {path: /ready}, timeout: 3, successes: 2}
    ready_grace: 60
    pre_stop_pause: 10
    stop_seconds: 120
    wait_timeout: 600

- name: Take a release over from another tool, on the staging cluster, without waiting for its pods
  longshore.delivery.workload:
    name: legacy
    image: registry.example:5000/shop/legacy:7
    kube_context: staging
    run_as_root: true
    take_ownership: true
    wait: false

- name: Run a build that the nodes hold already, without any registry
  longshore.delivery.workload:
    name: probe
    image: localhost/probe:dev
    pin: false
    kubeconfig: /etc/kubernetes/admin.conf

- name: Take the shop away
  longshore.delivery.workload:
    name: web
    namespace: shop
    state: absent
"""

RETURN = r"""
name:
  description: The release's name.
  returned: once the options are valid and the cluster has answered
  type: str
  sample: web
namespace:
  description: Its namespace.
  returned: as RV(name)
  type: str
  sample: shop
image:
  description: What the main container runs.
  returned: as RV(name), for O(state=present)
  type: str
  sample: registry.example:5000/shop/web@sha256:4bcff63911fcb4448bd4fdacec207030997caf25e9bea4045fa6c8c44de311d1
digest:
  description: Its digest as the registry serves it; none with O(pin=false) and a tag, or in check mode for one that is not
    there yet.
  returned: as RV(image)
  type: str
  sample: sha256:4bcff63911fcb4448bd4fdacec207030997caf25e9bea4045fa6c8c44de311d1
objects:
  description: Every object of the release and what became of it.
  returned: as RV(name)
  type: list
  elements: dict
  contains:
    kind:
      description: The object's kind.
      type: str
      sample: Deployment
    name:
      description: The object's name.
      type: str
      sample: web
    action:
      description: V(created), V(updated), V(unchanged) or V(removed); in check mode what would be.
      type: str
      sample: updated
address:
  description: Where the Service answers inside the cluster, by its first port; none without a Service.
  returned: for O(state=present), not in check mode
  type: str
  sample: 10.92.14.5:8080
ready:
  description: How many pods are ready.
  returned: for O(state=present) when the rollout is done
  type: int
  sample: 3
nodes:
  description: The nodes on which they run.
  returned: as RV(ready)
  type: list
  elements: str
  sample: [n1, n2]
pods:
  description: The pods.
  returned: as RV(ready)
  type: list
  elements: dict
  contains:
    name:
      description: The pod's name.
      type: str
    node:
      description: Its node.
      type: str
    ready:
      description: Whether it is ready.
      type: bool
    images:
      description: What each container runs, as the node's runtime calls it.
      type: dict
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
why:
  description: Why the pods do not come up, in parts.
  returned: when the wait was given up
  type: dict
  contains:
    kind:
      description: >-
        V(pull), V(start), V(crash), V(memory), V(probe), V(configuration), V(unschedulable), V(setup), V(refused) or V(timeout).
      type: str
      sample: pull
    detail:
      description: >-
        For a pull V(ca), V(tls), V(clock), V(https_on_http), V(http_on_https), V(unauthorized), V(forbidden), V(platform),
        V(not_found), V(digest), V(disk), V(name), V(refused), V(timeout), V(busy), V(engine), V(cri) or V(other); for a probe
        V(startup), V(readiness) or V(liveness).
      type: str
      sample: not_found
    pod:
      description: The pod.
      type: str
    container:
      description: The container, empty where it is the pod's matter.
      type: str
    node:
      description: The node, empty where it has none.
      type: str
    cause:
      description: The cause in words.
      type: str
    remedy:
      description: What to do.
      type: str
    log:
      description: The container's last log lines.
      type: list
      elements: str
    earlier_pods_serving:
      description: How many pods of the earlier revision are ready.
      type: int
"""

from ansible_collections.longshore.delivery.plugins.module_utils.capability import module_main
from ansible_collections.longshore.delivery.plugins.module_utils.workload.workload import CAPABILITY


def main() -> None:
    module_main(CAPABILITY)


if __name__ == "__main__":
    main()
