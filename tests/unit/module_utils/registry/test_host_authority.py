# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The authority of the role registry while another one follows it, read from the files that each step of that leaves."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_authority import (
    ANNOUNCED,
    SETTLED,
    TURNED,
    Authority,
    observe,
)

from .certificates import Certificates, Issued


@pytest.fixture
def authority(certificates: Certificates) -> Issued:
    return certificates.authority("Registry")


@pytest.fixture
def following(certificates: Certificates) -> Issued:
    """Of the same name, as the role makes it."""
    return certificates.authority("Registry", (-1, 3650))


class Place:
    """The files of an authority."""

    def __init__(self, directory: Path) -> None:
        self.certificate, self.key, self.next_key = (directory / name for name in ("ca.crt", "ca.key", "next.key"))

    def holds(self, certificates: t.Sequence[Issued], key: Issued | None, next_key: Issued | None = None) -> Authority:
        self.certificate.write_text("".join(each.pem for each in certificates))
        for path, owner in ((self.key, key), (self.next_key, next_key)):
            path.unlink(missing_ok=True)
            if owner:
                path.write_bytes(owner.key_file.read_bytes())
        return observe(str(self.certificate), str(self.key), str(self.next_key))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_no_authority(place: Place) -> None:
    assert observe("/nowhere", "/nowhere", "") == Authority("", "/nowhere")
    assert place.holds([], None) == Authority("", str(place.certificate))


def test_each_step_of_a_rotation_is_known_by_its_files(place: Place, authority: Issued, following: Issued) -> None:
    """In their order, and after each file of a step: whoever is cut off there goes on from there."""
    steps: list[tuple[t.Any, str, bool, bool]] = [
        (([authority], authority), SETTLED, True, False),
        (([authority], authority, following), SETTLED, True, False),
        (([authority, following], authority, following), ANNOUNCED, True, False),
        (([following, authority], authority, following), TURNED, True, True),
        (([following, authority], following, following), TURNED, True, False),
        (([following, authority], following), TURNED, True, False),
        (([following], following), SETTLED, True, False),
    ]
    for files, phase, has_key, takes_key in steps:
        found = place.holds(*files)
        assert (found.phase, found.has_key, found.takes_key) == (phase, has_key, takes_key), files
        assert found.signing == files[0][0].pem.strip()
        assert found.pem == "".join(each.pem for each in files[0])


def test_the_first_to_expire_counts(place: Place, authority: Issued, following: Issued) -> None:
    assert place.holds([following], following).days_left == 3649
    assert place.holds([following, authority], following).days_left == 29


def test_a_key_that_is_not_the_authoritys_is_none(place: Place, authority: Issued, following: Issued) -> None:
    assert not place.holds([authority], following).has_key
    assert not place.holds([following, authority], authority, authority).has_key
    place.key.write_text("no PEM")
    assert not observe(str(place.certificate), str(place.key), "").has_key
