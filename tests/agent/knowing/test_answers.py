"""Answers that walk the graphs: who asks what, what is said, and what it rests on."""

import pytest

from agent import Answer, ClinicalAgent
from agent.answer import GraphEvidence, RowEvidence
from agent.knowing.check import edges_hold, walk_holds
from agent.knowing.point import Computation
from agent.state import Sentence
from knowledge.documents import Document


def kinds(answer: Answer) -> list[set[str]]:
    """The kinds of evidence behind each sentence."""
    of = {piece.id: piece.kind for piece in answer.evidence}
    return [{of[number] for number in claim.evidence} for claim in answer.claims]


def line(answer: Answer, *words: str) -> str:
    """The only sentence that has all of some words."""
    (found,) = [claim.text for claim in answer.claims if all(word in claim.text for word in words)]
    return found


def test_a_contraindication_is_told_with_its_path_and_the_value_that_makes_it_hold(
    agent: ClinicalAgent,
) -> None:
    answer = agent.ask("Is metformin safe for her?", patient=1)
    said = line(answer, "Metformin —contraindicated_when→ eGFR < 30 mL/min/1.73m2")
    assert "eGFR 29 mL/min/1.73m2 by CKD-EPI 2021, from Creatinine 1.9 mg/dL (labevents 4" in said
    assert "2 days ago" in said
    (path,) = [piece for piece in answer.evidence if piece.kind == "graph"]
    assert path.edges == (("Metformin", "contraindicated_when", "eGFR < 30 mL/min/1.73m2"),)
    assert "FDA label: metformin" in path.source
    rows = {(piece.table, piece.row_ids) for piece in answer.evidence if piece.kind == "row"}
    assert {("labevents", (4,)), ("patients", (1,))} <= rows


def test_the_same_in_chinese(agent: ClinicalAgent) -> None:
    answer = agent.ask("她能用二甲双胍吗？", patient=1)
    assert (answer.status, answer.language) == ("answered", "zh")
    assert "29 mL/min/1.73m2" in line(answer, "二甲双胍", "禁用")


def test_drugs_for_which_no_rule_holds_are_counted(agent: ClinicalAgent) -> None:
    answer = agent.ask("Which of her current drugs are contraindicated?", patient=1)
    assert line(answer, "No rule held for 2 current drug(s)", "Furosemide", "Ceftriaxone")
    assert any("rules checked" in text for text in answer.assumptions)


def test_a_value_that_is_not_on_record_is_said(agent: ClinicalAgent) -> None:
    answer = agent.ask("Is enoxaparin safe for her?", patient=4)
    assert "to compute it" in line(answer, "could not be checked", "Creatinine Clearance")


def test_without_a_weight_the_egfr_stands_for_the_clearance_and_is_said_to(agent: ClinicalAgent) -> None:
    answer = agent.ask("Is enoxaparin safe for her?", patient=1)
    said = line(answer, "needs another dose", "creatinine clearance")
    assert "about 29 mL/min, taken as the eGFR by CKD-EPI 2021 for want of a weight" in said
    assert "labevents 4" in said
    assert "以 CKD-EPI 2021 的 eGFR 近似" in agent.ask("依诺肝素对她安全吗？", patient=1).text


def test_an_allergy_to_the_class_is_told_once(agent: ClinicalAgent) -> None:
    answer = agent.ask("Can he take amoxicillin?", patient=2)
    assert "allergies 1" in line(answer, "allergy to Penicillins")


def test_an_interaction_is_told_with_mechanism_and_source(agent: ClinicalAgent) -> None:
    answer = agent.ask("华法林和胺碘酮有相互作用吗？")
    assert "CYP2C9" in line(answer, "胺碘酮", "华法林", "严重相互作用")
    assert kinds(answer) == [{"graph"}]


def test_a_drug_asked_about_is_held_against_the_current_ones(agent: ClinicalAgent) -> None:
    answer = agent.ask("Would gentamicin interact with her drugs?", patient=1)
    assert "Furosemide" in line(answer, "interaction", "Gentamicin")
    assert line(answer, "Gentamicin is not among the current orders")


