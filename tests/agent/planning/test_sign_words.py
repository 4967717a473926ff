"""Fever and the like are asked of measurements, and diagnoses, histories and causes are not."""

import pytest

from agent.language import language_of
from agent.planning.link import Candidate, Link, Linked, Sign
from agent.planning.sign_words import asked_of_sign, find_signs, limit_said, with_sign
from agent.query.model import ClinicalQuery, Concept, Condition, Count, Events, Exists, Pick, Rows

HELD = {"temperature celsius": "Temperature Celsius", "heart rate": "Heart Rate"}
FEVERS = Events(
    domain="vital",
    concepts=(Concept(values=("Temperature Celsius",), said="fever"),),
    where=(Condition(field="value", value="high"),),
)


def held(name: str) -> list[Candidate]:
    return [Candidate("vital", "name", HELD[name], 1.0, "exact", 5)] if name in HELD else []


def found(question: str, *values: Link) -> tuple[Sign, ...]:
    return find_signs(question, language_of(question), values, held)


@pytest.mark.parametrize(
    ("question", "words", "analyte", "side", "reads"),
    [
        ("did he have a fever?", "fever", "temperature", "high", "high {}"),
        ("was she febrile yesterday", "febrile", "temperature", "high", "with a high {}"),
        ("any tachycardia overnight", "tachycardia", "heart rate", "high", "high {}"),
        ("was he bradycardic", "bradycardic", "heart rate", "low", "with a low {}"),
        ("发热过吗", "发热", "temperature", "high", "{}高"),
        ("有没有发过烧", "发过烧", "temperature", "high", "{}高过"),
        ("心动过缓吗", "心动过缓", "heart rate", "low", "{}低"),
    ],
)
def test_a_sign_is_a_side_of_a_vital_sign(
    question: str, words: str, analyte: str, side: str, reads: str
) -> None:
    (sign,) = found(question)
    assert (sign.link.text, sign.analyte, sign.side, sign.link.read_as) == (words, analyte, side, reads)


@pytest.mark.parametrize(
    "question",
    [
        "was he diagnosed with fever",
        "history of tachycardia?",
        "why did she have a fever",
        "any family history of fever",
        "诊断过发热吗",
        "为什么发热",
        "有心动过速病史吗",
    ],
)
def test_diagnoses_histories_and_causes_are_not_measured(question: str) -> None:
    assert not found(question)


def test_a_sign_within_a_longer_name_is_none() -> None:
    longer = Link(12, 27, "rheumatic fever", (Candidate("diagnosis", "name", "Fever", 1.0, "exact", 1),))
    assert not found("did he have rheumatic fever", longer)


def test_a_store_without_the_vital_sign_has_no_sign() -> None:
    assert not found("was he hypotensive?")


def test_the_words_become_a_mention_of_the_vital_sign() -> None:
    diagnosis = Link(14, 19, "fever", (Candidate("diagnosis", "name", "Fever", 1.0, "exact", 1),))
    (sign,) = found("did he have a fever?", diagnosis)
    assert with_sign(Linked(values=(diagnosis,)), sign).values == (sign.link,)


def test_yes_or_no_rests_on_what_was_measured() -> None:
    (sign,) = found("did he have a fever?")
    listed = ClinicalQuery(ask=Rows(fields=("time", "value")), of=FEVERS, patient=1)
    asked = asked_of_sign(listed, sign, timed=False)
    assert asked == ClinicalQuery(ask=Exists(among=True), of=FEVERS, patient=1)


def test_other_questions_stay_what_they_are() -> None:
    (sign,) = found("how many times did he have a fever")
    counted = ClinicalQuery(ask=Count(), of=FEVERS, patient=1)
    assert asked_of_sign(counted, sign, timed=False) == counted


def test_a_plan_without_the_limit_is_not_followed() -> None:
    (sign,) = found("did he have a fever?")
    every = FEVERS.model_copy(update={"where": ()})
    assert asked_of_sign(ClinicalQuery(ask=Exists(), of=every, patient=1), sign, timed=False) is None


@pytest.mark.parametrize("question", ["is he febrile?", "现在发热吗"])
def test_now_is_answered_with_the_latest_value(question: str) -> None:
    (sign,) = found(question)
    asked = asked_of_sign(ClinicalQuery(ask=Exists(), of=FEVERS, patient=1), sign, timed=False)
    assert asked is not None and asked.of.pick == Pick(which="last") and not asked.of.where
    assert asked.of.concepts[0].said == ""  # the latest temperature is not called a fever


def test_the_limit_and_its_source_are_said() -> None:
    (sign,) = found("did he have a fever?")
    assert "above 38 °C / 100.4 °F" in limit_said(sign, "en")
    assert "NHSN" in limit_said(sign, "zh") and "ERC" not in limit_said(sign, "zh")
