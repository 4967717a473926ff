"""Every kind of question has the answer that can be worked out by eye from the small hospital."""

from collections.abc import Sequence

import pytest
from hospital import NOW, small_hospital

from agent.query.execute import Outcome, run
from agent.query.model import (
    Ask,
    Balance,
    Change,
    ClinicalQuery,
    Concept,
    Condition,
    Count,
    Domain,
    Elapsed,
    Encounter,
    Events,
    Exists,
    Group,
    Percentile,
    Pick,
    Readmission,
    Related,
    Repeated,
    Rows,
    Statistic,
    Survival,
    Top,
    Trend,
    Window,
)
from agent.scope import Scope
from knowledge.errors import NotInSchema, QueryRejected
from knowledge.store.store import RecordStore

SCOPE = Scope(now=NOW)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> RecordStore:
    return small_hospital(tmp_path_factory.mktemp("store") / "hospital.sqlite")


def of(domain: Domain, *names: str, **more: object) -> Events:
    return Events.model_validate({"domain": domain, "concepts": [{"values": names}] if names else [], **more})


CREATININE = of("lab", "creatinine")
CURRENT = Encounter(which="current")
AKI = of("diagnosis", "acute kidney failure, unspecified")

ANSWERS: list[tuple[str, Ask, Events, int | None, Sequence[tuple[object, ...]]]] = [
    (
        "the latest value passes over a spoilt sample",
        Rows(fields=("value", "unit", "time")),
        of("lab", "creatinine", pick=Pick(which="last")),
        1,
        [(1.9, "mg/dL", "2025-02-27 06:00:00")],
    ),
    ("first", Rows(fields=("value",)), of("lab", "creatinine", pick=Pick(which="first")), 1, [(0.9,)]),
    (
        "second in the current admission",
        Rows(fields=("value",)),
        of("lab", "creatinine", pick=Pick(which="nth", n=2), encounter=CURRENT),
        1,
        [(2.8,)],
    ),
    ("last but one", Rows(fields=("value",)), of("lab", "creatinine", pick=Pick(which="last", n=2)), 1, [(2.8,)]),
    (
        "the highest with its time",
        Rows(fields=("time",)),
        of("lab", "creatinine", pick=Pick(which="max")),
        1,
        [("2025-02-26 06:00:00",)],
    ),
    (
        "the latest of each lab, text where there is no number",
        Rows(fields=("name", "value")),
        of("lab", pick=Pick(which="last", each="name"), encounter=CURRENT),
        1,
        [("Urine Appearance", "HAZY"), ("Creatinine", 1.9), ("Potassium", 4.8)],
    ),
    ("count", Count(), CREATININE, 1, [(5,)]),
    ("count of names", Count(of="names"), of("drug"), 1, [(3,)]),
    ("count of patients", Count(of="patients"), of("diagnosis", "Heart failure, unspecified"), None, [(1,)]),
    ("count of admissions", Count(of="admissions"), of("diagnosis", "Heart failure, unspecified"), None, [(2,)]),
    ("current patients", Count(of="patients"), of("admission", status="active"), None, [(1,)]),
    ("exists", Exists(), of("allergy", "penicillin"), 2, [(1,)]),
    ("does not exist", Exists(), of("allergy", "penicillin"), 1, [(0,)]),
    (
        "all were normal",
        Exists(none=True),
        of("vital", "heart rate", where=[Condition(field="value", op="outside", value=60, upper=100)]),
        1,
        [(0,)],
    ),
    ("mean", Statistic(function="mean"), CREATININE, 1, [(1.7,)]),
    ("median", Statistic(function="median"), CREATININE, 1, [(1.55,)]),
    ("mean of daily sums", Statistic(function="mean", per="day"), of("output"), 1, [(550.0,)]),
    (
        "units are converted, never mixed",
        Statistic(function="max"),
        of("lab", "creatinine", window=Window(start="2025-01-01 00:00:00", end="2025-02-01 00:00:00")),
        None,
        [(2.0,)],
    ),
    ("sums keep units apart", Statistic(function="sum"), of("input"), 1, [(250.0,), (1500.0,)]),
    ("change", Change(), of("lab", "creatinine", encounter=CURRENT), 1, [(0.7,)]),
    (
        "change between encounters",
        Change(earlier_of=of("lab", "creatinine", encounter=Encounter(which="last"))),
        of("lab", "creatinine", encounter=CURRENT),
        1,
        [(1.0,)],
    ),
    (
        "comparison",
        Change(earlier=Pick(which="nth", n=3), as_comparison=">"),
        CREATININE,
        1,
        [(0,)],
    ),
    (
        "trend",
        Trend(),
        of("lab", "potassium"),
        1,
        [("2025-02-26 06:00:00", 6.1, "mEq/L"), ("2025-02-27 06:00:00", 4.8, "mEq/L")],
    ),
    ("top with ties", Top(n=1), of("drug"), None, [("Furosemide", 2), ("Metformin", 2)]),
    ("top cut at values", Top(n=1, cut="values"), of("drug"), None, [("Furosemide", 2), ("Metformin", 2)]),
    ("top no further", Top(n=2, cut="values"), of("drug"), None, [("Furosemide", 2), ("Metformin", 2)]),
    ("top by cost", Top(n=1, by="cost"), of("lab"), None, [("Creatinine", 61.0)]),
    (
        "by month",
        Group(bucket="month"),
        of("admission"),
        None,
        [("2024-05", 1), ("2024-12", 1), ("2025-01", 3), ("2025-02", 1)],
    ),
    (
        "shares by a field of the patient",
        Group(by="gender", figure="patients", share=True),
        of("admission"),
        None,
        [("f", 3, 0.75), ("m", 1, 0.25)],
    ),
    (
        "figures alone",
        Group(bucket="day", figure="max", show_group=False),
        of("vital", "heart rate"),
        1,
        [(104.0,), (88.0,)],
    ),
    ("quarter", Group(bucket="quarter"), of("admission"), 4, [("2024-Q4", 1)]),
    (
        "split groups",
        Group(bucket="year", series="gender", figure="admissions"),
        of("admission"),
        None,
        [("2024", "f", 2), ("2025", "f", 3), ("2025", "m", 1)],
    ),
    ("week", Group(bucket="week"), of("vital", "heart rate"), 1, [("2025-02-24", 3)]),
    (
        "the months in which stays end",
        Group(bucket="month", figure="admissions", on="end"),
        of("admission"),
        None,
        [("2024-05", 1), ("2024-12", 1), ("2025-01", 3)],
    ),
    (
        "the middle of the values", Group(bucket="week", figure="median"), of("vital", "heart rate"), 1,
        [("2025-02-24", 96.0)],
    ),
    (
        "days of the week", Group(by="weekday", figure="admissions"), of("admission"), None,
        [("Friday", 2), ("Thursday", 1), ("Tuesday", 2), ("Wednesday", 1)],
    ),
    ("hours of the day", Group(by="hour_of_day"), of("vital", "heart rate"), 1, [("08", 1), ("11", 1), ("15", 1)]),
    (
        "bands of ten years", Group(by="age_band", figure="patients"), of("admission"), None,
        [("30-39", 1), ("60-69", 2), ("80-89", 1)],
    ),
    (
        "the share that came back",
        Group(by="gender", figure="rate", met=(Condition(field="readmitted_after", op="<=", value=30.0),)),
        of("admission"),
        None,
        [("f", 0.2), ("m", 0.0)],
    ),
    (
        "the share of patients",
        Group(
            bucket="year",
            figure="rate",
            field="subject_id",
            met=(Concept(field="gender", values=("f",)),),
        ),
        of("admission"),
        None,
        [("2024", 1.0), ("2025", 0.666667)],
    ),
    (
        "cultures and not their antibiotics", Group(by="specimen", figure="cultures"), of("microbiology"), None,
        [("BLOOD CULTURE", 1), ("URINE", 1)],
    ),
    ("since", Elapsed(unit="hours"), of("icu_stay", status="active"), 1, [(74.0,)]),
    ("duration", Elapsed(what="duration", unit="hours"), of("icu_stay"), 2, [(60.0,)]),
    ("balance counts mL only", Balance(), of("input"), 1, [(400.0,)]),
    ("balance by day", Balance(per="day"), of("input"), 1, [("2025-02-26", 700.0), ("2025-02-27", -300.0)]),
    ("readmission", Readmission(), of("admission"), None, [(1, 5)]),
    ("no readmission within a week", Readmission(days=7), of("admission"), None, [(0, 5)]),
    ("survival", Survival(days=20), of("diagnosis", "Heart failure, unspecified"), None, [(1.0,)]),
    ("survival of a month", Survival(days=40), of("diagnosis", "Heart failure, unspecified"), None, [(0.0,)]),
    ("percentile", Percentile(value=1.4), of("lab", "creatinine", patient=3), None, [(0.0,)]),
    (
        "active drugs",
        Rows(fields=("name", "dose", "dose_unit", "route", "frequency")),
        of("drug", status="active"),
        1,
        [("Furosemide", "40", "mg", "IV", "BID"), ("Ceftriaxone", "1", "g", "IV", "DAILY")],
    ),
    ("an open-ended order ends with its admission", Rows(fields=("name",)), of("drug", status="active"), 2, []),
    ("ended drugs", Rows(fields=("name",)), of("drug", status="ended"), 1, [("Metformin",)]),
    ("an error is no allergy", Rows(fields=("name",)), of("allergy", status="active"), 3, [("Sulfonamide",)]),
    (
        "high against the row's own range, else the thresholds",
        Rows(fields=("name", "value")),
        of("lab", where=[Condition(field="value", value="high")], encounter=CURRENT),
        1,
        [("Creatinine", 1.2), ("Creatinine", 2.8), ("Potassium", 6.1), ("Creatinine", 1.9)],
    ),
    (
        "low",
        Rows(fields=("subject_id",)),
        of("lab", "potassium", where=[Condition(field="value", value="low")]),
        None,
        [(3,)],
    ),
    (
        "a condition in a unit meets values in another",
        Rows(fields=("subject_id", "value", "unit")),
        of("lab", "creatinine", where=[Condition(field="value", op=">", value=1.5, unit="mg/dL")]),
        None,
        [(2, 176.84, "µmol/L"), (3, 1.6, "mg/dL"), (1, 2.8, "mg/dL"), (1, 1.9, "mg/dL")],
    ),
    (
        "an organism that grew",
        Rows(fields=("organism", "antibiotic")),
        of(
            "microbiology",
            where=[Condition(field="organism", op="known"), Condition(field="interpretation", value="R")],
        ),
        None,
        [("ESCHERICHIA COLI", "CIPROFLOXACIN")],
    ),
    (
        "first day in the ICU",
        Rows(fields=("value",)),
        of("vital", "heart rate", encounter=Encounter(kind="icu_stay", from_hours=0, to_hours=24)),
        1,
        [(104.0,), (96.0,)],
    ),
    (
        "labs of an ICU stay are found by time",
        Count(),
        of("lab", encounter=Encounter(kind="icu_stay", which="last")),
        2,
        [(2,)],
    ),
    ("an encounter by its id", Rows(fields=("name",)), of("diagnosis", encounter=Encounter(id=101)), 1,
     [("Type 2 diabetes mellitus without complications",)]),
    (
        "discharged in a window",
        Count(),
        of("admission", window=Window(start="2025-01-01 00:00:00", end="2025-02-01 00:00:00", on="end")),
        None,
        [(3,)],
    ),
    (
        "drugs in use in a window",
        Rows(fields=("name",)),
        of("drug", window=Window(start="2025-03-01 00:00:00", on="overlap"), encounter=CURRENT),
        1,
        [("Furosemide",), ("Ceftriaxone",)],
    ),
    (
        "ordered within a day of the diagnosis",
        Rows(fields=("name",)),
        of("drug", related=[Related(events=AKI, relation="same_admission_before", within_days=1)]),
        1,
        [("Furosemide",)],
    ),
    (
        "new since the last admission",
        Rows(fields=("name",)),
        of(
            "drug",
            encounter=CURRENT,
            related=[
                Related(events=of("drug", encounter=Encounter(which="last")), relation="same_name", negated=True)
            ],
        ),
        1,
        [("Furosemide",), ("Ceftriaxone",)],
    ),
    (
        "patients without",
        Rows(fields=("subject_id",)),
        of("patient", related=[Related(events=of("lab"), negated=True)]),
        None,
        [(4,)],
    ),
    (
        "twice the same procedure",
        Rows(fields=("name",)),
        of("procedure", repeated=Repeated(by="name")),
        1,
        [("Intermittent hemodialysis",)],
    ),
    ("age now", Rows(fields=("age", "gender")), of("patient"), 1, [(66, "f")]),
    ("age at admission", Rows(fields=("age",)), of("admission", pick=Pick(which="last"), status="ended"), 1, [(65,)]),
    ("cost of a drug", Rows(fields=("cost",)), of("drug", "levofloxacin"), None, [(12.25,)]),
    (
        "mean cost of admissions with a procedure",
        Statistic(function="mean", per="admission"),
        of("cost", related=[Related(events=of("procedure", "intermittent hemodialysis"), relation="same_admission")]),
        None,
        [(961.0,)],
    ),
    ("vaccine", Rows(fields=("name", "time")), of("immunization"), 1, [("Influenza, seasonal", "2024-10-15 09:00:00")]),
    ("observation", Rows(fields=("value",)), of("observation"), 2, [("Former smoker",)]),
    ("report", Rows(fields=("conclusion",)), of("report"), 2, [("Right lower lobe pneumonia.",)]),
    ("note", Rows(fields=("title",)), of("note", "progress"), 1, [("病程记录",)]),
    ("transfer", Rows(fields=("careunit",)), of("transfer", status="active"), 1, [("micu",)]),
]  # fmt: skip


