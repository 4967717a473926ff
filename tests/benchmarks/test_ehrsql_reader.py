"""A statement that is read as a typed query gives the same rows as the statement itself."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from hospital import NOW, small_hospital

from agent.query.execute import run
from agent.query.model import ClinicalQuery, Encounter, Window
from agent.scope import Scope
from benchmarks.ehrsql.published import NOW as PUBLISHED_NOW
from benchmarks.ehrsql.published import Published, answerable, canonical
from benchmarks.ehrsql.reader import read
from benchmarks.ehrsql.skeleton import skeleton
from benchmarks.ehrsql.sql import Unexpressed
from benchmarks.ehrsql_expressiveness import Judged, judge, main, pairs, refusals, report
from knowledge.store.store import RecordStore

WOMAN = "hadm_id IN (SELECT admissions.hadm_id FROM admissions WHERE admissions.subject_id = 1)"
CURRENT = WOMAN[:-1] + " AND admissions.dischtime IS NULL)"
LAST = WOMAN[:-1] + " AND admissions.dischtime IS NOT NULL ORDER BY admissions.admittime DESC LIMIT 1)"
STAY = f"stay_id IN (SELECT icustays.stay_id FROM icustays WHERE icustays.{WOMAN})"


def _lab(name: str) -> str:
    return f"labevents.itemid IN (SELECT d_labitems.itemid FROM d_labitems WHERE d_labitems.label = '{name}')"


def _diagnosis(name: str) -> str:
    found = (
        f"SELECT d_icd_diagnoses.icd_code FROM d_icd_diagnoses WHERE d_icd_diagnoses.long_title = '{name}'"
    )
    return f"diagnoses_icd.icd_code = ({found})"


def _at(table: str, where: str, order: str) -> str:
    """The time of one event among those of ``where``."""
    time = "starttime" if table == "prescriptions" else "charttime"
    chosen = f"SELECT DISTINCT {table}.{time} FROM {table} WHERE {where} ORDER BY {table}.{time} {order}"
    return f"{table}.{time} = ({chosen})"


POTASSIUM = f"labevents.{WOMAN} AND {_lab('Potassium')}"
DIABETES = (
    "SELECT admissions.subject_id, diagnoses_icd.charttime FROM diagnoses_icd JOIN admissions "
    "ON diagnoses_icd.hadm_id = admissions.hadm_id WHERE "
    + _diagnosis("Type 2 diabetes mellitus without complications")
)
DRUGS = (
    "SELECT admissions.subject_id, prescriptions.drug, prescriptions.starttime FROM prescriptions "
    "JOIN admissions ON prescriptions.hadm_id = admissions.hadm_id"
)

STATEMENTS = {
    "a field of the patient": "SELECT patients.gender FROM patients WHERE patients.subject_id = 1",
    "an admission by place": "SELECT admissions.insurance FROM admissions WHERE admissions.subject_id = 1 AND "
    "admissions.dischtime IS NOT NULL ORDER BY admissions.admittime ASC LIMIT 1",
    "the latest value": f"SELECT labevents.valuenum FROM labevents WHERE {POTASSIUM} AND "
    + _at("labevents", POTASSIUM, "DESC LIMIT 1"),
    "the value before the latest": f"SELECT labevents.valuenum FROM labevents WHERE {POTASSIUM} AND "
    + _at("labevents", POTASSIUM, "DESC LIMIT 1 OFFSET 1"),
    "when it was highest": f"SELECT labevents.charttime FROM labevents WHERE {POTASSIUM} "
    "ORDER BY labevents.valuenum DESC, labevents.charttime ASC LIMIT 1",
    "whether above a limit": f"SELECT COUNT(*)>0 FROM labevents WHERE {POTASSIUM} AND labevents.valuenum > 6",
    "whether never outside a limit": "SELECT 1 - COUNT(*)>0 FROM chartevents WHERE "
    f"chartevents.{STAY} AND chartevents.itemid IN (SELECT d_items.itemid FROM d_items WHERE d_items.label = "
    "'Heart Rate' AND d_items.linksto = 'chartevents') AND chartevents.valuenum NOT BETWEEN 60 AND 100",
    "a mean for each day": f"SELECT AVG(labevents.valuenum) FROM labevents WHERE {POTASSIUM} "
    "GROUP BY strftime('%Y-%m-%d',labevents.charttime)",
    "a difference of two values": f"SELECT (SELECT labevents.valuenum FROM labevents WHERE {POTASSIUM} AND "
    + _at("labevents", POTASSIUM, "DESC LIMIT 1")
    + f") - (SELECT labevents.valuenum FROM labevents WHERE {POTASSIUM} AND "
    + _at("labevents", POTASSIUM, "ASC LIMIT 1")
    + ")",
    "whether it rose": f"SELECT (SELECT labevents.valuenum FROM labevents WHERE {POTASSIUM} AND "
    + _at("labevents", POTASSIUM, "DESC LIMIT 1")
    + f") > (SELECT labevents.valuenum FROM labevents WHERE {POTASSIUM} AND "
    + _at("labevents", POTASSIUM, "ASC LIMIT 1")
    + ")",
    "hours since": "SELECT 24 * ( strftime('%J',current_time) - strftime('%J', labevents.charttime) ) FROM "
    f"labevents WHERE {_lab('Potassium')} AND labevents.{CURRENT} ORDER BY labevents.charttime DESC LIMIT 1",
    "length of a stay": "SELECT strftime('%J', icustays.outtime) - strftime('%J', icustays.intime) FROM "
    "icustays WHERE icustays.hadm_id IN (SELECT admissions.hadm_id FROM admissions WHERE "
    "admissions.subject_id = 2) AND icustays.outtime IS NOT NULL ORDER BY icustays.intime ASC LIMIT 1",
    "a total in a month": f"SELECT SUM(outputevents.value) FROM outputevents WHERE outputevents.{STAY} AND "
    "strftime('%Y-%m',outputevents.charttime) = '2025-02'",
    "drugs of the last month": f"SELECT DISTINCT prescriptions.drug FROM prescriptions WHERE "
    f"prescriptions.{WOMAN} AND datetime(prescriptions.starttime,'start of month') = "
    "datetime(current_time,'start of month','-1 month')",
    "drugs of May last year": f"SELECT DISTINCT prescriptions.drug FROM prescriptions WHERE "
    f"prescriptions.{WOMAN} AND datetime(prescriptions.starttime,'start of year') = "
    "datetime(current_time,'start of year','-1 year') AND strftime('%m',prescriptions.starttime) = '05'",
    "drugs of the last stay": f"SELECT prescriptions.drug FROM prescriptions WHERE prescriptions.{LAST}",
    "drugs that are new": f"SELECT prescriptions.drug FROM prescriptions WHERE prescriptions.{CURRENT} "
    f"EXCEPT SELECT prescriptions.drug FROM prescriptions WHERE prescriptions.{LAST}",
    "names from a dictionary": "SELECT DISTINCT d_icd_diagnoses.long_title FROM d_icd_diagnoses WHERE "
    "d_icd_diagnoses.icd_code IN (SELECT diagnoses_icd.icd_code FROM diagnoses_icd WHERE "
    f"diagnoses_icd.{WOMAN} AND " + _at("diagnoses_icd", f"diagnoses_icd.{WOMAN}", "DESC LIMIT 1") + ")",
    "a price": "SELECT DISTINCT cost.cost FROM cost WHERE cost.event_type = 'labevents' AND cost.event_id IN "
    f"(SELECT labevents.row_id FROM labevents WHERE {_lab('Creatinine')})",
    "the mean bill of an admission": "SELECT AVG(T1.C1) FROM (SELECT SUM(cost.cost) AS C1 FROM cost WHERE "
    f"cost.hadm_id IN (SELECT labevents.hadm_id FROM labevents WHERE {_lab('Creatinine')}) "
    "GROUP BY cost.hadm_id) AS T1",
    "how many patients had it": "SELECT COUNT(DISTINCT admissions.subject_id) FROM admissions WHERE "
    f"admissions.hadm_id IN (SELECT labevents.hadm_id FROM labevents WHERE {_lab('Potassium')})",
    "how many are in hospital": "SELECT COUNT(DISTINCT admissions.subject_id) FROM admissions WHERE "
    "admissions.dischtime IS NULL AND admissions.age BETWEEN 60 AND 69",
    "how many had it twice": "SELECT COUNT(T1.subject_id) FROM (SELECT admissions.subject_id, COUNT(*) AS C1 "
    "FROM diagnoses_icd JOIN admissions ON diagnoses_icd.hadm_id = admissions.hadm_id WHERE "
    f"{_diagnosis('Heart failure, unspecified')} GROUP BY admissions.subject_id) AS T1 WHERE T1.C1 >= 2",
    "the most frequent": "SELECT d_labitems.label FROM d_labitems WHERE d_labitems.itemid IN (SELECT "
    "T1.itemid FROM (SELECT labevents.itemid, DENSE_RANK() OVER (ORDER BY COUNT(*) DESC) AS C1 FROM labevents "
    "GROUP BY labevents.itemid) AS T1 WHERE T1.C1 <= 2)",
    "the most frequent afterwards": "SELECT T3.drug FROM (SELECT T2.drug, DENSE_RANK() OVER (ORDER BY COUNT(*) "
    f"DESC) AS C1 FROM ({DIABETES}) AS T1 JOIN ({DRUGS}) AS T2 ON T1.subject_id = T2.subject_id WHERE "
    "T1.charttime < T2.starttime AND datetime(T2.starttime) BETWEEN datetime(T1.charttime) AND "
    "datetime(T1.charttime,'+2 month') GROUP BY T2.drug) AS T3 WHERE T3.C1 <= 1",
    "a percentile among one age": "SELECT DISTINCT T1.C1 FROM (SELECT labevents.valuenum, PERCENT_RANK() OVER "
    f"(ORDER BY labevents.valuenum) AS C1 FROM labevents WHERE {_lab('Potassium')} AND labevents.hadm_id IN "
    "(SELECT admissions.hadm_id FROM admissions WHERE admissions.age = (SELECT admissions.age FROM admissions "
    "WHERE admissions.subject_id = 1 AND admissions.dischtime IS NULL))) AS T1 WHERE T1.valuenum = 6.1",
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> RecordStore:
    return small_hospital(tmp_path_factory.mktemp("hospital") / "small.sqlite")


@pytest.mark.parametrize("sql", STATEMENTS.values(), ids=STATEMENTS.keys())
def test_the_typed_query_gives_the_rows_of_the_statement(store: RecordStore, sql: str) -> None:
    with closing(store.connect()) as connection:
        own = connection.execute(sql.replace("current_time", f"'{NOW}'")).fetchall()
    outcome = run(read(sql, NOW), store, Scope(now=NOW))
    assert own and any(cell is not None for row in own for cell in row), "the statement proves nothing here"
    assert canonical(outcome.rows) == canonical(own)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT labevents.valuenum FROM labevents WHERE labevents.valuenum + 1 > 3",
        "SELECT labevents.valuenum FROM labevents ORDER BY labevents.charttime LIMIT 7",
        "SELECT labevents.valuenum, labevents.charttime FROM labevents",
        "SELECT caregiver.name FROM caregiver",
        f"SELECT COUNT(*) FROM labevents WHERE labevents.subject_id = 2 AND labevents.{WOMAN}",
        "SELECT COUNT(*) FROM labevents WHERE strftime('%Y',labevents.charttime) = '2024' AND "
        "strftime('%Y',labevents.charttime) = '2025'",
        "SELECT DISTINCT cost.cost FROM cost WHERE cost.event_type = 'labevents' AND cost.event_id IN "
        "(SELECT prescriptions.row_id FROM prescriptions)",
        "SELECT SUM(outputevents.value) FROM outputevents ORDER BY outputevents.charttime DESC LIMIT 1",
        "SELECT d_labitems.fluid FROM d_labitems WHERE d_labitems.itemid IN (SELECT labevents.itemid FROM "
        "labevents)",
        "SELECT DISTINCT cost.cost FROM cost WHERE cost.event_id IN (SELECT labevents.row_id FROM labevents) "
        "AND strftime('%Y',cost.chargetime) = '2025'",
        f"SELECT labevents.valuenum FROM labevents WHERE labevents.{WOMAN} AND "
        + _at("labevents", f"labevents.{CURRENT}", "DESC LIMIT 1"),
        "DELETE FROM labevents",
        "SELECT FROM WHERE",
    ],
)
def test_what_is_not_recognised_is_said_and_never_left_out(sql: str) -> None:
    with pytest.raises(Unexpressed):
        read(sql, NOW)


def test_times_become_half_open_windows() -> None:
    query = read(
        "SELECT COUNT(*) FROM prescriptions WHERE strftime('%Y-%m',prescriptions.starttime) = '2024-12'", NOW
    )
    assert query.of.window == Window(start="2024-12-01 00:00:00", end="2025-01-01 00:00:00")


def test_the_open_admission_is_the_current_encounter() -> None:
    query = read(f"SELECT COUNT(*) FROM prescriptions WHERE prescriptions.{CURRENT}", NOW)
    assert (query.patient, query.of.encounter) == (1, Encounter(which="current"))


def test_statements_that_differ_in_values_and_times_have_one_skeleton() -> None:
    one = "SELECT COUNT(*) FROM labevents WHERE labevents.valuenum > 3"
    two = (
        "SELECT COUNT(*) FROM labevents WHERE strftime('%Y',labevents.charttime) = '2100' AND "
        "labevents.valuenum > 40"
    )
    assert skeleton(one) == skeleton(two)
    assert skeleton(one) != skeleton(one.replace(">", "<"))


def test_rows_compare_to_three_places_in_any_order_but_each_as_often_as_it_stands() -> None:
    assert canonical([(1.00049,), ("b",)]) == canonical([("b",), ("1.0",)])
    assert canonical([("a",), ("a",)]) != canonical([("a",)])
    assert canonical([(0,)]) != canonical([(None,)])
    assert len(canonical([(n,) for n in range(150)])) == 100


def test_published_statements_give_the_published_answers(shared_data: Path) -> None:
    folder = shared_data / "ehrsql-2024"
    store = RecordStore.open(folder / "mimic_iv.sqlite")
    sample = [*answerable(folder, "train")][::120] + [*answerable(folder, "valid")][::60]
    assert [found.id for found in sample if not judge(found, store).agrees] == []


def test_a_pair_holds_the_whole_query_and_only_if_the_answers_agree() -> None:
    sql = STATEMENTS["drugs that are new"]
    published, query = Published("q1", "Which drugs are new?", sql, ()), read(sql, PUBLISHED_NOW)
    lines = list(pairs([Judged(published, query, True), Judged(published, query, False, "differ")]))
    pair = json.loads(*lines)
    assert pair["question"] == "Which drugs are new?"
    assert ClinicalQuery.model_validate(pair["query"]) == query


def test_a_question_that_cannot_be_answered_is_a_line_without_a_query() -> None:
    assert [json.loads(line) for line in refusals([("u1", "Who is the tallest?")])] == [
        {"id": "u1", "question": "Who is the tallest?", "query": "not_in_schema"}
    ]


def test_a_disagreement_is_reported_under_its_skeleton() -> None:
    one = Published("q1", "?", "SELECT COUNT(*) FROM labevents WHERE labevents.valuenum > 3", ())
    two = Published("q2", "?", "SELECT COUNT(*) FROM labevents WHERE labevents.valuenum > 4", ())
    figures = report([Judged(one, None, False, "not expressible"), Judged(two, read(two.sql, NOW), True)])
    assert (figures["expressible"], figures["agree"], figures["skeletons"]) == (1, 1, 1)
    assert figures["by skeleton"] == [
        {
            "skeleton": "SELECT COUNT(*) FROM labevents WHERE labevents.valuenum > ?",
            "questions": 2,
            "agree": 1,
            "not agreeing": {"q1": "not expressible"},
        }
    ]


def test_pairs_never_go_into_the_repository(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inside = Path(__file__).parent / "pairs.jsonl"
    monkeypatch.setattr("sys.argv", ["expressiveness", "--data", str(tmp_path), "--out", str(inside)])
    with pytest.raises(SystemExit):
        main()
    assert "repository" in capsys.readouterr().err
    assert not inside.exists()
