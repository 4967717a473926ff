"""Plans questions that ask for a chart, before any other planner: the words for it apart, the rest as usual.

What counted things, groups and times explain in full is composed here (``chart_query.py``); everything else
goes to the planner behind, which sees the question without its chart words, and its query is drawn.
"""

from collections.abc import Callable
from dataclasses import replace

from agent.answer import Language
from agent.charts.mark import AskedChart
from agent.planning.chart_honoured import dropped
from agent.planning.chart_query import chart_query
from agent.planning.chart_words import ChartWords, asked_without_refusal, find_chart
from agent.planning.followup import continued
from agent.planning.followup_lexicon import leans_only
from agent.planning.link import Linked
from agent.planning.not_held import not_held
from agent.planning.phrases import phrase
from agent.planning.plan import Plan, Planner, QueryRecords, Refuse, SearchNotes, Turn
from agent.planning.subject import subject_of
from agent.query.model import ClinicalQuery, Group, Rows, Top, Trend
from agent.scope import Scope

_COMPOSED = 0.85  # about what charts were right on questions that nobody had read (docs/charts.md)
_SURE = 0.99


class ChartPlanner:
    """A planner that knows charts, before one that need not.

    Args:
        behind: plans what asks for no chart, and what a chart is of where it is not composed here.
        reads_words: whether the planner behind knows the words for charts, and so is given them.
    """

    def __init__(self, behind: Planner, *, reads_words: bool = False) -> None:
        self.behind = behind
        self._reads_words = reads_words

    def plan(
        self,
        question: str,
        language: Language,
        linked: Linked,
        scope: Scope,
        history: tuple[Turn, ...] = (),
        stop: Callable[[], bool] | None = None,
    ) -> Plan:
        """The plan of a question; see :class:`~agent.planning.plan.Planner`."""
        words = find_chart(question, language)
        if words is None:
            asked = asked_without_refusal(question, language)
            plan = self.behind.plan(asked, language, linked, scope, history, stop)
            if asked != question:
                return plan
            return offered(composed_instead(plan, question, language, linked, scope, history))
        again = redrawn(question, words, history)
        if again is not None:
            return again
        rest, named = words.blanked(question), without_words(linked, words)
        composed = compose_plan(rest, words, language, named, scope, history)
        if composed is not None:
            return composed
        asked = question if self._reads_words else rest
        plan = self.behind.plan(asked, language, named, scope, history, stop)
        return charted(plan, rest, words, language, named)


def compose_plan(
    rest: str, words: ChartWords, language: Language, linked: Linked, scope: Scope, history: tuple[Turn, ...]
) -> Plan | None:
    """The plan of a chart that its words explain in full, or ``None``.

    Args:
        rest: the question with its chart words blanked.
        words: the chart words.
        language: of the question.
        linked: what it names, without the chart words.
        scope: who asks about whom, and when.
        history: earlier turns; what continues one of them is for the planner.
    """
    subject = subject_of(linked, language, scope)
    if subject.stop is not None:
        return Plan((subject.stop,), _SURE)
    if continued(rest, language, linked, subject.subject_id, history) is not None:
        return None
    asked = chart_query(rest, language, linked, subject.subject_id, words.mark)
    if asked is None:
        return None
    lacking = not_held(asked.query, linked, language)
    if lacking is not None:
        return Plan((lacking,), _SURE)
    said = [time.assumption for time in linked.times if time.assumption]
    said += asked.assumptions
    if asked.query.patient is None and scope.patient is not None:
        said.append(phrase(language, "all_patients"))
    if asked.query.patient not in (None, scope.patient) and scope.patient is not None:
        said.append(phrase(language, "other_patient", said=str(asked.query.patient)))
    action = QueryRecords(asked.query, chart=words.mark or "auto")
    return Plan((action,), _COMPOSED, tuple(dict.fromkeys(said)))


def without_words(linked: Linked, words: ChartWords) -> Linked:
    """The links of a question but those of the words that ask for the chart ("plot", "box").

    A time stays where it reaches beyond them: "curve for January" asks for a curve, and for January.
    """

    def apart(start: int, end: int) -> bool:
        return all(end <= first or start >= last for first, last in words.spans)

    def within(start: int, end: int) -> bool:
        return any(first <= start and end <= last for first, last in words.spans)

    return replace(
        linked,
        values=tuple(link for link in linked.values if apart(link.start, link.end)),
        times=tuple(time for time in linked.times if not within(time.start, time.end)),
        numbers=tuple(number for number in linked.numbers if apart(number[0], number[1])),
    )


