"""The command line: one module for each group of commands; ``main`` is what ``chartroom`` runs."""

import os
import sys
from collections.abc import Sequence

from agent.privacy import go_offline

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: after the program's name; by default those of the process.

    Returns:
        The exit code: 0 done (a refusal is an answer, too), 1 it could not be done and one sentence on
        standard error says why, 2 the command line is wrong, 130 stopped with Ctrl-C.
    """
    os.umask(0o077)  # stores, indexes and conversations are for their owner alone
    go_offline()  # before the libraries that would ask the network are imported
    try:
        from agent.cli.program import run
    except ImportError as error:
        sys.stderr.write(f"Chartroom is not fully installed (no {error.name}). Run: make setup\n")
        return 1
    return run(sys.argv[1:] if arguments is None else arguments)
