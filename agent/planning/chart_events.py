"""Which events the figures of a chart are of: of what, of whom, since when, and with which others."""

from collections.abc import Sequence
from typing import cast

from agent.answer import Language
from agent.planning.chart_parts import asks
from agent.planning.chart_said import Said, Value
from agent.planning.choose import choose_in
from agent.query.domains import bindings, shared_fields
from agent.query.model import Concept, Condition, Domain, Events, Related

TYPED: frozenset[Domain] = frozenset({"admission", "transfer", "cost", "note"})  # their field ``type``
_STAYS: frozenset[str] = frozenset({"admission", "discharge", "readmission", "icu_stay", "icu_patient"})
_WIDE: frozenset[Domain] = frozenset({"patient", "admission"})
"""What has groups of every kind through what happened to it: patients by ward, admissions by unit."""
_STATED: frozenset[Domain] = frozenset({"drug", "admission", "icu_stay", "transfer", "diagnosis", "allergy"})
_SPANNED: tuple[Domain, ...] = ("drug", "transfer", "icu_stay", "admission", "patient")
"""What has an age or a length, the narrowest first."""
_ANYWHERE = frozenset({"timed", "typed"})
_BILLED: frozenset[Domain] = frozenset({"lab", "drug", "diagnosis", "procedure"})


def events_of(said: Said, language: Language) -> Events | None:
    """The events that a question is about, restricted to what it names; ``None`` where that is not clear."""
    domain = _domain(said)
    if domain is None:
        return None
    own = [value for value in said.values if value.domain == domain and not value.negated]
    concepts = _concepts(own)
    limited = _limited(said, domain)
    if concepts is None or limited is None:
        return None
    events = Events(domain=domain, concepts=concepts, where=(*said.conditions(), *limited))
    related = [_related(said, domain, value) for value in said.values if value not in own]
    within = _within(said, events, language)
    if within is None or (said.states and domain not in _STATED) or len(said.states) > 1:
        return None
    kept, where, more = within
    if "positive" in said.filters and domain != "microbiology":
        return None
    status = said.states[0] if said.states else None
    return Events(
        domain=domain,
        concepts=(*concepts, *kept),
        where=(*events.where, *where),
        related=(*related, *more),
        status=status,  # type: ignore[arg-type]
    )


def counted_thing(said: Said, language: Language) -> str | None:
    """The thing that is counted of several: the first in English, the last in Chinese, where the head is last.

    Charges of things are charges.
    """
    if "cost" in said.things:
        return "cost"
    if "by_patients" in said.words and "patient" in said.things:
        return "patient"
    return (said.things[-1] if language == "zh" else said.things[0]) if said.things else None


def by_end(said: Said) -> bool:
    """Whether events are placed in time by their end: discharges, deaths."""
    return any(asks()["things"][thing].get("by_end") for thing in said.things) and not (
        {"admission", "readmission"} & {*said.things}
    )


def fits(said: Said, domain: Domain) -> bool:
    """Whether events of a domain have all groups: their own, or those of their patient or admission."""
    here = {"patient", "admission", domain}
    here |= {"typed"} if domain in TYPED else set()
    here |= {"timed"} if domain != "patient" else set()
    here |= {"icu_stay"} if domain == "transfer" else set()
    needed = {_group_domain(name) for name in said.groups}
    if domain == "patient" and needed - {"patient"}:
        return False
    return needed <= here


def _group_domain(group: str) -> str:
    return asks()["groups"][group]["domain"]


def _domain(said: Said) -> Domain | None:
    first = _first_domain(said)
    if first is None:
        return None
    if "ward" in said.groups and first == "icu_stay":  # of an ICU stay, the ward is the unit
        said.groups[said.groups.index("ward")] = "careunit"
    lacking = [
        d for d in map(_group_domain, said.groups) if d not in {"patient", "admission", first, *_ANYWHERE}
    ]
    if lacking and first in _WIDE and len({*lacking}) == 1:
        first = cast(Domain, lacking[0])
    dated = bool(said.buckets) or any(time.window is not None for time in said.times)
    dated = dated or any(_group_domain(name) not in ("patient", *_ANYWHERE) for name in said.groups)
    dated = dated or any(_group_domain(name) == "timed" for name in said.groups)
    if first == "patient" and dated and "death" not in said.things:
        first = "admission"  # a patient has no time but the birth; it is the stays that lie in one
    return first if fits(said, first) else None


def _first_domain(said: Said) -> Domain | None:
    measured: set[Domain] = {value.domain for value in said.measured}
    if measured:
        others = {asks()["things"][thing]["domain"] for thing in said.things} - {*measured, "patient", "lab"}
        if len(measured) > 1 or others - {"admission", "icu_stay"} or said.spans or said.rates:
            return None
        return measured.pop()
    if len(said.rates) == 1 and not said.spans:
        return cast(Domain, asks()["rates"][said.rates[0]]["domain"])
    things = _events_among(said)
    stays = {"admission", "icu_stay", "discharge", "patient"}
    if (
        said.figures
        and not said.spans
        and said.things
        and {*said.things} <= stays
        and said.things != ["patient"]
    ):
        # a mean stay is its length
        said.spans.append("icu_duration" if "icu_stay" in said.things else "duration")
    if said.spans:
        found = {asks()["spans"][name]["domain"] for name in said.spans} | {
            asks()["things"][thing]["domain"] for thing in things
        }
        return next((d for d in _SPANNED if d in found), None) if found <= {*_SPANNED} else None
    domains: set[Domain] = {asks()["things"][thing]["domain"] for thing in things}
    if len(domains) > 1:
        return None
    if domains:
        return domains.pop()
    groups = [d for d in map(_group_domain, said.groups) if d not in ("patient", *_ANYWHERE)]
    wider = [d for d in groups if d != "admission"]
    own: list[Domain] = [value.domain for value in said.values if not value.negated]
    if own and len({*own}) == 1 and (not wider or wider[0] == own[0]):
        return own[0]
    if wider or groups:
        return cast(Domain, (wider or groups)[0])
    if said.categories and not (said.things or said.values):
        return said.categories[0][0].candidates[0].domain
    if said.things or said.filters or said.groups or said.values:
        return "patient"
    return None


