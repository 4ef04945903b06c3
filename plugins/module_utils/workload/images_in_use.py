# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.
"""Which images a cluster uses, or would use again: those of pods, and of all from which pods are made, earlier revisions too."""

from __future__ import annotations

import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.workload.cluster import Cluster
from ansible_collections.longshore.delivery.plugins.module_utils.workload.release import Json

# By ReplicaSets and ControllerRevisions, Deployments, StatefulSets and DaemonSets are rolled back. A CronJob makes Jobs later on.
KINDS = (
    "Pod",
    "ReplicationController",
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "DaemonSet",
    "ControllerRevision",
    "CronJob",
    "Job",
)
_PAGE = "500"


def images_in_use(
    kubeconfig: t.Optional[str], context: t.Optional[str]
) -> t.Tuple[str, t.Dict[str, t.Dict[str, None]]]:
    """Ask a cluster.

    :returns: what messages call it, and by each image as it is named there, those that use it.
    :raises ClusterError: it cannot be asked for all of that.
    """
    found: t.Dict[str, t.Dict[str, None]] = {}
    with Cluster(kubeconfig, context) as cluster:
        for kind in KINDS:
            for item in _listed(cluster, kind):
                metadata = item["metadata"]
                who = "%s %s/%s" % (kind, metadata.get("namespace", ""), metadata["name"])
                for image in named_in(item):
                    found.setdefault(image, {})[who] = None
        return "the cluster at %s" % cluster.server, found


def named_in(value: t.Any) -> t.Iterator[str]:
    """All images that are named in an object, wherever its kind has them: of containers, of their states, of volumes."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key in ("image", "imageID") and isinstance(item, str) and item:
                yield item
            elif key == "image" and isinstance(item, dict) and isinstance(item.get("reference"), str):
                yield item["reference"]  # a volume that is an image
            else:
                yield from named_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from named_in(item)


def _listed(cluster: Cluster, kind: str) -> t.Iterator[Json]:
    following = ""
    while True:
        page = cluster.list(kind, None, {"limit": _PAGE, **({"continue": following} if following else {})})
        yield from page["items"]
        following = (page.get("metadata") or {}).get("continue") or ""
        if not following:
            return
