# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module workload on the lab's cluster. What is asserted is what the cluster says, by a client of its own."""

from __future__ import annotations

import typing as t

import pytest
from kubernetes import client

from tests.http_server import ManifestServer
from tests.integration.asking import kubectl

from .lab import PODS, SECRET, SERVE, Lab

pytestmark = pytest.mark.lab


def test_a_release_runs_on_the_cluster(lab: Lab) -> None:
    run = lab.deliver()
    assert run.result["changed"] is True
    assert len(lab.ready()) == PODS
    assert lab.page() == "hello " + SECRET
    assert run.result["address"] == "%s:8080" % lab.core.read_namespaced_service("web", lab.namespace).spec.cluster_ip
    assert {pod["name"] for pod in run.result["pods"]} == {pod.metadata.name for pod in lab.pods().values()}
    for pod in lab.pods().values():
        assert {status.name for status in (*pod.status.init_container_statuses, *pod.status.container_statuses)} == {
            "web",
            "idle",
        }
        assert pod.spec.security_context.run_as_non_root
    deployment = lab.apps.read_namespaced_deployment("web", lab.namespace)
    managers = {(entry.manager, entry.operation) for entry in deployment.metadata.managed_fields}
    assert ("longshore.delivery", "Apply") in managers
    # that it is shown while it happens is seen in test_fronts.py
    assert "web: %d/%d pods ready" % (PODS, PODS) in run.output


def test_a_second_run_changes_nothing(release: Lab) -> None:
    before = release.versions()
    run = release.deliver()
    assert release.versions() == before
    assert run.result["changed"] is False
    assert set(run.actions.values()) == {"unchanged"}
    assert run.result["ready"] == PODS


def test_check_mode_says_what_a_run_then_does(release: Lab) -> None:
    before = release.versions()
    checked = release.deliver("--check", "--diff", config={"GREETING": "checked"}, service=False)
    assert release.versions() == before
    assert checked.result["changed"] is True
    assert SECRET not in checked.output.replace("Secret", "")
    done = release.deliver(config={"GREETING": "checked"}, service=False)
    assert done.actions == checked.actions
    assert checked.actions["Service web"] == "removed"
    assert checked.actions["Deployment web"] == "updated"


def test_check_mode_of_a_namespace_that_is_not_there(lab: Lab) -> None:
    name = lab.namespace + "-not"
    run = lab.deliver("--check", namespace=name)
    assert set(run.actions.values()) == {"created"}
    assert name not in {item.metadata.name for item in lab.core.list_namespace().items}
    refused = lab.deliver(ok=False, namespace=name, create_namespace=None)
    assert "namespace %s does not exist" % name in refused.result["msg"]


def test_another_configuration_replaces_the_pods_and_keeps_what_earlier_ones_need(release: Lab) -> None:
    before = release.ready()
    earlier = {item.metadata.name for item in release.core.list_namespaced_config_map(release.namespace).items}
    run = release.deliver(config={"GREETING": "good morning"})
    assert run.result["changed"] is True
    assert not release.ready() & before
    assert release.page() == "good morning " + SECRET
    now = {item.metadata.name: item for item in release.core.list_namespaced_config_map(release.namespace).items}
    assert earlier < set(now)
    assert all(item.immutable for name, item in now.items() if name.startswith("web-config-"))


@pytest.mark.wide
def test_fields_of_others_are_named_and_only_taken_when_asked_for(release: Lab) -> None:
    patch = {"spec": {"replicas": 1}, "metadata": {"annotations": {"team": "blue"}}}
    release.apps.patch_namespaced_deployment("web", release.namespace, patch, field_manager="somebody")
    refused = release.deliver(ok=False)
    assert "somebody has .spec.replicas" in refused.result["msg"]
    assert "take_ownership: true" in refused.result["msg"]
    taken = release.deliver(take_ownership=True)
    assert taken.result["ready"] == PODS
    assert release.apps.read_namespaced_deployment("web", release.namespace).metadata.annotations["team"] == "blue"
    assert release.deliver().result["changed"] is False


