"""What a draft says beside its results: whom it is about, that there is none, and what it takes for granted."""

from contextlib import closing

import pytest
from hospital import NOW, small_hospital

from agent.answer import Language
from agent.compose import compose
from agent.planning.link import Linked, TimeLink
from agent.planning.plan import Plan, QueryRecords, SearchNotes
from agent.query.execute import run
from agent.query.model import (
    Ask,
    ClinicalQuery,
    Concept,
    Domain,
    Events,
    Exists,
    Pick,
    Rows,
    Statistic,
    Window,
)
from agent.scope import Scope
from agent.state import Draft, Finding, NotesFinding, RecordsFinding, State
from agent.verify import finish, verify
from knowledge.store import RecordStore

SAMPLE = 2
VALUES = ("time", "value", "unit")


def events(domain: Domain, *names: str, said: str = "", **parts: object) -> Events:
    return Events.model_validate(
        {"domain": domain, "concepts": (Concept(values=names, said=said),) if names else (), **parts}
    )


def records(store: RecordStore, ask: Ask, of: Events, patient: int | None = SAMPLE) -> RecordsFinding:
    query = ClinicalQuery(ask=ask, of=of, patient=patient)
    return RecordsFinding(QueryRecords(query), run(query, store, Scope(now=NOW)))


def state(
    *findings: Finding,
    language: Language = "en",
    open_patient: int | None = SAMPLE,
    linked: Linked | None = None,
) -> State:
    return {
        "question": "?",
        "scope": Scope(now=NOW, patient=open_patient),
        "risk": 0.5,
        "language": language,
        "linked": linked or Linked(),
        "plan": Plan((), 1.0),
        "findings": list(findings),
        "steps": [],
        "turns": [],
    }  # type: ignore[typeddict-item]  # what later nodes add is not there yet


def answered(store: RecordStore, given: State) -> str:
    given["draft"] = compose(given)
    return finish(given, verify(given["draft"], given["scope"], store), (), None).text


@pytest.mark.parametrize(
    ("of", "english", "chinese"),
    [
        (
            events("allergy", "Penicillin", "Ampicillin"),
            "Recorded allergy: Penicillin (rash, moderate, 2025-01-10 20:30). [1]",
            "过敏记录：Penicillin（rash，中度，2025-01-10 20:30）。 [1]",
        ),
        (
            events("drug", "Levofloxacin"),
            "Drug order: Levofloxacin 750 mg IV DAILY (since 2025-01-10 23:00, ended 2025-01-17 23:00). [1]",
            "用药医嘱：Levofloxacin 750 mg IV DAILY（自 2025-01-10 23:00 起，已于 2025-01-17 23:00 结束）。 [1]",
        ),
        (
            events("diagnosis", "Pneumonia, unspecified organism", "Heart failure, unspecified", said="CHF"),
            "Coded diagnosis: Pneumonia, unspecified organism (2025-01-10 22:00). [1]",
            "编码诊断：Pneumonia, unspecified organism（2025-01-10 22:00）。 [1]",
        ),
        (
            events("procedure", "Endotracheal intubation"),
            "Coded procedure: Endotracheal intubation (2025-01-11 03:00). [1]",
            "编码操作：Endotracheal intubation（2025-01-11 03:00）。 [1]",
        ),
    ],
    ids=["allergy", "drug", "diagnosis", "procedure"],
)
def test_is_there_any_is_answered_with_the_entry_itself(
    hospital_store: RecordStore, of: Events, english: str, chinese: str
) -> None:
    found = records(hospital_store, Exists(), of)
    assert answered(hospital_store, state(found)) == english
    assert answered(hospital_store, state(found, language="zh")) == chinese


def test_none_names_the_kind_of_entry(hospital_store: RecordStore) -> None:
    none = records(hospital_store, Exists(), events("diagnosis", "Gout", "Gouty arthritis", said="gout"))
    assert answered(hospital_store, state(none)) == "No coded diagnosis is recorded in the tables: gout."
    assert answered(hospital_store, state(none, language="zh")) == "结构化数据中没有编码诊断：gout。"


def test_nothing_in_tables_and_notes_is_said_of_both(hospital_store: RecordStore) -> None:
    none = records(hospital_store, Rows(fields=VALUES), events("lab", "Ferritin"))
    draft = compose(state(none, NotesFinding(SearchNotes("ferritin", SAMPLE), (), 2)))
    assert draft.reason == "not_documented"
    assert "No lab result is recorded in the tables: Ferritin" in draft.text
    assert "2 notes" in draft.text
    unread = compose(state(none, NotesFinding(SearchNotes("ferritin", SAMPLE), (), 0)))
    assert "notes" not in unread.text


