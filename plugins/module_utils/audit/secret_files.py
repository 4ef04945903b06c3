# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Files that are secrets by what they are for, known by their path."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.audit.code_secrets import CODE, SHELL

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
    r"(?:\.(?:env(?:\.[\w-]+)?|ini|cfg|conf|cnf|ya?ml|json|toml|properties|tfvars|npmrc|yarnrc|netrc|pypirc|gitconfig)"
    r"|(?:^|/)(?:Dockerfile|pip\.conf|\.git/config))\Z"
)
_INSTALLED = re.compile(
    r"(?:^|/)(?:usr/(?:local/)?(?:share|lib|include)|lib|node_modules|site-packages|dist-packages|var/lib/dpkg)/"
)
SETTINGS_BYTES = 1024 * 1024  # larger ones are data


def holds_settings(path: str, size: int) -> bool:
    """Whether a file's lines are settings: by its name, unless it came with an installed package."""
    return size <= SETTINGS_BYTES and bool(_SETTINGS.search(path)) and not _INSTALLED.search(path)


# what a distribution's packages, or those of a language, put there; not the application's own directory 'lib'
_PACKAGES = re.compile(
    r"\A(?:usr/(?!local/|src/)|usr/local/(?:lib|share|include|go|bundle)/|lib\w*/|s?bin/|boot/|var/lib/(?:dpkg|apt)/)"
    r"|(?:\A|/)(?:node_modules|bower_components|site-packages|dist-packages|vendor|gems|\.cargo/registry|go/pkg/mod)/"
)
_SHELL_ENDINGS = frozenset(("sh", "bash", "zsh", "ksh"))
_SHELL_NAMES = frozenset(
    (".profile", ".bashrc", ".bash_profile", ".bash_login", ".zshrc", ".zshenv", ".zprofile", ".envrc")
)
_CODE_ENDINGS = frozenset(
    (
        *("py", "pyw", "php", "phtml", "rb", "pl", "pm", "js", "cjs", "mjs", "ts", "cts", "mts", "jsx", "tsx"),
        *("java", "kt", "kts", "groovy", "gradle", "go", "cs", "scala", "xml", "config"),
    )
)
_TESTS = re.compile(r"(?:\A|/)(?:tests?|specs?|__tests__|fixtures)/|(?:\A|/)test_[^/]*\Z|[._](?:test|spec)\.\w+\Z")
_SHELLS_PROGRAM = re.compile(rb"#![^\n]*\b(?:ba|da|a|z|k)?sh\b")


def is_of_package(path: str) -> bool:
    """Whether a file is where a distribution, or a language's package manager, puts what it installs."""
    return bool(_PACKAGES.search(path))


def code_kind(path: str, size: int, first: bytes) -> t.Optional[str]:
    """The kind of an application's program, as C(code_secrets.first_in) takes it; None for what is none.

    :param first: its first bytes, which tell of one whose name has no ending.
    """
    name = path.rpartition("/")[2]
    ending = name.rpartition(".")[2]
    if ending in _SHELL_ENDINGS or name in _SHELL_NAMES or path == "etc/environment":
        kind = SHELL
    elif ending in _CODE_ENDINGS:
        kind = CODE
    elif first.startswith(b"#!"):
        kind = SHELL if _SHELLS_PROGRAM.match(first) else CODE
    else:
        return None
    return None if size > SETTINGS_BYTES or is_of_package(path) or _TESTS.search(path) else kind