def ask(store: RecordStore, what: Ask, events: Events, patient: int | None) -> Outcome:
    return run(ClinicalQuery(ask=what, of=events, patient=patient), store, SCOPE)


@pytest.mark.parametrize(
    ("what", "events", "patient", "rows"), [a[1:] for a in ANSWERS], ids=[a[0] for a in ANSWERS]
)
def test_answer(
    store: RecordStore, what: Ask, events: Events, patient: int | None, rows: Sequence[tuple[object, ...]]
) -> None:
    outcome = ask(store, what, events, patient)
    assert len(outcome.columns) == (len(rows[0]) if rows else len(outcome.columns))
    assert [tuple(map(_near, row)) for row in outcome.rows] == [tuple(map(_near, row)) for row in rows]


def _near(cell: object) -> object:
    return round(cell, 6) if isinstance(cell, float) else cell


@pytest.mark.parametrize(
    ("what", "events", "patient"), [a[1:4] for a in ANSWERS if a[4]], ids=[a[0] for a in ANSWERS if a[4]]
)
def test_every_result_row_has_evidence_that_exists(
    store: RecordStore, what: Ask, events: Events, patient: int | None
) -> None:
    outcome = ask(store, what, events, patient)
    if isinstance(what, Exists | Readmission) and outcome.empty:
        return  # nothing was found: there is nothing to cite
    assert all(outcome.behind(index) for index in range(len(outcome.rows)))
    with store.connect() as connection:
        for evidence in outcome.evidence:
            key = "note_id" if evidence.table == "notes" else "row_id"
            marks = ", ".join("?" * len(evidence.row_ids))
            sql = f"SELECT COUNT(*) FROM {evidence.table} WHERE {key} IN ({marks})"
            assert connection.execute(sql, evidence.row_ids).fetchone()[0] == len(evidence.row_ids) > 0
    connection.close()


