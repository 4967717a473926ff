"""What the planner owes to linking and to abstaining: the published questions with one of them taken away.

Run as::

    python -m benchmarks.ablation --data ../shared/data/ehrsql-2024 --split valid

Prints the reliability score (EHRSQL 2024) of the bundled planner at risk 0 as it is, without linked values, and
without abstention: there the likeliest script that asks the tables is followed, however unsure; a patient who is
not there is refused all the same.
"""

import argparse
import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from agent.bundled import script
from agent.bundled.confidence import probability
from agent.bundled.planner import LIKELY, BundledPlanner
from agent.bundled.pointers import Pointers, disjoint
from agent.measure.gold import Gold
from agent.measure.reliability import at
from agent.paths import index_folder
from agent.planning.chart_words import ChartWords
from agent.planning.linker import Linker
from agent.planning.plan import Action, QueryRecords
from agent.planning.subject import subject_of
from agent.prepare import prepare_indexes
from agent.query.execute import run
from agent.records import is_countable
from agent.scope import Scope
from indexes.values import ValueIndex
from knowledge.errors import ChartroomError, QueryRejected
from knowledge.store import RecordStore
from knowledge.terminology import Terminology

SCOPE = Scope(now="2100-12-31 23:59:00")
VARIANTS = ("as it is", "without linking", "without abstention")
_ABSTAINED = {"status": "refused", "reason": "low_confidence"}


class _NeverSilent(BundledPlanner):
    """Follows no script that declines."""

    def _action(
        self,
        tokens: Sequence[str],
        question: str,
        pointers: Pointers,
        scope: Scope,
        chart: ChartWords | None,
    ) -> Action:
        if tokens[0] in script.ASIDES:
            raise QueryRejected("Declining is not allowed here.")
        return super()._action(tokens, question, pointers, scope, chart)


def answer(
    question: str, planner: BundledPlanner, linker: Linker, store: RecordStore, variant: str
) -> dict[str, object]:
    """The answer object, as far as it is compared."""
    linked = disjoint(linker.link(question, "en", SCOPE))
    subject = subject_of(linked, "en", SCOPE)
    if subject.stop is not None:
        return _ABSTAINED
    if variant == "without linking":
        linked = replace(linked, values=())
    reading = planner.read(question, Pointers(linked, "en", subject.subject_id), SCOPE)
    sure = probability(reading.signs)
    if not isinstance(reading.action, QueryRecords) or (sure < LIKELY and variant != "without abstention"):
        return _ABSTAINED
    try:
        outcome = run(reading.action.query, store, SCOPE)
    except ChartroomError:
        return _ABSTAINED
    if outcome.empty and not is_countable(reading.action):
        return _ABSTAINED
    return {"status": "answered", "result": {"rows": outcome.rows}, "confidence": sure}


def main() -> None:
    """Run all variants and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of EHRSQL-2024")
    parser.add_argument("--split", choices=("train", "valid"), default="valid")
    given = parser.parse_args()
    folder = given.data / given.split
    questions = json.loads((folder / "data.json").read_text(encoding="utf-8"))["data"]
    gold = Gold.read(folder / "answer.json")
    store = RecordStore.open(given.data / "mimic_iv.sqlite")
    prepare_indexes(store, lambda stage, done, total: None)
    with closing(ValueIndex.open(store, index_folder(store.path))) as values:
        linker = Linker(store, values, Terminology.load())
        for variant in VARIANTS:
            kind = _NeverSilent if variant == "without abstention" else BundledPlanner
            with closing(kind(store.tables)) as planner:
                judged = [
                    gold.judge(row["id"], answer(row["question"], planner, linker, store, variant))
                    for row in questions
                ]
            point = at(judged, 0.0)
            scores = {f"RS({c})": round(100 * (point.good - c * point.bad) / point.n, 2) for c in (0, 5, 10)}
            print(variant, scores, f"coverage {point.coverage:.1%}, wrong {point.bad}")


if __name__ == "__main__":
    main()
