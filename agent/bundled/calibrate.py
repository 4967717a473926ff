r"""Fits how sure plans are to how often they are right, on questions that the network was not trained on.

Run as::

    python -m agent.bundled.calibrate --questions train.jsonl --ids build/planner/apart.txt \
        --store mimic_iv.sqlite --planner build/planner/planner.gguf --write

A plan is right if its rows are those of the question's own query. Prints how right, how sure and how well
calibrated (expected calibration error, ten bins) by five-fold cross-validation; ``--write`` keeps the result.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import astuple
from datetime import date
from pathlib import Path

import numpy as np
import yaml
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from agent.bundled.confidence import Signs
from agent.bundled.planner import PLANNER_FILE, BundledPlanner
from agent.bundled.pointers import Pointers, disjoint
from agent.measure.gold import Judged
from agent.measure.reliability import bins, calibration_error
from agent.paths import index_folder
from agent.planning.linker import Linker
from agent.planning.plan import QueryRecords
from agent.planning.subject import subject_of
from agent.prepare import prepare_indexes
from agent.query.execute import run
from agent.query.model import ClinicalQuery
from agent.records import is_countable
from agent.scope import Scope
from indexes.values import ValueIndex
from knowledge.errors import ChartroomError
from knowledge.store import RecordStore
from knowledge.terminology import Terminology

_FILE = Path(__file__).with_name("calibration.yaml")
_UNANSWERABLE = 2.0  # weight of a question that the tables do not answer: in use, more are than in the files
_SECONDS = 20.0  # a busy machine must not make a plan wrong


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and, where asked, write the calibration."""
    parser = argparse.ArgumentParser(prog="python -m agent.bundled.calibrate", description=__doc__)
    parser.add_argument(
        "--questions", type=Path, required=True, action="append", help="with their queries; repeatable"
    )
    parser.add_argument("--ids", type=Path, help="only the questions with these ids, of the first file")
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--now", default="2100-12-31 23:59:00")
    parser.add_argument("--planner", type=Path, default=PLANNER_FILE)
    parser.add_argument("--write", action="store_true", help="write calibration.yaml")
    arguments = parser.parse_args(argv)
    try:
        kept = set(arguments.ids.read_text(encoding="ascii").split()) if arguments.ids else None
        rows, right, weights = [], [], []
        for place, path in enumerate(arguments.questions):
            for signs, was_right, is_none in judged(
                path, arguments.store, arguments.now, arguments.planner, None if place else kept
            ):
                rows.append(astuple(signs))
                right.append(was_right)
                weights.append(_UNANSWERABLE if is_none else 1.0)
    except ChartroomError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    features, outcome = np.array(rows), np.array(right)
    model = LogisticRegression(C=3.0, max_iter=5000)
    predicted = cross_val_predict(
        model, features, outcome, cv=5, method="predict_proba", params={"sample_weight": np.array(weights)}
    )
    sure = np.asarray(predicted)[:, 1]
    judgements = [
        Judged(str(place), "right" if was_right else "wrong", float(p))
        for place, (p, was_right) in enumerate(zip(sure, outcome, strict=True))
    ]
    ece = calibration_error(bins(judgements)) or 0.0
    model.fit(features, outcome, sample_weight=weights)
    counted = f"{len(outcome)} plans that ask the tables, {outcome.mean():.1%} right"
    print(f"{counted}, error of calibration {ece:.3f}")  # noqa: T201
    names = Signs.__dataclass_fields__
    found = {
        "obtained": f"{date.today()}: {len(outcome)} plans, {outcome.mean():.1%} right, calibration error {ece:.3f}",
        "intercept": round(float(np.asarray(model.intercept_)[0]), 4),
        "coefficients": {
            n: round(float(w), 4) for n, w in zip(names, np.asarray(model.coef_)[0], strict=True)
        },
    }
    text = yaml.safe_dump(found, sort_keys=False, allow_unicode=True)
    print(text)  # noqa: T201
    if arguments.write:
        _FILE.write_text(text, encoding="utf-8")
    return 0


def judged(
    questions: Path, store_path: Path, now: str, planner_path: Path, kept: set[str] | None
) -> Iterator[tuple[Signs, bool, bool]]:
    """The signs of each plan that asks the tables, whether its rows are right, and whether it should ask at all.

    Args:
        questions: as for the training.
        store_path: the store.
        now: that times count from.
        planner_path: the network.
        kept: ids to use; all by default.
    """
    store = RecordStore.open(store_path)
    prepare_indexes(store, lambda stage, done, total: None)
    planner = BundledPlanner(store.tables, planner_path)
    with closing(ValueIndex.open(store, index_folder(store.path))) as values, closing(planner):
        linker = Linker(store, values, Terminology.load())
        scope = Scope(now=now)
        for line in questions.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if kept is not None and row["id"] not in kept:
                continue
            language = row.get("language", "en")
            linked = disjoint(linker.link(row["question"], language, scope))
            subject = subject_of(linked, language, scope)
            if subject.stop is not None:
                continue
            reading = planner.read(row["question"], Pointers(linked, language, subject.subject_id), scope)
            if isinstance(reading.action, QueryRecords):
                was_right = _is_right(reading.action, row["query"], scope, store)
                if was_right is not None:
                    yield reading.signs, was_right, isinstance(row["query"], str)


def _is_right(action: QueryRecords, wanted: object, scope: Scope, store: RecordStore) -> bool | None:
    """Whether a plan gives the rows of the wanted query; ``None`` where it finds nothing, so is not answered."""
    try:
        here = run(action.query, store, scope, seconds=_SECONDS)
    except ChartroomError:
        return None
    if here.empty and not is_countable(action):
        return None
    if isinstance(wanted, str):
        return False
    there = run(ClinicalQuery.model_validate(wanted), store, scope, seconds=_SECONDS)
    return sorted(map(repr, here.rows)) == sorted(map(repr, there.rows))


if __name__ == "__main__":
    sys.exit(main())
