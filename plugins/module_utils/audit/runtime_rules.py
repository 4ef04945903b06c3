# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Rules for how an image runs: its user, its entry point, its platform, its names."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.audit.finding import Finding, finding
from ansible_collections.longshore.delivery.plugins.module_utils.digest import IndexDigest
from ansible_collections.longshore.delivery.plugins.module_utils.image.contents import ImageContents
from ansible_collections.longshore.delivery.plugins.module_utils.reference import InvalidReference, Reference

_SHELL = re.compile(r"(?:\A|/)(?:ba|da|a|z|k)?sh\Z")
# they hand signals on to their child alone, but with -g, while dumb-init has the whole group get them
_INITS = frozenset(("tini", "tini-static", "docker-init", "catatonit"))
_COMMAND_FLAG = re.compile(r"-[a-z]*c[a-z]*\Z")
# of a program: with a redirection alone the shell stays
_EXEC = re.compile(r"(?:\A|[;&]\s*|\n\s*|\b(?:then|else|do)\s+)exec\s+(?!\d*[<>])")


def runtime_findings(
    config: t.Mapping[str, t.Any], references: t.Iterable[str], platforms: t.Iterable[str]
) -> t.Iterator[Finding]:
    """
    :param config: an OCI image configuration.
    :param references: the names that the image has.
    :param platforms: those of the nodes that are to run it, as 'linux/amd64'; none where that is not known.
    """
    settings = config.get("config") or {}
    yield from _user(str(settings.get("User") or ""))
    yield from _shell_form(settings)
    yield from _platform(config, tuple(platforms))
    for name in references:
        if _tag(name) == "latest":
            yield finding(
                "latest_tag",
                "%s is named latest, which says nothing of what is in it" % name,
                "Tag it with its version, and deploy it by its digest",
            )


def _user(user: str) -> t.Iterator[Finding]:
    name = user.partition(":")[0]
    if name in ("", "root") or (name.isdigit() and int(name) == 0):
        what = "it runs as root" + ("" if user else ", as it names no user")
        yield finding(
            "root_user", what, "End the Dockerfile with USER and a number above 0, which runAsNonRoot can check"
        )


def _shell_form(settings: t.Mapping[str, t.Any]) -> t.Iterator[Finding]:
    for key in ("Entrypoint", "Cmd"):
        words = [str(word) for word in settings.get(key) or ()]
        if not words:
            continue
        command = _shells_command(words)
        if command is not None and not _EXEC.search(command):
            name = key.upper()
            yield finding(
                "shell_form",
                "%s is a command of a shell, which is process 1 and does not hand SIGTERM on" % name,
                '%s as a JSON list (%s ["program", "argument"]), or "exec" in front of the program' % (name, name),
            )
        return  # what follows an entry point is its arguments


def _shells_command(words: t.Sequence[str]) -> t.Optional[str]:
    """What a shell is told to run by C(-c), C(-ec) or the like, also behind C(env) or an init; None where no shell is."""
    rest = _behind_init(list(words))
    if rest[0].rpartition("/")[2] == "env":
        rest.pop(0)
        while rest and (rest[0].startswith("-") or "=" in rest[0]):
            rest.pop(0)
    if not rest or not _SHELL.search(rest[0]):
        return None
    flag = next((number for number, word in enumerate(rest) if number and _COMMAND_FLAG.match(word)), len(rest))
    scripts = [word for word in rest[1:flag] if not word.startswith(("-", "+")) and word != "pipefail"]
    return rest[flag + 1] if flag + 1 < len(rest) and not scripts else None


def _behind_init(words: t.List[str]) -> t.List[str]:
    """What a small init is told to run, which hands signals on to that alone; anything else as it is."""
    if words[0].rpartition("/")[2] not in _INITS:
        return words
    rest = words[1:]
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option == "--":
            break
        if option in ("-e", "-p") and rest:  # tini's with a value of their own
            rest.pop(0)
        if option == "-g":
            return words
    return rest or words


def lists_that_run(images: t.Iterable[ImageContents], platforms: t.Collection[str]) -> t.FrozenSet[IndexDigest]:
    """The lists of platforms in which a node finds an image that it runs: what else they list is for other nodes.

    :param platforms: those of the nodes.
    """
    return frozenset(
        image.digests.index
        for image in images
        if image.digests.index is not None and _is_run(platform_of(image.config), platforms)
    )


def _platform(config: t.Mapping[str, t.Any], platforms: t.Tuple[str, ...]) -> t.Iterator[Finding]:
    own = platform_of(config)
    if own and platforms and not _is_run(own, platforms):
        yield finding(
            "platform",
            "it is built for %s, and the nodes are %s" % (own, ", ".join(sorted(set(platforms)))),
            "Build it for their platform too (image_build's 'platforms')",
        )


def platform_of(config: t.Mapping[str, t.Any]) -> str:
    """As in 'linux/arm/v7'; empty where the configuration does not say it."""
    return "/".join(str(config.get(key)) for key in ("os", "architecture", "variant") if config.get(key))


def _is_run(image: str, platforms: t.Iterable[str]) -> bool:
    return any(_runs(image, node) for node in platforms)


def _runs(image: str, node: str) -> bool:
    """Whether a node of this platform runs the image; what one of them leaves open fits."""
    return all(one == other for one, other in zip(_canonical(image), _canonical(node)))


def _canonical(platform: str) -> t.List[str]:
    parts = platform.lower().split("/")
    if parts[1:] == ["arm64", "v8"]:  # the only variant there is
        parts.pop()
    return parts


def _tag(name: str) -> t.Optional[str]:
    try:
        return Reference.parse(name).tag
    except InvalidReference:
        return None
