# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The layers one above the other: what each adds, changes and deletes, and what is shipped and never seen."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.audit.layer import Entry, LayerContents


@dataclasses.dataclass(frozen=True)
class Hidden:
    """A file that a later layer deletes or overwrites, and that is shipped all the same.

    :param size: how many bytes nobody sees any more: those of a file with hard links are of the name that is hidden last.
    :param layer: where its bytes are.
    :param by: the layer that hides it.
    :param deleted: whether it is gone then; else it is overwritten.
    """

    path: str
    size: int
    layer: int
    by: int
    deleted: bool


@dataclasses.dataclass
class Change:
    """What a layer does: numbers of files, directories not counted."""

    added: int = 0
    changed: int = 0
    deleted: int = 0


@dataclasses.dataclass(frozen=True)
class Merged:
    """All layers together.

    :param changes: of each layer, the lowest first.
    :param visible: the layer of each path that a container sees; directories are not in it.
    """

    changes: t.Tuple[Change, ...]
    hidden: t.Tuple[Hidden, ...]
    visible: t.Mapping[str, int]

    @property
    def wasted_bytes(self) -> int:
        return sum(file.size for file in self.hidden)


_Origin = t.Tuple[int, str]  # a file of a layer


class _Node:
    """A path in the tree of what is visible. Only a directory has children."""

    __slots__ = ("children", "entry", "layer", "origin", "path")

    def __init__(self) -> None:
        # most are files: an empty one for each would be a third of all
        self.children: t.Optional[t.Dict[str, _Node]] = None
        self.entry: t.Optional[Entry] = None  # None: a directory that no layer writes itself
        self.layer = -1
        self.path = ""  # the layer's own string of it, of what has an entry
        self.origin: t.Optional[_Origin] = None  # of a hard link: the file that has its bytes

    @property
    def below(self) -> t.Iterable[_Node]:
        return self.children.values() if self.children else ()

    @property
    def is_directory(self) -> bool:
        return self.entry is None or self.entry.kind == "directory"


def merge(layers: t.Sequence[LayerContents]) -> Merged:
    """Put layers one above the other, the lowest first. A layer's whiteouts concern those below it alone."""
    tree = _Tree()
    for index, layer in enumerate(layers):
        tree.begin(index, layer)
        for path in layer.opaque:
            tree.clear(path)
        for path in layer.whiteouts:
            tree.delete(path)
        for path, entry in layer.entries.items():
            tree.write(path, entry)
    return Merged(tuple(tree.changes), tuple(tree.hidden), {node.path: node.layer for node in _files(tree.root)})


class _Tree:
    def __init__(self) -> None:
        self.root = _Node()
        self.hidden: t.List[Hidden] = []
        self.changes: t.List[Change] = []
        self.index = -1
        self.layer = LayerContents({})
        # of a file with hard links, its bytes and how many names show them
        self.linked: t.Dict[_Origin, t.Tuple[int, int]] = {}

    def begin(self, index: int, layer: LayerContents) -> None:
        self.index, self.layer = index, layer
        self.changes.append(Change())

    def find(self, path: str) -> t.Optional[_Node]:
        node: t.Optional[_Node] = self.root
        for name in path.split("/") if path else ():
            node = node.children.get(name) if node and node.children else None
        return node

    def clear(self, path: str) -> None:
        node = self.find(path)
        if node and node.is_directory:
            self.hide_below(node)

    def delete(self, path: str) -> None:
        directory, _slash, name = path.rpartition("/")
        parent = self.find(directory)
        node = parent.children.pop(name, None) if parent and parent.children else None
        if node:
            self.hide(node)

    def write(self, path: str, entry: Entry) -> None:
        node = self.root
        names = path.split("/")
        for name in names[:-1]:
            node = self.child(node, name)[0]
            if not node.is_directory:  # a directory takes a file's place
                self.hide(node)
                node.entry = None
        node, existed = self.child(node, names[-1])
        if existed and not (node.is_directory and entry.kind == "directory"):
            if node.is_directory:
                self.hide_below(node)
                self.changes[-1].added += 1
            elif entry.kind == "directory":
                self.hide(node)
            else:
                self.note(node, deleted=False)
                self.changes[-1].changed += 1
        elif entry.kind != "directory":
            self.changes[-1].added += 1
        node.entry, node.layer, node.path = entry, self.index, path
        node.origin = self.link(entry.target) if entry.target else None

    def link(self, target: str) -> t.Optional[_Origin]:
        """Count one more name of a file, of this layer or of one below; None where it is in none."""
        entry: t.Optional[Entry] = self.layer.entries.get(target)
        origin = (self.index, target)
        if entry is None:
            node = self.find(target)
            if node is None or node.entry is None:
                return None
            entry, origin = node.entry, node.origin or (node.layer, node.path)
        size, names = self.linked.get(origin, (entry.size, 1))
        self.linked[origin] = size, names + 1
        return origin

    @staticmethod
    def child(node: _Node, name: str) -> t.Tuple[_Node, bool]:
        """What is in a directory by a name, made if it is not there, and whether it was."""
        if node.children is None:
            node.children = {}
        found = node.children.get(name)
        if found is not None:
            return found, True
        made = node.children[name] = _Node()
        return made, False

    def hide(self, node: _Node) -> None:
        """Note that this layer deletes a file, or a directory with all that is in it."""
        if node.is_directory:
            self.hide_below(node)
        else:
            self.changes[-1].deleted += 1
            self.note(node, deleted=True)

    def hide_below(self, node: _Node) -> None:
        for file in _files(node):
            self.changes[-1].deleted += 1
            self.note(file, deleted=True)
        node.children = None

    def note(self, node: _Node, deleted: bool) -> None:
        if node.entry is None:
            return
        origin = node.origin or (node.layer, node.path)
        size, names = self.linked.get(origin, (node.entry.size, 1))
        if origin in self.linked:
            self.linked[origin] = size, names - 1
        self.hidden.append(Hidden(node.path, size if names == 1 else 0, node.layer, self.index, deleted))


def _files(node: _Node) -> t.Iterator[_Node]:
    """What is below a directory, but for directories."""
    waiting = [node]
    while waiting:
        for below in waiting.pop().below:
            if below.is_directory:
                waiting.append(below)
            else:
                yield below
