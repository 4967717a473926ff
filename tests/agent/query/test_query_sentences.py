"""Sentences say what the evidence says, in both languages, and carry the operations behind their numbers."""

import re
from contextlib import closing

import pytest
from hospital import NOW, small_hospital

from agent.answer import Language
from agent.query.execute import Outcome, run
from agent.query.model import (
    Ask,
    Balance,
    Change,
    ClinicalQuery,
    Concept,
    Count,
    Encounter,
    Events,
    Exists,
    Pick,
    Rows,
    Statistic,
    Top,
    Trend,
)
from agent.query.numerals import decimals_of, moment, number
from agent.query.phrases import assumption, phrases
from agent.query.realise import realise
from agent.query.sentence import Sentence
from agent.scope import Scope
from knowledge.store.store import RecordStore


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> RecordStore:
    return small_hospital(tmp_path_factory.mktemp("store") / "hospital.sqlite")


CREATININE = Events(domain="lab", concepts=(Concept(values=("Creatinine",), said="肌酐"),))
LATEST = CREATININE.model_copy(update={"pick": Pick(which="last")})
NOW_IN = CREATININE.model_copy(update={"encounter": Encounter(which="current")})
ACTIVE = Events(domain="drug", status="active")


def outcome(store: RecordStore, ask: Ask, of: Events, patient: int | None = 1) -> Outcome:
    return run(ClinicalQuery(ask=ask, of=of, patient=patient), store, Scope(now=NOW))


def said(sentences: tuple[Sentence, ...] | None) -> list[str]:
    return [s.text for s in sentences or ()]


@pytest.mark.parametrize(
    ("ask", "of", "english", "chinese"),
    [
        (
            Rows(fields=("value",)),
            LATEST,
            ["The latest Creatinine (“肌酐”) was 1.9 mg/dL ↑ (0.4–1.1) (2025-02-27 06:00)."],
            ["最近一次肌酐（Creatinine）为 1.9 mg/dL ↑（0.4–1.1）（2025-02-27 06:00）。"],
        ),
        (
            Change(),
            NOW_IN,
            [
                "Creatinine (“肌酐”) rose by 0.7 mg/dL (58%), from 1.2 mg/dL (2025-02-25 09:00) "
                "to 1.9 mg/dL (2025-02-27 06:00)."
            ],
            [
                "肌酐（Creatinine）由 1.2 mg/dL（2025-02-25 09:00）升至 1.9 mg/dL（2025-02-27 06:00），"
                "升高 0.7 mg/dL（58%）。"
            ],
        ),
        (
            Trend(),
            NOW_IN,
            [
                "Creatinine (“肌酐”) rose from 1.2 mg/dL (2025-02-25 09:00) to a peak of 2.8 mg/dL "
                "(2025-02-26 06:00); the latest is 1.9 mg/dL (2025-02-27 06:00).",
                "The lowest was 1.2 mg/dL (2025-02-25 09:00) and the highest 2.8 mg/dL (2025-02-26 06:00), "
                "of 3 values.",
            ],
            [
                "肌酐（Creatinine）由 1.2 mg/dL（2025-02-25 09:00）升至峰值 2.8 mg/dL（2025-02-26 06:00），"
                "最近为 1.9 mg/dL（2025-02-27 06:00）。",
                "最低为 1.2 mg/dL（2025-02-25 09:00），最高为 2.8 mg/dL（2025-02-26 06:00），共 3 个值。",
            ],
        ),
        (
            Rows(fields=("name", "dose", "dose_unit", "route", "frequency")),
            ACTIVE,
            ["Furosemide 40 mg IV BID.", "Ceftriaxone 1 g IV DAILY."],
            ["Furosemide 40 mg IV BID。", "Ceftriaxone 1 g IV DAILY。"],
        ),
        (
            Balance(),
            Events(domain="input"),
            ["The fluid balance was 400 mL: 1500 mL in, 1100 mL out."],
            ["液体平衡为 400 mL：入量 1500 mL，出量 1100 mL。"],
        ),
    ],
    ids=["latest", "change", "trend", "drugs", "balance"],
)
def test_sentence(store: RecordStore, ask: Ask, of: Events, english: list[str], chinese: list[str]) -> None:
    found = outcome(store, ask, of)
    assert said(realise(found, "en")) == english
    assert said(realise(found, "zh")) == chinese


