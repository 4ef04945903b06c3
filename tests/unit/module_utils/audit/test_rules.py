# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each rule: what breaks it and what, much like it, does not."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.audit import build_rules
from ansible_collections.longshore.delivery.plugins.module_utils.audit.detectors import Detectors
from ansible_collections.longshore.delivery.plugins.module_utils.audit.finding import (
    RULES,
    Finding,
    by_importance,
)
from ansible_collections.longshore.delivery.plugins.module_utils.audit.history import instructions
from ansible_collections.longshore.delivery.plugins.module_utils.audit.layer import FileScan
from ansible_collections.longshore.delivery.plugins.module_utils.audit.merged import merge
from ansible_collections.longshore.delivery.plugins.module_utils.audit.report import audit
from ansible_collections.longshore.delivery.plugins.module_utils.audit.runtime_rules import runtime_findings
from ansible_collections.longshore.delivery.plugins.module_utils.audit.secret_scan import SecretScan
from ansible_collections.longshore.delivery.plugins.module_utils.audit.wasted import WORTH_SAYING

from .made import Content, audited, broken, config, layer, rules, with_mode


def runtime(
    settings: dict[str, t.Any], references: tuple[str, ...] = (), platforms: tuple[str, ...] = (), **further: str
) -> list[Finding]:
    return list(runtime_findings({**config(**{"User": "1000", **settings}), **further}, references, platforms))


def test_an_image_that_breaks_no_rule() -> None:
    assert runtime({"Entrypoint": ["/app"]}, ("shop/web:1.4",), ("linux/amd64",)) == []


@pytest.mark.parametrize("user", ["", "0", "root", "0:0", "root:app", "00"])
def test_root(user: str) -> None:
    assert rules(runtime({"User": user})) == ["root_user"]


@pytest.mark.parametrize("user", ["1000", "app", "10001:0", "rooty"])
def test_another_user(user: str) -> None:
    assert runtime({"User": user}) == []


@pytest.mark.parametrize(
    "settings",
    [
        {"Entrypoint": ["/bin/sh", "-c", "python app.py"]},
        {"Cmd": ["/bin/sh", "-c", "python app.py"]},
        {"Entrypoint": ["bash", "-c", "prepare; python app.py"], "Cmd": ["x"]},
        {"Entrypoint": ["/bin/sh", "-c", "executable --now"]},
        {"Entrypoint": ["/bin/sh", "-ec", "python app.py"]},
        {"Entrypoint": ["bash", "-lc", "python app.py"]},
        {"Entrypoint": ["/bin/bash", "-o", "pipefail", "-c", "python app.py"]},
        {"Entrypoint": ["/usr/bin/env", "-i", "A=b", "sh", "-c", "python app.py"]},
        {"Cmd": ["sh", "-c", "exec 2>&1; python app.py"]},
        {"Entrypoint": ["/usr/bin/tini", "--", "/bin/sh", "-c", "gunicorn app"]},
        {"Entrypoint": ["tini", "-v", "-e", "143", "sh", "-c", "gunicorn app"]},
    ],
)
def test_a_shell_that_swallows_sigterm(settings: dict[str, t.Any]) -> None:
    assert rules(runtime(settings)) == ["shell_form"]


@pytest.mark.parametrize(
    "settings",
    [
        {"Entrypoint": ["python", "app.py"]},
        {"Entrypoint": ["tini", "--", "gunicorn", "app"]},
        {"Entrypoint": ["tini", "--"]},
        {"Entrypoint": ["tini", "--", "sh", "-c", "exec gunicorn app"]},
        {"Entrypoint": ["tini", "-g", "--", "sh", "-c", "gunicorn app"]},
        {"Entrypoint": ["dumb-init", "--", "sh", "-c", "gunicorn app"]},
        {"Entrypoint": ["/bin/sh", "-c", "exec python app.py"]},
        {"Entrypoint": ["/bin/sh", "-c", "prepare && exec python app.py"]},
        {"Entrypoint": ["/entrypoint.sh"], "Cmd": ["/bin/sh", "-c", "sleep"]},
        {"Cmd": ["/bin/sh"]},
        {"Entrypoint": ["/usr/bin/env", "python", "-c", "x"]},
        {"Entrypoint": ["/bin/sh", "/start.sh", "-c", "app.conf"]},
        {"Entrypoint": ["sh", "-ec", "if x; then exec app; fi"]},
        {"Cmd": ["sh", "-c", "exec app; true"]},  # true is never run
        {"Cmd": None, "Entrypoint": None},
    ],
)
def test_a_program_that_gets_sigterm(settings: dict[str, t.Any]) -> None:
    assert runtime(settings) == []


