# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Audit an image without running it: read each layer once, in any order, and put together what they say.

What this needs of an image is small, so that any source can give it: for each layer a stream (C(read_layer), in whatever order
they come), and when all are read the configuration and the names (C(Audited)).
"""

from __future__ import annotations

import dataclasses
import typing as t
from types import MappingProxyType

from ansible_collections.longshore.delivery.plugins.module_utils.audit import build_rules, settings_secrets
from ansible_collections.longshore.delivery.plugins.module_utils.audit.base_rules import base_findings
from ansible_collections.longshore.delivery.plugins.module_utils.audit.detectors import Detectors
from ansible_collections.longshore.delivery.plugins.module_utils.audit.finding import (
    Finding,
    by_importance,
    finding,
)
from ansible_collections.longshore.delivery.plugins.module_utils.audit.history import HistoryStep, instructions
from ansible_collections.longshore.delivery.plugins.module_utils.audit.layer import LayerContents
from ansible_collections.longshore.delivery.plugins.module_utils.audit.merged import Hidden, Merged, merge
from ansible_collections.longshore.delivery.plugins.module_utils.audit.runtime_rules import runtime_findings
from ansible_collections.longshore.delivery.plugins.module_utils.audit.secret_scan import Sighting
from ansible_collections.longshore.delivery.plugins.module_utils.audit.wasted import wasted
from ansible_collections.longshore.delivery.plugins.module_utils.image.contents import ImageContents
from ansible_collections.longshore.delivery.plugins.module_utils.printable import printable

_SECRET_WAY_OUT = (
    "Keep it out of the build's context or mount it (RUN --mount=type=secret), and replace it: "
    "a later layer cannot take it back"
)
_WAYS_OUT = {
    "private_key_in_program": "See whose it is: a library's own for its tests is known to everybody; replace any other",
    "git_directory": "Name .git in .dockerignore; the history may hold what was deleted since",
    "env_file": "Name it in .dockerignore, and give the settings to the container when it runs",
}


@dataclasses.dataclass(frozen=True)
class Audited:
    """An image of which the layers were read.

    :param layers: what was read of them, the lowest first.
    """

    image: ImageContents
    layers: t.Tuple[LayerContents, ...]

    @property
    def config(self) -> t.Mapping[str, t.Any]:
        """Its OCI configuration."""
        return self.image.config

    @property
    def references(self) -> t.Tuple[str, ...]:
        """Its names by tag."""
        return tuple(str(reference) for reference in self.image.references)


@dataclasses.dataclass(frozen=True)
class LayerReport:
    """A layer as it is reported; C(instruction) holds no secret and is empty where the image has no history."""

    index: int
    instruction: str
    size: int
    added: int
    changed: int
    deleted: int

    def as_result(self) -> t.Dict[str, t.Any]:
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class Report:
    """All there is to say of an image.

    :param findings: the worst first.
    :param size: the bytes of all files in all layers.
    :param wasted: how many of them no container sees.
    """

    layers: t.Tuple[LayerReport, ...]
    findings: t.Tuple[Finding, ...]
    size: int
    wasted: int


def audit(
    image: Audited,
    detectors: Detectors,
    platforms: t.Iterable[str] = (),
    bases: t.Mapping[str, int] = MappingProxyType({}),
) -> Report:
    """
    :param platforms: those of the nodes that are to run the image, as 'linux/amd64'; none where that is not known.
    :param bases: what its Dockerfile starts or copies from, with the lines there; none where that is not known.
    """
    merged = merge(image.layers)
    history = instructions(image.config, len(image.layers))
    size = sum(layer.size for layer in image.layers)
    findings = [
        *_secrets(image.layers, merged, history),
        *settings_secrets.in_config(image.config, detectors),
        *settings_secrets.in_history(history, detectors),
        *wasted(merged, history, size),
        *build_rules.cache_order(history),
        *build_rules.package_caches(image.layers, merged),
        *build_rules.wide_context(image.layers, history),
        *build_rules.setuid(image.layers, merged),
        *runtime_findings(image.config, image.references, platforms),
        *base_findings((image.config.get("config") or {}).get("Labels") or {}, bases),
    ]
    by_layer = {step.layer: step for step in history if step.layer is not None}
    reports = [_layer(index, layer, merged, by_layer.get(index), detectors) for index, layer in enumerate(image.layers)]
    return Report(tuple(reports), tuple(by_importance(findings)), size, merged.wasted_bytes)


def _layer(
    index: int, layer: LayerContents, merged: Merged, step: t.Optional[HistoryStep], detectors: Detectors
) -> LayerReport:
    change = merged.changes[index]
    instruction = printable(settings_secrets.shown_instruction(step, detectors)) if step else ""
    return LayerReport(index, instruction, layer.size, change.added, change.changed, change.deleted)


def _secrets(
    layers: t.Sequence[LayerContents], merged: Merged, history: t.Sequence[HistoryStep]
) -> t.Iterator[Finding]:
    hidden = {(file.layer, file.path): file for file in merged.hidden}
    copied = {step.layer for step in history if step.keyword in ("COPY", "ADD")} if history else set(range(len(layers)))
    for index, layer in enumerate(layers):
        for sighting in layer.sightings:
            if sighting.if_copied and index not in copied:
                continue
            yield _secret(index, sighting, hidden.get((index, sighting.path)))


def _secret(index: int, sighting: Sighting, hidden: t.Optional[Hidden]) -> Finding:
    what = sighting.what if not sighting.place else "%s, %s" % (sighting.what, sighting.place)
    if hidden:
        what += "; layer %d %s it, and layer %d still ships it" % (
            hidden.by,
            "deletes" if hidden.deleted else "overwrites",
            index,
        )
    return finding(sighting.rule, what, _WAYS_OUT.get(sighting.rule, _SECRET_WAY_OUT), index, sighting.path)
