"""What "now" is, where nobody says it."""

from contextlib import closing
from datetime import datetime

from knowledge.store import TIME_FORMAT, RecordStore

_LAST_TIMES = (
    ("admissions", "dischtime"),
    ("admissions", "admittime"),
    ("labevents", "charttime"),
    ("prescriptions", "starttime"),
)


def resolve_now(store: RecordStore, patient: int | None = None) -> str:
    """The "now" of a question.

    The store's own (``meta.now``: synthetic records); else the clock; but where the records in question lie
    in the future (de-identified records are shifted by decades, MIMIC's patients each by their own), the
    last time recorded of the patient, or of the store.
    """
    fixed = store.meta("now")
    if fixed is not None:
        return fixed
    clock = datetime.now().strftime(TIME_FORMAT)
    with closing(store.connect()) as connection:
        last = max(
            connection.execute(
                f"SELECT coalesce(max({column}), '') FROM {table} WHERE ?1 IS NULL OR subject_id = ?1",
                (patient,),
            ).fetchone()[0]
            for table, column in _LAST_TIMES
        )
    return last if last > clock else clock
