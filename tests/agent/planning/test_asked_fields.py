"""The time of leaving an ICU is not the time of going in, and "how high, and when" asks for both."""

import pytest

from agent.answer import Language
from agent.planning.asked_fields import fields_asked, is_other_stay
from agent.query.model import ClinicalQuery, Concept, Count, Events, Pick, Rows

STAYS = ClinicalQuery(ask=Rows(fields=("careunit", "time", "end")), of=Events(domain="icu_stay"), patient=1)
HIGHEST = Events(domain="lab", concepts=(Concept(values=("Creatinine",)),), pick=Pick(which="max"))


def fields(question: str, language: Language, query: ClinicalQuery) -> tuple[str, ...]:
    ask = fields_asked(question, language, query).ask
    assert isinstance(ask, Rows)
    return ask.fields


@pytest.mark.parametrize(
    ("question", "language", "field"),
    [
        ("when did he leave the ICU?", "en", "end"),
        ("what time was she discharged from the ICU", "en", "end"),
        ("ICU out time", "en", "end"),
        ("when was she admitted to the ICU", "en", "time"),
        ("出ICU时间", "zh", "end"),
        ("什么时候转出重症监护室的", "zh", "end"),
        ("ICU什么时候出来的", "zh", "end"),
        ("什么时候进的ICU", "zh", "time"),
        ("入ICU时间", "zh", "time"),
    ],
)
def test_one_end_of_an_icu_stay(question: str, language: Language, field: str) -> None:
    assert fields(question, language, STAYS) == (field,)


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("when was she in the ICU", "en"),
        ("when did she enter and leave the ICU", "en"),
        ("进出ICU的时间", "zh"),
        ("她住过哪些ICU", "zh"),
    ],
)
def test_both_ends_where_neither_is_asked_for_alone(question: str, language: Language) -> None:
    assert fields(question, language, STAYS) == ("careunit", "time", "end")


def test_leaving_the_icu_is_not_leaving_the_hospital() -> None:
    discharge = ClinicalQuery(ask=Rows(fields=("end",)), of=Events(domain="admission"), patient=1)
    assert is_other_stay("when was she discharged from the ICU?", "en", discharge)
    assert not is_other_stay("when was she discharged?", "en", discharge)
    assert not is_other_stay("when was she discharged from the ICU?", "en", STAYS)


@pytest.mark.parametrize(
    ("question", "language", "wanted"),
    [
        ("what was the highest creatinine and when", "en", ("value", "time")),
        ("肌酐最高是多少，什么时候", "zh", ("value", "time")),
        ("when was creatinine highest", "en", ("time",)),
        ("肌酐最高是什么时候", "zh", ("time",)),
    ],
)
def test_how_much_and_when_are_both_told(question: str, language: Language, wanted: tuple[str, ...]) -> None:
    query = ClinicalQuery(ask=Rows(fields=("time",)), of=HIGHEST, patient=1)
    assert fields(question, language, query) == wanted


def test_what_is_no_list_stays_as_it_is() -> None:
    count = ClinicalQuery(ask=Count(), of=Events(domain="icu_stay"), patient=1)
    assert fields_asked("when did he leave the ICU", "en", count) == count


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("which of his medications are active and which were stopped?", "en"),
        ("在用和已停的药分别有哪些", "zh"),
    ],
)
def test_active_and_stopped_are_both_listed(question: str, language: Language) -> None:
    ended = Events(domain="drug", status="ended")
    query = ClinicalQuery(ask=Rows(fields=("name", "time")), of=ended, patient=1)
    asked = fields_asked(question, language, query)
    assert asked.of.status is None
    assert fields(question, language, query) == ("name", "time", "end")
    assert fields_asked("which drugs were stopped?", language, query) == query


@pytest.mark.parametrize(
    ("question", "language", "which"),
    [
        ("心率最快是多少", "zh", "max"),
        ("slowest heart rate", "en", "min"),
        ("最近一次最高心率", "zh", "last"),
        ("latest heart rate", "en", "last"),
    ],
)
def test_the_fastest_is_not_the_last(question: str, language: Language, which: str) -> None:
    last = Events(domain="vital", concepts=(Concept(values=("Heart Rate",)),), pick=Pick(which="last"))
    asked = fields_asked(question, language, ClinicalQuery(ask=Rows(fields=("value",)), of=last, patient=1))
    assert asked.of.pick is not None and asked.of.pick.which == which
