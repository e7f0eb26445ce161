"""The command line: ``train``, ``eval``, ``finetune``, ``predict``, ``export``, ``summary``, ``slide``, ``info``.

One module for each.

Each module has ``add_parser(subparsers)``, which says what the command understands, and ``run(args)``, which does it
and returns the exit status. What the user can get wrong (a path, an image, a full disk) ends in one line on standard
error and status 1, bad arguments in status 2, as everywhere; anything else is a bug, and shows its traceback.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from .. import __version__
from ..serialization import CheckpointError
from ..training import DirectoryInUse, Diverged, Interrupted
from ..vision.datasets import DatasetNotFound
from . import evaluate, export, finetune, info, predict, slide, summary, train
from .errors import CommandError

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: the arguments, by default the process's.

    Returns:
        The exit status: 0; 1 for an error; 128 plus the signal's number if one ended the training.

    Raises:
        SystemExit: after ``--help`` and ``--version`` (0), and for bad arguments (2).
    """
    parser = argparse.ArgumentParser(prog="tinyconv", description="A small deep-learning engine.")
    parser.add_argument("--version", action="version", version=f"tinyconv {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in (train, evaluate, finetune, predict, export, summary, slide, info):
        command.add_parser(subparsers)
    args = parser.parse_args(argv)
    try:
        status = args.run(args)
        sys.stdout.flush()
        return status
    except Interrupted as interruption:
        return 128 + interruption.signum
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader (`| head`) has left. What is still buffered has nowhere to go; Python would complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (CommandError, CheckpointError, DatasetNotFound, DirectoryInUse, Diverged) as error:
        message = str(error)
    except OSError as error:
        message = f"{error.filename}: {error.strerror}" if error.filename is not None else str(error)
    print(f"tinyconv {args.command}: error: {' '.join(message.split())}", file=sys.stderr)
    return 1
