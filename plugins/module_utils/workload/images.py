# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Which image a pod is to run: what the registry serves under a name now, by its digest."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.reference import DOCKER_HUB, Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient, RegistryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.workload.release import InvalidRelease

_Clients = t.Callable[[RegistrySettings], RegistryClient]
Warn = t.Callable[[str], None]


class ImageNotFound(DeliveryError):
    """The registry does not have it; the cluster has not been asked for anything."""


def resolve(
    images: t.Iterable[str], registry: t.Optional[RegistrySettings], pin: bool, foresee: t.Optional[Warn] = None
) -> t.Dict[str, str]:
    """Name the image that each pod runs.

    A reference with a digest is looked up only in the registry whose settings are given: another may need credentials or an
    authority that only the nodes have. One without is looked up where it is, and where no settings say how, by verified TLS.

    :param registry: where an image is whose name begins with no registry.
    :param pin: False takes references as they are.
    :param foresee: given in check mode: is told of a tag that is not there yet, and of a registry that nothing serves yet, as
        what comes before may not have been done either. Such references stay as they are.
    :raises ImageNotFound: the registry does not have one of them.
    :raises RegistryError: it cannot be asked.
    """
    with contextlib.ExitStack() as stack:
        opened: t.Dict[str, RegistryClient] = {}

        def client_for(settings: RegistrySettings) -> RegistryClient:
            endpoint = str(settings.endpoint)
            if endpoint not in opened:
                opened[endpoint] = stack.enter_context(RegistryClient(settings))
            return opened[endpoint]

        def resolved(image: str) -> Reference:
            try:
                return _resolved(image, registry, pin, client_for)
            except (ImageNotFound, RegistryError) as error:
                reference = Reference.parse(image, registry.endpoint if registry else DOCKER_HUB)
                if foresee is None or not _may_come(error, reference):
                    raise
                foresee("%s In check mode: %s would be deployed, by a digest that is not known yet." % (error, image))
                return reference

        return {image: str(resolved(image)) for image in images}


def _may_come(error: DeliveryError, reference: Reference) -> bool:
    """Whether a run of the stages before may mend this: a digest names what is there or never will be."""
    if isinstance(error, RegistryError):
        return error.kind == "refused"
    return reference.digest is None


def _resolved(image: str, registry: t.Optional[RegistrySettings], pin: bool, clients: _Clients) -> Reference:
    reference = Reference.parse(image, registry.endpoint if registry else DOCKER_HUB)
    if not pin:
        return reference
    known = registry if registry and reference.endpoint.same_server(registry.endpoint, registry.scheme) else None
    if reference.digest is not None and known is None:
        return reference.with_digest(reference.digest)
    if reference.digest is None and reference.tag is None:
        raise InvalidRelease(
            "The image %s has neither tag nor digest. Write the tag that is meant, as in %s:1.0." % (image, image)
        )
    client = clients(known or RegistrySettings(reference.endpoint))
    head = client.head_manifest(reference.repository, reference.digest or reference.tag or "")
    if head is None:
        what = "the digest %s" % reference.digest if reference.digest else "the tag %s" % reference.tag
        raise ImageNotFound(
            "The image %s is not in the registry %s: it has no %s in %s. Push it there, or correct the name; nothing has been "
            "changed in the cluster." % (image, reference.endpoint, what[4:], reference.repository)
        )
    return reference.with_digest(head.digest)
