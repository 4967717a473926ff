"""Loads a source into a store: one transaction for each file, nothing twice, nothing lost.

A load that is killed leaves whole files behind and no halves; the same command completes it. A file with
the same content is skipped as a whole, a row that comes again in another file is recognised by its key.
Formats are the readers' business (``mimic.py``, ``fhir.py`` …), rows the ``writer``'s.
"""

import hashlib
import json
import sqlite3
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from knowledge.errors import ImportFailure, StoreError
from knowledge.importers.columns import RuleBroken, read_tables
from knowledge.importers.records import Accepted, Item, Reader, Rejected, Skipped, SourceFile
from knowledge.importers.registry import detect
from knowledge.importers.report import Counts, FileReport, FileState, LoadReport, Progress
from knowledge.importers.writer import Status, Unresolved, Writer, Written
from knowledge.store.store import TIME_FORMAT, RecordStore

_ROWS_BETWEEN_PROGRESS = 2000


def load(
    source: Path,
    store: RecordStore,
    *,
    progress: Callable[[Progress], None] | None = None,
    kind: str | None = None,
) -> LoadReport:
    """Load a file or folder into a store.

    Args:
        source: what to load.
        store: opened for writing.
        progress: called every few thousand rows and after each file; what it raises stops the load, and
            the file that was being read leaves no trace.
        kind: the format (a key of ``READERS``); recognised from the source by default.

    Returns:
        What became of every file and row. Single files that cannot be read are listed there
        (``LoadReport.failed``), as are those that were held back because they refer to such a file.

    Raises:
        ImportFailure: the source is missing, of no known format, or none of its files can be read.
        StoreError: the store cannot be written.
    """
    if store.read_only:
        raise StoreError(
            f"The store {store.path} is open read-only and takes no records; load into a store of its own."
        )
    reader = detect(source, kind=kind)
    return _Load(source, reader, store, progress).run()


class _Load:
    """One call of ``load``: where it is, and the connection that it writes with."""

    def __init__(
        self, source: Path, reader: Reader, store: RecordStore, progress: Callable[[Progress], None] | None
    ) -> None:
        self._source = source
        self._reader = reader
        self._store = store
        self._progress = progress
        self._files = sorted(reader.files(source), key=lambda file: file.order)
        self._sizes = [file.path.stat().st_size for file in self._files]
        self._rows = 0
        self._done = 0

    def run(self) -> LoadReport:
        start = time.monotonic()
        reports: list[FileReport] = []
        with closing(self._connect()) as connection:
            for number, file in enumerate(self._files):
                self._done = number
                self._tell(file)
                broken = [
                    earlier
                    for earlier, report in zip(self._files, reports, strict=False)
                    if report.state is FileState.FAILED and earlier.order < file.order
                ]
                reports.append(_held_back(file, broken[0]) if broken else self._load(connection, file))
            if self._files:
                self._done = len(self._files)
                self._tell(self._files[-1])
        failed = [report for report in reports if report.state is FileState.FAILED]
        if failed and all(r.state in (FileState.FAILED, FileState.HELD_BACK) for r in reports):
            raise ImportFailure(failed[0].error or "")
        return LoadReport(self._reader.kind, self._source, tuple(reports), time.monotonic() - start)

    def _connect(self) -> sqlite3.Connection:
        connection = self._store.connect()
        connection.isolation_level = None
        # In WAL mode this survives a killed process; after a power cut the last files are loaded again.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA cache_size = -65536")
        return connection

    def _tell(self, file: SourceFile) -> None:
        if self._progress is not None:
            sizes = self._sizes
            self._progress(
                Progress(file.path, self._done, len(sizes), self._rows, sum(sizes[: self._done]), sum(sizes))
            )

    def _load(self, connection: sqlite3.Connection, file: SourceFile) -> FileReport:
        start = time.monotonic()
        try:
            sha256 = _sha256(file.path)
            with _transaction(connection, self._store):
                tally = self._load_open(connection, file, sha256)
        except ImportFailure as error:
            return FileReport(file.path, FileState.FAILED, error=str(error), seconds=time.monotonic() - start)
        if tally is None:
            return FileReport(file.path, FileState.UNCHANGED, seconds=time.monotonic() - start)
        return tally.report(file.path, time.monotonic() - start)

    def _load_open(self, connection: sqlite3.Connection, file: SourceFile, sha256: str) -> "_Tally | None":
        options = json.dumps(dict(file.options), sort_keys=True, ensure_ascii=False)
        earlier = connection.execute(
            "SELECT source_id, unresolved, accepted FROM sources"
            " WHERE kind = ? AND sha256 = ? AND options = ?",
            (self._reader.kind, sha256, options),
        ).fetchone()
        if earlier is not None and earlier[1] == 0:
            return None
        if earlier is not None:
            # Rows of this file waited for others, which may have come since: read it again.
            source, accepted_before = int(earlier[0]), int(earlier[2])
            connection.execute("DELETE FROM quarantine WHERE source = ?", (source,))
            connection.execute("DELETE FROM skipped WHERE source = ?", (source,))
        else:
            accepted_before = 0
            source = connection.execute(
                "INSERT INTO sources (kind, path, sha256, loaded_at, accepted, rejected, skipped, options)"
                " VALUES (?, ?, ?, '', 0, 0, 0, ?) RETURNING source_id",
                (self._reader.kind, str(file.path.resolve()), sha256, options),
            ).fetchone()[0]
        tally = _Tally(connection, source)
        writer = Writer(connection, read_tables(connection), self._reader.kind, source, file.brings)
        for n, item in enumerate(self._reader.read(file), start=1):
            _take(writer, tally, item)
            self._rows += item.n if isinstance(item, Skipped) else 1
            if n % _ROWS_BETWEEN_PROGRESS == 0:
                self._tell(file)
        _settle(writer, tally)
        writer.finish()
        tally.close(accepted_before)
        return tally


