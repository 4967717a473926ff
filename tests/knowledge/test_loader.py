"""The loader: one transaction a file, nothing twice, nothing lost, whatever the source."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from knowledge.errors import ImportFailure, StoreError
from knowledge.importers import READERS, FileState, LoadReport, Progress, detect, load
from knowledge.importers.records import Accepted, Item, Ref, Rejected, Row, Skipped, SourceFile
from knowledge.store.store import RecordStore

ROOT = Path(__file__).resolve().parents[2]
PATIENT = Row("patients", {"subject_id": Ref("patients", "p-1"), "gender": "f"})
VISIT = Row(
    "admissions",
    {
        "subject_id": Ref("patients", "p-1"),
        "hadm_id": Ref("admissions", "v-1"),
        "admittime": "2030-01-01 10:00:00",
    },
)


class ScriptedReader:
    """Reads '*.list' files, whose items the test gives by file name."""

    kind = "list"

    def __init__(self, items: dict[str, list[Item]], orders: dict[str, int] | None = None) -> None:
        self.items = items
        self.orders = orders or {}

    def files(self, source: Path) -> list[SourceFile]:
        return [SourceFile(path, self.orders.get(path.name, 0)) for path in sorted(source.glob("*.list"))]

    def read(self, file: SourceFile) -> Iterator[Item]:
        yield from self.items[file.path.name]
        if file.path.name.startswith("broken"):
            raise ImportFailure(f"{file.path} is damaged.")


class Bench:
    """A store, a source folder and a way to load items into it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.source = folder / "source"
        self.source.mkdir()
        self.store = RecordStore.create(folder / "store.sqlite")
        self._monkeypatch = monkeypatch

    def load(self, orders: dict[str, int] | None = None, **files: list[Item]) -> LoadReport:
        """Load files; a name is kept for its content, so that a second call brings the file again."""
        items = {f"{name}.list": content for name, content in files.items()}
        for old in self.source.glob("*.list"):
            old.unlink()
        for name, content in items.items():
            (self.source / name).write_text(repr(content), encoding="utf-8")
        self._monkeypatch.setitem(READERS, "list", lambda: ScriptedReader(items, orders))  # type: ignore[arg-type]
        report = load(self.source, self.store, kind="list")
        for file, content in zip(report.files, items.values(), strict=False):
            if file.state is FileState.LOADED:
                assert file.counts.input == sum(
                    item.n if isinstance(item, Skipped) else 1 for item in content
                )
        return report

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with closing(self.store.connect()) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, monkeypatch)


def lab(key: str, valuenum: object = 1.9, **more: object) -> Row:
    values = {"subject_id": Ref("patients", "p-1"), "itemid": Ref("d_labitems", "crea"), "valuenum": valuenum}
    return Row("labevents", {**values, **more}, key)  # type: ignore[dict-item]


CREATININE = Row("d_labitems", {"itemid": Ref("d_labitems", "crea"), "label": "Creatinine"})


def test_rows_of_a_file_may_come_before_what_they_refer_to(bench: Bench) -> None:
    report = bench.load(
        a=[
            Accepted(1, (lab("l-1", hadm_id=Ref("admissions", "v-1")),)),
            Accepted(2, (CREATININE,)),
            Accepted(3, (VISIT,)),
            Accepted(4, (PATIENT,)),
        ]
    )
    assert (report.counts.accepted, report.counts.rejected) == (4, 0)
    assert bench.rows(
        "SELECT p.gender, d.label, a.admittime FROM labevents JOIN patients p USING (subject_id)"
        " JOIN d_labitems d USING (itemid) JOIN admissions a USING (hadm_id)"
    ) == [("f", "Creatinine", "2030-01-01 10:00:00")]


def test_a_row_whose_patient_never_comes_is_quarantined_with_its_raw_text(bench: Bench) -> None:
    report = bench.load(a=[Accepted(7, (VISIT,), "Encounter", {"id": "v-1"})])
    assert report.counts.rejected == 1
    assert bench.rows("SELECT line, item, reason, raw FROM quarantine") == [
        (
            7,
            "Encounter",
            "admissions.subject_id refers to a row of patients that is not there",
            '{"id": "v-1"}',
        )
    ]
    assert bench.rows("SELECT * FROM admissions") == bench.rows("SELECT * FROM keys") == []


