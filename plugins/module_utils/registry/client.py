# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""A client of the registry API (OCI distribution specification 1.1), with the standard library alone.

What a registry serves is checked: a manifest and a blob must have the digest that was asked for, a manifest asked for by its
tag the digest that the registry says.
"""

from __future__ import annotations

import contextlib
import json
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.digest import (
    BlobDigest,
    ConfigDigest,
    Digest,
    IndexDigest,
    ManifestDigest,
)
from ansible_collections.longshore.delivery.plugins.module_utils.reference import InvalidReference
from ansible_collections.longshore.delivery.plugins.module_utils.reference_grammar import (
    Flaw,
    check_repository,
    check_tag,
    shown,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.authorization import Authorization, challenges
from ansible_collections.longshore.delivery.plugins.module_utils.registry.errors import Answer, RegistryError, refusal
from ansible_collections.longshore.delivery.plugins.module_utils.registry.listing import Listed, pages
from ansible_collections.longshore.delivery.plugins.module_utils.registry.manifest import (
    MANIFEST_LIMIT,
    MEDIA_TYPES,
    Manifest,
    ManifestHead,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.registry.transport import (
    Body,
    Request,
    Transport,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.uploads import begin_and_cancel, upload
from ansible_collections.longshore.delivery.plugins.module_utils.verified_stream import Readable, VerifiedStream

__all__ = ["Manifest", "ManifestHead", "RegistryClient", "RegistryError"]

_SERVED = (ManifestDigest, IndexDigest)
ManifestReference = t.Union[str, ManifestDigest, IndexDigest]
AnyBlobDigest = t.Union[BlobDigest, ConfigDigest]


class RegistryClient:
    """One registry through one kept connection; a context manager that closes it. Not for use by several threads at once.

    Every method raises C(RegistryError) where the registry cannot be reached, refuses or answers what cannot be right, and
    C(InvalidReference) for a repository, tag or digest that is none. A manifest is named by its tag or by its digest, the
    latter as a text or as a C(ManifestDigest) or C(IndexDigest).

    :param timeout: in seconds, for connecting and for each wait for bytes.
    """

    def __init__(self, settings: RegistrySettings, timeout: float = 10.0) -> None:
        self.settings = settings
        self._transport = Transport(settings, timeout)
        self._authorization = Authorization(self._transport)

    def __enter__(self) -> RegistryClient:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the next request opens a new one."""
        self._transport.close()

    def ping(self) -> None:
        """Return if a registry answers there and takes the credentials."""
        answer = self.request(Request("GET", "/v2/", limit=MANIFEST_LIMIT))
        media_type = _media_type(answer)
        if answer.status == 404 or (answer.status < 400 and (answer.status != 200 or media_type == "text/html")):
            raise self.error(
                "other",
                "something answers there, but not as a registry (HTTP %d, %s, for /v2/). Check host and port."
                % (answer.status, media_type or "no content type"),
            )
        if answer.status != 200:
            raise self.refusal("the registry's API", answer)

    def repositories(self) -> t.List[str]:
        """The names of all repositories, by the catalog, which not every registry has."""
        return [name for page in self.repository_pages() for name in page]

    def repository_pages(self) -> t.Iterator[t.List[str]]:
        """The same, page by page as the registry gives them."""
        return self._names(Listed("/v2/_catalog", "repositories", "the catalog of its repositories"))

    def tags(self, repository: str) -> t.List[str]:
        """The tags of a repository; none where there is no such repository."""
        return [name for page in self.tag_pages(repository) for name in page]

    def tag_pages(self, repository: str) -> t.Iterator[t.List[str]]:
        """The same, page by page where the registry has pages, which distribution's has since version 3."""
        path = "/v2/%s/tags/list" % _repository(repository)
        return self._names(Listed(path, "tags", "the tags of %s" % repository, repository))

    def entries(self, listed: Listed) -> t.Iterator[t.Any]:
        """What is in a list, page after page."""
        return (entry for page in pages(self, self._transport.origin, listed) for entry in page)

    def _names(self, listed: Listed) -> t.Iterator[t.List[str]]:
        return ([str(name) for name in page] for page in pages(self, self._transport.origin, listed))

    def head_manifest(self, repository: str, reference: ManifestReference) -> t.Optional[ManifestHead]:
        """What is served under a tag or digest, without its bytes; None if nothing is."""
        name, asked = _manifest_name(reference)
        answer = self._manifest_request("HEAD", repository, name)
        if answer.status == 404:
            return None
        what = _what(repository, name)
        if answer.status != 200:
            raise self.refusal(what, answer)
        served = self._served_digest(answer, what)
        if served is None:
            manifest = self.get_manifest(repository, reference)
            return ManifestHead(manifest.digest, manifest.media_type, len(manifest.body))
        if asked is not None and asked.algorithm == served.algorithm and asked != served:
            raise self.error("other", "it serves %s as %s." % (what, served))
        length = answer.headers.get("content-length", "")
        return ManifestHead(asked or served, _media_type(answer), int(length) if length.isdigit() else None)

    def get_manifest(self, repository: str, reference: ManifestReference) -> Manifest:
        """A manifest whose bytes have the digest they should have; not there is C(kind) C(not_found)."""
        name, asked = _manifest_name(reference)
        what = _what(repository, name)
        answer = self._manifest_request("GET", repository, name)
        if answer.status != 200:
            raise self.refusal(what, answer)
        digest = asked or self._served_digest(answer, what) or ManifestDigest.of(answer.body)
        self._verify(digest, answer.body, what)
        try:
            document = json.loads(answer.body.decode())
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise self.error("other", "%s is no JSON object. What was pushed there is no image." % what)
        media_type = _media_type(answer)
        if media_type not in MEDIA_TYPES and isinstance(document.get("mediaType"), str):
            media_type = document["mediaType"]
        manifest = Manifest(digest, media_type, answer.body, document)
        try:
            manifest.check()
        except (InvalidReference, LookupError, TypeError, AttributeError) as error:
            raise self.error("other", "%s is no image: %s: %s." % (what, type(error).__name__, error)) from None
        return manifest

    def put_manifest(
        self, repository: str, reference: ManifestReference, media_type: str, body: bytes
    ) -> ManifestDigest:
        """Store a manifest, whose blobs or children must be there already; returns its digest."""
        name, asked = _manifest_name(reference)
        digest = asked or ManifestDigest.of(body)
        if not digest.matches(body):
            raise InvalidReference(
                "The manifest to store as %s in %s has another digest: its bytes changed." % (digest, repository)
            )
        path = "/v2/%s/manifests/%s" % (_repository(repository), name)
        answer = self.request(Request("PUT", path, {"Content-Type": media_type}, body), repository, "push")
        what = _what(repository, name)
        if answer.status not in (200, 201):
            raise self.refusal(what, answer)
        stored = self._served_digest(answer, what)
        if stored is not None and stored.algorithm == digest.algorithm and stored != digest:
            raise self.error("other", "it stored %s as %s, though the bytes sent are %s." % (what, stored, digest))
        return digest

    def delete_manifest(self, repository: str, digest: t.Union[ManifestDigest, IndexDigest]) -> bool:
        """Delete a manifest with all tags on it; False if it was not there."""
        if not isinstance(digest, _SERVED):
            raise TypeError("a manifest is deleted by its manifest digest or index digest")
        path = "/v2/%s/manifests/%s" % (_repository(repository), digest)
        answer = self.request(Request("DELETE", path), repository, "delete")
        if answer.status == 404:
            return False
        if answer.status not in (200, 202):
            raise self.refusal(_what(repository, str(digest)), answer)
        return True

    def has_blob(self, repository: str, digest: AnyBlobDigest) -> bool:
        """Whether a blob is in this repository."""
        answer = self.request(Request("HEAD", _blob_path(repository, digest)), repository)
        if answer.status == 404:
            return False
        if answer.status != 200:
            raise self.refusal("the blob %s of %s" % (digest, repository), answer)
        return True

    def get_blob(self, repository: str, digest: AnyBlobDigest) -> bytes:
        """A blob's bytes, whole and verified: for configurations and the like, since all of it is held in memory."""
        what = "the blob %s of %s" % (digest, repository)
        answer = self.request(Request("GET", _blob_path(repository, digest)), repository)
        if answer.status != 200:
            raise self.refusal(what, answer)
        self._verify(digest, answer.body, what)
        return answer.body

    @contextlib.contextmanager
    def open_blob(self, repository: str, digest: AnyBlobDigest) -> t.Iterator[Readable]:
        """A blob's bytes, read while they come and verified at their end, by a connection of its own: for layers."""
        what = "the blob %s of %s" % (digest, repository)
        bodies: t.List[Body] = []

        def send(request: Request) -> Answer:
            answer, body = self._transport.begin(request)
            bodies.extend([body] if body else [])
            return answer

        answer = self.request(Request("GET", _blob_path(repository, digest)), repository, send=send)
        if not bodies:
            raise self.refusal(what, answer)
        with contextlib.closing(bodies[0]) as body:
            yield VerifiedStream(body, digest, lambda is_now: self._damaged(what, is_now, digest))

    def push_blob(self, repository: str, data: bytes) -> BlobDigest:
        """Store a blob unless it is there; returns its digest."""
        digest = BlobDigest.of(data)
        self.push_pieces(repository, digest, lambda: (data,))
        return digest

    def push_pieces(self, repository: str, digest: AnyBlobDigest, pieces: t.Callable[[], t.Iterable[bytes]]) -> bool:
        """Store a blob unless it is there; whether it was sent.

        :param pieces: reads it, none of them empty; called only where it has to be sent.
        """
        if self.has_blob(repository, digest):
            return False
        upload(self, self._transport.origin, _repository(repository), digest, pieces())
        return True

    def begin_and_cancel_upload(self, repository: str) -> None:
        """Return if the registry takes pushes to a repository; nothing is stored."""
        begin_and_cancel(self, self._transport.origin, _repository(repository))

    def _manifest_request(self, method: str, repository: str, name: str) -> Answer:
        path = "/v2/%s/manifests/%s" % (_repository(repository), name)
        request = Request(method, path, {"Accept": ", ".join(MEDIA_TYPES)}, limit=MANIFEST_LIMIT)
        return self.request(request, repository)

    def request(
        self,
        request: Request,
        repository: str = "",
        right: str = "pull",
        send: t.Optional[t.Callable[[Request], Answer]] = None,
    ) -> Answer:
        """Send, and after a 401 log in and send once more.

        :param repository: the one that the request is about, if any.
        :param right: what has to be allowed there, as in C(Authorization.header).
        :param send: how, if not by an exchange.
        """
        send = send or self._transport.exchange
        request = request.with_headers({"User-Agent": "longshore.delivery"})
        value = self._authorization.header(repository, right)
        if value is not None:
            request = request.with_headers({"Authorization": value})
        answer = send(request)
        if answer.status == 401:
            value = self._authorization.renewed(answer, repository, right)
            if value is not None:
                answer = send(request.with_headers({"Authorization": value}))
        return answer

    def _served_digest(self, answer: Answer, what: str) -> t.Optional[ManifestDigest]:
        text = answer.headers.get("docker-content-digest")
        if text is None:
            return None
        try:
            return ManifestDigest.parse(text)
        except InvalidReference as error:
            raise self.error("other", "it names a digest for %s that is none: %s" % (what, error)) from None

    def _verify(self, digest: Digest, body: bytes, what: str) -> None:
        if not digest.matches(body):
            raise self._damaged(what, type(digest).of(body, digest.algorithm), digest)

    def _damaged(self, what: str, is_now: Digest, digest: Digest) -> RegistryError:
        return self.error(
            "other",
            "the bytes of %s have the digest %s and not %s. Its storage, or something between, is damaged: push it again."
            % (what, is_now, digest),
        )

    def error(self, kind: str, cause: str) -> RegistryError:
        return self._transport.error(kind, cause)

    def refusal(self, what: str, answer: Answer) -> RegistryError:
        forbidden = any(
            challenge.parameters.get("error") == "insufficient_scope"
            for challenge in challenges(answer.headers.get("www-authenticate", ""))
        )
        if answer.status == 401 and forbidden and self.settings.username is not None:
            answer = answer._replace(status=403)
        return refusal(str(self.settings.endpoint), what, answer, self.settings.username, self._authorization.secrets)


