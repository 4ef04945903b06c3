# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The options of image_build, checked as far as they can be without looking at a file or an engine."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.bases import PULL_BASE
from ansible_collections.longshore.delivery.plugins.module_utils.build.build_cache import (
    CACHE_FROM_SPEC,
    CACHE_TO_SPEC,
    CachePlace,
    CacheSource,
    CacheTarget,
    cache_sources,
    cache_target,
    tagged,
)
from ansible_collections.longshore.delivery.plugins.module_utils.build.find_engine import ENGINES
from ansible_collections.longshore.delivery.plugins.module_utils.build.named_contexts import NamedContext
from ansible_collections.longshore.delivery.plugins.module_utils.build.output import ENGINE, LAYOUT, OUTPUTS, REGISTRY
from ansible_collections.longshore.delivery.plugins.module_utils.build.run_secrets import Secret, SshAgent
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import (
    ADDRESS_SPEC,
    DockerAddress,
)
from ansible_collections.longshore.delivery.plugins.module_utils.image.names import Glob
from ansible_collections.longshore.delivery.plugins.module_utils.image.recorded_inputs import OWN_LABELS
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import AUTO, DOCKER
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import (
    REGISTRY_SPEC,
    RegistrySettings,
    registry_of,
)

_ARGUMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_GATEWAY = "host-gateway"  # for the engine: the address of its host
_HOST_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?\Z")
_PLATFORM = re.compile(r"[a-z0-9]+/[a-z0-9_]+(/[a-z0-9]+)?\Z")
_BUILDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\Z")
_SECRET_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\Z")

SECRET_SPEC: t.Dict[str, t.Any] = dict(
    type="list",
    elements="dict",
    no_log=False,
    options=dict(
        id=dict(type="str", required=True),
        file=dict(type="path"),
        env=dict(type="str"),
        value=dict(type="str", no_log=True),
    ),
    mutually_exclusive=[("file", "env", "value")],
    required_one_of=[("file", "env", "value")],
)

SSH_SPEC: t.Dict[str, t.Any] = dict(
    type="list", elements="dict", options=dict(id=dict(type="str", default="default"), path=dict(type="path"))
)

ARGUMENT_SPEC: t.Dict[str, t.Any] = dict(
    name=dict(type="str", required=True),
    tags=dict(type="list", elements="str", default=[]),
    immutable=dict(type="list", elements="str", default=[]),
    source=dict(type="path", required=True),
    contexts=dict(type="dict", default={}),
    dockerfile=dict(type="path", default="Dockerfile"),
    dockerfile_inline=dict(type="str"),
    args=dict(type="dict", default={}),
    target=dict(type="str"),
    labels=dict(type="dict", default={}),
    source_revision=dict(type="bool", default=False),
    secrets=SECRET_SPEC,
    network=dict(type="str"),
    extra_hosts=dict(type="dict", default={}),
    ssh=SSH_SPEC,
    no_cache=dict(type="bool", default=False),
    cache_from=CACHE_FROM_SPEC,
    cache_to=CACHE_TO_SPEC,
    platforms=dict(type="list", elements="str", default=[]),
    annotations=dict(type="dict", default={}),
    provenance=dict(type="str", choices=["none", "min", "max"], default="none"),
    sbom=dict(type="str"),
    source_date_epoch=dict(type="int"),
    pull_base=dict(type="str", choices=list(PULL_BASE), default="missing"),
    rebuild=dict(type="str", choices=["auto", "always", "never"], default="auto"),
    engine=dict(type="str", choices=list(ENGINES), default="auto"),
    builder=dict(type="str"),
    output=dict(type="str", choices=list(OUTPUTS), default=ENGINE),
    layout=dict(type="path"),
    registry=REGISTRY_SPEC,
    **ADDRESS_SPEC,
)

CONSTRAINTS: t.Dict[str, t.Any] = dict(
    mutually_exclusive=[("dockerfile", "dockerfile_inline")], required_if=[("output", LAYOUT, ("layout",))]
)