def test_nothing_found_says_nothing_but_a_count_of_none_does(store: RecordStore) -> None:
    nothing = Events(domain="allergy", concepts=(Concept(values=("Penicillin",)),))
    assert realise(outcome(store, Rows(fields=("name",)), nothing), "en") is None
    assert realise(outcome(store, Exists(), nothing), "zh") is None
    assert said(realise(outcome(store, Count(), nothing), "en")) == ["Recorded for Penicillin: 0 allergies."]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    ("ask", "of", "patient"),
    [
        (Rows(fields=("value",)), LATEST, 1),
        (Rows(fields=("name", "time", "value")), Events(domain="lab"), None),
        (Change(), NOW_IN, 1),
        (Change(), CREATININE, None),
        (Trend(), CREATININE, 1),
        (Statistic(function="mean"), CREATININE, 1),
        (Top(), Events(domain="drug"), None),
        (Count(), CREATININE, 1),
        (Balance(per="day"), Events(domain="input"), 1),
    ],
)
def test_every_number_is_in_the_evidence_or_the_result_of_an_operation(
    store: RecordStore, ask: Ask, of: Events, patient: int | None, language
) -> None:
    found = outcome(store, ask, of, patient)
    for sentence in realise(found, language) or ():
        evidence = [found.evidence[i] for i in sentence.evidence]
        text = re.sub(r"\d{4}-\d\d-\d\d(?: \d\d:\d\d)?", "", sentence.text)
        known = {str(cell) for e in evidence for cell in e.values.values()}
        known |= {number(cell) for e in evidence for cell in e.values.values()}
        results = [op.result for op in sentence.operations]
        for shown in re.findall(r"-?\d+(?:\.\d+)?", text):
            near = any(abs(float(shown) - result) <= 0.5 for result in results)
            assert shown in known or near, (shown, sentence)


def test_long_lists_say_how_many_more_there_are(store: RecordStore) -> None:
    sentences = realise(outcome(store, Rows(fields=("row_id",)), Events(domain="lab"), None), "en")
    assert sentences is not None and len(sentences) <= 16


@pytest.fixture(scope="module")
def series_store(tmp_path_factory: pytest.TempPathFactory) -> RecordStore:
    """The small hospital with a series that peaks, one of computed figures, and cultures with many antibiotics."""
    store = small_hospital(tmp_path_factory.mktemp("series") / "series.sqlite")
    with closing(store.connect()) as connection, connection:
        connection.executemany(
            "INSERT INTO d_labitems (itemid, label) VALUES (?, ?)", [(901, "Lactate"), (902, "Calcium")]
        )
        connection.executemany(
            "INSERT INTO labevents (subject_id, itemid, charttime, valuenum, value, valueuom, ref_range_lower, "
            "ref_range_upper, flag) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (901, "2025-02-26 06:00:00", 1.9, "1.9", "mmol/L", 0.5, 2.2, None),
                (901, "2025-02-26 12:00:00", 2.7, "2.7", "mmol/L", 0.5, 2.2, "high"),
                (901, "2025-02-26 18:00:00", 2.0, "2.0", "mmol/L", 0.5, 2.2, None),
                (902, "2025-02-26 06:00:00", 1.3092769933, "1.3092769933", "mmol/L", None, None, "low"),
            ],
        )
        connection.executemany(
            "INSERT INTO microbiologyevents (subject_id, charttime, spec_type_desc, test_name, org_name, ab_name, "
            "interpretation) VALUES (3, ?, 'URINE', 'Urine culture', ?, ?, 'S')",
            [
                ("2025-01-22 09:00:00", "KLEBSIELLA PNEUMONIAE", "CEFTRIAXONE"),
                ("2025-01-23 09:00:00", "KLEBSIELLA PNEUMONIAE", "CEFTRIAXONE"),
            ],
        )
    return store


def test_a_turn_inside_a_trend_is_said_with_decimals_as_recorded(series_store: RecordStore) -> None:
    lactate = Events(domain="lab", concepts=(Concept(values=("Lactate",)),))
    assert said(realise(outcome(series_store, Trend(), lactate), "en"))[0] == (
        "Lactate rose from 1.9 mmol/L (2025-02-26 06:00) to a peak of 2.7 mmol/L (2025-02-26 12:00); "
        "the latest is 2.0 mmol/L (2025-02-26 18:00)."
    )