def test_a_cohort_counts_subtypes_and_cites_each_patient(agent: ClinicalAgent) -> None:
    answer = agent.ask("Which patients have diabetes, including all subtypes?")
    assert line(answer, "1 patient(s)", "Diabetes mellitus")
    assert line(answer, "Patient 1:", "Type 2 diabetes mellitus")
    assert {piece.kind for piece in answer.evidence} >= {"row"}


def test_a_cohort_gives_its_patients_as_a_table_whose_keys_are_cited(agent: ClinicalAgent) -> None:
    answer = agent.ask("Which patients have diabetes, including all subtypes?")
    assert answer.result is not None
    assert answer.result.columns == ("subject_id", "name", "time")
    assert [(row[0], row[1]) for row in answer.result.rows] == [(1, "Type 2 diabetes mellitus")]
    assert any(piece.kind == "row" and piece.table == "diagnoses_icd" for piece in answer.evidence)
    counted = agent.ask("How many patients have any type of diabetes?")
    assert counted.result is not None
    assert counted.result.rows == ((1,),)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("How many patients have diabetes?", "By concept, with its subtypes"),
        ("有多少患者有糖尿病？", "按概念统计"),
    ],
)
def test_a_plain_count_is_told_by_coded_titles_and_by_concept(
    agent: ClinicalAgent, question: str, said: str
) -> None:
    answer = agent.ask(question)
    assert said not in answer.claims[0].text
    assert said in answer.claims[1].text
    assert answer.sql is not None


def test_a_timeline_keeps_the_order_of_time(agent: ClinicalAgent) -> None:
    answer = agent.ask("Show the timeline of her type 2 diabetes", patient=1)
    times = [claim.text[:16] for claim in answer.claims]
    assert times == sorted(times)
    assert times[0].startswith("2024-05-01")


def test_a_differential_names_what_supports_and_what_opposes(agent: ClinicalAgent) -> None:
    answer = agent.ask("Differential diagnosis of fever and dyspnea without cough")
    with_opposed = [claim.text for claim in answer.claims if "Against it, not there: Cough" in claim.text]
    assert with_opposed
    assert all("Fever" in text or "Dyspnea" in text for text in with_opposed)


def test_general_knowledge_names_its_source_and_says_that_it_is_general(agent: ClinicalAgent) -> None:
    answer = agent.ask("What are the contraindications of metformin?")
    assert all("Source: " in claim.text for claim in answer.claims)
    assert any("general knowledge" in text for text in answer.assumptions)


def test_what_is_missing_in_a_work_up_comes_before_what_is_done(agent: ClinicalAgent) -> None:
    answer = agent.ask("What is missing in the work-up of her acute kidney injury?", patient=1)
    words = [claim.text.split(":")[0] for claim in answer.claims]
    assert words == sorted(words, key=["Missing", "Old", "Done"].index)
    assert "labevents 4" in line(answer, "Done: Creatinine")


def test_every_sentence_with_a_figure_rests_on_evidence(agent: ClinicalAgent) -> None:
    for question in ("Is metformin safe for her?", "What could explain her acute kidney injury?"):
        for claim in agent.ask(question, patient=1).claims:
            assert claim.evidence or not any(char.isdigit() for char in claim.text)


@pytest.mark.parametrize(
    "question",
    [
        "Which of her current drugs are contraindicated?",
        "What could explain her acute kidney injury?",
        "她的急性肾损伤还缺哪些检查？",
    ],
)
def test_the_record_of_a_patient_that_may_not_be_seen_stays_closed(
    agent: ClinicalAgent, question: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent, "permitted", frozenset({2}))
    answer = agent.ask(question, patient=1)
    assert (answer.status, answer.reason, answer.evidence) == ("refused", "no_permission", ())


def test_a_cohort_holds_only_patients_that_may_be_seen(
    agent: ClinicalAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent, "permitted", frozenset({2, 4}))
    answer = agent.ask("Which patients have diabetes, including all subtypes?")
    assert line(answer, "No patient that you may see")
    assert answer.evidence == ()


def test_a_conversation_keeps_a_walk_in_its_checkpoint(agent: ClinicalAgent) -> None:
    first = agent.ask("Is metformin safe for her?", patient=1, conversation="walk")
    again = agent.ask("她能用二甲双胍吗？", patient=1, conversation="walk")
    assert first.status == again.status == "answered"