class InvalidOption(DeliveryError):
    """An option that cannot be; the message names it."""


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What the user wants: an image under these references, made from these things.

    :param registry: that the image is to go to; None where it goes to none.
    :param cache_login: the registry of a cache, where its login is given; None where the docker command's own has to do.
    :param coming: references that the engine will have by then, of images that are built or named before, with the IDs of
        those; None of one that is to be built. It counts in check mode.
    :param served: references that a registry serves by then, of images that were brought there before, with the digests of each
        by their kinds, of what stands for its name first; none of one that is to be built in check mode.
    :param names_later: whether the image gets its names when it has been judged, not here.
    """

    references: t.Tuple[Reference, ...]
    immutable: t.Tuple[Glob, ...]
    source: str
    contexts: t.Tuple[NamedContext, ...]
    dockerfile: str
    dockerfile_inline: t.Optional[str]
    args: t.Dict[str, str]
    target: str
    labels: t.Dict[str, str]
    source_revision: bool
    secrets: t.Tuple[Secret, ...]
    network: str
    extra_hosts: t.Dict[str, str]
    ssh: t.Tuple[SshAgent, ...]
    no_cache: bool
    cache_from: t.Tuple[CacheSource, ...]
    cache_to: t.Optional[CacheTarget]
    cache_login: t.Optional[RegistrySettings]
    platforms: t.Tuple[str, ...]
    annotations: t.Dict[str, str]
    provenance: str
    sbom: t.Optional[Reference]
    source_date_epoch: t.Optional[int]
    pull_base: str
    rebuild: str
    engine: str
    address: DockerAddress
    builder: str
    output: str
    layout: str
    registry: t.Optional[RegistrySettings]
    coming: t.Mapping[str, t.Optional[str]] = dataclasses.field(default_factory=dict)
    served: t.Mapping[str, t.Tuple[str, ...]] = dataclasses.field(default_factory=dict)
    names_later: bool = False

    @classmethod
    def from_params(cls, params: t.Mapping[str, t.Any]) -> Wanted:
        """Make it from the validated options.

        :raises DeliveryError: one of them cannot be.
        """
        labels = _texts("labels", params["labels"])
        own = next((name for name in OWN_LABELS if name in labels), None)
        if own:
            raise InvalidOption(
                "The label %s in 'labels' is the one in which the inputs are recorded. Leave it away." % own
            )
        args = _texts("args", params["args"])
        for name in args:
            if not _ARGUMENT_NAME.match(name):
                raise InvalidOption(
                    "'args' has %r, which is no name of a build argument: letters, digits and _ are allowed." % name
                )
        contexts = tuple(NamedContext.parse(str(name), str(text)) for name, text in params["contexts"].items())
        sources = [params["source"], *(named.directory for named in contexts if named.directory)]
        cache_from, cache_to = cache_sources(params["cache_from"]), cache_target(params["cache_to"], sources)
        registry, reference = None, None
        if params["output"] == REGISTRY:
            registry, reference = registry_of(params["name"], params["registry"])
            registry = dataclasses.replace(registry, endpoint=reference.endpoint)
        return cls(
            references=_references(reference or Reference.parse(params["name"]), params["tags"]),
            immutable=tuple(Glob.parse(text, "immutable") for text in params["immutable"]),
            source=params["source"],
            contexts=contexts,
            dockerfile=params["dockerfile"],
            dockerfile_inline=params["dockerfile_inline"],
            args=args,
            target=params["target"] or "",
            labels=labels,
            source_revision=params["source_revision"],
            secrets=_secrets(params["secrets"] or ()),
            network=params["network"] or "",
            extra_hosts=_extra_hosts(params["extra_hosts"]),
            ssh=_ssh(params["ssh"] or ()),
            no_cache=params["no_cache"],
            cache_from=cache_from,
            cache_to=cache_to,
            cache_login=_login([*cache_from, *filter(None, (cache_to,))], params["registry"]),
            platforms=_platforms(params["platforms"]),
            annotations=_texts("annotations", params["annotations"]),
            provenance=params["provenance"] if params["provenance"] != "none" else "",
            sbom=tagged("sbom", params["sbom"]) if params["sbom"] else None,
            source_date_epoch=_epoch(params["source_date_epoch"]),
            pull_base=params["pull_base"],
            rebuild=params["rebuild"],
            engine=params["engine"],
            address=DockerAddress.find(params["docker_host"], params["docker_cert_path"]),
            builder=_builder(params["builder"] or "", params["engine"]),
            output=params["output"],
            layout=params["layout"] or "",
            registry=registry,
            coming=params.get("coming", {}),
            served=params.get("served", {}),
            names_later=params.get("names_later", False),
        )

    @property
    def name(self) -> str:
        """Registry and repository."""
        return self.references[0].name


def _references(reference: Reference, tags: t.Sequence[str]) -> t.Tuple[Reference, ...]:
    if reference.digest is not None:
        raise InvalidOption(
            "The name %s has a digest, which comes from a build and cannot be asked for. Leave it away and set 'tags'."
            % reference
        )
    found = [] if reference.tag is None else [reference]
    found += [reference.with_tag(tag) for tag in tags]
    if not found:
        raise InvalidOption("The image %s has no tag. Set 'tags'; 'latest', too, has to be asked for." % reference)
    return tuple(dict.fromkeys(found))


def _texts(option: str, values: t.Mapping[str, t.Any]) -> t.Dict[str, str]:
    """Texts and whole numbers, as texts: YAML reads 3.10 as 3.1, and yes as true."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            raise InvalidOption("%s.%s is %r, which is no text. Write it in quotes." % (option, name, value))
        if "\0" in str(value) or not str(name) or "=" in str(name):
            raise InvalidOption("%s.%s is no name, or has no value, that an image can hold." % (option, name))
    return {str(name): str(value) for name, value in values.items()}


