# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of what is true of several modules; of a node's engine, of debian or linux alone, they say it themselves."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
attributes:
  action_group:
    support: full
    description: The groups by which C(module_defaults) reach the module.
  platform:
    platforms: posix
    support: full
    description: Where the task runs; an engine with an address, a registry and a cluster may be elsewhere.
"""
