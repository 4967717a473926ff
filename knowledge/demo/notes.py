"""Which notes an admission gets, and when."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from knowledge.demo import notes_en, notes_zh
from knowledge.demo.chart import Chart
from knowledge.demo.courses import Study
from knowledge.demo.pen import Pen
from knowledge.demo.reference import Reference
from knowledge.demo.scribe import DraftNote, Scribe, phrases


class _Writers(Protocol):
    """What ``notes_en`` and ``notes_zh`` both offer."""

    def admission(self, s: Scribe) -> str: ...
    def progress(self, s: Scribe) -> str: ...
    def nursing(self, s: Scribe) -> str: ...
    def consult(self, s: Scribe) -> str: ...
    def radiology(self, s: Scribe, study: Study) -> str: ...
    def discharge(self, s: Scribe) -> str: ...


_WRITERS: dict[str, _Writers] = {"en": notes_en, "zh": notes_zh}


def write_notes(chart: Chart, first_id: int, reference: Reference, rng: random.Random) -> list[DraftNote]:
    """Write the notes of an admission in order of time; ids count up from ``first_id``."""
    writers = _WRITERS[chart.person.language]
    authors = phrases()["authors"][chart.person.language]
    memory: dict[str, Pen] = {}
    by_type = {note_type: rng.choice(names) for note_type, names in authors.items()}
    notes: list[DraftNote] = []
    for time, note_type, study in _schedule(chart, rng):
        scribe = Scribe(chart, time, reference, rng, memory)
        if study:
            title = writers.radiology(scribe, study)
        else:
            write: Callable[[Scribe], str] = getattr(writers, note_type)
            title = write(scribe)
        # Nurses change with the shift; the doctors of an admission stay.
        author = rng.choice(authors[note_type]) if note_type == "nursing" else by_type[note_type]
        notes.append(
            DraftNote(
                first_id + len(notes), chart.person.subject_id, chart.hadm_id, time, note_type, title, author,
                chart.person.language, scribe.pen,
            )
        )  # fmt: skip
    return notes


def _schedule(chart: Chart, rng: random.Random) -> list[tuple[datetime, str, Study | None]]:
    stay = chart.stay
    story = stay.course.text[chart.person.language]
    plan: list[tuple[datetime, str, Study | None]] = [
        (stay.admit + timedelta(minutes=rng.randint(150, 250)), "admission", None)
    ]
    for study in story.studies:
        plan.append((stay.at(study.at) + timedelta(minutes=rng.randint(70, 140)), "radiology", study))
    if rng.random() < 0.75:
        plan.append((stay.at(story.consult.at) + timedelta(minutes=rng.randint(260, 330)), "consult", None))
    day = stay.admit.date() + timedelta(days=1)
    number = 0
    while day <= stay.end.date():
        morning = datetime(day.year, day.month, day.day)
        # Every day has its note in the first days; later the author sometimes skips one.
        if number < 1 or rng.random() < 0.42:
            plan.append((morning + timedelta(hours=7, minutes=rng.randint(5, 55)), "progress", None))
        if rng.random() < 0.3:
            hour = rng.choice((4, 15, 19))
            plan.append((morning + timedelta(hours=hour, minutes=rng.randint(0, 55)), "nursing", None))
        day += timedelta(days=1)
        number += 1
    plan = [entry for entry in plan if entry[0] < stay.end - timedelta(minutes=10)]
    if stay.discharge:
        last = stay.discharge - timedelta(minutes=rng.randint(40, 110))
        plan = [e for e in plan if e[0] < last - timedelta(hours=1)]
        plan.append((last, "discharge", None))
    return sorted(((time.replace(second=0), kind, study) for time, kind, study in plan), key=lambda e: e[0])
