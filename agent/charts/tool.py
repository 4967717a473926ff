"""The tool ``make_chart``: a chart of what ``query_records`` found."""

from contextlib import suppress
from dataclasses import replace

from agent.answer import Language
from agent.charts.drawable import drawable
from agent.charts.drawing import Drawing
from agent.charts.mark import AskedChart
from agent.charts.words import word
from agent.planning.plan import QueryRecords
from agent.query.execute import GROUPS_CAP, Outcome, run
from agent.scope import Scope
from knowledge.errors import QueryRejected
from knowledge.store import RecordStore

CHART_ROWS = 10_000
"""Rows of a result that a chart is made of, at most; the answer's table holds fewer."""


def for_chart(action: QueryRecords, language: Language) -> tuple[QueryRecords, tuple[str, ...]]:
    """The action with the query that a chart needs, and what is to be said about that."""
    if action.chart is None or action.chart == "offered":
        return action, ()
    query, wider = drawable(action.query, action.chart)
    said = (word(language, "note.wider", what=word(language, f"wider.{wider}")),) if wider else ()
    return replace(action, query=query), said


def make_chart(
    outcome: Outcome, asked: AskedChart, scope: Scope, store: RecordStore, language: Language
) -> Drawing:
    """A chart of a result, of more of its rows than the answer lists where there are more.

    Args:
        outcome: the result that the answer gives.
        asked: the mark that the question asks for.
        scope: of the question, under which a longer result is read again.
        store: likewise.
        language: of titles and notes.
    """
    from agent.charts.chart import draw  # only here: altair takes a moment to import

    if outcome.truncated or len(outcome.rows) > GROUPS_CAP:
        with suppress(QueryRejected):  # it took too long: what the answer lists is drawn, which is said
            outcome = run(outcome.query, store, scope, cap=CHART_ROWS, groups=CHART_ROWS)
    if asked != "offered":
        return draw(outcome, asked, language)
    drawing = draw(outcome, "auto", language)
    return drawing if drawing.chart is not None else Drawing(None, ())  # nobody asked, so nobody is told
