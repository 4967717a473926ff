"""Typed queries for published questions give the published answers (EHRSQL-2024, validation part).

``published.jsonl`` holds, for one question of every third kind, its id and the typed query that was written for
it. The questions and answers themselves stay in the data set.
"""

import ast
import json
from pathlib import Path

from agent.query.execute import run
from agent.query.model import ClinicalQuery
from agent.scope import Scope
from knowledge.store.store import RecordStore

NOW = "2100-12-31 23:59:00"


def _comparable(rows: object) -> set[tuple[str, ...]]:
    """Rows as the benchmark compares them: as a set, numbers to three places, no row like a row of nothing."""
    assert isinstance(rows, list | tuple)
    return {tuple(_cell(cell) for cell in row) for row in rows} - {("None",)}


def _cell(cell: object) -> str:
    try:
        return str(round(float(cell), 3))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return str(cell)


def test_typed_queries_give_the_published_answers(shared_data: Path) -> None:
    folder = shared_data / "ehrsql-2024"
    store = RecordStore.open(folder / "mimic_iv.sqlite")
    answers = json.loads((folder / "valid" / "answer.json").read_text(encoding="utf-8"))
    lines = Path(__file__).with_name("published.jsonl").read_text(encoding="utf-8").splitlines()
    differing = []
    for line in map(json.loads, lines):
        query = ClinicalQuery.model_validate(line["query"])
        outcome = run(query, store, Scope(now=NOW), seconds=20)
        if _comparable(outcome.rows) != _comparable(ast.literal_eval(answers[line["id"]])):
            differing.append(line["id"])
    assert len(lines) >= 40
    assert differing == []