def test_a_guideline_that_was_imported_is_held_against_the_record(agent: ClinicalAgent) -> None:
    text = (
        "# Acute kidney injury pathway\n\nRepeat creatinine every day until it is stable. "
        "Obtain a renal ultrasound within 24 hours. Lactate is not needed.\n"
    )
    guideline = Document("aki", "Acute kidney injury pathway", text, edition="2026")
    assert list(agent.rooms.explorer.library.put([guideline])) == ["added"]
    try:
        answer = agent.ask("What is missing in the work-up of her acute kidney injury?", patient=1)
    finally:
        agent.rooms.explorer.library.remove(["aki"])
    missing = line(answer, "Missing: Renal ultrasound")
    assert "Acute kidney injury pathway (2026): “Obtain a renal ultrasound within 24 hours.”" in missing
    (passage,) = [p for p in answer.evidence if p.kind == "passage" and "ultrasound" in p.quote]
    assert text[passage.start : passage.end] == passage.quote
    assert not [claim for claim in answer.claims if "Lactate" in claim.text]


def test_a_guideline_counts_by_its_sections_and_not_by_its_title_alone(agent: ClinicalAgent) -> None:
    text = (
        "# Handbook of the ward\n\n## Atrial fibrillation\n\nObtain an echocardiogram.\n\n"
        "## Acute kidney injury\n\nObtain a renal ultrasound within 24 hours.\n\n### Follow-up\n\n"
        "Measure cystatin C after three months.\n\n## Sundries\n\nIn acute kidney injury check potassium. "
        "In pneumonia obtain a chest X-ray.\n"
    )
    assert list(agent.rooms.explorer.library.put([Document("ward", "Handbook of the ward", text)])) == [
        "added"
    ]
    try:
        answer = agent.ask("What is missing in the work-up of her acute kidney injury?", patient=1)
    finally:
        agent.rooms.explorer.library.remove(["ward"])
    quoted = {piece.quote for piece in answer.evidence if piece.kind == "passage"}
    assert quoted == {
        "Obtain a renal ultrasound within 24 hours.",
        "Measure cystatin C after three months.",
        "In acute kidney injury check potassium.",
    }


@pytest.mark.parametrize(
    ("question", "first", "then"),
    [
        (
            "What is missing in the work-up of her cirrhosis?",
            "The record holds no evidence of",
            "Would be called for",
        ),
        ("她的肝硬化还缺哪些检查？", "记录中没有肝硬化的证据", "如怀疑则需"),
    ],
)
def test_of_a_disease_that_nothing_shows_that_is_said_first_and_nothing_is_missing(
    agent: ClinicalAgent, question: str, first: str, then: str
) -> None:
    said = [claim.text for claim in agent.ask(question, patient=1).claims]
    assert said[0].startswith(first)
    assert any(text.startswith(then) for text in said)
    assert not any(text.startswith(("Missing", "缺：")) for text in said)


def test_a_relation_that_is_not_in_the_graph_is_not_told(agent: ClinicalAgent) -> None:
    graph = agent.rooms.explorer.graph
    source = "FDA label: metformin, Contraindications (2023)"
    edges = (("Metformin", "contraindicated_when", "eGFR < 30 mL/min/1.73m2"),)
    assert edges_hold(GraphEvidence(id=1, edges=edges, source=source), graph)
    assert not edges_hold(GraphEvidence(id=1, edges=edges, source="Somebody said so"), graph)
    forged = (("Metformin", "contraindicated_when", "eGFR < 60 mL/min/1.73m2"),)
    assert not edges_hold(GraphEvidence(id=1, edges=forged, source=source), graph)
    detail = ("Harmless.",)
    assert not edges_hold(GraphEvidence(id=1, edges=edges, source=source, details=detail), graph)


