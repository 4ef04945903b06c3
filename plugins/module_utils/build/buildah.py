# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Podman and Buildah as engines that build, by their command line: the same library, whose commands differ a little."""

from __future__ import annotations

import json
import os
import platform
import re
import tempfile
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.builder import (
    IMAGE_ID,
    BaseStore,
    BuildEngineError,
    Builder,
    BuilderMissing,
    BuildRequest,
    Built,
    CannotAsk,
    Show,
)
from ansible_collections.longshore.delivery.plugins.module_utils.build.command_length import check_length
from ansible_collections.longshore.delivery.plugins.module_utils.build.context_copy import copy_context
from ansible_collections.longshore.delivery.plugins.module_utils.build.labelled_dockerfile import with_labels
from ansible_collections.longshore.delivery.plugins.module_utils.build.record import TextRecord
from ansible_collections.longshore.delivery.plugins.module_utils.capability import RunCommand
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.image import Image
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile import words
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.dockerfile import (
    is_own_syntax,
    with_heredoc,
    with_substitution,
)
from ansible_collections.longshore.delivery.plugins.module_utils.node.client import (
    EngineRefusal,
    asked_as,
    run_program,
)
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import BUILDAH, PODMAN
from ansible_collections.longshore.delivery.plugins.module_utils.node.held_images import (
    with_algorithm,
    without_algorithm,
)
from ansible_collections.longshore.delivery.plugins.module_utils.node.said import core_of
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference

if t.TYPE_CHECKING:
    from ansible_collections.longshore.delivery.plugins.module_utils.image.layout_writer import Descriptor, Parts

_HEREDOCS_SINCE = {PODMAN: (4, 8), BUILDAH: (1, 33)}
_GONE = re.compile(r"image not known|no such image|unable to find|not found in local", re.IGNORECASE)
_STEP = re.compile(r"(?:\[(\d+/\d+)\] )?STEP (\d+/\d+): (.*)")
_OF_ITS_OWN = re.compile(
    r"--> [0-9a-f]+\Z|(?:\[\d+/\d+\] )?COMMIT\b|[0-9a-f]{64}\Z|Getting image source|Copying |Writing "
)
_CACHED = "--> Using cache "
_ONBUILD = re.compile(r"\bONBUILD\b")
_ERROR = re.compile(r"(?:Error: |time=\"[^\"]*\" level=(?:error|fatal) msg=)(.*)")
_BUILDING_AT = re.compile(r"\"?(?:error )?building at STEP \\?\".*\\?\": ")
# the two outputs in the order in which they were written, also where they are read at the end
_IN_ORDER = ("sh", "-c", 'exec "$@" 2>&1', "sh")


class LibraryRecord(TextRecord):
    """Follows what Podman and Buildah write while they build."""

    def __init__(self, show: Show) -> None:
        super().__init__(show)
        self.errors: t.List[str] = []

    def line(self, line: str) -> None:
        step, error = _STEP.match(line), _ERROR.match(line)
        if step:
            stage, number, text = step.groups()
            self.begin("[%s] %s" % (" ".join(filter(None, (stage, number))), text), text)
        elif line.startswith(_CACHED):
            self.cached()
        elif error:
            self.errors.append(_BUILDING_AT.sub("", error.group(1).strip('"')))
        elif line and not _OF_ITS_OWN.match(line):
            self.output(line)


