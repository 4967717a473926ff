"""Follow-ups that restrict the events of the last question, or put others in their place."""

from pathlib import Path

import pytest

from agent.planning.linker import Linker
from agent.planning.plan import QueryRecords, Refuse
from agent.query.model import ClinicalQuery, Condition
from knowledge.store.store import RecordStore
from tests.agent.planning.conversation import FIRST, creatinine, follow, followed, hospital, query, rows

COUNT = {"ask": "count", "of": "patients"}
DRUGS = query({"ask": "rows", "fields": ["name"]}, domain="drug")
CULTURES = query({"ask": "rows", "fields": ["antibiotic"]}, domain="microbiology")
WITH_DIABETES = query(
    COUNT, None, domain="diagnosis", concepts=[{"values": ["Type 2 diabetes mellitus without complications"]}]
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> RecordStore:
    folder: Path = tmp_path_factory.mktemp("followup")
    return hospital(folder)


@pytest.mark.parametrize(
    ("question", "values"),
    [
        ("only those above 1.5", [2.8, 1.9]),
        ("those over 2", [2.8]),
        ("> 2", [2.8]),
        ("1.9 or more", [2.8, 1.9]),
        ("below 1.5?", [1.2]),
        ("only between 1 and 2", [1.2, 1.9]),
        ("just the high ones", [1.2, 2.8, 1.9]),
        ("只要大于1.5的", [2.8, 1.9]),
        ("超过2的有哪些", [2.8]),
        ("2以上的", [2.8]),
        ("低于1.5的呢", [1.2]),
        ("介于1和2之间的", [1.2, 1.9]),
        ("只看异常的", [1.2, 2.8, 1.9]),
    ],
)
def test_values_are_restricted(
    linker: Linker, store: RecordStore, question: str, values: list[float]
) -> None:
    found = [row[1] for row in rows(store, followed(linker, creatinine(), question))]
    assert [value for value in found if value is not None] == values


def test_a_unit_goes_with_its_number(linker: Linker) -> None:
    after = followed(linker, creatinine(), "only those above 1.5 mg/dL")
    assert after.of.where == (Condition(field="value", op=">", value=1.5, unit="mg/dL"),)


@pytest.mark.parametrize(
    ("question", "order"),
    [
        ("the last 2", "time_desc"),
        ("最近2次", "time_desc"),
        ("最近两次", "time_desc"),
        ("the first 2", "time"),
    ],
)
def test_so_many_are_listed_from_one_end(linker: Linker, question: str, order: str) -> None:
    ask = followed(linker, creatinine(), question).ask.model_dump()
    assert (ask["order"], ask["limit"], ask["fields"]) == (order, 2, ("time", "value", "unit"))


@pytest.mark.parametrize(("question", "n"), [("how many of them above 1.5?", 2), ("大于1.5的有几次？", 2)])
def test_a_restriction_is_counted(linker: Linker, store: RecordStore, question: str, n: int) -> None:
    assert rows(store, followed(linker, creatinine(), question)) == [(n,)]


@pytest.mark.parametrize(("question", "op"), [("and below 3?", "<"), ("小于3的呢", "<")])
def test_a_new_threshold_takes_the_place_of_the_old_one(linker: Linker, question: str, op: str) -> None:
    last = creatinine(where=[{"field": "value", "op": ">", "value": 2.0}])
    (condition,) = followed(linker, last, question).of.where
    assert (condition.op, condition.value) == (op, 3.0)


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("only active ones", {"Furosemide", "Ceftriaxone"}),
        ("the stopped ones", {"Metformin"}),
        ("only the IV ones", {"Furosemide", "Ceftriaxone"}),
        ("just oral", {"Metformin"}),
        ("只要在用的", {"Furosemide", "Ceftriaxone"}),
        ("停用的呢", {"Metformin"}),
        ("只要静脉用的", {"Furosemide", "Ceftriaxone"}),
        ("口服的呢", {"Metformin"}),
    ],
)
def test_drugs_are_restricted(linker: Linker, store: RecordStore, question: str, names: set[str]) -> None:
    assert {str(row[0]) for row in rows(store, followed(linker, DRUGS, question))} == names


@pytest.mark.parametrize("question", ["only the resistant ones", "只要耐药的"])
def test_cultures_are_restricted(linker: Linker, store: RecordStore, question: str) -> None:
    assert rows(store, followed(linker, CULTURES, question)) == [("CIPROFLOXACIN",)]


