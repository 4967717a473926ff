"""Sentences from a result, without a model: what is said, which evidence it rests on, how it was computed.

A sentence carries no citation marks; the composer numbers the evidence. A number in a sentence is a cell of
its evidence or the result of one of its operations, so that a verifier can compute it again. Numbers that
belong to the question (a rank, a span of days) come as the operation ``asked``.
"""

from collections.abc import Callable, Mapping

from agent.answer import Language
from agent.query.execute import Outcome
from agent.query.model import (
    Balance,
    Change,
    Count,
    Elapsed,
    Exists,
    Group,
    Percentile,
    Readmission,
    Rows,
    Statistic,
    Survival,
    Top,
    Trend,
)
from agent.query.said_changes import ChangeSpeaker
from agent.query.said_figures import FigureSpeaker
from agent.query.said_groups import GroupSpeaker
from agent.query.said_rows import RowSpeaker
from agent.query.sentence import Sentence


def realise(outcome: Outcome, language: Language) -> tuple[Sentence, ...] | None:
    """Say a result; ``None`` where no row stands behind it (except a count, which may be none)."""
    if outcome.empty and not isinstance(outcome.query.ask, Count):
        return None
    return tuple(_SPEAKERS[type(outcome.query.ask)](outcome, language)) or None


_SPEAKERS: Mapping[type, Callable[[Outcome, Language], list[Sentence]]] = {
    Rows: lambda outcome, language: RowSpeaker(outcome, language).rows(),
    Count: lambda outcome, language: FigureSpeaker(outcome, language).count(),
    Exists: lambda outcome, language: RowSpeaker(outcome, language).exists(),
    Statistic: lambda outcome, language: FigureSpeaker(outcome, language).statistic(),
    Change: lambda outcome, language: ChangeSpeaker(outcome, language).change(),
    Trend: lambda outcome, language: ChangeSpeaker(outcome, language).trend(),
    Top: lambda outcome, language: GroupSpeaker(outcome, language).top(),
    Group: lambda outcome, language: GroupSpeaker(outcome, language).group(),
    Elapsed: lambda outcome, language: FigureSpeaker(outcome, language).elapsed(),
    Balance: lambda outcome, language: GroupSpeaker(outcome, language).balance(),
    Readmission: lambda outcome, language: GroupSpeaker(outcome, language).readmission(),
    Survival: lambda outcome, language: GroupSpeaker(outcome, language).survival(),
    Percentile: lambda outcome, language: FigureSpeaker(outcome, language).percentile(),
}
