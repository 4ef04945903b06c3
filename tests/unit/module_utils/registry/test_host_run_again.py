# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ends by itself is run again by systemd, without end; and one that ends again and again is told with its reason."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_plan import plan
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_serving import Serving
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_state import NGINX, REGISTRY

from .test_host import WANTED, seen, unit
from .test_host_volume import rendered


@pytest.mark.parametrize(
    ("template", "variables"),
    [
        ("nginx.service.conf.j2", {}),
        (
            "registry.service.j2",
            {
                "registry_instance": "",
                "registry_s3": {},
                "registry_data": "/data",
                "registry_upstream": {},
                "registry_unit_user": "keeper",
                "registry_upstream_login": "",
                "registry_upstream_ca": "",
                "registry_program": "/registry",
                "registry_configuration_file": "/configuration",
            },
        ),
    ],
)
def test_systemd_goes_on_running_it_again(template: str, variables: dict[str, t.Any]) -> None:
    lines = rendered(template, **variables)
    assert {"Restart=on-failure", "RestartSec=1"} <= set(lines[lines.index("[Service]") :])
    assert "StartLimitIntervalSec=0" in lines[lines.index("[Unit]") : lines.index("[Service]")]


def test_what_systemd_does_not_know_yet_is_to_be_told() -> None:
    found = plan(seen(units=unit(NGINX, needs_daemon_reload=True)), WANTED)
    assert found.differences == (f"systemd does not know yet how {NGINX} is to be run",)
    assert not found.reload_nginx


def test_a_registry_that_ends_again_and_again_is_told_with_its_reason() -> None:
    crashing = unit(REGISTRY, log="no such region")
    served = dataclasses.replace(seen().serving, fault="/v2/ answers HTTP 502")
    (said,) = plan(seen(units=crashing, serving=served), WANTED).differences
    assert said == f"/v2/ answers HTTP 502; {REGISTRY} has ended and was run again, its log says: no such region"
    assert plan(seen(units=crashing), WANTED).as_wanted, "it is back"
    assert plan(seen(serving=Serving("no answer", "site", "print")), WANTED).differences == ("no answer",)
