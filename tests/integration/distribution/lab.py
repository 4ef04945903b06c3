# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""dock's engine, the registry and the nodes, each asked by means of its own."""

from __future__ import annotations

import base64
import contextlib
import io
import ipaddress
import json
import os
import subprocess
import sys
import tarfile
import typing as t
import uuid
from pathlib import Path

import docker
import docker.errors
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.longshore.delivery.plugins.module_utils.build.image_build import CAPABILITY as IMAGE_BUILD
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Context
from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import Manifest, RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.manifest import DOCKER_INDEX
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.running import run_command
from tests import returned
from tests.http_server import AnsweringServer
from tests.integration.asking import on_node
from tests.integration.docker_clients import client_of
from tests.lab.nodes import BUILDER, NODES, SUBNET
from tests.lab.places import Places
from tests.unit.module_utils.registry.certificates import Certificates

CHECKOUT = Path(__file__).resolve().parents[3]
PLACES = Places.of_user()
ENDPOINT = f"{NODES['dock'].address}:5000"
VAULT = CHECKOUT / "examples/shop/inventory/group_vars/all/vault.yml"
LOGIN = {"username": "ci", "password": yaml.safe_load(VAULT.read_text())["vault_registry_password"]}
BUILDS = {"docker_host": BUILDER, "docker_cert_path": str(PLACES.builder)}
PREFIX = "longshore-test-pull"
NO_DIGEST = "sha256:" + "0" * 64