def test_a_quarantined_row_is_stored_once_its_patient_has_come(bench: Bench) -> None:
    waits: list[Item] = [Accepted(1, (VISIT,))]
    bench.load(visits=waits)
    bench.load(patients=[Accepted(1, (PATIENT,))])
    report = bench.load(visits=waits)
    assert (report.counts.accepted, report.counts.rejected) == (1, 0)
    assert bench.rows("SELECT count(*) FROM quarantine") == [(0,)]
    assert bench.load(visits=waits).files[0].state is FileState.UNCHANGED


def test_an_optional_reference_that_leads_nowhere_leaves_the_column_empty_and_is_counted(
    bench: Bench,
) -> None:
    row = lab("l-1", hadm_id=Ref("admissions", "gone", optional=True))
    report = bench.load(a=[Accepted(1, (PATIENT,)), Accepted(2, (CREATININE, row))])
    assert (report.counts.accepted, report.counts.unlinked) == (2, 1)
    assert bench.rows("SELECT hadm_id FROM labevents") == [(None,)]


def test_an_identical_file_is_skipped_as_a_whole_under_any_name(bench: Bench) -> None:
    items: list[Item] = [Accepted(1, (PATIENT,))]
    bench.load(a=items)
    report = bench.load(b=items)
    assert [file.state for file in report.files] == [FileState.UNCHANGED]
    assert bench.rows("SELECT count(*) FROM sources") == [(1,)]


def test_the_same_rows_in_another_file_count_as_duplicates(bench: Bench) -> None:
    no_key = Row("observations", {"subject_id": Ref("patients", "p-1"), "label": "Height", "value": "170"})
    rows: list[Item] = [
        Accepted(1, (PATIENT,)),
        Accepted(2, (CREATININE, lab("l-1"))),
        Accepted(3, (no_key,)),
        Accepted(4, (no_key,)),
    ]
    first = bench.load(a=rows)
    second = bench.load(b=[*rows, Skipped("Device", "no table")])
    assert first.counts.accepted == 4  # rows without a key that are equal within a file are two rows
    assert (second.counts.accepted, second.counts.duplicates, second.counts.skipped) == (0, 4, 1)
    assert bench.rows("SELECT count(*) FROM observations") == [(2,)]


def test_changed_content_updates_the_row_in_place_and_keeps_its_row_id(bench: Bench) -> None:
    bench.load(a=[Accepted(1, (PATIENT,)), Accepted(2, (CREATININE, lab("l-1"))), Accepted(3, (lab("l-2"),))])
    before = bench.rows("SELECT row_id, source_id FROM labevents ORDER BY row_id")
    report = bench.load(b=[Accepted(1, (lab("l-1", 2.4),))])
    assert (report.counts.accepted, report.counts.updated) == (1, 1)
    assert bench.rows("SELECT row_id, source_id FROM labevents ORDER BY row_id") == before
    assert bench.rows("SELECT valuenum FROM labevents ORDER BY row_id") == [(2.4,), (1.9,)]


def test_two_rows_of_one_file_with_one_key_and_other_content_are_not_merged(bench: Bench) -> None:
    report = bench.load(
        a=[Accepted(1, (PATIENT,)), Accepted(2, (CREATININE, lab("l-1"))), Accepted(3, (lab("l-1", 7),))]
    )
    assert report.counts.rejected == 1
    assert bench.rows("SELECT valuenum FROM labevents") == [(1.9,)]


def test_a_row_never_moves_to_another_patient(bench: Bench) -> None:
    other = Row("patients", {"subject_id": Ref("patients", "p-2")})
    bench.load(a=[Accepted(1, (PATIENT,)), Accepted(2, (other,)), Accepted(3, (CREATININE, lab("l-1")))])
    report = bench.load(b=[Accepted(1, (lab("l-1", subject_id=Ref("patients", "p-2")),))])
    assert report.files[0].reasons == {("labevents", "labevents: another patient has a row with this key"): 1}


