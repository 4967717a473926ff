"""A plan that leaves out what the question restricts is noticed; what says the same twice is left out rightly."""

import pytest

from agent.bundled.delexical import delexicalise
from agent.bundled.left_out import left_out, unread
from agent.bundled.lexicon import Lexicon
from agent.bundled.pointers import Pointers, disjoint
from agent.planning.linker import Linker
from agent.scope import Scope
from tests.hospital import NOW

LEXICON = Lexicon.learnt(
    [("how many patients were given <v1> and had medication", True), ("有多少患者用过什么药物", True)]
)


def missed(linker: Linker, question: str, plan: str, used: set[str], language: str = "en") -> str | None:
    linked = disjoint(linker.link(question, language, Scope(now=NOW)))  # type: ignore[arg-type]
    pointers = Pointers(linked, language, None)  # type: ignore[arg-type]
    text = delexicalise(question, linked, has_patient=False)
    return left_out(text, plan.split(), used, pointers, LEXICON)


@pytest.mark.parametrize(
    ("question", "plan", "used", "said"),
    [
        ("How many patients got furosemide and metformin?", "all count drug( v1 | )", {"v1"}, "metformin"),
        ("How many patients got furosemide in 2024?", "all count drug( v1 | )", {"v1"}, "in 2024"),
        ("Last creatinine in the last ICU stay?", "one rows .value lab( v1 | )", {"v1"}, "the last ICU stay"),
        ("How many had creatinine above 2.5 mg/dL?", "all count lab( v1 | )", {"v1"}, "2.5 mg/dL"),
        ("How many patients were given zolgensma?", "all count patient( )", set(), "zolgensma"),
        ("How many patients had <v1>?", "all count diagnosis( )", set(), "v1"),
    ],
)
def test_a_restriction_that_a_plan_ignores_is_named(
    linker: Linker, question: str, plan: str, used: set[str], said: str
) -> None:
    assert said in str(missed(linker, question, plan, used))


def test_a_name_that_the_store_does_not_know_is_noticed_in_chinese(linker: Linker) -> None:
    assert missed(linker, "有多少患者用过诺西那生？", "all count patient( )", set(), "zh") == "诺西那生"
    assert missed(linker, "有多少患者用过什么药物？", "all count drug( )", set(), "zh") is None


@pytest.mark.parametrize(
    ("question", "plan", "used"),
    [
        ("How many patients got furosemide in 2024?", "all count drug( v1 | t1 )", {"v1", "t1"}),
        ("Is the patient male or female?", "one rows .gender patient( )", set[str]()),
        ("How many patients were given furosemide (furosemide)?", "all count drug( v1 | )", {"v1"}),
        ("How many patients were givn medicaton?", "all count drug( )", set[str]()),
    ],
)
def test_what_a_plan_honours_or_says_otherwise_is_not_missed(
    linker: Linker, question: str, plan: str, used: set[str]
) -> None:
    assert missed(linker, question, plan, used) is None


def test_words_that_mean_nothing_to_the_planner_are_found_and_misspelt_ones_are_not() -> None:
    assert unread("<many> how many patiens given <v1><drug> labevents", LEXICON) == ("labevents",)
