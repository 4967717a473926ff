"""Follow-ups that ask something else of the same events: "the highest?", "什么时候测的？"."""

from pathlib import Path

import pytest

from agent.planning.linker import Linker
from agent.planning.plan import QueryRecords, Refuse, SearchNotes
from agent.query.model import Change, ClinicalQuery, Count, Group, Statistic, Top, Trend
from knowledge.store.store import RecordStore
from tests.agent.planning.conversation import creatinine, follow, followed, hospital, query, rows

COUNT_PATIENTS = {"ask": "count", "of": "patients"}
HEART_FAILURE = [{"values": ["Heart failure, unspecified"]}]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> RecordStore:
    folder: Path = tmp_path_factory.mktemp("followup")
    return hospital(folder)


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("the highest?", 2.8),
        ("and the lowest?", 1.2),
        ("how high did it get?", 2.8),
        ("the first one?", 1.2),
        ("and the latest?", 1.9),
        ("最高是多少？", 2.8),
        ("最低呢", 1.2),
        ("它最高到过多少？", 2.8),
        ("第一次呢？", 1.2),
        ("最近一次呢", 1.9),
    ],
)
def test_another_pick_keeps_the_events_and_their_admission(
    linker: Linker, store: RecordStore, question: str, value: float
) -> None:
    after = followed(linker, creatinine(), question)
    assert after.of.encounter == creatinine().of.encounter  # 0.9 of the admission before would be the lowest
    assert [row[1] for row in rows(store, after)] == [value]


@pytest.mark.parametrize("question", ["when was that?", "and when exactly?", "什么时候测的？", "是哪天"])
def test_when_is_the_time_of_the_picked_value(linker: Linker, store: RecordStore, question: str) -> None:
    after = followed(linker, creatinine(pick={"which": "max"}), question)
    assert [row[0] for row in rows(store, after)] == ["2025-02-26 06:00:00"]


@pytest.mark.parametrize("question", ["when was that?", "什么时候？"])
def test_when_after_a_maximum_is_the_time_of_it(linker: Linker, store: RecordStore, question: str) -> None:
    last = creatinine().model_copy(update={"ask": Statistic(function="max")})
    assert rows(store, followed(linker, last, question))[0][0] == "2025-02-26 06:00:00"


@pytest.mark.parametrize(
    "question", ["when was the highest?", "最高的是什么时候测的", "最高值出现在什么时候"]
)
def test_a_pick_and_its_time_are_asked_at_once(linker: Linker, store: RecordStore, question: str) -> None:
    assert rows(store, followed(linker, creatinine(), question))[0][0] == "2025-02-26 06:00:00"


@pytest.mark.parametrize(
    "question", ["and the one before that?", "the previous value?", "上一次呢", "前一次是多少"]
)
def test_the_one_before_is_counted_back(linker: Linker, store: RecordStore, question: str) -> None:
    after = followed(linker, creatinine(pick={"which": "last", "n": 2}), question)
    assert after.of.pick is not None and after.of.pick.n == 3


@pytest.mark.parametrize(
    ("question", "figure"),
    [
        ("how many times?", 4),
        ("how often was it measured?", 4),
        ("总共几次？", 4),
        ("测了多少次", 4),
        ("the average?", pytest.approx(5.9 / 3)),
        ("平均呢？", pytest.approx(5.9 / 3)),
        ("the median?", 1.9),
        ("中位数是多少", 1.9),
    ],
)
def test_a_figure_is_of_all_the_events(
    linker: Linker, store: RecordStore, question: str, figure: float
) -> None:
    after = followed(linker, creatinine(pick={"which": "last"}), question)
    assert rows(store, after) == [(figure,)]


@pytest.mark.parametrize(
    "question", ["the trend?", "show me the trend", "is it going up?", "趋势如何？", "变化趋势呢"]
)
def test_a_trend_is_of_all_values(linker: Linker, question: str) -> None:
    after = followed(linker, creatinine(pick={"which": "last"}), question)
    assert isinstance(after.ask, Trend) and after.of.pick is None


@pytest.mark.parametrize(
    "question", ["how much has it changed since admission?", "and the change?", "升高了多少？", "变化了多少"]
)
def test_a_change_is_from_the_first_to_the_last(linker: Linker, store: RecordStore, question: str) -> None:
    after = followed(linker, creatinine(pick={"which": "last"}), question)
    assert isinstance(after.ask, Change)
    assert rows(store, after) == [(pytest.approx(0.7),)]


ALLERGIES = query({"ask": "rows", "fields": ["substance"]}, patient=2, domain="allergy")
STAY = query({"ask": "rows", "fields": ["time"]}, patient=2, domain="admission", encounter={"which": "last"})
DRUG = query(
    {"ask": "exists"}, domain="drug", concepts=[{"values": ["Furosemide"]}], status="active", patient=1
)


