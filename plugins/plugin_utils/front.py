# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This file is PRIVATE to the collection.

"""The action plugins' base class: run a capability in the process that is already there, or hand the task to its module."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import typing as t
from importlib.util import find_spec

from ansible import constants as C
from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.json import Direction, get_module_decoder, get_module_encoder
from ansible.module_utils.common.warnings import deprecate, warn
from ansible.module_utils.errors import UnsupportedError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.longshore.delivery.plugins.module_utils.capability import (
    Capability,
    Context,
    masked_deeply,
    outcome,
    written_out,
)
from ansible_collections.longshore.delivery.plugins.module_utils.concealment import Concealment
from ansible_collections.longshore.delivery.plugins.module_utils.running import run_command
from ansible_collections.longshore.delivery.plugins.plugin_utils.in_process import as_a_process

Variables = dict[str, t.Any]


def plain(value: t.Any, direction: Direction) -> t.Any:
    """Take a value on the trip to or from a module, after which it holds builtin types without tags (ansible-core 2.19+)."""
    text = json.dumps(value, cls=get_module_encoder("legacy", direction))
    return json.loads(text, cls=get_module_decoder("legacy", direction))


class CapabilityAction(ActionBase):
    """Runs C(capability) here when the task is plainly local, else as the module of the same name.

    Which of the two and why is shown with C(-vvv).
    """

    capability: Capability
    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: Variables | None = None) -> Variables:
        task_vars = task_vars or {}
        result: Variables = super().run(tmp, task_vars)
        why = self.why_a_module(task_vars)
        Display().vvv(
            f"{self._task.action}: {'as a module: ' + why if why else 'in process'}",
            host=task_vars.get("inventory_hostname"),
        )
        if why is None:
            return self.run_here(task_vars)
        result.update(self._execute_module(task_vars=task_vars, wrap_async=bool(self._task.async_val)))
        return result

    def why_a_module(self, task_vars: Variables) -> str | None:
        """Say what keeps the task from running in process; None when nothing does."""
        task, connection = self._task, self._connection
        if connection.ansible_name != "ansible.builtin.local":
            return f"connection {connection.ansible_name}"
        if connection.become:
            return "become"
        if task.async_val:
            return "async"
        if any(task.environment or ()):
            return "environment"
        if task.delegate_to:
            task_vars = task_vars["ansible_delegated_vars"][task.delegate_to]
        python = self._templar.template(C.config.get_config_value("INTERPRETER_PYTHON", variables=task_vars))
        own = (sys.executable, task_vars.get("ansible_playbook_python"))
        if python and not python.startswith("auto") and not any(same_interpreter(python, mine) for mine in own if mine):
            return f"interpreter {python}"
        missing = next(
            (name for name in self.capability.needs if name not in sys.modules and not find_spec(name)), None
        )
        return f"no package {missing} in {sys.executable}" if missing else None

    def run_here(self, task_vars: Variables) -> Variables:
        """Validate as a module would, run the function, and return what the module would have returned."""
        task = self._task
        arguments = plain(task.args, Direction.CONTROLLER_TO_MODULE)
        validator = ArgumentSpecValidator(self.capability.argument_spec, **self.capability.constraints)
        checked = validator.validate(arguments)
        params = {**arguments, **checked.validated_parameters}
        secrets = Concealment(checked._no_log_values)
        mask = secrets.mask
        report_validation(checked, mask)

        if checked.error_messages:  # .errors is truthy even when empty
            prefix = (
                f"Unsupported parameters for ({task.action}) module: "
                if isinstance(checked.errors[0], UnsupportedError)
                else ""
            )
            result = {"failed": True, "msg": mask(prefix + checked.errors.msg)}
        elif task.check_mode and not self.capability.supports_check_mode:
            result = {"skipped": True, "msg": f"remote module ({task.action}) does not support check mode"}
        else:
            context = Context(
                check=task.check_mode,
                diff=task.diff,
                warn=lambda message: warn(mask(written_out(message))),
                progress=self.progress_sink(task_vars, mask),
                run_command=run_command,
                conceal=secrets.conceal,
            )
            with as_a_process(self._loader.get_basedir()):
                result = outcome(self.capability, params, context, mask)
        if injects_invocation(task_vars):
            result["invocation"] = {"module_args": masked_deeply(params, mask)}
        return t.cast(Variables, plain(result, Direction.MODULE_TO_CONTROLLER))

    def progress_sink(self, task_vars: Variables, mask: t.Callable[[t.Any], t.Any]) -> t.Callable[[str], None]:
        """Show lines at once where that is safe.

        Display ignores no_log, and other stdout callbacks would find the lines in the middle of their own output.
        """
        if self._task.no_log or C.DEFAULT_STDOUT_CALLBACK not in ("default", "ansible.builtin.default"):
            return lambda line: None
        host = task_vars.get("inventory_hostname", "localhost")
        return lambda line: Display().display(f"{host} | {mask(written_out(line))}")


def same_interpreter(one: str, other: str) -> bool:
    """Whether two paths start one Python with one set of packages: C(python) and C(python3) of one directory do.

    What they link to alone says nothing: a virtual environment's python is a link to the system's. Its directory tells it
    apart, by whatever link that is reached.
    """
    directories = (os.path.realpath(os.path.dirname(path)) for path in (one, other))
    return len(set(directories)) == 1 and os.path.realpath(one) == os.path.realpath(other)


def report_validation(checked: t.Any, mask: t.Callable[[t.Any], t.Any]) -> None:
    """Say the deprecations and warnings that a module's own validation would have said."""
    for found in checked._deprecations:
        deprecate(
            mask(found["msg"]),
            version=found.get("version"),
            date=found.get("date"),
            collection_name=found.get("collection_name"),
        )
    for found in checked._warnings:
        warn("Both option %(option)s and its alias %(alias)s are set." % found)


def injects_invocation(task_vars: Variables) -> bool:
    """Whether modules return their C(invocation): always before the setting of 2.21, by that setting since."""
    with contextlib.suppress(AnsibleError):
        return bool(C.config.get_config_value("INJECT_INVOCATION", variables=task_vars))
    return True
