"""Words that ask how large a change is, told apart from limits and from doses."""

import pytest

from agent.language import language_of
from agent.planning.change_words import ChangeWords, find_change
from agent.planning.link import Candidate, Link, Linked
from agent.planning.numbers import numbers
from agent.planning.times import resolve_times
from agent.query.model import Change, ClinicalQuery, Concept, Count, Events, Extent, Rows
from tests.hospital import NOW

LAB = Link(0, 0, "", (Candidate("lab", "name", "Creatinine", 1.0, "exact", 1),))
DRUG = Link(0, 0, "", (Candidate("drug", "name", "Furosemide", 1.0, "exact", 1),))
CREATININE = Events(domain="lab", concepts=(Concept(values=("Creatinine",)),))


def linked(question: str, *values: Link) -> Linked:
    times = resolve_times(question, language_of(question), NOW)
    return Linked(values=values, times=tuple(times), numbers=numbers(question, ()))


def found(question: str, *values: Link) -> ChangeWords | None:
    return find_change(question, linked(question, *(values or (LAB,))), language_of(question), many=False)


@pytest.mark.parametrize(
    ("question", "words", "by", "kind", "direction"),
    [
        ("has his creatinine doubled since admission?", "doubled", 2, "times", "rise"),
        ("did creatinine double this admission?", "double", 2, "times", "rise"),
        ("is creatinine twice what it was on admission", "twice what it was", 2, "times", "rise"),
        ("creatinine tripled?", "tripled", 3, "times", "rise"),
        ("has creatinine halved", "halved", 2, "times", "fall"),
        ("did creatinine increase 1.5-fold", "increase 1.5-fold", 1.5, "times", "rise"),
        ("a 50% increase in creatinine", "50% increase", 50, "percent", "rise"),
        ("creatinine fell by 0.3 mg/dL", "fell by 0.3 mg/dL", 0.3, "amount", "fall"),
        ("肌酐翻倍了吗", "翻倍了吗", 2, "times", "rise"),
        ("肌酐升高一倍了吗", "升高一倍了吗", 2, "times", "rise"),
        ("肌酐升至原来的3倍", "升至原来的3倍", 3, "times", "rise"),
        ("肌酐降了一半吗", "降了一半吗", 2, "times", "fall"),
        ("肌酐升高了50%以上吗", "升高了50%以上吗", 50, "percent", "rise"),
        ("肌酐下降2 mg/dL了吗", "下降2 mg/dL了吗", 2, "amount", "fall"),
    ],
)
def test_the_extent_of_a_change_is_read(
    question: str, words: str, by: float, kind: str, direction: str
) -> None:
    change = found(question)
    assert change is not None and change.text == words
    extent = change.extent
    assert (extent.by, extent.kind, extent.direction, extent.beyond) == (by, kind, direction, False)


@pytest.mark.parametrize("question", ["did creatinine rise by more than 50%", "肌酐有没有升高超过50%"])
def test_more_than_a_limit_is_not_the_limit(question: str) -> None:
    change = found(question)
    assert change is not None and change.extent.beyond


@pytest.mark.parametrize(
    "question",
    [
        "did creatinine rise above 5.5",
        "creatinine dropped to 1.0",
        "did creatinine rise by less than 50%",
        "did creatinine rise by 50% or less",
        "a double dose after the creatinine",
        "she doubled the dose after the creatinine",
        "how much did creatinine rise",
        "肌酐升高到2.0了吗",
        "肌酐升高超过5.5吗",
        "肌酐升高50%以下吗",
    ],
)
def test_levels_upper_limits_and_doses_are_no_such_words(question: str) -> None:
    assert found(question) is None


def test_a_drug_alone_has_no_value_that_could_double() -> None:
    assert found("was the furosemide doubled?", DRUG) is None


def test_its_numbers_belong_to_the_words() -> None:
    question = "did creatinine rise by more than 50% in 3 patients"
    change = found(question)
    assert change is not None
    assert [value for _, _, value, _ in change.without(linked(question, LAB)).numbers] == [3.0]


@pytest.mark.parametrize(
    "question",
    ["has creatinine doubled compared with yesterday", "肌酐较昨天翻倍了吗", "与昨天相比肌酐翻倍了吗"],
)
def test_compared_with_a_time_is_since_that_time(question: str) -> None:
    change = found(question)
    assert change is not None
    (time,) = change.without(linked(question, LAB)).times
    assert time.window is not None and time.window.end is None


def test_within_a_time_stays_within_it() -> None:
    question = "did creatinine double yesterday"
    change = found(question)
    assert change is not None
    (time,) = change.without(linked(question, LAB)).times
    assert time.window is not None and time.window.end is not None


def test_a_change_gets_the_extent_and_so_do_patients_with_one() -> None:
    change = found("has creatinine doubled")
    assert change is not None
    doubled = Change(at_least=Extent(by=2, kind="times", direction="rise"))
    compared = ClinicalQuery(ask=Change(as_comparison=">"), of=CREATININE, patient=1)
    assert change.asked_of(compared) == ClinicalQuery(ask=doubled, of=CREATININE, patient=1)
    patients = ClinicalQuery(ask=Rows(fields=("subject_id",)), of=CREATININE)
    assert change.asked_of(patients) == ClinicalQuery(ask=doubled, of=CREATININE)
    assert change.asked_of(ClinicalQuery(ask=Count(of="patients"), of=CREATININE)) is None
