# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.
"""What is in use, and by whom: by digests, and by tags that would be pulled. Pure.

Who uses images may know the registry by another name, by its address or as a mirror. So a digest is taken as used wherever it is,
and a tag by its repository's name alone. That keeps too much now and then, and never too little.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.reference import InvalidReference, Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.retention_rules import InvalidRetention

_DIGEST = re.compile(r"(?<![0-9a-z])(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})(?![0-9a-f])")
_ID = re.compile(r"[0-9a-f]{64}")
_SCHEME = re.compile(r"^[a-z][a-z-]*://")  # C(docker-pullable://), as the kubelet wrote before containerd
_SHOWN = ("references", "repository_digests")  # of an image as image_info shows it

Who = t.Dict[str, None]  # in the order in which they were found, each once


@dataclasses.dataclass
class InUse:
    """What is in use.

    :param digests: of manifests, indexes and configurations, each with those who use it.
    :param tags: the same by repository and tag, of those who name no digest.
    :param places: repository and digest, where both are named.
    :param asked: all that were asked.
    """

    digests: t.Dict[str, Who] = dataclasses.field(default_factory=dict)
    tags: t.Dict[t.Tuple[str, str], Who] = dataclasses.field(default_factory=dict)
    places: t.Set[t.Tuple[str, str]] = dataclasses.field(default_factory=set)
    asked: t.List[str] = dataclasses.field(default_factory=list)

    def add(self, text: str, who: str) -> bool:
        """Take note of an image as somebody names it; False where that names none, so that nothing can be run by it."""
        named = _SCHEME.sub("", text.strip())
        if _ID.fullmatch(named):
            named = "sha256:" + named
        digests = _DIGEST.findall(named)
        for digest in digests:
            self.digests.setdefault(digest, {})[who] = None
        if digests and "@" not in named:
            return True
        try:
            reference = Reference.parse(named)
        except InvalidReference:
            return bool(digests)
        if reference.digest is not None:
            self.places.add((reference.repository, str(reference.digest)))
        else:
            self.tags.setdefault((reference.repository, reference.tag or "latest"), {})[who] = None
            if reference.endpoint.is_docker_hub and reference.repository.startswith("library/"):
                short = reference.repository[len("library/") :]
                self.tags.setdefault((short, reference.tag or "latest"), {})[who] = None
        return True

    def by(self, digests: t.Iterable[str], repository: str, tags: t.Iterable[str]) -> t.List[str]:
        """Who uses one of these digests or tags."""
        found: Who = {}
        for digest in digests:
            found.update(self.digests.get(digest, {}))
        for tag in tags:
            found.update(self.tags.get((repository, tag), {}))
        return list(found)

    def add_hosts(self, given: t.Mapping[str, t.Any]) -> None:
        """Take note of what hosts' engines have.

        :param given: the option C(in_use): by a host's name its images, as references, digests, IDs or as image_info shows them.
        :raises InvalidRetention: one of them was not asked, or something is no image.
        """
        away = [host for host, images in given.items() if not isinstance(images, (list, tuple))]
        if away:
            raise InvalidRetention(
                "in_use: it is not known what %s %s: what is given is no list of images, as of a host that could not be asked. "
                "Nothing is deleted. Have image_info ask there, or take the host out if it is gone for good."
                % (", ".join(away), "has" if len(away) == 1 else "have")
            )
        for host, images in given.items():
            for image in images:
                if not self._add_shown(image, host):
                    raise InvalidRetention(
                        "in_use: of %s, %r is no image. Give references, digests, IDs or what image_info returns as 'images'."
                        % (host, image)
                    )
            self.asked.append(host)

    def _add_shown(self, image: t.Any, host: str) -> bool:
        if isinstance(image, str):
            return self.add(image, host)
        if not isinstance(image, dict) or "id" not in image:
            return False
        digests = image.get("digests") or {}
        named = [name for key in _SHOWN for name in image.get(key) or ()]
        named += [image["id"], *(digest for digest in digests.values() if digest)]
        return all(isinstance(name, str) and self.add(name, host) for name in named)
