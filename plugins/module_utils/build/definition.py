# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The files that define a build: the Dockerfile, its rules of what to leave out, and what they leave of the directory."""

from __future__ import annotations

import dataclasses
import os
import re
import typing as t
from types import MappingProxyType

from ansible_collections.longshore.delivery.plugins.module_utils.build import context, dockerignore
from ansible_collections.longshore.delivery.plugins.module_utils.build.content_hashes import ContentHashes
from ansible_collections.longshore.delivery.plugins.module_utils.build.inputs import text_digest
from ansible_collections.longshore.delivery.plugins.module_utils.build.run_secrets import Secret, SshAgent
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile import dockerfile, words
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.stages import (
    SYNTAX_ARGUMENT,
    Stage,
    copied_paths,
    needed_stages,
    stages_of,
    triggers_of,
)


class MissingFile(DeliveryError):
    """A file or directory that a build needs is not there, or kept out of the build."""


class UndeclaredArgument(DeliveryError):
    """A build argument that no instruction knows."""


# https://docs.docker.com/reference/dockerfile/#predefined-args, and what BuildKit itself and its Dockerfile language take
_PREDEFINED = re.compile(
    r"((?i:https?|ftp|no|all)_(PROXY|proxy)|SOURCE_DATE_EPOCH|BUILDKIT_.*|(BUILD|TARGET)(PLATFORM|OS|ARCH|VARIANT|OSVERSION))\Z"
)


@dataclasses.dataclass(frozen=True)
class Definition:
    """The files of a build, as read.

    :param path: of the Dockerfile, absolute; the option's name where it holds the Dockerfile itself.
    :param digest: of the Dockerfile's bytes.
    :param inline: the Dockerfile's bytes where they are in no file.
    """

    path: str
    digest: str
    dockerfile: dockerfile.Dockerfile
    context: context.BuildContext
    inline: t.Optional[bytes] = None

    def stages(
        self,
        arguments: t.Mapping[str, str],
        target: str,
        triggers: t.Mapping[str, t.Sequence[str]] = MappingProxyType({}),
    ) -> t.Tuple[Stage, ...]:
        """The stages that the target needs.

        :param triggers: the ONBUILD instructions of images, by what a FROM calls them.
        :raises DeliveryError: a base cannot be known, the target is not there.
        """
        return needed_stages(stages_of(self.dockerfile, arguments, triggers), target, self.path)

    def check_instructions(self, arguments: t.Container[str]) -> None:
        """See that it has no other instructions than there are, unless it is of another language, which an argument can say too.

        :raises DeliveryError: it has.
        """
        if not self.dockerfile.syntax and SYNTAX_ARGUMENT not in arguments:
            dockerfile.check_keywords(self.dockerfile)

    def check_arguments(self, names: t.Iterable[str], stages: t.Sequence[Stage]) -> None:
        """See that each of these arguments is one of the Dockerfile's or of its base images': another would do nothing.

        :param stages: with what these images bring along.
        :raises UndeclaredArgument: one is not. What another language than that of Dockerfiles makes of them is not known.
        """
        if self.dockerfile.syntax and not dockerfile.is_own_syntax(self.dockerfile.syntax):
            return
        declared = {
            word.partition("=")[0]
            for instruction in (*self.dockerfile.instructions, *triggers_of(stages))
            if instruction.keyword == "ARG"
            for word in words.raw(instruction.arguments)
        }
        for name in names:
            if name not in declared and not _PREDEFINED.match(name):
                raise UndeclaredArgument(
                    "args.%s has no effect: there is no ARG %s in %s. Add it where it is used, or leave the argument away."
                    % (name, name, self.path)
                )

    def check_copies(self, needed: t.Sequence[Stage]) -> None:
        """See that what COPY and ADD name is there.

        :raises MissingFile: it is not, or .dockerignore keeps it out; then the message names the line there.
        """
        for copied in copied_paths(needed, self.dockerfile.escape):
            if not self.context.holds(copied.path):
                place = "%s, line %d: %s" % (self.path, copied.instruction.line, copied.instruction)
                raise MissingFile("%s: %s" % (place, self.context.why_missing(copied.path)))


