"""The tiny configuration, from questions to a GGUF file that plans better than refusing everything.

Minutes, not seconds: ``-m "not training"`` leaves it out.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from agent.answer import Language
from agent.bundled.planner import BundledPlanner, identity
from agent.bundled.pointers import Pointers
from agent.bundled.training.__main__ import main
from agent.paths import index_folder
from agent.planning.linker import Linker
from agent.planning.plan import QueryRecords
from agent.planning.subject import subject_of
from agent.query.execute import run
from agent.query.model import ClinicalQuery
from agent.scope import Scope
from benchmarks.ehrsql.published import NOW as PUBLISHED_NOW
from benchmarks.ehrsql.published import answerable, canonical, unanswerable
from benchmarks.ehrsql.reader import read
from indexes.values import ValueIndex
from knowledge.errors import ChartroomError
from knowledge.store.store import RecordStore
from knowledge.terminology.terminology import Terminology
from tests.agent.bundled.asked import asked
from tests.hospital import NOW, small_hospital

pytestmark = pytest.mark.training
Line = Mapping[str, object]
Rows = Sequence[Sequence[object]] | None


def trained(lines: Iterable[Line], store: RecordStore, now: str, epochs: int, folder: Path) -> Path:
    """A tiny planner that has seen the lines."""
    questions = folder / "questions.jsonl"
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    questions.write_text(text, encoding="utf-8")
    out = folder / "out"
    command = ["--questions", f"{questions}={store.path}", "--now", now, "--out", str(out)]
    assert main([*command, "--tiny", "--epochs", str(epochs)]) == 0
    return out / "planner.gguf"


def reliability(
    planner: BundledPlanner, store: RecordStore, now: str, gold: Sequence[tuple[Line, Rows]]
) -> float:
    """RS(0): the share, in percent, answered rightly or refused rightly. No plan is held back as unsure."""
    right, scope = 0, Scope(now=now)
    with closing(ValueIndex.open(store, index_folder(store.path))) as values:
        linker = Linker(store, values, Terminology.load())
        for line, wanted in gold:
            question, language = str(line["question"]), _language(line)
            linked = linker.link(question, language, scope)
            subject = subject_of(linked, language, scope)
            action = subject.stop
            if action is None:
                action = planner.read(question, Pointers(linked, language, subject.subject_id), scope).action
            if not isinstance(action, QueryRecords):
                right += wanted is None
            elif wanted is not None:
                right += _rows(action.query, store, scope) == canonical(wanted)
    return 100 * right / len(gold)


def _language(line: Line) -> Language:
    return "zh" if line.get("language") == "zh" else "en"


def _rows(query: ClinicalQuery, store: RecordStore, scope: Scope) -> list[list[str]] | None:
    try:
        return canonical(run(query, store, scope).rows)
    except ChartroomError:
        return None


def test_a_tiny_planner_beats_refusing_everything_on_a_small_hospital(tmp_path: Path) -> None:
    store = small_hospital(tmp_path / "hospital.sqlite")
    lines = list(asked())
    path = trained((line for held, line in lines if not held), store, NOW, 12, tmp_path)
    assert identity(path).name == "chartroom-planner"
    gold: list[tuple[Line, Rows]] = []
    for held, line in lines:
        if held:
            query = line["query"]
            rows = (
                None
                if isinstance(query, str)
                else run(ClinicalQuery.model_validate(query), store, Scope(now=NOW)).rows
            )
            gold.append((line, rows))
    abstaining = 100 * sum(rows is None for _, rows in gold) / len(gold)
    with closing(BundledPlanner(store.tables, path)) as planner:
        assert reliability(planner, store, NOW, gold) > abstaining + 25


@pytest.mark.shared_data
def test_a_tiny_planner_beats_refusing_everything_on_published_questions(
    shared_data: Path, tmp_path: Path
) -> None:
    folder = shared_data / "ehrsql-2024"
    store = RecordStore.open(folder / "mimic_iv.sqlite")
    lines: list[Line] = []
    for one in [*answerable(folder, "train")][::5]:
        query = read(one.sql, PUBLISHED_NOW).model_dump(mode="json", exclude_unset=False)
        lines.append({"id": one.id, "question": one.question, "query": query})
    for key, question in [*unanswerable(folder, "train")][::5]:
        lines.append({"id": key, "question": question, "query": "not_in_schema"})
    path = trained(lines, store, PUBLISHED_NOW, 5, tmp_path)
    gold: list[tuple[Line, Rows]] = [
        ({"question": one.question}, one.rows) for one in [*answerable(folder, "valid")][::8]
    ]
    gold += [({"question": question}, None) for _, question in [*unanswerable(folder, "valid")][::8]]
    assert 100 * sum(rows is None for _, rows in gold) / len(gold) == pytest.approx(19.97, abs=0.2)
    with closing(BundledPlanner(store.tables, path)) as planner:
        assert reliability(planner, store, PUBLISHED_NOW, gold) > 19.97
