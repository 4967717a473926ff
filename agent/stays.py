"""Which notes are of a stay: a search of "this admission" becomes one of its notes, or of its hours.

What is asked of a stay is a time of the record, so it is looked up there and not taken from a plan.
"""

from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta

from agent.planning.plan import SearchNotes
from agent.query.execute import run
from agent.query.model import ClinicalQuery, Encounter, Events, Rows, Window
from agent.scope import Scope
from knowledge.store import TIME_FORMAT, RecordStore

_SECOND = timedelta(seconds=1)


def at_stay(search: SearchNotes, store: RecordStore, scope: Scope) -> SearchNotes | None:
    """The search with its stay as an admission's number or a window; ``None`` where the patient has no such stay.

    Notes of an admission are those that name it, if all notes of the patient name one, else those of its time.

    Args:
        search: as planned.
        store: where the stay is looked up.
        scope: gives "now" and the permission.

    Raises:
        NotInSchema: the store has no such stays.
    """
    stay, patient = search.encounter, search.subject_id
    if stay is None or patient is None:
        return search
    whole = stay.from_hours is None and stay.to_hours is None
    found = _stay(stay, patient, store, scope)
    if found is None:
        return None
    hadm_id, start, end = found
    if whole and stay.kind == "admission" and hadm_id is not None and _all_assigned(patient, store):
        return replace(search, hadm_id=hadm_id, encounter=None)
    begins = _later(start, stay.from_hours or 0)
    until = None if stay.to_hours is None else _later(start, stay.to_hours)
    left = None if end is None else (datetime.strptime(end, TIME_FORMAT) + _SECOND).strftime(TIME_FORMAT)
    window = search.window or Window()
    within = Window(
        start=max(filter(None, (window.start, begins))),
        end=min(filter(None, (window.end, until, left)), default=None),
        said=window.said,
    )
    return replace(search, window=within, encounter=None)


def _stay(
    stay: Encounter, patient: int, store: RecordStore, scope: Scope
) -> tuple[int | None, str, str | None] | None:
    """The admission's number, the beginning and the end of a stay."""
    whole = stay.model_copy(update={"from_hours": None, "to_hours": None})
    events = Events(domain="icu_stay" if stay.kind == "icu_stay" else "admission", encounter=whole)
    fields = ("hadm_id", "time", "end")
    query = ClinicalQuery(ask=Rows(fields=fields, distinct=False), of=events, patient=patient)
    for hadm_id, start, end in run(query, store, scope).rows[:1]:
        return (int(hadm_id) if hadm_id is not None else None), str(start), None if end is None else str(end)
    return None


def _all_assigned(patient: int, store: RecordStore) -> bool:
    query = "SELECT 1 FROM notes WHERE subject_id = ? AND hadm_id IS NULL LIMIT 1"
    with closing(store.connect()) as connection:
        return connection.execute(query, (patient,)).fetchone() is None


def _later(time: str, hours: float) -> str:
    return (datetime.strptime(time, TIME_FORMAT) + timedelta(hours=hours)).strftime(TIME_FORMAT)
