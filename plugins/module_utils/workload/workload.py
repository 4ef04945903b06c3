# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The capability C(workload): one task is one release."""

from __future__ import annotations

import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Capability, Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.workload import apply, options, rollout, waiting
from ansible_collections.longshore.delivery.plugins.module_utils.workload.cluster import CLUSTER_SPEC, Cluster
from ansible_collections.longshore.delivery.plugins.module_utils.workload.difference import shown
from ansible_collections.longshore.delivery.plugins.module_utils.workload.images import resolve
from ansible_collections.longshore.delivery.plugins.module_utils.workload.manifests import RELEASE_LABEL, manifests
from ansible_collections.longshore.delivery.plugins.module_utils.workload.observed import (
    PodState,
    deployment_state,
    pod_state,
)
from ansible_collections.longshore.delivery.plugins.module_utils.workload.release import InvalidRelease, Json, Release
from ansible_collections.longshore.delivery.plugins.module_utils.workload.suspicion import Patience

Result = t.Dict[str, t.Any]


def run(params: t.Dict[str, t.Any], context: Context) -> Result:
    """Bring a release to the cluster, or take it away."""
    for option in ("wait_timeout", "ready_grace"):
        if params[option] < 1:
            raise InvalidRelease("%s is %d; the least is 1 second." % (option, params[option]))
    if params["state"] == "absent":
        return _remove(params, context)
    release, warnings = options.release_from(params)
    for warning in warnings:
        context.warn("%s: %s" % (release.name, warning))
    images = resolve(
        (item.image for item in release.containers),
        options.registry_from(params),
        params["pin"],
        foresee=context.warn if context.check else None,
    )
    with Cluster(params["kubeconfig"], params["kube_context"]) as cluster:
        return _deliver(cluster, release, images, params, context)


def _deliver(
    cluster: Cluster, release: Release, images: t.Mapping[str, str], params: t.Mapping[str, t.Any], context: Context
) -> Result:
    force, objects = params["take_ownership"], manifests(release, images)
    made = apply.made_namespace(cluster, release.namespace, context.check) if params["create_namespace"] else None
    try:
        steps, removals = _plan(cluster, release, objects, force, offline=bool(made) and context.check)
    except DeliveryError as error:
        if made:
            error.facts.update(changed=True, objects=[made.summary()])
            context.warn(
                "%s: the namespace %s was made for it, and stays. The next run uses it." % (release.name, made.name)
            )
        raise
    if made:
        steps.insert(0, made)
    everything = [*steps, *removals]
    result: Result = {
        "changed": any(step.changes for step in everything),
        "name": release.name,
        "namespace": release.namespace,
        "image": images[release.main.image],
        "digest": images[release.main.image].partition("@")[2] or None,
        "objects": [step.summary() for step in everything],
    }
    if context.diff:
        result["diff"] = [shown(step.before, step.after) for step in everything if step.changes]
    if context.check:
        return result
    try:
        applied = {(item["kind"], item["metadata"]["name"]): item for item in apply.carry_out(cluster, steps, force)}
        result.update(_address(applied.get(("Service", release.name))))
        pods = _pods(cluster, release, applied["Deployment", release.name], params, context)
        apply.carry_out(cluster, removals, force)
    except DeliveryError as error:
        # what is no longer named was not removed: the earlier pods may need it
        result.update(changed=any(step.changes for step in steps), objects=[step.summary() for step in steps])
        error.facts.update({**result, **error.facts})
        raise
    result.update(_running(pods))
    return result


def _plan(
    cluster: Cluster, release: Release, objects: t.Sequence[Json], force: bool, offline: bool
) -> t.Tuple[t.List[apply.Step], t.List[apply.Step]]:
    """What is to be applied, and what is to be removed once the new pods run. Changes nothing.

    :param offline: there is no namespace in which the server could try anything.
    """
    if offline:
        return apply.offline_steps(objects), []
    steps = apply.plan_objects(cluster, objects, force)
    changes = any(step.changes for step in steps)
    return steps, apply.removal_steps(cluster, release.namespace, release.name, objects, everything=changes)


def _pods(
    cluster: Cluster, release: Release, deployment: Json, params: t.Mapping[str, t.Any], context: Context
) -> t.Optional[t.Sequence[PodState]]:
    """The pods that run the release, waited for if asked to; None when they are not waited for and not yet all there."""
    generation = deployment["metadata"]["generation"]
    if rollout.is_done(deployment_state(deployment)):
        selector = {"labelSelector": "%s=%s" % (RELEASE_LABEL, release.name)}
        pods = (pod_state(item) for item in cluster.list("Pod", release.namespace, selector)["items"])
        return [pod for pod in pods if pod.lives]
    if not params["wait"]:
        return None
    patience = Patience(ready=float(params["ready_grace"]))
    seconds = float(params["wait_timeout"])
    return waiting.follow(cluster, release.namespace, release.name, generation, seconds, patience, context.progress)


def _address(service: t.Optional[Json]) -> Result:
    """Where the Service answers in the cluster, by its first port."""
    if not service:
        return {"address": None}
    spec = service["spec"]
    host = spec.get("clusterIP", "")
    return {"address": "%s:%d" % ("[%s]" % host if ":" in host else host, spec["ports"][0]["port"])}


def _running(pods: t.Optional[t.Sequence[PodState]]) -> Result:
    if pods is None:
        return {}
    return {
        "pods": [
            {
                "name": pod.name,
                "node": pod.node,
                "ready": pod.ready,
                "images": {container.name: container.image_id for container in pod.containers},
            }
            for pod in pods
        ],
        "ready": sum(pod.ready for pod in pods),
        "nodes": sorted({pod.node for pod in pods if pod.node}),
    }


def _remove(params: t.Mapping[str, t.Any], context: Context) -> Result:
    """Take a release's objects away: the Deployment first, what its pods read when they are gone."""
    name, namespace = options.check_name(params["name"]), options.check_namespace(params["namespace"])
    with Cluster(params["kubeconfig"], params["kube_context"]) as cluster:
        workload = apply.deployment_removal(cluster, namespace, name)
        others = apply.removal_steps(cluster, namespace, name, [], everything=True, keep_revisions=False)
        steps = [*workload, *others]
        result: Result = {
            "changed": bool(steps),
            "name": name,
            "namespace": namespace,
            "objects": [step.summary() for step in steps],
        }
        if context.diff:
            result["diff"] = [shown(step.before, step.after) for step in steps]
        if context.check or not steps:
            return result
        for step in workload:
            cluster.delete(step.kind, step.namespace, step.name, foreground=True)
        try:
            if params["wait"] and workload:
                waiting.follow_removal(cluster, namespace, name, float(params["wait_timeout"]), context.progress)
            apply.carry_out(cluster, others, force=False)
        except DeliveryError as error:
            error.facts.update(result)
            raise
    return result


CAPABILITY = Capability(
    run=run,
    argument_spec={**options.ARGUMENT_SPEC, **CLUSTER_SPEC},
    constraints=options.CONSTRAINTS,
    needs=("kubernetes",),
)
