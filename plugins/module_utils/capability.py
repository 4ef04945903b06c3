# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The frame that every capability of the collection has, and the module's way to call it.

A capability is one function, ``run(params, context) -> result``. Two fronts call it: C(module_main) here, in a process of its
own, and C(plugin_utils/front.py) in the controller's process.
"""

from __future__ import annotations

import dataclasses
import errno
import os
import traceback
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.longshore.delivery.plugins.module_utils.concealment import Concealment
from ansible_collections.longshore.delivery.plugins.module_utils.delivery_error import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.interruption import unwound

__all__ = [
    "Capability",
    "Completed",
    "Context",
    "DeliveryError",
    "RunCommand",
    "masked_deeply",
    "module_main",
    "outcome",
    "written_out",
]


@dataclasses.dataclass(frozen=True)
class Completed:
    """A command that has ended: its exit status and what it wrote, as text."""

    rc: int
    stdout: str
    stderr: str


class RunCommand(t.Protocol):
    """Run a command without a shell. One that is given an input has no lines to hand on, and the reverse.

    :param argv: the program and its arguments; no secret belongs here.
    :param stdin: text for its standard input.
    :param environment: variables to add to the inherited ones.
    :param directory: its working directory.
    :param on_line: is given every line of its two outputs as it comes.
    :returns: exit status and outputs. A program that is missing is status 127 and says so on standard error.
    """

    @t.overload
    def __call__(
        self,
        argv: t.Sequence[str],
        *,
        stdin: t.Optional[str] = None,
        environment: t.Optional[t.Mapping[str, str]] = None,
        directory: t.Optional[str] = None,
    ) -> Completed: ...

    @t.overload
    def __call__(
        self,
        argv: t.Sequence[str],
        *,
        environment: t.Optional[t.Mapping[str, str]] = None,
        directory: t.Optional[str] = None,
        on_line: t.Callable[[str], None],
    ) -> Completed: ...


@dataclasses.dataclass(frozen=True)
class Context:
    """What a capability may use of the front that called it.

    :param conceal: masks a value from then on, as one of an option with C(no_log), in all that is shown and returned.
    """

    check: bool
    diff: bool
    warn: t.Callable[[str], None]
    progress: t.Callable[[str], None]
    run_command: RunCommand
    conceal: t.Callable[[str], None] = lambda value: None


@dataclasses.dataclass(frozen=True)
class Capability:
    """A function with its options.

    :param run: takes the validated options and a context, returns the task's result, raises C(DeliveryError).
    :param constraints: what C(ArgumentSpecValidator) takes beside the argument spec (mutually_exclusive, required_if, ...).
    :param check: raises C(DeliveryError) for options that cannot be, beyond what an argument spec says; C(run) does so as well.
    :param needs: importable packages without which the function cannot run in the controller's process.
    """

    run: t.Callable[[t.Dict[str, t.Any], Context], t.Dict[str, t.Any]]
    argument_spec: t.Dict[str, t.Any]
    constraints: t.Dict[str, t.Any] = dataclasses.field(default_factory=dict)
    supports_check_mode: bool = True
    needs: t.Tuple[str, ...] = ()
    check: t.Callable[[t.Dict[str, t.Any]], t.Any] = lambda params: None


Mask = t.Callable[[t.Any], t.Any]


def outcome(capability: Capability, params: dict[str, t.Any], context: Context, mask: Mask) -> dict[str, t.Any]:
    """Run a capability and turn whatever comes of it into the task's result, secrets masked.

    An error of the domain is its message and facts. Any other is a fault of the collection: type, text and the traceback's last
    frames, so that it can be reported. Booleans survive masking as they are: a secret ``True`` must not blank ``changed``.
    """
    try:
        result = dict(capability.run(params, context))
        result.setdefault("changed", False)
    except DeliveryError as error:
        result = {"changed": False, **error.facts, "failed": True, "msg": str(error)}
    except (Exception, SystemExit) as error:
        where = "".join(traceback.format_tb(error.__traceback__)[-4:])
        result = {
            "changed": False,
            "failed": True,
            "msg": "%s: %s. This is a fault in longshore.delivery, please report it with these lines:\n%s"
            % (type(error).__name__, error, where),
        }
    masked: t.Dict[str, t.Any] = masked_deeply(result, lambda value: mask(written_out(value)))
    masked.update((key, value) for key, value in result.items() if isinstance(value, bool))
    return masked


def written_out(value: t.Any) -> t.Any:
    """A text with what is no UTF-8 as escapes, such as the bytes of a file's name: Ansible fails a task that returns them."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def masked_deeply(value: t.Any, mask: Mask) -> t.Any:
    """Mask values and also dictionary keys, which ansible-core leaves alone (seen on 2.19 and 2.21)."""
    if isinstance(value, dict):
        return {mask(key) if isinstance(key, str) else key: masked_deeply(item, mask) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked_deeply(item, mask) for item in value]
    return mask(value)


def module_main(capability: Capability) -> None:
    """The C(main) of a module: validate, run, exit."""
    module = AnsibleModule(
        argument_spec=capability.argument_spec,
        supports_check_mode=capability.supports_check_mode,
        **capability.constraints,
    )

    secrets = Concealment(module.no_log_values)
    context = Context(
        check=module.check_mode,
        diff=module._diff,
        warn=lambda message: module.warn(secrets.mask(written_out(message))),
        progress=lambda line: None,
        run_command=_RunByModule(module),
        conceal=secrets.conceal,
    )
    with unwound():
        result = outcome(capability, module.params, context, secrets.mask)
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)


class _RunByModule:
    """RunCommand by means of AnsibleModule.run_command, but for a program whose lines are followed."""

    def __init__(self, module: AnsibleModule) -> None:
        self._module = module

    def __call__(
        self,
        argv: t.Sequence[str],
        *,
        stdin: t.Optional[str] = None,
        environment: t.Optional[t.Mapping[str, str]] = None,
        directory: t.Optional[str] = None,
        on_line: t.Optional[t.Callable[[str], None]] = None,
    ) -> Completed:
        if on_line:
            # here: what stands on this file, and most of what runs follows no lines
            from ansible_collections.longshore.delivery.plugins.module_utils.running import run_command

            return run_command(argv, environment=environment, directory=directory, on_line=on_line)
        if directory is not None and not os.path.isdir(directory):
            return Completed(127, "", "%s: %s" % (directory, os.strerror(errno.ENOENT)))
        try:
            rc, stdout, stderr = self._module.run_command(
                list(argv),
                data=stdin,
                binary_data=True,
                environ_update=dict(environment or {}),
                cwd=directory,
                handle_exceptions=False,
            )
        except OSError as error:
            return Completed(127, "", "%s: %s" % (argv[0], error.strerror or error))
        return Completed(rc, stdout, stderr)
