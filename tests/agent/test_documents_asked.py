"""From a file to an answer: a document is imported by its command, and questions are answered from it."""

from collections.abc import Iterator

import pytest
from hospital import small_hospital

from agent import ClinicalAgent
from agent.cli import documents, main

PATHWAY = """---
id: ward
title: Ward handbook
edition: 2026
---
# Acute kidney injury

Obtain a renal ultrasound within 24 hours. Lactate is not needed.

# Crystalloid

Give 30 mL/kg of balanced crystalloid in the first 3 hours. Visiting ends at 8.
"""


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClinicalAgent]:
    """An agent whose installation has one document."""
    folder = tmp_path_factory.mktemp("asked")
    (folder / "ward.md").write_text(PATHWAY, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHARTROOM_HOME", str(folder / "home"))
        patch.setattr(documents, "Embedder", lambda _: None)  # embedding all facts takes a minute
        store = small_hospital(folder / "small.sqlite")
        assert main(["knowledge", "import", str(folder / "ward.md")]) == 0
        with ClinicalAgent.open(store) as opened:
            yield opened


def test_a_question_that_no_table_answers_is_answered_from_the_document_to_the_letter(
    agent: ClinicalAgent,
) -> None:
    answer = agent.ask("What does the handbook recommend for balanced crystalloid?")
    assert answer.status == "answered"
    assert answer.claims[0].text == (
        "Ward handbook (2026): “Give 30 mL/kg of balanced crystalloid in the first 3 hours.”"
    )
    (passage,) = [piece for piece in answer.evidence if piece.id in answer.claims[0].evidence]
    assert passage.kind == "passage"
    document = agent.rooms.explorer.library.document(passage.doc_id)
    assert document is not None
    assert document.text[passage.start : passage.end] == passage.quote
    assert [step.tool for step in answer.steps if step.tool.startswith("search")] == ["search_knowledge"]


def test_what_the_document_does_not_say_is_not_answered_from_it(agent: ClinicalAgent) -> None:
    answer = agent.ask("What does the handbook recommend for zebra lasers?")
    assert answer.status != "answered"
    assert answer.evidence == ()


def test_the_section_on_a_problem_is_held_against_the_record(agent: ClinicalAgent) -> None:
    answer = agent.ask("What is missing in the work-up of her acute kidney injury?", patient=1)
    (missing,) = [claim.text for claim in answer.claims if claim.text.startswith("Missing: Renal ultrasound")]
    assert "Ward handbook (2026): “Obtain a renal ultrasound within 24 hours.”" in missing
    assert {piece.quote for piece in answer.evidence if piece.kind == "passage"} == {
        "Obtain a renal ultrasound within 24 hours."
    }
