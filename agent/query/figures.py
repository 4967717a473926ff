"""SQL of the figures that are asked for: counts, means, spans of time."""

from typing import Literal

from agent.query.base import Shape
from agent.query.model import Bucket

BUCKETS: dict[Bucket, str] = {
    "hour": "STRFTIME('%Y-%m-%d %H:00', time)",
    "day": "STRFTIME('%Y-%m-%d', time)",
    "week": "DATE(time, 'weekday 0', '-6 days')",
    "month": "STRFTIME('%Y-%m', time)",
    "quarter": "STRFTIME('%Y', time) || '-Q' || ((CAST(STRFTIME('%m', time) AS INTEGER) + 2) / 3)",
    "year": "STRFTIME('%Y', time)",
}
PER = {
    "patient": "subject_id",
    "admission": "hadm_id",
    "day": BUCKETS["day"],
    "month": BUCKETS["month"],
    "year": BUCKETS["year"],
}
DAYS_IN = {
    "minutes": 1440.0,
    "hours": 24.0,
    "days": 1.0,
    "weeks": 1 / 7,
    "months": 1 / 30.436875,
    "years": 1 / 365.2425,
}
CULTURE = "subject_id || '|' || COALESCE(time, '') || '|' || COALESCE(specimen, '')"
CULTURES = f"COUNT(DISTINCT {CULTURE})"
FIGURES = {
    "events": "COUNT(*)",
    "count": "COUNT(*)",
    "patients": "COUNT(DISTINCT subject_id)",
    "admissions": "COUNT(DISTINCT hadm_id)",
    "cultures": CULTURES,
    "mean": "AVG({0})",
    "min": "MIN({0})",
    "max": "MAX({0})",
    "sum": "SUM({0})",
    "rate": "AVG(met)",
    "median": "AVG(CASE WHEN place IN ((size + 1) / 2, (size + 2) / 2) THEN {0} END)",
}
COUNTED = frozenset({"events", "patients", "admissions", "cultures", "rate"})
"""Figures that need no number of the events."""
RATE_OF = "1.0 * COUNT(DISTINCT CASE WHEN met THEN {0} END) / COUNT(DISTINCT {0})"
UNIT = "LOWER(COALESCE(unit, ''))"


def bucketed(bucket: Bucket, on: Literal["time", "end"]) -> str:
    """The bucket that the start or the end of an event lies in."""
    return BUCKETS[bucket].replace("time", column(on)) if on == "end" else BUCKETS[bucket]


def column(field: str) -> str:
    """The column of a field in the events."""
    return "end_time" if field == "end" else field


def measure(field: str, counted: bool) -> tuple[str, Shape]:
    """The column of a numeric field and what the base must bring for it."""
    if counted:
        return "value", Shape()
    return (
        (field, Shape(numeric=True)) if field == "value" else (column(field), Shape(fields=(column(field),)))
    )
