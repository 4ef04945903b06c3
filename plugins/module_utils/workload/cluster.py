# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""A connection to a cluster: the kubeconfig is read by the C(kubernetes) package, requests are plain JSON over its urllib3 pool.

The package's models are left alone: they cost time and drop fields that they do not know.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
import typing as t
from urllib.parse import urlencode

from ansible_collections.longshore.delivery.plugins.module_utils.workload.cluster_errors import (
    ApiFault,
    ClusterError,
    unreachable,
)
from ansible_collections.longshore.delivery.plugins.module_utils.workload.release import Json
from ansible_collections.longshore.delivery.plugins.module_utils.workload.resources import path_of

try:
    import urllib3
    from kubernetes import client as kubernetes_client
    from kubernetes import config as kubernetes_config
    from kubernetes.client import rest as kubernetes_rest

    MISSING: t.Optional[str] = None
except ImportError as _error:
    MISSING = str(_error)

CLUSTER_SPEC: t.Dict[str, t.Any] = {"kubeconfig": {"type": "str"}, "kube_context": {"type": "str"}}
FIELD_MANAGER = "longshore.delivery"
_METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_CONNECT_SECONDS = 5.0
_BUSY = (429, 503, 504)
_ATTEMPTS = 4

Query = t.Dict[str, str]


class Stream:
    """A watch: C(events) yields its lines as objects until it ends; C(close) may be called from another thread."""

    def __init__(self, response: t.Any) -> None:
        self._response = response

    def events(self) -> t.Iterator[Json]:
        rest = b""
        for chunk in self._response.stream(65536):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if line.strip():
                    yield json.loads(line)

    def close(self) -> None:
        """End it at once, also while another thread reads from it (a mere close would leave that one waiting)."""
        shutdown = getattr(self._response, "shutdown", None)  # urllib3 2.3
        try:
            if shutdown:
                shutdown()
            else:
                self._response.close()
        except (OSError, ValueError, RuntimeError):
            pass


