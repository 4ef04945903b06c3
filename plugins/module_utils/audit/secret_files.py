# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Files that are secrets by what they are for, known by their path."""

from __future__ import annotations

import re
import typing as t

# (rule, path, what it is); a path has no leading slash
_PATHS = (
    ("credential_file", r"\.docker/config\.json|\.dockercfg", "a login of the docker command"),
    ("credential_file", r"(?:\.config|run|etc)/containers/(?:\d+/)?auth\.json", "a login of Podman, Buildah or Skopeo"),
    ("credential_file", r"\.aws/credentials", "AWS credentials"),
    ("credential_file", r"\.s3cfg", "a login for S3"),
    ("credential_file", r"rclone\.conf", "rclone's logins"),
    ("credential_file", r"\.kube/config|kubeconfig|etc/kubernetes/admin\.conf", "access to a Kubernetes cluster"),
    ("credential_file", r"\.netrc|_netrc", "logins for curl, git and others"),
    ("credential_file", r"\.git-credentials", "git's logins"),
    ("credential_file", r"\.pypirc", "a login for a Python package index"),
    ("credential_file", r"\.pgpass", "PostgreSQL passwords"),
    ("credential_file", r"\.my\.cnf|\.mylogin\.cnf", "a MySQL login"),
    (
        "credential_file",
        r"\.config/gcloud/(?:.*/)?(?:application_default_credentials\.json|credentials\.db)",
        "a Google Cloud login",
    ),
    ("credential_file", r"\.azure/(?:accessTokens\.json|msal_token_cache\.(?:json|bin))", "an Azure login"),
    ("credential_file", r"\.vault-token", "a token of Vault"),
    ("credential_file", r"\.config/gh/hosts\.yml", "a GitHub login"),
    ("credential_file", r"\.htpasswd", "hashed passwords"),
    ("credential_file", r"terraform\.tfstate", "Terraform's state, which holds secrets in clear text"),
    (
        "credential_file",
        r"\.bash_history|\.zsh_history|\.psql_history|\.mysql_history|\.python_history",
        "a history of typed commands",
    ),
    ("private_key", r"\.ssh/id_(?:rsa|dsa|ecdsa|ed25519)", "an SSH key"),
    ("private_key", r"\.gnupg/(?:secring\.gpg|private-keys-v1\.d/[^/]+\.key)", "a key of GnuPG"),
    ("private_key", r"etc/ssh/ssh_host_\w+_key", "a host's SSH key, which all containers would share"),
    ("private_key", r"[^/]+\.(?:p12|pfx|jks|keystore|kdbx)", "a store of keys"),
    ("env_file", r"\.env(?:\.[\w-]+)?", "settings of an environment"),
)
_END = r"(?:^|/)(?:%s)\Z"
_ANY = re.compile(_END % "|".join(pattern for _rule, pattern, _what in _PATHS))  # nearly all files are none of these
_NAMED = tuple((rule, re.compile(_END % pattern), what) for rule, pattern, what in _PATHS)
_NOT_REAL = re.compile(
    r"\.(?:example|sample|template|dist|defaults?)\Z|(?:^|/)(?:node_modules|site-packages|dist-packages)/"
)
_GIT = re.compile(r"(?:^|/)\.git/(?:HEAD|config)\Z")


def named(path: str) -> t.Optional[t.Tuple[str, str]]:
    """The rule that a path breaks, and what such a file is; None where it breaks none."""
    if not _ANY.search(path):
        return None
    for rule, pattern, what in _NAMED:
        if pattern.search(path):
            return None if _NOT_REAL.search(path) else (rule, what)
    return None


def git_directory(path: str) -> t.Optional[str]:
    """The repository's directory that a file shows to be there; None for any other file."""
    return path.rpartition("/")[0] if _GIT.search(path) else None


def is_of_system(path: str) -> bool:
    """Whether a file is where a distribution has its own settings."""
    return path.startswith("etc/")


_SETTINGS = re.compile(
    r"(?:\.(?:env(?:\.[\w-]+)?|ini|cfg|conf|cnf|ya?ml|json|toml|properties|tfvars|npmrc|yarnrc|netrc|pypirc)|(?:^|/)(?:Dockerfile|pip\.conf))\Z"
)
_INSTALLED = re.compile(
    r"(?:^|/)(?:usr/(?:local/)?(?:share|lib|include)|lib|node_modules|site-packages|dist-packages|var/lib/dpkg)/"
)
SETTINGS_BYTES = 1024 * 1024  # larger ones are data


def holds_settings(path: str, size: int) -> bool:
    """Whether a file's lines are settings: by its name, unless it came with an installed package."""
    return size <= SETTINGS_BYTES and bool(_SETTINGS.search(path)) and not _INSTALLED.search(path)
