"""Values in a span of time that are asked for in the plural: "show me his systolic pressures today" are all of them.

A planner that reads "his pressures today" as the latest of them leaves the others out without a word.
"""

import re

from agent.planning.times import half_width
from agent.query.model import ClinicalQuery, Pick, Rows

_LAST = Pick(which="last")
_MEASURED = frozenset({"lab", "vital"})
_PLURAL = re.compile(
    r"\b(?:all|every|each|values|results|readings|levels|measurements|pressures|rates|saturations|sats|scores|"
    r"temperatures|temps|glucoses|sugars|numbers|figures|counts|gases)\b|有哪些|都|所有|全部|列出|各次|每次"
)
_ONE = re.compile(
    r"\b(?:last|latest|newest|recent|current|now|first|earliest|final)\b|最近|最新|最后|末次|目前|现在|首次|第一"
)


def every_one(question: str, query: ClinicalQuery) -> ClinicalQuery:
    """The query without its pick of the latest, where a plural in a span of time asks for all values."""
    of = query.of
    plain = isinstance(query.ask, Rows) and of.pick == _LAST and of.domain in _MEASURED
    if not plain or of.window is None or query.patient is None:
        return query
    words = half_width(question)
    for said in (
        of.window.said,
        *(concept.said for concept in of.concepts if _PLURAL.search(half_width(concept.said)) is None),
    ):
        words = words.replace(half_width(said), " ") if said else words
    if _PLURAL.search(words) is None or _ONE.search(words) is not None:
        return query
    assert isinstance(query.ask, Rows)
    ask = query.ask.model_copy(update={"distinct": False})
    return query.model_copy(update={"ask": ask, "of": of.model_copy(update={"pick": None})})
