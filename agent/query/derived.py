"""Fields that no column holds and that follow from others: the day of the week, the age band, the next admission.

Every domain has them whose events have what they follow from. They are grouped by, and tested, like columns.
"""

from collections.abc import Callable, Mapping

from agent.query.model import Domain
from knowledge.errors import NotInSchema

WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
"""As SQLite counts them, from 0."""
ORDERED = frozenset(
    {"weekday", "end_weekday", "hour_of_day", "end_hour_of_day", "month_of_year", "age_band", "age"}
)
"""Fields whose values have an order of their own, which a chart keeps."""
_WEEKDAY = " ".join(f"WHEN '{n}' THEN '{day}'" for n, day in enumerate(WEEKDAYS))
_DECADE = "(CAST({age} AS INTEGER) / 10 * 10)"
_FROM: Mapping[str, str] = {
    "weekday": f"CASE STRFTIME('%w', {{time}}) {_WEEKDAY} END",
    "end_weekday": f"CASE STRFTIME('%w', {{end}}) {_WEEKDAY} END",
    "hour_of_day": "STRFTIME('%H', {time})",
    "end_hour_of_day": "STRFTIME('%H', {end})",
    "month_of_year": "STRFTIME('%m', {time})",
    "stay": "(JULIANDAY({dischtime}) - JULIANDAY({admittime}))",
    "age_band": f"({_DECADE} || '-' || ({_DECADE} + 9))",
}
_NEEDED = ("time", "end", "age", "subject_id", "hadm_id", "admittime", "dischtime")
_STAYS: Mapping[str, str] = {
    "readmitted_after": "(SELECT MIN(JULIANDAY(n.admittime)) - JULIANDAY({end}) FROM admissions AS n "
    "WHERE n.subject_id = {subject_id} AND n.hadm_id <> {hadm_id} AND n.admittime >= {end})",
    "days_since_discharge": "(SELECT JULIANDAY({time}) - MAX(JULIANDAY(p.dischtime)) FROM admissions AS p "
    "WHERE p.subject_id = {subject_id} AND p.hadm_id <> {hadm_id} AND p.dischtime <= {time})",
}
DERIVED = frozenset({*_FROM, *_STAYS})
"""``stay``: days of the hospital stay that an event belongs to; ``readmitted_after``, ``days_since_discharge``: days to
the next admission of the patient, and from the discharge before."""


def derived(name: str, domain: Domain, expression: Callable[[str], str]) -> str:
    """SQL of a derived field.

    Args:
        name: one of ``DERIVED``.
        domain: of the events.
        expression: SQL of another field of the same events.

    Raises:
        NotInSchema: the events do not have what it follows from.
    """
    if name in _STAYS and domain != "admission":
        raise NotInSchema(f"Only hospital admissions have the field {name!r}.")
    if name in ("weekday", "hour_of_day", "month_of_year") and domain == "patient":
        raise NotInSchema("A patient has no time of day or of week.")
    pattern = _FROM.get(name) or _STAYS[name]
    needed = {field for field in _NEEDED if f"{{{field}}}" in pattern}
    return pattern.format(**{field: expression(field) for field in needed})
