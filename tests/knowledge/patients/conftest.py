"""The core graph and a small hospital whose patient graph tests read and change."""

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hospital import small_hospital

from knowledge.graph import KnowledgeGraph, ensure
from knowledge.mentions import MentionFinder, NameTable
from knowledge.patients import PatientGraph, Written, update
from knowledge.store import RecordStore
from knowledge.terminology import Terminology


@pytest.fixture(scope="session")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeGraph]:
    """The core pack."""
    with ensure(tmp_path_factory.mktemp("knowledge") / "graph") as opened:
        yield opened


@pytest.fixture(scope="session")
def finder() -> MentionFinder:
    """Finds the names of the core tables."""
    return MentionFinder.load(NameTable.of_terminology(Terminology.load()))


class Hospital:
    """A store that a test may change, and its patient graph."""

    def __init__(self, folder: Path, graph: KnowledgeGraph, finder: MentionFinder) -> None:
        self.store = small_hospital(folder / "small.sqlite")
        self.folder = folder / "small.index"
        self.graph, self.finder = graph, finder
        self.reported: list[str] = []

    def update(self, **more: bool) -> Written:
        """Bring the patient graph up to date."""
        return update(self.store, self.folder, self.graph, self.finder, self._report, **more)

    def open(self) -> PatientGraph:
        """The patient graph as it is now."""
        return PatientGraph.open(self.store, self.folder)

    def updated(self) -> PatientGraph:
        """The patient graph, brought up to date."""
        self.update()
        return self.open()

    def run(self, *statements: tuple[str, tuple[object, ...]]) -> None:
        """Change the store."""
        with closing(self.store.connect()) as connection, connection:
            for sql, values in statements:
                connection.execute(sql, values)

    def note(self, text: str, *, note_id: int = 90, subject_id: int = 4, language: str = "en") -> None:
        """Write a note."""
        sha = hashlib.sha256(text.encode()).hexdigest()
        self.run(
            (
                "INSERT INTO notes (note_id, subject_id, hadm_id, charttime, note_type, language, text, sha256) "
                "VALUES (?, ?, NULL, '2025-02-20 08:00:00', 'progress', ?, ?, ?)",
                (note_id, subject_id, language, text, sha),
            )
        )

    def diagnose(self, code: str, title: str, *, subject_id: int = 4, status: str | None = None) -> None:
        """Code a diagnosis."""
        self.run(
            ("INSERT OR IGNORE INTO d_icd_diagnoses (icd_code, long_title) VALUES (?, ?)", (code, title)),
            (
                "INSERT INTO diagnoses_icd (subject_id, hadm_id, icd_code, charttime, status) "
                "VALUES (?, NULL, ?, '2025-01-15 09:00:00', ?)",
                (subject_id, code, status),
            ),
        )

    def _report(self, stage: str, done: int, total: int) -> None:
        self.reported.append(stage)


@pytest.fixture
def hospital(tmp_path: Path, graph: KnowledgeGraph, finder: MentionFinder) -> Hospital:
    """The small hospital; patient 4 has nothing but a stay."""
    return Hospital(tmp_path, graph, finder)


@pytest.fixture
def foreign(tmp_path: Path, hospital: Hospital) -> Callable[[], RecordStore]:
    """Makes a database with just the 17 tables and their columns, as published ones are."""

    def make() -> RecordStore:
        path = tmp_path / "foreign.sqlite"
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("ATTACH DATABASE ? AS own", (str(hospital.store.path),))
            for table, columns in _FOREIGN.items():
                connection.execute(f"CREATE TABLE {table} AS SELECT {columns} FROM own.{table}")
            connection.commit()
            connection.execute("DETACH DATABASE own")
        return RecordStore.open(path)

    return make


_FOREIGN = {
    "patients": "row_id, subject_id, gender, dob, dod",
    "admissions": "row_id, subject_id, hadm_id, admittime, dischtime, admission_type, admission_location, "
    "discharge_location, insurance, language, marital_status, age",
    "d_icd_diagnoses": "row_id, icd_code, long_title",
    "d_icd_procedures": "row_id, icd_code, long_title",
    "d_labitems": "row_id, itemid, label",
    "d_items": "row_id, itemid, label, abbreviation, linksto",
    "diagnoses_icd": "row_id, subject_id, hadm_id, icd_code, charttime",
    "procedures_icd": "row_id, subject_id, hadm_id, icd_code, charttime",
    "labevents": "row_id, subject_id, hadm_id, itemid, charttime, valuenum, valueuom",
    "prescriptions": "row_id, subject_id, hadm_id, starttime, stoptime, drug, dose_val_rx, dose_unit_rx, route",
    "cost": "row_id, subject_id, hadm_id, event_type, event_id, chargetime, cost",
    "chartevents": "row_id, subject_id, hadm_id, stay_id, itemid, charttime, valuenum, valueuom",
    "inputevents": "row_id, subject_id, hadm_id, stay_id, starttime, itemid, totalamount, totalamountuom",
    "outputevents": "row_id, subject_id, hadm_id, stay_id, charttime, itemid, value, valueuom",
    "microbiologyevents": "row_id, subject_id, hadm_id, charttime, spec_type_desc, test_name, org_name",
    "icustays": "row_id, subject_id, hadm_id, stay_id, first_careunit, last_careunit, intime, outtime",
    "transfers": "row_id, subject_id, hadm_id, transfer_id, eventtype, careunit, intime, outtime",
}
