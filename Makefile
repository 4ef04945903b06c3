# longshore.delivery: for people who work on the collection or want to see it run. `make help` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# root by a plain `su` has no such directories on PATH, and dpkg refuses to work without
export PATH := $(PATH):/usr/sbin:/sbin
# the environment's packages are compiled when they are first used, and stay so, whatever the user's own Python does
export PYTHONDONTWRITEBYTECODE :=
VENV := .venv
# ansible-core 2.19 for Python 3.11, the newest for later ones: tests/constraints.txt says which
PYTHON ?= $(shell for p in python3.13 python3.12 python3.14 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PY := $(VENV)/bin/python
# an exported KUBECONFIG is no wish to deliver there, one on the command line is
NO_INVENTORY = echo 'KUBECONFIG is given and INVENTORY is not: give both, as in KUBECONFIG=... INVENTORY=...' >&2; exit 1
DEMO_NODES := cp,n1,dock
TEST_NODES := cp,n1,n2,dock
# which of the tests `make test` runs: those of a delivery's path, the wide ones, both in one run as in continuous integration, or the
# rare ones beyond
TIER := path
TIER.path := -m "not wide and not rare"
TIER.wide := -m "wide and not rare"
TIER.all := -m "not rare"
TIER.rare := -m rare
$(if $(filter path wide all rare,$(TIER)),,$(error TIER is $(TIER): it is path, wide, all or rare))

.PHONY: help venv demo test test-wide test-rare test-all lab lab-down lab-status benchmark changelog clean

help: ## list what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

venv: $(VENV)/complete ## the development environment, in .venv

$(VENV)/complete: tests/requirements.txt tests/constraints.txt tests/go.txt tests/make_venv.sh
	@bash tests/make_venv.sh "$(PYTHON)" "$(VENV)"

demo: venv ## deliver the example from its source to ready pods, on the lab or with KUBECONFIG=... INVENTORY=... on your own nodes
	@$(if $(INVENTORY),,$(if $(filter command,$(origin KUBECONFIG)),$(NO_INVENTORY),$(PY) -m tests.lab up --nodes $(DEMO_NODES)))
	@$(PY) -m tests.demo

test: venv ## what shows that it works: unit, sanity, lint, integration on the lab, molecule, the demo; with TIER=all the wide ones too
	@$(PY) -m tests.lab up --nodes $(TEST_NODES)
	@$(PY) -m pytest --numprocesses=2 --dist=loadfile --no-loadscope-reorder --durations=30 --durations-min=20 $(TIER.$(TIER)) \
		tests/lab tests/integration tests/checks tests/unit

test-wide: ## what shows that it holds when things break, are away or are replaced, on rarer engines, and the modules beside the stages
	@$(MAKE) --no-print-directory test TIER=wide

test-rare: ## what fewer sites have, such as a bucket, a firewall or several registries on a host, and takes minutes
	@$(MAKE) --no-print-directory test TIER=rare

test-all: ## all of these, then by every ansible-core whose Python is here, then lab and demo interrupted (the lab is made anew)
	@$(MAKE) --no-print-directory test TIER=all
	@$(MAKE) --no-print-directory test TIER=rare
	@$(PY) -m pytest tests/matrix

lab: venv ## bring up the lab: a real cluster of three runtimes and a Docker host, in containers
	@$(PY) -m tests.lab up --nodes $(TEST_NODES)

lab-down: venv ## take the lab away, keeping what was built in the cache
	@$(PY) -m tests.lab down

lab-status: venv ## what of the lab is there
	@$(PY) -m tests.lab status

benchmark: venv ## how long deliveries take, as ratios within one run
	@$(PY) -m tests.benchmark

changelog: venv ## check the changelog's fragments
	@$(VENV)/bin/antsibull-changelog lint

clean: ## remove the development environment and what tests left in the checkout
	rm -rf $(VENV) .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache tests/output
