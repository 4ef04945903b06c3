# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lookup C(served_images)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: served_images
short_description: What a registry serves under the names of images
version_added: 0.1.0
author:
  - longshore contributors (!UNKNOWN)
description:
  - Asks a registry, from the controller, for the images of a delivery. No engine is asked, and nothing is changed.
  - What goes wrong does not fail the lookup. It is in RV(_raw.error), so that a task can fail with these words and no others.
options:
  _terms:
    description:
      - Images in the shape of the list of the role P(longshore.delivery.image#role). Of each the name, the tags,
        C(distribute) and C(output) count; one whose C(output) is V(layout) is in no registry.
    type: list
    elements: dict
  registry:
    description:
      - The registry, in the shape of the option O(longshore.delivery.image_push#module:registry). There is no asking without one.
    type: dict
  ask:
    description:
      - Whether to ask. With V(false) only names, tags and the description of the registry are looked at.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Stop where the registry does not answer or refuses the login
  ansible.builtin.fail:
    msg: "{{ served.error }}"
  when: served.error != ''
  vars:
    served: "{{ lookup('longshore.delivery.served_images', longshore_images, registry=longshore_registry) }}"

- name: Stop where an image has a name that cannot be, whatever registries there are
  ansible.builtin.fail:
    msg: "{{ named.error }}"
  when: named.error != ''
  vars:
    named: "{{ lookup('longshore.delivery.served_images', longshore_images, registry=longshore_registry, ask=false) }}"
"""

RETURN = r"""
_raw:
  description: What came of it, as the only item.
  type: list
  elements: dict
  contains:
    references:
      description:
        - The images that nodes are to hold, as far as they are served, each by its name and the digest that is served now.
      type: list
      elements: str
      sample: ["registry.example:5000/shop/web@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"]
    missing:
      description: The names, with their tags, of those that are not served.
      type: list
      elements: str
      sample: ["registry.example:5000/shop/web:1.4"]
    error:
      description: What keeps the registry from being asked, or the names from being names. Empty where nothing does.
      type: str
      sample: ""
"""

import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import UnsupportedError
from ansible.plugins.lookup import LookupBase

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.pull.served_images import (
    LAYOUT,
    NODES,
    NOWHERE,
    Served,
    ask,
    for_nodes,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import REGISTRY_SPEC

_IMAGE = {
    "name": {"type": "str", "required": True},
    "tags": {"type": "list", "elements": "str", "default": []},
    "distribute": {"type": "str", "choices": [NODES, "registry", NOWHERE], "default": NODES},
    "output": {"type": "str", "choices": ["engine", LAYOUT, "registry"], "default": "engine"},
}
_SPEC = {
    "images": {"type": "list", "elements": "dict", "options": _IMAGE},
    "registry": {**REGISTRY_SPEC, "required": True},
}


def _validated(images: list[t.Any], registry: t.Any) -> dict[str, t.Any]:
    """:raises DeliveryError: they are not of the shape."""
    for image in images:
        if not isinstance(image, dict):
            raise DeliveryError("An image is a dictionary with 'name' and 'tags', and %r is none." % (image,))
    counting = [{key: image[key] for key in _IMAGE if key in image} for image in images]
    given = {"images": counting, **({} if registry is None else {"registry": registry})}
    checked = ArgumentSpecValidator(_SPEC).validate(given)
    if checked.error_messages:
        unsupported = isinstance(checked.errors[0], UnsupportedError)  # whose message is but a list
        raise DeliveryError(("Unsupported parameters: " if unsupported else "") + checked.errors.msg)
    return dict(checked.validated_parameters)


def _told(served: Served, error: str = "") -> list[dict[str, t.Any]]:
    return [{"references": list(served.references), "missing": list(served.missing), "error": error}]


class LookupModule(LookupBase):
    def run(self, terms: list[t.Any], variables: t.Any = None, **kwargs: t.Any) -> list[dict[str, t.Any]]:
        self.set_options(var_options=variables, direct=kwargs)
        try:
            given = _validated(self._flatten(terms), self.get_option("registry"))
            wanted = for_nodes(given["images"], given["registry"])
            return _told(ask(wanted, given["registry"]) if self.get_option("ask") else Served())
        except DeliveryError as error:
            return _told(Served(), str(error))