def charted(plan: Plan, rest: str, words: ChartWords, language: Language, linked: Linked) -> Plan:
    """Another planner's plan with its queries drawn; notes, which no chart can be drawn of, are left out.

    A query that does not honour a group, a time, a number or a restriction of the question would draw something
    else: it is refused.
    """
    asked: AskedChart = words.mark or "auto"
    queries = tuple(action for action in plan.actions if isinstance(action, QueryRecords))
    if not queries and not any(isinstance(action, SearchNotes) for action in plan.actions):
        return plan
    for action in queries:
        said = dropped(rest, language, linked, action.query, words.mark)
        if said is not None:
            return Plan((Refuse("low_confidence", phrase(language, "not_restricted", said=said)),), _SURE)
    drawn = tuple(replace(action, chart=asked) for action in queries)
    return replace(plan, actions=drawn or (Refuse("low_confidence", phrase(language, "low_confidence")),))


def composed_instead(
    plan: Plan, question: str, language: Language, linked: Linked, scope: Scope, history: tuple[Turn, ...]
) -> Plan:
    """What the words for charts explain in full, in the place of a refusal for want of confidence.

    Also in the place of another figure in the same buckets: there every word counts ("spent on lab tests").
    """
    only = plan.actions[0] if len(plan.actions) == 1 else None
    unsure = isinstance(only, Refuse) and only.reason == "low_confidence"
    planned = only.query.ask if isinstance(only, QueryRecords) else None
    bucket = planned.bucket if isinstance(planned, Group) and planned.show_group else None
    if not unsure and bucket is None:
        return plan
    composed = compose_plan(question, ChartWords((), None), language, linked, scope, history)
    action = composed.actions[0] if composed is not None else None
    if composed is None or not isinstance(action, QueryRecords) or not isinstance(action.query.ask, Group):
        return plan
    if not unsure and (action.query.ask.bucket != bucket or _same_figure(only, action)):
        return plan  # the planner's own says, too, whether the buckets are asked for or the figures alone
    return replace(composed, actions=(replace(action, chart=None),))


def _same_figure(one: object, other: QueryRecords) -> bool:
    """Whether two queries compute the same figure in each group."""
    asks = [one.query.ask if isinstance(one, QueryRecords) else None, other.query.ask]
    figures = [(ask.figure, ask.field) for ask in asks if isinstance(ask, Group)]
    return len(figures) == 2 and figures[0] == figures[1]


def offered(plan: Plan) -> Plan:
    """A plan whose one result is a course or figures by group, with a chart beside; the result stays as it is."""
    only = plan.actions[0] if len(plan.actions) == 1 else None
    if not isinstance(only, QueryRecords) or only.chart is not None:
        return plan
    if not _shows(only.query):
        return plan
    return replace(plan, actions=(replace(only, chart="offered"),))


def _shows(query: ClinicalQuery) -> bool:
    """Whether a result is one that a chart shows better than words, without another question being asked for it."""
    ask, of = query.ask, query.of
    if isinstance(ask, Rows):
        listed = {"time", "value"} <= {*ask.fields} and of.pick is None and ask.limit is None
        single = [len(concept.values) for concept in of.concepts] == [1]
        return listed and single and query.patient is not None and of.domain in ("lab", "vital")
    if isinstance(ask, Group):
        return ask.show_group
    if isinstance(ask, Top):
        return ask.show_count
    return isinstance(ask, Trend) or getattr(ask, "bucket", None) is not None


def redrawn(question: str, words: ChartWords, history: tuple[Turn, ...]) -> Plan | None:
    """The last plan with another chart, where a question asks for nothing but that ("plot it as a pie chart")."""
    if not leans_only(words.blanked(question)):
        return None
    last = next((turn.plan for turn in reversed(history) if turn.plan is not None), None)
    queries = tuple(action for action in last.actions if isinstance(action, QueryRecords)) if last else ()
    if last is None or not queries:
        return None
    return replace(last, actions=tuple(replace(query, chart=words.mark or "auto") for query in queries))
