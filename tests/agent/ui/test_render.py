"""What the page shows is escaped, and its citations can be clicked only where evidence stands behind them."""

from pathlib import Path
from typing import Any

import pytest
from hospital import small_hospital

from agent.answer import Answer, Claim, GraphEvidence, Language, NoteEvidence, PassageEvidence, Result
from agent.events import AnswerReady, StepStarted
from agent.ui.cards import card
from agent.ui.escape import escape
from agent.ui.render import TurnView, conversation
from agent.ui.strings import strings
from knowledge.documents import Document, Library


def answered(text: str, **more: Any) -> Answer:
    evidence = (NoteEvidence(id=1, note_id=3, start=0, end=4, quote="pain"),)
    return Answer(
        question="q?", language="en", status="answered", reason=None, text=text,
        claims=(Claim(text=text, evidence=(1,), verified=True),), evidence=evidence, **more,
    )  # fmt: skip


def page(answer: Answer) -> str:
    return conversation([TurnView(answer.question, "en").after(AnswerReady(answer))], "en")


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>", "${alert(1)}", "{{value}}", '"><img onerror=x>']
)
def test_record_text_is_neither_markup_nor_template(hostile: str) -> None:
    result = Result(columns=("a",), rows=((hostile,), (hostile,)))
    shown = page(answered(f"{hostile} [1]", result=result, sql=hostile, assumptions=(hostile,)))
    assert hostile not in shown
    assert "${" not in shown
    assert "{{" not in shown
    assert "<script" not in shown
    assert "<img" not in shown


def test_a_citation_becomes_a_button_only_if_its_evidence_exists() -> None:
    shown = page(answered("Pain [1], and [7]."))
    assert shown.count('class="cr-cite"') == 1
    assert 'data-evidence="1"' in shown
    assert "[7]" in shown


def test_a_running_question_says_what_it_does() -> None:
    turn = TurnView("q?", "en").after(StepStarted("search_notes", "search_notes"))
    assert "Search the notes" in conversation([turn], "en")
    assert "检索文书" in conversation([turn], "zh")


def test_a_refusal_shows_its_reason() -> None:
    answer = Answer(
        question="q", language="en", status="refused", reason="no_permission", text="Not permitted."
    )
    shown = page(answer)
    assert "no permission" in shown
    assert "cr-refused" in shown


def test_both_languages_have_the_same_words() -> None:
    assert strings("en").keys() == strings("zh").keys()
    assert all(strings("zh").values())


def test_escape_leaves_no_sign_of_a_template() -> None:
    assert escape("a${b}`{{c}}") == "a&#36;&#123;b&#125;&#96;&#123;&#123;c&#125;&#125;"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_general_knowledge_looks_unlike_the_record(language: Language, tmp_path: Path) -> None:
    text = "# Pathway\n\nObtain a renal ultrasound <now>.\n"
    library = Library(tmp_path / "library.sqlite")
    assert list(library.put([Document("aki", "Pathway", text, edition="2026")])) == ["added"]
    start, quote = text.index("Obtain"), "Obtain a renal ultrasound <now>."
    passage = PassageEvidence(
        id=2, doc_id="aki", start=start, end=start + len(quote), quote=quote, title="Pathway (2026)"
    )
    path = GraphEvidence(
        id=3,
        edges=(("Metformin", "contraindicated_when", "eGFR < 30"),),
        source="FDA label: metformin",
        details=("Accumulates.",),
    )
    store = small_hospital(tmp_path / "small.sqlite")
    shown = [card(piece, store, {}, language, library=library) for piece in (passage, path)]
    for one in shown:
        assert "cr-card cr-general" in one
        assert strings(language)["general"] in one
    assert "<mark>Obtain a renal ultrasound &lt;now&gt;.</mark>" in shown[0]
    assert "# Pathway" in shown[0]  # what stands around it
    assert {"en": "contraindicated when", "zh": "禁用于"}[language] in shown[1]
    assert "Accumulates." in shown[1]
    assert "FDA label: metformin" in shown[1]
    answer = answered("Said [1][3].").model_copy(update={"evidence": (*answered("x").evidence, path)})
    assert page(answer).count('class="cr-cite cr-general"') == 1


def test_a_passage_that_the_document_no_longer_has_is_not_shown_as_if_it_had(tmp_path: Path) -> None:
    library = Library(tmp_path / "library.sqlite")
    assert list(library.put([Document("aki", "Pathway", "All is new.")])) == ["added"]
    passage = PassageEvidence(id=1, doc_id="aki", start=0, end=3, quote="Old", title="Pathway")
    shown = card(passage, small_hospital(tmp_path / "small.sqlite"), {}, "en", library=library)
    assert strings("en")["document_changed"] in shown
    assert "<mark>" not in shown


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "${alert(1)}",
        "[a](javascript:b)",
        "a\u202eb\u2066",
    ],
)
def test_what_a_document_or_an_imported_concept_is_called_is_shown_as_text(
    hostile: str, tmp_path: Path
) -> None:
    library = Library(tmp_path / "library.sqlite")
    text = f"# {hostile}\n\nGive {hostile} daily.\n"
    assert list(library.put([Document(hostile, hostile, text, edition=hostile)])) == ["added"]
    start = text.index("Give")
    passage = PassageEvidence(
        id=1, doc_id=hostile, start=start, end=len(text) - 1, quote=text[start:-1], title=hostile
    )
    path = GraphEvidence(id=2, edges=((hostile, hostile, hostile),), source=hostile, details=(hostile,))
    store = small_hospital(tmp_path / "small.sqlite")
    for language in ("en", "zh"):
        for piece in (passage, path):
            shown = card(piece, store, {}, language, library=library)
            assert not [
                sign for sign in ("<script", "<img", "${", "\u202e", "\u2066", "<a ") if sign in shown
            ]
            assert escape(hostile) in shown
