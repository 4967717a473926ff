"""What goes in and out as SQL: the balance of fluids, discharges and readmissions."""

from agent.query.base import Context, Shape, base
from agent.query.figures import BUCKETS, bucketed
from agent.query.model import Balance, Events, Readmission
from agent.query.provenance import Compiled, behind, compiled
from knowledge.errors import QueryRejected


def balance(ask: Balance, of: Events, context: Context) -> Compiled:
    """Intake less output."""
    if of.domain != "input":
        raise QueryRejected("A fluid balance is asked of the domain 'input'.")
    context.assume("millilitres_only")
    out = of.model_copy(update={"domain": "output", "concepts": (), "where": ()})
    taken, lost = (
        f"SELECT * FROM ({base(events, context, Shape(numeric=True))}) WHERE LOWER(unit) = 'ml'"
        for events in (of, out)
    )
    both = f"SELECT time, value FROM ({taken}) UNION ALL SELECT time, -value AS value FROM ({lost})"
    if ask.per == "day":
        day = BUCKETS["day"]
        text = f"SELECT {day} AS day, SUM(value) AS balance FROM ({both}) GROUP BY {day} ORDER BY {day}"
        columns, cells, match = ("day", "balance"), (day,), (0,)
    else:
        text, columns, cells, match = f"SELECT SUM(value) AS balance FROM ({both})", ("balance",), (), ()
    return compiled(
        text,
        columns,
        context,
        behind(of, context, taken, cells=cells, match=match, role="input"),
        behind(out, context, lost, cells=cells, match=match, role="output"),
    )


def readmission(ask: Readmission, of: Events, context: Context) -> Compiled:
    """Discharges that were followed by an admission, and all of them."""
    if of.domain != "admission":
        raise QueryRejected("Readmissions are asked of the domain 'admission'.")
    context.assume("readmission_definition")
    sql = base(of, context)
    again = f"r.time >= b.end_time AND r.time <= DATETIME(b.end_time, '+{ask.days} days')"
    everyone = base(Events(domain="admission"), context)
    other = "r.subject_id = b.subject_id AND r.row_id <> b.row_id"
    back = f"EXISTS (SELECT 1 FROM ({everyone}) AS r WHERE {other} AND {again})"
    flagged = f"SELECT b.*, {back} AS back FROM ({sql}) AS b WHERE b.end_time IS NOT NULL"
    figures = "SUM(back) AS readmissions, COUNT(*) AS discharges"
    key = bucketed(ask.bucket, "end") if ask.bucket else None
    head = f"{key} AS bucket, " if key else ""
    tail = f" GROUP BY {key} ORDER BY {key}" if key else ""
    columns = ((ask.bucket,) if ask.bucket else ()) + ("readmissions", "discharges")
    cells, match = ((key,), (0,)) if key else ((), ())
    sources = [
        behind(of, context, f"SELECT * FROM ({flagged}) WHERE {test}", cells=cells, match=match, role=role)
        for test, role in (("back", "readmitted"), ("NOT back", "discharged"))
    ]
    group = key.replace("end_time", "b.end_time") if key else "''"
    returns = (
        f"SELECT r.*, {group} AS bucket FROM ({everyone}) AS r JOIN ({sql}) AS b ON {other} AND {again} "
        "GROUP BY r.row_id, bucket"
    )
    cells = ("bucket",) if key else ()
    sources.append(behind(of, context, returns, cells=cells, match=match, role="return"))
    return compiled(f"SELECT {head}{figures} FROM ({flagged}){tail}", columns, context, *sources)
