# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Holds what a module returned to what its documentation says that it returns."""

from __future__ import annotations

import functools
import importlib
import typing as t

import yaml

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Capability, Context, DeliveryError

# documented by ansible-core for every module (Return Values), or added by the front that a result came through
COMMON = {
    "action",  # added by a callback
    "ansible_facts",  # the Python that was found on a node
    "changed",
    "deprecations",
    "diff",
    "exception",
    "failed",
    "invocation",
    "msg",
    "output",  # added by a test, beside what was returned
    "unreachable",  # of a node on which nothing ran
    "warnings",
}
TYPES: dict[str, type | tuple[type, ...]] = {
    "bool": bool,
    "dict": dict,
    "float": (int, float),
    "int": int,
    "list": list,
    "str": str,
}


def _module(name: str) -> t.Any:
    return importlib.import_module(f"ansible_collections.longshore.delivery.plugins.modules.{name}")


@functools.cache
def documented(module: str) -> dict[str, t.Any]:
    """The C(RETURN) of a module."""
    return t.cast("dict[str, t.Any]", yaml.safe_load(_module(module).RETURN))


def differences(module: str, result: t.Mapping[str, t.Any]) -> list[str]:
    """Where a result and the documentation of its module disagree: keys that are not in it, types, and keys that are missing
    from a success.

    :param result: a task's, or a capability's own; of a failed one C(failed) is true.
    """
    returned = {key: value for key, value in result.items() if key not in COMMON and not key.startswith("_ansible")}
    found = list(_inside(documented(module), returned, ""))
    if not result.get("failed") and not result.get("skipped"):
        always = {key for key, entry in documented(module).items() if entry["returned"] == "success"}
        found += [f"{key} is missing" for key in sorted(always - set(returned))]
    return found


def as_documented(module: str, result: t.Mapping[str, t.Any]) -> None:
    """Fail unless a result is as its module's documentation says."""
    found = differences(module, result)
    assert not found, f"{module}: {'; '.join(found)}"


def run(module: str, params: dict[str, t.Any], context: Context) -> dict[str, t.Any]:
    """Run a module's capability in this process; its result or its error is as documented."""
    capability: Capability = _module(module).CAPABILITY
    try:
        result = capability.run(params, context)
    except DeliveryError as error:
        as_documented(module, {"failed": True, **error.facts})
        raise
    as_documented(module, result)
    return result


def _inside(entries: t.Mapping[str, t.Any], value: t.Mapping[str, t.Any], where: str) -> t.Iterator[str]:
    for key, item in value.items():
        if key not in entries:
            yield f"{where}{key} is not documented"
        else:
            yield from _one(entries[key], item, f"{where}{key}")


def _one(entry: t.Mapping[str, t.Any], value: t.Any, where: str) -> t.Iterator[str]:
    if value is None:
        return
    wanted = entry["type"]
    if not isinstance(value, TYPES[wanted]) or (wanted != "bool" and isinstance(value, bool)):
        yield f"{where} is {value!r}, not of type {wanted}"
    elif isinstance(value, dict) and "contains" in entry:
        yield from _inside(entry["contains"], value, f"{where}.")
    elif isinstance(value, list):
        for item in value:
            yield from _one({**entry, "type": entry["elements"]}, item, f"{where}[]")
