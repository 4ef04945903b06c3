# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A running docker-registry, and a token service."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import json
import os
import subprocess
import threading
import typing as t
import urllib.parse
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.http_server import AnsweringServer, Reply, Request, json_reply

from .certificates import Issued

USERNAME = "ci"
PASSWORD = "tide-and-time"
# bcrypt of PASSWORD: the registry takes no other kind of entry
HTPASSWD = "ci:$2b$04$4Dc9hXmbSg6NAzek57vDVunNmKGBT2BvApmMDM6oUdqKi47eI9o6W\n"


@dataclasses.dataclass(frozen=True)
class How:
    """How a docker-registry is to serve.

    :param address: of this machine.
    :param port: 0 for a free one.
    :param htpasswd: whether USERNAME has to log in with PASSWORD.
    :param token: the token service that clients are sent to.
    :param clients: the authority of the certificates that it asks clients for.
    :param cache_of: the endpoint of the plain registry that this one is a pull-through cache of.
    """

    address: str = "127.0.0.1"
    port: int = 0
    issued: Issued | None = None
    htpasswd: bool = False
    token: dict[str, str] | None = None
    delete: bool = True
    read_only: bool = False
    cache_of: str | None = None
    cache: bool = False
    clients: Issued | None = None

    def configuration(self, directory: Path) -> dict[str, t.Any]:
        config: dict[str, t.Any] = {
            "version": "0.1",
            "log": {"level": "info", "accesslog": {"disabled": False}},
            "storage": {"filesystem": {"rootdirectory": str(directory / "data")}, "delete": {"enabled": self.delete}},
            "http": {"addr": f"{self.address}:{self.port}", "secret": "for tests"},
        }
        if self.read_only:
            config["storage"]["maintenance"] = {"readonly": {"enabled": True}}
        if self.cache_of:
            config["proxy"] = {"remoteurl": f"http://{self.cache_of}"}
        if self.cache:
            config["storage"]["cache"] = {"blobdescriptor": "inmemory"}
        if self.issued:
            config["http"]["tls"] = {"certificate": str(self.issued.cert_file), "key": str(self.issued.key_file)}
        if self.clients:
            config["http"]["tls"]["clientcas"] = [str(self.clients.cert_file)]
        if self.htpasswd:
            (directory / "htpasswd").write_text(HTPASSWD)
            config["auth"] = {"htpasswd": {"realm": "test", "path": str(directory / "htpasswd")}}
        if self.token:
            config["auth"] = {"token": self.token}
        return config


class Registry:
    """A running docker-registry.

    :param directory: for all that it keeps; it is made.
    """

    def __init__(self, program: str, directory: Path, how: How) -> None:
        self.directory = directory
        self.log = directory / "log"
        directory.mkdir()
        (directory / "config.yml").write_text(json.dumps(how.configuration(directory)))  # JSON is YAML
        environment = {"PATH": os.environ["PATH"], "OTEL_TRACES_EXPORTER": "none"}
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                [program, "serve", str(directory / "config.yml")],
                stdout=log,
                stderr=subprocess.PIPE,
                text=True,
                env=environment,
            )
        lines = []
        for line in t.cast(t.IO[str], self._process.stderr):
            lines.append(line)
            if "listening on " in line:
                self.port = int(
                    line.partition("listening on ")[2].partition('"')[0].partition(",")[0].rpartition(":")[2]
                )
                self.endpoint = f"{how.address}:{self.port}"
                break
        else:
            pytest.fail("docker-registry does not start:\n" + "".join(lines))
        self._drain = threading.Thread(target=t.cast(t.IO[str], self._process.stderr).read, daemon=True)
        self._drain.start()

    def requests(self, method: str) -> int:
        """How many requests of this method it has answered."""
        return self.log.read_text().count(f'"{method} /v2/')

    def blob_file(self, digest: object) -> Path:
        algorithm, encoded = str(digest).split(":")
        return self.directory / "data/docker/registry/v2/blobs" / algorithm / encoded[:2] / encoded / "data"

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        self._drain.join(10)
        t.cast(t.IO[str], self._process.stderr).close()


class TokenService:
    """Issues tokens as the distribution project specifies them; the tests may take rights away."""

    def __init__(self, serve: t.Callable[..., AnsweringServer], issued: Issued) -> None:
        self._issued = issued
        self.rights = {"pull", "push", "delete"}
        self.lifetime = 60
        self.tokens: list[str] = []
        self.server = serve(self._answer, issued)

    @property
    def config(self) -> dict[str, str]:
        return {
            "realm": f"https://{self.server.endpoint}/token",
            "service": "test registry",
            "issuer": "test issuer",
            "rootcertbundle": str(self._issued.cert_file),
        }

    def _answer(self, request: Request) -> Reply:
        expected = "Basic " + base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
        if request.headers.get("authorization") != expected:
            return json_reply({"errors": [{"code": "UNAUTHORIZED", "message": "who are you"}]}, 401)
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(request.path).query)
        access = []
        for scope in query.get("scope", []):
            kind, name, actions = scope.split(":")
            granted = [action for action in actions.split(",") if action in self.rights]
            access.append({"type": kind, "name": name, "actions": granted})
        now = int(datetime.datetime.now(datetime.timezone.utc).timestamp())
        claims = {
            "iss": "test issuer",
            "sub": USERNAME,
            "aud": query["service"][0],
            "nbf": now - 120,
            "iat": now - 120,
            "exp": now + self.lifetime,
            "jti": str(len(self.tokens)),
            "access": access,
        }
        self.tokens.append(self._signed(claims))
        return json_reply({"token": self.tokens[-1]})

    def _signed(self, claims: dict[str, t.Any]) -> str:
        der = base64.b64encode(self._issued.certificate.public_bytes(serialization.Encoding.DER)).decode()
        header = {"typ": "JWT", "alg": "ES256", "x5c": [der]}
        text = ".".join(_url64(json.dumps(part).encode()) for part in (header, claims))
        r, s = decode_dss_signature(self._issued.key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{text}.{_url64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def _url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
