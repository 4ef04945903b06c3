# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What can go wrong between here and a cluster's API server, told as the thing, the cause and the way out."""

from __future__ import annotations

import re
import ssl
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError

_OWNED = re.compile(r'conflict with "(?P<manager>[^"]*)"(?: with subresource "[^"]*")?(?: using (?P<version>\S+))?')
_NAMESPACE_GONE = re.compile(r'namespaces "(?P<name>[^"]+)" not found')


class ClusterError(DeliveryError):
    """A cluster that cannot be reached, refuses, or answers what cannot be right."""


class ApiFault(ClusterError):
    """An answer of the API server that is an error: a Status object (Kubernetes API conventions, 'Response Status Kind').

    :param what: what was asked for, in the user's words.
    """

    def __init__(self, server: str, what: str, status: int, document: t.Mapping[str, t.Any]) -> None:
        self.status = status
        self.reason = str(document.get("reason") or "")
        self.details: t.Mapping[str, t.Any] = document.get("details") or {}
        self.said = str(document.get("message") or "HTTP status %d" % status).strip()
        super().__init__(_explain(self, server, what))

    @property
    def causes(self) -> t.Sequence[t.Mapping[str, t.Any]]:
        return self.details.get("causes") or []

    @property
    def retry_after(self) -> t.Optional[float]:
        """Seconds after which the server would like to be asked again."""
        seconds = self.details.get("retryAfterSeconds")
        return float(seconds) if seconds else None


def _explain(fault: ApiFault, server: str, what: str) -> str:
    if fault.status == 401:
        return (
            "The cluster at %s does not accept the credentials of the kubeconfig (%s). Renew its token or certificate, "
            "or choose another context with 'kube_context'." % (server, fault.said)
        )
    if fault.reason == "Forbidden" and any(cause.get("reason") == "NamespaceTerminating" for cause in fault.causes):
        return "%s: its namespace is being deleted. Wait until it is gone, or use another one." % what
    if fault.status == 403:
        return (
            "%s: refused by the cluster at %s: %s. If it is a right that the user lacks, grant it with a Role and a RoleBinding, "
            "or use another context." % (what, server, fault.said.rstrip("."))
        )
    missing = _NAMESPACE_GONE.search(fault.said) if fault.status == 404 else None
    if missing:
        return "%s: the namespace %s does not exist. Create it, or set 'create_namespace: true'." % (
            what,
            missing.group("name"),
        )
    if fault.status == 409 and any(cause.get("reason") == "FieldManagerConflict" for cause in fault.causes):
        return (
            "%s: fields are owned by another manager: %s. Leave them to it, or set 'take_ownership: true' to take them over."
            % (what, _owners(fault.causes))
        )
    if "immutable" in fault.said:
        return (
            "%s: %s. The field cannot be changed on an existing object; remove the object first ('state: absent' if it is this "
            "workload's), or choose another name." % (what, fault.said.rstrip("."))
        )
    return "%s: the cluster at %s says: %s" % (what, server, fault.said)


def _owners(causes: t.Sequence[t.Mapping[str, t.Any]]) -> str:
    by_manager: t.Dict[str, t.List[str]] = {}
    for cause in causes:
        match = _OWNED.search(str(cause.get("message", "")))
        manager = match.group("manager") if match else str(cause.get("message", "someone"))
        by_manager.setdefault(manager, []).append(str(cause.get("field", "?")))
    return "; ".join("%s has %s" % (manager, ", ".join(fields)) for manager, fields in by_manager.items())


def unreachable(server: str, error: BaseException) -> ClusterError:
    """Explain why no answer came: the innermost cause decides."""
    chain = list(_chain(error))
    text = str(chain[-1]) or type(chain[-1]).__name__
    lower = " ".join(str(item) for item in chain).lower()
    if any(isinstance(item, ssl.SSLCertVerificationError) for item in chain) or "certificate verify failed" in lower:
        cause = "its certificate is not trusted (%s)" % text
        remedy = (
            "Check 'certificate-authority-data' in the kubeconfig, and that the server's name is in its certificate"
        )
    elif "refused" in lower:
        cause, remedy = "connection refused", "Start the API server, or correct 'server' in the kubeconfig"
    elif "name or service not known" in lower or "name resolution" in lower or "nodename nor servname" in lower:
        cause, remedy = "its name cannot be resolved", "Correct 'server' in the kubeconfig, or the resolver here"
    elif "timed out" in lower or "timeout" in lower:
        cause, remedy = "no answer in time", "Check the way there (address, route, firewall) and the API server's load"
    elif "wrong version number" in lower or "unknown protocol" in lower or "record layer" in lower:
        cause, remedy = "it does not speak TLS", "Correct 'server' in the kubeconfig: its port, and http or https"
    else:
        cause, remedy = text, "Check the way there, and 'server' in the kubeconfig"
    return ClusterError("The cluster at %s cannot be reached: %s. %s." % (server, cause, remedy))


def _chain(error: BaseException) -> t.Iterator[BaseException]:
    """An exception and those inside: urllib3 keeps the inner one in C(reason) or as an argument."""
    seen: t.Optional[BaseException] = error
    while seen is not None:
        yield seen
        inner = getattr(seen, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((item for item in seen.args if isinstance(item, BaseException)), None)
        seen = inner or seen.__cause__
