# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Rules for how an image was built: instructions that defeat the cache, and what they left in the layers."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.audit.finding import Finding, finding
from ansible_collections.longshore.delivery.plugins.module_utils.audit.history import HistoryStep
from ansible_collections.longshore.delivery.plugins.module_utils.audit.layer import LayerContents
from ansible_collections.longshore.delivery.plugins.module_utils.audit.merged import Merged
from ansible_collections.longshore.delivery.plugins.module_utils.counted import some

_INSTALLS = re.compile(
    r"\b(?:pip3? install|uv (?:sync|pip install)|poetry install|pipenv (?:install|sync)|gem install|bundle install"
    r"|npm (?:ci|install|i)\b|yarn(?: install)?(?:\s|\Z)|pnpm (?:install|i)\b|composer install|go mod download|cargo fetch"
    r"|mvn [^&|;]*dependency:|apt(?:-get)? [^&|;]*install|apk add|(?:dnf|yum|microdnf) [^&|;]*install)"
)
# options of pip and its kind behind 'install', one of which leaves the dependencies out
_ITSELF = re.compile(r"(?=[^&|;]*\s--no-deps(?:\s|\Z))")
# a whole directory, or the one with the source: BuildKit writes it as it is named, the classic builder and Buildah as 'dir:'
_WHOLE = re.compile(r"\A(?:--\S+ )*(?:\.{1,2}/?(?:\s|\Z)|(?:\./)?(?:src|sources?|app|lib)/?\s|dir:[0-9a-f]+ in )")

_CACHES: t.Tuple[t.Tuple[t.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern), what, way_out)
    for pattern, what, way_out in (
        (
            r"\Avar/lib/apt/lists/(?!lock\Z|partial|auxfiles)[^/]",
            "apt's package lists",
            "rm -rf /var/lib/apt/lists/* in the same RUN",
        ),
        (r"\Avar/cache/apt/(?:archives/[^/]+\.deb|\w+\.bin)\Z", "apt's downloads", "apt-get clean in the same RUN"),
        (r"\Avar/cache/apk/[^/]", "apk's cache", "apk add --no-cache"),
        (r"\Avar/cache/(?:dnf|yum|libdnf5|PackageKit)/[^/]", "dnf's cache", "dnf clean all in the same RUN"),
        (r"\A(?:root|home/[^/]+)/\.cache/pip/", "pip's cache", "pip install --no-cache-dir"),
        (
            r"\A(?:root|home/[^/]+)/\.cache/(?:uv|pypoetry|pipenv)/",
            "a Python package manager's cache",
            "a cache mount (RUN --mount=type=cache)",
        ),
        (r"\A(?:root|home/[^/]+)/\.npm/_cacache/", "npm's cache", "npm cache clean --force in the same RUN"),
        (
            r"\A(?:usr/local/share/\.cache|(?:root|home/[^/]+)/\.cache/yarn)/",
            "yarn's cache",
            "yarn cache clean in the same RUN",
        ),
        (
            r"\A(?:root|home/[^/]+)/\.cache/go-build/|\A(?:root/)?go/pkg/mod/cache/",
            "Go's cache",
            "a stage of its own to build in",
        ),
        (
            r"\A(?:root|home/[^/]+)/\.(?:m2/repository|gradle/caches)/",
            "a Java build's cache",
            "a stage of its own to build in",
        ),
        (r"\A(?:root/\.cargo|usr/local/cargo)/registry/", "cargo's cache", "a stage of its own to build in"),
        (
            r"\A(?:usr/local/bundle|(?:root|home/[^/]+)/\.bundle)/cache/",
            "bundler's cache",
            "rm -rf of it in the same RUN",
        ),
    )
)
# what no container needs, and a .dockerignore would have kept out
_BY_THE_WAY = re.compile(
    r"(?:\A|/)(\.git|\.github|\.gitlab-ci\.yml|\.gitignore|\.dockerignore|Dockerfile|\.idea|\.vscode|\.DS_Store|\.pytest_cache"
    r"|\.mypy_cache|\.ruff_cache|\.tox|\.nox|\.hypothesis|\.terraform|\.vagrant|docker-compose\.ya?ml|\.coverage)(?:/|\Z)"
)
_SHOWN = 5  # names in one finding
_SETUID, _SETGID, _GROUP_EXECUTES, _ANY_EXECUTES = 0o4000, 0o2000, 0o010, 0o111


