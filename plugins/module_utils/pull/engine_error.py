# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""An engine that fails to pull or push, as the error that a user sees."""

from __future__ import annotations

import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.node.pull_faults import PullFault


class EngineError(DeliveryError):
    """An engine that cannot be reached or cannot do it.

    :param kind: as in C(node/pull_faults.py).
    """

    def __init__(self, msg: str, kind: str, **facts: t.Any) -> None:
        super().__init__(msg, engine_error=kind, **facts)
        self.kind = kind


def engine_error(doing: str, engine: str, registry: str, fault: PullFault, said: str) -> EngineError:
    """The error for what an engine said.

    :param doing: what was tried, as in "Pulling shop/web@sha256:...".
    :param engine: which engine and where, as in "containerd on n1".
    :param registry: its endpoint.
    """
    told = fault.told(engine, "the registry %s" % registry, said)
    return EngineError("%s failed: %s" % (doing, told), fault.kind)
