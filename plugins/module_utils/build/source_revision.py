# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Of which revision a build's directory is, as git says, in the labels that the OCI image specification has for it."""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed, DeliveryError, RunCommand

# https://github.com/opencontainers/image-spec/blob/v1.1.0/annotations.md
REVISION = "org.opencontainers.image.revision"
SOURCE = "org.opencontainers.image.source"
_DIRTY = "-dirty"
_PUBLIC = ("https", "http", "ssh", "git")


class NoRevision(DeliveryError):
    """The revision was asked for and git does not tell it."""


def revision_labels(source: str, run_command: RunCommand) -> t.Dict[str, str]:
    """The revision, with C(-dirty) behind it where something below the directory is not committed; the repository's address
    where it has a remote one that is called origin, without what a login has put in front of the host.

    :raises NoRevision: there is no git, no repository, or no commit in it.
    """

    def git(*arguments: str) -> Completed:
        # status would write what it has learned into the repository
        environment = {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
        return run_command(["git", *arguments], environment=environment, directory=source)

    head = git("rev-parse", "--verify", "HEAD")
    if head.rc == 127:
        raise NoRevision(
            "'source_revision' is set, and the program git, which tells it, is not in PATH. Install it, or leave "
            "'source_revision' away and set the label %s." % REVISION
        )
    status = git("status", "--porcelain", "--", ".") if head.rc == 0 else head
    if status.rc != 0:
        said = status.stderr.strip().splitlines() or ["nothing"]
        raise NoRevision(
            "'source_revision' is set, and git knows no revision of %s. It said: %s. Commit it, or leave 'source_revision' away."
            % (source, said[0])
        )
    labels = {REVISION: head.stdout.strip() + (_DIRTY if status.stdout.strip() else "")}
    address = _public(git("config", "--get", "remote.origin.url").stdout.strip())
    return {**labels, SOURCE: address} if address else labels


def _public(address: str) -> str:
    """A repository's address without name and password; empty where it is a path of this machine."""
    if "://" in address:
        try:
            parts = urlsplit(address)
        except ValueError:
            return ""
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if parts.scheme in _PUBLIC else ""
    host, colon, _path = address.partition(":")
    # scp's form, git@host:path
    return address.rpartition("@")[2] if colon and "/" not in host else ""
