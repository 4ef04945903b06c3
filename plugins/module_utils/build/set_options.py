# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The options of image_set, and what they mean for the capabilities that it calls."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.output import ENGINE, REGISTRY
from ansible_collections.longshore.delivery.plugins.module_utils.build.wanted import ARGUMENT_SPEC as BUILD_SPEC
from ansible_collections.longshore.delivery.plugins.module_utils.build.wanted import CONSTRAINTS
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import ADDRESS_SPEC

AUTO, ALWAYS = "auto", "always"
# of image_build, but of all images alike
SHARED = ("rebuild", "engine", "registry", *ADDRESS_SPEC)
BUILD_OPTIONS = tuple(name for name in BUILD_SPEC if name not in SHARED)

ARGUMENT_SPEC: t.Dict[str, t.Any] = dict(
    images=dict(
        type="list",
        elements="dict",
        default=[],
        options=dict(
            **{name: BUILD_SPEC[name] for name in BUILD_OPTIONS},
            bases=dict(type="dict", default={}),
            depends_on=dict(type="list", elements="str", default=[]),
            audit=dict(type="dict"),
            trial=dict(type="dict"),
            trial_secrets=dict(type="dict", default={}, no_log=True),
            distribute=dict(type="str", choices=["nodes", "registry", "nowhere"]),
        ),
        **CONSTRAINTS,
    ),
    endpoint=dict(type="str", default=""),
    source_root=dict(type="path"),
    at_once=dict(type="int", default=4),
    judge=dict(type="str", choices=[AUTO, ALWAYS], default=AUTO),
    **{name: BUILD_SPEC[name] for name in SHARED},
)


class InvalidEntry(DeliveryError):
    """An image of the list that cannot be; the message names it."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """An image of the list.

    :param name: as the list has it, without the registry.
    :param build: options of image_build.
    :param audit: options of image_audit beside those that say which image; None where it is not audited.
    :param trial: likewise, of image_trial.
    :param trial_secrets: the option C(secrets) of image_trial.
    """

    name: str
    build: t.Dict[str, t.Any]
    depends_on: t.Tuple[str, ...]
    audit: t.Optional[t.Dict[str, t.Any]]
    trial: t.Optional[t.Dict[str, t.Any]]
    trial_secrets: t.Dict[str, t.Any]

    @classmethod
    def from_params(cls, given: t.Mapping[str, t.Any], params: t.Mapping[str, t.Any]) -> Entry:
        """:raises InvalidEntry: a gate is given what the list says itself, or lacks what it needs."""
        endpoint = params["endpoint"] or (params["registry"] or {}).get("endpoint")
        prefix = endpoint + "/" if endpoint else ""
        build = {name: given[name] for name in BUILD_OPTIONS}
        build.update({name: params[name] for name in SHARED})
        build["name"] = prefix + given["name"]
        build["source"] = os.path.join(params["source_root"] or "", given["source"])
        build["args"] = {**given["args"], **{name: prefix + str(base) for name, base in given["bases"].items()}}
        audit = _gate(given, "audit", ("store", "references", "registry", "layout", "archive"))
        if audit and audit.get("dockerfile"):
            audit["dockerfile"] = os.path.join(build["source"], str(audit["dockerfile"]))
        trial = _gate(given, "trial", ("image", "secrets"))
        for gate, judged in (("audit", (ENGINE, REGISTRY)), ("trial", (ENGINE,))):
            if given[gate] is not None and given["output"] not in judged:
                raise InvalidEntry(
                    "%s: '%s' is of an image in the %s, where it is judged before it gets its names, and 'output' is %s. Leave "
                    "'output' away and push the image when it has passed, or leave '%s' away and run image_%s later."
                    % (given["name"], gate, " or a ".join(judged), given["output"], gate, gate)
                )
        if given["trial_secrets"] and trial is None:
            raise InvalidEntry("%s: 'trial_secrets' goes with 'trial' only." % given["name"])
        return cls(
            name=given["name"],
            build=build,
            depends_on=tuple(given["depends_on"]),
            audit=audit,
            trial=trial,
            trial_secrets=given["trial_secrets"],
        )

    @property
    def in_registry(self) -> bool:
        """Whether the image goes to a registry, from where those that stand on it have it."""
        return bool(self.build["output"] == REGISTRY)

    @property
    def address(self) -> t.Dict[str, t.Any]:
        """Which engine has the image, as options of the gates."""
        return {name: self.build[name] for name in ADDRESS_SPEC}


def _gate(given: t.Mapping[str, t.Any], gate: str, own: t.Sequence[str]) -> t.Optional[t.Dict[str, t.Any]]:
    if given[gate] is None:
        return None
    wrong = [name for name in given[gate] if name in (*own, *ADDRESS_SPEC, "engine")]
    if wrong:
        instead = ", set 'trial_secrets'" if wrong[0] == "secrets" else ""
        raise InvalidEntry(
            "%s: '%s' has %r, which is what the list of images says itself%s. Leave it away."
            % (given["name"], gate, wrong[0], instead)
        )
    return dict(given[gate])
