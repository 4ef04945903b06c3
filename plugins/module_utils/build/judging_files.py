# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What stands for the files that judge: a gate that came to ask for more has not been passed by what passed it before."""

from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.util
import os
import pkgutil
import typing as t

_HOME = __name__.rpartition(".build.")[0]
# packages and files of module_utils that decide, by gate; what only fetches and carries is not among them
DECIDING: t.Dict[str, t.Tuple[str, ...]] = {
    "audit": ("audit", "dockerfile", "image/contents.py"),
    "trial": ("trial", "expression.py"),
}
# packages of others that do so too, with the file that tells their version
_OTHERS = {"audit": {"detect_secrets": "__version__.py"}}


@functools.cache
def judging_files(gate: str) -> str:
    """A digest of the files that decide in a gate, wherever they are imported from: a directory, or a module's archive."""
    digest = hashlib.sha256()
    for name, content in (*_own(DECIDING[gate]), *_of_others(_OTHERS.get(gate, {}))):
        digest.update(b"%s\0%d\0%s" % (name.encode(), len(content), content))
    return digest.hexdigest()


def _own(names: t.Iterable[str]) -> t.Iterator[t.Tuple[str, bytes]]:
    for name in names:
        directory, _slash, file = name.rpartition("/") if name.endswith(".py") else (name, "", "")
        package = ".".join(filter(None, (_HOME, directory)))
        listed = [file] if file else _files(package)
        for file in listed:
            yield "%s/%s" % (directory, file), _content(package, file)


def _files(package: str) -> t.List[str]:
    found = pkgutil.iter_modules(importlib.import_module(package).__path__)
    return sorted(module.name + ".py" for module in found)


def _content(package: str, file: str) -> bytes:
    content = pkgutil.get_data(package, file)
    if content is None:  # a package without __init__.py, imported past Ansible's own loader
        with open(os.path.join(importlib.import_module(package).__path__[0], file), "rb") as stream:
            content = stream.read()
    return content


def _of_others(files: t.Mapping[str, str]) -> t.Iterator[t.Tuple[str, bytes]]:
    for name, file in files.items():
        found = importlib.util.find_spec(name)
        for directory in (found.submodule_search_locations or ()) if found else ():
            with open(os.path.join(directory, file), "rb") as stream:
                yield name, stream.read()
