"""Options from a TOML file, and the file that says how a run was started.

The keys are the options' names: ``batch-size = 32`` or ``batch_size = 32``. What the command line says wins; a key that
is no option is an error. The table ``[made]`` in a run's own ``run.toml`` (versions, command) is for people and is not
read.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import sys
import tomllib
from typing import Any

import numpy as np

from .. import __version__, get_num_threads
from .errors import CommandError

__all__ = ["add_config_argument", "apply_config", "run_toml"]

_NOT_OPTIONS = {"command", "made"}


def add_config_argument(parser: argparse.ArgumentParser) -> None:
    """``--config``."""
    parser.add_argument(
        "--config", metavar="FILE", help="a TOML file with options; what the command line says wins over it"
    )
    parser.set_defaults(parser=parser)


def apply_config(args: argparse.Namespace) -> None:
    """Give the options in ``args.config`` to those arguments that the command line left out.

    Raises:
        CommandError: the file is no TOML, has a key that is no option, or a value that the option does not take.
        OSError: it cannot be read.
    """
    if getattr(args, "config", None) is None:
        return
    with open(args.config, "rb") as file:
        try:
            config = tomllib.load(file)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise CommandError(f"{args.config}: is no TOML: {error}") from error
    if config.get("command", args.command) != args.command:
        raise CommandError(f"{args.config}: is for tinyconv {config['command']}, not {args.command}")
    actions = {action.dest: action for action in args.parser._actions if action.dest not in ("help", "config")}
    for key, value in config.items():
        name = key.replace("-", "_")
        if name in _NOT_OPTIONS:
            continue
        if name not in actions:
            known = ", ".join(sorted(dest.replace("_", "-") for dest in actions))
            raise CommandError(f"{args.config}: {key!r} is no option of tinyconv {args.command}; known are {known}")
        if getattr(args, name) in (None, False):
            setattr(args, name, _value(args.config, key, value, actions[name]))


def _value(path: str, key: str, value: Any, action: argparse.Action) -> Any:
    """A value as the command line would have given it."""
    if action.nargs == 0:  # a switch
        if not isinstance(value, bool):
            raise CommandError(f"{path}: {key}: expected true or false, got {value!r}")
        return value
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise CommandError(f"{path}: {key}: expected a string or a number, got {value!r}")
    try:
        value = action.type(str(value)) if callable(action.type) else str(value)
    except (argparse.ArgumentTypeError, ValueError) as error:
        raise CommandError(f"{path}: {key}: {error}") from error
    if action.choices is not None and value not in action.choices:
        raise CommandError(f"{path}: {key}: {value!r} is none of {', '.join(map(str, action.choices))}")
    return value


def run_toml(command: str, options: dict[str, Any], argv: list[str] | None = None) -> str:
    """How a run was started, as TOML: ``tinyconv COMMAND --config run.toml`` does it again.

    Args:
        command: its name.
        options: all values that decide the result; those that are None are left out.
        argv: the command line, by default this process's.
    """
    import numba

    made = {
        "command": shlex.join(["tinyconv", *(sys.argv[1:] if argv is None else argv)]),
        "tinyconv": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "threads": get_num_threads(),
    }
    lines = [f"# tinyconv {command} --config run.toml --out ANOTHER_FOLDER does it again", f'command = "{command}"']
    lines += [f"{key.replace('_', '-')} = {_toml(value)}" for key, value in options.items() if value is not None]
    return "\n".join([*lines, "", "[made]", *(f"{key} = {_toml(value)}" for key, value in made.items()), ""])


def _toml(value: Any) -> str:
    # JSON's strings (with their escapes), numbers and lists are TOML's too.
    return json.dumps(value, ensure_ascii=False)
