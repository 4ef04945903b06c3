# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets in an image's configuration and history: found by name, by value and by the command that takes them, never shown."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.audit import settings_secrets
from ansible_collections.longshore.delivery.plugins.module_utils.audit.detectors import Detectors
from ansible_collections.longshore.delivery.plugins.module_utils.audit.finding import Finding
from ansible_collections.longshore.delivery.plugins.module_utils.audit.history import instructions

from .made import config


def settings_found(detectors: Detectors, **settings: t.Any) -> list[str]:
    return [found.what for found in settings_secrets.in_config(config(**settings), detectors)]


@pytest.mark.parametrize(
    "name",
    [
        "DB_PASSWORD",
        "TOKEN",
        "API_KEY",
        "AWS_SECRET_ACCESS_KEY",
        "SESSION_SECRET",
        "PASSWORD2",
        "PGPASSWORD",
        "DB_PASS",
        "DBPASSWORD",
        "dbPassword",
        "SECRET_KEY_BASE",
        "API_SECRET_V2",
        "MY_DB_KEY",
        "SECRETKEY_OF_APP",
    ],
)
def test_a_secret_by_its_name(detectors: Detectors, name: str) -> None:
    for settings in ({"Env": [name + "=hunter22"]}, {"Labels": {name: "hunter22"}}):
        (what,) = settings_found(detectors, **settings)
        assert name in what
        assert "hunter22" not in what


@pytest.mark.parametrize(
    "assignment",
    [
        "GPG_KEY=" + "A035C8C19219BA821ECEA86B64E628F8D684696D",
        "DB_PASSWORD=",
        "DB_PASSWORD_FILE=/run/secrets/db",
        "TOKEN=${TOKEN}",
        "SSH_KEY_PATH=/x",
        "API_KEY_ENV=MY_KEY",
        "PASSWORD=/run/secrets/db",
        "TOKEN_URL=https://login.example/token",
        "PATH=/usr/bin",
        "REQUIRE_TOKEN=true",
        "PASSWORD_POLICY=strict",
        "SECRET_ROTATION_SECONDS=86400",
        "SECRETS_URL=https://vault.example/v1",
        "PASSWORD_HASHER=argon",
        "PWD=/app",
    ],
)
def test_no_secret_in_the_environment(detectors: Detectors, assignment: str) -> None:
    assert settings_found(detectors, Env=[assignment]) == []


def test_a_secret_in_a_value_whatever_its_name(detectors: Detectors) -> None:
    assert settings_found(detectors, Env=["DATABASE=postgres://shop:hunter22@db/shop"])
    assert settings_found(detectors, Cmd=["app", "--db=postgres://shop:hunter22@db/shop"])


def test_a_secret_in_what_checks_and_triggers(detectors: Detectors) -> None:
    check = {"Test": ["CMD-SHELL", "curl -u admin:hunter22 http://localhost"]}
    assert settings_found(detectors, Healthcheck=check) == ["HEALTHCHECK holds a login for curl"]
    assert settings_found(detectors, OnBuild=["RUN make", "ENV DB_PASSWORD=hunter22"]) == [
        "ONBUILD instruction 2, ENV, holds a value for DB_PASSWORD"
    ]
    harmless = {"Test": ["CMD", "curl", "-f", "http://localhost"]}
    assert settings_found(detectors, Healthcheck=harmless, OnBuild=["COPY . /app"]) == []


def history_found(detectors: Detectors, *lines: str) -> list[Finding]:
    history = instructions(config([(line, False) for line in lines]), 0)
    return list(settings_secrets.in_history(history, detectors))


def test_a_build_argument_is_said_once(detectors: Detectors) -> None:
    run = "RUN |1 TOKEN=hunter22 /bin/sh -c %s # buildkit"
    found = history_found(detectors, "ARG TOKEN=hunter22", run % "make", run % "make install")
    assert len(found) == 1
    assert "TOKEN" in found[0].what
    assert history_found(detectors, "ARG TOKEN", "ARG VERSION=1", "RUN |1 VERSION=1 /bin/sh -c make # buildkit") == []


