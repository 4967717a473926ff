"""Questions go where they are answered: to a query, to the notes, or (with a reason) nowhere."""

from pathlib import Path

import pytest
import yaml

from agent.language import language_of
from agent.planning.catalogue import CataloguePlanner
from agent.planning.linker import Linker
from agent.planning.plan import Clarify, Plan, QueryRecords, Refuse, SearchNotes, Turn
from agent.scope import Scope
from tests.hospital import NOW

ROUTING = yaml.safe_load((Path(__file__).parent / "routing.yaml").read_text(encoding="utf-8"))


def ask(linker: Linker, question: str, patient: int | None = 1) -> Plan:
    scope = Scope(now=NOW, patient=patient)
    language = language_of(question)
    return CataloguePlanner().plan(question, language, linker.link(question, language, scope), scope)


def places(plan: Plan) -> set[str]:
    found: set[str] = set()
    for action in plan.actions:
        if isinstance(action, QueryRecords):
            found.add(str(action.intent))
        elif isinstance(action, SearchNotes):
            found.add("note")
        elif isinstance(action, Refuse):
            found.add("action" if action.reason == "action_request" else action.reason)
    return found


@pytest.mark.parametrize(("language", "floor"), [("en", 0.8), ("zh", 0.8)])
def test_questions_go_where_they_are_answered(linker: Linker, language: str, floor: float) -> None:
    found = {question: places(ask(linker, question)) for question in ROUTING[language]}
    wrong = {q: found[q] for q, gold in ROUTING[language].items() if not found[q] & set(gold.split("|"))}
    assert 1 - len(wrong) / len(found) >= floor, wrong


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_question_about_the_open_patient_is_refused_for_lack_of_confidence(
    linker: Linker, language: str
) -> None:
    refused = [q for q in ROUTING[language] if "low_confidence" in places(ask(linker, q))]
    assert not refused


@pytest.mark.parametrize("language", ["en", "zh"])
def test_hardly_any_question_for_the_notes_is_answered_by_a_table_alone(
    linker: Linker, language: str
) -> None:
    asked = [question for question, gold in ROUTING[language].items() if gold == "note"]
    wrong = [question for question in asked if "note" not in places(ask(linker, question))]
    assert len(wrong) <= 1, wrong


@pytest.mark.parametrize(
    "question",
    ["Did he report coughing up blood?", "is the heart enlarged", "what pain does she have", "痰里带血吗"],
)
def test_a_common_word_of_a_long_title_makes_no_query(linker: Linker, question: str) -> None:
    assert places(ask(linker, question)) == {"note"}


def test_a_unit_is_no_value(linker: Linker) -> None:
    linked = linker.link("was the creatinine above 2 mg/dl", "en", Scope(now=NOW, patient=1))
    assert [link.text for link in linked.values] == ["creatinine"]


def test_without_a_patient_what_nobody_understands_is_declined(linker: Linker) -> None:
    assert places(ask(linker, "blue sideways fridays", patient=None)) <= {"low_confidence", "out_of_scope"}


@pytest.mark.parametrize(
    ("first", "second", "asked"),
    [
        ("latest creatinine", "highest?", "rows"),
        ("latest creatinine", "trend?", "trend"),
        ("最近一次肌酐", "最高是多少", "rows"),
        ("is she on furosemide", "what dose?", "rows"),
    ],
)
def test_a_few_words_are_about_what_was_asked_before(
    linker: Linker, first: str, second: str, asked: str
) -> None:
    before = ask(linker, first)
    scope = Scope(now=NOW, patient=1)
    language = language_of(second)
    linked = linker.link(second, language, scope)
    plan = CataloguePlanner().plan(second, language, linked, scope, (Turn(first, before),))
    assert isinstance(plan.actions[0], QueryRecords) and isinstance(before.actions[0], QueryRecords)
    assert plan.actions[0].query.of.concepts == before.actions[0].query.of.concepts
    assert plan.actions[0].query.ask.ask == asked


@pytest.mark.parametrize(
    "question",
    ["can I give furosemide", "能用呋塞米吗", "is it safe to give contrast", "should we start furosemide"],
)
def test_whether_something_may_be_given_is_never_answered_from_a_table(linker: Linker, question: str) -> None:
    assert places(ask(linker, question)) <= {"low_confidence", "action"}


@pytest.mark.parametrize("question", ["does her mother have diabetes", "母亲有糖尿病吗"])
def test_what_relatives_have_is_looked_for_in_the_notes(linker: Linker, question: str) -> None:
    assert places(ask(linker, question)) == {"note"}


@pytest.mark.parametrize(
    "question",
    [
        "how many women have heart failure",
        "how many patients over 65 have heart failure",
        "没有用呋塞米的患者有多少",
        "谁的血钾最高",
    ],
)
def test_a_restriction_that_no_query_honours_is_not_dropped(linker: Linker, question: str) -> None:
    assert places(ask(linker, question)) <= {"low_confidence"}


def test_two_times_set_against_each_other_are_asked_about(linker: Linker) -> None:
    plan = ask(linker, "potassium yesterday vs today")
    assert isinstance(plan.actions[0], Clarify)
    assert plan.actions[0].options == ("yesterday", "today")