def ansible_playbook(playbook: Path, *inventories: Path, **variables: t.Any) -> dict[str, t.Any]:
    """Run a playbook on the lab; the JSON callback's document."""
    command: list[str | Path] = [Path(sys.executable).parent / "ansible-playbook"]
    for inventory in (PLACES.inventory, *inventories):
        command += ["-i", inventory]
    done = subprocess.run(
        [*command, playbook, "--extra-vars", json.dumps(variables)],
        cwd=CHECKOUT,
        env={
            **os.environ,
            "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("{"), done.stdout[-4000:] + done.stderr[-4000:]
    assert LOGIN["password"] not in done.stdout + done.stderr
    ran = t.cast("dict[str, t.Any]", json.loads(done.stdout))
    for result in (result for play in ran["plays"] for task in play["tasks"] for result in task["hosts"].values()):
        collection, _dot, module = result["action"].rpartition(".")
        # a task that its own condition passes over has run no module
        if collection == "longshore.delivery" and "results" not in result and not result.get("skipped"):
            returned.as_documented(module, result)
    return ran


class Nodes:
    """The lab's nodes, by image_pull over SSH and by their engines' own programs."""

    def __init__(self, directory: Path) -> None:
        self.playbook = directory / "pull.yml"
        self.names = sorted(yaml.safe_load(PLACES.inventory.read_text())["all"]["hosts"])

    def pull(self, *tasks: dict[str, t.Any], check: bool = False) -> list[dict[str, dict[str, t.Any]]]:
        """Tasks of image_pull on all nodes at once, failures ignored: for each task the results by node."""
        listed = [
            {
                "name": "pull",
                "longshore.delivery.image_pull": {"registry": {"endpoint": ENDPOINT, **LOGIN}, **options},
                "ignore_errors": True,
                "check_mode": check,
            }
            for options in tasks
        ]
        play = {"hosts": "longshore_nodes", "gather_facts": False, "tasks": listed}
        self.playbook.write_text(yaml.safe_dump([play]))
        [ran] = ansible_playbook(self.playbook)["plays"]
        results = [task["hosts"] for task in ran["tasks"]]
        assert [sorted(hosts) for hosts in results] == [self.names] * len(tasks)
        return results

    def held(self, node: str, engine: str = "") -> set[str]:
        """What the engine calls its images by digest, in its own program's words."""
        if engine == "podman":
            listed = json.loads(on_node(node, "podman", "images", "--format", "json"))
            return {name for image in listed for name in image.get("RepoDigests") or ()}
        if node == "dock":
            lines = on_node(node, "docker", "images", "--digests", "--format", "{{.Repository}}@{{.Digest}}")
            return {line for line in lines.split() if not line.endswith("@<none>")}
        listed = json.loads(on_node(node, "crictl", "images", "-o", "json"))["images"]
        return {name for image in listed for name in image.get("repoDigests") or ()}

    def forget(self) -> None:
        """Remove the tests' images from every engine."""
        for node in self.names:
            mine = sorted(name for name in self.held(node) if f"/{PREFIX}/" in name)
            for name in mine:
                program = ("docker", "rmi", "--force") if node == "dock" else ("crictl", "rmi")
                subprocess.run(
                    ["docker", "exec", f"longshore-{node}", *program, name], capture_output=True, check=False
                )
        for image in json.loads(on_node("dock", "podman", "images", "--format", "json")):
            names = [*(image.get("RepoDigests") or ()), *(image.get("Names") or ())]
            if any(f"/{PREFIX}/" in name for name in names):
                # by its ID: a digest takes no name away that is a tag
                argv = ["docker", "exec", "longshore-dock", "podman", "rmi", "--force", image["Id"]]
                subprocess.run(argv, capture_output=True, check=False)


def builders_engine() -> docker.DockerClient:
    """A client of dock's engine, past the collection."""
    return client_of(BUILDER, PLACES.builder)


def docker_configuration(directory: Path) -> Path:
    """A configuration of the docker command with the lab's buildx and the registry's login."""
    made = directory / "docker"
    made.mkdir()
    (made / "cli-plugins").symlink_to(PLACES.docker_config / "cli-plugins")
    auth = base64.b64encode(f"{LOGIN['username']}:{LOGIN['password']}".encode()).decode()
    (made / "config.json").write_text(json.dumps({"auths": {ENDPOINT: {"auth": auth}}}))
    return made


class Builder:
    """dock's engine, and image_build on it and image_push from it as the controller runs them."""

    def __init__(self, ca: str) -> None:
        self.engine = builders_engine()
        self.registry = {"endpoint": ENDPOINT, "ca": ca, **LOGIN}
        self.client = RegistryClient(RegistrySettings.from_params(self.registry))
        self.repository = f"{PREFIX}/{uuid.uuid4().hex[:12]}"
        self.progress: list[str] = []
        self.manifests: set[tuple[str, ManifestDigest]] = set()
        self.built: list[str] = []

    def make(self, *tags: str, name: str = "", size: int = 20_000) -> str:
        """An image that is like no other; returns its ID."""
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            member = tarfile.TarInfo("data")
            member.size = size
            tar.addfile(member, io.BytesIO(os.urandom(size)))
        made = self.engine.api.import_image_from_data(archive.getvalue(), name or self.repository, tag=tags[0])
        image_id = str(json.loads(made)["status"])
        for tag in tags[1:]:
            assert self.engine.api.tag(image_id, name or self.repository, tag)
        return image_id

    def names(self) -> list[str]:
        """All names, by tag, that the engine has for the tests' images."""
        listed = self.engine.api.images()
        return sorted(tag for image in listed for tag in image["RepoTags"] or () if f"{PREFIX}/" in tag)

    def push(self, *, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        """image_push with its result; the registry's manifests are removed in the end."""
        given = {"name": self.repository, "registry": self.registry, **BUILDS, **options}
        self.progress = []
        context = Context(
            check=check,
            diff=True,
            warn=self.progress.append,
            progress=self.progress.append,
            run_command=run_command,
        )
        result = returned.run("image_push", given, context)
        for entry in result["tags"]:
            if entry["digest"] and not check:
                self.manifests.add((self.repository, ManifestDigest.parse(entry["digest"])))
        return result

    def build(self, source: Path, *, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        """image_build under a name beside the repository."""
        given = {"name": f"{self.repository}-built:1", "source": str(source), **BUILDS, **options}
        checked = ArgumentSpecValidator(IMAGE_BUILD.argument_spec).validate(given)
        assert checked.error_messages == []
        context = Context(
            check=check, diff=True, warn=self.progress.append, progress=self.progress.append, run_command=run_command
        )
        result = returned.run("image_build", checked.validated_parameters, context)
        if result["built"] and not check:
            self.built.append(result["image"]["id"])
        return result

    def id(self, name: str) -> str:
        return str(self.engine.images.get(name).id)

    def serve_index(self, of: str) -> str:
        """Have the registry serve a list of platforms with one image in it; returns the list's digest."""
        manifest = self.client.get_manifest(self.repository, of)
        child = {"mediaType": manifest.media_type, "digest": str(manifest.digest), "size": len(manifest.body)}
        entries = [{**child, "platform": {"os": "linux", "architecture": name}} for name in ("amd64", "arm64")]
        body = json.dumps({"schemaVersion": 2, "mediaType": DOCKER_INDEX, "manifests": entries}).encode()
        digest = self.client.put_manifest(self.repository, "several", DOCKER_INDEX, body)
        self.manifests.add((self.repository, digest))
        return str(digest)

    def served(self, tag: str) -> Manifest | None:
        """What the registry serves, past image_push."""
        if self.client.head_manifest(self.repository, tag) is None:
            return None
        return self.client.get_manifest(self.repository, tag)

    def remove(self) -> None:
        for repository, digest in self.manifests:
            self.client.delete_manifest(repository, digest)
        for name in [*self.names(), *reversed(self.built)]:
            with contextlib.suppress(docker.errors.ImageNotFound):
                self.engine.api.remove_image(name, force=True)
        self.client.close()
        self.engine.close()


class Stranger(AnsweringServer):
    """A registry, with nothing in it, on the address by which the lab's nodes see this machine.

    :ivar ca: of its certificate; empty without TLS.
    """

    def __init__(self, directory: Path, tls: bool) -> None:
        address = str(next(ipaddress.ip_network(SUBNET).hosts()))
        issued = Certificates(directory).issue("Stranger", [address], None, authority=True) if tls else None
        self.ca = issued.pem if issued else ""
        super().__init__(
            lambda request: (200 if request.path == "/v2/" else 404, {"Content-Type": "application/json"}, b""),
            issued.served() if issued else None,
            address,
        )
