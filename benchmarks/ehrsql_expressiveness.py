"""How many published questions the typed clinical query can ask, and how many answers then agree.

Each published statement of EHRSQL-2024 is read by its structure into a typed query, which is compiled, run
under the guard on the published database, and compared with the published answer::

    python -m benchmarks.ehrsql_expressiveness --data ../shared/data/ehrsql-2024 --split valid

With ``--out`` the pairs of question and typed query that agree are written as JSON lines, to train a planner
with, and after them the questions that cannot be answered, with ``not_in_schema`` for a query; they contain the
data set's questions, so the file is refused inside the repository.
"""

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from agent.query.execute import run
from agent.query.model import ClinicalQuery
from agent.scope import Scope
from benchmarks.ehrsql.published import NOW, Published, answerable, canonical, unanswerable
from benchmarks.ehrsql.reader import read
from benchmarks.ehrsql.skeleton import skeleton
from benchmarks.ehrsql.sql import Unexpressed
from knowledge.errors import ChartroomError
from knowledge.store.store import RecordStore

ROOT = Path(__file__).resolve().parent.parent
CAP = 10_000
SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Judged:
    """One question and what became of it.

    Attributes:
        published: the question.
        query: the typed query, ``None`` where the statement is not expressible.
        agrees: whether its answer is the published one.
        problem: why not.
    """

    published: Published
    query: ClinicalQuery | None
    agrees: bool
    problem: str = ""


def judge(published: Published, store: RecordStore) -> Judged:
    """Read one statement, run the typed query, compare."""
    try:
        query = read(published.sql, NOW)
    except Unexpressed as error:
        return Judged(published, None, False, str(error))
    # What a planner emits is text: what does not survive that is not expressible either.
    query = ClinicalQuery.model_validate_json(query.model_dump_json())
    try:
        outcome = run(query, store, Scope(now=NOW), cap=CAP, seconds=SECONDS)
    except ChartroomError as error:
        return Judged(published, query, False, str(error))
    agrees = canonical(outcome.rows) == canonical(published.rows)
    return Judged(published, query, agrees, "" if agrees else "the answers differ")


def report(judged: Iterable[Judged]) -> dict[str, object]:
    """The figures, overall and by skeleton, with whatever does not agree."""
    every = list(judged)
    skeletons: defaultdict[str, list[Judged]] = defaultdict(list)
    for found in every:
        skeletons[skeleton(found.published.sql)].append(found)
    return {
        "questions": len(every),
        "expressible": sum(found.query is not None for found in every),
        "agree": sum(found.agrees for found in every),
        "skeletons": len(skeletons),
        "skeletons where all agree": sum(all(one.agrees for one in group) for group in skeletons.values()),
        "by skeleton": [
            {
                "skeleton": shape,
                "questions": len(group),
                "agree": sum(found.agrees for found in group),
                "not agreeing": {found.published.id: found.problem for found in group if not found.agrees},
            }
            for shape, group in sorted(skeletons.items(), key=lambda item: -len(item[1]))
        ],
    }


def pairs(judged: Iterable[Judged]) -> Iterator[str]:
    """Question and typed query as JSON lines, of those whose answers agree."""
    for found in judged:
        if found.query is not None and found.agrees:
            query = json.loads(found.query.model_dump_json(exclude_defaults=True))
            query["ask"] = {"ask": found.query.ask.ask, **query.get("ask", {})}
            line = {"id": found.published.id, "question": found.published.question, "query": query}
            yield json.dumps(line, ensure_ascii=False)


def refusals(questions: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Questions that cannot be answered, as lines beside those of :func:`pairs`."""
    for name, question in questions:
        yield json.dumps({"id": name, "question": question, "query": "not_in_schema"}, ensure_ascii=False)


def show(figures: dict[str, object], out: TextIO) -> None:
    """Print the figures for people: of the skeletons only those where some do not agree."""
    for name, value in figures.items():
        if not isinstance(value, list):
            out.write(f"{name}: {value}\n")
            continue
        for part in value:
            if part["not agreeing"]:
                out.write(f"{part['agree']}/{part['questions']} agree: {part['skeleton']}\n")
            for key, problem in part["not agreeing"].items():
                out.write(f"    {key}: {problem}\n")


def main() -> None:
    """Run over one part and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of EHRSQL-2024")
    parser.add_argument("--split", choices=("train", "valid"), default="valid")
    parser.add_argument("--limit", type=int, help="so many questions, spread over the part")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument(
        "--out", type=Path, help="write questions with their typed queries, outside the repository"
    )
    given = parser.parse_args()
    if given.out is not None and given.out.resolve().is_relative_to(ROOT):
        parser.error(f"{given.out} lies in the repository, where the data set's questions must not go")
    started = time.monotonic()
    questions = list(answerable(given.data, given.split))
    step = max(1, len(questions) // given.limit) if given.limit else 1
    store = RecordStore.open(given.data / "mimic_iv.sqlite")
    judged = [judge(published, store) for published in questions[::step][: given.limit]]
    if given.out is not None:
        refused = list(unanswerable(given.data, given.split))
        step = max(1, len(refused) // given.limit) if given.limit else 1
        lines = (*pairs(judged), *refusals(refused[::step][: given.limit]))
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    figures = {"split": given.split, **report(judged), "seconds": round(time.monotonic() - started, 1)}
    if given.json:
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    else:
        show(figures, sys.stdout)


if __name__ == "__main__":
    main()
