# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.
"""Delete images of a registry that no rule keeps and that nothing uses."""

from __future__ import annotations

import datetime
import functools
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Capability, Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.retention_contents import Repository
from ansible_collections.longshore.delivery.plugins.module_utils.registry.retention_deletion import (
    RetentionError,
    note,
    see_that_it_deletes,
    see_that_it_is_done,
    see_that_no_tag_came,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.retention_look import (
    look_at,
    look_further,
    names_of,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.retention_plan import (
    Going,
    RetentionPlan,
    plan_retention,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.retention_rules import RULE_SPEC, Rules
from ansible_collections.longshore.delivery.plugins.module_utils.registry.retention_use import InUse
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import (
    REGISTRY_SPEC,
    RegistrySettings,
)

REQUIRED, NONE = "required", "none"
# Given a kubeconfig and a context, who is asked, and by the images that are used, as they are named there, who uses each.
ClusterUse = t.Callable[[t.Optional[str], t.Optional[str]], t.Tuple[str, t.Mapping[str, t.Iterable[str]]]]


def registry_prune(cluster_use: t.Callable[[], ClusterUse], cluster_spec: t.Dict[str, t.Any]) -> Capability:
    """The capability.

    :param cluster_use: brings along what asks a cluster.
    :param cluster_spec: the options that name one.
    """
    return Capability(
        run=functools.partial(_run, cluster_use),
        argument_spec={
            "registry": {**REGISTRY_SPEC, "required": True},
            "rules": {**RULE_SPEC, "required": True},
            "cluster": {"type": "str", "choices": [REQUIRED, NONE], "default": REQUIRED},
            **cluster_spec,
            "in_use": {"type": "dict"},
            "timeout": {"type": "int", "default": 10},
        },
        needs=("kubernetes",),
    )


def _run(cluster_use: t.Callable[[], ClusterUse], params: t.Dict[str, t.Any], context: Context) -> t.Dict[str, t.Any]:
    """Observe the registry and who uses it, plan, delete, ask the registry again.

    :raises DeliveryError: an option cannot be meant, somebody cannot be asked, or the registry refuses.
    """
    settings, timeout = RegistrySettings.from_params(params["registry"]), params["timeout"]
    rules = Rules.from_params(params["rules"], datetime.datetime.now(datetime.timezone.utc))
    in_use = InUse()
    in_use.add_hosts(params["in_use"] or {})
    names = names_of(settings, rules, timeout, context.warn)
    with RegistryClient(settings, timeout) as client:
        see_that_it_deletes(client, [name for name in names if rules.of(name)])
    found = look_at(settings, names, timeout, context.progress)
    # after the registry: what was deployed meanwhile is known, too
    if params["cluster"] == REQUIRED:
        _ask(cluster_use(), params, in_use)
    elif not in_use.asked:
        context.warn(
            "registry_prune: nobody was asked what is in use. By the rules alone an image may go that runs, or that would be "
            "rolled back to."
        )
    look_further(settings, [one for one in found.values() if rules.of(one.name)], in_use, timeout)
    plan = plan_retention(list(found.values()), rules, in_use)
    for repository in found.values():
        if repository.unread and rules.of(repository.name):
            context.warn(
                "Registry %s: nothing goes in %s, since it is not known what %s needs. Push that again, or delete it."
                % (settings.endpoint, repository.name, "; ".join(repository.unread))
            )
    if not context.check and plan.going:
        _delete(settings, plan, found, timeout, context)
    return _result(plan, settings, in_use, context)


def _ask(cluster_use: ClusterUse, params: t.Mapping[str, t.Any], in_use: InUse) -> None:
    try:
        who, images = cluster_use(params["kubeconfig"], params["kube_context"])
    except DeliveryError as error:
        raise RetentionError(
            "It is not known what the cluster uses, so nothing is deleted. %s With 'cluster: none' no cluster is asked."
            % error,
            **error.facts,
        ) from None
    in_use.asked.append(who)
    for image, users in images.items():
        for user in users:
            in_use.add(image, user)


def _delete(
    settings: RegistrySettings,
    plan: RetentionPlan,
    found: t.Mapping[str, Repository],
    timeout: float,
    context: Context,
) -> None:
    done: t.List[Going] = []
    try:
        with RegistryClient(settings, timeout) as client:
            for name in plan.repositories:
                going = plan.of(name)
                see_that_no_tag_came(client, found[name], going)
                noted = note(client, name, going)
                for one in going:
                    context.progress("%s: deleting %s" % (name, ", ".join(one.tags) or one.digest))
                    client.delete_manifest(name, ManifestDigest.parse(one.digest))
                    done.append(one)
                if noted is not None:
                    client.delete_manifest(name, noted)
                see_that_it_is_done(client, found[name], going)
    except DeliveryError as error:
        error.facts.update(changed=bool(done), removed=[one.shown() for one in done])
        raise


def _result(plan: RetentionPlan, settings: RegistrySettings, in_use: InUse, context: Context) -> t.Dict[str, t.Any]:
    result: t.Dict[str, t.Any] = {
        "changed": bool(plan.going),
        "removed": [one.shown() for one in plan.going],
        "kept": [one.shown() for one in plan.staying],
        "bytes_freed": plan.bytes_freed,
        "asked": in_use.asked,
    }
    if context.diff:
        lines = [
            "%s %s\n" % (name, one.digest)
            for one in plan.going
            for name in ["%s:%s" % (one.repository, tag) for tag in one.tags] or [one.repository]
        ]
        header = "images in %s" % settings.endpoint
        result["diff"] = {"before_header": header, "after_header": header, "before": "".join(lines), "after": ""}
    return result
