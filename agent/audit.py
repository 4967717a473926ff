"""The audit: who asked what, what was answered from which evidence. Append-only, each row chained by HMAC.

A row's MAC covers its content and the MAC before it, so a changed, removed or inserted row is found by
``verify``. The last MAC is also kept in a file beside the table, so a cut tail is found too. Someone who
holds the key file can forge the chain; keep a copy of ``audit.head`` elsewhere to rule that out.
"""

import hashlib
import hmac
import json
import os
import secrets
import sqlite3
import threading
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from agent.answer import Answer, NoteEvidence, RowEvidence
from agent.scope import Scope
from knowledge.errors import ConfigError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS audit (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    entry TEXT NOT NULL,
    mac TEXT NOT NULL
);
CREATE TRIGGER IF NOT EXISTS audit_no_update BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER IF NOT EXISTS audit_no_delete BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
"""


@dataclass(frozen=True, slots=True)
class AuditState:
    """What ``verify`` found: the number of rows, and the first row that does not fit, if any."""

    rows: int
    broken_at: int | None

    @property
    def intact(self) -> bool:
        """Whether every row fits the chain."""
        return self.broken_at is None


class Audit:
    """The audit table of one installation.

    Args:
        folder: private folder that holds ``audit.sqlite``, ``audit.key`` and ``audit.head``.
    """

    def __init__(self, folder: Path) -> None:
        self._head = folder / "audit.head"
        self._lock = threading.Lock()
        self._database = folder / "audit.sqlite"
        try:
            self._key = self._read_key(folder / "audit.key")
            with closing(self._connect()) as connection:
                connection.executescript(_SCHEMA)
            os.chmod(self._database, 0o600)
        except (OSError, sqlite3.Error) as error:
            raise ConfigError(f"The audit in {folder} cannot be written: {error}.") from error

    @staticmethod
    def _read_key(path: Path) -> bytes:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            key = bytes.fromhex(path.read_text(encoding="ascii").strip())
            if len(key) != 32:
                raise ConfigError(f"The audit key {path} is damaged; restore it from a backup.") from None
            return key
        key = secrets.token_bytes(32)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(key.hex())
        return key

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._database, timeout=10, isolation_level=None)

    def _mac(self, previous: str, entry: str) -> str:
        return hmac.new(self._key, f"{previous}\n{entry}".encode(), hashlib.sha256).hexdigest()

    def record(self, answer: Answer, scope: Scope, store: str) -> None:
        """Append one answer.

        Args:
            answer: as it was given.
            scope: under which it was asked.
            store: identity of the record store.

        Raises:
            ConfigError: it cannot be written, for a full disk say; then nothing of it is.
        """
        entry = json.dumps(
            {
                "time": datetime.now(UTC).isoformat(timespec="seconds"),
                "user": scope.user,
                "store": store,
                "patient": scope.patient,
                "now": scope.now,
                "question": answer.question,
                "status": answer.status,
                "reason": answer.reason,
                "text": answer.text,
                "sql": answer.sql,
                "evidence": [_reference(e) for e in answer.evidence],
                "model": answer.model.model_dump() if answer.model else None,
            },
            ensure_ascii=False,
            sort_keys=True,
        )
        try:
            with self._lock, closing(self._connect()) as connection:
                self._append(connection, entry)
        except (OSError, sqlite3.Error) as error:
            raise ConfigError(
                f"The answer is withheld, for the audit {self._database} cannot be written: {error}. "
                "Make room on its disk, or make it writable, and ask again."
            ) from error

    def _append(self, connection: sqlite3.Connection, entry: str) -> None:
        connection.execute("BEGIN IMMEDIATE")
        last = connection.execute("SELECT mac FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
        mac = self._mac(last[0] if last else "", entry)
        connection.execute("INSERT INTO audit (entry, mac) VALUES (?, ?)", (entry, mac))
        # Written before the row is kept: on a full disk this fails, and a chain without its head reads as broken.
        temporary = self._head.with_suffix(".part")
        temporary.write_text(mac, encoding="ascii")
        connection.execute("COMMIT")
        os.replace(temporary, self._head)

    def verify(self) -> AuditState:
        """Walk the chain from its first row."""
        previous, rows = "", 0
        with closing(self._connect()) as connection:
            for expected, (seq, entry, mac) in enumerate(
                connection.execute("SELECT seq, entry, mac FROM audit ORDER BY seq"), start=1
            ):
                if seq != expected or not hmac.compare_digest(mac, self._mac(previous, entry)):
                    return AuditState(rows, seq)
                previous, rows = mac, rows + 1
        head = self._head.read_text(encoding="ascii") if self._head.exists() else ""
        return AuditState(rows, None if head == previous else rows + 1)


def _reference(evidence: object) -> dict[str, object]:
    """What the audit keeps of a piece of evidence: where it stands, not what it says."""
    if isinstance(evidence, RowEvidence):
        return {"kind": "row", "table": evidence.table, "row_ids": evidence.row_ids}
    if isinstance(evidence, NoteEvidence):
        return {"kind": "note", "note_id": evidence.note_id, "start": evidence.start, "end": evidence.end}
    return {"kind": getattr(evidence, "kind", "?"), "id": getattr(evidence, "id", None)}
