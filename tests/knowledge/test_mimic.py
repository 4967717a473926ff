"""MIMIC-IV: a folder of a few rows to the letter, and the published demo as a whole."""

import gzip
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from knowledge.errors import ImportFailure
from knowledge.importers import FileState, LoadReport, load
from knowledge.store.store import RecordStore

FILES = {
    "hosp/patients": "subject_id,gender,anchor_age,anchor_year,anchor_year_group,dod\n"
    "10,F,60,2150,2011 - 2013,2160-05-01\n11,M,91,2150,2011 - 2013,\n",
    "hosp/admissions": "subject_id,hadm_id,admittime,dischtime,deathtime,admission_type,admission_location,"
    "discharge_location,insurance,language,marital_status,race\n"
    "10,20,2152-01-01 10:00:00,2152-01-05 00:00:00,,URGENT,ER,HOME,Medicaid,?,,WHITE\n"
    "10,21,2151-01-01 10:00:00,2151-01-05 00:00:00,,URGENT,ER,HOME,Medicaid,?,,UNKNOWN\n",
    "hosp/d_icd_diagnoses": "icd_code,icd_version,long_title\nV707 ,9,Examination\n"
    "N179,10,Acute kidney failure\n",
    "hosp/diagnoses_icd": "subject_id,hadm_id,seq_num,icd_code,icd_version\n"
    "10,20,1,N179 ,10\n10,20,2,Z999,10\n",
    "hosp/d_hcpcs": "code,category,long_description,short_description\nTD   ,,,Rn\n",
    "hosp/hcpcsevents": "subject_id,hadm_id,chartdate,hcpcs_cd,seq_num,short_description\n"
    "10,20,2152-01-02,TD,1,Rn\n",
    "hosp/d_labitems": "itemid,label,fluid,category\n50912,Creatinine,Blood,Chemistry\n",
    "hosp/labevents": "labevent_id,subject_id,hadm_id,specimen_id,itemid,charttime,value,valuenum,valueuom,"
    "ref_range_lower,ref_range_upper,flag,comments\n"
    "1,10,20,5,50912,2152-01-02 00:00:00,1.9,1.9,mg/dL,0.4,1.1,abnormal,\n"
    '2,10,,5,50912,2152-01-03 00:00:00,___,,,,,,"NEG.\nSEE NOTE"\n'
    "3,10,20,5,99999,2152-01-03 00:00:00,1,1,,,,,\n"
    "4,10,20,5,50912,3.1.2152,1,1,,,,,\n"
    "5,77,,5,50912,2152-01-03 00:00:00,1,1,,,,,\n",
    "hosp/omr": "subject_id,chartdate,seq_num,result_name,result_value\n10,2152-01-01,1,Weight (Lbs),127\n",
    "hosp/provider": "provider_id\nP1\nP2\n",
    "note/discharge": "note_id,subject_id,hadm_id,note_type,note_seq,charttime,storetime,text\n"
    '10-DS-1,10,20,DS,1,2152-01-05 00:00:00,,"Line one\nLine two"\n',
}


def write(folder: Path, **replaced: str) -> Path:
    for name, text in FILES.items():
        path = folder / f"{name}.csv.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(replaced.get(path.parent.name + "_" + path.stem[:-4], text).encode()))
    return folder


@pytest.fixture
def store(tmp_path: Path) -> RecordStore:
    return RecordStore.create(tmp_path / "store.sqlite")


def rows(store: RecordStore, query: str) -> list[tuple[object, ...]]:
    with closing(store.connect()) as connection:
        return connection.execute(query).fetchall()


def state(report: LoadReport, name: str) -> tuple[FileState, str]:
    file = next(file for file in report.files if file.path.name.startswith(name))
    return file.state, file.error or ""


