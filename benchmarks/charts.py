"""How many chart questions get the right chart: "plot her creatinine this admission", "性别构成饼图".

The questions of ``benchmarks/questions/charts.jsonl`` are asked, and what the answer's Vega-Lite specification
draws is compared with the gold::

    python -m benchmarks.charts --verbose
    python -m benchmarks.charts --questions benchmarks/questions/charts_blind.jsonl

Two things are judged apart. The mark is right if it is one of those that the question allows; it is read from
the specification, not from what the answer says of it. The data are right if the inline rows, seen through
the channels that draw them, are those of a gold statement: as a set of (across, series, figure); for
histograms and boxes each value as often as it stands. A question that asks for no chart, or for one of what
nobody records, is right if there is none.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection

from agent import Answer, ClinicalAgent
from agent.answer import Cell
from benchmarks.drawing import Drawing, read_drawing
from benchmarks.questions import QUESTIONS, open_store

CHARTS = QUESTIONS / "charts.jsonl"

Row = tuple[str, str, float]
"""Across (a time, a bucket, a group; empty for single values), series (or empty), figure."""

WORDS_OF_CODES = {
    "f": ("female", "女", "女性"),
    "m": ("male", "男", "男性"),
    "s": ("susceptible", "sensitive", "敏感"),
    "i": ("intermediate", "中介"),
    "r": ("resistant", "耐药"),
    "married": ("已婚",),
    "single": ("未婚",),
    "widowed": ("丧偶",),
    "divorced": ("离异", "离婚"),
    "home": ("回家",),
}
"""The store's codes, and the words that a chart may show for them."""
CODES = {word: code for code, words in WORDS_OF_CODES.items() for word in words}
COLUMNS = ("asked", "data right", "mark right", "both right")