def test_what_no_one_measures_so_exactly_is_rounded_and_kept_exact_in_the_evidence(
    series_store: RecordStore,
) -> None:
    calcium = Events(domain="lab", concepts=(Concept(values=("Calcium",)),), pick=Pick(which="last"))
    found = outcome(series_store, Rows(fields=("time", "value", "unit")), calcium)
    assert said(realise(found, "en")) == ["The latest Calcium was 1.309 mmol/L ↓ (2025-02-26 06:00)."]
    assert found.evidence[0].values["value"] == 1.3092769933


def test_organisms_are_counted_by_culture_and_not_by_antibiotic(series_store: RecordStore) -> None:
    found = outcome(series_store, Top(field="organism"), Events(domain="microbiology"), None)
    assert found.rows == (("KLEBSIELLA PNEUMONIAE", 2), ("ESCHERICHIA COLI", 1))
    assert "cultures_counted" in found.assumptions


def test_a_culture_without_organism_says_what_the_laboratory_wrote(store: RecordStore) -> None:
    fields = ("time", "specimen", "test", "organism")
    cultures = outcome(store, Rows(fields=fields), Events(domain="microbiology"), 2)
    assert said(realise(cultures, "en")) == [
        "Microbiology result: 2025-01-10 23:00, BLOOD CULTURE, Blood culture, no growth."
    ]


def test_an_open_order_says_so_and_a_withdrawn_allergy_says_so(store: RecordStore) -> None:
    furosemide = Events(domain="drug", concepts=(Concept(values=("Furosemide",)),), pick=Pick(which="last"))
    asked = Rows(fields=("end", "dose", "dose_unit", "route"), also=("frequency",))
    ends = outcome(store, asked, furosemide)
    assert said(realise(ends, "en")) == ["The latest Furosemide: 40 mg IV BID, no stop date."]
    assert said(realise(ends, "zh")) == ["最近一次Furosemide：40 mg IV BID，未写停止时间。"]
    allergies = outcome(store, Rows(fields=("substance", "reaction")), Events(domain="allergy"), 3)
    assert "Latex, itching, entered-in-error." in said(realise(allergies, "en"))


def test_people_and_stays_read_as_sentences(store: RecordStore) -> None:
    patient, stay = Events(domain="patient"), Events(domain="admission")
    assert said(realise(outcome(store, Rows(fields=("age",)), patient), "en")) == ["Age: 66."]
    assert said(realise(outcome(store, Rows(fields=("gender",)), patient), "zh")) == ["性别：女。"]
    assert said(realise(outcome(store, Count(of="patients"), patient, None), "en")) == [
        "Number of patients: 4."
    ]
    assert said(realise(outcome(store, Count(of="patients"), patient, None), "zh")) == ["患者共 4 名。"]
    listed = outcome(store, Rows(fields=("time", "end", "type", "reason")), stay, 2)
    assert said(realise(listed, "en")) == [
        "Hospital admission: from 2025-01-10 20:00, until 2025-01-18 11:00, type: emergency, pneumonia."
    ]


def test_numbers_are_as_in_the_record() -> None:
    assert [number(x) for x in (1.9, 40.0, 7, 0.01, None, "<0.01")] == ["1.9", "40", "7", "0.01", "", "<0.01"]
    assert number(0.6999999999, 1) == "0.7"
    assert number(-0.0001, 1) == "0"
    assert decimals_of((1.25, 3, "x", None)) == 2
    assert [moment(t) for t in ("2025-02-27 06:00:00", "1958-06-01 00:00:00")] == [
        "2025-02-27 06:00",
        "1958-06-01",
    ]


def test_both_languages_have_the_same_phrases() -> None:
    def keys(node: object, path: str = "") -> set[str]:
        if not isinstance(node, dict):
            return {path}
        return {k for name, child in node.items() for k in keys(child, f"{path}.{name}")}

    def said(language: Language) -> set[str]:
        return {key for key in keys(phrases(language)) if not key.startswith(".value.")}

    assert said("en") == said("zh")  # coded values are English already
    assert assumption("zh", "ties_included")
