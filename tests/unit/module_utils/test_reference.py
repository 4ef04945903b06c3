# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""References and endpoints against the distribution project's grammar, transcribed here as regular expressions."""

from __future__ import annotations

import ipaddress
import re
import string

import pytest
from hypothesis import assume, example, given, reject
from hypothesis import strategies as st

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.reference import (
    Endpoint,
    IndexDigest,
    InvalidReference,
    ManifestDigest,
    Reference,
)

HEX = "0123456789abcdef"
D256 = "sha256:" + "a1" * 32
D384 = "sha384:" + "c3" * 48
D512 = "sha512:" + "b2" * 64

# ---- the oracle: the grammar of distribution/reference (reference.go, regexp.go, normalize.go), and rules of ours ----

_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*"
_PATH = rf"{_COMPONENT}(?:/{_COMPONENT})*"
_FULL = re.compile(
    rf"(?:(?P<domain>{_DOMAIN})/)?(?P<path>{_PATH})(?::(?P<tag>[0-9A-Za-z_][0-9A-Za-z_.-]{{0,127}}))?"
    r"(?:@(?P<digest>[A-Za-z][A-Za-z0-9]*(?:[+._-][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?"
)
_DIGEST = re.compile("sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}")


def expected(text: str) -> tuple[str, str, str | None, str | None] | None:
    """Registry, repository, tag and digest as distribution reads them, or None where the text is invalid."""
    if re.fullmatch("[a-f0-9]{64}", text):
        return None
    head, slash, rest = text.partition("/")
    if slash and (head == "localhost" or "." in head or ":" in head or head != head.lower()):
        domain, remote = head.lower(), rest
        domain = "docker.io" if domain == "index.docker.io" else domain
    else:
        domain, remote = "docker.io", text
    if domain == "docker.io" and "/" not in remote.partition("@")[0]:
        remote = "library/" + remote
    match = _FULL.fullmatch(f"{domain}/{remote}")
    if not match or match["domain"] != domain or len(match["path"]) > 255:
        return None
    if match["digest"] and not _DIGEST.fullmatch(match["digest"]):
        return None
    if not _names_a_server(domain):
        return None
    return domain, match["path"], match["tag"], match["digest"]


def _names_a_server(domain: str) -> bool:
    bracketed = re.fullmatch(r"\[(.*)\](?::([0-9]+))?", domain)
    host, port = bracketed.groups() if bracketed else (domain.partition(":")[0], domain.partition(":")[2] or None)
    if bracketed:
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            return False
    return port is None or (not port.startswith("0") and 1 <= int(port) <= 65535)


# ---- what hypothesis draws ----