def test_a_secret_in_an_instruction_is_not_shown(detectors: Detectors) -> None:
    line = "RUN /bin/sh -c curl https://ci:hunter22@get.example/x # buildkit"
    (found,) = history_found(detectors, line)
    assert "instruction 1" in found.what
    (step,) = instructions(config([(line, True)]), 1)
    assert settings_secrets.shown_instruction(step, detectors) == "RUN (not shown: it holds a secret)"
    (step,) = instructions(config([("RUN |1 A=b /bin/sh -c make   all # buildkit", True)]), 1)
    assert settings_secrets.shown_instruction(step, detectors) == "RUN make all"


@pytest.mark.parametrize(
    "command",
    [
        "curl -u admin:hunter22 https://get.example/x",
        "curl -fsSLu 'admin:hunter22' https://get.example/x",
        "curl -sS --user=admin:hunter22 https://get.example/x",
        "mysql -uroot -phunter22 < dump",
        "mysqldump -h db -p'hunter22' shop",
        'echo "hunter22" | docker login -u ci --password-stdin',
        "printf %s hunter22 | podman login --password-stdin registry.example",
        "docker login -u ci -p hunter22 registry.example",
        "sshpass -p hunter22 ssh host",
        'curl -H "Authorization: Bearer hunter22" https://get.example/x',
        "wget --header='PRIVATE-TOKEN: hunter22' https://get.example/x",
        "wget --password hunter22 https://get.example/x",
        "tool --api-key=hunter22",
    ],
)
def test_a_password_that_a_command_is_given(detectors: Detectors, command: str) -> None:
    (found,) = history_found(detectors, "RUN /bin/sh -c %s # buildkit" % command)
    assert found.rule == "secret_in_settings"
    assert "hunter22" not in found.what + found.way_out
    (step,) = instructions(config([("RUN /bin/sh -c " + command, True)]), 1)
    assert settings_secrets.shown_instruction(step, detectors) == "RUN (not shown: it holds a secret)"


@pytest.mark.parametrize(
    "command",
    [
        "curl -u admin:$PASSWORD https://get.example/x",
        'curl -u "admin:$(cat /run/secrets/x)" https://get.example:443/x',
        "curl -fsSL https://get.example:443/x -o x",
        'mysql -p"$PASSWORD" && mkdir -p /x',
        "mysql -u root -p < dump; cp -pr a b",
        'echo "$PASSWORD" | docker login --password-stdin',
        "cat /run/secrets/x | docker login --password-stdin",
        'curl -H "Authorization: Bearer ${TOKEN}" https://get.example/x',
        "tool --token --verbose && useradd --password-file /x app",
        "echo hello | tee /x",
        "bash --login -c 'mkdir -p app'",
    ],
)
def test_a_command_that_refers_to_a_password(detectors: Detectors, command: str) -> None:
    assert history_found(detectors, "RUN /bin/sh -c %s # buildkit" % command) == []


def test_a_build_arguments_value_is_never_shown(detectors: Detectors) -> None:
    for line in (
        "RUN |1 PASSWORD=[Tr0ub4dor99 /bin/sh -c true # buildkit",
        "RUN |1 DB_KEY=/bin/Tr0ub4dor99 /bin/sh -c true # buildkit",
        "RUN |1 PASSWORD=[Tr0ub4dor99 true # buildkit",
        "RUN |1 PASSWORD=x9 /bin/sh -c Tr0ub4dor99 /bin/sh -c true # buildkit",
    ):
        (step,) = instructions(config([(line, True)]), 1)
        assert "Tr0ub4dor99" not in settings_secrets.shown_instruction(step, detectors)
        found = history_found(detectors, line)
        assert bool(found) == ("PASSWORD" in line)
        assert not any("Tr0ub4dor99" in each.what for each in found)