def test_every_row_is_accepted_quarantined_or_counted_as_skipped(tmp_path: Path, store: RecordStore) -> None:
    report = load(write(tmp_path / "mimic"), store)
    assert report.kind == "mimic"
    counts = {name: (c.accepted, c.rejected, c.skipped) for name, c in report.items.items()}
    assert counts["labevents"] == (2, 3, 0)
    assert counts["provider"] == (0, 0, 2)
    assert sum(c.input for c in report.items.values()) == 20
    assert rows(store, "SELECT line, reason FROM quarantine ORDER BY line") == [
        (5, "labevents.itemid refers to a row of d_labitems that is not there"),
        (6, "labevents.charttime is not a time like YYYY-MM-DD HH:MM:SS"),
        (7, "labevents.subject_id refers to a row of patients that is not there"),
    ]


def test_year_of_birth_race_and_age_follow_from_the_anchor_and_the_last_admission(
    tmp_path: Path, store: RecordStore
) -> None:
    load(write(tmp_path / "mimic"), store)
    assert rows(store, "SELECT subject_id, gender, dob, dob_precision, dod, race FROM patients") == [
        (10, "f", "2090-01-01 00:00:00", "year", "2160-05-01 00:00:00", "WHITE"),
        (11, "m", None, None, None, None),  # ages above 89 are hidden, so no year of birth follows
    ]
    assert rows(store, "SELECT hadm_id, age FROM admissions ORDER BY hadm_id") == [(20, 62), (21, 61)]


def test_codes_carry_their_system_and_titles_keep_their_case(tmp_path: Path, store: RecordStore) -> None:
    report = load(write(tmp_path / "mimic"), store)
    assert rows(
        store,
        "SELECT icd_code, long_title, charttime FROM diagnoses_icd JOIN d_icd_diagnoses USING (icd_code)",
    ) == [
        ("icd10|N179", "Acute kidney failure", "2152-01-01 10:00:00"),
        ("icd10|Z999", "icd10|Z999", "2152-01-01 10:00:00"),  # in no dictionary: kept, and told
    ]
    assert report.items["diagnoses_icd"].untitled == 1
    assert rows(store, "SELECT icd_code, charttime FROM procedures_icd") == [
        ("hcpcs|TD", "2152-01-02 00:00:00")
    ]
    assert rows(store, "SELECT icd_code FROM d_icd_diagnoses WHERE long_title = 'Examination'") == [
        ("icd9|V707",)
    ]


def test_a_blanked_result_takes_its_comment_and_notes_keep_their_text(
    tmp_path: Path, store: RecordStore
) -> None:
    load(write(tmp_path / "mimic"), store)
    assert rows(store, "SELECT value, valuenum FROM labevents ORDER BY row_id") == [
        ("1.9", 1.9),
        ("NEG.\nSEE NOTE", None),
    ]
    assert rows(store, "SELECT note_type, text, source_id, length(sha256) FROM notes") == [
        ("discharge", "Line one\nLine two", "10-DS-1", 64)
    ]
    assert rows(store, "SELECT label, value FROM observations") == [("Weight (Lbs)", "127")]


def test_a_second_load_reads_nothing_that_is_complete_and_changes_nothing(
    tmp_path: Path, store: RecordStore
) -> None:
    folder = write(tmp_path / "mimic")
    load(folder, store)
    before = rows(store, "SELECT * FROM labevents")
    report = load(folder, store)
    assert state(report, "patients")[0] is FileState.UNCHANGED
    # The lab events hold rows that wait for a patient and an item: they are read again, and stored once.
    assert (report.counts.accepted, report.items["labevents"].duplicates) == (0, 2)
    assert rows(store, "SELECT * FROM labevents") == before
    assert rows(store, "SELECT accepted, rejected, duplicates FROM sources WHERE unresolved > 0") == [
        (2, 3, 0)
    ]


def test_a_header_inside_the_data_is_quarantined_as_such(tmp_path: Path, store: RecordStore) -> None:
    text = FILES["hosp/omr"]
    load(write(tmp_path / "mimic", hosp_omr=text + text), store)
    assert rows(store, "SELECT line, reason FROM quarantine WHERE item = 'omr'") == [
        (3, "is a second header, not a record")
    ]


