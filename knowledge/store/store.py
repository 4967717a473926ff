"""Opening, creating and reading a record store: one SQLite file (see ``schema.sql``)."""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from knowledge.errors import StoreError

SCHEMA_VERSION = 1
EHRSQL_TABLES = frozenset(
    "patients admissions diagnoses_icd d_icd_diagnoses procedures_icd d_icd_procedures labevents d_labitems "
    "prescriptions cost chartevents d_items inputevents outputevents microbiologyevents icustays "
    "transfers".split()
)
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"
LOCK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Note:
    """A clinical note; citations are ``[start, end)`` code-point offsets into ``text``."""

    note_id: int
    subject_id: int
    hadm_id: int | None
    charttime: str | None
    note_type: str | None
    title: str | None
    author: str | None
    language: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient as a picker shows one."""

    subject_id: int
    gender: str | None
    dob: str | None
    name: str | None
    mrn: str | None


class RecordStore:
    """One store, opened for reading or writing. Not shared between threads: call ``connect`` in each.

    Args:
        path: the SQLite file.
        read_only: opens with ``mode=ro``; always true for a foreign 17-table database.
        native: whether the file has our schema (false: a database with just the 17 EHRSQL tables).
    """

    def __init__(self, path: Path, *, read_only: bool, native: bool) -> None:
        self.path = path
        self.read_only = read_only
        self.native = native
        self._tables: dict[str, tuple[str, ...]] | None = None

    @classmethod
    def create(cls, path: Path, *, name: str = "", now: str | None = None) -> "RecordStore":
        """Make an empty store.

        Args:
            path: where; must not exist yet, its folder is made.
            name: shown in the UI.
            now: ``YYYY-MM-DD HH:MM:SS``, the fixed "now" of synthetic or de-identified records.

        Raises:
            StoreError: the file exists or the folder cannot be written.
        """
        if path.exists():
            raise StoreError(f"{path} exists already; choose another path or delete it first.")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(path)) as connection, connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.executescript(
                    files("knowledge.store").joinpath("schema.sql").read_text(encoding="utf-8")
                )
                meta = {
                    "schema_version": str(SCHEMA_VERSION),
                    "created": datetime.now(UTC).strftime(TIME_FORMAT),
                    "name": name or path.stem,
                }
                if now is not None:
                    meta["now"] = datetime.strptime(now, TIME_FORMAT).strftime(TIME_FORMAT)
                connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
        except (OSError, sqlite3.OperationalError) as error:
            raise StoreError(f"A store cannot be made at {path}: {error}. Is the folder writable?") from error
        return cls(path, read_only=False, native=True)

    @classmethod
    def open(cls, path: Path, *, read_only: bool = True) -> "RecordStore":
        """Open an existing store, or a database with the 17 EHRSQL tables (always read-only).

        Raises:
            StoreError: missing, locked, not a database, tables missing, or of another schema version.
        """
        if not path.is_file():
            raise StoreError(
                f"There is no store at {path}. Load one with: chartroom load SOURCE --store {path}"
            )
        store = cls(path, read_only=True, native=False)
        try:
            with closing(store.connect()) as connection:
                names = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema")}
                version = (
                    connection.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()
                    if "meta" in names
                    else None
                )
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise StoreError(
                    f"The store {path} is locked by another program; close it and try again."
                ) from error
            raise StoreError(f"The store {path} cannot be opened: {error}.") from error
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{path} is not a SQLite database.") from error
        if version is None:
            missing = sorted(EHRSQL_TABLES - names)
            if missing:
                raise StoreError(f"{path} is not a record store: it has no table {', '.join(missing)}.")
            if not read_only:
                raise StoreError(
                    f"{path} is a foreign database and opens read-only; load into a store of its own instead."
                )
            return store
        if version[0] != str(SCHEMA_VERSION):
            raise StoreError(
                f"The store {path} has schema version {version[0]}, this Chartroom reads {SCHEMA_VERSION}; "
                "load the sources again into a new store."
            )
        return cls(path, read_only=read_only, native=True)

    def connect(self) -> sqlite3.Connection:
        """A new connection; the caller closes it. Foreign keys are on, waits up to ``LOCK_SECONDS`` for a lock."""
        mode = "ro" if self.read_only else "rw"
        connection = sqlite3.connect(
            f"{self.path.resolve().as_uri()}?mode={mode}",
            uri=True,
            timeout=LOCK_SECONDS,
            check_same_thread=False,
        )
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    @property
    def tables(self) -> dict[str, tuple[str, ...]]:
        """Table to its columns, for the tables that hold clinical data and their dictionaries."""
        if self._tables is None:
            hidden = {"meta", "sources", "quarantine", "skipped", "keys", "note_changes", "sqlite_sequence"}
            with closing(self.connect()) as connection:
                names = connection.execute("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')")
                self._tables = {
                    name: tuple(row[1] for row in connection.execute(f'PRAGMA table_info("{name}")'))
                    for (name,) in names.fetchall()
                    if name not in hidden
                }
        return self._tables

    def meta(self, key: str) -> str | None:
        """A value of the ``meta`` table; ``None`` where it is absent or the database is foreign."""
        if not self.native:
            return None
        with closing(self.connect()) as connection:
            row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def identity(self) -> str:
        """A short stable name for the store's file, for folders that belong to it."""
        return hashlib.sha256(str(self.path.resolve()).encode()).hexdigest()[:16]

    def patients(self) -> list[Patient]:
        """All patients by ``subject_id``."""
        columns = [c for c in ("subject_id", "gender", "dob", "name", "mrn") if c in self.tables["patients"]]
        with closing(self.connect()) as connection:
            rows = connection.execute(f"SELECT {', '.join(columns)} FROM patients ORDER BY subject_id")
            return [
                Patient(**{"name": None, "mrn": None, **dict(zip(columns, row, strict=True))}) for row in rows
            ]

    def note(self, note_id: int) -> Note | None:
        """One note, or ``None``."""
        return next(self.notes([note_id]), None)

    def notes(self, note_ids: Iterable[int] | None = None) -> Iterator[Note]:
        """Notes by id (all of them by default), streamed; none for a store without notes."""
        if "notes" not in self.tables:
            return
        query = "SELECT note_id, subject_id, hadm_id, charttime, note_type, title, author, language, text FROM notes"
        with closing(self.connect()) as connection:
            if note_ids is None:
                for row in connection.execute(f"{query} ORDER BY note_id"):
                    yield Note(*row)
                return
            for note_id in note_ids:
                for row in connection.execute(f"{query} WHERE note_id = ?", (note_id,)):
                    yield Note(*row)
