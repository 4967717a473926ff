"""What the page shows is escaped, and its citations can be clicked only where evidence stands behind them."""

import pytest

from agent.answer import Answer, Claim, NoteEvidence, Result
from agent.events import AnswerReady, StepStarted
from agent.ui.escape import escape
from agent.ui.render import TurnView, conversation
from agent.ui.strings import strings


def answered(text: str, **more: object) -> Answer:
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
