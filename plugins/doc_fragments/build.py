# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of what a build may use and how it is decided, which are options of image_build alone."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  contexts:
    description:
      - "Named contexts: by their names what C(FROM), C(COPY --from) and C(RUN --mount=from=) find under them."
      - An absolute path of a directory, whose own C(.dockerignore) holds there; or an image with its tag or digest, as in
        V(docker-image://debian:12), which is a base image like any other.
      - They are inputs of the build, as O(source) is. They need Docker 23 or newer.
      - A name can be none of a stage, and git repositories, archives and what else buildx takes are not supported.
    type: dict
    default: {}
  dockerfile_inline:
    description:
      - The Dockerfile itself. It is not written into O(source), but into a private temporary directory outside of it while
        something is built.
      - Its rules of what to leave out are in C(.dockerignore) in O(source).
    type: str
  source:
    description:
      - The build's directory, called the context. An absolute path, because the working directory of a task is not
        the user's.
    type: path
    required: true
  target:
    description:
      - The stage to build. Without it the last stage.
      - Only base images of stages that it needs are inputs.
    type: str
  source_revision:
    description:
      - Whether an image that is built gets the label C(org.opencontainers.image.revision) with the commit of O(source), as
        git tells it, with C(-dirty) behind it where something in O(source) is not committed; and
        C(org.opencontainers.image.source) with the address of the remote repository C(origin), without user and password.
      - O(labels) of the same name come before them.
      - It is no input. A commit that changes none has nothing built anew, and the image keeps the revision that it was
        built at. For that the directory C(.git) has to be outside of O(source) or in C(.dockerignore).
      - The program C(git) is needed when something has to be built.
    type: bool
    default: false
  extra_hosts:
    description:
      - IP addresses by name, which RUN instructions find in their C(/etc/hosts), or V(host-gateway) for that of the engine's own
        host. They are inputs of the build.
    type: dict
    default: {}
  ssh:
    description:
      - SSH agents for the Dockerfile's C(RUN --mount=type=ssh). No key gets into a layer.
      - Their ids are inputs of the build, the agents and keys behind them are not.
    type: list
    elements: dict
    suboptions:
      id:
        description: The id by which the Dockerfile mounts it. V(default) is what a mount without an id takes.
        type: str
        default: default
      path:
        description:
          - Absolute path of the agent's socket, or of a private key that has no passphrase, where the task runs.
          - Without it the agent of the environment (E(SSH_AUTH_SOCK)).
        type: path
  no_cache:
    description:
      - Whether every step runs anew when an image is built. It is no input, and does not have one built; see O(rebuild).
      - With O(rebuild=always) another image comes out each time, as every layer has its time in it.
    type: bool
    default: false
  builder:
    description:
      - The name of a builder that buildx has, as C(docker buildx ls) shows it, for the user who runs the task. It may be a remote
        one, on other machines and of other platforms. Without it the engine's own, whichever the user made the current one.
      - Such a builder has no images. It asks registries for the base images, which for the decision to build are what their
        registries serve, as C(docker buildx imagetools) tells it with the docker command's credentials.
      - With O(output=layout) and O(output=registry) no engine is needed, but the C(docker) command. To an engine it can hand one
        image for one platform, without O(annotations), O(provenance) and O(sbom).
      - It is no input of the build.
    type: str
  cache_from:
    description:
      - Caches from which steps may be taken, as O(cache_to) made them. One that is not there, or cannot be had, is a warning, and
        the image is built without it.
      - They are no inputs of the build. The classic builder takes images alone, Podman and Buildah nothing.
    type: list
    elements: dict
    default: []
    suboptions:
      type:
        description:
          - V(registry) is an image with its cache, or a cache by itself, which the engine asks for where it does not hold it.
          - V(local) is a directory where the task runs.
        type: str
        choices: [registry, local]
        default: registry
      reference:
        description: The image or the cache, with its tag or digest, required for O(cache_from[].type=registry).
        type: str
      path:
        description: Absolute path of the directory, required for O(cache_from[].type=local).
        type: path
  cache_to:
    description:
      - Where the cache of a build is kept for O(cache_from) of other builders.
      - It is no input, so it is there from the next build on. One that cannot be written fails the build.
    type: dict
    suboptions:
      type:
        description:
          - V(inline) keeps it in the image. BuildKit of an engine with Docker's own image store can do no other. The classic
            builder, Podman and Buildah can do none.
          - V(registry) keeps it in a registry, by the login in O(registry) where that is it, else by the docker command's. It
            is the builder that speaks to the registry, and has to trust it.
          - V(local) keeps it in a directory where the task runs, beside what it keeps there already.
        type: str
        choices: [inline, registry, local]
        required: true
      reference:
        description: The name of the cache with its tag, required for O(cache_to.type=registry).
        type: str
      path:
        description: Absolute path of the directory, required for O(cache_to.type=local). It can be nowhere in O(source).
        type: path
      mode:
        description:
          - V(min) keeps the steps whose results are in the image, V(max) all, as those of the stages that others copy from.
        type: str
        choices: [min, max]
        default: min
      image_manifest:
        description: Whether the cache is kept in the form of an image, which some registries ask for.
        type: bool
        default: false
  annotations:
    description:
      - Annotations of the image's manifest, and of the list where there are several platforms. They are inputs of the build.
      - An engine of Docker has to keep its images in containerd's store, but for O(output=layout) and O(output=registry). Podman
        and Buildah write an image with annotations in OCI's format, which has no health checks.
    type: dict
    default: {}
  provenance:
    description:
      - Whether BuildKit attests how the image was built, with the least of what it knows (V(min)) or all of it (V(max)), which
        includes the build arguments. It is an input of the build.
      - An attestation gives each build another digest. An image that is the same but for that is no change, and the one that
        there was is kept, but for images of several platforms.
      - An engine of Docker has to keep its images in containerd's store. The other builders have none.
    type: str
    choices: [none, min, max]
    default: none
  network:
    description:
      - The network of RUN instructions. BuildKit knows V(none), V(host) and V(default); the others an engine's networks by their
        names. Without it the engine's default. It is no input.
    type: str
  output:
    description:
      - Where the image is to be - in the engine, in an OCI layout, see O(layout), or in a registry, see O(registry). There the
        decision to build is made as well - by what the image records that has the name in the layout or the registry.
      - To a layout or a registry the image goes by way of the host where the task runs. So it is there that the registry's
        authority and login are needed, not in the engine. Nothing of it stays in the engine but its build cache, and none of
        its names are given there.
      - With V(layout) and V(registry) there may be several O(platforms), which become an index, also with an engine that keeps
        its images in Docker's own store and with Podman and Buildah, if the image stands on no base image.
      - An image of the same inputs is found under any other tag of O(name), too, and gets the new one without a build. In a
        registry, which cannot be searched, that is the one that was last built from these inputs on this controller.
    type: str
    choices: [engine, layout, registry]
    default: engine
  sbom:
    description:
      - An image, with its tag or digest, that lists what the image has, as V(docker.io/docker/buildkit-syft-scanner:1) does.
        BuildKit runs it at the build's end and attests what it lists. It is an input of the build, by this name.
      - What holds of O(provenance) holds of it, too.
    type: str
  source_date_epoch:
    description:
      - A number of seconds since 1970, which the image and what is made in it get as their time, as far as the builder can do
        that. It is an input of the build.
      - The image is then built twice, the second time without the cache, and RV(reproducible) tells whether the same came out.
      - Buildah sets the time of every file. BuildKit of Docker 23 or newer sets that of the image, but not of what is in its
        layers; an older one and the classic builder set none.
    type: int
  pull_base:
    description:
      - V(missing) pulls base images that the engine does not hold.
      - V(newer) has the engine also ask the registries of those it holds. It pulls one whose registry serves another
        digest under the same tag, and one that it does not hold, and the image is built anew on them.
      - With V(newer) a base image that is named by its digest, or that came from no registry and went to none, is taken
        as it is. With O(rebuild=never) nothing is pulled where there is an image.
      - V(never) pulls nothing. When an image has to be built and a base image is missing, the task fails, also in check
        mode.
      - Credentials are those of the docker command's configuration.
    type: str
    choices: [missing, newer, never]
    default: missing
"""
