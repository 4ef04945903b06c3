# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.
"""What a registry has, and how it is. Changes nothing."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Capability, Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.query import Query
from ansible_collections.longshore.delivery.plugins.module_utils.registry.condition import Condition, condition_of
from ansible_collections.longshore.delivery.plugins.module_utils.registry.served import ServedTag
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import (
    REGISTRY_SPEC,
    RegistrySettings,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.walk import Walk, Wanted, check_named

NONE, REPOSITORIES, TAGS, IMAGES = "none", "repositories", "tags", "images"
_NARROWING = ("repositories", "tags", "query")
_SOON = 14  # days before a certificate's end at which it is said


class InvalidContents(DeliveryError):
    """Options that select contents and cannot be meant as they are."""


def run(params: t.Dict[str, t.Any], context: Context) -> t.Dict[str, t.Any]:
    """Look at a registry.

    :raises DeliveryError: an option cannot be meant, the contents cannot be read, or there is a problem and that is to fail.
    """
    settings = RegistrySettings.from_params(params["registry"])
    depth = _depth(params)
    if params["write_to"] is not None:
        check_named(params["write_to"], "write_to")
    wanted = Wanted(tuple(params["repositories"] or ()), tuple(params["tags"] or ()))
    query = Query(params["query"], "tag", "name") if params["query"] else None
    condition = condition_of(settings, params["timeout"], params["write_to"])
    now = time.time()
    seen = condition.shown(now)
    if condition.problems and params["fail_on_problem"]:
        raise DeliveryError(
            " ".join(problem.message for problem in condition.problems),
            registry_endpoint=str(settings.endpoint),
            registry_error=condition.problems[0].kind,
            **seen,
        )
    _warn_of_end(condition, now, context)
    contents: t.Dict[str, t.Any] = {"repositories": None, "tags": None}
    if depth != NONE and condition.can_be_read:
        with Walk(settings, wanted, timeout=params["timeout"]) as walk:
            contents = _contents(walk, depth, query, context)
    return {"changed": False, **seen, **contents}


def _depth(params: t.Mapping[str, t.Any]) -> str:
    """How far the contents are looked at: as far as what narrows them needs, where it is not said."""
    narrowing = [name for name in _NARROWING if params[name]]
    depth = params["contents"]
    if depth is None:
        return IMAGES if narrowing else NONE
    beyond = {NONE: narrowing, REPOSITORIES: [name for name in narrowing if name != "repositories"]}.get(depth, [])
    if beyond:
        raise InvalidContents(
            "contents is %s, and %s selects of what is then not looked at. Leave one of them away." % (depth, beyond[0])
        )
    return str(depth)


def _contents(walk: Walk, depth: str, query: t.Optional[Query], context: Context) -> t.Dict[str, t.Any]:
    counts: t.Dict[str, int] = {}
    repositories = list(walk.repositories())
    if depth == REPOSITORIES:
        return {"repositories": [{"name": name, "tags": None} for name in sorted(repositories)], "tags": None}

    def told() -> t.Iterator[t.Dict[str, t.Any]]:
        for one in _tags(walk, repositories, depth):
            if one.repository not in counts:
                context.progress("%s" % one.repository)
            counts[one.repository] = counts.get(one.repository, 0) + 1
            yield one.shown()

    tags = list(query.each(told(), context.warn) if query else told())
    tags.sort(key=lambda tag: (tag["repository"], tag["tag"]))
    return {
        "repositories": [{"name": name, "tags": counts.get(name, 0)} for name in sorted(repositories)],
        "tags": tags,
    }


def _tags(walk: Walk, repositories: t.Sequence[str], depth: str) -> t.Iterator[ServedTag]:
    if depth == IMAGES:
        return walk.images(repositories)
    return (ServedTag(repository, tag) for repository in repositories for tag in walk.tags(repository))


def _warn_of_end(condition: Condition, now: float, context: Context) -> None:
    left = condition.days_left(now)
    if left is not None and 0 <= left < _SOON:
        context.warn(
            "Registry %s: its certificate ends in %d days. Renew it before." % (condition.settings.endpoint, left)
        )


CAPABILITY = Capability(
    run=run,
    argument_spec={
        "registry": {**REGISTRY_SPEC, "required": True},
        "contents": {"type": "str", "choices": [NONE, REPOSITORIES, TAGS, IMAGES]},
        "repositories": {"type": "list", "elements": "str"},
        "tags": {"type": "list", "elements": "str"},
        "query": {"type": "str"},
        "write_to": {"type": "str"},
        "fail_on_problem": {"type": "bool", "default": False},
        "timeout": {"type": "int", "default": 10},
    },
)