class LibraryEngine:
    """Podman's or Buildah's images, of the user who runs this.

    :param name: podman or buildah.
    :param program: its path.
    """

    follows_syntax = False

    def __init__(self, name: str, program: str, run_command: RunCommand) -> None:
        self.name = name
        self.bases: BaseStore = self
        self._program = program
        self._run_command = run_command

    @property
    def where(self) -> str:
        return "%s on %s" % (self.name.capitalize(), platform.node())

    def close(self) -> None:
        """Nothing is open."""

    def image(self, name: str) -> t.Optional[Image]:
        """The image of a reference or an ID; None where there is none."""
        if self.name == PODMAN:
            [found] = self._inspected(["image", "inspect", without_algorithm(name)]) or [None]
        else:
            found = self._inspected(["inspect", "--type", "image", without_algorithm(name)])
            if found is not None:
                [listed] = self._json(["images", "--json", "--no-trunc", found["FromImageID"]])
                found["RepoTags"] = listed.get("names")
        return None if found is None else _inspected_image(found)

    def instructions(self, name: str) -> t.List[str]:
        """The history of the image of a reference or an ID: how each entry was made, the newest first; none where it has none."""
        if self.name == PODMAN:
            [found] = self._inspected(["image", "inspect", without_algorithm(name)]) or [{}]
            history = found.get("History")
        else:
            found = self._inspected(["inspect", "--type", "image", without_algorithm(name)]) or {}
            history = (found.get("OCIv1") or {}).get("history")
        return [str(entry.get("created_by") or "") for entry in reversed(history or ())]

    def labelled(self, label: str, value: str) -> t.List[Image]:
        """The images with a label."""
        options = ["--no-trunc", "--filter", "label=%s=%s" % (label, value)]
        listed = self._json(["images", *(("--format", "json") if self.name == PODMAN else ("--json",)), *options])
        found: t.Dict[str, Image] = {}
        for entry in listed or ():
            image_id = with_algorithm(entry.get("Id") or entry.get("id") or "")
            names = tuple(entry.get("Names") or entry.get("names") or ())
            found[image_id] = Image(image_id, {label: value}, names)
        return list(found.values())

    def tag(self, image_id: str, reference: Reference) -> None:
        """Name an image; the name is taken from whatever image has it."""
        self._run(["tag", without_algorithm(image_id), str(reference)])

    def remove(self, name: str) -> None:
        """Remove a name, or an image that has none. One that is gone already is no error."""
        try:
            self._run(["rmi", without_algorithm(name)])
        except BuildEngineError as error:
            if not _GONE.search(str(error)):
                raise

    def export(
        self, image_id: str, parts: Parts, annotations: t.Mapping[str, str]
    ) -> t.Tuple[Descriptor, t.Dict[str, str]]:
        """Add an image to the parts of an OCI layout; what stands for its manifest, and its platform."""
        from ansible_collections.longshore.delivery.plugins.module_utils.build.saved_image import from_directory

        with tempfile.TemporaryDirectory(dir=parts.path) as directory:
            self._run(["push", "--quiet", without_algorithm(image_id), "dir:" + directory])
            return from_directory(directory, parts, annotations)

    def pull(self, reference: Reference, platform: t.Optional[str] = None) -> None:
        """Fetch an image with the credentials of Podman's and Docker's configurations."""
        option = ["--platform", platform] if platform else []
        self._run(["pull", "--quiet", *option, asked_as(reference)])

    def registry_digest(self, reference: Reference) -> str:
        """The digest that the reference's registry serves now, by Skopeo, which knows the same registries and credentials."""
        done = self._run_command(
            ["skopeo", "inspect", "--no-tags", "--format", "{{.Digest}}", "docker://%s" % reference]
        )
        if done.rc == 127:
            raise CannotAsk("%s cannot ask a registry without the program skopeo. Install it" % self.where)
        if done.rc:
            raise BuildEngineError("Skopeo said: %s" % core_of(done.stderr or done.stdout))
        return done.stdout.strip()

    def login(self, reference: Reference) -> t.Optional[t.Tuple[str, str]]:
        """None: they are Podman's own."""
        return None

    def platform_arguments(self) -> t.Dict[str, str]:
        """TARGETARCH, BUILDPLATFORM and so on for the host's own platform."""
        host = self._json(["info", "--format", "json"] if self.name == PODMAN else ["info"])["host"]
        values = {"OS": host["os"], "ARCH": host["arch"], "PLATFORM": "%(os)s/%(arch)s" % host}
        return {side + part: value for side in ("BUILD", "TARGET") for part, value in values.items()}

    def version(self) -> t.Tuple[int, ...]:
        """As far as it is numbers."""
        found = re.search(r"\d+(\.\d+)+", self._run(["--version"]))
        return tuple(map(int, found.group().split("."))) if found else ()

    def builder(self, request: BuildRequest) -> Builder:
        """:raises BuilderMissing: the Dockerfile or an option needs what this builder has not."""
        refused = _refused(self.name, request, self.version)
        if refused:
            raise BuilderMissing(
                "%s cannot build this: %s. Leave it away, or set 'engine: docker' where there is one."
                % (self.where, refused)
            )
        check_length(request.values({}), os.environ)
        return Buildah(self.name, self._program, self._run_command)

    def _inspected(self, arguments: t.Sequence[str]) -> t.Any:
        try:
            return self._json(arguments)
        except BuildEngineError as error:
            if _GONE.search(str(error)):
                return None
            raise

    def _json(self, arguments: t.Sequence[str]) -> t.Any:
        return json.loads(self._run(arguments) or "null")

    def _run(self, arguments: t.Sequence[str]) -> str:
        try:
            return run_program(self._run_command, [self._program, *arguments])
        except EngineRefusal as refusal:
            raise BuildEngineError("%s refused: %s" % (self.where, core_of(str(refusal)))) from None


