# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The images of engines, each engine's words in the one shape."""

from __future__ import annotations

import contextlib
import itertools
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import DockerAddress
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.client import DockerEngine
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.faults import DockerEngineError
from ansible_collections.longshore.delivery.plugins.module_utils.image.engine_images import (
    DockerImages,
    image_source,
)
from ansible_collections.longshore.delivery.plugins.module_utils.image.names import Names
from ansible_collections.longshore.delivery.plugins.module_utils.node.client import EngineRefusal
from ansible_collections.longshore.delivery.plugins.module_utils.node.cri import Cri
from ansible_collections.longshore.delivery.plugins.module_utils.node.docker_socket import DockerSocket
from ansible_collections.longshore.delivery.plugins.module_utils.node.podman import Podman

from . import engines
from .engines import CONFIG, CRI_GONE, LAYER, LIST, OTHER, PINNED, PODMAN_GONE, SERVED, UPPER, WEB, Programs

ALL = Names()
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@pytest.fixture
def on_socket(tmp_path: Path) -> t.Iterator[t.Callable[[engines.Answers], DockerImages]]:
    numbers = itertools.count()
    with contextlib.ExitStack() as running:

        def start(answers: engines.Answers) -> DockerImages:
            path = tmp_path / f"{next(numbers)}.sock"
            return DockerImages(DockerSocket(running.enter_context(engines.docker_api(answers, path)).endpoint))

        yield start


OnSocket = t.Callable[[engines.Answers], DockerImages]


def shown_of(found: t.Sequence[t.Any]) -> dict[str, t.Any]:
    """The only image, without what engines tell differently."""
    [one] = found
    shown: dict[str, t.Any] = one.shown()
    assert shown["references"] == [WEB]
    assert shown["created"] == "2026-11-21T15:04:05Z"
    assert shown["labels"] == {"team": "shop"}
    assert shown["config"]["User"] == "1000"
    assert shown["size"] == 30
    assert [layer["diff_id"] for layer in shown["layers"]] == [LAYER, UPPER]
    return shown


def test_dockers_classic_store_by_both_clients(on_socket: OnSocket) -> None:
    here = shown_of(on_socket(engines.docker()).images(ALL))
    with engines.docker_api(engines.docker()) as server:
        engine = DockerEngine(DockerAddress(f"tcp://{server.endpoint}"))
        assert shown_of(DockerImages(engine).images(ALL)) == here
        engine.close()
    assert here["platform"] == "linux/arm/v7"
    assert here["digests"] == {"config": CONFIG, "manifest": None, "index": None}
    assert here["repository_digests"] == [PINNED]
    assert here["config"] == {"User": "1000", "Env": ["A=1"]}
    assert [(layer["size"], layer["created_by"]) for layer in here["layers"]] == [(10, "COPY a"), (20, "COPY b")]


@pytest.mark.parametrize(
    ("changes", "digests"),
    [
        ({"Descriptor": {"mediaType": INDEX}}, {"config": None, "manifest": None, "index": CONFIG}),
        ({"Descriptor": {"mediaType": MANIFEST}}, {"config": None, "manifest": CONFIG, "index": None}),
        ({}, {"config": None, "manifest": None, "index": None}),  # before 28
    ],
)
def test_containerds_store_in_docker_has_no_config_digest(
    on_socket: OnSocket, changes: dict[str, t.Any], digests: dict[str, str | None]
) -> None:
    answers = engines.by_containerd(engines.docker(**changes))
    assert shown_of(on_socket(answers).images(ALL))["digests"] == digests


def test_a_layer_of_no_bytes_leaves_the_sizes_unknown(on_socket: OnSocket) -> None:
    """Docker does not say which instruction made a layer: WORKDIR may have made one without a file."""
    answers = engines.docker()
    answers[f"/images/{CONFIG}/history"][0]["Size"] = 0
    layers = shown_of(on_socket(answers).images(ALL))["layers"]
    assert [(layer["size"], layer["created_by"]) for layer in layers] == [(None, None)] * 2
    # as many instructions as layers: each made one
    del answers[f"/images/{CONFIG}/history"][1]
    layers = shown_of(on_socket(answers).images(ALL))["layers"]
    assert [(layer["size"], layer["created_by"]) for layer in layers] == [(None, "COPY a"), (None, "COPY b")]


def test_docker_without_a_name_is_dangling(on_socket: OnSocket) -> None:
    answers = engines.docker()
    answers[f"/images/{OTHER}/json"] = {**answers[f"/images/{CONFIG}/json"], "Id": OTHER}
    found = on_socket(answers).images(ALL)
    assert [(one.id, one.is_dangling) for one in found] == [(CONFIG, False), (OTHER, True)]
    assert found[1].pinned == ()


def test_podman() -> None:
    run = Programs(engines.podman(), PODMAN_GONE)
    shown = shown_of(image_source(Podman(run, "podman")).images(ALL))
    assert (shown["id"], shown["platform"]) == (CONFIG, "linux/amd64")
    assert shown["digests"] == {"config": CONFIG, "manifest": SERVED, "index": None}
    assert shown["repository_digests"] == [PINNED, f"registry.example:5000/shop/web@{LIST}"]
    assert [layer["created_by"] for layer in shown["layers"]] == ["COPY a", "COPY b"]
    assert [layer["size"] for layer in shown["layers"]] == [None, None]


