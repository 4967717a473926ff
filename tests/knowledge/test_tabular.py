"""A hospital's own export: the documented example, and every mistake a mapping or an export can hold."""

import shutil
from contextlib import closing
from pathlib import Path

import openpyxl
import pytest

from knowledge.errors import ImportFailure
from knowledge.importers import FileState, LoadReport, load
from knowledge.store.store import RecordStore

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "tabular"
MAPPING = """\
tables:
  - table: patients
    file: 病人.csv
    columns:
      subject_id: 病历号
      gender: {column: 性别, values: {男: m, 女: f}}
      dob: {column: 出生日期, format: "%Y/%m/%d"}
"""
PATIENTS = "病历号,性别,出生日期\nA1,男,1951/3/12\nA2,女,1968/11/2\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
    (tmp_path / "export" / "病人.csv").write_text(PATIENTS, encoding="utf-8")
    return tmp_path / "export"


@pytest.fixture
def store(tmp_path: Path) -> RecordStore:
    return RecordStore.create(tmp_path / "store.sqlite")


def rows(store: RecordStore, query: str) -> list[tuple[object, ...]]:
    with closing(store.connect()) as connection:
        return connection.execute(query).fetchall()


def refused(folder: Path, store: RecordStore, mapping: str) -> str:
    (folder / "mapping.yaml").write_text(mapping, encoding="utf-8")
    with pytest.raises(ImportFailure) as caught:
        load(folder, store)
    assert rows(store, "SELECT count(*) FROM sources") == [(0,)]
    return str(caught.value)


def test_the_documented_example_loads(tmp_path: Path, store: RecordStore) -> None:
    report = load(EXAMPLE, store)
    assert (report.counts.accepted, report.counts.input) == (17, 17)
    assert rows(store, "SELECT mrn, name, gender, dob FROM patients LIMIT 1") == [
        ("EX-0001", "测试甲", "m", "1951-03-12 00:00:00")
    ]
    assert rows(
        store,
        "SELECT p.mrn, d.label, l.charttime, l.valuenum, l.value, l.valueuom FROM labevents l"
        " JOIN patients p USING (subject_id) JOIN d_labitems d USING (itemid)"
        " WHERE l.source_id IN ('R2|CREA', 'R3|TNI') ORDER BY l.source_id",
    ) == [
        ("EX-0001", "肌酐", "2031-04-04 07:30:00", 142.0, "142", "μmol/L"),
        ("EX-0002", "肌钙蛋白I", "2031-04-03 16:00:00", None, "<0.01", "ng/mL"),
    ]
    assert rows(store, "SELECT icd_code, long_title FROM d_icd_diagnoses LIMIT 1") == [
        ("icd10|N179", "急性肾衰竭")
    ]
    assert all(file.state is FileState.UNCHANGED for file in load(EXAMPLE, store).files)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_the_encoding_of_a_file_is_recognised(folder: Path, store: RecordStore, encoding: str) -> None:
    (folder / "病人.csv").write_bytes(PATIENTS.encode(encoding))
    load(folder, store)
    assert rows(store, "SELECT gender, dob, source_id FROM patients") == [
        ("m", "1951-03-12 00:00:00", "A1"),
        ("f", "1968-11-02 00:00:00", "A2"),
    ]


def test_a_corrected_mapping_changes_the_same_rows(folder: Path, store: RecordStore) -> None:
    load(folder, store)
    before = rows(store, "SELECT row_id, subject_id FROM patients")
    (folder / "mapping.yaml").write_text(MAPPING.replace("男: m", "男: other"), encoding="utf-8")
    report = load(folder, store)
    assert (report.counts.updated, report.counts.duplicates) == (1, 1)
    assert rows(store, "SELECT row_id, subject_id FROM patients") == before
    assert rows(store, "SELECT gender FROM patients") == [("other",), ("f",)]