def test_one_patient_number_of_two_kinds_of_source_stays_two_patients(bench: Bench, tmp_path: Path) -> None:
    bench.load(a=[Accepted(1, (Row("patients", {"subject_id": Ref("patients", "6"), "gender": "m"}),))])
    (tmp_path / "person.csv").write_text("person_id,gender_concept_id,year_of_birth\n6,8532,1960\n")
    load(tmp_path, bench.store, kind="omop")
    assert bench.rows("SELECT subject_id, gender FROM patients ORDER BY row_id") == [(6, "m"), (7, "f")]


def test_the_first_dictionary_is_right_and_a_later_one_completes_it(bench: Bench) -> None:
    later = Row("d_labitems", {"itemid": Ref("d_labitems", "crea"), "label": "CREA", "fluid": "Serum"})
    bench.load(a=[Accepted(1, (CREATININE,)), Accepted(2, (later,))])
    assert bench.rows("SELECT label, fluid FROM d_labitems") == [("Creatinine", "Serum")]


def test_a_code_without_a_title_stands_in_for_it_until_a_dictionary_brings_it(bench: Bench) -> None:
    row = Row("diagnoses_icd", {"subject_id": Ref("patients", "p-1"), "icd_code": "icd10|N179"}, "d-1")
    report = bench.load(a=[Accepted(1, (PATIENT,)), Accepted(2, (row,))])
    assert report.counts.untitled == 1
    assert bench.rows("SELECT long_title FROM d_icd_diagnoses") == [("icd10|N179",)]
    title = Row("d_icd_diagnoses", {"icd_code": "icd10|N179", "long_title": "Acute kidney failure"})
    bench.load(b=[Accepted(1, (title,))])
    assert bench.rows("SELECT long_title FROM d_icd_diagnoses") == [("Acute kidney failure",)]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"charttime": "31.12.2030"}, "labevents.charttime is not a time like YYYY-MM-DD HH:MM:SS"),
        ({"charttime": "2030-02-30"}, "labevents.charttime is not a time like YYYY-MM-DD HH:MM:SS"),
        (
            {"charttime": "2030-01-01T08:00:00Z"},
            "labevents.charttime has a time zone; the store keeps local hospital time",
        ),
        ({"valuenum": "1,9"}, "labevents.valuenum is not a number"),
        ({"valuenum": "nan"}, "labevents.valuenum is not a finite number"),
        ({"itemid": None}, "labevents.itemid is missing"),
        ({"value": "a\x00b"}, "labevents.value contains a NUL character"),
        ({"value": "\ud800"}, "labevents.value contains half a character (a lone surrogate)"),
    ],
)
def test_a_bad_value_quarantines_its_row_alone_and_its_text_stays_out_of_the_reason(
    bench: Bench, values: dict[str, object], reason: str
) -> None:
    report = bench.load(
        a=[
            Accepted(1, (PATIENT,)),
            Accepted(2, (CREATININE, lab("l-1", **values))),
            Accepted(3, (CREATININE, lab("l-2"))),
        ]
    )
    assert (report.counts.accepted, report.counts.rejected) == (2, 1)
    assert bench.rows("SELECT line, reason FROM quarantine") == [(2, reason)]


def test_the_rows_of_an_item_are_stored_all_or_not_at_all(bench: Bench) -> None:
    bench.load(a=[Accepted(1, (PATIENT,)), Accepted(2, (CREATININE, lab("l-1"), lab("l-2", "x")))])
    assert (
        bench.rows("SELECT count(*) FROM labevents")
        == bench.rows("SELECT count(*) FROM d_labitems")
        == [(0,)]
    )


