# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m shop migrate`: the database's tables, brought to this version's state, as often as one likes.

The database is SQLite here, so that the example needs no server. As a server would, it knows the password it was made
with and refuses another one.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import secrets
import sqlite3
from contextlib import closing

from shop.configuration import EXIT_CODE, Configuration, ConfigurationError
from shop.logs import log_to_stdout

logger = logging.getLogger("shop.migration")

# Never change one that has been shipped: add the next.
MIGRATIONS = (
    "CREATE TABLE product (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, cents INTEGER NOT NULL CHECK (cents >= 0))",
    "CREATE TABLE sale (id INTEGER PRIMARY KEY, product INTEGER NOT NULL REFERENCES product (id), sold_at TEXT NOT NULL)",
    "CREATE INDEX sale_by_product ON sale (product)",
)


class WrongPassword(Exception):
    """The database was made with another password than the one given."""


def migrate() -> int:
    """Apply what is missing; 0 done or nothing to do, 1 the database refused, 78 for a wrong configuration."""
    log_to_stdout()
    try:
        configuration = Configuration.from_environment(os.environ)
    except ConfigurationError as error:
        logger.error("cannot migrate: %s", error)
        return EXIT_CODE
    try:
        with closing(sqlite3.connect(configuration.database_path, isolation_level=None)) as database:
            applied = bring_up_to_date(database, configuration.database_password)
    except (sqlite3.Error, WrongPassword) as error:
        logger.error("cannot migrate %s: %s", configuration.database_path, error)
        return 1
    logger.info("migrated", extra={"facts": {"applied": applied, "version": len(MIGRATIONS)}})
    return 0


def bring_up_to_date(database: sqlite3.Connection, password: str) -> int:
    """Apply the missing migrations, all or none; return how many there were."""
    database.execute("BEGIN IMMEDIATE")
    try:
        _log_in(database, password)
        (version,) = database.execute("PRAGMA user_version").fetchone()
        missing = MIGRATIONS[version:]
        for statement in missing:
            database.execute(statement)
        if missing:
            database.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")
    return len(missing)


def _log_in(database: sqlite3.Connection, password: str) -> None:
    database.execute("CREATE TABLE IF NOT EXISTS login (salt BLOB NOT NULL, verifier BLOB NOT NULL)")
    known = database.execute("SELECT salt, verifier FROM login").fetchone()
    salt = known[0] if known else secrets.token_bytes(16)
    verifier = hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)
    if known is None:
        database.execute("INSERT INTO login VALUES (?, ?)", (salt, verifier))
    elif not hmac.compare_digest(known[1], verifier):
        raise WrongPassword("DB_PASSWORD is not the password this database was made with")