class Buildah:
    """Building with this library: C(podman build) or C(buildah build)."""

    name = BUILDAH
    writes_layouts = False
    no_epoch = ""

    def __init__(self, engine: str, program: str, run_command: RunCommand) -> None:
        self._engine = engine
        self._program = program
        self._run_command = run_command

    def build(self, request: BuildRequest, show: Show) -> Built:
        """Build an image into the engine's store, without a name, from a copy of the context: its own reading of
        C(.dockerignore) is another.
        """
        record = LibraryRecord(show)
        with request.temporary_directory() as directory:
            context, image_id_file = os.path.join(directory, "context"), os.path.join(directory, IMAGE_ID)
            os.mkdir(context)
            copy_context(request.context, context)
            open(os.path.join(directory, "ignore"), "wb").close()
            done = self._run_command(
                [*_IN_ORDER, *self.command(request, directory, context, image_id_file)], on_line=record.line
            )
            error = "" if done.rc == 0 else "\n".join(record.errors) or "it ended with exit code %d" % done.rc
            record.end(error)
            try:
                with open(image_id_file, encoding="ascii") as file:
                    image_id = with_algorithm(file.read().strip())
            except OSError:
                image_id = ""
        return Built(image_id if done.rc == 0 else "", record, error)

    def command(self, request: BuildRequest, directory: str, context: str, image_id_file: str) -> t.List[str]:
        """The command line, which holds no secret: values are in private files for the time.

        :param directory: for these files and the Dockerfile where it is in no file.
        """
        # Docker's format has health checks, which OCI's has not; and OCI's has annotations
        form = "oci" if request.annotations else "docker"
        argv = [self._program, "build", "--layers", "--format", form, "--iidfile", image_id_file]
        if request.platforms:
            argv += ["--platform", request.platforms[0]]
        if request.source_date_epoch is not None:
            argv += ["--timestamp", str(request.source_date_epoch)]
        for name, value in sorted(request.annotations.items()):
            argv += ["--annotation", "%s=%s" % (name, value)]
        argv += ["--file", _labelled(request, directory), "--ignorefile", os.path.join(directory, "ignore")]
        argv += request.options({})  # the labels are instructions
        for secret in request.secrets:
            argv += ["--secret", "id=%s,src=%s" % (secret.id, secret.file_in(directory))]
        for agent in request.ssh:
            argv += ["--ssh", agent.option]
        return [*argv, context]


