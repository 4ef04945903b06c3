# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab as it is once the example has been delivered to it, and what of it several directories of tests share."""

from __future__ import annotations

import typing as t

import pytest

from tests.demo.delivery import deliver
from tests.demo.preparation import prepare

from . import containerd_store


@pytest.fixture(scope="session")
def delivered() -> None:
    """The example runs on the lab, whatever was there before: the registry serves, every node trusts it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("INVENTORY", raising=False)
        patch.delenv("KUBECONFIG", raising=False)
        done = deliver(prepare(), "site", show=False)
    assert done.rc == 0, done.output[-10000:]


@pytest.fixture(scope="session")
def containerd_docker() -> t.Iterator[containerd_store.ContainerdDocker]:
    """A second Docker engine on dock, which keeps its images in containerd's store; see there."""
    with containerd_store.running() as engine:
        yield engine