def test_a_date_alone_is_midnight_and_age_is_completed_years(bench: Bench) -> None:
    born = Row("patients", {"subject_id": 5, "dob": "1960-06-15", "dob_precision": "day"})
    visits = [
        Row("admissions", {"subject_id": 5, "hadm_id": n, "admittime": day})
        for n, day in ((1, "2030-06-14"), (2, "2030-06-15 00:00:00"))
    ]
    bench.load(a=[Accepted(1, (born,)), *(Accepted(n, (visit,)) for n, visit in enumerate(visits, 2))])
    assert bench.rows("SELECT admittime, age FROM admissions ORDER BY hadm_id") == [
        ("2030-06-14 00:00:00", 69),
        ("2030-06-15 00:00:00", 70),
    ]


def test_a_file_that_breaks_leaves_no_trace_and_the_others_are_loaded(bench: Bench) -> None:
    report = bench.load(
        broken=[Accepted(1, (Row("patients", {"subject_id": 1}),))], whole=[Accepted(1, (PATIENT,))]
    )
    assert [file.state for file in report.files] == [FileState.FAILED, FileState.LOADED]
    assert [file.path.name for file in report.failed] == ["broken.list"]
    assert bench.rows("SELECT source_id FROM patients") == [("p-1",)]


def test_files_that_refer_to_a_broken_one_are_held_back(bench: Bench) -> None:
    report = bench.load(
        {"events.list": 1}, a=[Accepted(1, (CREATININE,))], broken=[], events=[Accepted(1, (VISIT,))]
    )
    assert report.files[2].state is FileState.HELD_BACK
    assert "broken.list" in (report.files[2].error or "")
    assert bench.rows("SELECT count(*) FROM quarantine") == [(0,)]


def test_when_no_file_can_be_read_the_load_fails(bench: Bench) -> None:
    with pytest.raises(ImportFailure, match="is damaged"):
        bench.load(broken=[])


def test_what_a_reader_rejects_and_skips_is_kept_and_counted_by_item(bench: Bench) -> None:
    report = bench.load(
        a=[
            Rejected(3, "Patient", "no id", "{}"),
            Skipped("Device", "no table", 4),
            Skipped("Device", "no table"),
        ]
    )
    assert (report.items["Patient"].rejected, report.items["Device"].skipped) == (1, 5)
    assert bench.rows("SELECT item, reason, n FROM skipped") == [("Device", "no table", 5)]
    assert bench.rows("SELECT rejected, skipped FROM sources") == [(1, 5)]


def test_a_key_that_is_no_text_quarantines_its_row(bench: Bench) -> None:
    bad = [Row("patients", {"subject_id": Ref("patients", key)}) for key in ("a\x00", "\ud800")]
    report = bench.load(a=[Accepted(n, (row,)) for n, row in enumerate(bad, 1)])
    assert report.counts.rejected == 2


def contents(store: RecordStore) -> dict[str, list[tuple[object, ...]]]:
    with closing(store.connect()) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {
            name: connection.execute(f'SELECT * FROM "{name}" ORDER BY 1, 2').fetchall()
            for name in names
            if name not in ("meta", "sources", "sqlite_sequence")
        }


def mimic_folder(folder: Path, labs: int = 5000) -> Path:
    hosp = folder / "hosp"
    hosp.mkdir(parents=True)
    (hosp / "patients.csv").write_text(
        "subject_id,gender,anchor_age,anchor_year,dod\n10,F,60,2150,\n", encoding="utf-8"
    )
    (hosp / "admissions.csv").write_text(
        "subject_id,hadm_id,admittime,dischtime\n10,20,2150-01-01 00:00:00,2150-01-05 00:00:00\n",
        encoding="utf-8",
    )
    (hosp / "d_labitems.csv").write_text(
        "itemid,label,fluid,category\n50,Creatinine,Blood,\n", encoding="utf-8"
    )
    header = (
        "labevent_id,subject_id,hadm_id,itemid,charttime,value,valuenum,valueuom,"
        "ref_range_lower,ref_range_upper,flag\n"
    )
    lines = (f"{n},10,20,50,2150-01-02 00:00:00,{n},{n},mg/dL,,,\n" for n in range(labs))
    (hosp / "labevents.csv").write_text(header + "".join(lines), encoding="utf-8")
    return folder


class Stopped(Exception):
    pass


