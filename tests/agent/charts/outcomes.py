"""Results of queries as the tests of charts need them: made up, with the evidence behind each row."""

from collections.abc import Sequence

from agent.answer import Cell
from agent.query.execute import EvidenceRows, Outcome
from agent.query.model import Ask, ClinicalQuery, Concept, Domain, Events, Trend


def outcome(
    ask: Ask,
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    domain: Domain = "lab",
    name: str | None = "Creatinine",
    unit: str | None = "mg/dL",
    patient: int | None = 1,
    truncated: bool = False,
) -> Outcome:
    """A result of which row ``i`` rests on the row ``100 + i`` of a table."""
    concepts = (Concept(values=(name,)),) if name else ()
    evidence = tuple(
        EvidenceRows("labevents", (100 + i,), 1, False, {"name": name, "unit": unit}, (), "", i)
        for i in range(len(rows))
    )
    return Outcome(
        query=ClinicalQuery(ask=ask, of=Events(domain=domain, concepts=concepts), patient=patient),
        columns=tuple(columns),
        rows=tuple(tuple(row) for row in rows),
        truncated=truncated,
        sql="SELECT 1",
        evidence=evidence,
        assumptions=(),
        now="2025-03-01 12:00:00",
    )


def trend(values: Sequence[tuple[str, Cell]], **more: object) -> Outcome:
    """A trend of one item."""
    rows = [(time, value, "mg/dL") for time, value in values]
    return outcome(Trend(), ("time", "value", "unit"), rows, **more)  # type: ignore[arg-type]


RISING = (("2025-02-25 09:00:00", 1.2), ("2025-02-26 06:30:00", 2.8), ("2025-02-28 06:00:00", 1.9))
