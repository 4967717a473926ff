"""The program ``chartroom``: its commands, and what becomes of their errors."""

import errno
import os
import sqlite3
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import typer

from agent.cli import ask, batch, doctor, knowledge, measure, mentions, models, records, search, serve
from agent.cli.terminal import err
from knowledge.errors import ChartroomError

_FULL = "The disk is full: what was begun is not kept, what was there before still is. Make room, then run it again."

app = typer.Typer(
    name="chartroom",
    help="Answers questions about electronic medical records, offline, every sentence with its evidence.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (records, search, ask, batch, measure, knowledge, mentions, serve, models, doctor):
    module.register(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"chartroom {version('chartroom')}")
        raise typer.Exit


@app.callback()
def _root(
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    pass


def run(arguments: Sequence[str]) -> int:
    """Run one command; gives the exit code (see ``agent.cli.main``)."""
    try:
        app(list(arguments), prog_name="chartroom")
    except SystemExit as ended:  # how Typer reports a wrong command line (2), Ctrl-C (130) and --help (0)
        return ended.code if isinstance(ended.code, int) else 1
    except ChartroomError as error:
        return _fail(str(error))
    except sqlite3.OperationalError as error:
        if not hasattr(error, "sqlite_errorcode"):  # Python's own words quote what it could not decode
            return _fail("A database holds text that is not UTF-8. Look with: chartroom doctor")
        if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
            return _fail(_FULL)
        return _fail(f"The database refused: {error}.")  # a lock, a full disk: SQLite's words, no record text
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return _fail(_FULL)
        about = f" {error.filename}" if error.filename else ""
        return _fail(f"The system refused{about}: {error.strerror or type(error).__name__}.")
    except Exception as error:
        if os.environ.get("CHARTROOM_DEBUG"):
            raise
        # The message of an error that we did not foresee may quote a record, so only its kind is shown.
        return _fail(
            f"Chartroom failed in a way that it should not ({type(error).__name__}); nothing was changed. "
            "CHARTROOM_DEBUG=1 shows where; what it prints may hold text of records."
        )
    return 0


def _fail(sentence: str) -> int:
    err().print(sentence, style="red", markup=False, soft_wrap=True)
    return 1