def _what(repository: str, name: str) -> str:
    return "the manifest %s%s%s" % (repository, "@" if ":" in name else ":", name)


def _repository(repository: str) -> str:
    try:
        check_repository(repository)
    except Flaw as flaw:
        raise InvalidReference("Invalid repository %s: %s." % (shown(repository), flaw)) from None
    return repository


def _manifest_name(reference: ManifestReference) -> t.Tuple[str, t.Optional[ManifestDigest]]:
    """The last part of a manifest's path, and the digest if it is one."""
    if isinstance(reference, Digest):
        if not isinstance(reference, _SERVED):
            raise TypeError(
                "a manifest is asked for by a tag, a manifest digest or an index digest, not by a %s" % reference.what
            )
        return str(reference), ManifestDigest(reference.algorithm, reference.encoded)
    if ":" in reference:
        return reference, ManifestDigest.parse(reference)
    try:
        check_tag(reference)
    except Flaw as flaw:
        raise InvalidReference("Invalid tag %s: %s." % (shown(reference), flaw)) from None
    return reference, None


def _blob_path(repository: str, digest: AnyBlobDigest) -> str:
    if not isinstance(digest, (BlobDigest, ConfigDigest)):
        raise TypeError("a blob is asked for by a blob digest or a config digest")
    return "/v2/%s/blobs/%s" % (_repository(repository), digest)


def _media_type(answer: Answer) -> str:
    return answer.headers.get("content-type", "").partition(";")[0].strip()
