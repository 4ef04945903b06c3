# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The front of registry_prune in the controller's process."""

from __future__ import annotations

from ansible_collections.longshore.delivery.plugins.modules.registry_prune import CAPABILITY
from ansible_collections.longshore.delivery.plugins.plugin_utils.front import CapabilityAction


class ActionModule(CapabilityAction):
    capability = CAPABILITY
