# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The capability C(registry_trust): every container engine of a node trusts a registry, proven by a pull."""

from __future__ import annotations

import dataclasses
import os
import platform
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Capability, Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.file_lock import held
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import (
    CONTAINERD,
    CRIO,
    DOCKER,
    PODMAN,
    Engine,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry import authority_validity
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import (
    REGISTRY_SPEC,
    RegistrySettings,
)
from ansible_collections.longshore.delivery.plugins.module_utils.trust import ledger as ledgers
from ansible_collections.longshore.delivery.plugins.module_utils.trust import mirror_check, observe
from ansible_collections.longshore.delivery.plugins.module_utils.trust.apply import Application
from ansible_collections.longshore.delivery.plugins.module_utils.trust.diff import diffs
from ansible_collections.longshore.delivery.plugins.module_utils.trust.engine_control import can_restart
from ansible_collections.longshore.delivery.plugins.module_utils.trust.ledger import Ledger
from ansible_collections.longshore.delivery.plugins.module_utils.trust.locations import Locations
from ansible_collections.longshore.delivery.plugins.module_utils.trust.mirrors import DOCKER_HUB, Upstream, upstreams
from ansible_collections.longshore.delivery.plugins.module_utils.trust.plan import (
    NOTHING,
    RESTART,
    Action,
    Plan,
    plan,
    without_engines,
)
from ansible_collections.longshore.delivery.plugins.module_utils.trust.proof import ALWAYS, CHANGED, NEVER, Proof
from ansible_collections.longshore.delivery.plugins.module_utils.trust.scope import scope_of

AUTO = "auto"
_PATIENCE = 300.0  # seconds: a restart of an engine and a few pulls
# In the order in which they are served: what may need a restart comes last.
ENGINES = (PODMAN, DOCKER, CRIO, CONTAINERD)

ARGUMENT_SPEC: t.Dict[str, t.Any] = {
    "registries": {**REGISTRY_SPEC, "type": "list", "elements": "dict", "default": []},
    "engines": {"type": "list", "elements": "str", "choices": [AUTO, *sorted(ENGINES)], "default": [AUTO]},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "restart": {"type": "str", "choices": ["allowed", "never"], "default": "allowed"},
    "mirror_fallback": {"type": "bool", "default": True},
    "purge": {"type": "bool", "default": False},
    "override": {"type": "bool", "default": False},
    "verify": {"type": "str", "choices": [CHANGED, ALWAYS, NEVER], "default": CHANGED},
}


@dataclasses.dataclass
class Run:
    """One call on one node."""

    context: Context
    locations: Locations
    registries: t.List[RegistrySettings]
    mirrored: t.List[Upstream]
    is_removal: bool
    may_restart: bool
    override: bool
    purge: bool
    proof: Proof


def run(params: t.Dict[str, t.Any], context: Context, locations: t.Optional[Locations] = None) -> t.Dict[str, t.Any]:
    """Make every engine of this node trust the registries, or take that away again.

    :raises DeliveryError: something stands in the way, or an engine does not do as it should; nothing is half done
        then.
    """
    registries = [RegistrySettings.from_params(item) for item in params["registries"]]
    is_removal = params["state"] == "absent"
    _check_registries(registries, is_removal)
    if is_removal and params["purge"]:
        raise DeliveryError(
            "'purge' takes away what is not in 'registries', and with 'state' absent that list says what goes. Leave one of "
            "the two away."
        )
    mirrored = [] if is_removal else upstreams(registries, params["mirror_fallback"])
    if os.geteuid() != 0:
        raise DeliveryError("%s: engines are configured by root; set 'become: true' on the task." % platform.node())
    call = Run(
        context,
        locations or Locations(),
        registries,
        mirrored,
        is_removal,
        params["restart"] == "allowed",
        params["override"],
        params["purge"],
        Proof(context, registries, mirrored, NEVER if is_removal else params["verify"]),
    )
    if context.check:
        return _run(call, params["engines"])
    with held(call.locations.ledger, _PATIENCE):
        return _run(call, params["engines"])


def _run(call: Run, names: t.Sequence[str]) -> t.Dict[str, t.Any]:
    ledger = ledgers.load(call.locations)
    found = observe.find_engines(call.context.run_command, call.locations, names)
    engines = _chosen(found, names, call.is_removal)
    scope, remarks, refusals, files = scope_of(
        engines, call.registries, call.mirrored, call.is_removal, call.override, ledger, call.locations, call.purge
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
    if planned.changes:
        remarks = [*remarks, *_limits_of_docker(call, engines)]
    if not call.is_removal:
        remarks = [*remarks, *expired(call.registries)]
    for remark in dict.fromkeys([*remarks, *planned.remarks]):
        call.context.warn("%s: %s" % (platform.node(), remark))
    gone = [] if call.is_removal else planned.gone(ledger)
    mirrors_gone = [name for name in gone if name not in ledger.told_for.get(name, (name,))]
    if not call.context.check:
        _carry_out(call, planned, ledger)
    return {
        **_result(call, found, whole, planned, deferred),
        "mirrors_gone": mirrors_gone,
        "purged": [name for name in gone if name not in mirrors_gone],
    }


def expired(registries: t.Sequence[RegistrySettings]) -> t.List[str]:
    """What is written all the same: who renews a certificate may give the authorities first."""
    told = [(registry, authority_validity.remark(registry.ca or "")) for registry in registries]
    return ["registry %s: 'ca' %s" % (registry.endpoint, remark) for registry, remark in told if remark]


def _limits_of_docker(call: Run, engines: t.Sequence[Engine]) -> t.List[str]:
    """What is wanted of mirrors and Docker cannot do."""
    found = []
    for upstream in call.mirrored if any(engine.name == DOCKER for engine in engines) else ():
        names = " and ".join(str(mirror.endpoint) for mirror in upstream.mirrors)
        below = " and ".join(str(mirror.endpoint) for mirror in upstream.mirrors if mirror.path_for(upstream.endpoint))
        if upstream.endpoint != DOCKER_HUB:
            text = "Docker knows no mirrors but of docker.io: it does not ask %s for images of %s."
            found.append(text % (names, upstream.endpoint))
            continue
        if below:
            found.append("Docker knows no paths of mirrors: it does not ask %s for images of docker.io." % below)
        if not upstream.is_asked:
            found.append("Docker asks docker.io where no mirror has an image, whatever 'mirror_fallback' says.")
    return found


def _carry_out(call: Run, planned: Plan, ledger: Ledger) -> None:
    proof = call.proof
    with proof.prepared(planned, ledger):
        before = dataclasses.replace(ledger, verified=proof.still_true(planned, ledger, call.is_removal))
        application = Application(planned, before, call.locations, call.context.run_command, proof.ask)
        after = application.run()
        if proof.proven:
            verified = {name: dict(proven) for name, proven in after.verified.items()}
            for name, proven in proof.proven.items():
                verified.setdefault(name, {}).update(proven)
            ledgers.save(dataclasses.replace(after, exists=True, verified=verified), call.locations)


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


def _check_registries(registries: t.Sequence[RegistrySettings], is_removal: bool) -> None:
    if not registries and not is_removal:
        raise DeliveryError("'registries' is empty: name at least one, as in [{endpoint: 'registry.example:5000'}].")
    endpoints = [str(registry.endpoint) for registry in registries]
    twins = sorted({endpoint for endpoint in endpoints if endpoints.count(endpoint) > 1})
    if twins:
        raise DeliveryError("'registries' names %s twice: keep one entry." % twins[0])


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
                "upstream": check.upstream,
                "verified_by": check.how,
                "milliseconds": check.milliseconds,
                "remark": check.remark,
            }
            for check in call.proof.checks
            if check.engine == engine.name
        ],
        "unmirrored": [
            str(one.endpoint)
            for one in call.mirrored
            if not any(mirror_check.can_have(engine, one.endpoint, mirror) for mirror in one.mirrors)
        ],
    }


CAPABILITY = Capability(run=run, argument_spec=ARGUMENT_SPEC)
