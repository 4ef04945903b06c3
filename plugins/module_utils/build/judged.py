# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What was judged before on this controller: an image that passed a gate is not put to the same questions again.

An image is known by its ID, which is a digest. Only what passed is noted, so that what failed is looked at each time. What was
asked is in the note as a digest with a key that is kept beside it, as secrets are part of it: without the key nobody can tell by
trying which they were.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import json
import os
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.judging_files import judging_files
from ansible_collections.longshore.delivery.plugins.module_utils.build.private_files import (
    note_path,
    read_json,
    write_json,
)


class Judgement:
    """The note about one gate of one image on one engine.

    :param options: what the gate is asked, secrets too.
    """

    def __init__(self, gate: str, engine: str, image: str, options: t.Mapping[str, t.Any]) -> None:
        self._about = {"gate": gate, "engine": engine, "image": image}
        self._path = note_path("judged", gate, engine, image)
        self._key_path = os.path.join(os.path.dirname(self._path), "key.json")
        self._key = _key(self._key_path)
        text = json.dumps([judging_files(gate), options], sort_keys=True, default=str)
        self._options = hmac.new(
            self._key.encode(), text.encode("utf-8", "surrogateescape"), hashlib.sha256
        ).hexdigest()
        noted = read_json(self._path)
        self._noted = noted if noted.get("options") == self._options else {}

    @property
    def options_are_known(self) -> bool:
        """Whether an image passed with these options before, so that they are valid."""
        return bool(self._noted)

    def passed(self, image_id: str) -> t.Optional[t.Dict[str, t.Any]]:
        """What the gate said of an image that passed; None of any other."""
        result = self._noted.get("result")
        return result if self._noted.get("id") == image_id and isinstance(result, dict) else None

    def note(self, image_id: str, result: t.Mapping[str, t.Any]) -> None:
        """Note that an image passed.

        :param result: without secrets.
        """
        if _kept_key(self._key_path) != self._key:
            write_json(self._key_path, {"key": self._key})
        write_json(self._path, {**self._about, "options": self._options, "id": image_id, "result": result})


@functools.cache  # one for all gates of a run, also where it is yet to be kept
def _key(path: str) -> str:
    return _kept_key(path) or os.urandom(32).hex()


def _kept_key(path: str) -> str:
    return str(read_json(path).get("key") or "")
