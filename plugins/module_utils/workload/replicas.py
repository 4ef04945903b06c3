# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""How many pods a Deployment keeps when its release does not say how many. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.workload.difference import owned_fields
from ansible_collections.longshore.delivery.plugins.module_utils.workload.release import Json


def keeping_replicas(wanted: Json, live: t.Optional[Json], manager: str) -> Json:
    """What to apply of a Deployment so that its number of pods is left alone where C(wanted) has none.

    A field that its manager no longer applies is removed when nobody else owns it, and the server then puts its default there,
    which is 1 (Kubernetes' documentation, "Server-Side Apply"). So a number that is the manager's own is sent again as it is.
    Whoever sets another one, an autoscaler say, becomes its only owner, and from then on it is left out.

    :param live: the object as the server has it, None where it has none.
    """
    if wanted["kind"] != "Deployment" or "replicas" in wanted["spec"]:
        return wanted
    owned = (owned_fields(live, manager) or {}).get("f:spec") or {}
    number = ((live or {}).get("spec") or {}).get("replicas")
    if "f:replicas" not in owned or number is None:
        return wanted
    return {**wanted, "spec": {**wanted["spec"], "replicas": number}}
