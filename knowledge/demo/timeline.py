"""When a patient is in the hospital: admissions, intensive care, wards, and the fixed "now"."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from knowledge.demo.courses import Course

NOW = datetime(2026, 3, 1, 8, 0, 0)
OLDEST = datetime(2024, 1, 10)


@dataclass(frozen=True, slots=True)
class Stay:
    """One admission as planned; what would happen after ``NOW`` has not happened.

    Attributes:
        admit: time of admission.
        planned: time of the planned discharge, may lie after ``NOW``.
        discharge: ``None`` while the patient is still in hospital.
        icu: start and end of intensive care, ``end`` is ``None`` while the patient is still there.
        first: whether it is the patient's first admission here.
    """

    course: Course
    admit: datetime
    planned: datetime
    discharge: datetime | None
    icu: tuple[datetime, datetime | None] | None
    first: bool

    @property
    def end(self) -> datetime:
        """The last moment of which something can be known."""
        return self.discharge or NOW

    def at(self, fraction: float) -> datetime:
        """The time at a fraction of the planned stay."""
        return self.admit + (self.planned - self.admit) * fraction

    def fraction(self, time: datetime) -> float:
        """The fraction of the planned stay at a time."""
        return (time - self.admit) / (self.planned - self.admit)

    def in_icu(self, time: datetime) -> bool:
        """Whether the patient is in intensive care at a time."""
        return self.icu is not None and self.icu[0] <= time < (self.icu[1] or NOW)


def plan_stays(course: Course, *, inpatient: bool, rng: random.Random) -> list[Stay]:
    """Lay out 1–4 admissions that end before ``NOW``, or with the last one still going on.

    Args:
        course: the course of every admission of this patient.
        inpatient: whether the patient is in hospital at ``NOW``.
        rng: the patient's own source of chance.
    """
    count = 1
    while course.repeat != "none" and count < 4 and rng.random() < course.readmission:
        count += 1
    lengths = [timedelta(days=rng.uniform(*course.los)) for _ in range(count)]
    if inpatient:
        last = NOW - timedelta(days=rng.uniform(0.35, 0.8) * lengths[-1] / timedelta(days=1))
    else:
        last = NOW - lengths[-1] - timedelta(days=rng.uniform(2, 420))
    starts = [_daytime(last, course, rng)]
    for length in reversed(lengths[:-1]):
        gap = rng.uniform(6, 28) if rng.random() < 0.45 else rng.uniform(35, 190)
        starts.insert(0, _daytime(starts[0] - length - timedelta(days=gap), course, rng))
    stays: list[Stay] = []
    for start, length in zip(starts, lengths, strict=True):
        planned = (start + length).replace(
            hour=rng.randint(11, 16), minute=rng.randrange(0, 60, 5), second=0, microsecond=0
        )
        discharge = planned
        if inpatient and start is starts[-1]:
            planned, discharge = max(planned, NOW + timedelta(hours=6)), None
        stays.append(Stay(course, start, planned, discharge, _icu(course, start, planned, rng), not stays))
    return stays


def _daytime(time: datetime, course: Course, rng: random.Random) -> datetime:
    """Planned admissions come in the morning, emergencies at any hour."""
    elective = course.admission_type in ("ELECTIVE", "SURGICAL SAME DAY ADMISSION")
    hour = rng.randint(7, 9) if elective else rng.choice((2, 6, 9, 10, 11, 13, 14, 16, 18, 19, 21, 23))
    return min(
        time.replace(hour=hour, minute=rng.randrange(60), second=0, microsecond=0),
        NOW - timedelta(hours=10),
    )


def _icu(
    course: Course, admit: datetime, planned: datetime, rng: random.Random
) -> tuple[datetime, datetime | None] | None:
    if course.icu is None or rng.random() > course.icu.p:
        return None
    start = (admit + timedelta(hours=rng.uniform(*course.icu.start))).replace(second=0, microsecond=0)
    end = (start + timedelta(hours=rng.uniform(*course.icu.hours))).replace(second=0, microsecond=0)
    end = min(end, planned - timedelta(hours=20))
    if start >= NOW or end <= start:
        return None
    return start, end if end <= NOW else None
