#!/usr/bin/python
# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_build
short_description: Build an image exactly when its inputs changed
version_added: 0.1.0
author:
  - longshore contributors (!UNKNOWN)
description:
  - Sees that an engine, which is Docker, Podman or Buildah, or an OCI layout or a registry, see O(output), holds an image
    for exactly the given inputs, under the given names, and builds one only where there is none.
  - >-
    The inputs are the files that C(.dockerignore) leaves of the directory (their paths, modes, contents and the
    targets of links, never their times or owners), the same of named contexts, the Dockerfile, build arguments, target
    stage, labels, extra hosts, the ids of secrets and SSH agents, and the image IDs of all base images that the target
    needs, those of C(COPY --from), C(RUN --mount) and the directive C(syntax) included. One digest over all of them is
    recorded with the image, as the label C(delivery.longshore.inputs), with a digest for each kind of them in
    C(delivery.longshore.inputs.detail). So a second run asks the engine and builds nothing, whoever built the image and
    wherever.
  - Extended attributes of files are no inputs. BuildKit does not compare them either, so that one that is set afterwards is not
    sent to it, and not every engine keeps them in an image. Where an image needs one, set it in a C(RUN) instruction.
  - The image is built without a name and named when it is right. When a file or a base image changes meanwhile, the task fails.
  - A base image that the engine does not hold is pulled when an image has to be built, and only then. Where none has
    to be, it counts as the one that the image was built on. O(pull_base) has the registries asked for newer ones.
  - What the C(ONBUILD) instructions of an image that the engine holds copy, declare and name counts as the Dockerfile's own.
    Podman does not tell them, Docker and Buildah do. Of one that has to be pulled, check mode reads them in its registry, where
    that can be reached from where this runs, and a run as soon as it is pulled.
  - Runs in the process of ansible-playbook where the task is plainly local, and shows each of the build's steps there
    as it ends.
requirements:
  - Python package C(docker), for an engine of Docker, which is 20.10 or newer
  - a C(docker) command with the plugin C(buildx) 0.13 or newer, where something has to be built with BuildKit
  - for Podman 4.3 or newer, or Buildah 1.28 or newer, their program alone; and C(skopeo) for O(pull_base=newer)
extends_documentation_fragment:
  - longshore.delivery.attributes
  - longshore.delivery.build
  - longshore.delivery.engine
  - longshore.delivery.registry
attributes:
  action_group:
    membership: [longshore.delivery.build, longshore.delivery.engine, longshore.delivery.registry]
  check_mode:
    support: full
    description: Says whether something would be built and why, which base images would be pulled, and which names
      would be given. Nothing is pulled, so that the digest of the inputs is not known when a base image would be; its
      registry is asked whether it has it. A registry that is not there - nothing listens, its name is not known, it does not
      answer in time - counts as one that a task before sets up, with a warning that says why it could not be asked. So a play
      that has yet to do that can be looked at. One that is there and refuses, or lacks a base image, is an error as in a run.
  diff_mode:
    support: full
    description: Shows the inputs that changed, by file where the last build ran on this controller, else by kind,
      and the names that move. Values of build arguments and secrets are never shown.
