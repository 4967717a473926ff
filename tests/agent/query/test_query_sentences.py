"""Sentences say what the evidence says, in both languages, and carry the operations behind their numbers."""

import re

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
from agent.query.realise import Sentence, realise
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
