"""Linking to the store's own values: names, abbreviations, misspellings, parts, Chinese."""

import json
import re
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.values import ValueIndex
from knowledge.errors import IndexFault
from knowledge.store.store import RecordStore

LABS = [
    (1, "Creatinine", 5),
    (2, "Creatinine, Urine", 1),
    (3, "Bilirubin, Total", 2),
    (4, "Creatinine Clearance", 0),
]
ITEMS = [
    (1, "Heart Rate", "HR", "chartevents"),
    (2, "O2 saturation pulseoxymetry", "SpO2", "chartevents"),
    (3, "TF Residual", "TF Residual", "outputevents"),
    (4, "Heart Rate Alarm - High", "HR Alarm", "chartevents"),
]
DRUGS = [
    "Metformin",
    "Potassium Chl 20 mEq / 1000 mL D5 1/2 NS",
    "5% Dextrose (EXCEL BAG)",
    "Vancomycin",
    "0.9% Sodium Chloride",
]
DIAGNOSES = [("icd10|N179", "Acute kidney failure, unspecified", 1), ("icd10|N17", "Acute kidney failure", 0)]
SYNONYMS = {
    "肌酐": ["creatinine"],
    "Scr": ["serum creatinine", "Creatinine"],
    "急性肾损伤": ["acute kidney failure"],
    "总胆红素": ["total bilirubin"],
    "二甲双胍": ["metformin"],
    "糖": ["dextrose"],
    "无此": ["nothing like it"],
}


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> RecordStore:
    store = RecordStore.create(tmp_path_factory.mktemp("values") / "ward.sqlite")
    with closing(store.connect()) as connection, connection:
        connection.execute("INSERT INTO patients (subject_id, name, mrn) VALUES (1, 'Test Person', 'M-0042')")
        for itemid, label, count in LABS:
            connection.execute("INSERT INTO d_labitems (itemid, label) VALUES (?, ?)", (itemid, label))
            connection.executemany(
                "INSERT INTO labevents (subject_id, itemid) VALUES (1, ?)", [(itemid,)] * count
            )
        connection.executemany(
            "INSERT INTO d_items (itemid, label, abbreviation, linksto) VALUES (?, ?, ?, ?)", ITEMS
        )
        connection.execute("INSERT INTO chartevents (subject_id, itemid) VALUES (1, 1)")
        connection.executemany(
            "INSERT INTO prescriptions (subject_id, drug) VALUES (1, ?)", [(d,) for d in DRUGS]
        )
        connection.executemany(
            "INSERT INTO microbiologyevents (subject_id, spec_type_desc, test_name) VALUES (1, ?, ?)",
            [("KIDNEY", "R/O VANCOMYCIN RESISTANT ENTEROCOCCUS"), ("BLOOD CULTURE", None)],
        )
        for code, title, count in DIAGNOSES:
            connection.execute(
                "INSERT INTO d_icd_diagnoses (icd_code, long_title) VALUES (?, ?)", (code, title)
            )
            connection.executemany(
                "INSERT INTO diagnoses_icd (subject_id, icd_code) VALUES (1, ?)", [(code,)] * count
            )
    return store


@pytest.fixture(scope="module")
def values(ward: RecordStore) -> ValueIndex:
    return ValueIndex.build(ward, ward.path.with_suffix(".index"), SYNONYMS)


@pytest.mark.parametrize(
    ("text", "value", "how"),
    [
        ("creatinine", "Creatinine", "exact"),
        ("bilirubin total", "Bilirubin, Total", "normalised"),
        ("total bilirubin", "Bilirubin, Total", "normalised"),
        ("spo2", "O2 saturation pulseoxymetry", "abbreviation"),
        ("肌酐", "Creatinine", "synonym"),
        ("总胆红素", "Bilirubin, Total", "synonym"),
        ("creatinnine", "Creatinine", "typo"),
        ("vancomicin", "Vancomycin", "typo"),
        ("acute kidny failure", "Acute kidney failure", "typo"),
        ("urine creatinine", "Creatinine, Urine", "normalised"),
        ("vancomycin enterococcus", "R/O VANCOMYCIN RESISTANT ENTEROCOCCUS", "token"),
        ("N17.9", "icd10|N179", "normalised"),
        ("n179", "icd10|N179", "normalised"),
        ("m-0042", "M-0042", "exact"),
    ],
)
def test_a_value_is_found_by_what_people_call_it(values: ValueIndex, text: str, value: str, how: str) -> None:
    best = values.lookup(text)[0]
    assert (best.value, best.how) == (value, how)


def test_the_whole_name_comes_before_longer_ones_and_what_occurs_before_what_never_does(
    values: ValueIndex,
) -> None:
    found = [(m.value, m.count) for m in values.lookup("creatinine")]
    assert found == [("Creatinine", 5), ("Creatinine, Urine", 1), ("Creatinine Clearance", 0)]


def test_counts_are_of_the_events_that_a_dictionary_links_to(values: ValueIndex) -> None:
    found = {m.value: (m.count, m.events) for m in values.lookup("heart rate")}
    assert found == {"Heart Rate": (1, "chartevents"), "Heart Rate Alarm - High": (0, "chartevents")}


