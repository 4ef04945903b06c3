# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options as the fronts validate them, for the tests of this directory."""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.longshore.delivery.plugins.module_utils.workload.options import release_from
from ansible_collections.longshore.delivery.plugins.module_utils.workload.release import Release
from ansible_collections.longshore.delivery.plugins.module_utils.workload.workload import CAPABILITY

LEAST = {"name": "web", "image": "shop/web:1.4"}


def validated(**options: t.Any) -> dict[str, t.Any]:
    """The parameters as a capability gets them."""
    result = ArgumentSpecValidator(CAPABILITY.argument_spec, **CAPABILITY.constraints).validate({**LEAST, **options})
    assert not result.error_messages, result.error_messages
    return t.cast("dict[str, t.Any]", result.validated_parameters)


def release(**options: t.Any) -> Release:
    return release_from(validated(**options))[0]
