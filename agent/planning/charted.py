"""Plans for questions that ask for a chart: the words for it apart, the rest planned as any question is."""

from dataclasses import replace

from agent.answer import Language
from agent.charts.mark import AskedChart
from agent.planning.chart_words import ChartWords
from agent.planning.link import Linked
from agent.planning.phrases import phrase
from agent.planning.plan import Plan, QueryRecords, Refuse, SearchNotes, Turn

_WORDLESS = frozenset(" \t\n.,;:!?。，；：！？、")


def without_words(linked: Linked, words: ChartWords) -> Linked:
    """The links of a question but those of the words that ask for the chart ("plot", "box")."""

    def apart(start: int, end: int) -> bool:
        return all(end <= first or start >= last for first, last in words.spans)

    return replace(
        linked,
        values=tuple(link for link in linked.values if apart(link.start, link.end)),
        times=tuple(time for time in linked.times if apart(time.start, time.end)),
        numbers=tuple(number for number in linked.numbers if apart(number[0], number[1])),
    )


def charted(plan: Plan, words: ChartWords, language: Language) -> Plan:
    """The plan with its queries drawn; notes, which no chart can be drawn of, are left out."""
    asked: AskedChart = words.mark or "auto"
    queries = tuple(
        replace(action, chart=asked) for action in plan.actions if isinstance(action, QueryRecords)
    )
    if queries:
        return replace(plan, actions=queries)
    if any(isinstance(action, SearchNotes) for action in plan.actions):
        return replace(plan, actions=(Refuse("low_confidence", phrase(language, "low_confidence")),))
    return plan


def redrawn(question: str, words: ChartWords, language: Language, history: tuple[Turn, ...]) -> Plan | None:
    """The last plan with another chart, where a question is nothing but the words for it ("as a pie chart")."""
    if set(words.blanked(question)) - _WORDLESS:
        return None
    last = next((turn.plan for turn in reversed(history) if turn.plan is not None), None)
    if last is None or not any(isinstance(action, QueryRecords) for action in last.actions):
        return None
    return charted(last, words, language)
