# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each key of the option 'registry', by the modules that ask for images there, of a registry that has TLS and wants a login."""

from __future__ import annotations

import contextlib
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.longshore.delivery.plugins.module_utils.audit import image_audit
from ansible_collections.longshore.delivery.plugins.module_utils.capability import (
    Capability,
    Completed,
    Context,
    DeliveryError,
)
from ansible_collections.longshore.delivery.plugins.module_utils.image import image_info
from ansible_collections.longshore.delivery.plugins.module_utils.pull import image_push
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from tests import returned
from tests.unit.module_utils.audit.conftest import detectors
from tests.unit.module_utils.registry.certificates import Certificates
from tests.unit.module_utils.registry.conftest import StartRegistry
from tests.unit.module_utils.registry.servers import PASSWORD, USERNAME

from . import engines
from .making import image, push

__all__ = ["detectors"]

pytestmark = pytest.mark.usefixtures("detectors")

CAPABILITIES: dict[str, Capability] = {
    "image_audit": image_audit.CAPABILITY,
    "image_info": image_info.CAPABILITY,
    "image_push": image_push.CAPABILITY,
}
LOGIN = {"username": USERNAME, "password": PASSWORD}
# what a wrong one is refused with; a registry that is spoken to without TLS answers in plain text
REFUSED: dict[str, tuple[dict[str, t.Any], str]] = {
    "a wrong password": ({"password": "no"}, "unauthorized"),
    "another user": ({"username": "other"}, "unauthorized"),
    "no login": ({"username": None, "password": None}, "unauthorized"),
    "no authority": ({"ca": None}, "ca"),
    "verified": ({"ca": None, "tls": "verified"}, "ca"),
    "plain": ({"ca": None, "tls": "plain"}, "http_on_https"),
    "elsewhere": ({"endpoint": "127.0.0.1:9"}, "refused"),
}


def read(module: str, registry: dict[str, t.Any]) -> list[str]:
    """The digests that shop/web:1 of the registry has."""

    def no_command(argv: t.Sequence[str], **how: t.Any) -> Completed:
        raise AssertionError(argv)

    capability = CAPABILITIES[module]
    options: dict[str, t.Any] = {"store": "registry", "registry": registry, "references": ["shop/web:1"]}
    with contextlib.ExitStack() as opened:
        if module == "image_push":
            # in check mode, and of an image that is not built yet, it says what the registry has
            engine = opened.enter_context(engines.docker_api(engines.docker()))
            options = {"name": "shop/web:1", "registry": registry, "docker_host": f"tcp://{engine.endpoint}"}
        checked = ArgumentSpecValidator(capability.argument_spec, **capability.constraints).validate(options)
        assert checked.error_messages == []
        context = Context(module == "image_push", False, lambda line: None, lambda line: None, no_command)
        result = returned.run(module, checked.validated_parameters, context)
    if module == "image_push":
        return [tag["before"] for tag in result["tags"]]
    return [found["digests"]["manifest"] for found in result["images"]]


@pytest.mark.parametrize("module", CAPABILITIES)
def test_each_key_counts(module: str, start_registry: StartRegistry, certificates: Certificates) -> None:
    authority = certificates.authority()
    registry = start_registry(htpasswd=True, issued=certificates.issue("registry", ["127.0.0.1"], authority))
    right: dict[str, t.Any] = {"endpoint": registry.endpoint, "ca": authority.pem, **LOGIN}
    with RegistryClient(RegistrySettings.from_params(right)) as client:
        digest = push(client, "shop/web", image("one", User="1000", Entrypoint=["/web"]), "1")
    for settings in (
        right,
        {**right, "tls": "verified"},
        {**right, "ca": None, "tls": "unverified"},
        {**right, "mirror_of": ["docker.io"]},
    ):
        assert read(module, settings) == [digest]
    for name, (wrong, kind) in REFUSED.items():
        if (module, name) == ("image_push", "elsewhere"):
            continue  # what serves there may come yet, as tests/unit/module_utils/pull/test_push_foreseen.py has it
        with pytest.raises(DeliveryError) as raised:
            read(module, {**right, **wrong})
        assert raised.value.facts["registry_error"] == kind, name
    with pytest.raises(DeliveryError, match="no/registry"):
        read(module, {**right, "mirror_of": ["no/registry"]})


@pytest.mark.parametrize("module", CAPABILITIES)
def test_a_registry_without_tls(module: str, start_registry: StartRegistry) -> None:
    option = {"endpoint": start_registry().endpoint, "tls": "plain"}
    with RegistryClient(RegistrySettings.from_params(option)) as client:
        digest = push(client, "shop/web", image("one", User="1000", Entrypoint=["/web"]), "1")
    assert read(module, option) == [digest]
    for tls in ("verified", "unverified"):
        with pytest.raises(DeliveryError) as raised:
            read(module, {**option, "tls": tls})
        assert raised.value.facts["registry_error"] == "https_on_http"
