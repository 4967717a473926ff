"""A draft that was altered between walk and answer: each altered sentence is dropped, the honest one stays."""

from typing import Any

import pytest

from agent import ClinicalAgent
from agent.answer import GraphEvidence, RowEvidence
from agent.knowing.check import edges_hold
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
    return verify(draft, scope, agent.rooms.store, explorer.graph, explorer.library).status == "answered"


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