def test_a_platform_that_no_node_has() -> None:
    (found,) = runtime({}, (), ("linux/arm64", "linux/arm/v7"))
    assert (found.rule, found.severity) == ("platform", "critical")
    assert "linux/amd64" in found.what
    assert "linux/arm/v7, linux/arm64" in found.what


@pytest.mark.parametrize(
    ("architecture", "variant", "node"),
    [
        ("amd64", "", "linux/amd64"),
        ("arm64", "v8", "linux/arm64"),
        ("arm64", "", "linux/arm64/v8"),
        ("arm", "v7", "linux/arm"),
    ],
)
def test_a_platform_that_a_node_has(architecture: str, variant: str, node: str) -> None:
    assert runtime({}, (), ("linux/s390x", node), architecture=architecture, variant=variant) == []


def test_another_variant_is_another_platform() -> None:
    assert rules(runtime({}, (), ("linux/arm/v6",), architecture="arm", variant="v7")) == ["platform"]


def test_the_tag_latest() -> None:
    found = runtime({}, ("shop/web:1.4", "registry.example:5000/shop/web:latest", "shop/latest:2"))
    assert rules(found) == ["latest_tag"]
    assert "registry.example:5000/shop/web" in found[0].what


COPY_ALL = [
    ("COPY . . # buildkit", True),
    ("COPY src/ ./src # buildkit", True),
    ("/bin/sh -c #(nop) COPY dir:0123abcd in /app ", True),
]


@pytest.mark.parametrize("copy", COPY_ALL)
@pytest.mark.parametrize(
    "install",
    [
        "pip install -r requirements.txt",
        "cd web && npm  ci",
        "apt install -y curl",
        "pip install --no-deps . && pip install -r requirements.txt",
        "apt-get update && apt-get install -y curl",
        "yarn",
        "go mod download",
        "bundle install",
        "apk add --no-cache curl",
    ],
)
def test_the_source_before_the_dependencies(copy: tuple[str, bool], install: str) -> None:
    history = instructions(config([copy, ("RUN /bin/sh -c %s # buildkit" % install, True)]), 2)
    (found,) = build_rules.cache_order(history)
    assert (found.rule, found.layer) == ("cache_order", 1)


def test_an_install_is_said_without_its_options() -> None:
    run = "RUN /bin/sh -c apt-get -o Acquire::http::Proxy=http://ci:hunter22@proxy install -y curl # buildkit"
    (found,) = build_rules.cache_order(instructions(config([COPY_ALL[0], (run, True)]), 2))
    assert found.what.startswith('"apt-get install" runs')


@pytest.mark.parametrize(
    "lines",
    [
        [
            "COPY requirements.txt . # buildkit",
            "RUN /bin/sh -c pip install -r requirements.txt # buildkit",
            "COPY . . # buildkit",
        ],
        ["COPY . . # buildkit", "RUN /bin/sh -c npm run build # buildkit"],
        ["COPY src/ ./src/ # buildkit", "RUN /bin/sh -c pip install --no-cache-dir --no-deps . # buildkit"],
        ["/bin/sh -c #(nop) COPY file:0123 in / ", "/bin/sh -c npm ci"],
        [
            "COPY requirements/ ./requirements/ # buildkit",
            "RUN /bin/sh -c pip install -r requirements/a.txt # buildkit",
        ],
        ["COPY .config /app/ # buildkit", "RUN /bin/sh -c npm ci # buildkit"],
    ],
)
def test_an_order_that_keeps_the_cache(lines: list[str]) -> None:
    history = instructions(config([(line, True) for line in lines]), len(lines))
    assert list(build_rules.cache_order(history)) == []


