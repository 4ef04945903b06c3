# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What goes wrong between here and a Docker engine: the cause and the way out."""

from __future__ import annotations

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import DockerAddress

ANSWER_SECONDS = 15  # for what an engine answers from its own store


class DockerEngineError(DeliveryError):
    """The engine cannot be reached, or refused something; the message names engine, cause and way out."""


# what Go's server answers to who does not begin with TLS
_NO_TLS = "client sent an http request to an https server"
_SPEAKS_TLS = ("it speaks TLS", "Set 'docker_cert_path' to the directory with ca.pem, cert.pem and key.pem")
_CAUSES = (
    # what the exceptions say, the cause, the way out
    ("No such file", "there is no such socket", "Start Docker there, or set 'docker_host' to where it listens"),
    (
        "Permission denied",
        "this user may not use it",
        "Add the user to its group, usually docker, or run as one who may",
    ),
    ("Connection refused", "nothing listens there", "Start Docker there, or set 'docker_host' to where it listens"),
    (
        "CERTIFICATE_VERIFY_FAILED",
        "its certificate is not signed by the CA in ca.pem, or is for another name",
        "Set 'docker_cert_path' to the directory with its CA",
    ),
    (
        "alert",
        "it refuses the client's certificate",
        "Set 'docker_cert_path' to the directory with a certificate that its CA signed",
    ),
    ("BadStatusLine", *_SPEAKS_TLS),
    (_NO_TLS, *_SPEAKS_TLS),
    ("WRONG_VERSION_NUMBER", "it speaks no TLS", "Leave 'docker_cert_path' and DOCKER_TLS_VERIFY away"),
    ("timed out", "it does not answer within {seconds} s", "See whether the host is up and the port open"),
    ("No route to host", "there is no route to its host", "See whether the host is up"),
    ("name resolution", "its host's name is not known", "Correct 'docker_host'"),
    ("resolve", "its host's name is not known", "Correct 'docker_host'"),
    ("Name or service not known", "its host's name is not known", "Correct 'docker_host'"),
)
# who refuses a client's certificate closes the connection, and that it said so may be lost with it
_BROKEN_OFF = ("SSLEOFError", "BrokenPipeError", "ConnectionResetError", "RemoteDisconnected", "Connection aborted")


def refused(address: DockerAddress, message: str) -> DockerEngineError:
    """
    :param message: the engine's own words.
    """
    if _NO_TLS in message.lower():
        return DockerEngineError("The Docker engine at %s cannot be reached: %s. %s." % (address, *_SPEAKS_TLS))
    return DockerEngineError("The Docker engine at %s refused: %s" % (address, message))


def unreachable(address: DockerAddress, error: Exception, seconds: int = ANSWER_SECONDS) -> DockerEngineError:
    """
    :param seconds: for which it was waited.
    """
    text = "%s: %s" % (type(error).__name__, error)
    for sign, cause, way_out in _CAUSES:
        if sign.lower() in text.lower():
            return DockerEngineError(
                "The Docker engine at %s cannot be reached: %s. %s." % (address, cause.format(seconds=seconds), way_out)
            )
    if address.certificates and any(sign in text for sign in _BROKEN_OFF):
        return DockerEngineError(
            "The Docker engine at %s cannot be reached: it breaks the connection off (%s). See whether it runs, and whether "
            "'docker_cert_path' has a client's certificate that its CA signed." % (address, error)
        )
    return DockerEngineError("The Docker engine at %s cannot be reached: %s" % (address, text))
