# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ast
import inspect
import typing as t

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.longshore.delivery.plugins.doc_fragments.registry import ModuleDocFragment
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Endpoint
from ansible_collections.longshore.delivery.plugins.module_utils.registry import client as client_module
from ansible_collections.longshore.delivery.plugins.module_utils.registry.authorization import challenges
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import (
    REGISTRY_OPTIONS,
    REGISTRY_SPEC,
    RegistrySettings,
)

from .certificates import Certificates

STANDARD_LIBRARY = {
    *("__future__", "base64", "contextlib", "dataclasses", "errno", "functools", "hashlib", "http", "json", "os"),
    *("re", "socket", "ssl", "time", "typing", "urllib"),
}
Params = t.Dict[str, t.Any]


def validated(params: Params) -> Params:
    result = ArgumentSpecValidator({"registry": REGISTRY_SPEC}).validate({"registry": params})
    assert not result.error_messages
    return t.cast(Params, result.validated_parameters["registry"])


def test_the_least_that_can_be_said() -> None:
    made = RegistrySettings.from_params(validated({"endpoint": "Registry.Example:5000"}))
    assert made == RegistrySettings(Endpoint("registry.example", 5000))
    assert (made.tls, made.scheme, made.basic_authorization) == ("verified", "https", None)


def test_all_of_it(certificates: Certificates) -> None:
    pem = certificates.authority().pem
    params = {
        "endpoint": "r.example",
        "tls": "verified",
        "ca": "Zertifikat für uns:\r\n" + pem.replace("\n", "\r\n") + pem,
        "username": "ci",
        "password": "pä:ss",
        "mirror_of": ["docker.io", "index.docker.io"],
    }
    made = RegistrySettings.from_params(validated(params))
    assert made.ca is not None
    assert made.ca.count("BEGIN CERTIFICATE") == 2
    assert made.ca.isascii()
    assert made.basic_authorization == "Basic Y2k6cMOkOnNz"
    assert made.mirror_of == (Endpoint("docker.io"), Endpoint("docker.io"))
    assert "pä:ss" not in repr(made)
    assert "CERTIFICATE" not in repr(made)


def test_what_a_template_leaves_empty_is_not_set() -> None:
    params = {"endpoint": "r.example", "tls": "plain", "ca": "", "username": "", "password": "", "mirror_of": []}
    assert RegistrySettings.from_params(validated(params)) == RegistrySettings(Endpoint("r.example"), "plain")


@pytest.mark.parametrize(
    ("params", "cause"),
    [
        ({"endpoint": "https://r.example"}, "leave 'https://' away and say by 'tls'"),
        ({"mirror_of": ["https://docker.io"]}, "leave 'https://' away"),
        ({"tls": "maybe"}, "'tls' is 'maybe'; verified, unverified and plain are known"),
        (
            {"ca": "/etc/ssl/ca.crt"},
            "holds no certificate in PEM form (-----BEGIN CERTIFICATE-----). If it is a file's name",
        ),
        (
            {"ca": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
            "a certificate that cannot be read",
        ),
        ({"ca": "-----BEGIN PRIVATE KEY-----\nhidden\n-----END PRIVATE KEY-----"}, "holds a private key"),
        ({"username": "ci"}, "'username' is given and 'password' is not"),
        ({"password": "hidden"}, "'password' is given and 'username' is not"),
        ({"username": "c:i", "password": "hidden"}, "'username' has a ':'"),
        ({"username": "ci", "password": "hidden\n"}, "'password' has a line break"),
    ],
)
def test_what_cannot_be_meant(params: Params, cause: str) -> None:
    with pytest.raises(DeliveryError) as caught:
        RegistrySettings.from_params({"endpoint": "r.example", **params})
    assert cause in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_a_ca_with_plain_http_is_a_contradiction(certificates: Certificates) -> None:
    with pytest.raises(DeliveryError, match="'ca' is given and 'tls' is plain"):
        RegistrySettings.from_params({"endpoint": "r.example", "tls": "plain", "ca": certificates.authority().pem})


def test_half_a_login_is_refused_by_the_argument_spec_already() -> None:
    result = ArgumentSpecValidator({"registry": REGISTRY_SPEC}).validate(
        {"registry": {"endpoint": "r.example", "username": "ci"}}
    )
    assert "required together: username, password" in str(result.error_messages)


def test_the_documentation_says_what_the_spec_says() -> None:
    documented = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]["registry"]
    assert documented["type"] == REGISTRY_SPEC["type"]
    keys = ("type", "required", "choices", "default", "elements")
    assert {
        name: {key: value for key, value in option.items() if key in keys}
        for name, option in documented["suboptions"].items()
    } == {
        name: {key: value for key, value in option.items() if key in keys} for name, option in REGISTRY_OPTIONS.items()
    }
    assert [name for name, option in REGISTRY_OPTIONS.items() if option.get("no_log")] == ["password", "client_key"]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('Basic realm="a, b"', [("basic", {"realm": "a, b"})]),
        (
            'Bearer realm="https://t/x",service="s",scope="repository:a:pull,push"',
            [("bearer", {"realm": "https://t/x", "service": "s", "scope": "repository:a:pull,push"})],
        ),
        (
            'Negotiate, BASIC Realm="q\\"q", charset=UTF-8',
            [("negotiate", {}), ("basic", {"realm": 'q"q', "charset": "UTF-8"})],
        ),
        ("", []),
    ],
)
def test_challenges_are_read(header: str, expected: list[tuple[str, dict[str, str]]]) -> None:
    assert [tuple(challenge) for challenge in challenges(header)] == expected


def test_the_client_needs_the_standard_library_alone() -> None:
    for name in ("authorization", "client", "errors", "faults", "manifest", "settings", "tls", "transport"):
        path = inspect.getfile(client_module).replace("client.py", name + ".py")
        with open(path, encoding="utf-8") as source:
            tree = ast.parse(source.read(), feature_version=(3, 9))
        for node in ast.walk(tree):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for module in modules:
                known = module.split(".")[0] in STANDARD_LIBRARY
                assert known or module.startswith("ansible_collections.longshore.delivery.plugins.module_utils.")