def _secrets(given: t.Sequence[t.Mapping[str, t.Any]]) -> t.Tuple[Secret, ...]:
    found: t.Dict[str, Secret] = {}
    for options in given:
        secret = Secret(options["id"], options.get("file"), options.get("env"), options.get("value"))
        if not _SECRET_ID.match(secret.id):
            raise InvalidOption("The secret's id %r may hold letters, digits, '_', '.' and '-' only." % secret.id)
        if secret.id in found:
            raise InvalidOption("'secrets' has two with the id %s. Leave one away." % secret.id)
        found[secret.id] = secret
    return tuple(found.values())


def _ssh(given: t.Sequence[t.Mapping[str, t.Any]]) -> t.Tuple[SshAgent, ...]:
    found: t.Dict[str, SshAgent] = {}
    for options in given:
        agent = SshAgent(options["id"], options.get("path") or "")
        if not _SECRET_ID.match(agent.id):
            raise InvalidOption("The id %r in 'ssh' may hold letters, digits, '_', '.' and '-' only." % agent.id)
        if agent.id in found:
            raise InvalidOption("'ssh' has two with the id %s. Leave one away." % agent.id)
        if "," in agent.path:
            raise InvalidOption("The path %r in 'ssh' has a comma, which buildx takes for the end of it." % agent.path)
        found[agent.id] = agent
    return tuple(found.values())


def _extra_hosts(given: t.Mapping[str, t.Any]) -> t.Dict[str, str]:
    for name, address in given.items():
        if not _HOST_NAME.match(str(name)):
            raise InvalidOption("'extra_hosts' has %r, which is no name of a host." % name)
        if address == _GATEWAY:
            continue
        try:
            ipaddress.ip_address(str(address))
        except ValueError:
            raise InvalidOption(
                "extra_hosts.%s is %r, which is no IP address, such as 192.0.2.1 or 2001:db8::1, nor %s."
                % (name, address, _GATEWAY)
            ) from None
    return {str(name): str(address) for name, address in given.items()}


def _platforms(given: t.Sequence[str]) -> t.Tuple[str, ...]:
    for text in given:
        if not _PLATFORM.match(text):
            raise InvalidOption("'platforms' has %r. Write each as linux/amd64 or linux/arm/v7." % text)
    return tuple(dict.fromkeys(given))


def _builder(name: str, engine: str) -> str:
    if name and engine not in (AUTO, DOCKER):
        raise InvalidOption(
            "'builder' is %s, one of buildx, which is Docker's, and 'engine' is %s. Leave one of them away."
            % (name, engine)
        )
    if name and not _BUILDER.match(name):
        raise InvalidOption("'builder' is %r, which is no name of a builder; 'docker buildx ls' shows them." % name)
    return name


def _epoch(seconds: t.Optional[int]) -> t.Optional[int]:
    if seconds is not None and seconds < 0:
        raise InvalidOption("source_date_epoch is %d; it is a number of seconds since 1970." % seconds)
    return seconds


def _login(caches: t.Sequence[CachePlace], given: t.Optional[t.Mapping[str, t.Any]]) -> t.Optional[RegistrySettings]:
    """The given registry, if a cache is in it and it has a login."""
    references = [cache.reference for cache in caches if cache.reference]
    registry = RegistrySettings.from_params(given) if given and references else None
    if registry is None or registry.username is None:
        return None
    own = (reference.endpoint.same_server(registry.endpoint, registry.scheme) for reference in references)
    return registry if any(own) else None
