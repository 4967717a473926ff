"""The scorer of the chart questions: which data and which mark count as right, and that its set is sound."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from agent.answer import Answer, Status
from benchmarks.charts import CHARTS, ChartQuestion, counts, judge, read


@pytest.fixture
def records() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(
            """
            CREATE TABLE figures (at TEXT, who TEXT, n REAL);
            INSERT INTO figures VALUES ('2026-01-05 06:00:00', 'f', 2), ('2026-02-07 06:00:30', 'm', 6);
            """
        )
        yield connection


QUESTION = ChartQuestion(
    id="c",
    language="en",
    question="?",
    patient=None,
    marks=("line", "point"),
    x="time",
    gold_sql=("SELECT at, n FROM figures",),
    status="answered",
    half="tune",
)
BY_MONTH = replace(
    QUESTION, marks=("bar",), x="bucket:month", gold_sql=("SELECT substr(at, 1, 7), n FROM figures",)
)
BY_SEX = replace(QUESTION, marks=("arc",), x="category", gold_sql=("SELECT who, n FROM figures",))
VALUES = replace(QUESTION, marks=("histogram",), x="value", gold_sql=("SELECT 4 UNION ALL SELECT 4",))
NO_CHART = replace(QUESTION, marks=(), x="none", gold_sql=())


def drawn(mark: str, rows: list[tuple[object, ...]], *, status: Status = "answered") -> Answer:
    values = [dict(zip("abc", row, strict=False)) for row in rows]
    across, figure = {"field": "a", "type": "nominal"}, {"field": "b", "type": "quantitative"}
    encoding: dict[str, Any] = {"x": across, "y": figure}
    if mark == "arc":
        encoding = {"color": across, "theta": figure}
    if mark == "histogram":
        mark, encoding = "bar", {"x": {"field": "a", "bin": True}, "y": {"aggregate": "count"}}
    chart = {"spec": {"mark": mark, "data": {"values": values}, "encoding": encoding}}
    return Answer(question="?", language="en", status=status, reason=None, text="Drawn.", chart=chart)


WORDS = Answer(question="?", language="en", status="answered", reason=None, text="It is 2.")
REFUSED = replace(QUESTION, marks=(), x="none", gold_sql=(), status="refused")


def test_times_agree_to_the_minute_and_figures_to_three_places(records: sqlite3.Connection) -> None:
    rows: list[tuple[object, ...]] = [("2026-01-05T06:00:00", 2.0001), ("2026-02-07 06:00:00", 6)]
    verdict = judge(QUESTION, drawn("line", rows), records)
    assert verdict.data and verdict.mark
    assert not judge(QUESTION, drawn("line", [rows[0], ("2026-02-07 06:01:00", 6)]), records).data
    assert not judge(QUESTION, drawn("line", [rows[0], ("2026-02-07 06:00:00", 6.001)]), records).data


def test_a_point_missing_or_too_many_is_wrong_data(records: sqlite3.Connection) -> None:
    rows: list[tuple[object, ...]] = [("2026-01-05 06:00:00", 2), ("2026-02-07 06:00:30", 6)]
    assert not judge(QUESTION, drawn("line", rows[:1]), records).data
    assert not judge(QUESTION, drawn("line", [*rows, ("2026-02-08 06:00:00", 7)]), records).data


def test_data_and_mark_are_judged_apart(records: sqlite3.Connection) -> None:
    rows: list[tuple[object, ...]] = [("2026-01-05 06:00:00", 2), ("2026-02-07 06:00:30", 6)]
    verdict = judge(QUESTION, drawn("bar", rows), records)
    assert verdict.data and not verdict.mark
    verdict = judge(QUESTION, drawn("point", rows[:1]), records)
    assert verdict.mark and not verdict.data


def test_a_bucket_may_be_written_as_its_first_day_and_empty_ones_may_be_drawn(
    records: sqlite3.Connection,
) -> None:
    rows: list[tuple[object, ...]] = [("2026-01-01T00:00:00", 2), ("2026-02-01", 6), ("2026-03", 0)]
    assert judge(BY_MONTH, drawn("bar", rows), records).data
    assert not judge(BY_MONTH, drawn("bar", [("2026-01", 6), ("2026-02", 2)]), records).data


def test_slices_are_parts_of_the_whole_and_sexes_may_be_words(records: sqlite3.Connection) -> None:
    assert judge(BY_SEX, drawn("arc", [("Female", 25.0), ("男", 75.0)]), records).data
    assert not judge(BY_SEX, drawn("arc", [("Female", 75.0), ("男", 25.0)]), records).data


def test_a_histogram_needs_every_value_as_often_as_it_stands(records: sqlite3.Connection) -> None:
    assert judge(VALUES, drawn("histogram", [(4,), (4,)]), records).data
    assert not judge(VALUES, drawn("histogram", [(4,)]), records).data


def test_any_of_the_gold_statements_will_do(records: sqlite3.Connection) -> None:
    either = replace(QUESTION, gold_sql=("SELECT at, n FROM figures WHERE n > 5", *QUESTION.gold_sql))
    rows: list[tuple[object, ...]] = [("2026-01-05 06:00:00", 2), ("2026-02-07 06:00:30", 6)]
    assert judge(either, drawn("line", rows), records).data


def test_a_question_that_asks_for_none_must_get_none(records: sqlite3.Connection) -> None:
    assert judge(NO_CHART, WORDS, records).data
    assert not judge(NO_CHART, drawn("line", [("2026-01-05 06:00:00", 2)]), records).data
    assert not judge(REFUSED, WORDS, records).data
    assert judge(REFUSED, WORDS.model_copy(update={"status": "refused"}), records).data
    assert not judge(QUESTION, WORDS, records).data


def test_the_table_counts_by_language_and_kind(records: sqlite3.Connection) -> None:
    rows: list[tuple[object, ...]] = [("2026-01-05 06:00:00", 2), ("2026-02-07 06:00:30", 6)]
    verdicts = [judge(QUESTION, drawn("bar", rows), records), judge(NO_CHART, WORDS, records)]
    assert counts(verdicts) == {
        "en": (2, 2, 1, 1),
        "en any": (1, 1, 0, 0),
        "en no chart": (1, 1, 1, 1),
        "all": (2, 2, 1, 1),
    }


BLIND = [
    CHARTS.with_stem("charts_blind"),
    CHARTS.with_stem("charts_blind2"),
    CHARTS.with_stem("charts_blind3"),
]


@pytest.mark.parametrize(("path", "size"), [(CHARTS, 130), *((path, 60) for path in BLIND)])
def test_the_set_is_whole_and_runs_on_the_schema(path: Path, size: int) -> None:
    questions = read(path=path)
    assert len(questions) >= size
    assert (
        len({each.id for each in questions}) == len({each.question for each in questions}) == len(questions)
    )
    assert len(read("tune", path)) + len(read("held", path)) == len(questions)
    with closing(sqlite3.connect(":memory:")) as empty:
        empty.executescript(files("knowledge.store").joinpath("schema.sql").read_text(encoding="utf-8"))
        for each in questions:
            assert bool(each.marks) == bool(each.gold_sql)
            for sql in each.gold_sql:
                empty.execute(sql)


@pytest.mark.parametrize(("path", "before"), [(BLIND[0], [CHARTS]), (BLIND[1], [CHARTS, BLIND[0]])])
def test_a_blind_set_shares_no_question_with_the_sets_before_it(path: Path, before: list[Path]) -> None:
    blind = read(path=path)
    known = {each.question for earlier in before for each in read(path=earlier)}
    assert not {each.question for each in blind} & known
    assert {each.half for each in blind} == {"held"}
