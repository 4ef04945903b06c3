# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of the options that name a Docker engine, which are the same in every module that has them."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  docker_host:
    description:
      - Address of the Docker engine, as in V(unix:///var/run/docker.sock) or V(tcp://192.0.2.1:2376).
      - Without it the environment's E(DOCKER_HOST), as for the docker command, else the local socket. Docker contexts
        are not looked at, and for V(ssh://) have SSH forward the socket (C(ssh -L)) and name that.
    type: str
  docker_cert_path:
    description:
      - Directory with C(ca.pem), C(cert.pem) and C(key.pem) for an engine that listens with TLS.
      - Without it the environment's E(DOCKER_CERT_PATH) when E(DOCKER_TLS_VERIFY) is set.
    type: path
"""
