"""How long a question takes, end to end: p50 and p95 of table questions and of note questions, and memory.

Asks the questions of ``benchmarks/questions/demo_tune.jsonl`` (notes) and of the catalogue's own examples on the
demo hospital (tables), one at a time, after one warm-up question. The baseline beside them is the bare SQL of
the same answers, run again under the guard, so that the ratio says what the agent adds to the database::

    python benchmarks/latency.py
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from agent import Answer, ClinicalAgent
from agent.prepare import demo_store, prepare_indexes
from agent.sql.guard import run_guarded
from knowledge.store import RecordStore

QUESTIONS = Path(__file__).parent / "questions" / "demo_tune.jsonl"
TABLE_QUESTIONS = (
    "What is the latest creatinine?",
    "Show the trend of hemoglobin",
    "What drugs is the patient on now?",
    "List the diagnoses",
    "What allergies are recorded?",
    "When was the patient last admitted?",
    "最近一次血钾是多少？",
    "现在用什么药？",
    "血红蛋白的变化趋势",
    "这次住院了多少天？",
)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--patients", type=int, default=15, help="patients to ask the table questions about")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()

    def silent(stage: str, done: int, total: int) -> None:
        pass

    store = RecordStore.open(demo_store(silent))
    prepare_indexes(store, silent)
    before = _memory()
    with ClinicalAgent.open(store) as agent:
        agent.ask(TABLE_QUESTIONS[0], patient=store.patients()[0].subject_id)
        rest = _memory()
        subjects = [p.subject_id for p in store.patients()[: arguments.patients]]
        tables, answers = _timed(
            [lambda q=q, s=s: agent.ask(q, patient=s) for s in subjects for q in TABLE_QUESTIONS]
        )
        noted = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
        notes, _ = _timed([lambda n=n: agent.ask(n["question"], patient=n["patient"]) for n in noted])
        scope = agent.scope()
        statements = [a.sql for a in answers if a.sql]
        bare, _ = _timed([lambda s=s: run_guarded(s, store, scope) for s in statements])
        peak = _memory()
    figures = {
        "table question": _figures(tables),
        "note question": _figures(notes),
        "bare SQL of the table questions (baseline)": _figures(bare),
        "ratio of the medians, table question to bare SQL": round(
            statistics.median(tables) / statistics.median(bare), 1
        ),
        "memory in MB: before opening, opened and warm, after all questions": [before, rest, peak],
    }
    print(json.dumps(figures, indent=1, ensure_ascii=False) if arguments.json else _table(figures))


def _timed(calls: Sequence[Callable[[], object]]) -> tuple[list[float], list[Answer]]:
    spent, results = [], []
    for call in calls:
        began = time.perf_counter()
        result = call()
        spent.append((time.perf_counter() - began) * 1000)
        if isinstance(result, Answer):
            results.append(result)
    return spent, results


def _figures(milliseconds: list[float]) -> dict[str, float]:
    ordered = sorted(milliseconds)
    return {
        "n": len(ordered),
        "p50_ms": round(statistics.median(ordered), 1),
        "p95_ms": round(ordered[int(0.95 * (len(ordered) - 1))], 1),
    }


def _memory() -> int:
    return round(psutil.Process().memory_info().rss / 2**20)


def _table(figures: dict[str, object]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in figures.items())


if __name__ == "__main__":
    main()