def test_columns_narrow_a_look_up(values: ValueIndex) -> None:
    assert {m.column for m in values.lookup("kidney")} == {"spec_type_desc", "long_title"}
    assert {m.column for m in values.lookup("kidney", [("d_icd_diagnoses", "long_title")])} == {"long_title"}
    assert values.lookup("kidney", []) == []


@pytest.mark.parametrize("text", ["", "   ", "%", '" OR *', "x" * 50_000, "the", "糖尿病足溃疡", "\x00"])
def test_what_names_nothing_finds_nothing(values: ValueIndex, text: str) -> None:
    assert values.lookup(text) == []
    assert values.exact(text) == []
    assert values.spans(text) == []


@pytest.mark.parametrize(
    ("question", "mentions"),
    [
        ("Did the POTASSIUM chl 20 meq/1000 ml d5 1/2 ns run?", {"POTASSIUM chl 20 meq/1000 ml d5 1/2 ns"}),
        ("Was 5% dextrose (excel bag) or metformin given?", {"5% dextrose (excel bag)", "metformin"}),
        ("Result of r/o vancomycin resistant enterococcus?", {"r/o vancomycin resistant enterococcus"}),
        ("Is bilirubin, total above normal?", {"bilirubin, total"}),
        ("tf residual output today", {"tf residual"}),
        ("最近一次肌酐是多少，用过二甲双胍吗？", {"肌酐", "二甲双胍"}),
        ("HR and SpO2 of patient 1", {"HR", "SpO2"}),
        ("acute kidney failure, unspecified", {"acute kidney failure, unspecified"}),
        ("Any acute kidney failure?", {"acute kidney failure"}),
        ("0.9% sodium chloride, not 9% sodium chloride", {"0.9% sodium chloride"}),
    ],
)
def test_the_longest_mentions_of_a_question_are_found(
    values: ValueIndex, question: str, mentions: set[str]
) -> None:
    spans = values.spans(question)
    assert {span.text.removeprefix("%") for span in spans} == {m.removeprefix("%") for m in mentions}
    assert all(span.text == question[span.start : span.end] for span in spans)


def test_misspelt_and_partial_mentions_are_found_only_when_asked_for(values: ValueIndex) -> None:
    question = "What about creatinnine and enterococcus?"
    assert values.spans(question) == []
    found = {
        span.text: (span.matches[0].value, span.matches[0].how) for span in values.spans(question, loose=True)
    }
    assert found == {
        "creatinnine": ("Creatinine", "typo"),
        "enterococcus": ("R/O VANCOMYCIN RESISTANT ENTEROCOCCUS", "token"),
    }


@settings(max_examples=200, deadline=None)
@given(question=st.text(max_size=120))
def test_spans_never_overlap_and_quote_the_question(values: ValueIndex, question: str) -> None:
    position = 0
    for span in values.spans(question, loose=True):
        assert position <= span.start < span.end
        assert span.text == question[span.start : span.end]
        assert span.matches
        position = span.end


def test_an_index_knows_when_rows_were_added(ward: RecordStore, tmp_path: Path) -> None:
    index = ValueIndex.build(ward, tmp_path)
    assert not index.is_stale(ward)
    with closing(ward.connect()) as connection, connection:
        connection.execute("INSERT INTO prescriptions (subject_id, drug) VALUES (1, 'Aspirin')")
    assert index.is_stale(ward)


def test_an_altered_value_index_is_refused(ward: RecordStore, tmp_path: Path) -> None:
    ValueIndex.build(ward, tmp_path).close()
    (file,) = tmp_path.rglob("values.sqlite")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(IndexFault, match=re.escape(f"chartroom index --rebuild --store {ward.path}")):
        ValueIndex.open(ward, tmp_path)


COLUMNS = {
    "drug_name": ("prescriptions", "drug"),
    "lab_name": ("d_labitems", "label"),
    "diagnosis_name": ("d_icd_diagnoses", "long_title"),
    "procedure_name": ("d_icd_procedures", "long_title"),
    "input_name": ("d_items", "label"),
    "spec_name": ("microbiologyevents", "spec_type_desc"),
    "careunit": ("transfers", "careunit"),
    "drug_route": ("prescriptions", "route"),
    "admission_route": ("admissions", "admission_location"),
}


def test_values_named_in_published_questions_are_found_in_their_column(
    shared_data: Path, tmp_path: Path
) -> None:
    folder = shared_data / "ehrsql-2024"
    index = ValueIndex.build(RecordStore.open(folder / "mimic_iv.sqlite"), tmp_path)
    named, missed = Counter(), Counter()
    for item in json.loads((folder / "valid" / "annotated.json").read_text(encoding="utf-8")):
        if not isinstance(item["val_dict"], dict):
            continue
        found = {(m.table, m.column, m.value) for span in index.spans(item["question"]) for m in span.matches}
        for key, value in item["val_dict"]["val_placeholder"].items():
            kind = key.rstrip("0123456789")
            if kind in COLUMNS:
                named[kind] += 1
                missed[kind] += (*COLUMNS[kind], value) not in found
    assert named.total() > 500
    assert missed.total() / named.total() < 0.01
