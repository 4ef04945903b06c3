# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""A bucket that keeps a registry's images, by S3: whether it can be one, and whether the registry itself works with it.

The registry (2.8 and 3.1) starts with any bucket and key. Of a request that failed 2.8 says no more than that; why is in its log.
"""

from __future__ import annotations

import dataclasses
import http.client
import re
import time
import typing as t
import urllib.parse

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError, RunCommand
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_units import Unit
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import readable_certificates

SPEC: t.Dict[str, t.Any] = {
    "type": "dict",
    "options": {
        "bucket": {"type": "str", "default": ""},
        "region": {"type": "str", "default": ""},
        "endpoint": {"type": "str", "default": ""},
        "prefix": {"type": "str", "default": ""},
        "access_key": {"type": "str", "default": "", "no_log": False},
        "secret_key": {"type": "str", "default": "", "no_log": True},
        "ca": {"type": "str", "default": ""},
        "beside": {"type": "list", "elements": "str", "default": []},
    },
}
# what the unit gives the registry: where it keeps images, where that is no directory
STORAGE_VARIABLE = "LONGSHORE_REGISTRY_STORAGE"
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}\Z")
_PREFIX = re.compile(r"(?:/?[A-Za-z0-9_.-])*/?\Z")
# visible ASCII: what systemd reads from a file of variables, in quotes
_KEY = re.compile(r"[!-~]*\Z")
# No repository can be called so by accident, and none is made: there is nothing to list in it, and its upload is given up.
_REPOSITORY = "/v2/longshore/storage"
_DETAIL = re.compile(r'err\.detail="s3aws: ((?:[^"\\]|\\.)*)"')
_CAUSE = re.compile(r'caused by: \w+ "[^"]*": (.*)', re.DOTALL)
_PATIENCE = 20.0
_LOG_PATIENCE = 10.0
_LOGIN = "Set access_key and secret_key to a login that may list, read, write and delete there"
_REACH = "See that this host reaches the endpoint, and that the storage runs"
# what is said of a request that failed, and the way out; the first that fits
_WAYS_OUT = (
    ("NoSuchBucket", "Make the bucket, or name one that is there"),
    ("AuthorizationHeaderMalformed", "Set region to the bucket's"),
    ("BucketRegionError", "Set region to the bucket's"),
    ("HTTP response to HTTPS client", "Have the endpoint begin with http://, or the storage speak TLS"),
    ("x509:", "Set ca to the authority of its certificate, and the endpoint to a name that this is for"),
    ("RequestError", _REACH),
    ("", _LOGIN),
)


@dataclasses.dataclass(frozen=True)
class Bucket:
    """The bucket that is wanted.

    :param beside: options of the role that work on files, and are set as well.
    """

    bucket: str
    region: str = ""
    endpoint: str = ""
    prefix: str = ""
    access_key: str = ""
    secret_key: str = dataclasses.field(default="", repr=False)
    ca: str = ""
    beside: t.Tuple[str, ...] = ()

    @classmethod
    def from_params(cls, params: t.Mapping[str, t.Any]) -> Bucket:
        return cls(**{**params, "beside": tuple(params["beside"])})

    @property
    def url(self) -> str:
        """What the unit says of it."""
        return "s3://" + "/".join(filter(None, [self.bucket, self.prefix.strip("/")]))

    @property
    def named(self) -> str:
        return "%s at %s" % (self.url, self.endpoint or "Amazon's region %s" % self.region)

    @property
    def environment(self) -> t.Dict[str, str]:
        """What the registry's process has to be given."""
        login = {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}
        return {STORAGE_VARIABLE: self.url, **(login if self.access_key else {})}

    @property
    def obstacles(self) -> t.List[str]:
        """What it cannot be, as sentences with the way out."""
        found = []
        if not _BUCKET.match(self.bucket):
            found.append(
                "registry_s3 has bucket %r, which is no bucket's name. Set it to one that is there." % self.bucket
            )
        address = urllib.parse.urlsplit(self.endpoint)
        if self.endpoint and (address.scheme not in ("http", "https") or not _has_only_a_host(address)):
            found.append(
                "registry_s3 has endpoint %r. Give a scheme, a host and where needed a port, as in https://s3.example:9000."
                % self.endpoint
            )
        if not self.endpoint and not self.region:
            found.append("registry_s3 has neither endpoint nor region. Give the endpoint, or a region of Amazon's.")
        if not _PREFIX.match(self.prefix):
            found.append("registry_s3 has prefix %r. Use letters, digits and / _ . - only." % self.prefix)
        if bool(self.access_key) != bool(self.secret_key):
            found.append("registry_s3 has one of access_key and secret_key. Give both, or neither.")
        if not _KEY.match(self.access_key + self.secret_key):
            found.append("registry_s3 has a key with a space or a character that is not ASCII's. See that it is whole.")
        if self.ca:
            try:
                readable_certificates(self.ca, "registry_s3")
            except DeliveryError as fault:
                found.append(str(fault))
        found += [
            "%s works on files, and registry_s3 keeps the images in a bucket. Leave one of them away; README.md of the role says "
            "what there is for a bucket instead." % option
            for option in self.beside
        ]
        return found