def test_a_computed_value_that_its_rows_do_not_give_is_not_told(agent: ClinicalAgent) -> None:
    creatinine = RowEvidence(
        id=1,
        table="labevents",
        row_ids=(4,),
        values={
            "label": "Creatinine",
            "valuenum": 1.9,
            "valueuom": "mg/dL",
            "charttime": "2025-02-27 06:00:00",
        },
    )
    person = RowEvidence(
        id=2, table="patients", row_ids=(1,), values={"gender": "f", "dob": "1958-06-01 00:00:00"}
    )
    graph = agent.rooms.explorer.graph

    def holds(egfr: float, text: str) -> bool:
        computed = (Computation("egfr", egfr, "lab:egfr", "mL/min/1.73m2"),)
        said = Sentence(text, (1, 2), walked=True, computed=computed)
        return walk_holds(said, [creatinine, person], "2025-03-01 12:00:00", graph)

    assert holds(29.0, "eGFR 29 mL/min/1.73m2 by CKD-EPI 2021 from 1.9 mg/dL")
    assert not holds(35.0, "eGFR 35 mL/min/1.73m2 by CKD-EPI 2021 from 1.9 mg/dL")
    assert not holds(29.0, "eGFR 29 mL/min/1.73m2 by CKD-EPI 2021 from 2.9 mg/dL")


def test_a_drug_for_which_no_rule_holds_is_said_to_be_without_proof_of_safety(agent: ClinicalAgent) -> None:
    assert line(
        agent.ask("Can I give her atorvastatin?", patient=1), "None of the rules", "no proof of safety"
    )
    assert "并不证明安全" in agent.ask("她能用阿托伐他汀吗？", patient=1).text


def test_who_asks_of_allergies_is_told_of_nothing_else(agent: ClinicalAgent) -> None:
    answer = agent.ask("Any allergy conflicts with current orders?", patient=1)
    assert [claim.text for claim in answer.claims] == [
        line(answer, "No allergy on record to 2 current drug(s)")
    ]


def test_who_asks_of_drugs_is_told_of_drugs_alone(agent: ClinicalAgent) -> None:
    answer = agent.ask("Which of her drugs could explain her acute kidney injury?", patient=1)
    assert answer.claims[0].text.startswith("Acute kidney injury is on record")
    assert not [claim for claim in answer.claims if "(disease)" in claim.text or "(organism)" in claim.text]


def test_where_there_is_nothing_to_explain_the_drugs_that_could_do_it_are_told(agent: ClinicalAgent) -> None:
    answer = agent.ask("Which of her drugs could explain hypokalemia?", patient=1)
    assert answer.claims[0].text == "Hypokalemia itself is not on record as present."
    assert line(answer, "Furosemide (40 mg IV BID): ", "—adverse_effect→ Hypokalemia")


def test_a_value_that_says_otherwise_is_told_before_any_explanation(agent: ClinicalAgent) -> None:
    answer = agent.ask("Why is her potassium high?", patient=1)
    assert "labevents" in line(answer, "By the newest value not", "potassium > 5.5 mmol/L")


def test_patients_of_a_cohort_are_dated_and_not_counted_back_from_a_common_now(agent: ClinicalAgent) -> None:
    answer = agent.ask("Which patients have diabetes, including all subtypes?")
    assert line(answer, "Patient 1:").count("ago") == 0


def test_an_interaction_without_any_order_says_that_there_is_none(agent: ClinicalAgent) -> None:
    assert line(
        agent.ask("Would warfarin interact with her drugs?", patient=4), "No drug order is running now"
    )


@pytest.mark.parametrize(
    ("followup", "told"),
    [
        ("why?", "Metformin —contraindicated_when→ eGFR < 30"),
        ("用中文再说一遍", "二甲双胍"),
        ("and ibuprofen?", "Ibuprofen"),
        ("what about her other drugs?", "No rule held for 2 current drug(s)"),
    ],
)
def test_a_walk_can_be_gone_on_with(agent: ClinicalAgent, followup: str, told: str) -> None:
    name = f"on-{followup}"
    agent.ask("Is metformin safe for her?", patient=1, conversation=name)
    assert told in agent.ask(followup, patient=1, conversation=name).text


def test_a_walk_is_not_gone_on_with_for_another_patient(agent: ClinicalAgent) -> None:
    agent.ask("Is metformin safe for her?", patient=1, conversation="two")
    assert "Metformin" not in agent.ask("why?", patient=2, conversation="two").text


def test_a_walk_is_said_again_in_the_other_language(agent: ClinicalAgent) -> None:
    agent.ask("Is metformin safe for her?", patient=1, conversation="tongues")
    assert "二甲双胍" in agent.ask("and in Chinese?", patient=1, conversation="tongues").text
    assert "Metformin" in agent.ask("用英文再说一遍", patient=1, conversation="tongues").text
