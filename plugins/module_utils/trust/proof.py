# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Have a node's engines prove by pulls that they trust the registries: which pulls are due, and what they come to.

Of mirrors that are alike but for their place one is proof of all: an engine reads them in one text, and whether each serves is
the registry's own matter. So a registry on each of N nodes costs the site some canaries for each node, and not for each pair.
"""

from __future__ import annotations

import contextlib
import hashlib
import platform
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import Engine
from ansible_collections.longshore.delivery.plugins.module_utils.registry.errors import RegistryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.trust import canary as canaries
from ansible_collections.longshore.delivery.plugins.module_utils.trust import mirror_check, pull_check
from ansible_collections.longshore.delivery.plugins.module_utils.trust.apply import NotApplied
from ansible_collections.longshore.delivery.plugins.module_utils.trust.canary import Canary
from ansible_collections.longshore.delivery.plugins.module_utils.trust.ledger import Ledger
from ansible_collections.longshore.delivery.plugins.module_utils.trust.mirrors import Upstream
from ansible_collections.longshore.delivery.plugins.module_utils.trust.plan import RELOAD, Action, Plan
from ansible_collections.longshore.delivery.plugins.module_utils.trust.pull_check import CannotPull, Check

CHANGED, ALWAYS, NEVER = "changed", "always", "never"
TRIED = 3  # of mirrors that are alike, those that are tried where the first do not answer

Proven = t.Dict[str, t.Dict[str, str]]  # fingerprints, by engine and endpoint


class Proof:
    """What the engines of one node prove in one run.

    :param verify: when they pull: C(CHANGED), C(ALWAYS), which is also from each of mirrors that are alike, or C(NEVER).
    """

    def __init__(
        self, context: Context, registries: t.Sequence[RegistrySettings], mirrored: t.Sequence[Upstream], verify: str
    ) -> None:
        self._context = context
        self._registries = registries
        self._mirrored = mirrored
        self._verify = verify
        self._due: t.Dict[str, t.List[str]] = {}  # the engines that pull, by endpoint
        self._canaries: t.Dict[t.Tuple[str, str], Canary] = {}  # by endpoint and path below which it is
        self._are_open: t.Dict[str, bool] = {}
        self.checks: t.List[Check] = []
        self.proven: Proven = {}

    @contextlib.contextmanager
    def prepared(self, planned: Plan, ledger: Ledger) -> t.Iterator[None]:
        """The registries have something to pull while the body runs.

        :raises DeliveryError: one that is no mirror does not answer as it should.
        """
        try:
            for registries in self._alike():
                self._prepare(registries, planned, ledger)
            yield
        finally:
            named = {str(registry.endpoint): registry for registry in self._registries}
            for (endpoint, _path), canary in self._canaries.items():
                stays = canaries.recall(canary, named[endpoint])
                if stays is not None:
                    self._context.warn("The canary %s stays in the registry: %s" % (canary.reference, stays))

    def ask(self, actions: t.Sequence[Action]) -> None:
        """Let the engines pull, which have taken over their files by these actions.

        :raises NotApplied: one cannot pull from a registry that serves.
        """
        for action in actions:
            for registry in self._registries:
                endpoint = str(registry.endpoint)
                if (endpoint, "") in self._canaries and action.engine.name in self._due[endpoint]:
                    self._check(action, registry)

    def still_true(self, planned: Plan, ledger: Ledger, is_removal: bool) -> Proven:
        """Of what was proven before, what a change does not touch; the rest until it is pulled again."""
        if not planned.changes:
            return {name: dict(proven) for name, proven in ledger.verified.items()}
        endpoints = {str(registry.endpoint) for registry in self._registries}
        endpoints.update(planned.gone(ledger))
        return {
            name: {key: value for key, value in proven.items() if key not in endpoints}
            for name, proven in ledger.verified.items()
            if not (is_removal and not self._registries)
        }

    def _alike(self) -> t.List[t.List[RegistrySettings]]:
        """The registries, mirrors together that are told apart by their place alone, in the order in which engines ask them."""
        found: t.Dict[t.Tuple[t.Any, ...], t.List[RegistrySettings]] = {}
        for one in self._registries:
            is_its_own = not one.mirror_of or self._verify == ALWAYS
            place = one.endpoint if is_its_own else None
            found.setdefault(
                (place, one.tls, one.ca, one.username, one.password, one.mirror_of, one.mirror_paths, one.client), []
            ).append(one)
        return list(found.values())

    def _prepare(self, alike: t.Sequence[RegistrySettings], planned: Plan, ledger: Ledger) -> None:
        for registry in alike[:TRIED]:
            due = [action.engine.name for action in planned.actions if self._is_due(action, registry, planned, ledger)]
            if not due:
                return
            canary = self._released(registry)
            if canary is not None:
                endpoint = str(registry.endpoint)
                self._due[endpoint] = due
                self._canaries[endpoint, ""] = canary
                for path in dict.fromkeys(path for _upstream, path in registry.mirror_paths):
                    below = self._released(registry, path)
                    if below is not None:
                        self._canaries[endpoint, path] = below
                self._are_open[endpoint] = _is_open(canary, registry)
                return

    def _is_due(self, action: Action, registry: RegistrySettings, planned: Plan, ledger: Ledger) -> bool:
        """After a change, and otherwise where no pull has proven it yet."""
        engine, endpoint = action.engine, str(registry.endpoint)
        if self._verify != CHANGED or planned.changes:
            return self._verify != NEVER
        is_proven = ledger.verified.get(engine.name, {}).get(endpoint) == _fingerprint(engine, registry)
        return not is_proven and not engine.is_stopped and pull_check.can_pull(engine, self._context.run_command)

    def _released(self, registry: RegistrySettings, path: str = "") -> t.Optional[Canary]:
        """None for a mirror that is in no state to be checked: others have its images, and a fleet is never whole."""
        try:
            return canaries.release(registry, path)
        except RegistryError as error:
            if registry.mirror_of:
                self._pass_over(registry, str(error))
                return None
            raise DeliveryError(
                "%s: nothing was changed, because this node's engines are to pull from the registry afterwards. %s Where "
                "that cannot be now, set 'verify' to never." % (platform.node(), error),
                **error.facts,
            ) from None

    def _pass_over(self, mirror: RegistrySettings, why: str) -> None:
        self._context.warn(
            "%s: the mirror %s could not be checked, and engines ask it all the same. The next run checks it. %s"
            % (platform.node(), mirror.endpoint, why)
        )

    def _check(self, action: Action, registry: RegistrySettings) -> None:
        engine, run_command = action.engine, self._context.run_command
        endpoint = str(registry.endpoint)
        canary = self._canaries[endpoint, ""]
        is_open = self._are_open[endpoint]
        was_reloaded = action.what == RELOAD
        what = "%s failed" % registry.endpoint
        results = []
        is_whole = True
        try:
            result = pull_check.check(engine, registry, canary, run_command, was_reloaded)
            results.append(result)
            for upstream in self._mirrored:
                if upstream.endpoint in registry.mirror_of and mirror_check.can_have(
                    engine, upstream.endpoint, registry
                ):
                    if result.how == pull_check.NOT_CHECKED:
                        continue  # for a reason that is the engine's
                    below = self._canaries.get((endpoint, registry.path_for(upstream.endpoint)))
                    if below is None:
                        is_whole = False
                        continue
                    canary, what = below, mirror_check.told(upstream, registry)
                    results.append(
                        mirror_check.check_mirror(
                            engine, registry, upstream, canary, is_open, run_command, was_reloaded
                        )
                    )
        except CannotPull as failure:
            self.checks += results
            self._failed(engine, registry, canary, what, failure)
            return
        self.checks += results
        if is_whole and result.how != pull_check.NOT_CHECKED:
            self.proven.setdefault(engine.name, {})[str(registry.endpoint)] = _fingerprint(engine, registry)

    def _failed(
        self, engine: Engine, registry: RegistrySettings, canary: Canary, what: str, failure: CannotPull
    ) -> None:
        """What was pushed a moment ago may be there no more: the registry itself is asked before an engine is blamed."""
        absence = canaries.absence(canary, registry)
        if absence is not None and registry.mirror_of:
            self._pass_over(registry, "It took the check's image and does not serve it any more. " + absence)
            self.checks.append(Check(engine.name, str(registry.endpoint), pull_check.NOT_CHECKED, remark=absence))
            return
        name = " ".join(word for word in (engine.name, engine.version) if word)
        told = failure.fault.told(name, "the registry", failure.said)
        if absence is not None:
            told += (
                " Nor does the registry serve this node itself any more, which pushed to it a moment ago. " + absence
            )
        raise NotApplied(
            "%s: a pull from %s: %s" % (platform.node(), what, told),
            engine=engine.name,
            config_file=engine.config_file,
            pull_error=failure.fault.kind,
        ) from None


def _is_open(canary: Canary, registry: RegistrySettings) -> bool:
    """Whether who does not log in may pull, which matters for a mirror alone."""
    if not registry.mirror_of or registry.username is None or canary.digest is None:
        return True
    try:
        return mirror_check.lets_anybody_pull(canary, registry)
    except RegistryError:
        return False  # engines find out what is the matter with it


def _fingerprint(engine: Engine, registry: RegistrySettings) -> str:
    """What a pull has proven: this version of this engine against this registry as it is described."""
    parts = (
        engine.name,
        engine.version,
        str(registry.endpoint),
        registry.tls,
        registry.ca or "",
        registry.username or "",
        *(("mirror_of", *map(str, registry.mirror_of)) if registry.mirror_of else ()),
        *("%s below %s" % pair for pair in registry.mirror_paths),
        *(registry.client or ()),
    )
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
