# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Where an image is to be, by the options."""

from __future__ import annotations

from ansible_collections.longshore.delivery.plugins.module_utils.build.builder import BuildEngine
from ansible_collections.longshore.delivery.plugins.module_utils.build.output import ENGINE, EngineOutput, Output
from ansible_collections.longshore.delivery.plugins.module_utils.build.wanted import Wanted
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Context


def find_output(wanted: Wanted, engine: BuildEngine, context: Context) -> Output:
    """Where the image is to be. In check mode that may be a registry which is not there yet.

    :raises DeliveryError: nothing can be there.
    """
    if wanted.output == ENGINE:
        return EngineOutput(engine)
    # here: most images stay in their engine, and Ansible compiles what it imports at each run
    from ansible_collections.longshore.delivery.plugins.module_utils.build.stored_output import (
        LayoutOutput,
        RegistryOutput,
    )

    sources = [wanted.source, *(named.directory for named in wanted.contexts if named.directory)]
    if wanted.registry is not None:
        may_come = context.warn if context.check else None
        return RegistryOutput(engine, wanted.registry, wanted.references[0], sources, context.progress, may_come)
    return LayoutOutput(engine, wanted.layout, sources)
