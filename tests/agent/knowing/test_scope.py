"""Who may see one patient learns nothing of the others: the answers are those of a hospital without them."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from hospital import small_hospital

from agent import Answer, ClinicalAgent

MINE = 1
_OF_PATIENTS = (
    "labevents chartevents inputevents outputevents microbiologyevents prescriptions allergies diagnoses_icd "
    "procedures_icd notes immunizations observations diagnostic_reports icustays transfers admissions patients"
).split()
QUESTIONS = (
    "Which patients have pneumonia, including all subtypes?",
    "Which patients have heart failure, including all subtypes?",
    "How many patients have any type of diabetes?",
    "哪些患者有肺炎（包括所有亚型）？",
    "有多少患者有任何类型的糖尿病？",
    "Differential diagnosis of fever and dyspnea without cough",
    "发热伴呼吸困难的鉴别诊断",
)
OPEN = (
    "What could explain her acute kidney injury?",
    "Which of her current drugs interact?",
    "Which of her current drugs are contraindicated?",
    "Show the timeline of her type 2 diabetes",
    "Show the timeline of her pneumonia",
    "她的急性肾损伤还缺哪些检查？",
    "Does she have chest pain?",
)


@pytest.fixture(scope="module")
def agents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ClinicalAgent, ClinicalAgent]]:
    """One over the hospital for who may see one patient, one over a hospital that has this patient only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHARTROOM_HOME", str(tmp_path_factory.mktemp("scope-home")))
        patch.setenv("CHARTROOM_PLANNER", "catalogue")
        folder = tmp_path_factory.mktemp("scope")
        full, alone = small_hospital(folder / "full.sqlite"), small_hospital(folder / "alone.sqlite")
        with closing(sqlite3.connect(alone.path)) as connection, connection:
            for table in _OF_PATIENTS:
                connection.execute(f"DELETE FROM {table} WHERE subject_id <> ?", (MINE,))
        with (
            ClinicalAgent.open(full, permitted=frozenset({MINE})) as scoped,
            ClinicalAgent.open(alone, permitted=frozenset({MINE})) as lonely,
        ):
            yield scoped, lonely


def told(answer: Answer) -> dict[str, object]:
    """An answer without the times it took."""
    said = answer.model_dump(exclude={"ms", "steps"})
    return {**said, "steps": [(step.tool, step.summary) for step in answer.steps]}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_about_many_is_answered_as_if_the_others_were_not(
    agents: tuple[ClinicalAgent, ClinicalAgent], question: str
) -> None:
    scoped, lonely = agents
    assert told(scoped.ask(question)) == told(lonely.ask(question))


@pytest.mark.parametrize("question", OPEN)
def test_a_question_about_the_open_patient_rests_on_this_patient_alone(
    agents: tuple[ClinicalAgent, ClinicalAgent], question: str
) -> None:
    scoped, lonely = agents
    assert told(scoped.ask(question, patient=MINE)) == told(lonely.ask(question, patient=MINE))


@pytest.mark.parametrize("question", OPEN)
def test_another_patient_is_refused_without_a_word_of_the_record(
    agents: tuple[ClinicalAgent, ClinicalAgent], question: str
) -> None:
    answer = agents[0].ask(question, patient=2)
    assert (answer.status, answer.reason, answer.evidence, answer.result) == (
        "refused",
        "no_permission",
        (),
        None,
    )
    assert "Sample" not in answer.text and "M0002" not in answer.text
