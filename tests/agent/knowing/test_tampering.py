"""A draft that was altered between walk and answer: each altered sentence is dropped, the honest one stays."""

from dataclasses import replace
from typing import Any

import pytest

from agent import ClinicalAgent
from agent.answer import GraphEvidence, NoteEvidence, RowEvidence
from agent.knowing.check import edges_hold
from agent.knowing.point import Mentioned
from agent.knowing.words import word as wording
from agent.scope import Scope
from agent.state import Draft, Sentence
from agent.verify import verify

NOW = "2025-03-01 12:00:00"
PATH = "Metformin —contraindicated_when→ eGFR < 30 mL/min/1.73m2"


def piece(agent: ClinicalAgent, **changes: Any) -> GraphEvidence:
    """The relation as the graph has it, with changes."""
    answer = agent.ask("Is metformin safe for her?", patient=1)
    (found,) = [one for one in answer.evidence if one.kind == "graph"]
    return found.model_copy(update={"id": 1, **changes})


def kept(agent: ClinicalAgent, text: str, *evidence: Any, permitted: frozenset[int] | None = None) -> bool:
    """Whether a sentence outlives verification."""
    said = Sentence(text, tuple(one.id for one in evidence), walked=True, names=("Metformin",))
    draft = Draft(
        status="answered", reason=None, text=text, sentences=(said,), evidence=evidence, outcomes=()
    )
    explorer = agent.rooms.explorer
    scope = Scope(permitted=permitted, now=NOW)
    checked = verify(draft, scope, agent.rooms.store, explorer.graph, explorer.library, explorer.finder)
    return checked.status == "answered"


def test_a_sentence_that_says_what_its_relation_says_stays(agent: ClinicalAgent) -> None:
    assert kept(agent, f"Metformin: contraindicated. {PATH}", piece(agent))


@pytest.mark.parametrize(
    "text",
    [
        "Warfarin —contraindicated_when→ eGFR < 30 mL/min/1.73m2",
        "Metformin —treats→ eGFR < 30 mL/min/1.73m2",
        "Metformin —contraindicated_when→ eGFR < 60 mL/min/1.73m2",
        "Metformin ←contraindicated_when— eGFR < 30 mL/min/1.73m2",
        f"{PATH} —causes→ Fever",
        f"{PATH}; patient: eGFR 24",
        f"{PATH} since 2025-02-27",
        f"{PATH}: “never give it”",
        f"Warfarin: contraindicated. {PATH}",
        f"{PATH}. She also has heart failure",
        f"{PATH}。患者有心房颤动",
    ],
)
def test_a_sentence_that_says_something_else_is_dropped(agent: ClinicalAgent, text: str) -> None:
    assert not kept(agent, text, piece(agent))


def test_a_work_that_does_not_say_it_is_not_named_beside_the_one_that_does(agent: ClinicalAgent) -> None:
    graph, honest = agent.rooms.explorer.graph, piece(agent)
    assert edges_hold(honest, graph)
    for forged in (f"{honest.source}; Nobody 2031", f"Nobody 2031: {honest.source}", honest.source[:-3]):
        assert not edges_hold(honest.model_copy(update={"source": forged}), graph)


def test_a_relation_turned_round_is_not_in_the_graph(agent: ClinicalAgent) -> None:
    turned = (("eGFR", "contraindicated_when", "Metformin"),)
    assert not kept(agent, PATH, piece(agent, edges=turned))


def test_a_row_of_another_patient_is_no_evidence(agent: ClinicalAgent) -> None:
    row = RowEvidence(id=2, table="labevents", row_ids=(4,), values={"label": "Creatinine", "valuenum": 1.9})
    text = f"{PATH}; Creatinine 1.9"
    assert kept(agent, text, piece(agent), row)
    assert not kept(agent, text, piece(agent), row, permitted=frozenset({2}))
    assert not kept(agent, f"{PATH}; Creatinine 2.9", piece(agent), row)


def resting(agent: ClinicalAgent, text: str, note_id: int, word: str, key: str = "", **forged: Any) -> bool:
    """Whether a sentence that rests on the first mention of a word in a note outlives verification."""
    note = agent.rooms.store.note(note_id)
    assert note is not None
    found = next(m for m in agent.rooms.explorer.finder.find(note.text) if m.text.lower() == word)
    taken = Mentioned(note_id, found.start, found.end, found.concept, found.assertion, found.experiencer)
    cited = NoteEvidence(
        id=1, note_id=note_id, start=0, end=len(note.text), quote=note.text, subject_id=note.subject_id
    )
    name = agent.rooms.explorer.graph.node(str(found.concept)).en
    mentions = () if forged.pop("unaccounted", False) else (replace(taken, **forged),)
    said = Sentence(
        text.format(name=name), (1,), walked=True, names=(name, "Fever"), mentions=mentions, key=key
    )
    draft = Draft(
        status="answered", reason=None, text=text, sentences=(said,), evidence=(cited,), outcomes=()
    )
    explorer = agent.rooms.explorer
    checked = verify(
        draft, Scope(now=NOW), agent.rooms.store, explorer.graph, explorer.library, explorer.finder
    )
    return checked.status == "answered"


def test_a_mention_that_the_note_asserts_stays_evidence(agent: ClinicalAgent) -> None:
    assert resting(agent, "{name} (note 2)", 2, "community acquired pneumonia", key="explanation.there")


def test_a_negated_mention_is_no_evidence_that_the_patient_has_the_thing(agent: ClinicalAgent) -> None:
    has = "explanation.there"
    assert not resting(agent, "{name} (note 2)", 2, "chest pain", key=has, assertion="present")
    assert not resting(agent, "{name} (note 2)", 2, "chest pain", key=has)
    assert not resting(agent, "{name} (note 3)", 3, "pleural effusion", key=has, assertion="historical")
    assert resting(agent, "Denied: {name}", 2, "chest pain", key="cohort.excluded")


@pytest.mark.parametrize("key", ["timeline.note", "workup.noted"])
def test_who_tells_the_assertion_in_words_tells_that_of_the_note(agent: ClinicalAgent, key: str) -> None:
    for assertion, stays in (("negated", True), ("present", False)):
        told = "{name}: " + wording("en", f"assertion.{assertion}")
        assert resting(agent, told, 2, "chest pain", key=key) is stays


def test_another_concept_or_a_note_without_a_mention_is_no_evidence(agent: ClinicalAgent) -> None:
    pneumonia = "community acquired pneumonia"
    assert not resting(agent, "{name} (note 2)", 2, pneumonia, concept="finding:fever")
    assert not resting(agent, "{name} (note 2)", 2, pneumonia, experiencer="family")
    assert not resting(agent, "{name} (note 2)", 2, pneumonia, start=0)
    assert not resting(agent, "{name} (note 2)", 2, pneumonia, unaccounted=True)


def test_a_walk_over_notes_is_read_again_and_stands(agent: ClinicalAgent) -> None:
    """The mentions that real walks cite are accounted for: nothing honest is dropped."""
    for question, patient in (
        ("Which patients have pneumonia, including all subtypes?", None),
        ("Show the timeline of his pneumonia", 2),
        ("她的糖尿病时间线", 1),
    ):
        answer = agent.ask(question, patient=patient)
        assert answer.status == "answered"
        assert not [said for said in answer.assumptions if "left out" in said or "略去" in said]
