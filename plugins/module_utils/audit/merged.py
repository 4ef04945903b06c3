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


class _Node:
    """A path in the tree of what is visible. Only a directory has children."""

    __slots__ = ("children", "entry", "layer")

    def __init__(self) -> None:
        self.children: t.Dict[str, _Node] = {}
        self.entry: t.Optional[Entry] = None  # None: a directory that no layer writes itself
        self.layer = -1

    @property
    def is_directory(self) -> bool:
        return self.entry is None or self.entry.kind == "directory"


def merge(layers: t.Sequence[LayerContents]) -> Merged:
    """Put layers one above the other, the lowest first. A layer's whiteouts concern those below it alone."""
    tree = _Tree()
    for index, layer in enumerate(layers):
        tree.begin(index)
        for path in layer.opaque:
            tree.clear(path)
        for path in layer.whiteouts:
            tree.delete(path)
        for path, entry in layer.entries.items():
            tree.write(path, entry)
    return Merged(tuple(tree.changes), tuple(tree.hidden), dict(tree.visible()))


class _Tree:
    def __init__(self) -> None:
        self.root = _Node()
        self.hidden: t.List[Hidden] = []
        self.changes: t.List[Change] = []
        self.index = -1

    def begin(self, index: int) -> None:
        self.index = index
        self.changes.append(Change())

    def find(self, path: str) -> t.Optional[_Node]:
        node: t.Optional[_Node] = self.root
        for name in path.split("/") if path else ():
            node = node.children.get(name) if node else None
        return node

    def clear(self, path: str) -> None:
        node = self.find(path)
        if node and node.is_directory:
            self.hide_below(path, node)
            node.children.clear()

    def delete(self, path: str) -> None:
        directory, _slash, name = path.rpartition("/")
        parent = self.find(directory)
        node = parent.children.pop(name, None) if parent else None
        if node:
            self.hide(path, node, deleted=True)

    def write(self, path: str, entry: Entry) -> None:
        node, seen = self.root, ""
        names = path.split("/")
        for name in names[:-1]:
            seen = "%s/%s" % (seen, name) if seen else name
            node = self.child(node, name)
            if not node.is_directory:  # a directory takes a file's place
                self.hide(seen, node, deleted=True)
                node.entry = None
        existed = names[-1] in node.children
        node = self.child(node, names[-1])
        if existed and not (node.is_directory and entry.kind == "directory"):
            if node.is_directory:
                self.hide_below(path, node)
                node.children.clear()
                self.changes[-1].added += 1
            elif entry.kind == "directory":
                self.hide(path, node, deleted=True)
            else:
                self.note(path, node, deleted=False)
                self.changes[-1].changed += 1
        elif entry.kind != "directory":
            self.changes[-1].added += 1
        node.entry, node.layer = entry, self.index

    @staticmethod
    def child(node: _Node, name: str) -> _Node:
        found = node.children.get(name)
        if found is None:
            found = node.children[name] = _Node()
        return found

    def hide(self, path: str, node: _Node, deleted: bool) -> None:
        self.hide_below(path, node)
        if not node.is_directory:
            self.changes[-1].deleted += 1
            self.note(path, node, deleted)

    def hide_below(self, path: str, node: _Node) -> None:
        waiting = [(path, node)]
        while waiting:
            above, parent = waiting.pop()
            for name, below in parent.children.items():
                inner = "%s/%s" % (above, name) if above else name
                if not below.is_directory:
                    self.changes[-1].deleted += 1
                    self.note(inner, below, deleted=True)
                waiting.append((inner, below))

    def note(self, path: str, node: _Node, deleted: bool) -> None:
        if node.entry:
            self.hidden.append(Hidden(path, node.entry.size, node.layer, self.index, deleted))

    def visible(self) -> t.Iterator[t.Tuple[str, int]]:
        waiting = [("", self.root)]
        while waiting:
            above, parent = waiting.pop()
            for name, node in parent.children.items():
                path = "%s/%s" % (above, name) if above else name
                if not node.is_directory:
                    yield path, node.layer
                waiting.append((path, node))
