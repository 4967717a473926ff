"""The tool ``query_records``: runs a typed query on the tables."""

from dataclasses import replace

from agent.answer import Language
from agent.phrases import say
from agent.planning.plan import QueryRecords
from agent.query.among import looks_among
from agent.query.execute import Outcome, run
from agent.query.model import Count, Exists, Rows, Trend
from agent.scope import Scope
from agent.state import Failed, RecordsFinding
from knowledge.errors import NotInSchema, QueryRejected
from knowledge.store import RecordStore


def query_records(
    action: QueryRecords, scope: Scope, store: RecordStore, language: Language
) -> RecordsFinding | Failed:
    """What the records say; a refusal where they may not be seen or cannot hold it.

    Where a stay was only taken for granted and holds nothing, all stays are listed, which is said.

    A count of none and "is there any?" are answered (with nothing behind them but the query); anything else
    that no row answers is ``not_documented``, which the composer says.
    """
    patient = action.query.patient
    if patient is not None and not scope.may_see(patient):
        return Failed("no_permission", say(language, "scope.no_permission", subject_id=patient))
    try:
        outcome = run(action.query, store, scope)
        if outcome.empty and action.stay_assumed and isinstance(action.query.ask, Rows | Trend):
            everywhere = action.query.of.model_copy(update={"encounter": None})
            outcome = run(action.query.model_copy(update={"of": everywhere}), store, scope)
            return RecordsFinding(action, outcome, widened=not outcome.empty)
        if outcome.empty and action.chart is None:
            outcome = _within_limits(outcome, store, scope)
        return RecordsFinding(action, outcome)
    except NotInSchema as error:
        return Failed("not_in_schema", say(language, "records.not_in_schema", what=str(error).rstrip(".")))
    except QueryRejected as error:
        return Failed("low_confidence", say(language, "records.rejected", why=error))


def _within_limits(outcome: Outcome, store: RecordStore, scope: Scope) -> Outcome:
    """Of values beyond a limit that are asked for and not there: what was measured, so that it can be said.

    The result stays that there is none of them.
    """
    query = outcome.query
    if not isinstance(query.ask, Rows) or query.of.related:
        return outcome
    asked = query.model_copy(update={"ask": Exists()})
    if not looks_among(asked):
        return outcome
    try:
        measured = run(asked, store, scope)
    except (
        QueryRejected
    ):  # there are too many to look at in time; that there is none of them holds all the same
        return outcome
    return outcome if measured.empty else replace(outcome, query=asked, evidence=measured.evidence)


def is_countable(action: QueryRecords) -> bool:
    """Whether "none" is an answer to the query, and not the lack of one."""
    return isinstance(action.query.ask, Count | Exists)