def test_the_rows_behind_a_mean_give_the_mean_again(store: RecordStore) -> None:
    outcome = ask(store, Statistic(function="mean"), CREATININE, None)
    (evidence,) = outcome.evidence
    numbers = [n for n in evidence.numbers if isinstance(n, float)]
    assert sum(numbers) / len(numbers) == pytest.approx(outcome.rows[0][0])
    assert evidence.count == len(evidence.row_ids) == 7


def test_a_conversion_is_an_assumption_and_the_record_stays_visible(store: RecordStore) -> None:
    outcome = ask(store, Statistic(function="max"), CREATININE, 2)
    assert "units_converted" in outcome.assumptions
    assert outcome.evidence[0].values["value_recorded"] == 176.84
    assert outcome.evidence[0].values["unit_recorded"] == "µmol/L"
    assert "units_converted" not in ask(store, Statistic(function="max"), CREATININE, 1).assumptions


def test_a_value_with_quotes_is_a_value(store: RecordStore) -> None:
    assert ask(store, Count(), of("drug", "x'); DROP TABLE patients; --"), None).rows == ((0,),)


def test_what_the_store_cannot_hold_is_not_in_schema(shared_data) -> None:
    foreign = RecordStore.open(shared_data / "ehrsql-2024" / "mimic_iv.sqlite")
    for events, fields in (
        (of("allergy"), ("name",)),
        (of("note"), ("title",)),
        (of("drug"), ("frequency",)),
        (of("lab"), ("flag",)),
        (of("patient"), ("patient_name",)),
    ):
        with pytest.raises(NotInSchema):
            ask(foreign, Rows(fields=fields), events, None)


def test_a_field_that_no_table_has_is_not_in_schema(store: RecordStore) -> None:
    with pytest.raises(NotInSchema, match="shoe_size"):
        ask(store, Rows(fields=("shoe_size",)), of("patient"), 1)


def test_a_patient_outside_the_permission_is_refused_not_empty(store: RecordStore) -> None:
    query = ClinicalQuery(ask=Count(), of=CREATININE, patient=1)
    with pytest.raises(QueryRejected, match="may not see"):
        run(query, store, Scope(now=NOW, permitted=frozenset({2})))


def test_a_cohort_question_counts_permitted_patients_only(store: RecordStore) -> None:
    query = ClinicalQuery(ask=Count(of="patients"), of=of("admission"))
    assert run(query, store, Scope(now=NOW, permitted=frozenset({2, 3}))).rows == ((2,),)


def test_concepts_are_joined_by_and(store: RecordStore) -> None:
    events = Events(
        domain="drug",
        concepts=(Concept(values=("furosemide",)), Concept(field="route", values=("PO",))),
    )
    assert ask(store, Rows(fields=("subject_id",)), events, None).rows == ((3,),)
