"""The second turn of a conversation over the small hospital: its plan, its query and the rows that it gives."""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from agent.language import language_of
from agent.planning.followup import continued
from agent.planning.linker import Linker
from agent.planning.plan import Action, Plan, QueryRecords, Turn
from agent.query.compile import compile
from agent.query.model import ClinicalQuery
from agent.scope import Scope
from knowledge.store.store import RecordStore
from tests.hospital import NOW, small_hospital

FIRST = "the question before"


def creatinine(**more: object) -> ClinicalQuery:
    """The creatinine values of patient 1 in the open admission; ``more`` are parts of the events."""
    return query(
        {"ask": "rows", "fields": ["time", "value", "unit"], "distinct": False},
        domain="lab",
        concepts=[{"values": ["Creatinine"]}],
        **{"encounter": {"which": "this"}, **more},
    )


def query(ask: Mapping[str, object], patient: int | None = 1, **of: object) -> ClinicalQuery:
    """A typed query."""
    return ClinicalQuery.model_validate({"ask": ask, "of": of, "patient": patient})


def follow(
    linker: Linker, last: ClinicalQuery | Action, question: str, patient: int | None = 1
) -> Plan | None:
    """The plan of a question after one that was planned as ``last``."""
    action = QueryRecords(last) if isinstance(last, ClinicalQuery) else last
    history = (Turn(FIRST, Plan((action,), 0.95)),)
    language = language_of(question)
    scope = Scope(now=NOW, patient=patient, permitted=None)
    return continued(question, language, linker.link(question, language, scope), patient, history)


def followed(linker: Linker, last: ClinicalQuery, question: str, patient: int | None = 1) -> ClinicalQuery:
    """The query of a follow-up."""
    plan = follow(linker, last, question, patient)
    assert plan is not None, "it was taken for no follow-up"
    (action,) = plan.actions
    assert isinstance(action, QueryRecords), action
    return action.query


def hospital(folder: Path) -> RecordStore:
    """The small hospital, to ask."""
    return small_hospital(folder / "asked.sqlite")


def rows(store: RecordStore, asked: ClinicalQuery) -> list[tuple[object, ...]]:
    """What a query gives."""
    with closing(store.connect()) as connection:
        return [tuple(row) for row in connection.execute(compile(asked, store.tables, NOW).sql)]
