"""Write the demo hospital into a record store, whole or not at all."""

import hashlib
import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from knowledge.demo.contradictions import Contradiction
from knowledge.demo.hospital import Hospital, make_hospital
from knowledge.demo.ledger import stamp
from knowledge.demo.timeline import NOW
from knowledge.errors import ConfigError, StoreError
from knowledge.store.store import RecordStore

NAME = "Demo hospital / 示范医院"
_ORDER = (
    "d_icd_diagnoses", "d_icd_procedures", "d_labitems", "d_items", "patients", "admissions", "icustays",
    "transfers", "diagnoses_icd", "procedures_icd", "labevents", "prescriptions", "chartevents",
    "inputevents",
    "outputevents", "microbiologyevents", "cost", "allergies", "immunizations", "notes",
)  # fmt: skip
_DICTIONARIES = frozenset(_ORDER[:4])


def build(
    path: Path, *, patients: int = 150, seed: int = 7, progress: Callable[[int, int], None] | None = None
) -> RecordStore:
    """Make the demo hospital.

    The store is written beside ``path`` under another name and renamed at the end, so that an interrupted
    build leaves nothing behind. The same ``patients`` and ``seed`` give the same content.

    Args:
        path: of the new store; must not exist yet.
        patients: how many, 1 to 5000.
        seed: of all chance.
        progress: called with (patients made, patients in all).

    Raises:
        StoreError: the file exists or the folder cannot be written.
        ConfigError: ``patients`` is out of range.
    """
    if not 1 <= patients <= 5000:
        raise ConfigError(f"A demo hospital of {patients!r} patients cannot be made; choose 1 to 5000.")
    if path.exists():
        raise StoreError(f"{path} exists already; choose another path or delete it first.")
    unfinished = path.with_name(f".{path.name}.unfinished")
    _remove(unfinished)
    hospital = make_hospital(patients, seed, progress)
    try:
        store = RecordStore.create(unfinished, name=NAME, now=stamp(NOW))
        _write(store, hospital, patients, seed)
        unfinished.replace(path)
    except OSError as error:
        raise StoreError(f"The demo hospital cannot be written to {path}: {error}.") from error
    finally:
        _remove(unfinished)
    return RecordStore.open(path, read_only=False)


def contradictions(store: RecordStore) -> list[Contradiction]:
    """The contradictions that were planted in a demo store, in order of their ids; empty for other stores."""
    text = store.meta("contradictions")
    if text is None:
        return []
    return [Contradiction(**{**entry, "row_ids": tuple(entry["row_ids"])}) for entry in json.loads(text)]


def _remove(path: Path) -> None:
    for name in (path, *(path.with_name(path.name + tail) for tail in ("-wal", "-shm", "-journal"))):
        name.unlink(missing_ok=True)


def _write(store: RecordStore, hospital: Hospital, patients: int, seed: int) -> None:
    ledger = hospital.ledger
    for note in hospital.notes:
        text = note.pen.text.rstrip("\n") + "\n"
        ledger.add(
            "notes", subject_id=note.subject_id, hadm_id=note.hadm_id, charttime=note.time,
            note_type=note.note_type, title=note.title, author=note.author, language=note.language, text=text,
            sha256=hashlib.sha256(text.encode()).hexdigest(),
        )  # fmt: skip
    made = f"demo:{seed}:{patients}"
    with closing(store.connect()) as connection, connection:
        connection.execute("PRAGMA synchronous = OFF")  # the file has no name yet: a crash leaves nothing
        connection.execute(
            "INSERT INTO sources (source_id, kind, path, sha256, loaded_at, accepted, rejected, skipped)"
            " VALUES (1, 'demo', ?, ?, ?, ?, 0, 0)",
            (made, hashlib.sha256(made.encode()).hexdigest(), stamp(NOW), ledger.count()),
        )
        for table in _ORDER:
            rows = ledger.tables.get(table, [])
            if not rows:
                continue
            columns = list(rows[0])
            source = [] if table in _DICTIONARIES else ["source"]
            marks = ", ".join("?" * (len(columns) + 1 + len(source)))
            key = "note_id" if table == "notes" else "row_id"
            connection.executemany(
                f"INSERT INTO {table} ({', '.join([key, *columns, *source])}) VALUES ({marks})",
                ((i, *row.values(), *([1] if source else [])) for i, row in enumerate(rows, start=1)),
            )
        meta = {
            "created": stamp(NOW) or "",
            "demo": json.dumps({"patients": patients, "seed": seed}),
            "contradictions": json.dumps([asdict(c) for c in hospital.contradictions], ensure_ascii=False),
        }
        connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", meta.items())
