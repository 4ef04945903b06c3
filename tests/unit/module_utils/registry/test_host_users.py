# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file of the registry's users: who can be one, and what tells the file from what is wanted."""

from __future__ import annotations

import dataclasses
import typing as t
from pathlib import Path

import bcrypt
import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_obstacles import obstacles
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_users import (
    User,
    differences,
    in_use,
    passwords_in_use,
    user_faults,
)

from .servers import PASSWORD
from .test_host import WANTED, seen


@pytest.mark.parametrize(
    ("users", "word"),
    [
        ([User("ci", "")], "no password"),
        ([User("ci", "short")], "less than 8"),
        ([User("ci", "ü" * 37)], "more than 72 bytes"),
        ([User("ci", "tide-and-time\n")], "line break"),
        ([User("a:b", PASSWORD)], "letters, digits"),
        ([User("-B", PASSWORD)], "letters, digits"),
        ([User("", PASSWORD)], "letters, digits"),
        ([User("ci\n", PASSWORD)], "letters, digits"),
        ([User("ci", PASSWORD), User("ci", "another-password")], "more than once"),
    ],
)
def test_a_user_that_cannot_be_is_refused_without_the_password(users: list[User], word: str) -> None:
    (fault,) = user_faults(users)
    assert word in fault
    assert not any(user.password and user.password in fault for user in users)


def test_users_that_can_be() -> None:
    assert user_faults([User("ci", PASSWORD), User("a.b@c-d+e", "12345678"), User("_x", "ü" * 36)]) == []


def htpasswd(argv: t.Sequence[str], *, stdin: str | None = None, **_options: t.Any) -> Completed:
    """C(htpasswd -vi), by bcrypt's own library."""
    assert argv[:2] == ["htpasswd", "-vi"]
    assert not any(PASSWORD in word for word in argv)
    entries = dict(line.split(":", 1) for line in Path(argv[2]).read_text().split())
    assert stdin is not None
    assert stdin.endswith("\n")
    fits = bcrypt.checkpw(stdin[:-1].encode(), entries[argv[3]].encode())
    return Completed(0 if fits else 3, "", "")


def hashed(password: str) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()


def test_the_file_of_users_is_compared_user_by_user(tmp_path: Path) -> None:
    file = tmp_path / "htpasswd"
    assert differences(str(file), [User("ci", PASSWORD)], htpasswd) == ["user ci is missing"]
    file.write_text(f"ci:{hashed(PASSWORD)}\ndev:{hashed('the-old-one')}\nweak:$apr1$abc$def\neve:{hashed('x')}\n\n")
    assert differences(str(file), [User("ci", PASSWORD), User("eve", "x")], htpasswd)[:2] == [
        "user dev is not among the wanted ones",
        "user weak is not among the wanted ones",
    ]
    wanted = [User(name, PASSWORD) for name in ("ci", "dev", "weak", "new")]
    assert differences(str(file), wanted, htpasswd) == [
        "user dev has another password",
        "the password of user weak is kept as MD5, not as bcrypt",
        "user new is missing",
        "user eve is not among the wanted ones",
    ]

    others_may_stay = differences(str(file), wanted[:2], htpasswd, others_stay=True)
    assert others_may_stay == ["user dev has another password"]
    (fault,) = passwords_in_use(wanted, others_may_stay)
    assert "user 'dev' has another password, and a name has one" in fault
    assert PASSWORD not in fault

    def missing(*_arguments: t.Any, **_options: t.Any) -> Completed:
        return Completed(127, "", "htpasswd: No such file or directory")

    (said, *_others) = differences(str(file), [User("ci", PASSWORD)], missing)
    assert said == "the password of user ci cannot be compared without htpasswd"


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        ("{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "SHA-1"),
        ("{SSHA}abc", "SHA-1"),
        ("{PLAIN}" + PASSWORD, "plain text"),
        ("$6$salt$hash", "crypt"),
        ("$5$salt$hash", "crypt"),
        (PASSWORD, "crypt or plain text"),
        ("", "crypt or plain text"),
        ("$2y$05$tooshort", "crypt or plain text"),
    ],
)
def test_a_weaker_entry_is_named_by_its_kind_and_shows_nothing_of_it(tmp_path: Path, entry: str, kind: str) -> None:
    file = tmp_path / "htpasswd"
    file.write_text(f"# a comment: of somebody's\nci:{entry}:and more\n")
    (said,) = differences(str(file), [User("ci", PASSWORD)], htpasswd)
    assert said == f"the password of user ci is kept as {kind}, not as bcrypt"


def test_of_several_entries_the_first_one_counts(tmp_path: Path) -> None:
    file = tmp_path / "htpasswd"
    file.write_text(f"ci:{{PLAIN}}{PASSWORD}\nci:{hashed(PASSWORD)}\n")
    assert differences(str(file), [User("ci", PASSWORD)], htpasswd) == [
        "user ci is there more than once",
        "the password of user ci is kept as plain text, not as bcrypt",
    ]


def test_no_password_shows_in_a_user_that_is_printed() -> None:
    assert PASSWORD not in repr(User("ci", PASSWORD))


def test_who_can_log_in_until_now(tmp_path: Path) -> None:
    file = tmp_path / "htpasswd"
    site = f"server {{\n        auth_basic_user_file {file};\n}}\n"
    assert in_use(str(file), site) == ()
    file.write_text("# people\nci:one\n\ndev:two\nci:three\n")
    assert in_use(str(file), site) == ("ci", "dev")
    assert in_use(str(file), "server {}\n") == (), "a file that was left behind"
    assert in_use("", site) == ()


def test_a_registry_does_not_lose_its_users_unnoticed() -> None:
    lost = dataclasses.replace(WANTED, users=())
    (said,) = obstacles(seen(users_in_use=("ci", "dev")), lost)
    assert "(2 users, ci among them)" in said
    assert "set registry_without_users to true" in said
    assert obstacles(seen(users_in_use=("ci",)), dataclasses.replace(lost, without_users=True)) == []
    assert obstacles(seen(users_in_use=("ci",)), WANTED) == []
    assert obstacles(seen(), lost) == [], "it never had any"
