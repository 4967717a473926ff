"""The audit is a chain: what was tampered with is found."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from agent.answer import Answer
from agent.audit import Audit
from agent.scope import Scope
from knowledge.errors import ConfigError

SCOPE = Scope(now="2100-12-31 23:59:00", patient=7)


def answer(question: str) -> Answer:
    return Answer(question=question, language="en", status="refused", reason="not_documented", text="None.")


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    audit = Audit(tmp_path)
    for question in ("one?", "two?", "three?"):
        audit.record(answer(question), SCOPE, "store")
    return audit


def tamper(folder: Path, statement: str) -> None:
    connection = sqlite3.connect(folder / "audit.sqlite")
    connection.executescript(f"DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete; {statement}")
    connection.close()


def test_an_untouched_audit_is_intact(audit: Audit, tmp_path: Path) -> None:
    assert audit.verify().intact
    assert Audit(tmp_path).verify().rows == 3, "another process reads the same chain with the same key"


def test_rows_can_neither_be_changed_nor_deleted(audit: Audit, tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "audit.sqlite")
    for statement in ("UPDATE audit SET entry = '{}'", "DELETE FROM audit"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        ("UPDATE audit SET entry = replace(entry, 'two?', 'TWO?') WHERE seq = 2;", 2),
        ("DELETE FROM audit WHERE seq = 1;", 2),
        ("DELETE FROM audit WHERE seq = 3;", 3),
        ("DELETE FROM audit;", 1),
    ],
)
def test_tampering_is_found_where_it_happened(
    audit: Audit, tmp_path: Path, statement: str, broken_at: int
) -> None:
    tamper(tmp_path, statement)
    assert audit.verify().broken_at == broken_at


def test_key_and_table_are_private(audit: Audit, tmp_path: Path) -> None:
    for name in ("audit.key", "audit.sqlite"):
        assert (tmp_path / name).stat().st_mode & 0o077 == 0


def test_what_cannot_be_recorded_whole_is_not_recorded_and_the_chain_stays_intact(
    audit: Audit, tmp_path: Path
) -> None:
    (tmp_path / "audit.part").mkdir()  # the head cannot be written, as on a full disk
    with pytest.raises(ConfigError, match="withheld") as told:
        audit.record(answer("four?"), SCOPE, "store")
    assert "four" not in str(told.value)
    assert (audit.verify().rows, audit.verify().intact) == (3, True)
    (tmp_path / "audit.part").rmdir()
    audit.record(answer("five?"), SCOPE, "store")
    assert (audit.verify().rows, audit.verify().intact) == (4, True)


def test_a_table_that_cannot_grow_withholds_the_answer(audit: Audit, tmp_path: Path) -> None:
    script = (
        "import resource, sys; from pathlib import Path; from agent.audit import Audit; "
        "from agent.answer import Answer; from agent.scope import Scope; audit = Audit(Path(sys.argv[1])); "
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (16384, 16384))\n"
        "given = Answer(question='q' * 40000, language='en', status='refused', reason='not_documented', text='None.')\n"
        "try: audit.record(given, Scope(now='2100-12-31 23:59:00'), 's')\n"
        "except Exception as error: print(type(error).__name__, len(str(error)) < 500)"
    )
    ran = subprocess.run([sys.executable, "-c", script, tmp_path], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["ConfigError", "True"]
    assert (audit.verify().rows, audit.verify().intact) == (3, True)