def bad_row(folder: Path, store: RecordStore, line: str) -> LoadReport:
    (folder / "病人.csv").write_text(PATIENTS + line, encoding="utf-8")
    report = load(folder, store)
    assert (report.counts.accepted, report.counts.rejected) == (2, 1)
    return report


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("A3,男,12.3.1951\n", "patients.dob: column '出生日期' is not a time like %Y/%m/%d"),
        ("A3,男,1951/2/30\n", "patients.dob: column '出生日期' is not a time like %Y/%m/%d"),
        ("A3,秘密,1951/3/12\n", "patients.gender: the value of column '性别' is not in its value map"),
        (",男,1951/3/12\n", "patients.subject_id is missing"),
        ("病历号,性别,出生日期\n", "is a second header, not a record"),
        ("A3,男\n", "has 2 cells where the header has 3"),
        ("A\x003,男,1951/3/12\n", "a key of patients contains a NUL character"),
    ],
)
def test_a_bad_row_is_quarantined_with_line_and_reason(
    folder: Path, store: RecordStore, line: str, reason: str
) -> None:
    bad_row(folder, store, line)
    assert rows(store, "SELECT line, item, reason FROM quarantine") == [(4, "patients", reason)]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("table: patients", "table: patienten", "line 2, tables.0.table: the store has no table 'patienten'"),
        ("gender:", "sex:", "line 6, tables.0.columns.sex: patients has no column 'sex'"),
        ("column: 性别", "column: 姓别", "line 6, tables.0.columns.gender: 病人.csv has no column '姓别'"),
        ("file: 病人.csv", "file: 患者.csv", "line 3, tables.0.file: there is no file '患者.csv'"),
        ("file: 病人.csv", "file: 患者_*.csv", "line 3, tables.0.file: there is no file '患者_*.csv'"),
        ("      subject_id: 病历号\n", "", "line 4, tables.0.columns: patients needs subject_id"),
        (
            "column: 性别, values",
            "column: 性别, constant: m, values",
            "line 6, tables.0.columns.gender: give either",
        ),
        ("format:", "fromat:", "line 7, tables.0.columns.dob.fromat: Extra inputs"),
        ("    columns:", "    header: 0\n    columns:", "line 4, tables.0.header"),
        ("    columns:", "    encoding: gb99\n    columns:", "is no encoding that Python knows"),
        (
            "    columns:",
            "    key: 门诊号\n    columns:",
            "line 4, tables.0.key: 病人.csv has no column '门诊号'",
        ),
        ("      subject_id: 病历号", "      subject_id: [病历号", "is not YAML"),
        ("subject_id: 病历号", "d_items.label: 病历号", "'d_items' is no dictionary that patients refers to"),
        ("tables:", "tabelles:", "tables: Field required"),
    ],
)
def test_a_mistake_in_the_mapping_is_told_with_its_line_and_key_before_anything_is_loaded(
    folder: Path, store: RecordStore, old: str, new: str, message: str
) -> None:
    assert old in MAPPING
    assert message in refused(folder, store, MAPPING.replace(old, new))


def test_a_title_line_above_the_header_is_answered_by_the_header_setting(
    folder: Path, store: RecordStore
) -> None:
    (folder / "病人.csv").write_text("某医院病人导出,,\n" + PATIENTS, encoding="utf-8")
    assert "say so with 'header'" in refused(folder, store, MAPPING)
    (folder / "mapping.yaml").write_text(
        MAPPING.replace("    columns:", "    header: 2\n    columns:"), "utf-8"
    )
    assert load(folder, store).counts.accepted == 2


@pytest.mark.parametrize("data", [b"", b"\n\n"])
def test_an_empty_file_is_told(folder: Path, store: RecordStore, data: bytes) -> None:
    (folder / "病人.csv").write_bytes(data)
    with pytest.raises(ImportFailure, match="is empty"):
        load(folder, store)


def test_a_broken_workbook_and_a_missing_sheet_are_told(folder: Path, store: RecordStore) -> None:
    mapping = MAPPING.replace("病人.csv", "病人.xlsx")
    (folder / "病人.xlsx").write_bytes(b"PK\x03\x04 no workbook")
    assert "not a readable .xlsx workbook" in refused(folder, store, mapping)
    openpyxl.Workbook().save(folder / "病人.xlsx")
    message = refused(folder, store, mapping.replace("    columns:", "    sheet: 检验\n    columns:"))
    assert "has no sheet '检验'; it has Sheet" in message


def test_a_second_header_in_a_sheet_is_quarantined(folder: Path, store: RecordStore) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for line in PATIENTS.splitlines():
        sheet.append(line.split(","))
    sheet.append(["病历号", "性别", "出生日期"])
    sheet.append([])
    book.save(folder / "病人.xlsx")
    (folder / "mapping.yaml").write_text(MAPPING.replace("病人.csv", "病人.xlsx"), encoding="utf-8")
    report = load(folder, store)
    assert (report.counts.accepted, report.counts.rejected, report.counts.input) == (2, 1, 3)


def test_events_find_patients_that_another_kind_of_source_brought(folder: Path, store: RecordStore) -> None:
    person = folder.parent / "cdm"
    person.mkdir()
    (person / "person.csv").write_text("person_id,gender_concept_id,year_of_birth\n42,8532,1960\n")
    load(person, store)
    (folder / "过敏.csv").write_text("病历号,过敏原\n42,青霉素\n43,青霉素\n", encoding="utf-8")
    mapping = (
        "tables:\n  - table: allergies\n    file: 过敏.csv\n"
        "    columns: {subject_id: 病历号, substance: 过敏原}\n"
    )
    (folder / "mapping.yaml").write_text(mapping, encoding="utf-8")
    report = load(folder, store)
    assert (report.counts.accepted, report.counts.rejected) == (1, 1)
    assert rows(store, "SELECT subject_id, substance FROM allergies") == [(42, "青霉素")]


def test_the_example_can_be_copied_and_loaded_from_elsewhere(tmp_path: Path, store: RecordStore) -> None:
    load(EXAMPLE, store)
    shutil.copytree(EXAMPLE, tmp_path / "copy")
    assert all(file.state is FileState.UNCHANGED for file in load(tmp_path / "copy", store).files)