options:
  name:
    description:
      - The image's name, with its registry, as in V(registry.example:5000/shop/web). Without a registry it is one of
        Docker Hub, or with O(output=registry) of O(registry).
      - May have a tag, which is then one of the O(tags).
    type: str
    required: true
  tags:
    description:
      - The tags that the image is to have. Tags that are not listed are left alone.
      - A tag that names another image is moved, which RV(named) and the output show.
      - One must be here or in O(name). V(latest) is a tag like any other.
    type: list
    elements: str
    default: []
  immutable:
    description:
      - Patterns of names that may be given once and not be moved to another image, as
        O(longshore.delivery.image_info#module:globs) has them. That such a name would move is an error before anything is
        pulled, built or named, also in check mode.
      - With O(rebuild=always) such a name that there is already is taken to move, since nobody can know what a build
        brings forth.
    type: list
    elements: str
    default: []
  dockerfile:
    description:
      - Path of the Dockerfile, absolute or relative to O(source).
      - Its rules of what to leave out are in NAME.dockerignore beside it, else in C(.dockerignore) in O(source).
      - Mutually exclusive with O(dockerfile_inline).
    type: path
    default: Dockerfile
  args:
    description:
      - Build arguments. Everybody who has the image can read them, use O(secrets) for what is secret.
      - One that no C(ARG) declares, of the Dockerfile or by C(ONBUILD) of its base images, is an error, except those that
        BuildKit knows itself, such as C(HTTPS_PROXY) and C(SOURCE_DATE_EPOCH).
      - "Values are texts or whole numbers: put V(3.10) in quotes."
    type: dict
    default: {}
  labels:
    description:
      - Labels of the image, in addition to those of the Dockerfile.
    type: dict
    default: {}
  secrets:
    description:
      - Secrets for the Dockerfile's C(RUN --mount=type=secret). They get into no layer, and into no command line.
      - Their ids are inputs of the build, their values are not.
      - They are masked in all that is shown and returned; what a file or a variable has is so from four characters on.
    type: list
    elements: dict
    suboptions:
      id:
        description: The id by which the Dockerfile mounts it.
        type: str
        required: true
      file:
        description: Absolute path of a file with the secret, where the task runs.
        type: path
      env:
        description: Name of a variable with the secret, in the environment where the task runs.
        type: str
      value:
        description: The secret itself.
        type: str
  rebuild:
    description:
      - V(auto) builds when there is no image for these inputs.
      - V(always) builds with BuildKit's cache, and changes something when another image comes out.
      - V(never) builds only when there is no image under any of the names.
    type: str
    choices: [auto, always, never]
    default: auto
  platforms:
    description:
      - What the image is built for, as V(linux/arm64) or V(linux/arm/v7). Without it the engine's own platform.
      - Several make one image with a list of them. For that, and for another platform on top of a base image, an engine of
        Docker has to keep its images in containerd's store, by the feature C(containerd-snapshotter). Podman and Buildah keep
        one at a time. Without that there may be several for another O(output).
      - RUN instructions for a platform that the engine's host is not need an emulator there. They are inputs of the build.
    type: list
    elements: str
    default: []
  engine:
    description:
      - The engine that builds and holds the image.
      - >-
        V(auto) takes Docker at O(docker_host) or E(DOCKER_HOST) where one of these is set, else Docker if its socket is there,
        else Podman, else Buildah; RV(engine) says which.
      - V(docker) builds with BuildKit, and where buildx is missing with the classic builder, if neither the Dockerfile nor an
        option needs BuildKit; RV(builder) says with which. V(docker_classic) takes the classic builder in any case.
      - V(podman) and V(buildah) are run where the task runs, which needs their program and its Python alone.
    type: str
    choices: [auto, docker, docker_classic, podman, buildah]
    default: auto
  layout:
    description:
      - Absolute path of the directory of an OCI layout, where the task runs, required for O(output=layout). It is made in a
        directory that is there, and can be nowhere in O(source).
      - Images of other names stay there, and what has no name left goes. A reader finds what was or what is to be, never between.
    type: path
  registry:
    description:
      - The registry for O(output=registry), in the one shape that the whole collection uses. It is not looked at otherwise.
      - Without it the registry in O(name), without a login and with a certificate that the system's authorities vouch for.
      - It is for the image alone, and its login for caches that are there, see O(cache_to). Base images are pulled with the
        engine's own settings.
notes:
  - Hashes of contents are kept in the user's cache directory (E(XDG_CACHE_HOME)), so that a file that was not touched
    is not read again; names and digests of the last build's inputs in the state directory (E(XDG_STATE_HOME)), so
    that a rebuild can name the files that changed. Both may be removed at any time.
  - What an C(ADD) of an URL or a git repository fetches is not known before and is no input. Use O(rebuild=always)
    for such a Dockerfile.
  - The classic builder and Buildah are given the very files that BuildKit is given. For the classic builder a Dockerfile that is
    none of them, as with O(dockerfile_inline), is named in a further line of the C(.dockerignore) that it is given.
  - Podman and Buildah know neither O(cache_from) nor O(cache_to), and here-documents since Podman 4.8 and Buildah 1.33.
  - Verified with Docker 20.10 and 26.1 and their classic image store, with both builders, with 26.1 and containerd's store, and
    with Podman 4.3 and Buildah 1.28.
"""

EXAMPLES = r"""
- name: Build the shop's web image
  longshore.delivery.image_build:
    name: registry.example:5000/shop/web
    tags: ["1.4.0", "1.4"]
    immutable: ["shop/*:?.?.?"]
    source_revision: true
    source: "{{ playbook_dir }}/../web"
    args:
      PYTHON: "3.13"

- name: Build one stage on another host's engine, with a secret
  longshore.delivery.image_build:
    name: registry.example:5000/shop/web-tests:1.4
    source: /srv/shop/web
    target: tests
    secrets:
      - id: pip-token
        value: "{{ vault_pip_token }}"
    extra_hosts:
      packages.example: 192.0.2.7
    ssh:
      - id: git
        path: /home/ci/.ssh/deploy_key
    cache_from:
      - {type: registry, reference: "registry.example:5000/shop/web-tests:1.3"}
    cache_to: {type: inline}
    docker_host: tcp://builder.example:2376
    docker_cert_path: ~/.docker/builder

- name: Build by a Dockerfile that is in no file
  longshore.delivery.image_build:
    name: registry.example:5000/shop/pages:1
    source: /srv/shop/pages
    contexts:
      theme: /srv/shop/theme
      httpd: docker-image://registry.example:5000/base/httpd:2
    dockerfile_inline: |
      FROM httpd
      COPY . /srv/pages/
      COPY --from=theme style.css /srv/pages/

- name: Build in any case, by a Dockerfile elsewhere whose commands have no network
  longshore.delivery.image_build:
    name: registry.example:5000/shop/web
    tags: ["1.4", "1"]
    source: /srv/shop/web
    dockerfile: packaging/Dockerfile
    labels:
      org.opencontainers.image.revision: "{{ revision }}"
    secrets:
      - id: license
        file: /etc/shop/license
      - id: signing-key
        env: SIGNING_KEY
    network: none
    platforms: [linux/amd64, linux/arm64]
    annotations:
      org.opencontainers.image.title: The shop
    provenance: min
    sbom: docker.io/docker/buildkit-syft-scanner:1
    source_date_epoch: 1735689600
    pull_base: newer
    no_cache: true
    rebuild: always
    engine: docker

- name: Build for two platforms on other machines, straight into a registry
  longshore.delivery.image_build:
    name: shop/web:1.4
    source: /srv/shop/web
    platforms: [linux/amd64, linux/arm64]
    builder: farm
    cache_from:
      - reference: registry.example:5000/shop/web:cache
      - {type: local, path: /var/cache/shop/web}
    cache_to:
      type: registry
      reference: registry.example:5000/shop/web:cache
      mode: max
      image_manifest: true
    output: registry
    registry:
      endpoint: registry.example:5000
      tls: verified
      ca: "{{ lookup('ansible.builtin.file', 'ca.crt') }}"
      username: ci
      password: "{{ vault_registry_password }}"
      mirror_of: [docker.io]

- name: Build into an OCI layout, to be carried where there is no network
  longshore.delivery.image_build:
    name: registry.example:5000/shop/web:1.4
    source: /srv/shop/web
    builder: farm
    cache_to: {type: local, path: /var/cache/shop/web}
    output: layout
    layout: /srv/shop/images
"""

RETURN = r"""
image:
  description: The image. The digests are null in check mode when it would be built.
  returned: success
  type: dict
  contains:
    references:
      description: The names it has been asked to have, in full.
      type: list
      elements: str
      sample: ["registry.example:5000/shop/web:1.4"]
    id:
      description: Its ID in the engine; in a layout or a registry the digest that its names stand for, of a list or a manifest.
      type: str
    config_digest:
      description: The digest of its configuration, by which a registry's manifest is compared with it. Null where
        the engine's containerd store shows another digest as the ID, and of an image of several platforms.
      type: str
    manifest_digest:
      description: The digest of its manifest in a layout or a registry. Null in an engine, and of several platforms.
      type: str
    index_digest:
      description: The digest of the list of its platforms and attestations in a layout or a registry. Null where there is none.
      type: str
built:
  description: Whether a build ran or, in check mode, would run.
  returned: success
  type: bool
why:
  description: Why it was built, or was not in spite of a difference.
  returned: success
  type: list
  elements: str
  sample: ["the context changed: shop/application.py changed"]
inputs:
  description: The digest of all inputs. Null in check mode when a base image would have to be pulled first.
  returned: success
  type: str
named:
  description: The names that were given, with the IDs of the image that had the name before and of the one that has
    it now.
  returned: success
  type: list
  elements: dict
  sample:
    - reference: registry.example:5000/shop/web:1.4
      before: null
      after: sha256:6335a3cbee0da6b5e4d7e6f21a66dff17f95a60db3a483d9b33c64d2d340dba3
pulled:
  description: The base images that were pulled or, in check mode, would be.
  returned: success
  type: list
  elements: str
engine:
  description: The engine that holds the image, V(docker), V(podman) or V(buildah).
  returned: success
  type: str
  sample: docker
engine_reason:
  description: Why it is that one.
  returned: success
  type: str
  sample: its socket is there
builder:
  description: What builds the image, V(buildkit), V(classic) or V(buildah).
  returned: when something is built or, in check mode, would be
  type: str
  sample: buildkit
revision:
  description: The revision with which the image was labelled.
  returned: when something is built and O(source_revision) is set
  type: str
  sample: 8e0aa55d5e6f8b8f7a8b3f0d0c1f2a3b4c5d6e7f-dirty
reproducible:
  description: Whether a second build of the same inputs gave the same image, which is not kept.
  returned: when something is built and O(source_date_epoch) is set
  type: dict
  contains:
    same:
      description: Whether it did.
      type: bool
    why_not:
      description: What differs, by layers where the layers do, or why nobody can know.
      type: list
      elements: str
      sample: ["layer 2 of 2 differs: /srv/shop/web/Dockerfile, line 4, RUN make"]
steps:
  description: The build's steps, with the seconds each took and whether it came from the cache.
  returned: when a build ran, also when it failed
  type: list
  elements: dict
  sample:
    - step: "[2/3] COPY requirements.txt /tmp/"
      cached: true
      seconds: 0.0
log:
  description: The last 50 lines that the build's commands wrote; of a failed build the last 20 of the step that failed.
  returned: when a build ran, also when it failed
  type: list
  elements: str
failed_step:
  description: The step that failed, as the builder calls it.
  returned: when a step failed
  type: str
dockerfile_line:
  description: The line of the Dockerfile on which the failed instruction begins.
  returned: when a step failed
  type: int
instruction:
  description: The instruction that failed.
  returned: when a step failed
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
"""

from ansible_collections.longshore.delivery.plugins.module_utils.build.image_build import CAPABILITY
from ansible_collections.longshore.delivery.plugins.module_utils.capability import module_main


def main() -> None:
    module_main(CAPABILITY)


if __name__ == "__main__":
    main()