@pytest.mark.parametrize("changes", [{"ManifestType": INDEX}, {"ManifestType": ""}, {"Digest": ""}])
def test_podmans_digest_of_an_unknown_kind_is_not_guessed(changes: dict[str, t.Any]) -> None:
    found = image_source(Podman(Programs(engines.podman(**changes), PODMAN_GONE), "podman")).images(ALL)
    assert shown_of(found)["digests"] == {"config": CONFIG, "manifest": None, "index": None}


@pytest.mark.parametrize(
    "said",
    [
        "Error: inspecting object: image contains a manifest list or image index, but no runnable image",
        "Error: inspecting object: fetching target platform image selected from image index: file does not exist",
    ],
)
def test_a_list_in_podman_with_no_image_of_this_host_is_shown_by_its_names(said: str) -> None:
    listed = dict(list(engines.podman().items())[:1])
    [found, _nameless] = image_source(Podman(Programs(listed, said), "podman")).images(ALL)
    shown = found.shown()
    assert (shown["references"], shown["platform"], shown["size"], shown["layers"]) == ([WEB], None, None, [])
    assert shown["digests"] == {"config": None, "manifest": None, "index": None}


@pytest.mark.parametrize("identity", [CONFIG, CONFIG.partition(":")[2]], ids=["containerd", "CRI-O"])
def test_the_cri(identity: str) -> None:
    run = Programs(engines.cri(identity), CRI_GONE)
    shown = shown_of(image_source(Cri(run, "crictl", "/run/x.sock")).images(ALL))
    assert shown["id"] == CONFIG
    assert shown["digests"] == {"config": CONFIG, "manifest": None, "index": None}
    assert [layer["created_by"] for layer in shown["layers"]] == ["COPY a", "COPY b"]


def test_a_cri_that_tells_no_configuration() -> None:
    answers = engines.cri(imageSpec=None)
    [found] = image_source(Cri(Programs(answers, CRI_GONE), "crictl", "/run/x.sock")).images(ALL)
    shown = found.shown()
    assert (shown["references"], shown["size"], shown["platform"], shown["layers"]) == ([WEB], 30, None, [])


@pytest.mark.parametrize(
    ("glob", "found"),
    [("registry.example:5000/shop/*", [WEB]), ("other/*", [])],
)
def test_what_is_not_meant_is_not_inspected(on_socket: OnSocket, glob: str, found: list[str]) -> None:
    wanted = Names.parse(None, [glob])
    of_podman, of_cri = Programs(engines.podman(), "broken"), Programs(engines.cri(), "broken")
    for images in (
        on_socket(engines.docker()),
        image_source(Podman(of_podman, "podman")),
        image_source(Cri(of_cri, "crictl", "/run/x.sock")),
    ):
        assert [str(name) for one in images.images(wanted) for name in one.references] == found
    for run in (of_podman, of_cri):
        assert len(run.asked) == 1 + len(found)


def several(answers: dict[str, t.Any], inspect: str, *, written: str | None = None) -> dict[str, t.Any]:
    """The same program with two images that are there.

    :param inspect: its words for one image, without the ID.
    :param written: what it writes for both; by default a list.
    """
    [(listing, listed), (words, shown)] = answers.items()
    first = words.rpartition(" ")[2]
    second = first[:-1] + "f"
    if isinstance(listed, list):
        both: t.Any = [listed[0], {**listed[0], "Id": second}]
        shown = [*shown, {**shown[0], "Id": "9" * 64, "Size": 31}]  # another ID, as a list's image has
        return {listing: both, f"{inspect} {first} {second}": shown}
    status = listed["images"][0]
    upper = {**shown, "status": {**status, "id": second, "size": "31"}}
    return {
        f"{inspect} {first} {second}": written or [shown, upper],
        listing: {"images": [status, {**status, "id": second}]},
        words: shown,
        f"{inspect} {second}": upper,
    }


@pytest.mark.parametrize("written", [None, "{}\n{}"], ids=["a list", "no list"])
def test_several_images_are_inspected_by_one_process_where_it_can_be(written: str | None) -> None:
    of_podman = Programs(several(engines.podman(), "image inspect"), "broken")
    of_cri = Programs(several(engines.cri(), "inspecti --output json", written=written), "broken")
    podman, cri = image_source(Podman(of_podman, "podman")), image_source(Cri(of_cri, "crictl", "/run/x.sock"))
    for images, run in ((podman, of_podman), (cri, of_cri)):
        assert [(one.id[-1], one.size) for one in images.images(ALL)] == [("1", 30), ("f", 31)]
        assert len(run.asked) == 2 + (2 if written and run is of_cri else 0)


def test_an_engine_that_fails_is_no_image_that_went_away(tmp_path: Path) -> None:
    for images in (
        image_source(Podman(Programs(engines.podman(), "Error: database is locked"), "podman")),
        image_source(Cri(Programs(engines.cri(), "connection refused"), "crictl", "/run/x.sock")),
        DockerImages(DockerSocket(str(tmp_path / "none.sock"))),
    ):
        with pytest.raises(EngineRefusal, match=r"locked|refused|none\.sock"):
            images.images(ALL)
    with engines.docker_api({"/version": engines.docker()["/version"]}) as server:
        engine = DockerEngine(DockerAddress(f"tcp://{server.endpoint}"))
        with pytest.raises(DockerEngineError, match=f"{server.endpoint} refused"):
            DockerImages(engine).images(ALL)
        engine.close()