class Cluster:
    """One API server, spoken to as one user. Use it in a C(with) block: client certificates lie in files until its end."""

    read_seconds = 30.0

    def __init__(self, kubeconfig: t.Optional[str] = None, context: t.Optional[str] = None) -> None:
        """:raises ClusterError: the kubeconfig or the context is missing or cannot be used; nothing is sent yet."""
        if MISSING:
            raise ClusterError(
                "The Python package kubernetes is needed, and cannot be imported: %s. Install it where the task runs."
                % MISSING
            )
        self._files = tempfile.TemporaryDirectory(prefix="longshore-")
        try:
            self._configuration = _configuration(kubeconfig, context, self._files.name)
            self._pool = kubernetes_rest.RESTClientObject(self._configuration).pool_manager
        except BaseException:
            self._files.cleanup()
            raise
        self.server: str = self._configuration.host.rstrip("/")

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *exception: object) -> None:
        self._pool.clear()
        self._files.cleanup()

    def get(self, kind: str, namespace: t.Optional[str], name: str) -> t.Optional[Json]:
        """An object, or None when there is none of that name."""
        try:
            return self._json("GET", path_of(kind, namespace, name), "%s %s" % (kind, name))
        except ApiFault as fault:
            if fault.reason == "NotFound":
                return None
            raise

    def list(
        self, kind: str, namespace: t.Optional[str], query: t.Optional[Query] = None, metadata_only: bool = False
    ) -> Json:
        """A list object: C(items) and C(metadata.resourceVersion). Its items have neither C(kind) nor C(apiVersion)."""
        accept = _METADATA_LIST if metadata_only else "application/json"
        answer = self._json("GET", path_of(kind, namespace), "the list of %ss" % kind, query, accept=accept)
        answer["items"] = answer.get("items") or []  # an empty list of metadata has null there
        return answer

    def apply(self, wanted: Json, dry_run: bool, force: bool) -> Json:
        """Server-side apply with strict validation; the server's answer is the whole object as it is (or would be) then."""
        query = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict", "force": "true" if force else "false"}
        if dry_run:
            query["dryRun"] = "All"
        metadata = wanted["metadata"]
        path = path_of(wanted["kind"], metadata.get("namespace"), metadata["name"])
        what = "%s %s" % (wanted["kind"], metadata["name"])
        return self._json("PATCH", path, what, query, wanted, "application/apply-patch+yaml")

    def create(self, wanted: Json, dry_run: bool = False) -> Json:
        """Create an object that is not there."""
        query = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"}
        if dry_run:
            query["dryRun"] = "All"
        metadata = wanted["metadata"]
        what = "%s %s" % (wanted["kind"], metadata["name"])
        return self._json("POST", path_of(wanted["kind"], metadata.get("namespace")), what, query, wanted)

    def delete(self, kind: str, namespace: t.Optional[str], name: str, foreground: bool = False) -> bool:
        """Delete an object; False when it was not there. In the foreground it stays until all that it owns is gone."""
        options = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "propagationPolicy": "Foreground" if foreground else "Background",
        }
        try:
            self._json("DELETE", path_of(kind, namespace, name), "%s %s" % (kind, name), None, options)
        except ApiFault as fault:
            if fault.reason == "NotFound":
                return False
            raise
        return True

    def logs(self, namespace: str, pod: str, container: str, previous: bool, lines: int) -> str:
        """The last lines of a container's log, at most 64 KiB; empty when there is none."""
        query = {"container": container, "tailLines": str(lines), "limitBytes": "65536"}
        if previous:
            query["previous"] = "true"
        try:
            response = self._request("GET", path_of("Pod", namespace, pod) + "/log", query, accept="*/*")
        except ClusterError:
            return ""
        text = bytes(response.data).decode(errors="replace")
        # the kubelet's words for a log that is gone come with status 200 (1.36)
        return "" if response.status != 200 or text.startswith("unable to retrieve container logs for") else text

    def watch(self, kind: str, namespace: t.Optional[str], query: Query, seconds: int) -> Stream:
        """Begin a watch that the server ends after so many seconds.

        :raises ApiFault: the server refuses it; 410 says that the resource version is too old.
        """
        query = {**query, "watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": str(seconds)}
        response = self._request("GET", path_of(kind, namespace), query, stream=True, read_seconds=seconds + 15.0)
        if response.status != 200:
            raise self._fault(response, "the watch of %ss" % kind)
        return Stream(response)

    def _json(
        self,
        method: str,
        path: str,
        what: str,
        query: t.Optional[Query] = None,
        body: t.Optional[Json] = None,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> Json:
        """Ask, and ask again while the server says that it is busy: every request here may be repeated without harm."""
        for attempt in range(1, _ATTEMPTS + 1):
            response = self._request(method, path, query, body, content_type, accept)
            if response.status < 400:
                break
            fault = self._fault(response, what)
            if response.status not in _BUSY or attempt == _ATTEMPTS:
                raise fault
            time.sleep(min(fault.retry_after or 0.25 * 2**attempt, 5.0))
        try:
            document = json.loads(response.data)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise ClusterError(
                "%s answers, but not as a Kubernetes API server does (HTTP status %d, no JSON object). Correct 'server' in the "
                "kubeconfig." % (self.server, response.status)
            )
        return document

    def _request(
        self,
        method: str,
        path: str,
        query: t.Optional[Query] = None,
        body: t.Optional[Json] = None,
        content_type: str = "application/json",
        accept: str = "application/json",
        stream: bool = False,
        read_seconds: t.Optional[float] = None,
    ) -> t.Any:
        headers = {"Accept": accept, "User-Agent": FIELD_MANAGER}
        for setting in self._configuration.auth_settings().values():
            if setting["in"] == "header" and setting["value"]:
                headers[setting["key"]] = setting["value"]
        if body is not None:
            headers["Content-Type"] = content_type
        url = self.server + path + ("?" + urlencode(query) if query else "")
        try:
            return self._pool.request(
                method,
                url,
                body=None if body is None else json.dumps(body),
                headers=headers,
                timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=read_seconds or self.read_seconds),
                retries=False,
                preload_content=not stream,
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise unreachable(self.server, error) from error

    def _fault(self, response: t.Any, what: str) -> ApiFault:
        try:
            document = json.loads(response.data)
        except ValueError:
            document = {"message": response.data.decode(errors="replace")[:500]}
        return ApiFault(self.server, what, response.status, document if isinstance(document, dict) else {})


def _configuration(kubeconfig: t.Optional[str], context: t.Optional[str], directory: str) -> t.Any:
    """Read the kubeconfig: the option, else C(KUBECONFIG), else C(~/.kube/config), else the service account of a pod."""
    place = kubeconfig or os.environ.get("KUBECONFIG") or os.path.expanduser("~/.kube/config")
    configuration = kubernetes_client.Configuration()
    paths = [os.path.expanduser(path) for path in place.split(os.pathsep) if path]
    found = [path for path in paths if os.path.exists(path)]
    if not found:
        if not kubeconfig and not os.environ.get("KUBECONFIG") and os.environ.get("KUBERNETES_SERVICE_HOST"):
            load_in_cluster: t.Any = kubernetes_config.load_incluster_config
            load_in_cluster(client_configuration=configuration)
            return configuration
        raise ClusterError(
            "The kubeconfig %s does not exist. Set 'kubeconfig' to the file's full path." % ", ".join(paths)
        )
    try:
        load: t.Any = kubernetes_config.load_kube_config  # the package has no type hints
        load(os.pathsep.join(found), context, configuration, persist_config=False, temp_file_path=directory)
    except Exception as error:  # the package raises ConfigException, YAML's, binascii's and OSError alike
        raise ClusterError(
            "The kubeconfig %s cannot be used%s: %s. Correct it, or choose another context with 'kube_context'."
            % (", ".join(found), " with the context %s" % context if context else "", str(error).rstrip("."))
        ) from error
    return configuration
