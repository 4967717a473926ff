"""Answers about all current drugs: how they are ordered, what stands beside them, and what drugs can do."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from hospital import small_hospital

from agent import Answer, ClinicalAgent

ORDERS = [
    ("Metformin", "500", "mg", "PO", "BID"),
    ("Apixaban", "5", "mg", "PO", "BID"),
    ("Enoxaparin Sodium", "40", "mg", "SC", "DAILY"),
    ("Sacubitril-Valsartan", "49-51", "mg", "PO", "BID"),
    ("Ondansetron", "4", "mg", "IV", "Q8H:PRN"),
    ("Rosuvastatin", "20", "mg", "PO", "DAILY"),
]


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClinicalAgent]:
    """A patient in renal failure with drugs that are barred, too high, or not to be combined."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHARTROOM_HOME", str(tmp_path_factory.mktemp("current-home")))
        patch.setenv("CHARTROOM_PLANNER", "catalogue")
        store = small_hospital(tmp_path_factory.mktemp("current") / "small.sqlite")
        with closing(store.connect()) as connection, connection:
            connection.executemany(
                "INSERT INTO prescriptions (subject_id, hadm_id, starttime, drug, dose_val_rx, dose_unit_rx, "
                "route, frequency) VALUES (1, 102, '2025-02-26 09:00:00', ?, ?, ?, ?, ?)",
                ORDERS,
            )
        with ClinicalAgent.open(store) as opened:
            yield opened


@pytest.fixture(scope="module")
def answer(agent: ClinicalAgent) -> Answer:
    """All that is wrong with the current drugs."""
    return agent.ask("Are there any medication safety issues?", patient=1)


def place(answer: Answer, beginning: str) -> int:
    """Which sentence begins so."""
    (found,) = [i for i, claim in enumerate(answer.claims) if claim.text.startswith(beginning)]
    return found


def test_contraindications_come_before_doses_and_those_before_interactions(answer: Answer) -> None:
    barred = place(answer, "Contraindicated, 1 drug(s): Metformin.")
    assert answer.claims[barred + 1].text.startswith("– Metformin")
    dose = place(answer, "Another dose needed")
    pairs = place(answer, "Not to be combined")
    assert barred < dose < pairs
    assert "Apixaban" in answer.claims[pairs + 1].text
    assert "Enoxaparin" in answer.claims[pairs + 1].text


def test_the_headings_are_cited_like_every_other_sentence(answer: Answer) -> None:
    for beginning in ("Contraindicated, ", "Another dose needed", "Not to be combined"):
        assert answer.claims[place(answer, beginning)].evidence


def test_the_order_stands_beside_the_rule_with_its_row(answer: Answer) -> None:
    claim = answer.claims[place(answer, "– Enoxaparin (40 mg SC DAILY): ")]
    rows = {piece.id: piece for piece in answer.evidence if piece.kind == "row"}
    (order,) = [rows[n] for n in claim.evidence if n in rows and rows[n].table == "prescriptions"]
    assert (order.values["dose_val_rx"], order.values["frequency"]) == ("40", "DAILY")


def test_a_strength_of_two_ingredients_is_told_as_written(agent: ClinicalAgent) -> None:
    answer = agent.ask("Which of her drugs could raise her potassium?", patient=1)
    assert any("Sacubitril-Valsartan (49-51 mg PO BID)" in claim.text for claim in answer.claims)


def test_nothing_of_the_answer_is_dropped(answer: Answer, agent: ClinicalAgent) -> None:
    for one in (answer, agent.ask("目前用药安全吗？", patient=1)):
        verified = next(step for step in one.steps if step.tool == "verify")
        kept, every = [int(word) for word in verified.summary.split() if word.isdigit()][:2] or (0, 0)
        assert len(one.claims) == kept == every


def test_the_groups_are_told_in_chinese_too(agent: ClinicalAgent) -> None:
    said = [claim.text for claim in agent.ask("目前用药安全吗？", patient=1).claims]
    assert said[0].startswith("禁用，1 种：二甲双胍")
    assert "500 mg PO BID" in said[1]
    assert any(text.startswith("禁止或慎重合用") for text in said)


def test_a_question_about_doses_leaves_interactions_out(agent: ClinicalAgent) -> None:
    answer = agent.ask("Do any of her drugs need renal dosing?", patient=1)
    assert not any(" + " in claim.text for claim in answer.claims)


@pytest.mark.parametrize(
    ("question", "drug"),
    [
        ("Does she take anything that prolongs the QT interval?", "Ondansetron"),
        ("哪些药会延长QT间期？", "昂丹司琼"),
        ("Is anything she takes raising her bleeding risk?", "Apixaban"),
        ("她在用的药里哪些会增加出血风险？", "阿哌沙班"),
    ],
)
def test_what_drugs_can_do_is_told_of_each_current_one_with_its_path(
    agent: ClinicalAgent, question: str, drug: str
) -> None:
    answer = agent.ask(question, patient=1)
    (claim,) = [c for c in answer.claims if c.text.startswith((f"{drug} (", f"{drug}（"))]
    kinds = {piece.kind for piece in answer.evidence if piece.id in claim.evidence}
    assert kinds == {"graph", "row"}


def test_the_same_can_be_asked_of_another_effect(agent: ClinicalAgent) -> None:
    agent.ask("Does she take anything that prolongs the QT interval?", patient=1, conversation="effects")
    answer = agent.ask("And bleeding?", patient=1, conversation="effects")
    assert any(claim.text.startswith("Apixaban (5 mg PO BID): ") for claim in answer.claims)


def test_a_drug_of_which_no_such_effect_is_known_is_not_cleared(agent: ClinicalAgent) -> None:
    answer = agent.ask("Could her furosemide cause ototoxicity or her rosuvastatin bleeding?", patient=1)
    assert answer.status == "answered"
    answer = agent.ask("Can rosuvastatin cause bleeding in her?", patient=1)
    assert "no proof" in answer.text
