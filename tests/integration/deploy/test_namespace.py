# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A namespace may be made for a release; none is ever removed, because it may hold what is others' by then."""

from __future__ import annotations

import typing as t
import uuid

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from kubernetes import client

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.running import run_command
from ansible_collections.longshore.delivery.plugins.module_utils.workload import workload
from ansible_collections.longshore.delivery.plugins.module_utils.workload.cluster import Cluster
from tests import returned

from .lab import Lab

REFUSED = {"requests": {"-no-resource-": "1"}}  # by the server, at the Deployment, which is the last to be tried

pytestmark = pytest.mark.lab


@pytest.fixture
def new(lab: Lab) -> t.Iterator[str]:
    """The name of a namespace that is not there."""
    name = "%s-%s" % (lab.namespace, uuid.uuid4().hex[:4])
    yield name
    lab.core.delete_namespace(name, propagation_policy="Foreground")


def test_a_namespace_made_for_a_release_that_is_refused_stays_for_the_next_run(lab: Lab, new: str) -> None:
    refused = lab.deliver(ok=False, namespace=new, resources=REFUSED)
    assert "Deployment web" in refused.result["msg"]
    assert refused.result["changed"] is True
    assert refused.actions == {"Namespace " + new: "created"}
    assert "the namespace %s was made for it, and stays" % new in " ".join(refused.output.split())
    made = lab.core.read_namespace(new)
    assert made.status.phase == "Active"
    corrected = lab.deliver(namespace=new, wait=False)
    assert corrected.actions["Deployment web"] == "created"
    assert "Namespace " + new not in corrected.actions
    assert lab.core.read_namespace(new).metadata.uid == made.metadata.uid


def test_a_namespace_that_another_makes_meanwhile_is_theirs(
    lab: Lab, new: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Overtaken(Cluster):
        """Somebody makes the namespace after this has looked for it, and before this makes it."""

        def create(self, wanted: dict[str, t.Any], dry_run: bool = False) -> dict[str, t.Any]:
            lab.core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=new)))
            theirs = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="theirs"))
            lab.core.create_namespaced_config_map(new, theirs)
            return super().create(wanted, dry_run)

    monkeypatch.setattr(workload, "Cluster", Overtaken)
    warnings: list[str] = []
    context = Context(False, False, warnings.append, lambda line: None, run_command)
    capability = workload.CAPABILITY
    validated = ArgumentSpecValidator(capability.argument_spec, **capability.constraints).validate(
        lab.options(namespace=new, resources=REFUSED)
    )
    assert not validated.error_messages
    with pytest.raises(DeliveryError, match="Deployment web") as refused:
        returned.run("workload", validated.validated_parameters, context)
    assert not refused.value.facts.get("changed")
    assert not [warning for warning in warnings if "namespace" in warning]
    assert lab.core.read_namespace(new).status.phase == "Active"
    assert lab.core.read_namespaced_config_map("theirs", new)
