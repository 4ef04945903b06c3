# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Where a build's cache comes from and where it is kept for other builders: in the image, in a registry, in a directory.

As BuildKit has them: https://docs.docker.com/build/cache/backends/
"""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.absolute_path import check_absolute
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference

INLINE, REGISTRY, LOCAL = "inline", "registry", "local"
_PLACES: t.Dict[str, t.Any] = dict(reference=dict(type="str"), path=dict(type="path"))
_NEEDS = [("type", REGISTRY, ("reference",)), ("type", LOCAL, ("path",))]

CACHE_FROM_SPEC: t.Dict[str, t.Any] = dict(
    type="list",
    elements="dict",
    default=[],
    options=dict(type=dict(type="str", choices=[REGISTRY, LOCAL], default=REGISTRY), **_PLACES),
    required_if=_NEEDS,
)
CACHE_TO_SPEC: t.Dict[str, t.Any] = dict(
    type="dict",
    options=dict(
        type=dict(type="str", choices=[INLINE, REGISTRY, LOCAL], required=True),
        mode=dict(type="str", choices=["min", "max"], default="min"),
        image_manifest=dict(type="bool", default=False),
        **_PLACES,
    ),
    required_if=_NEEDS,
)


class InvalidCache(DeliveryError):
    """A place of a build's cache that cannot be; the message names the option."""


@dataclasses.dataclass(frozen=True)
class CachePlace:
    """
    :param kind: INLINE, REGISTRY or LOCAL.
    :param reference: of a registry's.
    :param path: of a directory's, absolute.
    """

    kind: str
    reference: t.Optional[Reference] = None
    path: str = ""

    def __str__(self) -> str:
        return self.path if self.reference is None else str(self.reference)


@dataclasses.dataclass(frozen=True)
class CacheSource(CachePlace):
    """A cache from which steps may be taken."""

    @property
    def is_missing(self) -> bool:
        """Whether that can be told without asking anyone, of a directory; a builder asked for it would make it."""
        return self.kind == LOCAL and not os.path.exists(os.path.join(self.path, "index.json"))

    @property
    def fields(self) -> t.Tuple[str, ...]:
        """As buildx has it in its option."""
        return ("type=" + self.kind, "ref=%s" % self.reference if self.reference else "src=" + self.path)


@dataclasses.dataclass(frozen=True)
class CacheTarget(CachePlace):
    """Where a build's cache is kept.

    :param mode: min is of what the image has, max of all steps.
    :param image_manifest: whether it is put into the form of an image, which some registries ask for.
    """

    mode: str = "min"
    image_manifest: bool = False

    @property
    def fields(self) -> t.Tuple[str, ...]:
        """As buildx has it in its option."""
        if self.kind == INLINE:
            return ("type=inline",)
        place = "ref=%s" % self.reference if self.reference else "dest=" + self.path
        more = ("image-manifest=true", "oci-mediatypes=true") if self.image_manifest else ()
        return ("type=" + self.kind, place, "mode=" + self.mode, *more)


def cache_sources(given: t.Sequence[t.Mapping[str, t.Any]]) -> t.Tuple[CacheSource, ...]:
    """The option C(cache_from).

    :raises DeliveryError: one of them cannot be.
    """
    found = (CacheSource(options["type"], *_place("cache_from", options)) for options in given)
    return tuple(dict.fromkeys(found))


def cache_target(given: t.Optional[t.Mapping[str, t.Any]], sources: t.Sequence[str]) -> t.Optional[CacheTarget]:
    """The option C(cache_to).

    :param sources: directories that the build reads.
    :raises DeliveryError: it cannot be.
    """
    if given is None:
        return None
    kind = given["type"]
    if kind == INLINE and (given["mode"] != "min" or given["image_manifest"]):
        raise InvalidCache(
            "'cache_to' has type inline, and 'mode' or 'image_manifest', which are of a cache that is kept by itself. Leave them "
            "away, or set 'type' to registry or local."
        )
    target = CacheTarget(kind, *_place("cache_to", given), given["mode"], given["image_manifest"])
    own = os.path.join(os.path.realpath(target.path), "")
    inside = next((one for one in sources if own.startswith(os.path.join(os.path.realpath(one), ""))), None)
    if target.path and inside is not None:
        raise InvalidCache(
            "cache_to.path: %s is in %s, from which the image is built: it would be one of its inputs. Choose a place outside."
            % (target.path, inside)
        )
    return target


def _place(option: str, given: t.Mapping[str, t.Any]) -> t.Tuple[t.Optional[Reference], str]:
    """
    :raises DeliveryError: it is none, or one of another type.
    """
    kind, reference, path = given["type"], given["reference"], given["path"]
    foreign = next((name for name, of in (("reference", REGISTRY), ("path", LOCAL)) if given[name] and kind != of), "")
    if foreign:
        raise InvalidCache("'%s' has type %s and '%s', which is not of it. Leave it away." % (option, kind, foreign))
    if path:
        check_absolute(option + ".path", path, InvalidCache)
        return None, os.path.normpath(path)
    return (tagged(option, reference) if reference else None), ""


def tagged(option: str, text: str) -> Reference:
    """The reference of an image that an option names in full.

    :raises DeliveryError: it is none, or has neither tag nor digest.
    """
    reference = Reference.parse(text)
    if reference.tag is None and reference.digest is None:
        raise InvalidCache("The image %s in '%s' has no tag. Add it; 'latest' is not assumed." % (text, option))
    return reference
