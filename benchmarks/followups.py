"""How many second questions of a conversation are answered rightly: "and his potassium?", "只看最近三天".

Each case of ``benchmarks/questions/followups.jsonl`` is two turns under one conversation; the second is judged::

    python -m benchmarks.followups --verbose
    python -m benchmarks.followups --questions benchmarks/questions/followups_blind.jsonl

It is right if the rows of its result are those of a gold statement, further columns allowed, as in
``benchmarks.questions``; where nothing is recorded, if it is refused. A wrong citation is shown apart. The
first answer is not judged: a follow-up of a question that was not understood cannot be understood either,
so the failures say what became of the first.
"""

import argparse
import json
import uuid
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from agent import Answer, ClinicalAgent
from benchmarks.questions import QUESTIONS, Question, Verdict, judge, open_store, show

FOLLOW_UPS = QUESTIONS / "followups.jsonl"
RIGHT = ("right", "right, wrongly cited")


@dataclass(frozen=True, slots=True)
class FollowUp:
    """One line of the set.

    Attributes:
        kind: what the second question changes: the ``value``, the ``time``, the ``patient``, what is asked
            (``ask``); it adds a ``filter``; it leans on a ``pronoun`` or leaves words out; or it is
            ``complete`` in itself and takes nothing over.
        patient: whose record is open during both turns.
        first: the first question.
        question: the second one.
        gold_sql: statements, each of which gives a right answer to the second one.
        gold_status: ``refused`` where the record holds no answer.
        half: ``tune`` to look at, ``held`` for the last figure.
    """

    id: str
    language: str
    kind: str
    patient: int | None
    first: str
    question: str
    gold_sql: Sequence[str]
    half: str
    gold_status: str | None = None

    def as_question(self) -> Question:
        """The second question alone; whose rows are cited is left open, since it may name another patient."""
        return Question(
            id=self.id,
            language=self.language,
            kind="table",
            patient=None,
            question=f"{self.first} → {self.question}",
            gold_sql=self.gold_sql,
            gold_status=self.gold_status,
        )


def read(half: str | None = None, path: Path = FOLLOW_UPS) -> list[FollowUp]:
    """The cases of a set, or one half of them."""
    lines = path.read_text(encoding="utf-8").splitlines()
    cases = [FollowUp(**json.loads(line)) for line in lines]
    return [case for case in cases if half in (None, case.half)]


def ask(case: FollowUp, agent: ClinicalAgent) -> tuple[Answer, Answer]:
    """Both answers of one conversation, which is forgotten afterwards."""
    conversation = f"follow-up {uuid.uuid4()}"
    try:
        first, second = (
            agent.ask(question, patient=case.patient, conversation=conversation)
            for question in (case.first, case.question)
        )
        return first, second
    finally:
        agent.forget(conversation)


def run(cases: Iterable[FollowUp], agent: ClinicalAgent) -> list[Verdict]:
    """Ask and judge them all."""
    verdicts: list[Verdict] = []
    with closing(agent.rooms.store.connect()) as records:
        for case in cases:
            first, second = ask(case, agent)
            verdict = judge(case.as_question(), second, records)
            said = f"{verdict.said}\n  (first: {first.status}{f', {first.reason}' if first.reason else ''})"
            verdicts.append(replace(verdict, kind=case.kind, said=said))
    return verdicts


def main() -> None:
    """Run the set and print how it went."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--questions", type=Path, default=FOLLOW_UPS, help="another set of the same form")
    parser.add_argument("--half", choices=("tune", "held"), help="only this half")
    parser.add_argument("--store", type=Path, help="a demo store (default: the installation's own)")
    parser.add_argument("--verbose", action="store_true", help="every failure, too")
    given = parser.parse_args()
    with ClinicalAgent.open(open_store(given.store)) as agent:
        verdicts = run(read(given.half, given.questions), agent)
    show(verdicts, failures=given.verbose)
    right = sum(verdict.outcome in RIGHT for verdict in verdicts)
    print(f"right: {right} of {len(verdicts)} ({right / len(verdicts):.1%})")


if __name__ == "__main__":
    main()