def test_a_load_stopped_amid_a_file_is_completed_by_a_rerun_and_equals_a_clean_one(tmp_path: Path) -> None:
    source = mimic_folder(tmp_path / "mimic")

    def stop(progress: Progress) -> None:
        if progress.file.name == "labevents.csv" and progress.rows > 2000:
            raise Stopped

    stopped = RecordStore.create(tmp_path / "stopped.sqlite")
    with pytest.raises(Stopped):
        load(source, stopped, progress=stop)
    assert len(contents(stopped)["patients"]) == 1
    assert contents(stopped)["labevents"] == []
    report = load(source, stopped)
    assert [file.state for file in report.files] == [*[FileState.UNCHANGED] * 3, FileState.LOADED]
    clean = RecordStore.create(tmp_path / "clean.sqlite")
    load(source, clean)
    assert contents(stopped) == contents(clean)


def test_a_process_killed_amid_a_file_leaves_a_store_that_a_rerun_completes(tmp_path: Path) -> None:
    source = mimic_folder(tmp_path / "mimic")
    script = (
        "import os, signal, sys; from pathlib import Path; from knowledge.importers import load;"
        "from knowledge.store.store import RecordStore;"
        "kill = lambda p: p.rows > 4000 and os.kill(os.getpid(), signal.SIGKILL);"
        "load(Path(sys.argv[1]), RecordStore.create(Path(sys.argv[2])), progress=kill)"
    )
    path = tmp_path / "killed.sqlite"
    ended = subprocess.run(
        [sys.executable, "-c", script, str(source), str(path)], env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert ended.returncode == -signal.SIGKILL
    killed = RecordStore.open(path, read_only=False)
    load(source, killed)
    clean = RecordStore.create(tmp_path / "clean.sqlite")
    load(source, clean)
    assert contents(killed) == contents(clean)


def test_progress_ends_with_all_files_and_bytes_done(tmp_path: Path) -> None:
    told: list[Progress] = []
    load(mimic_folder(tmp_path / "mimic"), RecordStore.create(tmp_path / "s.sqlite"), progress=told.append)
    assert told[-1].files_done == told[-1].files_total == 4
    assert told[-1].bytes_done == told[-1].bytes_total > 0
    assert told[-1].rows == 5003
    assert [p.rows for p in told] == sorted(p.rows for p in told)


def test_a_read_only_store_takes_no_records(tmp_path: Path) -> None:
    RecordStore.create(tmp_path / "s.sqlite")
    with pytest.raises(StoreError, match="read-only"):
        load(mimic_folder(tmp_path / "mimic", 1), RecordStore.open(tmp_path / "s.sqlite"))


def test_a_locked_store_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = RecordStore.create(tmp_path / "s.sqlite")
    connect = store.connect

    def impatient() -> sqlite3.Connection:
        connection = connect()
        connection.execute("PRAGMA busy_timeout = 0")
        return connection

    monkeypatch.setattr(store, "connect", impatient)
    with closing(connect()) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked by another program"):
            load(mimic_folder(tmp_path / "mimic", 1), store)


def test_a_source_of_no_known_format_is_refused_with_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "notes.bin").write_bytes(b"\x00")
    with pytest.raises(ImportFailure, match="Looked for: MIMIC-IV"):
        detect(tmp_path)


def test_a_source_of_two_formats_asks_for_the_kind(tmp_path: Path) -> None:
    mimic_folder(tmp_path, 1)
    (tmp_path / "person.csv").write_text("person_id\n", encoding="utf-8")
    with pytest.raises(ImportFailure, match=r"may be any of mimic, omop; .* --kind mimic"):
        detect(tmp_path)
    assert detect(tmp_path, kind="omop").kind == "omop"


@pytest.mark.parametrize(("kind", "message"), [(None, "nothing at"), ("hl7", "There is nothing at")])
def test_a_missing_source_is_told(tmp_path: Path, kind: str | None, message: str) -> None:
    with pytest.raises(ImportFailure, match=message):
        detect(tmp_path / "nowhere", kind=kind)


def test_an_unknown_kind_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ImportFailure, match="'hl7' is no format; choose one of mimic"):
        detect(tmp_path, kind="hl7")
