"""How many questions over the demo hospital are answered rightly, with right citations.

The questions and their gold answers lie in ``benchmarks/questions/``: ``demo_60`` was written before anything
was tuned and is the figure to report; ``demo_tune`` (notes only) is for choosing thresholds::

    python benchmarks/questions.py --set demo_60

A question of kind ``table`` is right if the result is the rows of its ``gold_sql`` (further columns are no
fault, further or missing rows are); one of kind ``note`` if a cited quotation contains one of its
``gold_quotes``; an unanswerable one if it is refused as not documented or not in the schema. Citations are
right if there are some and all of them exist: rows of the patient, at least one of the table named;
quotations at their offsets in a note of the patient.
"""

import argparse
import json
import math
import sqlite3
import statistics
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from agent import Answer, ClinicalAgent
from agent.answer import Cell, NoteEvidence, RowEvidence
from agent.prepare import demo_store, is_indexed, prepare_indexes
from knowledge.store import RecordStore

QUESTIONS = Path(__file__).parent / "questions"
SETS = ("demo_60", "demo_tune", "demo_fresh")
UNANSWERABLE = ("not_documented", "not_in_schema")

Outcome = Literal["right", "right, wrongly cited", "wrong", "wrongly refused", "answered the unanswerable"]
OUTCOMES: tuple[Outcome, ...] = (
    "right",
    "right, wrongly cited",
    "wrong",
    "wrongly refused",
    "answered the unanswerable",
)


