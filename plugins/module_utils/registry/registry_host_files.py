# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Write the files of a registry's host, make its directories, and see to their owners and modes."""

from __future__ import annotations

import grp
import os
import pwd
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils import atomic
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Capability, Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry import host_files
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_files import (
    ABSENT,
    DIRECTORY,
    FoundFile,
    WantedFile,
)

# what Ansible's own modules show of a file at most (max_diff_size of its configuration), in bytes
_SHOWN = 104448


def run(params: t.Dict[str, t.Any], context: Context) -> t.Dict[str, t.Any]:
    """Bring each file that is not as wanted to that, in the order given; those that are C(absent) stay as they are.

    :raises DeliveryError: one of them cannot be; C(written) then has those that were.
    """
    if os.geteuid():
        raise DeliveryError("The files of a registry's host are root's. Set 'become: true' for this host.")
    secret = {entry["path"]: entry["text"] for entry in params["secret_files"]}
    texts = {**{entry["path"]: entry["text"] for entry in params["texts"]}, **secret}
    changed: t.List[str] = []
    shown: t.List[t.Dict[str, t.Any]] = []
    for wanted in host_files.with_texts((WantedFile(**file) for file in params["files"]), texts):
        found = host_files.find(wanted)
        fault = host_files.misplacement(wanted, found)
        if fault:
            raise DeliveryError("%s. Move it away." % fault, written=changed)
        if wanted.kind == ABSENT or not host_files.differences(wanted, found):
            continue
        text = texts.get(wanted.path)
        if wanted.sha256 and text is None:
            raise DeliveryError(
                "%s is to have another content, which is not among texts." % wanted.path, written=changed
            )
        if context.diff:
            shown += _shown(wanted, found, None if wanted.path in secret else text)
        if not context.check:
            try:
                _put(wanted, found, text)
            except OSError as error:
                said = error.strerror or str(error)
                raise DeliveryError("%s cannot be made as wanted: %s." % (wanted.path, said), written=changed) from None
        changed.append(wanted.path)
    return {"changed": bool(changed), "written": changed, **({"diff": shown} if context.diff else {})}


def _put(wanted: WantedFile, found: FoundFile, text: t.Optional[str]) -> None:
    owner, mode = _owner(wanted), int(wanted.mode, 8)
    if wanted.kind == DIRECTORY:
        atomic.make_directories(wanted.path)
    elif not found.kind and (text is not None or wanted.needed):
        atomic.write(wanted.path, host_files.encoded(text or ""), mode)
    elif not found.kind:
        return
    else:
        os.chown(wanted.path, *owner)  # before it has the new text, which the one before may not read
        if text is not None and host_files.has_another_content(wanted, found):
            atomic.write(wanted.path, host_files.encoded(text), mode)
    os.chown(wanted.path, *owner)
    os.chmod(wanted.path, mode)


def _owner(wanted: WantedFile) -> t.Tuple[int, int]:
    """User and group, by number."""
    try:
        return pwd.getpwnam(wanted.owner).pw_uid, grp.getgrnam(wanted.group).gr_gid
    except KeyError:
        raise DeliveryError(
            "%s is to belong to %s:%s, and there is no such user or group on this host."
            % (wanted.path, wanted.owner, wanted.group)
        ) from None


def _shown(wanted: WantedFile, found: FoundFile, text: t.Optional[str]) -> t.List[t.Dict[str, t.Any]]:
    """What differs, as diff mode prints it: the content, unless that is secret, and owner and mode."""
    path = wanted.path
    shown: t.List[t.Dict[str, t.Any]] = []
    if text is not None and found.sha256 != wanted.sha256:
        if len(host_files.encoded(text)) > _SHOWN:
            shown.append({"dst_larger": _SHOWN})
        else:
            before = host_files.content_of(path).decode("utf-8", "replace")
            shown.append({"before_header": path, "after_header": path, "before": before, "after": text})
    states = _state(found) if found.kind else "", _state(wanted)
    if states[0] != states[1] and (found.kind or text is None):
        shown.append({"before_header": path, "after_header": path, "before": states[0], "after": states[1]})
    return shown


def _state(file: t.Union[WantedFile, FoundFile]) -> str:
    mode = file.mode if isinstance(file.mode, int) else int(file.mode, 8)
    return "%s of %s:%s, mode %04o\n" % (file.kind, file.owner, file.group, mode)


ARGUMENT_SPEC: t.Dict[str, t.Any] = {
    "files": {**host_files.SPEC, "required": True},
    "texts": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {"path": {"type": "str", "required": True}, "text": {"type": "str", "required": True}},
    },
    "secret_files": host_files.SECRET_TEXTS_SPEC,
}
CAPABILITY = Capability(run=run, argument_spec=ARGUMENT_SPEC)
