"""Names that the store has nothing of, and plurals that ask for all values."""

import pytest

from agent.planning.every_one import every_one
from agent.planning.link import Candidate, Link, Linked
from agent.planning.not_held import not_held
from agent.query.model import ClinicalQuery, Concept, Count, Events, Pick, Rows, Window

TUMOUR = Concept(values=("Pheochromocytoma",), said="pheo")
COUNTED = ClinicalQuery(ask=Count(of="patients"), of=Events(domain="diagnosis", concepts=(TUMOUR,)))
TODAY = Window(start="2025-03-01 00:00:00", end="2025-03-02 00:00:00", said="today")
LATEST = ClinicalQuery(
    ask=Rows(fields=("value",)),
    of=Events(domain="vital", concepts=(Concept(values=("SBP",)),), window=TODAY, pick=Pick(which="last")),
    patient=1,
)


def linked(how: str) -> Linked:
    candidate = Candidate("diagnosis", "name", "Pheochromocytoma", 0.9, how, 0)
    return Linked(values=(Link(0, 4, "pheo", (candidate,)),))


def test_nobody_is_counted_under_a_name_that_is_not_there() -> None:
    refusal = not_held(COUNTED, linked("absent"), "en")
    assert refusal is not None
    assert "pheo" in refusal.text
    assert refusal.reason == "not_documented"


def test_a_title_that_nobody_has_is_counted_and_one_record_speaks_for_itself() -> None:
    assert not_held(COUNTED, linked("exact"), "en") is None
    assert not_held(COUNTED.model_copy(update={"patient": 1}), linked("absent"), "en") is None


@pytest.mark.parametrize("question", ["show me his systolic pressures today", "今天的收缩压有哪些"])
def test_a_plural_in_a_span_of_time_is_all_values(question: str) -> None:
    assert every_one(question, LATEST).of.pick is None


@pytest.mark.parametrize("question", ["systolic pressure today", "the latest of his pressures today"])
def test_one_value_stays_one(question: str) -> None:
    assert every_one(question, LATEST) == LATEST
