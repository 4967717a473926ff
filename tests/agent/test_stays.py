"""Where the tables hold nothing, the notes of the time that was asked about are read, and no others."""

from contextlib import closing
from pathlib import Path

import pytest
from hospital import NOW, small_hospital

from agent import ClinicalAgent
from agent.answer import NoteEvidence
from agent.planning.plan import SearchNotes
from agent.query.model import Encounter, Window
from agent.scope import Scope
from agent.stays import at_stay

WANG, SAMPLE, SPECIMEN = 1, 2, 4


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("Did he have a fever in the last 48 hours?", "no note of that time"),
        ("最近48小时发热了吗？", "该时间内也没有文书"),
    ],
)
def test_notes_of_another_time_do_not_answer_for_the_time_asked_about(
    agent: ClinicalAgent, question: str, said: str
) -> None:
    answer = agent.ask(question, patient=SAMPLE)
    assert answer.status == "answered"
    assert answer.evidence == ()  # the fever in the report of 2025-01-10 is seven weeks old
    assert said in answer.text
    assert ("48 hours" in answer.text) or ("48小时" in answer.text)


def test_notes_of_the_stay_asked_about_do(agent: ClinicalAgent) -> None:
    answer = agent.ask("Did he have a fever in his last admission?", patient=SAMPLE)
    assert [piece.note_id for piece in answer.evidence if isinstance(piece, NoteEvidence)] == [3]


def search(patient: int, stay: Encounter, window: Window | None = None) -> SearchNotes:
    return SearchNotes("fever", patient, window=window, encounter=stay)


def test_an_admission_is_that_of_its_notes(hospital_store) -> None:
    placed = at_stay(search(WANG, Encounter(which="current")), hospital_store, Scope(now=NOW))
    assert placed is not None
    assert (placed.hadm_id, placed.window, placed.encounter) == (102, None, None)


def test_hours_of_a_stay_are_a_window_within_what_else_is_asked(hospital_store) -> None:
    first_day = Encounter(which="current", from_hours=0, to_hours=24)
    whole = at_stay(search(WANG, first_day), hospital_store, Scope(now=NOW))
    assert whole is not None and whole.window is not None
    assert whole.window.start is not None and whole.window.start.startswith("2025-02-25")
    until = Window(end="2025-02-25 23:00:00")
    narrowed = at_stay(search(WANG, first_day, until), hospital_store, Scope(now=NOW))
    assert narrowed is not None and narrowed.window is not None
    assert (narrowed.window.start, narrowed.window.end) == (whole.window.start, until.end)


def test_where_a_note_names_no_admission_the_time_of_the_stay_counts(tmp_path: Path) -> None:
    store = small_hospital(tmp_path / "unassigned.sqlite")
    with closing(store.connect()) as connection, connection:
        connection.execute("UPDATE notes SET hadm_id = NULL WHERE note_id = 3")
    placed = at_stay(search(SAMPLE, Encounter(which="last")), store, Scope(now=NOW))
    assert placed is not None and placed.window is not None
    assert placed.hadm_id is None
    assert placed.window.start is not None and placed.window.start <= "2025-01-10 21:30:00"
    assert placed.window.end is not None and placed.window.end >= "2025-01-18 10:00:00"


def test_a_stay_that_there_is_not_has_no_notes(hospital_store) -> None:
    never = search(SPECIMEN, Encounter(kind="icu_stay", which="last"))
    assert at_stay(never, hospital_store, Scope(now=NOW)) is None
