"""Signs such as a fever are answered from the measurements, with the limit that was used."""

import pytest

from agent import ClinicalAgent
from agent.answer import Answer, RowEvidence


def cited(answer: Answer) -> set[tuple[str, int]]:
    rows = [piece for piece in answer.evidence if isinstance(piece, RowEvidence)]
    return {(piece.table, key) for piece in rows for key in piece.row_ids}


@pytest.mark.parametrize("question", ["Did he have a fever?", "发热过吗？"])
def test_a_fever_is_the_measured_temperature(agent: ClinicalAgent, question: str) -> None:
    answer = agent.ask(question, patient=1)
    assert "38.6 °C" in answer.text and cited(answer) == {("chartevents", 4)}
    assert any("38 °C" in said and "NHSN" in said for said in answer.assumptions)


@pytest.mark.parametrize("question", ["Was he tachycardic on 2025-02-28?", "2025年2月28日有心动过速吗？"])
def test_no_is_said_with_what_was_looked_at(agent: ClinicalAgent, question: str) -> None:
    answer = agent.ask(question, patient=1)
    assert answer.status == "answered" and "100 bpm" in answer.text and "88 bpm" in answer.text
    assert cited(answer) == {("chartevents", 3)}
    assert answer.result is not None and answer.result.rows == ((0,),)


def test_without_readings_the_notes_are_read(agent: ClinicalAgent) -> None:
    answer = agent.ask("Did he have a fever?", patient=2)
    assert "search_notes" in {step.tool for step in answer.steps}


@pytest.mark.parametrize("question", ["Which patients were diagnosed with fever?", "哪些患者诊断为发热？"])
def test_a_diagnosis_stays_one(agent: ClinicalAgent, question: str) -> None:
    answer = agent.ask(question)
    asked = [step.input for step in answer.steps if step.tool == "query_records"]
    assert all(step["of"]["domain"] == "diagnosis" for step in asked)
