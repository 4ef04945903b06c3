# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What one release is: the options of C(workload) once they have been read and found to make sense."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError

Json = t.Dict[str, t.Any]


class InvalidRelease(DeliveryError):
    """An option that cannot be meant as it is written; nothing has been asked of the cluster yet."""


@dataclasses.dataclass(frozen=True)
class Port:
    """A port that the main container listens on, and that the Service offers under the same number."""

    name: str
    port: int
    protocol: str = "TCP"


@dataclasses.dataclass(frozen=True)
class Container:
    """A container; C(image) as the user wrote it, C(environment) and C(resources) as Kubernetes takes them."""

    name: str
    image: str
    command: t.Tuple[str, ...] = ()
    args: t.Tuple[str, ...] = ()
    environment: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    resources: t.Mapping[str, t.Mapping[str, str]] = dataclasses.field(default_factory=dict)
    run_as_user: t.Optional[int] = None


@dataclasses.dataclass(frozen=True)
class PullCredentials:
    """What the kubelet logs in with; the password is a secret."""

    endpoint: str
    username: str
    password: str = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True)
class Release:
    """Everything of one release.

    :param replicas: None leaves the number alone.
    :param probes: Kubernetes' field name (C(readinessProbe)) to a probe as Kubernetes takes it.
    :param secrets: values in the clear; a secret.
    :param pre_stop_pause: seconds between the order to stop and SIGTERM, in which endpoints are withdrawn.
    :param stop_seconds: seconds that the containers have to stop after SIGTERM.
    """

    name: str
    namespace: str
    main: Container
    replicas: t.Optional[int] = None
    sidecars: t.Tuple[Container, ...] = ()
    ports: t.Tuple[Port, ...] = ()
    probes: t.Mapping[str, Json] = dataclasses.field(default_factory=dict)
    config: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    secrets: t.Mapping[str, str] = dataclasses.field(default_factory=dict, repr=False)
    service: bool = False
    pre_stop_pause: int = 0
    stop_seconds: int = 30
    run_as_root: bool = False
    pull_credentials: t.Optional[PullCredentials] = None

    @property
    def containers(self) -> t.Tuple[Container, ...]:
        """The main container, then the sidecars."""
        return (self.main, *self.sidecars)