@pytest.mark.parametrize(
    "path",
    [
        "var/lib/apt/lists/deb.debian.org_debian_dists_trixie_InRelease",
        "var/cache/apt/archives/curl.deb",
        "var/cache/apt/pkgcache.bin",
        "var/cache/apk/APKINDEX.tar.gz",
        "var/cache/dnf/x.solv",
        "root/.cache/pip/http/a",
        "root/.cache/uv/a",
        "root/.npm/_cacache/a",
        "usr/local/share/.cache/yarn/a",
        "root/.cache/go-build/a",
        "root/.m2/repository/a.jar",
        "usr/local/cargo/registry/a",
        "usr/local/bundle/cache/a.gem",
    ],
)
def test_a_package_cache(path: str) -> None:
    layers = [layer({path: b"12345", "app": b"1"})]
    (found,) = build_rules.package_caches(layers, merge(layers))
    assert (found.rule, found.layer, found.bytes) == ("package_cache", 0, 5)


@pytest.mark.parametrize(
    "path",
    ["var/lib/apt/lists/lock", "var/cache/apt/archives/lock", "var/lib/dpkg/status", "root/.cache/app/x", "app/.npm/x"],
)
def test_no_package_cache(path: str) -> None:
    layers = [layer({path: b"12345"})]
    assert list(build_rules.package_caches(layers, merge(layers))) == []


def test_a_cache_that_a_later_layer_deletes_is_wasted_and_not_left_behind() -> None:
    layers = [
        layer({"var/cache/apt/pkgcache.bin": bytes(WORTH_SAYING)}),
        layer({"var/cache/apt/.wh.pkgcache.bin": b""}),
    ]
    assert list(build_rules.package_caches(layers, merge(layers))) == []


def test_a_too_wide_context() -> None:
    layers = [layer({"app/.git/HEAD": b"12", "app/.git/x": b"3", "app/Dockerfile": b"4", "app/main.py": b"5"})]
    history = instructions(config([("COPY . /app # buildkit", True)]), 1)
    (found,) = build_rules.wide_context(layers, history)
    assert (found.rule, found.layer, found.bytes) == ("wide_context", 0, 4)
    assert found.what.endswith(": .git, Dockerfile")


@pytest.mark.parametrize(
    ("line", "path"),
    [("RUN /bin/sh -c git clone x # buildkit", "app/.git/HEAD"), ("COPY . /app # buildkit", "app/.gitlab/x")],
)
def test_what_a_context_may_bring(line: str, path: str) -> None:
    layers = [layer({path: b"1"})]
    assert list(build_rules.wide_context(layers, instructions(config([(line, True)]), 1))) == []


def setuid(files: dict[str, Content], *more: dict[str, Content]) -> list[Finding]:
    layers = [layer(each) for each in (files, *more)]
    return list(build_rules.setuid(layers, merge(layers)))


def test_setuid_files() -> None:
    files: dict[str, Content] = {"su": with_mode(0o4755), "wall": with_mode(0o2755), "both": with_mode(0o6755)}
    found = setuid({**files, "sh": with_mode(0o755)})
    assert {f.path: f.what.partition(":")[0] for f in found} == {
        "su": "it is setuid",
        "wall": "it is setgid",
        "both": "it is setuid and setgid",
    }
    whose = {f.path: f.what.partition(" gets its ")[2] for f in found}
    assert whose == {"su": "owner's rights", "wall": "group's rights", "both": "owner's and its group's rights"}


def test_setuid_files_that_no_longer_are_any() -> None:
    assert setuid({"bin/su": with_mode(0o4755)}, {"bin/su": with_mode(0o755)}) == []
    assert setuid({"bin/su": with_mode(0o4755)}, {"bin/.wh.su": b""}) == []
    assert setuid({"mail": with_mode(0o2644), "spool/": None}) == []