def _events_among(said: Said) -> list[str]:
    """The things but patients, those left out that only say more about another."""
    things = [thing for thing in dict.fromkeys(said.things) if thing != "patient"]
    for wide, narrow in (
        ("admission", "readmission"), ("admission", "discharge"), ("microbiology", "positive_culture"),
        ("admission", "icu_stay"), ("admission", "icu_patient"), ("lab", "microbiology"), ("admission", "transfer"),
        ("microbiology", "isolate"), ("isolate", "positive_culture"),
    ):  # fmt: skip
        if wide in things and narrow in things:
            things.remove(wide)
    if "cost" in things and "top" in said.words and len(things) == 2:
        return [thing for thing in things if thing != "cost"]  # the dearest of them
    if "cost" in things:
        billed = [t for t in things if asks()["things"][t]["domain"] in _BILLED]
        if len(billed) <= 1 and len(things) - len(billed) == 1:
            return ["cost"]
    return things


def _concepts(values: Sequence[Value]) -> tuple[Concept, ...] | None:
    """The values by field, those of one field together; ``None`` where several of one could be both or either."""
    found: dict[str, list[Concept]] = {}
    for value in values:
        found.setdefault(value.concept.field, []).append(value.concept)
    return tuple(
        Concept(
            field=name,
            values=tuple(dict.fromkeys(value for concept in concepts for value in concept.values)),
            said=", ".join(concept.said for concept in concepts),
        )
        for name, concepts in found.items()
    )


def _related(said: Said, domain: Domain, value: Value) -> Related:
    """Events of patients who have another event, too; of a stay, in the same one."""
    of_stay = bool(_STAYS & {*said.things} or "duration" in said.spans) and "patient" not in said.things
    relation = "same_admission" if of_stay and domain != "patient" else "ever"
    return Related(
        events=Events(domain=value.domain, concepts=(value.concept,)),
        relation=relation,
        negated=value.negated,
    )


def _limited(said: Said, domain: Domain) -> list[Condition] | None:
    """The limits and ranges as conditions; ``None`` where it is not clear what they are of."""
    found: list[Condition] = []
    measured = bool(said.measured)
    for limit in said.limits:
        about = limit.about
        if about == "bare":
            about = (
                "value"
                if measured
                else "age"
                if {"patient", "admission"} & {*said.things} or said.filters
                else "bare"
            )
        if (about == "value" and not measured) or about == "bare":
            return None
        stay = "duration" if domain in ("admission", "icu_stay", "transfer") else "stay"
        found.append(limit.condition({"value": "value", "age": "age", "stay": stay}[about]))
    for name in said.ranges:
        if not measured and said.things[:1] != ["lab"]:
            return None
        found.append(Condition(field="value", value=name))
    if "cost" in said.things and domain == "cost":
        billed = [asks()["things"][t]["domain"] for t in said.things]
        found += [Condition(field="type", value=bindings()[each].table) for each in billed if each in _BILLED]
    return found


def _within(
    said: Said, events: Events, language: Language
) -> tuple[list[Concept], list[Condition], list[Related]] | None:
    """The categories that the events are restricted to ("emergency", "Chinese vs English"); ``None`` where one is none.

    Two of one field are a comparison: the events are of either. One of other events is one that the patient has.
    """
    found: dict[str, Concept] = {}
    where: list[Condition] = []
    related: list[Related] = []
    at = bindings()[events.domain]
    for link, negated in said.categories:
        here: list[tuple[Domain, str]] = [
            (c.domain, c.field)
            for c in link.candidates
            if (c.domain == events.domain and c.field in at.fields)
            or (
                (c.domain == "patient" or (c.domain == "admission" and events.domain != "patient"))
                and c.field in shared_fields()
            )
        ]
        first = link.candidates[0]
        place: tuple[Domain, str] = here[0] if here else (first.domain, first.field)
        choice = choose_in(link, *place, language)
        if choice.concept is None:
            return None
        said.assumptions += [choice.assumption] if choice.assumption else []
        concept = choice.concept
        if not here:
            related.append(_related(said, events.domain, Value("", place[0], concept, negated)))
        elif negated:
            where += [Condition(field=concept.field, op="!=", value=value) for value in concept.values]
        elif concept.field in found:
            before = found[concept.field]
            values = tuple(dict.fromkeys((*before.values, *concept.values)))
            joined = f"{before.said}, {concept.said}"
            found[concept.field] = before.model_copy(update={"values": values, "said": joined})
        else:
            found[concept.field] = concept
    return list(found.values()), where, related
