"""Puts what a follow-up names in the place of what the last query has: a value, a time, a patient, a restriction.

Each kind of change has its module; here is their order, which matters: whose record first, then which events, and
last what is asked of them.
"""

from dataclasses import replace

from agent.answer import Language
from agent.planning.followup_ask import asked_anew, is_of_many
from agent.planning.followup_lexicon import span_beside
from agent.planning.followup_number import with_number
from agent.planning.followup_restrict import restricted, with_groups
from agent.planning.followup_span import spans_beside, with_times
from agent.planning.followup_values import Edited, other_events, with_values
from agent.planning.followup_words import Edit
from agent.planning.link import Linked
from agent.planning.phrases import phrase
from agent.query.model import ClinicalQuery, Rows, Statistic

_RANGES = frozenset({"abnormal", "normal", "high", "low", "critical"})
_SPANS = frozenset({"year", "quarter", "month", "week", "day"})


def edited(
    query: ClinicalQuery, edit: Edit, linked: Linked, language: Language, subject_id: int | None, last: str
) -> Edited | None:
    """The last query with what the follow-up changes, or ``None`` where that does not fit it.

    Args:
        query: of the last question.
        edit: the words of the follow-up.
        linked: what it names.
        language: of the assumptions.
        subject_id: the patient that is named or open.
        last: the last question.
    """
    if query.of.domain == "admission" and "icu_stay" in edit.nouns and "admission" not in edit.nouns:
        edit = replace(edit, nouns=frozenset(), leans=edit.leans | {"icu"})
    whose = _of_patient(query, edit, linked, subject_id)
    if whose is None:
        return None
    if edit.nouns and whose.of.domain not in edit.nouns and not linked.values:
        whose = other_events(whose, edit)
        if whose is None:
            return None
    if _asks_of_picked(whose, edit):
        return Edited(whose, (phrase(language, "range_beside"),))
    valued = with_values(whose, edit, linked, language, last)
    if valued is None:
        return None
    query, said = valued.query, valued.assumptions
    edit = _before_what(query, edit, linked)
    if edit.pick in ("first", "last") and _is_of_stays(query, edit):
        which = (
            query.of.encounter.model_copy(update={"which": edit.pick, "n": 1}) if query.of.encounter else None
        )
        query = query.model_copy(update={"of": query.of.model_copy(update={"encounter": which})})
        edit = replace(edit, pick=None)
    of = spans_beside(query.of, edit) if edit.before else with_times(query.of, edit, linked)
    if of is None:
        return None
    grouped = with_groups(query.model_copy(update={"of": of}), edit, linked, language)
    if grouped is None:
        return None
    said += grouped.assumptions
    of = restricted(grouped.query, edit)
    if of is None:
        return None
    ask = grouped.query.ask
    if isinstance(ask, Rows) and ask.limit is not None and (edit.compares or edit.filters):
        ask = ask.model_copy(update={"limit": None})  # of all that fit, and not of the few shown before
    query = grouped.query.model_copy(update={"ask": ask, "of": of})
    if edit.number is not None:
        numbered = with_number(query, edit.number)
        if numbered is None:
            return None
        query = numbered
    asked = asked_anew(query, edit)
    return None if asked is None else Edited(asked, tuple(dict.fromkeys(said)))


def _asks_of_picked(query: ClinicalQuery, edit: Edit) -> bool:
    """Whether "is that normal?" is asked of the one value that was shown, whose range stands beside it."""
    plain = edit.filters and _RANGES.issuperset(edit.filters) and not (edit.asks or edit.compares)
    return bool(
        plain
        and "yes_no" in edit.leans
        and query.of.pick is not None
        and isinstance(query.ask, Rows)
        and not is_of_many(query)
    )


def _before_what(query: ClinicalQuery, edit: Edit, linked: Linked) -> Edit:
    """What "the one before" is: a value, or the stay before where no value was picked by its time.

    "前一年" is also a time of its own, counted back from now; beside another one it is the year before that.
    """
    if query.of.window is not None and len(linked.times) == 1:
        beside = span_beside(linked.times[0].text)
        if beside in _SPANS:
            return replace(edit, before=beside)
    by_time = query.of.pick is not None and query.of.pick.which not in ("min", "max")
    if edit.pick != "before" or by_time or query.of.encounter is None:
        return edit
    return replace(edit, pick=None, before="stay")


def _is_of_stays(query: ClinicalQuery, edit: Edit) -> bool:
    """Whether "the first one" is a stay: the last question was of one, and of a figure, so of no value in time."""
    by_value = query.of.pick is not None and query.of.pick.which in ("min", "max")
    figure = by_value or isinstance(query.ask, Statistic)
    stay = query.of.encounter
    return figure and stay is not None and stay.id is None and "anaphor" in edit.leans and edit.form is None


def _of_patient(
    query: ClinicalQuery, edit: Edit, linked: Linked, subject_id: int | None
) -> ClinicalQuery | None:
    """Of whom it is: never of more patients than the last query."""
    named = any(patient.how != "scope" for patient in linked.patients)
    if query.patient is None and not named and not edit.pronoun:
        return query
    if not named and ("patients" in edit.leans or edit.form == "people"):
        return None
    return query.model_copy(update={"patient": subject_id if subject_id is not None else query.patient})
