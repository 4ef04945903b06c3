# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Building with a Docker engine's classic builder, by its API. It needs no docker command."""

from __future__ import annotations

import re
import tempfile
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.builder import (
    BuilderMissing,
    BuildRequest,
    Built,
    Show,
)
from ansible_collections.longshore.delivery.plugins.module_utils.build.context_copy import write_archive
from ansible_collections.longshore.delivery.plugins.module_utils.build.record import TextRecord
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.client import DockerEngine
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.dockerfile import buildkit_needs

_STEP = re.compile(r"Step (\d+)/(\d+) : (.*)", re.DOTALL)
_OF_ITS_OWN = re.compile(
    r" ---> (?:Running in |Removed intermediate container )?[0-9a-f]{12}\Z|Removing intermediate container |Successfully built "
)
_CACHED = " ---> Using cache"


class ClassicRecord(TextRecord):
    """Follows the stream of the API's build."""

    def __init__(self, show: Show) -> None:
        super().__init__(show)
        self.image_id = ""
        self._unfinished = ""

    def event(self, event: t.Mapping[str, t.Any]) -> None:
        self.image_id = (event.get("aux") or {}).get("ID") or self.image_id
        *lines, self._unfinished = (self._unfinished + str(event.get("stream") or "")).split("\n")
        for line in lines:
            self._line(line)
        if event.get("error"):
            self.finish(str(event["error"]))

    def _line(self, line: str) -> None:
        step = _STEP.match(line)
        if step:
            self.begin("[%s/%s] %s" % step.groups(), step.group(3))
        elif line == _CACHED:
            self.cached()
        elif line and not _OF_ITS_OWN.match(line):
            self.output(line)

    def finish(self, error: str = "") -> None:
        """Nothing follows; a last line may have had no end."""
        if self._unfinished:
            rest, self._unfinished = self._unfinished, ""
            self._line(rest)
        self.end(error)


class Classic:
    """The classic builder of an engine."""

    name = "classic"
    writes_layouts = False
    no_epoch = "the classic builder does not know SOURCE_DATE_EPOCH"

    def __init__(self, engine: DockerEngine) -> None:
        self._engine = engine

    def build(self, request: BuildRequest, show: Show) -> Built:
        """Build an image into the engine's store, without a name."""
        record = ClassicRecord(show)
        with request.temporary_directory() as directory, tempfile.TemporaryFile(dir=directory) as archive:
            dockerfile = write_archive(request.context, request.dockerfile_in(directory), archive)
            events = self._engine.built(
                archive,
                dockerfile=dockerfile,
                buildargs=request.args,
                labels=request.labels,
                target=request.target or None,
                network_mode=request.network or None,
                extra_hosts=request.extra_hosts or None,
                nocache=request.no_cache,
                platform=request.platforms[0] if request.platforms else None,
                cache_from=[str(source.reference) for source in request.cache_from] or None,
            )
            for event in events:
                record.event(event)
            record.finish()
        said = "\n".join(record.messages) or "the engine ended the build without an image and said nothing"
        return Built("" if record.failed or record.messages else record.image_id, record, said)


def check_classic(request: BuildRequest, why: str) -> None:
    """See that the classic builder can build this.

    :param why: why it is this builder, as a sentence.
    :raises BuilderMissing: it needs BuildKit; the message has the first line of the Dockerfile that does, or the options.
    """
    options = [
        name
        for name, given in (
            ("secrets", request.secrets),
            ("ssh", request.ssh),
            ("contexts", request.contexts),
            ("cache_from.path", any(source.path for source in request.cache_from)),
            ("cache_to", request.cache_to),
            ("annotations", request.annotations),
            ("provenance", request.provenance),
            ("sbom", request.sbom),
            ("platforms", len(request.platforms) > 1),
        )
        if given
    ]
    needing = buildkit_needs(request.dockerfile, request.triggers)
    if needing or options:
        needing = needing or "'%s' needs BuildKit" % "' and '".join(options)
        raise BuilderMissing("%s %s." % (why, needing))