def read_definition(source: str, dockerfile_option: str, inline: t.Optional[str] = None) -> Definition:
    """Read the files of a build.

    :param source: the build's directory.
    :param dockerfile_option: the Dockerfile's path, absolute or relative to the directory.
    :param inline: the Dockerfile itself, in place of a path.
    :raises DeliveryError: one is missing, unreadable or makes no sense.
    """
    if not os.path.isabs(source):
        raise MissingFile(
            "source is %r, which is relative, and a task's working directory is not the user's. Write an absolute path, "
            "as with playbook_dir or the environment's PWD in front." % source
        )
    source = os.path.normpath(source)
    if not os.path.isdir(source):
        what = "is not a directory" if os.path.exists(source) else "does not exist"
        raise MissingFile("The build's directory %s %s. Correct 'source'." % (source, what))
    if inline is not None:
        path, content = "dockerfile_inline", inline.encode("utf-8", "surrogateescape")
        rules = _rules(os.path.join(source, ".dockerignore"))
    else:
        path = os.path.normpath(os.path.join(source, dockerfile_option))
        if os.path.islink(path) and not os.path.exists(path):
            raise MissingFile(
                "The Dockerfile %s is a link to %s, which is not there. Correct the link, or 'dockerfile'."
                % (path, os.readlink(path))
            )
        if not os.path.isfile(path):
            raise MissingFile("There is no Dockerfile at %s. Correct 'dockerfile' or 'source'." % path)
        if not os.path.join(os.path.realpath(path), "").startswith(os.path.realpath(os.path.dirname(path)) + os.sep):
            raise MissingFile(
                "The Dockerfile %s is a link out of its directory, where BuildKit does not follow it. Set 'dockerfile' to %s."
                % (path, os.path.realpath(path))
            )
        content = _read(path)
        rules = _rules(path + ".dockerignore", os.path.join(source, ".dockerignore"))
    parsed = dockerfile.parse(content.decode("utf-8", "surrogateescape"), path)
    hashes = ContentHashes.of_directory(source)
    found = context.read(source, rules, hashes)
    hashes.save()
    return Definition(path, text_digest(content), parsed, found, None if inline is None else content)


def _rules(*candidates: str) -> dockerignore.IgnoreRules:
    """Those of the first file that there is, else none."""
    for candidate in candidates:
        if os.path.isfile(candidate):
            return dockerignore.parse(_read(candidate).decode("utf-8", "surrogateescape"), candidate)
    return dockerignore.IgnoreRules()


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise MissingFile("%s cannot be read: %s." % (path, error.strerror)) from None


def check_secrets(secrets: t.Iterable[Secret]) -> None:
    """See that the files and variables that hold the secrets are there.

    :raises MissingFile: one is not.
    """
    for secret in secrets:
        if secret.file is not None and not os.path.isabs(secret.file):
            raise MissingFile(
                "The secret %s names the relative file %r. Write an absolute path." % (secret.id, secret.file)
            )
        if secret.file is not None and (not os.access(secret.file, os.R_OK) or os.path.isdir(secret.file)):
            raise MissingFile(
                "The file of the secret %s, %s, is missing, a directory or not readable. Make it a file that this user can read."
                % (secret.id, secret.file)
            )
        if secret.env is not None and secret.env not in os.environ:
            raise MissingFile("The variable of the secret %s, %s, is not in the environment." % (secret.id, secret.env))


def check_ssh(agents: t.Iterable[SshAgent]) -> None:
    """See that there is something behind each agent.

    :raises MissingFile: there is not.
    """
    for agent in agents:
        if agent.path and not os.path.isabs(agent.path):
            raise MissingFile(
                "'ssh' names the relative path %r for %s. Write an absolute path." % (agent.path, agent.id)
            )
        if agent.path and not os.access(agent.path, os.R_OK):
            raise MissingFile("%s, which 'ssh' names for %s, is missing or not readable." % (agent.path, agent.id))
        if not agent.path and not os.path.exists(os.environ.get("SSH_AUTH_SOCK", "")):
            raise MissingFile(
                "'ssh' names no path for %s, and there is no SSH agent in the environment (SSH_AUTH_SOCK). Start one, or set "
                "'path' to its socket or to a private key." % agent.id
            )
