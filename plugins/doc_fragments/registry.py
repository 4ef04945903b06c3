# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of the option C(registry), which is the same in every module that has it."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  registry:
    description:
      - The registry, in the one shape that the whole collection uses.
    type: dict
    suboptions:
      endpoint:
        description:
          - Host and port, as an image's name begins with them, for example V(registry.example:5000) or V([2001:db8::1]:5000).
          - No scheme and no path. A host without a port must have a dot or be V(localhost), else it would be read as a part
            of the image's path.
        type: str
        required: true
      tls:
        description:
          - How the registry is spoken to. It is never guessed from the address.
          - V(verified) is TLS with a certificate that the system's authorities or O(registry.ca) vouch for.
          - V(unverified) is TLS with any certificate.
          - V(plain) is HTTP without TLS.
        type: str
        choices: [verified, unverified, plain]
        default: verified
      ca:
        description:
          - Certificates of the authorities that issued the registry's certificate, as PEM text (not the name of a file), used
            in addition to the system's.
        type: str
      username:
        description:
          - Who logs in, by Basic authentication or at the registry's token service.
        type: str
      password:
        description:
          - The password, or an access token in its place.
        type: str
      client_certificate:
        description:
          - A certificate that is shown to the registry, which asks its clients for one (mutual TLS), as PEM text; with those that
            lead to its authority behind it. O(registry.client_key) is its key.
        type: str
      client_key:
        description:
          - The key of O(registry.client_certificate), as PEM text and without a passphrase.
        type: str
      mirror_of:
        description:
          - Registries that this one is a mirror of, for example V(docker.io).
          - Accepted so that one variable serves every module. It has no effect in M(longshore.delivery.image_audit),
            M(longshore.delivery.image_build), M(longshore.delivery.image_info), M(longshore.delivery.image_pull),
            M(longshore.delivery.image_push), M(longshore.delivery.image_set), M(longshore.delivery.registry_host_info),
            M(longshore.delivery.registry_info), M(longshore.delivery.registry_prune),
            M(longshore.delivery.registry_replicate) and M(longshore.delivery.workload); M(longshore.delivery.registry_trust) has
            engines ask it.
        type: list
        elements: str
      mirror_paths:
        description:
          - Below which paths it has the images of those. It matters to M(longshore.delivery.registry_trust), and has no effect
            elsewhere.
        type: dict
"""
