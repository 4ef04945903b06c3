# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The capability C(registry_trust): every container engine of a node trusts a registry, proven by a pull."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import platform
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Capability, Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import (
    CONTAINERD,
    CRIO,
    DOCKER,
    PODMAN,
    Engine,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.errors import RegistryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import (
    REGISTRY_SPEC,
    RegistrySettings,
)
from ansible_collections.longshore.delivery.plugins.module_utils.trust import canary as canaries
from ansible_collections.longshore.delivery.plugins.module_utils.trust import ledger as ledgers
from ansible_collections.longshore.delivery.plugins.module_utils.trust import observe, pull_check
from ansible_collections.longshore.delivery.plugins.module_utils.trust.apply import Application, NotApplied
from ansible_collections.longshore.delivery.plugins.module_utils.trust.diff import diffs
from ansible_collections.longshore.delivery.plugins.module_utils.trust.engine_control import can_restart
from ansible_collections.longshore.delivery.plugins.module_utils.trust.ledger import Ledger
from ansible_collections.longshore.delivery.plugins.module_utils.trust.locations import Locations
from ansible_collections.longshore.delivery.plugins.module_utils.trust.plan import (
    NOTHING,
    RELOAD,
    RESTART,
    Action,
    Plan,
    plan,
    without_engines,
)
from ansible_collections.longshore.delivery.plugins.module_utils.trust.pull_check import CannotPull, Check
from ansible_collections.longshore.delivery.plugins.module_utils.trust.scope import scope_of

AUTO = "auto"
# In the order in which they are served: what may need a restart comes last.
ENGINES = (PODMAN, DOCKER, CRIO, CONTAINERD)

ARGUMENT_SPEC: t.Dict[str, t.Any] = {
    "registries": {**REGISTRY_SPEC, "type": "list", "elements": "dict", "default": []},
    "engines": {"type": "list", "elements": "str", "choices": [AUTO, *sorted(ENGINES)], "default": [AUTO]},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "restart": {"type": "str", "choices": ["allowed", "never"], "default": "allowed"},
    "override": {"type": "bool", "default": False},
    "verify": {"type": "str", "choices": ["changed", "always", "never"], "default": "changed"},
}


@dataclasses.dataclass
class Run:
    """One call on one node."""

    context: Context
    locations: Locations
    registries: t.List[RegistrySettings]
    is_removal: bool
    may_restart: bool
    override: bool
    verify: str
    checks: t.List[Check] = dataclasses.field(default_factory=list)
    proven: t.Dict[str, t.Dict[str, str]] = dataclasses.field(default_factory=dict)


def run(params: t.Dict[str, t.Any], context: Context, locations: t.Optional[Locations] = None) -> t.Dict[str, t.Any]:
    """Make every engine of this node trust the registries, or take that away again.

    :raises DeliveryError: something stands in the way, or an engine does not do as it should; nothing is half done
        then.
    """
    registries = [RegistrySettings.from_params(item) for item in params["registries"]]
    is_removal = params["state"] == "absent"
    _check_registries(registries, is_removal, context)
    if os.geteuid() != 0:
        raise DeliveryError("%s: engines are configured by root; set 'become: true' on the task." % platform.node())
    call = Run(
        context,
        locations or Locations(),
        registries,
        is_removal,
        params["restart"] == "allowed",
        params["override"],
        "never" if is_removal else params["verify"],
    )
    if context.check:
        return _run(call, params["engines"])
    with ledgers.locked(call.locations):
        return _run(call, params["engines"])


def _run(call: Run, names: t.Sequence[str]) -> t.Dict[str, t.Any]:
    ledger = ledgers.load(call.locations)
    found = observe.find_engines(call.context.run_command, call.locations, names)
    engines = _chosen(found, names, call.is_removal)
    scope, remarks, refusals, files = scope_of(
        engines, call.registries, call.is_removal, call.override, ledger, call.locations
    )
    stored = {
        record.before: content
        for record in ledger.records.values()
        if record.before is not None
        for content in [ledgers.stored(record.before, call.locations)]
        if content is not None
    }
    planned = plan(engines, scope, files, ledger, stored, call.override, call.locations)
    refusals = [*refusals, *planned.refusals]
    if refusals:
        raise DeliveryError(
            "%s: nothing was changed, because %s" % (platform.node(), " ".join(dict.fromkeys(refusals))),
            refusals=refusals,
        )
    deferred = _deferred(planned, call)
    whole = planned
    if deferred:
        planned = without_engines(planned, {action.engine.name for action in deferred}, ledger)
    for remark in dict.fromkeys([*remarks, *planned.remarks]):
        call.context.warn("%s: %s" % (platform.node(), remark))
    if not call.context.check:
        ledger = _carried_out(call, planned, ledger)
    return _result(call, found, whole, planned, deferred)


def _carried_out(call: Run, planned: Plan, ledger: Ledger) -> Ledger:
    to_check = _to_check(call, planned, ledger)
    released: t.Dict[str, canaries.Canary] = {}
    by_endpoint = {str(registry.endpoint): registry for registry in call.registries}
    try:
        for endpoint in dict.fromkeys(endpoint for _engine, endpoint in to_check):
            released[endpoint] = _release(by_endpoint[endpoint])

        def verify(actions: t.Sequence[Action]) -> None:
            for action in actions:
                for registry in call.registries:
                    if (action.engine.name, str(registry.endpoint)) in to_check:
                        _check(call, action, registry, released[str(registry.endpoint)])

        before = dataclasses.replace(ledger, verified=_still_proven(call, planned, ledger))
        application = Application(planned, before, call.locations, call.context.run_command, verify)
        after = application.run()
        if call.proven:
            verified = {name: dict(proven) for name, proven in after.verified.items()}
            for name, proven in call.proven.items():
                verified.setdefault(name, {}).update(proven)
            after = dataclasses.replace(after, exists=True, verified=verified)
            ledgers.save(after, call.locations)
        return after
    finally:
        for endpoint, canary in released.items():
            stays = canaries.recall(canary, by_endpoint[endpoint])
            if stays is not None:
                call.context.warn("The canary %s stays in the registry: %s" % (canary.reference, stays))


def _release(registry: RegistrySettings) -> canaries.Canary:
    try:
        return canaries.release(registry)
    except RegistryError as error:
        raise DeliveryError(
            "%s: nothing was changed, because this node's engines are to pull from the registry afterwards. %s Where "
            "that cannot "
            "be now, set 'verify' to never." % (platform.node(), error),
            **error.facts,
        ) from None


def _check(call: Run, action: Action, registry: RegistrySettings, canary: canaries.Canary) -> None:
    engine = action.engine
    try:
        result = pull_check.check(engine, registry, canary, call.context.run_command, action.what == RELOAD)
    except CannotPull as failure:
        name = " ".join(word for word in (engine.name, engine.version) if word)
        told = failure.fault.told(name, "the registry", failure.said)
        raise NotApplied(
            "%s: a pull from %s failed: %s" % (platform.node(), registry.endpoint, told),
            engine=engine.name,
            config_file=engine.config_file,
            pull_error=failure.fault.kind,
        ) from None
    call.checks.append(result)
    if result.how != pull_check.NOT_CHECKED:
        call.proven.setdefault(engine.name, {})[str(registry.endpoint)] = _fingerprint(engine, registry)


def _to_check(call: Run, planned: Plan, ledger: Ledger) -> t.List[t.Tuple[str, str]]:
    """The engines and registries for which a pull is due: all after a change, otherwise those that no pull has proven
    yet.
    """
    if call.verify == "never":
        return []
    return [
        (action.engine.name, str(registry.endpoint))
        for action in planned.actions
        for registry in call.registries
        if call.verify == "always"
        or planned.changes
        or (
            ledger.verified.get(action.engine.name, {}).get(str(registry.endpoint))
            != _fingerprint(action.engine, registry)
            and not action.engine.is_stopped
            and pull_check.can_pull(action.engine, call.context.run_command)
        )
    ]


def _fingerprint(engine: Engine, registry: RegistrySettings) -> str:
    """What a pull has proven: this version of this engine against this registry as it is described."""
    parts = (
        engine.name,
        engine.version,
        str(registry.endpoint),
        registry.tls,
        registry.ca or "",
        registry.username or "",
    )
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _still_proven(call: Run, planned: Plan, ledger: Ledger) -> t.Dict[str, t.Dict[str, str]]:
    """What stays proven: nothing of what a change may touch, until it is pulled again."""
    if not planned.changes:
        return {name: dict(proven) for name, proven in ledger.verified.items()}
    endpoints = {str(registry.endpoint) for registry in call.registries}
    return {
        name: {key: value for key, value in proven.items() if key not in endpoints}
        for name, proven in ledger.verified.items()
        if not (call.is_removal and not endpoints)
    }


def _deferred(planned: Plan, call: Run) -> t.List[Action]:
    restarts = [action for action in planned.actions if action.what == RESTART]
    if not call.may_restart:
        return restarts
    for action in restarts:
        obstacle = can_restart(action.engine)
        if obstacle is not None:
            raise DeliveryError("%s: nothing was changed, because %s." % (platform.node(), obstacle))
    return []


def _chosen(found: observe.Found, names: t.Sequence[str], is_removal: bool) -> t.List[Engine]:
    missing = [name for name in names if name != AUTO and name not in found.engines]
    if missing and not is_removal:
        there = ", ".join(found.engines) or "none"
        because = "".join(" (%s: %s)" % pair for pair in found.passed_over.items())
        raise DeliveryError(
            "%s: %s is not on this node; there are: %s%s. Set 'engines' to those, or to auto."
            % (platform.node(), ", ".join(missing), there, because)
        )
    engines = [found.engines[name] for name in ENGINES if name in found.engines and (AUTO in names or name in names)]
    if not engines and not is_removal:
        because = "".join(" %s: %s." % pair for pair in found.passed_over.items())
        raise DeliveryError(
            "%s: no container engine that this collection serves was found (containerd, dockerd, podman, buildah, "
            "skopeo, crio).%s" % (platform.node(), because)
        )
    return engines


def _check_registries(registries: t.Sequence[RegistrySettings], is_removal: bool, context: Context) -> None:
    if not registries and not is_removal:
        raise DeliveryError("'registries' is empty: name at least one, as in [{endpoint: 'registry.example:5000'}].")
    endpoints = [str(registry.endpoint) for registry in registries]
    twins = sorted({endpoint for endpoint in endpoints if endpoints.count(endpoint) > 1})
    if twins:
        raise DeliveryError("'registries' names %s twice: keep one entry." % twins[0])
    for registry in registries:
        if registry.mirror_of and not is_removal:
            context.warn(
                "%s: 'mirror_of' is not applied by this version; the registry itself is made trusted."
                % registry.endpoint
            )


def _result(
    call: Run, found: observe.Found, whole: Plan, planned: Plan, deferred: t.Sequence[Action]
) -> t.Dict[str, t.Any]:
    put_off = {action.engine.name for action in deferred}
    result: t.Dict[str, t.Any] = {
        "changed": planned.changes,
        "engines": [_engine_result(call, action, action.engine.name in put_off, planned) for action in whole.actions],
        "passed_over": dict(found.passed_over),
        "restart_needed": sorted(put_off),
    }
    if call.context.diff:
        result["diff"] = diffs(planned.steps)
    return result


def _engine_result(call: Run, action: Action, is_deferred: bool, planned: Plan) -> t.Dict[str, t.Any]:
    engine = action.engine
    changed = [step.path for step in planned.steps if engine.name in step.engines]
    return {
        "name": engine.name,
        "version": engine.version,
        "config_file": engine.config_file,
        "is_running": not engine.is_stopped,
        "files": changed,
        "action": NOTHING if is_deferred else action.what,
        "reason": "a restart is needed (%s) and 'restart' is never" % action.reason if is_deferred else action.reason,
        "pulls": [
            {
                "registry": check.registry,
                "verified_by": check.how,
                "milliseconds": check.milliseconds,
                "remark": check.remark,
            }
            for check in call.checks
            if check.engine == engine.name
        ],
    }


CAPABILITY = Capability(run=run, argument_spec=ARGUMENT_SPEC)
