# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of the options that name a cluster, which are the same in every module that has them."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  kubeconfig:
    description:
      - Full path of the kubeconfig. Its tokens, client certificates and exec plugins are used as C(kubectl) does.
      - Without it the environment's E(KUBECONFIG), else C(~/.kube/config), else, in a pod, its service account.
    type: str
  kube_context:
    description:
      - The context of the kubeconfig to use. Without it the current one.
    type: str
requirements:
  - Python package C(kubernetes) 29 or newer
"""
