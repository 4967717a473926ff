"""FHIR dates and times as the store keeps them: local wall time, second precision, no zone."""

from datetime import date, datetime

# What the models give: a date or datetime where the source is precise to the day, the source's own text
# ("2012", "2012-03") where it is not.
FhirTime = date | datetime | str | None


def store_time(value: FhirTime) -> str | None:
    """``YYYY-MM-DD HH:MM:SS`` as the source wrote it on its clock.

    The zone and fractions of seconds are cut, nothing is converted. A date is midnight of that day. A year or
    a month alone becomes ``None``: the first of January would be an invention.
    """
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return f"{value.isoformat()} 00:00:00"
    return None


def birth_date(value: FhirTime) -> tuple[str | None, str | None]:
    """A date of birth and its precision (``day``, ``month`` or ``year``).

    A year or month is stored as its first day, which only the precision beside it makes honest.
    """
    if isinstance(value, str):
        return (f"{value}-01-01 00:00:00", "year") if len(value) == 4 else (f"{value}-01 00:00:00", "month")
    return store_time(value), "day" if value is not None else None


def age_at(born: str | None, precision: str | None, when: str) -> int | None:
    """Completed years from a date of birth to ``when`` (both store times), where the birthday is known."""
    if born is None or precision != "day" or when < born:
        return None
    return int(when[:4]) - int(born[:4]) - (when[5:10] < born[5:10])