@pytest.mark.parametrize("question", ["only the primary one", "主要的是哪个"])
def test_the_primary_diagnosis_is_the_first_ranked(linker: Linker, store: RecordStore, question: str) -> None:
    last = query({"ask": "rows", "fields": ["name"]}, domain="diagnosis", encounter={"which": "this"})
    assert rows(store, followed(linker, last, question))[0][0] == "Acute kidney failure, unspecified"


@pytest.mark.parametrize(
    ("question", "n"),
    [
        ("how many of them are women?", 1),
        ("and men?", 0),
        ("over 70 years", 0),
        ("how many of them also have acute kidney failure?", 1),
        ("how many of them are on insulin?", 0),
        ("how many without furosemide?", 0),
        ("how many of those died?", 0),
        ("其中死亡的有多少", 0),
        ("其中女性多少？", 1),
        ("男性呢", 0),
        ("60岁以上的呢", 1),
        ("其中用呋塞米的有多少", 1),
    ],
)
def test_patients_are_restricted(linker: Linker, store: RecordStore, question: str, n: int) -> None:
    assert rows(store, followed(linker, WITH_DIABETES, question, None)) == [(n,)]


@pytest.mark.parametrize(
    ("question", "n"),
    [("and pneumonia?", 1), ("and on furosemide?", 2), ("肺炎呢", 1), ("那左氧氟沙星呢", 1)],
)
def test_patients_with_something_else_are_counted(
    linker: Linker, store: RecordStore, question: str, n: int
) -> None:
    assert rows(store, followed(linker, WITH_DIABETES, question, None)) == [(n,)]


@pytest.mark.parametrize("question", ["how many of them smoke?", "其中抽烟的呢"])
def test_a_restriction_that_is_not_understood_is_not_dropped(linker: Linker, question: str) -> None:
    plan = follow(linker, WITH_DIABETES, question, None)
    assert plan is not None and isinstance(plan.actions[0], Refuse)


@pytest.mark.parametrize("question", ["are any of them furosemide?", "其中有呋塞米吗"])
def test_a_value_restricts_what_had_none(linker: Linker, store: RecordStore, question: str) -> None:
    after = followed(
        linker, DRUGS.model_copy(update={"of": DRUGS.of.model_copy(update={"status": "active"})}), question
    )
    assert after.of.status == "active"
    assert after.of.concepts[0].values == ("Furosemide",)


@pytest.mark.parametrize("question", ["how many patients?", "有多少人？", "which patients?"])
def test_a_question_about_one_patient_never_becomes_one_about_all(linker: Linker, question: str) -> None:
    plan = follow(linker, creatinine(), question)
    assert plan is None or not isinstance(plan.actions[0], QueryRecords)


@pytest.mark.parametrize("question", ["and her potassium?", "那她的血钾呢"])
def test_she_is_the_open_patient_also_after_a_question_about_all(linker: Linker, question: str) -> None:
    last = query(
        {"ask": "statistic", "function": "mean"}, None, domain="lab", concepts=[{"values": ["Creatinine"]}]
    )
    assert followed(linker, last, question).patient == 1


@pytest.mark.parametrize(
    "question",
    [
        "What is his latest potassium?",
        "is she on furosemide?",
        "How many admissions has she had?",
        "What drugs is she on?",
        "why was the creatinine so high?",
        "potassium or heart rate?",
        "她一共住过几次院？",
        "最近一次血钾是多少？",
        "在用呋塞米吗",
        "肌酐为什么升高",
    ],
)
def test_a_question_that_stands_alone_takes_nothing_over(linker: Linker, question: str) -> None:
    assert follow(linker, creatinine(), question) is None


@pytest.mark.parametrize(
    ("question", "said"),
    [("and potassium?", ["what is asked", "patient 1"]), ("那血钾呢", ["所问的内容", "患者 1"])],
)
def test_what_is_taken_over_is_said(linker: Linker, question: str, said: list[str]) -> None:
    plan = follow(linker, creatinine(), question)
    assert plan is not None
    assert FIRST in plan.assumptions[0] and all(part in plan.assumptions[0] for part in said)


def test_a_limit_of_the_last_question_does_not_hide_what_fits_a_new_restriction(linker: Linker) -> None:
    last: ClinicalQuery = followed(linker, creatinine(), "the last 2")
    assert followed(linker, last, "only those above 1").ask.model_dump()["limit"] is None