@pytest.mark.wide
def test_a_number_of_pods_that_is_no_longer_given_stays_as_it_is_whoever_set_it(release: Lab) -> None:
    def owners() -> set[str]:
        """Who owns the number: our field manager, or the subresource by which it was set."""
        fields = release.apps.read_namespaced_deployment("web", release.namespace).metadata.managed_fields
        return {
            item.subresource or item.manager for item in fields if "f:replicas" in (item.fields_v1.get("f:spec") or {})
        }

    def number() -> int:
        return t.cast(int, release.apps.read_namespaced_deployment("web", release.namespace).spec.replicas)

    assert owners() == {"longshore.delivery"}
    before = release.versions()
    checked = release.deliver("--check", "--diff", replicas=None)
    assert checked.result["changed"] is False
    first = release.deliver("--diff", replicas=None)
    assert (first.result["changed"], first.result["ready"], number()) == (False, PODS, PODS)
    assert release.versions() == before
    # beside a change, which is applied and not only tried
    other = release.deliver(replicas=None, config={"GREETING": "still two"})
    assert (other.actions["Deployment web"], other.result["ready"], number()) == ("updated", PODS, PODS)
    assert release.deliver(replicas=None, config={"GREETING": "still two"}).result["changed"] is False

    kubectl("scale", "deployment/web", "--namespace", release.namespace, "--replicas=%d" % (PODS + 1))
    assert owners() == {"scale"}
    scaled = release.deliver(replicas=None, config={"GREETING": "still two"})
    assert (scaled.result["changed"], scaled.result["ready"], number()) == (False, PODS + 1, PODS + 1)
    other = release.deliver(replicas=None, config={"GREETING": "three"})
    assert (other.actions["Deployment web"], other.result["ready"], number()) == ("updated", PODS + 1, PODS + 1)
    assert owners() == {"scale"}
    # the release's number is its own again where it is said
    taken = release.deliver(take_ownership=True)
    assert (taken.result["changed"], taken.result["ready"]) == (True, PODS)


@pytest.mark.wide
def test_a_slow_start_is_not_given_up(release: Lab) -> None:
    """It takes longer than the grace of a readiness probe, within the startup probe's time."""
    run = release.deliver(replicas=1, ready_grace=4, command=["/bin/sh", "-c", "sleep 8; " + SERVE])
    assert run.seconds > 8
    assert run.result["ready"] == 1


def test_the_pods_are_to_run_the_digest_and_an_image_that_is_not_there_changes_nothing(release: Lab) -> None:
    before = release.versions()
    digest = "sha256:" + "c" * 64
    with ManifestServer({"shop/web/manifests/1.4": digest}) as server:
        endpoint = server.endpoint
        registry = {"endpoint": endpoint, "tls": "plain", "username": "ci", "password": SECRET}
        missing = release.deliver(ok=False, image="shop/web:9.9", pin=True, registry=registry, sidecars=None)
        assert "no tag 9.9 in shop/web" in missing.result["msg"]
        planned = release.deliver("--check", "--diff", image="shop/web:1.4", pin=True, registry=registry, sidecars=None)
    assert planned.result["image"] == "%s/shop/web@%s" % (endpoint, digest)
    assert planned.actions["Secret web-registry"] == "created"
    assert "image: %s/shop/web@%s" % (endpoint, digest) in planned.output.replace('"', "")
    assert SECRET not in planned.output
    assert release.versions() == before


def test_removal_takes_the_releases_objects_and_nothing_else(release: Lab) -> None:
    other = client.V1ConfigMap(
        metadata=client.V1ObjectMeta(name="web-config-other", labels={"app.kubernetes.io/name": "web"})
    )
    release.core.create_namespaced_config_map(release.namespace, other)
    checked = release.deliver("--check", raw=True, name="web", state="absent")
    assert len(release.ready()) == PODS
    run = release.deliver(raw=True, name="web", state="absent")
    assert run.actions == checked.actions
    assert release.core.list_namespaced_pod(release.namespace).items == []
    assert release.apps.list_namespaced_deployment(release.namespace).items == []
    assert release.core.list_namespaced_secret(release.namespace).items == []
    assert release.core.list_namespaced_service(release.namespace).items == []
    left = {item.metadata.name for item in release.core.list_namespaced_config_map(release.namespace).items}
    assert left == {"kube-root-ca.crt", "web-config-other"}
    assert release.deliver(raw=True, name="web", state="absent").result["changed"] is False
