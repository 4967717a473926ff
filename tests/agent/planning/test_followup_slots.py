"""Follow-ups that leave out, lift, renumber and go beyond what the last question named."""

import pytest

from agent.planning.linker import Linker
from agent.planning.plan import Refuse
from agent.query.model import Condition, Exists, Top
from tests.agent.planning.conversation import creatinine, follow, followed, query

COUNT = {"ask": "count", "of": "patients"}
WITH_DIABETES = query(
    COUNT, None, domain="diagnosis", concepts=[{"values": ["Type 2 diabetes mellitus without complications"]}]
)
DRUGS = query({"ask": "rows", "fields": ["name"]}, domain="drug")


@pytest.mark.parametrize(
    "question", ["exclude women", "not the women", "excluding females", "不包括女性", "除了女性"]
)
def test_what_is_left_out_is_not_what_is_kept(linker: Linker, question: str) -> None:
    after = followed(linker, WITH_DIABETES, question, None)
    assert [(c.field, c.op) for c in after.of.where] == [("gender", "!=")]
    assert all(concept.field != "gender" for concept in after.of.concepts)


@pytest.mark.parametrize("question", ["regardless of sex", "both sexes", "不限性别"])
def test_a_restriction_is_lifted(linker: Linker, question: str) -> None:
    women = followed(linker, WITH_DIABETES, "only the women", None)
    assert followed(linker, women, question, None) == WITH_DIABETES


@pytest.mark.parametrize(("question", "n"), [("make it 10", 10), ("改成3", 3)])
def test_a_bare_number_replaces_the_only_one(linker: Linker, question: str, n: int) -> None:
    top = query({"ask": "top", "n": 5}, None, domain="diagnosis")
    ask = followed(linker, top, question, None).ask
    assert isinstance(ask, Top) and ask.n == n


def test_a_bare_number_counts_further_back(linker: Linker) -> None:
    day = {"start": "2026-02-28 08:00:00", "end": "2026-03-01 08:00:01", "said": "over the last 24 hours"}
    after = followed(linker, creatinine(encounter=None, window=day), "make it 48")
    assert after.of.window is not None
    assert after.of.window.start == "2026-02-27 08:00:00"


def test_a_number_that_could_be_two_things_is_no_follow_up(linker: Linker) -> None:
    last = query(
        {"ask": "top", "n": 5},
        None,
        domain="diagnosis",
        where=[{"field": "age", "op": ">", "value": 65}],
    )
    plan = follow(linker, last, "make it 10", None)
    assert plan is not None and isinstance(plan.actions[0], Refuse)


@pytest.mark.parametrize(
    "question", ["only the twice daily ones", "每日两次的有哪些", "bid only", "每日2次的呢"]
)
def test_how_often_a_drug_is_given_restricts(linker: Linker, question: str) -> None:
    concepts = followed(linker, DRUGS, question).of.concepts
    assert [(c.field, "BID" in c.values) for c in concepts] == [("frequency", True)]


@pytest.mark.parametrize("question", ["only those over 65", "65岁以上的呢"])
def test_a_bare_number_of_patients_is_their_age(linker: Linker, question: str) -> None:
    (condition,) = followed(linker, WITH_DIABETES, question, None).of.where
    assert (condition.field, condition.value) == ("age", 65.0)


def test_a_yes_or_no_is_asked_of_all_values(linker: Linker) -> None:
    after = followed(linker, creatinine(), "was it ever above 1.5?")
    assert isinstance(after.ask, Exists)
    assert after.of.where == (Condition(field="value", op=">", value=1.5),)


@pytest.mark.parametrize("question", ["jsut the high ones", "olny the high ones"])
def test_a_slip_in_a_small_word_is_mended(linker: Linker, question: str) -> None:
    assert followed(linker, creatinine(), question).of.where == (Condition(field="value", value="high"),)


@pytest.mark.parametrize("question", ["里面高的有几个", "人数最多的是哪种"])
def test_a_question_of_many_without_a_subject_is_never_read_alone(linker: Linker, question: str) -> None:
    plan = follow(linker, Refuse("low_confidence", "?"), question, None)
    assert plan is not None and isinstance(plan.actions[0], Refuse)
