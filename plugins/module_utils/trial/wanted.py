# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What a user wants of an image that is tried."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import DockerAddress
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import DOCKER


@dataclasses.dataclass(frozen=True)
class Condition:
    """What a text must fulfil: both where both are set, anything where neither is.

    :param regex: is to be found in it.
    :param jmespath: is to hold for it as JSON.
    """

    regex: str = ""
    jmespath: str = ""


@dataclasses.dataclass(frozen=True)
class Assertion:
    """A condition of the user's own: by exactly one of C(http), C(exec) and C(tcp).

    :param http: a path; empty for none.
    :param status: the one that is wanted; 0 for any that a probe takes, 200 to 399.
    :param timeout: seconds within which it has to hold.
    """

    name: str
    http: str = ""
    command: t.Tuple[str, ...] = ()
    tcp: int = 0
    port: int = 0
    headers: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    status: int = 0
    condition: Condition = dataclasses.field(default_factory=Condition)
    timeout: int = 5


@dataclasses.dataclass(frozen=True)
class ChangedVariable:
    """A variable whose value the answer at a path is to show.

    :param regex: what the body matches with that value, and not without; empty where any difference will do.
    """

    name: str
    value: str
    path: str
    regex: str = ""


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What the user wants of an image.

    :param image: a reference or an ID.
    :param called: what messages call it: an image that is asked for by its ID may have a name, or be about to get one.
    :param engine: one of C(options.ENGINES).
    :param port: the one it is to listen on; 0 where the image has to say.
    :param env: all variables it gets, the secret ones too.
    :param endpoints: paths by what they are: health, ready, metrics; only those asked for.
    :param memory: bytes.
    """

    image: str
    address: DockerAddress
    called: str = ""
    engine: str = DOCKER
    command: t.Optional[t.Tuple[str, ...]] = None
    env: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    user: str = ""
    port: int = 0
    endpoints: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    required_env: t.Tuple[str, ...] = ()
    changed_env: t.Tuple[ChangedVariable, ...] = ()
    assertions: t.Tuple[Assertion, ...] = ()
    accept: t.Tuple[str, ...] = ()
    start_timeout: int = 30
    stop_timeout: int = 30
    memory: int = 256 * 1024**2
    cpus: float = 1.0
    tmpfs: t.Tuple[str, ...] = ("/tmp",)
