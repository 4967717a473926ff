"""Whether a query can be asked: it is compiled, looked over by the guard and the database, and run once.

A model that planned it gets the reason back where it cannot, and may write another. Nothing of the result
reaches the model: a plan is repaired because it does not run, never because of what the records say.
"""

from agent.query.compile import compile
from agent.query.model import ClinicalQuery
from agent.scope import Scope
from agent.sql.guard import run_guarded
from knowledge.errors import QueryRejected
from knowledge.store import RecordStore

_SECONDS = 2.0  # as long as the query itself may take


def attempt(query: ClinicalQuery, store: RecordStore, scope: Scope) -> None:
    """Try a query.

    SQLite prepares the statement before it runs it, which is what ``EXPLAIN`` would do: unknown columns and what
    the authorizer forbids come to light there. One row is fetched, so that a query that takes too long is found.

    Raises:
        QueryRejected: it does not compile, the guard refuses it, or it takes too long; the message says why, for
            the model and in no words of the records.
    """
    if query.patient is not None and not scope.may_see(query.patient):
        raise QueryRejected("The query is about a patient that this user may not see.")
    run_guarded(compile(query, store.tables, scope.now).sql, store, scope, cap=1, seconds=_SECONDS)
