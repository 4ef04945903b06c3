# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action plugin of C(image_push): the same function in the controller's process."""

from __future__ import annotations

import contextlib
import importlib

from ansible_collections.longshore.delivery.plugins.module_utils.pull.image_push import CAPABILITY
from ansible_collections.longshore.delivery.plugins.plugin_utils.front import CapabilityAction

# This file is loaded before the workers are forked: what is imported here, each task need not import again.
with contextlib.suppress(ImportError):
    importlib.import_module("docker")


class ActionModule(CapabilityAction):
    capability = CAPABILITY
