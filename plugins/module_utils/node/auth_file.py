# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""A login for Podman and Skopeo, which take it from a file."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.node.login import Login


@contextlib.contextmanager
def login_option(login: t.Optional[Login]) -> t.Iterator[t.List[str]]:
    """The arguments that give a login, none for nobody.

    The file is as C(containers-auth.json(5)) describes it, readable by this user alone and there for as long as the body
    lasts; in memory where there is a /run to write in.
    """
    if login is None:
        yield []
        return
    directory = "/run" if os.access("/run", os.W_OK) else None
    descriptor, path = tempfile.mkstemp(prefix="longshore-pull-", dir=directory)
    try:
        with os.fdopen(descriptor, "w") as file:
            json.dump({"auths": {str(login.endpoint): {"auth": login.basic}}}, file)
        yield ["--authfile", path]
    finally:
        os.unlink(path)
