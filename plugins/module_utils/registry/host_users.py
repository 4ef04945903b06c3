# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The file of registry users: C(htpasswd), bcrypt, read by nginx at every request."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import RunCommand

# a colon ends the name in the file, a leading '-' would be an option of the program
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]*\Z")
_BCRYPT = re.compile(r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}\Z")
# how else nginx and htpasswd keep a password; what is none of these may be crypt or the bare password
_WEAKER = {
    "$apr1$": "MD5",
    "{SHA}": "SHA-1",
    "{SSHA}": "SHA-1",
    "{PLAIN}": "plain text",
    "$5$": "crypt",
    "$6$": "crypt",
}
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 72
ANOTHER_PASSWORD = "user %s has another password"
_NO_PROGRAM = 127


@dataclasses.dataclass(frozen=True)
class User:
    """Who may use the registry."""

    name: str
    password: str = dataclasses.field(repr=False)


def user_faults(users: t.Sequence[User]) -> t.List[str]:
    """What keeps these users from being written, each fault a sentence that shows no password."""
    names = [user.name for user in users]
    faults = [
        "The registry's user %r is there more than once. Name each once; registry_login is a user too." % name
        for name in sorted(set(names))
        if names.count(name) > 1
    ]
    for user in users:
        who = "The registry's user %r" % user.name
        if not _NAME.match(user.name):
            faults.append(
                "%s: a name has letters, digits and _ . @ + - only, and begins with a letter, digit or _." % who
            )
        size = len(user.password.encode())
        if not size:
            faults.append("%s has no password. Set one." % who)
        elif size < SHORTEST_PASSWORD:
            faults.append("%s has a password of less than %d characters. Set a longer one." % (who, SHORTEST_PASSWORD))
        elif size > LONGEST_PASSWORD:
            faults.append(
                "%s has a password of more than %d bytes, and bcrypt reads no further." % (who, LONGEST_PASSWORD)
            )
        elif any(ord(character) < 32 or ord(character) == 127 for character in user.password):
            faults.append(
                "%s has a password with a line break or another control character (RFC 7617 allows none)." % who
            )
    return faults


def passwords_in_use(users: t.Sequence[User], said: t.Sequence[str]) -> t.List[str]:
    """Why users cannot be added to those that stay, each a sentence with its way out.

    :param said: the C(differences).
    """
    return [
        "The registry's user %r has another password, and a name has one: clients that log in with it would be refused. Give "
        "the new login another name, so that both are taken while clients are told of it." % user.name
        for user in users
        if ANOTHER_PASSWORD % user.name in said
    ]


def in_use(path: str, site: str) -> t.Tuple[str, ...]:
    """The names of those whom nginx lets in by this file, as far as its site says that it asks anybody.

    :param site: the text of that site.
    """
    if not path or "auth_basic_user_file %s;" % path not in site:
        return ()
    try:
        with open(path) as stream:
            lines = stream.read().splitlines()
    except FileNotFoundError:
        return ()
    return tuple(dict.fromkeys(line.split(":")[0] for line in lines if line.strip() and line[0] != "#"))


def differences(path: str, users: t.Sequence[User], run_command: RunCommand, others_stay: bool = False) -> t.List[str]:
    """What tells the file from exactly these users: entries that miss, are too many, or have another password.

    The passwords are compared by C(htpasswd -v), to which they go on standard input.

    :param others_stay: whether others than these may be there.
    """
    try:
        with open(path) as stream:
            lines = stream.read().splitlines()
    except FileNotFoundError:
        return ["user %s is missing" % user.name for user in users]
    entries: t.Dict[str, str] = {}
    found = []
    for name, kept in ((line + ":").split(":", 2)[:2] for line in lines if line.strip() and line[0] != "#"):
        if name in entries:
            found.append("user %s is there more than once" % name)
        entries.setdefault(name, kept)  # the first one counts, for nginx as for htpasswd
    for user in users:
        if user.name not in entries:
            found.append("user %s is missing" % user.name)
        elif not _BCRYPT.match(entries[user.name]):
            found.append(
                "the password of user %s is kept as %s, not as bcrypt" % (user.name, _kind(entries[user.name]))
            )
        else:
            rc = run_command(["htpasswd", "-vi", path, user.name], stdin=user.password + "\n").rc
            if rc == _NO_PROGRAM:
                found.append("the password of user %s cannot be compared without htpasswd" % user.name)
            elif rc:
                found.append(ANOTHER_PASSWORD % user.name)
    if others_stay:
        return found
    wanted = {user.name for user in users}
    return found + ["user %s is not among the wanted ones" % name for name in entries if name not in wanted]


def _kind(kept: str) -> str:
    """How an entry keeps its password, in words that show nothing of it."""
    kinds = [kind for start, kind in _WEAKER.items() if kept.startswith(start)]
    return kinds[0] if kinds else "crypt or plain text"
