# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Which objects of a release nobody needs any more."""

from __future__ import annotations

import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.workload.manifests import MANAGED_BY, RELEASE_LABEL
from ansible_collections.longshore.delivery.plugins.module_utils.workload.release import Json

Name = t.Tuple[str, str]


def is_owned(item: t.Mapping[str, t.Any], release: str) -> bool:
    """Whether an object carries both labels of a release. Nothing else is ever deleted."""
    labels = item.get("metadata", {}).get("labels") or {}
    return labels.get(RELEASE_LABEL) == release and labels.get("app.kubernetes.io/managed-by") == MANAGED_BY


def used_by(template: t.Mapping[str, t.Any]) -> t.Set[Name]:
    """The ConfigMaps and Secrets that the pods of a template read, as (kind, name)."""
    spec = template.get("spec") or {}
    found: t.Set[Name] = {("Secret", item["name"]) for item in spec.get("imagePullSecrets") or []}
    for container in [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]:
        for source in container.get("envFrom") or []:
            for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                if field in source:
                    found.add((kind, source[field]["name"]))
    return found


def leftovers(
    existing: t.Mapping[Name, Json], wanted: t.Iterable[Json], revisions: t.Iterable[Json], release: str
) -> t.List[Name]:
    """The objects to remove, as (kind, name).

    :param existing: what carries the release's label (metadata is enough), by kind and name.
    :param wanted: the objects that the release is made of now.
    :param revisions: the Deployment's ReplicaSets: what these name stays, so that earlier pods restart and a rollback works.
    """
    keep: t.Set[Name] = {(item["kind"], item["metadata"]["name"]) for item in wanted}
    for revision in revisions:
        keep |= used_by(revision["spec"]["template"])
    return sorted(name for name, item in existing.items() if is_owned(item, release) and name not in keep)
