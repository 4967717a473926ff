"""Words for an age restrict patients by age; what they do not fit is left as it is."""

import pytest

from agent.answer import Language
from agent.planning.age_words import find_ages
from agent.planning.link import Linked
from agent.planning.numbers import numbers
from agent.query.model import ClinicalQuery, Condition, Events, Operator, Top

TOP = ClinicalQuery(ask=Top(n=60), of=Events(domain="drug"))


def found(question: str, language: Language):
    return find_ages(question, Linked(numbers=numbers(question, [])), language)


@pytest.mark.parametrize(
    ("question", "language", "op", "value", "upper"),
    [
        ("most prescribed drug in patients over 60", "en", ">", 60, None),
        ("top diagnoses among women older than 70 years", "en", ">", 70, None),
        ("how many patients aged 60 to 69", "en", "between", 60, 69),
        ("admissions of people between 20 and 40 years old", "en", "between", 20, 40),
        ("creatinine of patients 80 or older", "en", ">=", 80, None),
        ("patients under the age of 18", "en", "<", 18, None),
        ("70岁以上患者最常见的诊断", "zh", ">=", 70, None),
        ("70岁以下的患者", "zh", "<=", 70, None),
        ("60到69岁患者中最常见的三个诊断", "zh", "between", 60, 69),
        ("不满50岁的患者", "zh", "<", 50, None),
        ("年龄超过65岁的心衰患者", "zh", ">", 65, None),
    ],
)
def test_an_age_with_what_it_compares(
    question: str, language: Language, op: Operator, value: float, upper: float | None
) -> None:
    ages = found(question, language)
    assert ages is not None
    assert ages.condition == Condition(field="age", op=op, value=value, upper=upper)
    left = ages.left_out(question)
    assert len(left) == len(question)
    assert str(value) not in left
    assert not ages.is_in(TOP)
    assert ages.is_in(ages.asked_of(TOP))


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("patients with potassium over 5", "en"),
        ("top 60 drugs of all patients", "en"),
        ("patients over 60 mg a day", "en"),
        ("stays of patients over 3 days", "en"),
        ("血钾超过5的患者", "zh"),
        ("住院超过60天的患者", "zh"),
        ("patients over 60 and women under 50", "en"),
    ],
)
def test_other_numbers_are_no_ages_and_two_ages_are_left_to_the_planner(
    question: str, language: Language
) -> None:
    assert found(question, language) is None
