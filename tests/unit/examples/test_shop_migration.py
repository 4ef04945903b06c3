# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from shop import migration
from shop_processes import PASSWORD, PATIENCE, WEB


def migrate(database: Path, password: str = PASSWORD) -> tuple[int, dict[str, Any]]:
    """Run the command as a Job would; return the exit code and the last log line."""
    done = subprocess.run(
        [sys.executable, "-m", "shop", "migrate"],
        cwd=WEB,
        env={"PATH": os.environ["PATH"], "DATABASE_PATH": str(database), "DB_PASSWORD": password},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert password not in done.stdout + done.stderr
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


def test_the_second_run_has_nothing_to_do(tmp_path: Path) -> None:
    database = tmp_path / "shop.sqlite3"
    code, line = migrate(database)
    assert (code, line["applied"]) == (0, len(migration.MIGRATIONS))
    before = database.read_bytes()
    code, line = migrate(database)
    assert (code, line["applied"]) == (0, 0)
    assert database.read_bytes() == before
    with closing(sqlite3.connect(database)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert {"product", "sale"} <= tables


def test_another_password_is_refused(tmp_path: Path) -> None:
    database = tmp_path / "shop.sqlite3"
    assert migrate(database)[0] == 0
    code, line = migrate(database, "0ther-passphrase")
    assert code == 1
    assert "DB_PASSWORD is not the password" in line["message"]


def test_the_password_is_not_in_the_database(tmp_path: Path) -> None:
    database = tmp_path / "shop.sqlite3"
    migrate(database)
    assert PASSWORD.encode() not in database.read_bytes()


def test_a_database_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    code, line = migrate(tmp_path / "missing" / "shop.sqlite3")
    assert code == 1
    assert str(tmp_path / "missing") in line["message"]


def test_a_failing_migration_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration, "MIGRATIONS", (*migration.MIGRATIONS, "CREATE TABLE product (again)"))
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        with pytest.raises(sqlite3.OperationalError):
            migration.bring_up_to_date(database, PASSWORD)
        assert database.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
        assert database.execute("PRAGMA user_version").fetchone() == (0,)


def test_a_newer_version_s_database_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        migration.bring_up_to_date(database, PASSWORD)
        monkeypatch.setattr(migration, "MIGRATIONS", migration.MIGRATIONS[:1])
        assert migration.bring_up_to_date(database, PASSWORD) == 0
        assert database.execute("PRAGMA user_version").fetchone() == (3,)
