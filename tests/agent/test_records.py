"""The tool that asks the tables: what it answers, what it refuses, and when it looks further."""

from hospital import NOW

from agent.planning.plan import QueryRecords
from agent.query.model import ClinicalQuery, Concept, Condition, Encounter, Events, Rows
from agent.records import query_records
from agent.scope import Scope
from agent.state import Failed, RecordsFinding
from knowledge.store import RecordStore

FIRST_STAY = Events(domain="procedure", encounter=Encounter(which="first"))
PROCEDURES = ClinicalQuery(ask=Rows(fields=("name", "time")), of=FIRST_STAY, patient=1)
EVERYONE = Scope(now=NOW)


def test_a_stay_taken_for_granted_that_holds_nothing_is_widened_and_said(hospital_store: RecordStore) -> None:
    finding = query_records(QueryRecords(PROCEDURES, stay_assumed=True), EVERYONE, hospital_store, "en")
    assert isinstance(finding, RecordsFinding)
    assert finding.widened
    assert len(finding.outcome.rows) == 2


def test_a_stay_that_was_asked_for_is_never_widened(hospital_store: RecordStore) -> None:
    finding = query_records(QueryRecords(PROCEDURES), EVERYONE, hospital_store, "en")
    assert isinstance(finding, RecordsFinding)
    assert not finding.widened
    assert finding.outcome.rows == ()


def test_a_patient_who_may_not_be_seen_is_refused_before_any_query(hospital_store: RecordStore) -> None:
    scope = Scope(now=NOW, permitted=frozenset({2}))
    finding = query_records(QueryRecords(PROCEDURES), scope, hospital_store, "zh")
    assert isinstance(finding, Failed)
    assert finding.reason == "no_permission"


def test_values_beyond_a_limit_that_are_not_there_are_answered_from_those_measured(
    hospital_store: RecordStore,
) -> None:
    below = Condition(field="value", op="<", value=3.5)
    potassium = Events(domain="lab", concepts=(Concept(values=("Potassium",)),), where=(below,))
    listed = ClinicalQuery(ask=Rows(fields=("time", "value")), of=potassium, patient=1)
    finding = query_records(QueryRecords(listed), EVERYONE, hospital_store, "en")
    assert isinstance(finding, RecordsFinding)
    assert finding.outcome.columns == ("time", "value")
    assert finding.outcome.rows == ()
    assert {row for piece in finding.outcome.evidence for row in piece.row_ids} == {5, 6}
    unmeasured = listed.model_copy(update={"patient": 4})
    nothing = query_records(QueryRecords(unmeasured), EVERYONE, hospital_store, "en")
    assert isinstance(nothing, RecordsFinding) and nothing.outcome.empty