@pytest.mark.parametrize(("open_patient", "begins"), [(SAMPLE, False), (1, True), (None, True)])
def test_an_answer_about_a_patient_who_is_not_open_begins_with_the_number(
    hospital_store: RecordStore, open_patient: int | None, begins: bool
) -> None:
    for name in ("Creatinine", "Ferritin"):
        found = records(hospital_store, Rows(fields=VALUES), events("lab", name))
        assert (
            answered(hospital_store, state(found, open_patient=open_patient)).startswith("Patient 2: ")
            is begins
        )
        chinese = answered(hospital_store, state(found, open_patient=open_patient, language="zh"))
        assert chinese.startswith("患者 2：") is begins


def assumptions(draft: Draft) -> list[str]:
    return [text.split()[0] for text in draft.assumptions]


def test_assumptions_are_what_happened_and_now_comes_last(hospital_store: RecordStore) -> None:
    creatinine = events("lab", "Creatinine", pick=Pick(which="last"))
    spoilt = records(hospital_store, Rows(fields=VALUES), creatinine, 1)
    assert assumptions(compose(state(spoilt, open_patient=1))) == ["Results", "now"]
    unspoilt = records(hospital_store, Rows(fields=VALUES), creatinine)
    assert assumptions(compose(state(unspoilt))) == ["now"]
    active = records(hospital_store, Rows(fields=("name",)), events("drug", status="active"), 1)
    assert assumptions(compose(state(active, open_patient=1))) == ["Active", "now"]


def test_now_leads_where_the_question_names_a_time(hospital_store: RecordStore) -> None:
    found = records(hospital_store, Rows(fields=("name",)), events("drug", status="active"), 1)
    yesterday = TimeLink(0, 9, "yesterday", Window(start="2025-02-28 00:00:00"))
    draft = compose(state(found, open_patient=1, linked=Linked(times=(yesterday,))))
    assert assumptions(draft) == ["now", "Active"]


@pytest.fixture(scope="module")
def ward_store(tmp_path_factory: pytest.TempPathFactory) -> RecordStore:
    """The small hospital with twenty blood pressures and pulses of patient 2, the last pulse taken twice."""
    store = small_hospital(tmp_path_factory.mktemp("ward") / "ward.sqlite")
    with closing(store.connect()) as connection, connection:
        connection.executemany(
            "INSERT INTO d_items (itemid, label, linksto) VALUES (?, ?, 'chartevents')",
            [(900, "Arterial Blood Pressure systolic"), (901, "Arterial Blood Pressure diastolic")],
        )
        rows = [
            (item, f"2025-01-12 {hour:02}:00:00", figure + hour, unit)
            for hour in range(20)
            for item, figure, unit in ((900, 110, "mmHg"), (901, 60, "mmHg"), (220045, 80, "bpm"))
        ]
        rows.append((220045, "2025-01-12 19:00:00", 97, "bpm"))
        connection.executemany(
            "INSERT INTO chartevents (subject_id, hadm_id, itemid, charttime, valuenum, valueuom) "
            "VALUES (2, 201, ?, ?, ?, ?)",
            rows,
        )
    return store


PULSE = events("vital", "Heart Rate")
PRESSURE = events("vital", "Arterial Blood Pressure systolic", "Arterial Blood Pressure diastolic", said="BP")


def test_ties_are_mentioned_where_there_are_ties(ward_store: RecordStore) -> None:
    last = Pick(which="last")
    tied = records(ward_store, Rows(fields=VALUES), PULSE.model_copy(update={"pick": last}))
    assert assumptions(compose(state(tied))) == ["Ties", "now"]
    alone = records(ward_store, Rows(fields=VALUES), PRESSURE.model_copy(update={"pick": last}))
    assert assumptions(compose(state(alone))) == ["now"]


def test_pressures_of_one_time_are_one_figure(ward_store: RecordStore) -> None:
    latest = PRESSURE.model_copy(update={"pick": Pick(which="last")})
    text = answered(ward_store, state(records(ward_store, Rows(fields=VALUES), latest)))
    assert text == "The latest Arterial Blood Pressure (“BP”) was 129/79 mmHg (2025-01-12 19:00). [1][2]"


def test_extremes_of_pressures_are_not_pooled(ward_store: RecordStore) -> None:
    highest = PRESSURE.model_copy(update={"pick": Pick(which="max")})
    for ask, of in ((Rows(fields=VALUES), highest), (Statistic(function="max"), PRESSURE)):
        text = answered(ward_store, state(records(ward_store, ask, of)))
        assert "129" in text and "79 mmHg" in text


def test_a_cut_list_says_how_many_more_and_that_is_verified(ward_store: RecordStore) -> None:
    listed = records(ward_store, Rows(fields=VALUES, distinct=False), PULSE)
    assert len(listed.outcome.rows) == 22
    assert "7 more are listed in the table." in answered(ward_store, state(listed))
    assert "其余 7 条见表格。" in answered(ward_store, state(listed, language="zh"))