@dataclass(frozen=True, slots=True)
class Question:
    """One line of a set.

    Attributes:
        gold_sql: statements, each of which gives a right answer ("days" may be rounded to the calendar).
        gold_quotes: a right quotation contains one of them.
        gold_status: ``refused`` where the record holds no answer.
        must_cite: ``{"table": …}``, where rows must be cited.
    """

    id: str
    language: str
    kind: str
    patient: int | None
    question: str
    gold_sql: Sequence[str] = ()
    gold_quotes: Sequence[str] = ()
    gold_status: str | None = None
    must_cite: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a question."""

    id: str
    language: str
    kind: str
    question: str
    outcome: Outcome
    why: str
    said: str
    ms: int


def read(name: str) -> list[Question]:
    """The questions of a set."""
    lines = (QUESTIONS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [Question(**json.loads(line)) for line in lines]


def judge(question: Question, answer: Answer, records: sqlite3.Connection) -> Verdict:
    """Compare an answer with the gold."""
    outcome, why = _outcome(question, answer, records)
    said = f"{answer.status}{f' ({answer.reason})' if answer.reason else ''}: {' '.join(answer.text.split())}"
    return Verdict(
        id=question.id,
        language=question.language,
        kind=question.kind,
        question=question.question,
        outcome=outcome,
        why=why,
        said=said,
        ms=answer.ms.get("total", 0),
    )


def _outcome(question: Question, answer: Answer, records: sqlite3.Connection) -> tuple[Outcome, str]:
    if question.gold_status == "refused":
        if answer.status == "answered":
            return "answered the unanswerable", ""
        if answer.reason in UNANSWERABLE:
            return "right", ""
        return "wrong", f"not refused as {' or '.join(UNANSWERABLE)}"
    if answer.status != "answered":
        return "wrongly refused", ""
    is_table = question.kind == "table"
    if wrong := wrong_rows(question, answer, records) if is_table else wrong_quotes(question, answer):
        return "wrong", wrong
    miscited = wrong_citations(question, answer, records)
    return ("right, wrongly cited", miscited) if miscited else ("right", "")


def wrong_rows(question: Question, answer: Answer, records: sqlite3.Connection) -> str:
    """What is wrong with the result; empty if it is one of the gold results."""
    if answer.result is None or not answer.result.rows:
        return "no result"
    got = answer.result.rows
    golds = [records.execute(sql).fetchall() for sql in question.gold_sql]
    for gold in golds:
        complete = all(any(holds(row, wanted) for row in got) for wanted in gold)
        if complete and all(any(holds(row, wanted) for wanted in gold) for row in got):
            return ""
    return f"the result is {[list(row) for row in got[:4]]}, not {[list(row) for row in golds[0][:4]]}"


def holds(row: Iterable[Cell], wanted: Iterable[Cell]) -> bool:
    """Whether a result row has every cell that is wanted."""
    cells = tuple(row)
    return all(any(same(cell, each) for cell in cells) for each in wanted)


def same(cell: Cell, wanted: Cell) -> bool:
    """Whether two cells mean the same: numbers within half a percent, a day for any time of it, text in any case."""
    if cell is None or wanted is None:
        return cell is wanted
    number, target = _number(cell), _number(wanted)
    if number is not None and target is not None:
        return math.isclose(number, target, rel_tol=0.005, abs_tol=0.005)
    text, sought = str(cell).strip().casefold(), str(wanted).strip().casefold()
    is_day = len(sought) == 10 and sought[4:5] == sought[7:8] == "-"
    return text == sought or (is_day and text.startswith(sought))


def _number(cell: str | int | float) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def wrong_quotes(question: Question, answer: Answer) -> str:
    """What is wrong with the quotations; empty if one of them holds what is sought."""
    quotes = [_plain(item.quote) for item in answer.evidence if isinstance(item, NoteEvidence)]
    if any(_plain(gold) in quote for gold in question.gold_quotes for quote in quotes):
        return ""
    return f"no quotation has {question.gold_quotes[0]!r}"


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def wrong_citations(question: Question, answer: Answer, records: sqlite3.Connection) -> str:
    """The first fault of the citations; empty if there is none."""
    ids = {item.id for item in answer.evidence}
    for claim in answer.claims:
        if not set(claim.evidence) <= ids:
            return "a sentence cites evidence that is not there"
    if not any(claim.evidence for claim in answer.claims):
        return "nothing is cited"
    for item in answer.evidence:
        if isinstance(item, RowEvidence):
            fault = _wrong_row_evidence(item, question.patient, records)
        elif isinstance(item, NoteEvidence):
            fault = _wrong_note_evidence(item, question.patient, records)
        else:
            fault = ""
        if fault:
            return fault
    table = question.must_cite["table"] if question.must_cite else None
    cited = {item.table for item in answer.evidence if isinstance(item, RowEvidence)}
    return f"cites {sorted(cited)}, not {table}" if table is not None and table not in cited else ""


def _wrong_row_evidence(item: RowEvidence, patient: int | None, records: sqlite3.Connection) -> str:
    columns = {row[1] for row in records.execute("SELECT * FROM pragma_table_info(?)", (item.table,))}
    if not columns:
        return f"cites a table {item.table!r} that is not there"
    owner = "subject_id" if "subject_id" in columns else "NULL"
    for row_id in item.row_ids:
        # The table's name was found in the schema a moment ago: it is no text from outside.
        found = records.execute(f"SELECT {owner} FROM {item.table} WHERE row_id = ?", (row_id,)).fetchone()
        if found is None:
            return f"cites row {row_id} of {item.table}, which is not there"
        if patient is not None and found[0] not in (None, patient):
            return f"cites row {row_id} of {item.table}, which is another patient's"
    return "" if item.row_ids else f"cites no row of {item.table}"


def _wrong_note_evidence(item: NoteEvidence, patient: int | None, records: sqlite3.Connection) -> str:
    found = records.execute(
        "SELECT subject_id, text FROM notes WHERE note_id = ?", (item.note_id,)
    ).fetchone()
    if found is None:
        return f"cites note {item.note_id}, which is not there"
    if patient is not None and found[0] != patient:
        return f"cites note {item.note_id}, which is another patient's"
    if found[1][item.start : item.end] != item.quote:
        return f"the quotation is not at its offsets in note {item.note_id}"
    return ""


def run(questions: Iterable[Question], agent: ClinicalAgent) -> list[Verdict]:
    """Ask and judge them all."""
    with closing(agent.rooms.store.connect()) as records:
        return [judge(each, agent.ask(each.question, patient=each.patient), records) for each in questions]


def open_store(path: Path | None) -> RecordStore:
    """The store at ``path``; without one the demo hospital, made and indexed if it is not yet."""
    store = RecordStore.open(path or demo_store(_report))
    if not is_indexed(store):
        prepare_indexes(store, _report)
    return store


def _report(stage: str, done: int, total: int) -> None:
    if done == total:
        print(f"{stage}: {total}", file=sys.stderr)


def counts(verdicts: Iterable[Verdict]) -> dict[str, Counter[Outcome]]:
    """Outcomes by language and kind, and of all."""
    table: dict[str, Counter[Outcome]] = {}
    for verdict in verdicts:
        for group in (f"{verdict.language} {verdict.kind}", "all"):
            table.setdefault(group, Counter())[verdict.outcome] += 1
    table["all"] = table.pop("all")
    return table


def show(verdicts: Sequence[Verdict], *, failures: bool = True) -> None:
    """Print the table and what failed."""
    print(f"{'':<12}{'asked':>6}" + "".join(f"{name:>{len(name) + 3}}" for name in OUTCOMES))
    for group, found in counts(verdicts).items():
        cells = "".join(f"{found[name]:>{len(name) + 3}}" for name in OUTCOMES)
        print(f"{group:<12}{found.total():>6}{cells}")
    times = sorted(verdict.ms for verdict in verdicts)
    print(f"\nlatency: p50 {statistics.median(times):.0f} ms, p95 {times[int(0.95 * (len(times) - 1))]} ms")
    for verdict in verdicts:
        if failures and verdict.outcome != "right":
            print(f"\n{verdict.id}  {verdict.outcome}{': ' + verdict.why if verdict.why else ''}")
            print(f"  asked  {verdict.question}\n  {verdict.said[:300]}")


def main() -> None:
    """Run one set and print how it went."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--set", choices=SETS, default=SETS[0])
    parser.add_argument("--store", type=Path, help="a demo store (default: the installation's own)")
    parser.add_argument("--json", action="store_true", help="every verdict as JSON")
    given = parser.parse_args()
    with ClinicalAgent.open(open_store(given.store)) as agent:
        verdicts = run(read(given.set), agent)
    if given.json:
        print(json.dumps([asdict(verdict) for verdict in verdicts], ensure_ascii=False, indent=1))
    else:
        show(verdicts)


if __name__ == "__main__":
    main()
