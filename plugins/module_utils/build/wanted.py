# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The options of image_build, checked as far as they can be without looking at a file or an engine."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.bases import PULL_BASE
from ansible_collections.longshore.delivery.plugins.module_utils.build.buildx import Secret
from ansible_collections.longshore.delivery.plugins.module_utils.build.inputs import OWN_LABELS
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import (
    ADDRESS_SPEC,
    DockerAddress,
)
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference

_ARGUMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
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

ARGUMENT_SPEC: t.Dict[str, t.Any] = dict(
    name=dict(type="str", required=True),
    tags=dict(type="list", elements="str", default=[]),
    source=dict(type="path", required=True),
    dockerfile=dict(type="path", default="Dockerfile"),
    args=dict(type="dict", default={}),
    target=dict(type="str"),
    labels=dict(type="dict", default={}),
    secrets=SECRET_SPEC,
    network=dict(type="str"),
    pull_base=dict(type="str", choices=list(PULL_BASE), default="missing"),
    rebuild=dict(type="str", choices=["auto", "always", "never"], default="auto"),
    engine=dict(type="str", choices=["auto", "docker"], default="auto"),
    **ADDRESS_SPEC,
)


class InvalidOption(DeliveryError):
    """An option that cannot be; the message names it."""


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What the user wants: an image under these references, made from these things."""

    references: t.Tuple[Reference, ...]
    source: str
    dockerfile: str
    args: t.Dict[str, str]
    target: str
    labels: t.Dict[str, str]
    secrets: t.Tuple[Secret, ...]
    network: str
    pull_base: str
    rebuild: str
    address: DockerAddress

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
        return cls(
            references=_references(params["name"], params["tags"]),
            source=params["source"],
            dockerfile=params["dockerfile"],
            args=args,
            target=params["target"] or "",
            labels=labels,
            secrets=_secrets(params["secrets"] or ()),
            network=params["network"] or "",
            pull_base=params["pull_base"],
            rebuild=params["rebuild"],
            address=DockerAddress.find(params["docker_host"], params["docker_cert_path"]),
        )

    @property
    def name(self) -> str:
        """Registry and repository."""
        return self.references[0].name


def _references(name: str, tags: t.Sequence[str]) -> t.Tuple[Reference, ...]:
    reference = Reference.parse(name)
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