lower = string.ascii_lowercase + string.digits
alnum = st.text(lower, min_size=1, max_size=6)
component = st.builds(
    lambda first, more: first + "".join(more),
    alnum,
    st.lists(st.builds(str.__add__, st.sampled_from([".", "_", "__", "-", "--", "---"]), alnum), max_size=2),
)
path = st.lists(component, min_size=1, max_size=4).map("/".join)
label = st.from_regex(r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,5}[a-zA-Z0-9])?", fullmatch=True)
name_host = st.lists(label, min_size=1, max_size=4).map(".".join)
ipv6_host = st.one_of(
    st.ip_addresses(v=6).map(str),
    st.ip_addresses(v=6).map(lambda a: a.exploded),
    st.ip_addresses(v=6).map(lambda a: str(a).upper()),
).filter(lambda text: "." not in text)
host = st.one_of(
    name_host, st.ip_addresses(v=4).map(str), ipv6_host.map("[{}]".format), st.sampled_from(["localhost", "docker.io"])
)
port = st.one_of(st.just(""), st.integers(1, 65535).map(":{}".format))
registry = st.builds(str.__add__, host, port).filter(
    lambda text: text == "localhost" or "." in text or ":" in text or text != text.lower()
)
tag = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", fullmatch=True)
digest = st.one_of(
    st.text(HEX, min_size=64, max_size=64).map("sha256:{}".format),
    st.text(HEX, min_size=96, max_size=96).map("sha384:{}".format),
    st.text(HEX, min_size=128, max_size=128).map("sha512:{}".format),
)
reference = st.builds(
    "".join,
    st.tuples(
        st.one_of(st.just(""), registry.map("{}/".format)),
        path,
        st.one_of(st.just(""), tag.map(":{}".format)),
        st.one_of(st.just(""), digest.map("@{}".format)),
    ),
)
odd = st.sampled_from(
    [*"/:@.-_[]%#?&= \n\t\0AZaz019é٣\u212a", "//", "..", "__", "___", "://", "sha256:", ":0", ":65536"]
)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A valid reference with one to three characters put in, taken out or replaced: some stay valid, most do not."""
    text = draw(reference)
    for _turn in range(draw(st.integers(1, 3))):
        position = draw(st.integers(0, len(text)))
        text = text[:position] + draw(st.one_of(st.just(""), odd)) + text[position + draw(st.integers(0, 2)) :]
    return text


def parts(value: Reference) -> tuple[str, str, str | None, str | None]:
    return str(value.endpoint).lower(), value.repository, value.tag, None if value.digest is None else str(value.digest)


@given(st.one_of(reference, damaged(), st.text(max_size=30)))
@example("a" * 64)
@example("docker.io/" + "a" * 64)
@example("Registry/web")
@example("registry.example/" + "a" * 255)
@example("registry.example/" + "a" * 256)
@example("a" * 247)
@example("a" * 248)
@example("web:1.4\n")
@example("[::1]/web")
@example("[::ffff:1.2.3.4]/web")
def test_accepts_what_the_grammar_accepts_and_nothing_else(text: str) -> None:
    want = expected(text)
    try:
        got = parts(Reference.parse(text))
    except InvalidReference:
        got = None
    assert got == want


@given(reference)
def test_printing_and_parsing_are_inverses(text: str) -> None:
    assume(expected(text) is not None)
    value = Reference.parse(text)
    assert Reference.parse(str(value)) == value
    assert str(Reference.parse(str(value))) == str(value)
    assert Reference.parse(value.familiar) == value
    assert len(value.familiar) <= len(str(value))
    assert str(value) == f"{value.endpoint}/{value.path}"
    assert Endpoint.parse(str(value.endpoint)) == value.endpoint


@given(registry)
def test_an_endpoint_reads_as_the_registry_of_a_reference(text: str) -> None:
    endpoint = Endpoint.parse(text)
    assert Endpoint.parse(str(endpoint)) == endpoint
    assert Reference.parse(f"{text}/shop/web").endpoint == endpoint
    assert Endpoint.parse(text.upper()) == Endpoint.parse(text.lower() if "." in text or ":" in text else text)


@given(st.one_of(registry, damaged(), st.text(max_size=20)))
@example("registry")
@example("localhost")
@example("registry.example:5000\n")
def test_an_endpoint_is_exactly_what_can_begin_a_reference(text: str) -> None:
    valid = "/" not in text and (expected(f"{text}/shop/web") or ("",))[0] not in ("", "docker.io")
    valid = valid or text.lower() in ("docker.io", "index.docker.io")
    try:
        Endpoint.parse(text)
        accepted = True
    except InvalidReference:
        accepted = False
    assert accepted == valid


@given(registry, reference)
def test_the_default_registry_takes_part_only_where_none_is_written(default: str, text: str) -> None:
    parts = expected(text)
    if parts is None:
        reject()
    value = Reference.parse(text, default_registry=default)
    head, slash, _rest = text.partition("/")
    if (slash and parts[0] != "docker.io") or head.lower() in ("docker.io", "index.docker.io"):
        assert value == Reference.parse(text)
    else:
        assert value.endpoint == Endpoint.parse(default)
        if not value.endpoint.is_docker_hub:
            assert f"{value.repository}" == text.partition("@")[0].partition(":")[0]


@given(reference, st.text(string.ascii_letters, min_size=6, max_size=12).map("Pw9-{}".format))
def test_no_error_shows_a_password(text: str, password: str) -> None:
    for wrong in (
        f"https://ci:{password}@{text}",
        f"ci:{password}@registry.example/{text}",
        f"ci:{password}@localhost:5000/a",
    ):
        for parse in (Reference.parse, Endpoint.parse):
            with pytest.raises(InvalidReference) as caught:
                parse(wrong)
            assert password not in str(caught.value)
            assert password not in repr(caught.value.facts)


@pytest.mark.parametrize(
    ("text", "canonical", "familiar"),
    [
        ("debian", "docker.io/library/debian", "debian"),
        ("debian:13", "docker.io/library/debian:13", "debian:13"),
        ("shop/web:1.4", "docker.io/shop/web:1.4", "shop/web:1.4"),
        ("docker.io/debian", "docker.io/library/debian", "debian"),
        ("index.docker.io/shop/web", "docker.io/shop/web", "shop/web"),
        ("Docker.IO/debian", "docker.io/library/debian", "debian"),
        ("docker.io:443/debian", "docker.io:443/debian", "docker.io:443/debian"),
        ("docker.io/localhost/web", "docker.io/localhost/web", "docker.io/localhost/web"),
        ("docker.io/foo.bar/web", "docker.io/foo.bar/web", "docker.io/foo.bar/web"),
        ("docker.io/library/shop/web", "docker.io/library/shop/web", "library/shop/web"),
        ("docker.io/" + "a" * 64, "docker.io/library/" + "a" * 64, "library/" + "a" * 64),
        ("localhost/web", "localhost/web", "localhost/web"),
        ("localhost:5000", "docker.io/library/localhost:5000", "localhost:5000"),
        ("Registry.Example:5000/shop/web", "registry.example:5000/shop/web", "registry.example:5000/shop/web"),
        ("Registry/web", "REGISTRY/web", "REGISTRY/web"),
        ("[2001:DB8::1]:5000/web:1", "[2001:db8::1]:5000/web:1", "[2001:db8::1]:5000/web:1"),
        ("[::1]/web", "[::1]/web", "[::1]/web"),
        ("10.0.0.1:5000/web", "10.0.0.1:5000/web", "10.0.0.1:5000/web"),
        ("r.example:443/web", "r.example:443/web", "r.example:443/web"),
        ("web:1.4@" + D256, "docker.io/library/web:1.4@" + D256, "web:1.4@" + D256),
        ("r.example/web@" + D384, "r.example/web@" + D384, "r.example/web@" + D384),
        ("r.example/web@" + D512, "r.example/web@" + D512, "r.example/web@" + D512),
        ("r.example/a__b/c---d/e.f:_x", "r.example/a__b/c---d/e.f:_x", "r.example/a__b/c---d/e.f:_x"),
    ],
)
def test_canonical_and_familiar_names(text: str, canonical: str, familiar: str) -> None:
    value = Reference.parse(text)
    assert str(value) == canonical
    assert value.familiar == familiar


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "it is empty"),
        (" web", "' ' at position 1; remove it"),
        ("web\n", "'\\n' at position 4"),
        (1.4, "1.4 (float): it is no text; write it in quotes"),
        (None, "None (NoneType): it is no text"),
        ("https://r.example/web", "leave 'https://' away"),
        ("Web", "upper-case letters; write 'web'"),
        ("r.example/Shop/web", "upper-case letters; write 'shop/web'"),
        ("r.example/shop//web", "two of them in a row"),
        ("r.example/", "the repository is missing"),
        ("[::1]:5000", "the repository is missing; write it after the registry"),
        ("r.example/shop/we%b", "the character '%'"),
        ("r.example/-web", "the part '-web' must begin and end with"),
        ("r.example/a___b", "the part 'a___b' must begin and end with"),
        ("web:", "the tag after ':' is missing"),
        ("web:.4", "the tag '.4' begins with '.'"),
        ("web:1+4", "the tag '1+4' has the character '+'"),
        ("web:" + "1" * 129, "the tag has 129 characters; 128 are the most"),
        ("web@latest", "after '@' comes a digest"),
        ("web@sha256:abc", "3 hexadecimal digits; sha256 has 64"),
        ("web@" + D512.replace("sha512", "sha256"), "128 hexadecimal digits; sha256 has 64"),
        ("web@" + D256.upper().replace("SHA", "sha"), "upper-case digits; write them in lower case"),
        ("web@md5:" + "a" * 32, "algorithm 'md5' is not known; sha256, sha384 and sha512 are"),
        ("web@" + D256 + "@" + D256, "has the character '@'"),
        ("r.example:/web", "the port after ':' is missing"),
        ("r.example:http/web", "the port 'http' is no number"),
        ("r.example:٣/web", "the port '٣' is no number"),
        ("r.example:0/web", "'0' is not one of 1 to 65535"),
        ("r.example:65536/web", "'65536' is not one of 1 to 65535"),
        ("r.example:05000/web", "without leading zeros"),
        ("r..example/web", "a dot too many"),
        ("r_x.example/web", "the character '_'"),
        ("-r.example/web", "the part '-r' begins or ends with '-'"),
        ("[::1/web", "the ']' after the IPv6 address is missing"),
        ("[::g]/web", "'::g' is no IPv6 address"),
        ("[fe80::1%eth0]/web", "must be written without '.' and '%'"),
        ("[::ffff:1.2.3.4]/web", "as 0000:0000:0000:0000:0000:ffff:0102:0304"),
        ("a" * 64, "are an image ID, not a name"),
        ("ci:secret@r.example/web", "it has a user name; leave it away"),
        ("r.example/" + "a" * 256, "the repository has 256 characters; 255 are the most"),
    ],
)
def test_errors_name_the_text_the_part_and_the_way_out(text: str, cause: str) -> None:
    with pytest.raises(InvalidReference) as caught:
        Reference.parse(text)
    message = str(caught.value)
    assert message.startswith("Invalid image reference ")
    assert cause in message
    assert isinstance(caught.value, DeliveryError)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (
            "https://r.example:5000",
            "leave 'https://' away and say by 'tls' (verified, unverified or plain) what is spoken",
        ),
        ("HTTP://r.example", "leave 'HTTP://' away"),
        ("r.example:5000/", "it has a path"),
        ("r.example/v2/shop", "it has a path"),
        ("ci:secret@r.example", "'ci:***@r.example': it has a user name"),
        ("ci:secret@localhost", "'ci:***@localhost': it has a user name"),
        ("::1", "written in brackets"),
        ("[::1]5000", "between ']' and the port"),
        ("[localhost]:5000", "'localhost' in brackets is no IPv6 address"),
        ("registry", "write its port, as in 'registry:443'"),
        ("r.example:65536", "not one of 1 to 65535"),
    ],
)
def test_endpoints_refused(text: str, cause: str) -> None:
    with pytest.raises(InvalidReference) as caught:
        Endpoint.parse(text)
    assert str(caught.value).startswith("Invalid registry endpoint ")
    assert cause in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("one", "other", "https", "http"),
    [
        ("r.example", "r.example:443", True, False),
        ("r.example", "r.example:80", False, True),
        ("r.example", "R.Example", True, True),
        ("r.example", "s.example", False, False),
        ("[::1]:5000", "[0:0:0:0:0:0:0:1]:5000", True, True),
        ("docker.io", "registry-1.docker.io:443", True, False),
    ],
)
def test_the_same_server_by_effective_port(one: str, other: str, https: bool, http: bool) -> None:
    first, second = Endpoint.parse(one), Endpoint.parse(other)
    assert first.same_server(second) is https
    assert second.same_server(first, "http") is http
    assert (str(first) == str(second)) == (one.lower() == other.lower())


def test_addresses_to_connect_to() -> None:
    assert Endpoint.parse("[::1]").address("https") == ("::1", 443)
    assert Endpoint.parse("r.example").address("http") == ("r.example", 80)
    assert Endpoint.parse("index.docker.io").address("https") == ("registry-1.docker.io", 443)
    assert Endpoint.parse("R.example:5000").host_port == "r.example:5000"


def test_tag_and_digest_replace_each_other() -> None:
    value = Reference.parse("r.example/web:1.4")
    pinned = value.with_digest(IndexDigest.parse(D256))
    assert str(pinned) == "r.example/web@" + D256
    assert pinned.digest == ManifestDigest.parse(D256)
    assert str(value.with_digest(ManifestDigest.parse(D256), keep_tag=True)) == "r.example/web:1.4@" + D256
    assert str(pinned.with_tag("2")) == "r.example/web:2"
    assert str(pinned.with_endpoint(Endpoint.parse("m:5001"))) == "m:5001/web@" + D256
    with pytest.raises(InvalidReference):
        value.with_tag("a b")


def test_nothing_invalid_can_be_constructed_either() -> None:
    with pytest.raises(InvalidReference):
        Endpoint("R.example")
    with pytest.raises(InvalidReference):
        Endpoint("r.example", 0)
    with pytest.raises(InvalidReference):
        Reference(Endpoint("r.example"), "Web")
    with pytest.raises(InvalidReference):
        Reference(Endpoint("docker.io"), "debian")