def _labelled(request: BuildRequest, directory: str) -> str:
    """The path of the Dockerfile with the labels, written into this directory."""
    with open(request.dockerfile_in(directory), "rb") as file:
        content = with_labels(file.read(), request.dockerfile, request.target_index, request.labels)
    path = os.path.join(directory, "Dockerfile.labelled")
    with open(path, "wb") as written:
        written.write(content)
    return path


def _refused(engine: str, request: BuildRequest, version: t.Callable[[], t.Tuple[int, ...]]) -> str:
    """What of a build this builder cannot do, in words; empty where there is nothing."""
    if request.cache_to or request.cache_from:
        asked = "cache_to" if request.cache_to else "cache_from"
        return (
            "'%s' is BuildKit's, and Buildah keeps a build's cache in no image, but in a repository of its own" % asked
        )
    if request.provenance or request.sbom:
        return "'%s' is BuildKit's" % ("provenance" if request.provenance else "sbom")
    if len(request.platforms) > 1 and request.stays:
        return "it keeps one image under a name, and 'platforms' has several, which can go to a layout or a registry"
    if len(request.platforms) > 1 and request.has_bases:
        return "it holds a base image for one platform at a time, and 'platforms' has several"
    broken = next((name for name, value in request.labels.items() if re.search(r"[\r\n]", name + value)), "")
    if broken:
        return "the label %s has a line break" % broken
    comma = next((secret.id for secret in request.secrets if "," in (secret.file or "")), "")
    if comma:
        return "the path of the secret %s has a comma, which it takes for the end of it" % comma
    syntax = request.dockerfile.syntax
    if syntax and not is_own_syntax(syntax):
        return "%s needs BuildKit for its directive syntax=%s" % (request.dockerfile.name, syntax)
    # Buildah 1.28 ends at each of them, and later ones make something else of some
    for kind in (words.BY_PATTERN, words.WITHOUT_COLON, words.DEMANDING):
        found = with_substitution(request.dockerfile, kind, request.triggers)
        if found:
            return "%s needs BuildKit: line %d, %s with %s" % (
                request.dockerfile.name,
                found.line,
                found.keyword,
                kind,
            )
    heredoc = with_heredoc(request.dockerfile)
    if heredoc and version() < _HEREDOCS_SINCE[engine]:
        since = ".".join(map(str, _HEREDOCS_SINCE[engine]))
        return "%s needs BuildKit: line %d, %s with a here-document, which %s knows since %s" % (
            request.dockerfile.name,
            heredoc.line,
            heredoc.keyword,
            engine.capitalize(),
            since,
        )
    return ""


def _inspected_image(found: t.Mapping[str, t.Any]) -> Image:
    """Of what Podman or Buildah shows."""
    if "FromImageID" in found:  # Buildah's form
        config = (found.get("Docker") or {}).get("config") or {}
        names, digest = tuple(found["RepoTags"] or ()), found.get("FromImageDigest")
        pinned = {"%s@%s" % (Reference.parse(name).name, digest) for name in names} if digest else set()
        layers = ((found.get("OCIv1") or {}).get("rootfs") or {}).get("diff_ids")
        return Image(
            with_algorithm(found["FromImageID"]),
            dict(config.get("Labels") or {}),
            names,
            tuple(sorted(pinned)),
            tuple(layers or ()),
            on_build=tuple(config.get("OnBuild") or ()),
        )
    return Image(
        id=with_algorithm(found["Id"]),
        labels=dict(found.get("Labels") or {}),
        references=tuple(found.get("RepoTags") or ()),
        repository_digests=tuple(found.get("RepoDigests") or ()),
        layers=tuple((found.get("RootFS") or {}).get("Layers") or ()),
        # Podman does not tell them; where the history has none, there are none
        on_build=None
        if any(_ONBUILD.search(str(step.get("created_by"))) for step in found.get("History") or ())
        else (),
    )