def _take(writer: Writer, tally: "_Tally", item: Item) -> None:
    match item:
        case Skipped():
            tally.skip(item.item, item.reason, item.n)
        case Rejected():
            tally.reject(item.line, item.item, item.reason, item.raw)
        case Accepted(rows=()):
            tally.skip(item.item or "row", "holds nothing that the store keeps", 1)
        case Accepted():
            try:
                tally.accept(item, writer.write(item))
            except Unresolved as error:
                if error.final:
                    tally.reject_unresolved(item, error)
                else:
                    writer.wait(item)
            except RuleBroken as error:
                tally.reject(item.line, _name(item), str(error), _raw(item))


def _settle(writer: Writer, tally: "_Tally") -> None:
    """Write the items that waited; each round resolves one step of a chain of references."""
    last_call = False
    while True:
        moved = False
        for n, item in writer.waiting():
            try:
                tally.accept(item, writer.write(item, last_call=last_call))
            except Unresolved:
                continue
            except RuleBroken as error:
                tally.reject(item.line, _name(item), str(error), _raw(item))
            writer.settled(n)
            moved = True
        if not moved and last_call:
            break
        last_call = last_call or not moved
    for n, item in writer.waiting():
        try:
            writer.write(item, last_call=True)
        except Unresolved as error:
            tally.reject_unresolved(item, error)
        writer.settled(n)


class _Tally:
    """Counts what becomes of a file's items and keeps the quarantine."""

    def __init__(self, connection: sqlite3.Connection, source: int) -> None:
        self._connection = connection
        self._source = source
        self._items: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._reasons: Counter[tuple[str, str]] = Counter()
        self._skipped: Counter[tuple[str, str]] = Counter()
        self.unresolved = 0

    def accept(self, item: Accepted, written: Written) -> None:
        counter = self._items[_name(item)]
        if written.status is Status.SAME:
            counter["duplicates"] += 1
            return
        counter["accepted"] += 1
        counter["updated"] += written.status is Status.CHANGED
        counter["unlinked"] += written.unlinked
        counter["untitled"] += written.untitled

    def reject(self, line: int, item: str, reason: str, raw: str) -> None:
        self._items[item]["rejected"] += 1
        self._reasons[item, reason] += 1
        self._connection.execute(
            "INSERT INTO quarantine (source, line, item, reason, raw) VALUES (?, ?, ?, ?, ?)",
            (self._source, line, item, reason, raw),
        )

    def reject_unresolved(self, item: Accepted, error: Unresolved) -> None:
        """Quarantine a row until what it refers to has come; its file is then read again."""
        self.reject(item.line, _name(item), str(error), _raw(item))
        self.unresolved += 1

    def skip(self, item: str, reason: str, n: int) -> None:
        self._items[item]["skipped"] += n
        self._reasons[item, reason] += n
        self._skipped[item, reason] += n

    def close(self, accepted_before: int) -> None:
        """Write the file's counts; on a second reading, what was accepted at the first stays accepted."""
        counts = self.counts
        self._connection.executemany(
            "INSERT INTO skipped (source, item, reason, n) VALUES (?, ?, ?, ?)",
            [(self._source, item, reason, n) for (item, reason), n in self._skipped.items()],
        )
        kept = min(accepted_before, counts.duplicates)
        self._connection.execute(
            "UPDATE sources SET loaded_at = ?, accepted = ?, rejected = ?, skipped = ?, duplicates = ?,"
            " unresolved = ? WHERE source_id = ?",
            (
                datetime.now(UTC).strftime(TIME_FORMAT),
                counts.accepted + kept,
                counts.rejected,
                counts.skipped,
                counts.duplicates - kept,
                self.unresolved,
                self._source,
            ),
        )

    @property
    def counts(self) -> Counts:
        return Counts.sum(Counts.of(counter) for counter in self._items.values())

    def report(self, path: Path, seconds: float) -> FileReport:
        items = {name: Counts.of(counter) for name, counter in self._items.items()}
        return FileReport(path, FileState.LOADED, self.counts, items, dict(self._reasons), seconds=seconds)


@contextmanager
def _transaction(connection: sqlite3.Connection, store: RecordStore) -> Iterator[None]:
    """All or nothing; what SQLite says about the file as a whole becomes a ``StoreError``."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise StoreError(
                f"The store {store.path} is locked by another program; close it and load again."
            ) from error
        raise StoreError(f"The store {store.path} cannot be written: {error}.") from error
    except sqlite3.DatabaseError as error:
        raise StoreError(f"The store {store.path} is damaged: {error}. Restore it from a backup.") from error


def _held_back(file: SourceFile, broken: SourceFile) -> FileReport:
    reason = f"{file.path.name} was not read, because {broken.path.name}, which it refers to, could not be."
    return FileReport(file.path, FileState.HELD_BACK, error=reason)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ImportFailure(f"{path} cannot be read: {error.strerror}.") from error


def _name(item: Accepted) -> str:
    if item.item is not None:
        return item.item
    tables = [row.table for row in item.rows]
    return next((table for table in tables if not table.startswith("d_")), tables[0])


def _raw(item: Accepted) -> str:
    raw = item.raw if item.raw is not None else [[row.table, dict(row.values)] for row in item.rows]
    return json.dumps(raw, ensure_ascii=True, default=str)
