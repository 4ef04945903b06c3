# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab as it is once the example has been delivered to it."""

from __future__ import annotations

import pytest

from tests.demo.delivery import deliver
from tests.demo.preparation import prepare


@pytest.fixture(scope="session")
def delivered() -> None:
    """The example runs on the lab, whatever was there before: the registry serves, every node trusts it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("INVENTORY", raising=False)
        patch.delenv("KUBECONFIG", raising=False)
        done = deliver(prepare(), "site", show=False)
    assert done.rc == 0, done.output[-10000:]