def _has_only_a_host(address: urllib.parse.SplitResult) -> bool:
    try:
        return bool(address.hostname) and address.port != 0 and address.path in ("", "/") and "@" not in address.netloc
    except ValueError:  # the port is none
        return False


@dataclasses.dataclass(frozen=True)
class Storage:
    """What came of asking the registry behind nginx for its bucket.

    :param fault: why it does not serve from there, in words; empty where it does, or gives no answer at all.
    :param has_files: whether there are images in the directory that is not used.
    """

    fault: str = ""
    has_files: bool = False


def ask(port: int, unit: str, run_command: RunCommand, writes: bool) -> str:
    """Why the registry on a port of this host cannot work with its bucket; empty where it can, or does not answer.

    :param writes: whether an upload is begun, and given up.
    """
    asked_at = int(time.time())
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
    try:
        connection.connect()
    except OSError:
        return ""
    try:
        status = _status(connection, "GET", _REPOSITORY + "/tags/list")[0]
        if status in (200, 404) and writes:  # 2.8 says 404 of a repository that has no tags, 3.1 lists none
            status, place = _status(connection, "POST", _REPOSITORY + "/blobs/uploads/")
            if status == 202:
                status = _status(connection, "DELETE", place)[0]
    except TimeoutError:
        return "the registry waits for it longer than %d s. %s" % (_PATIENCE, _REACH)
    except (OSError, http.client.HTTPException) as error:
        return "the registry breaks off (%s). See 'journalctl --unit %s'" % (error, unit)
    finally:
        connection.close()
    return "" if status in (200, 202, 204, 404) else _logged(status, unit, asked_at, run_command)


def _status(connection: http.client.HTTPConnection, method: str, path: str) -> t.Tuple[int, str]:
    connection.request(method, path)
    answer = connection.getresponse()
    answer.read()
    place = urllib.parse.urlsplit(answer.getheader("Location") or "")
    return answer.status, "%s?%s" % (place.path, place.query)


def _logged(status: int, unit: str, since: int, run_command: RunCommand) -> str:
    """What the registry logged of it, which it does after it has answered."""
    deadline = time.monotonic() + _LOG_PATIENCE
    journal = ["journalctl", "_SYSTEMD_UNIT=%s" % unit, "--since", "@%d" % since, "--output", "cat", "--no-pager"]
    while True:
        found = _DETAIL.findall(run_command(journal).stdout)
        if found:
            return explained(found[-1].replace('\\"', '"').replace("\\n", "\n").replace("\\t", "\t"))
        if time.monotonic() >= deadline:
            return "the registry answers HTTP %d. See 'journalctl --unit %s'" % (status, unit)
        time.sleep(0.1)


def explained(said: str) -> str:
    """What the registry says of a failed request, in one line, with the way out."""
    cause = _CAUSE.search(said)
    words = " ".join((cause[1] if cause else said.partition("\n\tstatus code")[0]).split()).rstrip(".")
    return "%s. %s" % (words, next(way for mark, way in _WAYS_OUT if mark in said))


def obstacle(bucket: t.Optional[Bucket], storage: Storage, runs_as_wanted: bool) -> t.List[str]:
    """That the bucket does not serve, as far as the registry that was asked is one that uses it."""
    if bucket is None or not storage.fault or not runs_as_wanted:
        return []
    return ["The images are to be in %s (registry_s3), and the storage refuses: %s." % (bucket.named, storage.fault)]


def lacks_environment(bucket: t.Optional[Bucket], unit: Unit) -> bool:
    """Whether the unit's process was given something else than the bucket needs."""
    return bucket is not None and any(unit.environment.get(key) != value for key, value in bucket.environment.items())


def warnings(bucket: t.Optional[Bucket], unit: Unit, storage: Storage, endpoint: str) -> t.List[str]:
    """That images stay where they were."""
    wanted, present = bucket.url if bucket else "", unit.environment.get(STORAGE_VARIABLE, "")
    if not unit.is_active or wanted == present or not (present or storage.has_files):
        return []
    return [
        "Registry %s has kept its images in %s, and is to keep them in %s: they do not move. What is not pushed again "
        "or copied over (longshore.delivery.image_copy) is not served any more; it stays where it is."
        % (endpoint, present or "registry_data", wanted or "registry_data")
    ]