def wasted(
    detectors: Detectors, *layers: dict[str, Content]
) -> list[tuple[t.Optional[int], t.Optional[str], t.Optional[int]]]:
    report = audit(audited(config(User="1"), tuple(map(layer, layers))), detectors)
    return [(f.layer, f.path, f.bytes) for f in report.findings if f.rule == "wasted_bytes"]


def test_wasted_bytes_with_the_total(detectors: Detectors) -> None:
    below: dict[str, Content] = {"big": bytes(WORTH_SAYING), "small": b"12", "kept": b"1"}
    above: dict[str, Content] = {".wh.big": b"", "small": b"3"}
    assert wasted(detectors, below, above) == [(0, "big", WORTH_SAYING + 2)]
    report = audit(audited(config(User="1"), (layer(below), layer(above))), detectors)
    assert report.wasted == WORTH_SAYING + 2
    assert report.size == WORTH_SAYING + 4
    assert [(each.added, each.changed, each.deleted) for each in report.layers] == [(3, 0, 0), (0, 1, 1)]


def test_what_two_layers_waste_is_one_finding_that_names_the_largest(detectors: Detectors) -> None:
    below: dict[str, Content] = {"d/%d" % number: bytes(100_000 + number) for number in range(11)}
    history = [("RUN make # buildkit", True), ("RUN apt-get upgrade # buildkit", True)]
    image = audited(config(history, User="1"), (layer(below), layer(dict.fromkeys(below, b"1"))))
    (found,) = audit(image, detectors).findings
    assert (found.layer, found.path, found.bytes) == (0, "d/10", 1_100_055)
    assert found.what == "layer 1 overwrites it (0.1 MB) and 10 more, as d/9 (0.1 MB), d/8 (0.1 MB), d/7 (0.1 MB)"
    assert found.way_out.startswith("Start from a newer base")
    assert wasted(detectors, below, {"d/.wh.10": b""}) == []


def test_what_is_little_of_a_large_image_is_in_the_total_alone(detectors: Detectors) -> None:
    below: dict[str, Content] = {"big": bytes(WORTH_SAYING), "rest": bytes(200 * WORTH_SAYING - WORTH_SAYING)}
    assert wasted(detectors, below, {".wh.big": b""}) == [(0, "big", WORTH_SAYING)]
    assert wasted(detectors, {**below, "more": b"1"}, {".wh.big": b""}) == []


@pytest.mark.parametrize(
    ("first", "second", "above", "way_out"),
    [
        ("COPY a /", "RUN chown 1 /big", "big", "COPY --chown"),
        ("RUN make", "COPY big /", "big", "COPY --chown"),
        ("RUN make", "RUN strip", "big", "newer base"),
        ("COPY a /", "RUN rm /big", ".wh.big", "Delete it in the RUN"),
    ],
)
def test_the_way_out_is_of_the_instructions(
    detectors: Detectors, first: str, second: str, above: str, way_out: str
) -> None:
    layers = (layer({"big": bytes(WORTH_SAYING)}), layer({above: b""}))
    history = [(first + " # buildkit", True), (second + " # buildkit", True)]
    (found,) = audit(audited(config(history, User="1"), layers), detectors).findings
    assert way_out in found.way_out


def test_every_rule_is_broken_by_one_image(detectors: Detectors) -> None:
    """No rule is only a name in the list, and none is left out when the parts are put together."""
    document, base, upper = broken()
    image = audited(document, (layer(base, scan_of(detectors)), layer(upper)), "shop/web:latest")
    report = audit(image, detectors, ["linux/arm64"])
    assert {found.rule for found in report.findings} == set(RULES)
    assert list(report.findings) == by_importance(report.findings)
    assert report.findings[0].severity == "critical"
    assert [each.instruction for each in report.layers] == ["COPY . .", "RUN npm ci"]


def scan_of(detectors: Detectors) -> FileScan:
    return SecretScan(detectors).file