def test_a_row_with_a_cell_too_many_is_quarantined_alone(tmp_path: Path, store: RecordStore) -> None:
    load(write(tmp_path / "mimic", hosp_omr=FILES["hosp/omr"] + "10,2152-01-02,1,Height,170,cm\n"), store)
    assert rows(store, "SELECT line, reason FROM quarantine WHERE item = 'omr'") == [
        (3, "has 6 cells where the header has 5")
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"not gzip at all", "damaged or cut off"),
        (gzip.compress(FILES["hosp/omr"].encode())[:-12], "damaged or cut off"),
        (gzip.compress(b""), "is empty"),
        (gzip.compress(b"subject_id,chartdate\n10,2152-01-01\n"), "has no column 'seq_num'"),
        (
            gzip.compress(FILES["hosp/omr"].encode() + "10,2152-01-02,2,体重,60\n".encode("gb18030")),
            "is not utf-8",
        ),
        (gzip.compress(FILES["hosp/omr"].encode("utf-16")), "is not utf-8"),
        (gzip.compress(b"seq_num," + FILES["hosp/omr"].encode()), "a column twice"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_and_leaves_no_rows(
    tmp_path: Path, store: RecordStore, data: bytes, message: str
) -> None:
    folder = write(tmp_path / "mimic")
    (folder / "hosp" / "omr.csv.gz").write_bytes(data)
    report = load(folder, store)
    file_state, error = state(report, "omr")
    assert file_state is FileState.FAILED
    assert message in error
    assert rows(store, "SELECT count(*) FROM observations") == [(0,)]
    assert rows(store, "SELECT count(*) FROM labevents") == [(2,)]


def test_nul_bytes_quarantine_their_row(tmp_path: Path, store: RecordStore) -> None:
    load(write(tmp_path / "mimic", hosp_omr=FILES["hosp/omr"] + "10,2152-01-02,2,Height,1\x0070\n"), store)
    assert rows(store, "SELECT reason FROM quarantine WHERE item = 'omr'") == [
        ("observations.value contains a NUL character",)
    ]


def test_without_readable_patients_nothing_that_refers_to_them_is_read(
    tmp_path: Path, store: RecordStore
) -> None:
    report = load(write(tmp_path / "mimic", hosp_patients="subject_id\n10\n"), store)
    assert state(report, "patients")[0] is FileState.FAILED
    assert state(report, "labevents")[0] is FileState.HELD_BACK
    assert rows(store, "SELECT count(*) FROM quarantine") == [(0,)]


def test_an_error_never_repeats_a_first_line_that_is_a_record(tmp_path: Path, store: RecordStore) -> None:
    report = load(write(tmp_path / "mimic", hosp_omr="10,2152-01-01,1,SECRET,127\n"), store)
    assert "SECRET" not in state(report, "omr")[1]


@pytest.mark.shared_data
def test_the_published_demo_loads_completely(tmp_path: Path, shared_data: Path) -> None:
    store = RecordStore.create(tmp_path / "demo.sqlite")
    report = load(shared_data / "mimic-iv-demo", store)
    assert (report.counts.rejected, report.counts.input, report.failed) == (0, 729_638, ())
    expected = {
        "patients": 100,
        "admissions": 275,
        "labevents": 107_727,
        "prescriptions": 18_087,
        "diagnoses_icd": 4_506,
        "procedures_icd": 722 + 61,
        "microbiologyevents": 2_899,
        "icustays": 140,
        "transfers": 1_190,
        "inputevents": 20_404,
        "outputevents": 9_362,
        "observations": 2_964,
        "d_icd_diagnoses": 109_775,
        "d_labitems": 1_622,
        "d_items": 4_014,
    }
    assert {table: rows(store, f"SELECT count(*) FROM {table}")[0][0] for table in expected} == expected
    with closing(sqlite3.connect(store.path)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_a_folder_with_no_table_of_mimic_is_not_taken_for_it(tmp_path: Path, store: RecordStore) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImportFailure, match="No format"):
        load(tmp_path / "empty", store, kind="mimic")
