"""The guard lets honest queries through: those that people wrote for the EHRSQL-2024 questions."""

import json
from pathlib import Path

from agent.scope import Scope
from agent.sql.guard import run_guarded
from knowledge.errors import QueryRejected
from knowledge.store.store import RecordStore

NOW = "2100-12-31 23:59:00"
# The benchmark's own bounds of what is normal, which its queries name instead of numbers.
BOUNDS = {
    "temperature": (35.5, 38.1),
    "sao2": (95.0, 100.0),
    "heart_rate": (60.0, 100.0),
    "respiration": (12.0, 18.0),
    "systolic_bp": (90.0, 120.0),
    "diastolic_bp": (60.0, 90.0),
    "mean_bp": (60.0, 110.0),
}


def test_published_queries_pass(shared_data: Path) -> None:
    folder = shared_data / "ehrsql-2024"
    store = RecordStore.open(folder / "mimic_iv.sqlite")
    labels = json.loads((folder / "train" / "label.json").read_text(encoding="utf-8"))
    queries = sorted({query for query in labels.values() if query != "null"})
    sample = queries[:: max(1, len(queries) // 300)]
    refused = [query for query in sample if not _passes(query, store)]
    assert len(sample) >= 300
    assert refused == []


def _passes(query: str, store: RecordStore) -> bool:
    query = query.replace("current_time", f"'{NOW}'")
    for name, (low, high) in BOUNDS.items():
        query = query.replace(f"{name}_lower", str(low)).replace(f"{name}_upper", str(high))
    try:
        run_guarded(query, store, Scope(now=NOW), seconds=20)
    except QueryRejected:
        return False
    return True