def cache_order(history: t.Sequence[HistoryStep]) -> t.Iterator[Finding]:
    """Dependencies installed after the source was copied: every change of the source installs them again."""
    copied = None
    for step in history:
        if step.keyword in ("COPY", "ADD") and _WHOLE.search(step.text):
            copied = step
        install = _installs(" ".join(step.text.split())) if step.keyword == "RUN" else None
        if copied and install:
            yield finding(
                "cache_order",
                '"%s" runs after the source was copied: any change of the source runs it again'
                % _shortly(install.group()),
                "Copy what names the dependencies first, install them, and copy the source after that",
                step.layer,
            )
            return


def _installs(command: str) -> t.Optional[t.Match[str]]:
    """Where a command installs dependencies: the application itself alone, from a directory, is none."""
    return next((found for found in _INSTALLS.finditer(command) if not _ITSELF.match(command, found.end())), None)


def _shortly(command: str) -> str:
    """A command without its options, which may name a proxy with its password."""
    words = command.split()
    return "%s %s" % (words[0], words[-1]) if any(word.startswith("-") for word in words) else " ".join(words)


def package_caches(layers: t.Sequence[LayerContents], merged: Merged) -> t.Iterator[Finding]:
    """Caches that a container sees; what a later layer deletes is wasted bytes already."""
    sizes: t.Dict[t.Tuple[int, str], int] = {}
    ways_out = {what: way_out for _pattern, what, way_out in _CACHES}
    for path, index in merged.visible.items():
        what = next((what for pattern, what, _way_out in _CACHES if pattern.search(path)), None)
        if what:
            sizes[index, what] = sizes.get((index, what), 0) + layers[index].entries[path].size
    for (index, what), size in sorted(sizes.items()):
        if size:
            yield finding("package_cache", "%s were left behind" % what, ways_out[what], index, size=size)


def wide_context(layers: t.Sequence[LayerContents], history: t.Sequence[HistoryStep]) -> t.Iterator[Finding]:
    """Files that came in with a COPY or ADD and that only the source directory needs."""
    for step in history:
        if step.keyword not in ("COPY", "ADD") or step.layer is None:
            continue
        sizes: t.Dict[str, int] = {}
        for path, entry in layers[step.layer].entries.items():
            match = _BY_THE_WAY.search(path)
            if match:
                sizes[match.group(1)] = sizes.get(match.group(1), 0) + entry.size
        if sizes:
            names = sorted(sizes)
            yield finding(
                "wide_context",
                "%s copied what no container needs: %s" % (step.keyword, some(names, _SHOWN)),
                "Name it in .dockerignore, or copy only what is needed",
                step.layer,
                size=sum(sizes.values()),
            )


def setuid(layers: t.Sequence[LayerContents], merged: Merged) -> t.Iterator[Finding]:
    """Programs that run with their owner's or group's rights."""
    for path, index in merged.visible.items():
        entry = layers[index].entries[path]
        mode = entry.mode
        if entry.kind != "file" or not mode & _ANY_EXECUTES:
            continue
        bits = [name for bit, name in ((_SETUID, "setuid"), (_SETGID, "setgid")) if mode & bit]
        if mode & _SETUID or (mode & _SETGID and mode & _GROUP_EXECUTES):
            whose = "owner's and its group's" if len(bits) == 2 else "owner's" if mode & _SETUID else "group's"
            what = "it is %s: whoever runs it gets its %s rights" % (" and ".join(bits), whose)
            yield finding(
                "setuid", what, "Remove it, or chmod a-s; 'no new privileges' takes its effect away", index, path
            )
