"""What a user reads when the system refuses: a sentence with what to do, and never a word of a record."""

import errno
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from agent.cli import program


def undecodable() -> None:
    """What SQLite's binding raises quotes the text that it could not decode."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("SELECT CAST(X'53656372657420FF' AS TEXT)").fetchone()


def full_database() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("PRAGMA max_page_count = 2")
        connection.execute("CREATE TABLE t AS SELECT zeroblob(100000)")


def full_disk() -> None:
    raise OSError(errno.ENOSPC, "No space left on device", "/somewhere")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (undecodable, "not UTF-8"),
        (full_database, "The disk is full"),
        (full_disk, "The disk is full"),
    ],
)
def test_a_fault_is_told_without_a_word_of_a_record(
    fault: Callable[[], None], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def command(arguments: list[str], prog_name: str) -> None:
        fault()

    monkeypatch.setattr(program, "app", command)
    assert program.run([]) == 1
    told = capsys.readouterr().err
    assert said in " ".join(told.split())
    assert "Secret" not in told
