# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""How Podman does what it is asked and says why it does not: by its program, and by its service, whose status is 500 for most."""

from __future__ import annotations

import re

GONE = re.compile(r"image not known|no such image|no such container|no container with", re.IGNORECASE)
NOT_RUNNING = re.compile(r"can only kill running containers|container state improper|is not running", re.IGNORECASE)
# what the runtime says of the image's command or user; all else that keeps a container from starting is Podman's
OF_THE_IMAGE = re.compile(
    r"executable file .* not found|OCI (?:runtime attempted|permission denied)|no matching entries in (?:passwd|group) file",
    re.IGNORECASE,
)
# Where conmon has not noted within 5 s how a container ended, as on a busy host, Podman fails what had it end, and counts it as
# stopped from then on (waitForExitFileAndSync of libpod 4.9; seen with 4.3): asked again, it does the rest.
NOT_NOTED = re.compile(r"timed out waiting for file \S*/exits/")
# what it adds itself to a container's files, for a user without a name
ITS_OWN = ("/etc", "/etc/group", "/etc/passwd")
# as Docker has them by default; Podman would have what the image has there copied into them
TMPFS = "rw,noexec,nosuid,nodev,mode=1777,notmpcopyup"
