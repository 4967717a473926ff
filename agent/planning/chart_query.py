"""The query of a chart, composed of what is counted, by what, in which buckets of time: "admissions by month and sex".

Charts are asked for in more combinations than ready-made queries can list, and with few words. A question
is read here only where those words (``chart_asks.yaml``) and the linked values explain all of it; what does
not is for the planner, so that no restriction is dropped. The parts may stand in any order.
"""

from dataclasses import dataclass

from agent.answer import Language
from agent.charts.mark import Mark
from agent.planning.chart_events import by_end, events_of
from agent.planning.chart_figures import ask_of
from agent.planning.chart_said import Said, read_said
from agent.planning.link import Linked
from agent.query.model import ClinicalQuery, Encounter, Events, Readmission, Related, Top

_OF_RECORD = frozenset(
    "route frequency drug_status specimen organism antibiotic interpretation test event_type note_type type vaccine "
    "substance reaction category event_kind weekday hour_of_day month_of_year".split()
)
_OF_MANY = frozenset({"patient", "admission", "discharge", "readmission", "icu_stay", "icu_patient", "death"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A chart's query, and what was assumed of the values in it."""

    query: ClinicalQuery
    assumptions: tuple[str, ...]


def chart_query(
    rest: str, language: Language, linked: Linked, subject_id: int | None, mark: Mark | None
) -> Asked | None:
    """The query of a chart, or ``None`` where the question holds more than is understood here.

    Args:
        rest: the question with its chart words blanked, so that places in it hold.
        language: of the question.
        linked: what it names, without the chart words.
        subject_id: the patient that is named or open.
        mark: the mark that was asked for.
    """
    said = read_said(rest, language, linked)
    if said is None or _is_too_much(said):
        return None
    if "whose" in said.words and subject_id is None:
        return None  # "her" without a patient is a question back
    of_one = subject_id is not None and "many" not in said.words and not _is_cohort(said, linked)
    events = events_of(said, language)
    if events is None:
        return None
    found = ask_of(said, events, mark, language, of_one=of_one)
    if found is None:
        return None
    ask, events = found
    if said.numbers and not _takes_number(said, ask):
        return None  # a number that nothing takes up narrows the question in a way not understood
    windows = [time.window for time in said.times if time.window is not None]
    stays = [time.encounter for time in said.times if time.encounter is not None]
    if len(windows) > 1 or len(stays) > 1 or (stays and not of_one):
        return None
    window = next(iter(windows), None)
    if window is not None and by_end(said):
        window = window.model_copy(update={"on": "end"})
    of_stay = of_one and said.measured and "admission" in said.things and "ever" not in said.words
    if of_stay:
        if window is None or stays or said.groups:
            return None  # which of the stays is not said
        that = Events(domain="admission", window=window)  # "her November 2025 admission" is all of that stay
        related = (*events.related, Related(events=that, relation="same_admission"))
        events, window = events.model_copy(update={"related": related}), None
    in_unit = of_one and any(
        r.events.domain in ("transfer", "icu_stay") and r.events.concepts for r in events.related
    )
    in_icu = of_one and said.measured and said.things == ["icu_stay"]
    if (in_unit or in_icu) and said.measured and not stays:  # "while he was in the CCU"
        stays = [Encounter(kind="icu_stay")]
    events = events.model_copy(update={"window": window, "encounter": next(iter(stays), None)})
    patient = subject_id if of_one else None
    return Asked(ClinicalQuery(ask=ask, of=events, patient=patient), tuple(dict.fromkeys(said.assumptions)))


def _is_too_much(said: Said) -> bool:
    return (
        len(said.buckets) > 1
        or len(said.figures) > 1
        or len(said.rates) > 1
        or len(said.numbers) > 1
        or len(said.groups) + len(said.buckets) > 2
    )


def _takes_number(said: Said, ask: object) -> bool:
    """Whether the number of a question is in what is asked: the places of a list, the days of a readmission."""
    if isinstance(ask, Top | Readmission):
        return True
    return "readmission" in said.things or "readmission_rate" in said.rates


def _is_cohort(said: Said, linked: Linked) -> bool:
    """Whether only many patients can be meant: nothing points to one, and it is counted or grouped by who they are."""
    if linked.patients or "whose" in said.words:
        return False
    stays = {"admission", "icu_stay"}
    if (
        said.measured
        and {*said.things} <= stays
        and not {"counted", "share"} & said.words
        and not said.filters
    ):
        return bool(said.groups)  # her values of a stay, and not those of all stays
    by_person = {*said.groups, *said.spans, *said.filters, *said.rates} - _OF_RECORD
    return bool(by_person or _OF_MANY & {*said.things})
