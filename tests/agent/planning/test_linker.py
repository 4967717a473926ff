"""What is no part of a name: the words of a superlative, and what stands on the other side of a time."""

import pytest

from agent.planning.link import Candidate, Link
from agent.planning.linker import Linker, glossed
from agent.scope import Scope
from tests.hospital import NOW


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("本次住院最高血钾是多少", "血钾"),  # 高血钾 is hyperkalaemia
        ("最高血压是多少", "血压"),  # 高血压 is hypertension
        ("找出2100年3月血钾超过5的患者", "血钾"),  # 出血 is bleeding
    ],
)
def test_a_name_is_not_made_of_words_that_belong_elsewhere(linker: Linker, question: str, said: str) -> None:
    (link,) = linker.link(question, "zh", Scope(now=NOW)).values
    assert link.text == said
    assert {candidate.domain for candidate in link.candidates} <= {"lab", "vital"}


def test_a_distance_from_an_event_is_no_period_before_now(linker: Linker) -> None:
    linked = linker.link("确诊高血压后30个月内最常开的5种药", "zh", Scope(now=NOW))
    assert linked.times == ()
    assert [value for _, _, value, _ in linked.numbers] == [30, 5]


@pytest.mark.parametrize("question", ["有没有药物过敏？", "药物过敏史", "any drug allergy?"])
def test_words_for_allergies_are_no_diagnosis_where_the_store_lists_allergies(
    linker: Linker, question: str
) -> None:
    language = "en" if question.isascii() else "zh"
    links = linker.link(question, language, Scope(now=NOW)).values
    assert not any(candidate.domain == "diagnosis" for link in links for candidate in link.candidates)


def test_a_name_with_its_value_in_brackets_is_one_mention_of_the_value() -> None:
    def link(start: int, end: int, domain: str, value: str) -> Link:
        return Link(start, end, question[start:end], (Candidate(domain, "name", value, 1.0, "name", 1),))

    question = "脾大（splenomegaly）诊断费多少钱"
    first, second = link(0, 2, "diagnosis", "hypersplenism"), link(3, 15, "diagnosis", "splenomegaly")
    (one,) = glossed(question, [first, second])
    assert (one.text, one.candidates[0].value) == ("脾大（splenomegaly）", "splenomegaly")
    other = link(3, 15, "lab", "splenomegaly")
    assert glossed(question, [first, other]) == (first, other)
