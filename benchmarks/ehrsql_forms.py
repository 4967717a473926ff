"""What a prompted model could answer at best: how many published questions have a plan in the compact form.

A plan is written for each published query, from what linking finds in its question; then it is given in place of a
model's, and the answer compared with the published one. What is lost is lost to linking and to the form::

    python -m benchmarks.ehrsql_expressiveness --data ../shared/data/ehrsql-2024 --split train --out /tmp/train.jsonl
    python -m benchmarks.ehrsql_forms /tmp/train.jsonl --data ../shared/data/ehrsql-2024 --limit 300
"""

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent import ClinicalAgent
from agent.answer import Model
from agent.measure.gold import Gold, Judged
from agent.measure.report import report
from agent.models.job import Completion
from agent.planning.form import RefuseForm, write_form
from agent.planning.model_planner import ModelPlanner
from agent.planning.own_examples import OwnExample, Pair, understood
from agent.planning.writer import Messages
from benchmarks.ehrsql.published import NOW
from knowledge.store import RecordStore

NO_PLAN = write_form(RefuseForm(action="refuse", reason="low_confidence"))


class Perfect:
    """A model that writes the plan it was given, and is sure of it."""

    identity = Model(name="the published query", sha256=None)
    context = 8192

    def __init__(self) -> None:
        self.plan = NO_PLAN

    def tokens(self, messages: Messages) -> int:
        """Everything fits."""
        return len(messages)

    def write(
        self,
        messages: Messages,
        schema: Mapping[str, Any],
        most: int,
        stop: Callable[[], bool] | None = None,
    ) -> Completion:
        """The plan."""
        return Completion(self.plan, (), (0.0,), "stop", 0, 0)

    def close(self) -> None:
        """Nothing to release."""


def answered(agent: ClinicalAgent, pair: dict[str, Any], example: OwnExample | None, gold: Gold) -> Judged:
    """What becomes of a question whose plan is the published one."""
    perfect = Perfect()
    if example is not None:
        perfect.plan = write_form(example.shown.form)
    planner = ModelPlanner(perfect, agent.rooms.store, demonstrations=0)
    agent.rooms = replace(agent.rooms, planner=planner, model=perfect.identity)
    return gold.judge(pair["id"], agent.ask(pair["question"]).model_dump(mode="json"))


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pairs", type=Path, help="what ehrsql_expressiveness wrote")
    parser.add_argument("--data", type=Path, required=True, help="folder of EHRSQL-2024")
    parser.add_argument("--split", choices=("train", "valid"), default="train")
    parser.add_argument("--limit", type=int, help="so many questions, spread over the file")
    given = parser.parse_args()
    pairs = [json.loads(line) for line in given.pairs.read_text(encoding="utf-8").splitlines()]
    step = max(1, len(pairs) // given.limit) if given.limit else 1
    pairs = pairs[::step][: given.limit]
    gold = Gold.read(given.data / given.split / "answer.json")
    with ClinicalAgent.open(RecordStore.open(given.data / "mimic_iv.sqlite"), now=NOW) as agent:
        linker = agent.rooms.linker
        examples = list(understood([Pair.model_validate(pair) for pair in pairs], linker, NOW))
        print(f"of {len(pairs)} queries {sum(one is not None for one in examples)} have a plan")
        judged = [answered(agent, *both, gold) for both in zip(pairs, examples, strict=True)]
    print(report(judged).as_text())


if __name__ == "__main__":
    main()
