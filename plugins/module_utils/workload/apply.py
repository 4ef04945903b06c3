# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""From the objects of a release to the cluster's: what the server would make of them, then only what differs."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.workload.cluster import FIELD_MANAGER, Cluster
from ansible_collections.longshore.delivery.plugins.module_utils.workload.cluster_errors import ApiFault, ClusterError
from ansible_collections.longshore.delivery.plugins.module_utils.workload.difference import differs
from ansible_collections.longshore.delivery.plugins.module_utils.workload.leftovers import is_owned, leftovers
from ansible_collections.longshore.delivery.plugins.module_utils.workload.manifests import RELEASE_LABEL
from ansible_collections.longshore.delivery.plugins.module_utils.workload.release import Json
from ansible_collections.longshore.delivery.plugins.module_utils.workload.replicas import keeping_replicas

CREATED, UPDATED, UNCHANGED, REMOVED = "created", "updated", "unchanged", "removed"
# what a release may leave behind; its Deployment never is, as each release has one
_PRUNED_KINDS = ("Service", "ConfigMap", "Secret")


@dataclasses.dataclass(frozen=True)
class Step:
    """What becomes of one object. C(after) is the server's own answer to a dry run, None for a removal; C(wanted) is what is yet
    to be sent.
    """

    action: str
    kind: str
    name: str
    namespace: t.Optional[str]
    before: t.Optional[Json] = dataclasses.field(default=None, repr=False)
    after: t.Optional[Json] = dataclasses.field(default=None, repr=False)
    wanted: t.Optional[Json] = dataclasses.field(default=None, repr=False)

    @property
    def changes(self) -> bool:
        return self.action != UNCHANGED

    def summary(self) -> t.Dict[str, str]:
        """The step as the result shows it."""
        return {"kind": self.kind, "name": self.name, "action": self.action}


def made_namespace(cluster: Cluster, namespace: str, check: bool) -> t.Optional[Step]:
    """Make the namespace where there is none, or with C(check) only ask whether it could be made.

    The server does not try anything in a namespace that is not there, so this comes before the plan of what goes into it. It is
    not unmade when that is refused: whatever others have put there by then would go with it.

    :returns: None for one that is there, also when somebody else has just been quicker. It is never touched.
    """
    if cluster.get("Namespace", None, namespace) is not None:
        return None
    wanted: Json = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    try:
        made = cluster.create(wanted, dry_run=check)
    except ApiFault as fault:
        if fault.reason == "AlreadyExists":
            return None
        raise
    return Step(CREATED, "Namespace", namespace, None, None, made)


def plan_objects(cluster: Cluster, objects: t.Sequence[Json], force: bool) -> t.List[Step]:
    """Ask the server what each object would become, by a dry run: admission, validation and conflicts show here.

    :raises ApiFault: the server would refuse one; nothing has been changed.
    """
    return [_planned(cluster, wanted, force) for wanted in objects]


def _planned(cluster: Cluster, wanted: Json, force: bool) -> Step:
    kind, name, namespace = wanted["kind"], wanted["metadata"]["name"], wanted["metadata"]["namespace"]
    before = cluster.get(kind, namespace, name)
    if before and "deletionTimestamp" in before["metadata"]:
        raise ClusterError(
            "%s %s in namespace %s is being deleted. Wait until it is gone, then run the task again."
            % (kind, name, namespace)
        )
    wanted = keeping_replicas(wanted, before, FIELD_MANAGER)
    after = cluster.apply(wanted, dry_run=True, force=force)
    changes = differs(before, after, FIELD_MANAGER)
    action = CREATED if before is None else UPDATED if changes else UNCHANGED
    return Step(action, kind, name, namespace, before, after, wanted)


def offline_steps(objects: t.Sequence[Json]) -> t.List[Step]:
    """The plan where the namespace does not exist yet: the server refuses dry runs there, so that all is new as written."""
    return [
        Step(CREATED, item["kind"], item["metadata"]["name"], item["metadata"]["namespace"], None, item, item)
        for item in objects
    ]


def removal_steps(
    cluster: Cluster,
    namespace: str,
    release: str,
    objects: t.Sequence[Json],
    everything: bool,
    keep_revisions: bool = True,
) -> t.List[Step]:
    """What carries the release's label and is none of its objects any more.

    :param everything: also configuration and secrets of earlier revisions. Only beside another change: the Deployment controller
        drops revisions some time after a rollout, and a run without a change shall find nothing to do.
    :param keep_revisions: but not of those that the Deployment still has, to which it could go back.
    """
    selector = {"labelSelector": "%s=%s" % (RELEASE_LABEL, release)}
    existing = {
        (kind, item["metadata"]["name"]): {**item, "kind": kind, "apiVersion": "v1"}
        for kind in _PRUNED_KINDS
        for item in cluster.list(kind, namespace, selector, metadata_only=True)["items"]
    }
    names = leftovers(existing, objects, [], release)
    if not everything:
        names = [name for name in names if not _is_of_a_revision(name[0], name[1], release)]
    elif names and keep_revisions:
        revisions = cluster.list("ReplicaSet", namespace, selector)["items"]
        live = cluster.get("Deployment", namespace, release)  # its ReplicaSet may be yet to come
        names = leftovers(existing, objects, revisions + ([live] if live else []), release)
    return [Step(REMOVED, kind, name, namespace, existing[kind, name]) for kind, name in names]


def deployment_removal(cluster: Cluster, namespace: str, release: str) -> t.List[Step]:
    """The removal of a release's Deployment; empty when there is none.

    :raises ClusterError: there is one of that name which is not the release's.
    """
    found = cluster.get("Deployment", namespace, release)
    if found is None:
        return []
    if not is_owned(found, release):
        raise ClusterError(
            "Deployment %s in namespace %s was not made by this module (its labels say so). Nothing has been removed; remove it "
            "by what made it." % (release, namespace)
        )
    return [Step(REMOVED, "Deployment", release, namespace, found)]


def _is_of_a_revision(kind: str, name: str, release: str) -> bool:
    return (kind, name.rpartition("-")[0]) in (("ConfigMap", release + "-config"), ("Secret", release + "-secrets"))


def carry_out(cluster: Cluster, steps: t.Iterable[Step], force: bool) -> t.List[Json]:
    """Do what the plan says, in its order; the objects as the server then has them, without those removed."""
    objects = []
    for step in steps:
        if step.action == REMOVED:
            cluster.delete(step.kind, step.namespace, step.name)
        elif step.action == UNCHANGED:
            objects.append(step.after or {})
        elif step.wanted:
            objects.append(cluster.apply(step.wanted, dry_run=False, force=force))
    return objects
