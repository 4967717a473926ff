"""Windows, picks and statistics agree with a few lines of Python on random records."""

import random
import statistics
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.query.compile import compile
from agent.query.execute import run
from agent.query.model import ClinicalQuery, Concept, Events, Pick, Rows, Statistic, Window
from agent.scope import Scope
from knowledge.store.store import RecordStore

NOW = "2025-02-01 00:00:00"
Lab = tuple[int, str, float]  # row_id, charttime, valuenum


@pytest.fixture(scope="module")
def labs(tmp_path_factory: pytest.TempPathFactory) -> tuple[RecordStore, list[Lab]]:
    path: Path = tmp_path_factory.mktemp("store") / "random.sqlite"
    store = RecordStore.create(path, now=NOW)
    chance = random.Random(7)
    rows = [
        (i, f"2025-01-{chance.randint(1, 28):02} {chance.randint(0, 3):02}:00:00", chance.randint(1, 9) / 2)
        for i in range(1, 120)
    ]
    with closing(store.connect()) as connection, connection:
        connection.execute("INSERT INTO patients (subject_id) VALUES (1)")
        connection.execute("INSERT INTO d_labitems (itemid, label) VALUES (1, 'Lactate')")
        connection.executemany(
            "INSERT INTO labevents (row_id, subject_id, itemid, charttime, valuenum, valueuom) "
            "VALUES (?, 1, 1, ?, ?, 'mmol/L')",
            rows,
        )
    return store, rows


_DAYS = st.integers(1, 28).map(lambda day: f"2025-01-{day:02} 00:00:00")
_WINDOWS = st.builds(lambda start, end: Window(start=start, end=end), st.none() | _DAYS, st.none() | _DAYS)
_PICKS = st.builds(Pick, which=st.sampled_from(["first", "last", "nth", "min", "max"]), n=st.integers(1, 4))
_ORACLE = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def _inside(rows: list[Lab], window: Window) -> list[Lab]:
    return [r for r in rows if (window.start or "") <= r[1] < (window.end or "9999")]


def _picked(rows: list[Lab], pick: Pick) -> list[Lab]:
    column = 2 if pick.which in ("min", "max") else 1
    levels = sorted({r[column] for r in rows}, reverse=pick.which in ("last", "max"))
    return [r for r in rows if len(levels) >= pick.n and r[column] == levels[pick.n - 1]]


def _lactate(**more: object) -> Events:
    return Events.model_validate({"domain": "lab", "concepts": [Concept(values=("lactate",))], **more})


@_ORACLE
@given(window=_WINDOWS, pick=_PICKS)
def test_windows_and_picks(labs: tuple[RecordStore, list[Lab]], window: Window, pick: Pick) -> None:
    store, rows = labs
    query = ClinicalQuery(
        ask=Rows(fields=("time", "value")), of=_lactate(window=window, pick=pick), patient=1
    )
    outcome = run(query, store, Scope(now=NOW))
    expected = _picked(_inside(rows, window), pick)
    assert set(outcome.rows) == {(time, value) for _, time, value in expected}
    assert {i for e in outcome.evidence for i in e.row_ids} == {row_id for row_id, _, _ in expected}


@_ORACLE
@given(window=_WINDOWS, function=st.sampled_from(["mean", "min", "max", "sum", "median"]))
def test_statistics(labs: tuple[RecordStore, list[Lab]], window: Window, function) -> None:
    store, rows = labs
    outcome = run(
        ClinicalQuery(ask=Statistic(function=function), of=_lactate(window=window), patient=1),
        store,
        Scope(now=NOW),
    )
    values = [value for _, _, value in _inside(rows, window)]
    if not values:
        assert outcome.empty
        return
    oracle = {"mean": statistics.fmean, "min": min, "max": max, "sum": sum, "median": statistics.median}[
        function
    ]
    assert outcome.rows[0][0] == pytest.approx(oracle(values))
    assert outcome.evidence[0].count == len(values)


@_ORACLE
@given(name=st.text(min_size=1, max_size=20).filter(lambda text: "\0" not in text))
def test_no_value_breaks_out_of_its_quotes(labs: tuple[RecordStore, list[Lab]], name: str) -> None:
    store, _ = labs
    query = ClinicalQuery(
        ask=Rows(fields=("value",)), of=Events(domain="lab", concepts=(Concept(values=(name,)),))
    )
    try:
        name.encode()
    except UnicodeEncodeError:
        return  # half a surrogate pair never comes from a question
    sql = compile(query, store.tables, NOW).sql
    with closing(store.connect()) as connection:
        shown = connection.execute(sql).fetchall()
    assert shown == [] or name.lower() == "lactate"