@pytest.mark.parametrize(
    ("last", "question", "expected"),
    [
        (ALLERGIES, "and what reactions did they cause?", [("Penicillin", "rash")]),
        (ALLERGIES, "什么反应？", [("Penicillin", "rash")]),
        (ALLERGIES, "how severe?", [("Penicillin", "moderate")]),
        (STAY, "why?", [("pneumonia",)]),
        (STAY, "为什么？", [("pneumonia",)]),
        (STAY, "where was he discharged to?", [("home",)]),
        (STAY, "出院去向？", [("home",)]),
        (STAY, "and discharged?", [("2025-01-18 11:00:00",)]),
        (STAY, "什么时候出院的？", [("2025-01-18 11:00:00",)]),
        (STAY, "how long did it last?", [(pytest.approx(7.625),)]),
        (STAY, "住了多久？", [(pytest.approx(7.625),)]),
        (DRUG, "what dose?", [("40", "mg")]),
        (DRUG, "剂量是多少？", [("40", "mg")]),
        (DRUG, "which route?", [("IV",)]),
        (DRUG, "since when?", [("2025-02-26 09:00:00",)]),
        (DRUG, "什么时候开始用的", [("2025-02-26 09:00:00",)]),
    ],
)
def test_a_field_of_the_same_events_is_asked_for(
    linker: Linker, store: RecordStore, last: ClinicalQuery, question: str, expected: list[tuple[object, ...]]
) -> None:
    assert rows(store, followed(linker, last, question, last.patient)) == expected


@pytest.mark.parametrize("question", ["what is it sensitive to?", "对哪些抗生素敏感？"])
def test_a_culture_is_asked_for_what_works(linker: Linker, store: RecordStore, question: str) -> None:
    last = query({"ask": "rows", "fields": ["organism"]}, domain="microbiology")
    assert rows(store, followed(linker, last, question)) == [("ESCHERICHIA COLI", "CEFTRIAXONE")]


@pytest.mark.parametrize(("question", "counted"), [("how many are there?", 1), ("有多少人？", 1)])
def test_patients_are_counted_after_a_list_of_them(
    linker: Linker, store: RecordStore, question: str, counted: int
) -> None:
    last = query({"ask": "rows", "fields": ["subject_id"]}, None, domain="diagnosis", concepts=HEART_FAILURE)
    after = followed(linker, last, question, None)
    assert after.ask == Count(of="patients")
    assert rows(store, after) == [(counted,)]


@pytest.mark.parametrize("question", ["which ones?", "list them", "是哪些", "列出来"])
def test_patients_are_listed_after_a_count_of_them(linker: Linker, store: RecordStore, question: str) -> None:
    last = query(COUNT_PATIENTS, None, domain="diagnosis", concepts=HEART_FAILURE)
    assert rows(store, followed(linker, last, question, None)) == [(3,)]


@pytest.mark.parametrize(
    ("question", "bucket", "by"),
    [
        ("by month?", "month", None),
        ("按月呢", "month", None),
        ("by gender", None, "gender"),
        ("按性别", None, "gender"),
    ],
)
def test_a_count_is_split(linker: Linker, question: str, bucket: str | None, by: str | None) -> None:
    last = query({"ask": "count", "of": "admissions"}, None, domain="admission")
    after = followed(linker, last, question, None)
    assert isinstance(after.ask, Group)
    assert (after.ask.bucket, after.ask.by, after.ask.figure) == (bucket, by, "admissions")


@pytest.mark.parametrize("question", ["which unit had the most stays?", "哪个科室最多？"])
def test_the_most_frequent_group_is_found(linker: Linker, question: str) -> None:
    last = query(COUNT_PATIENTS, None, domain="icu_stay")
    assert followed(linker, last, question, None).ask == Top(n=1, field="careunit")


@pytest.mark.parametrize("question", ["the average?", "平均呢", "how much has it changed?"])
def test_what_cannot_be_asked_of_the_events_is_not_asked_of_everyone(linker: Linker, question: str) -> None:
    last = query({"ask": "rows", "fields": ["name"]}, domain="diagnosis")
    plan = follow(linker, last, question)
    assert plan is not None and isinstance(plan.actions[0], Refuse)


def test_nothing_goes_on_from_what_was_not_answered(linker: Linker) -> None:
    plan = follow(linker, Refuse("low_confidence", "?"), "the highest?")
    assert plan is not None and isinstance(plan.actions[0], Refuse)
    assert isinstance(follow(linker, SearchNotes("?", 1), "平均呢").actions[0], Refuse)  # type: ignore[union-attr]


def test_another_question_is_not_drawn_unless_it_asks_for_that(linker: Linker) -> None:
    drawn = QueryRecords(creatinine(), chart="line")
    of_another = follow(linker, drawn, "and potassium?")
    figure = follow(linker, drawn, "the average?")
    assert of_another is not None and isinstance(of_another.actions[0], QueryRecords)
    assert figure is not None and isinstance(figure.actions[0], QueryRecords)
    assert (of_another.actions[0].chart, figure.actions[0].chart) == ("line", None)
