"""The notes of a record store as a corpus."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

from indexes.corpus import Indexed, Key, Reader, Source, SourceKind, Text, text_sha256
from knowledge.store.store import RecordStore

_COLUMNS = ("note_id", "subject_id", "hadm_id", "note_type", "charttime", "language", "title", "text")


class StoreNotes:
    """The notes of one store; see :class:`~indexes.corpus.Corpus`. Follows the store's log of note changes."""

    name = "notes"

    def __init__(self, store: RecordStore) -> None:
        self.store = store
        self.repair = f"chartroom index --rebuild --store {store.path}"

    def identity(self) -> str:
        """That of the store."""
        return self.store.identity()

    def count(self) -> int:
        """How many notes the store has."""
        if "notes" not in self.store.tables:
            return 0
        with closing(self.store.connect()) as connection:
            return connection.execute("SELECT count(*) FROM notes").fetchone()[0]

    def texts(self) -> Iterator[Text]:
        """All notes by id."""
        return (_text(*(getattr(note, column) for column in _COLUMNS)) for note in self.store.notes())

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """Reads single notes over one connection."""
        with closing(self.store.connect()) as connection:
            marks = f"SELECT {', '.join(_COLUMNS)} FROM notes WHERE note_id = ?"

            def read(kind: SourceKind, source_id: str) -> Text | None:
                row = connection.execute(marks, (int(source_id),)).fetchone()
                return None if row is None else _text(*row)

            yield read

    def last_change(self) -> int:
        """The newest change of a note; a foreign database has no log, and none."""
        if not self.store.native:
            return 0
        with closing(self.store.connect()) as connection:
            return connection.execute("SELECT coalesce(max(change_id), 0) FROM note_changes").fetchone()[0]

    def changes(self, since: int, indexed: Indexed) -> tuple[Sequence[Key], int]:
        """Notes put or deleted after change ``since``."""
        if not self.store.native:
            return [], 0
        with closing(self.store.connect()) as connection:
            rows = connection.execute(
                "SELECT note_id, max(change_id) FROM note_changes WHERE change_id > ? "
                "GROUP BY note_id ORDER BY 2",
                (since,),
            ).fetchall()
        return [("note", str(note_id)) for note_id, _ in rows], rows[-1][1] if rows else since


def _text(
    note_id: int,
    subject_id: int | None,
    hadm_id: int | None,
    note_type: str | None,
    charttime: str | None,
    language: str | None,
    title: str | None,
    text: str,
) -> Text:
    digest = text_sha256(text)
    source = Source("note", str(note_id), digest, subject_id, hadm_id, note_type, charttime, language, title)
    return Text(source, text)
