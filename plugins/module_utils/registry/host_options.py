# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The options of the look at a registry's host."""

from __future__ import annotations

import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.registry import (
    host_connections,
    host_files,
    host_firewall,
    host_name,
    host_quadlet,
    host_s3,
    host_upstream,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_state import (
    GIVEN,
    NONE,
    OWN,
    REGISTRY,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import REGISTRY_SPEC

ARGUMENT_SPEC: t.Dict[str, t.Any] = {
    "registry": {**REGISTRY_SPEC, "required": True},
    "instance": {"type": "str", "default": ""},
    "unit": {"type": "str", "default": REGISTRY},
    "plain_too": {"type": "bool", "default": False},
    "names": {"type": "list", "elements": "str", "default": []},
    "addresses": {"type": "list", "elements": "str", "default": ["0.0.0.0"]},
    "backend_port": {"type": "int", "required": True},
    "metrics_port": {"type": "int", "default": 0},
    "packages": {"type": "list", "elements": "str", "default": []},
    "program": {"type": "str", "default": ""},
    "container": {
        "type": "dict",
        "options": {
            "engine": {"type": "str", "required": True},
            "reference": {"type": "str", "required": True},
            "name": {"type": "str", "required": True},
            "data": {"type": "str", "required": True},
        },
    },
    "quadlet": host_quadlet.SPEC,
    "files": {**host_files.SPEC, "default": []},
    "kept": {"type": "path", "default": ""},
    "ledger": {"type": "path", "default": ""},
    "secret_files": host_files.SECRET_TEXTS_SPEC,
    "data": {
        "type": "dict",
        "options": {
            "path": {"type": "str", "required": True},
            "user": {"type": "str", "required": True},
            "volume": {"type": "str", "default": ""},
            "reader": {"type": "str", "default": ""},
        },
    },
    "s3": host_s3.SPEC,
    "site": {"type": "str", "required": True},
    "site_stamp": {"type": "str", "required": True},
    "configuration_stamp": {"type": "str", "required": True},
    "certificate": {
        "type": "dict",
        "required": True,
        "options": {
            "origin": {"type": "str", "choices": [OWN, GIVEN, NONE], "required": True},
            "certificate": {"type": "str", "default": ""},
            "key": {"type": "str", "default": "", "no_log": False},
            "authority": {"type": "str", "default": ""},
            "authority_key": {"type": "str", "default": "", "no_log": False},
            "next_authority_key": {"type": "str", "default": "", "no_log": False},
            "text": {"type": "str", "default": "", "no_log": True},
            "renew_days": {"type": "int", "default": 30},
            "valid_days": {"type": "int", "default": 365},
            "another": {"type": "bool", "default": False},
        },
    },
    "users": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "password": {"type": "str", "required": True, "no_log": True},
        },
    },
    "users_file": {"type": "str", "default": ""},
    "other_users_stay": {"type": "bool", "default": False},
    "without_users": {"type": "bool", "default": False},
    "anonymous_pull": {"type": "bool", "default": False},
    "upstream": host_upstream.SPEC,
    "collect": {
        "type": "dict",
        "options": {
            "calendar": {"type": "str", "default": ""},
            "untagged_days": {"type": "int", "default": -1},
            "recent_hours": {"type": "int", "default": 24},
            "refuse_seconds": {"type": "int", "default": 120},
            "timer": {"type": "str", "required": True},
            "settling": {"type": "str", "required": True},
            "result": {"type": "str", "required": True},
        },
    },
    "connections": host_connections.SPEC,
    "own_name": host_name.SPEC,
    "firewall": host_firewall.SPEC,
    "served": {
        "type": "dict",
        "options": {
            "stamp": {"type": "str", "default": ""},
            "certificate": {"type": "str", "default": ""},
            "anonymous": {"type": "int", "default": 0},
            "login": {"type": "int", "default": 0},
            "listens": {"type": "list", "elements": "str", "default": []},
        },
    },
    "wait": {"type": "int", "default": 0},
}