@dataclass(frozen=True, slots=True)
class ChartQuestion:
    """One line of the set.

    Attributes:
        marks: every mark that is right; none where there must be no chart.
        x: what figures are drawn against: ``time``, ``bucket:month`` …, ``category``; ``value`` for a
            histogram, or a box of all; ``none``.
        gold_sql: statements, each of which gives right data: time, value; group, figure; group or time,
            series, figure; for histograms the single values, for boxes the group before them.
        status: of a question without a chart: ``answered`` in words, or ``refused``.
        half: ``tune`` to look at, ``held`` for the last figure.
    """

    id: str
    language: str
    question: str
    patient: int | None
    marks: Sequence[str]
    x: str
    gold_sql: Sequence[str]
    status: str
    half: str

    @property
    def kind(self) -> str:
        """The mark that the question names, ``any``, or ``no chart``."""
        if not self.marks:
            return "no chart"
        return self.marks[0] if len(self.marks) == 1 else "any"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a question."""

    question: ChartQuestion
    data: bool
    mark: bool
    why: str = ""

    def counted(self) -> tuple[int, ...]:
        """Its line in the table."""
        return 1, int(self.data), int(self.mark), int(self.data and self.mark)


def read(half: str | None = None, path: Path = CHARTS) -> list[ChartQuestion]:
    """The questions of a set, or one half of them."""
    lines = path.read_text(encoding="utf-8").splitlines()
    questions = [ChartQuestion(**json.loads(line)) for line in lines]
    return [each for each in questions if half in (None, each.half)]


def judge(question: ChartQuestion, answer: Answer, records: Connection) -> Verdict:
    """Compare what an answer draws with the gold."""
    said = f"{answer.status}{f' ({answer.reason})' if answer.reason else ''}: {' '.join(answer.text.split())}"
    if not question.marks:
        silent = answer.chart is None and answer.status == question.status
        drew = "a chart is drawn; " if answer.chart is not None else ""
        return Verdict(question, silent, silent, "" if silent else drew + said)
    drawing = None if answer.chart is None else read_drawing(answer.chart["spec"])
    if drawing is None:
        return Verdict(question, data=False, mark=False, why=f"no chart; {said}")
    golds = [gold_rows(records.execute(sql).fetchall(), question, drawing) for sql in question.gold_sql]
    got = drawn_rows(drawing, question, golds[0])
    data, mark = got in golds, drawing.mark in question.marks
    reasons = [] if mark else [f"a {drawing.mark}, not a {' or '.join(question.marks)}"]
    if not data:
        more, less = list((got - golds[0]).elements()), list((golds[0] - got).elements())
        reasons.append(f"{got.total()} rows for {golds[0].total()}; not gold {more[:3]}; missing {less[:3]}")
    return Verdict(question, data, mark, "; ".join(reasons))


def gold_rows(rows: Iterable[Sequence[Cell]], question: ChartQuestion, drawing: Drawing) -> Counter[Row]:
    """The rows of a gold statement, as what is drawn is compared."""
    found: list[Row] = []
    for *cells, figure in rows:
        across, series, *_ = (*("" if cell is None else str(cell) for cell in cells), "", "")
        found.append((across, series, float(figure or 0)))
    return _comparable(found, question, drawing)


def drawn_rows(drawing: Drawing, question: ChartQuestion, gold: Counter[Row]) -> Counter[Row]:
    """The rows that a specification draws, buckets cut to the length of those of the gold."""
    rows = drawing.rows
    if question.x.startswith("bucket") and gold:
        length = max(len(across) for across, _, _ in gold)
        rows = [(across.replace("T", " ")[:length], series, figure) for across, series, figure in rows]
    return _comparable(rows, question, drawing)


def _comparable(rows: Iterable[Row], question: ChartQuestion, drawing: Drawing) -> Counter[Row]:
    """Figures to three places, times to the minute, groups in any case; what has no name or no length left out.

    A bucket with a figure of 0 draws nothing and may stand or not; so may a group without a name. The slices
    of a pie are compared as parts of the whole.
    """
    kept = [
        (_across(across, question.x), _group(series), figure)
        for across, series, figure in rows
        if question.x in ("time", "value") or (across and figure)
    ]
    if drawing.mark == "arc" and (total := sum(figure for _, _, figure in kept)):
        kept = [(across, series, figure / total) for across, series, figure in kept]
    counted = Counter((across, series, round(figure, 3)) for across, series, figure in kept)
    every = drawing.mark in ("histogram", "box")
    return counted if every else Counter(dict.fromkeys(counted, 1))


def _across(text: str, x: str) -> str:
    if x == "time":
        return text.replace("T", " ")[:16]
    return "" if x == "value" else _group(text)


def _group(text: str) -> str:
    folded = text.strip().casefold()
    return CODES.get(folded, folded)


def run(questions: Iterable[ChartQuestion], agent: ClinicalAgent) -> list[Verdict]:
    """Ask and judge them all."""
    with closing(agent.rooms.store.connect()) as records:
        return [judge(each, agent.ask(each.question, patient=each.patient), records) for each in questions]


def counts(verdicts: Iterable[Verdict]) -> dict[str, tuple[int, ...]]:
    """The columns of the table by language and kind, and of all."""
    table: dict[str, tuple[int, ...]] = {}
    for verdict in verdicts:
        question = verdict.question
        for group in (f"{question.language} {question.kind}", question.language, "all"):
            before = table.get(group, (0,) * len(COLUMNS))
            table[group] = tuple(old + new for old, new in zip(before, verdict.counted(), strict=True))
    return dict(sorted(table.items(), key=lambda line: (line[0] == "all", line[0])))


def show(verdicts: Sequence[Verdict], *, failures: bool) -> None:
    """Print the table, the shares, and what failed."""
    print(f"{'':<16}" + "".join(f"{name:>12}" for name in COLUMNS))
    table = counts(verdicts)
    for group, figures in table.items():
        print(f"{group:<16}" + "".join(f"{figure:>12}" for figure in figures))
    asked, *right = table["all"]
    print(f"{'':<28}" + "".join(f"{figure / asked:>12.1%}" for figure in right))
    for verdict in verdicts:
        if failures and not (verdict.data and verdict.mark):
            print(f"\n{verdict.question.id}  {verdict.question.question}\n  {verdict.why[:400]}")


def main() -> None:
    """Run the set and print how it went."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--questions", type=Path, default=CHARTS, help="another set of the same form")
    parser.add_argument("--half", choices=("tune", "held"), help="only this half")
    parser.add_argument("--store", type=Path, help="a demo store (default: the installation's own)")
    parser.add_argument("--verbose", action="store_true", help="every failure, too")
    given = parser.parse_args()
    with ClinicalAgent.open(open_store(given.store)) as agent:
        show(run(read(given.half, given.questions), agent), failures=given.verbose)


if __name__ == "__main__":
    main()
