# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A namespace of its own for each file of tests, and a release that is up in it."""

from __future__ import annotations

import contextlib
import typing as t

import pytest
from kubernetes import client

from tests.lab.places import Places

from .lab import PODS, Lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Lab]:
    kubeconfig = Places.of_user().kubeconfig
    if not kubeconfig.exists():
        pytest.fail("the lab's cluster is not up: make lab")
    made = Lab(kubeconfig, tmp_path_factory.mktemp("workload"))
    yield made
    with contextlib.suppress(client.ApiException):
        made.core.delete_namespace(made.namespace)


@pytest.fixture
def release(lab: Lab) -> Lab:
    """The release as Lab.options has it, up and settled."""
    lab.deliver()
    lab.settled()
    assert len(lab.ready()) == PODS
    return lab
