"""The JSON Schema of the plans that fit one question: what a model can write under its grammar.

Every string is one of a list, every list has a length, every number is a position or a small count. So
whatever a model writes ends, parses, and points at something that is there.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import get_args

from agent.planning.ask_schema import SHARED, asks, percentiles
from agent.planning.askable import Askable
from agent.planning.form import Reason, Relation
from agent.planning.offer import Offer
from agent.planning.schema_parts import Schema, const, list_of, object_of, one_of, ref
from agent.query.base import RANGE_WORDS
from agent.query.model import Domain

_VALUES, _CONDITIONS, _RELATED = 3, 2, 2  # the most of each in a plan
_COUNTS = (*range(1, 11), 20, 30, 50, 100, 200)
_LARGEST_COUNT = 1000
_COUNT = ref("count")
_REPEATED = ("by", "at_least", "at_most")
_COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")


def plan_schema(
    domains: Mapping[Domain, Askable], words: Mapping[str, Sequence[str]], offer: Offer
) -> Schema:
    """The schema of plans for a question.

    Args:
        domains: what the store can be asked.
        words: fixed values of fields that are not linked (``interpretation``: R, S, I).
        offer: what the question names.
    """
    return _Writer(domains, words, offer).schema()


class _Writer:
    def __init__(
        self, domains: Mapping[Domain, Askable], words: Mapping[str, Sequence[str]], offer: Offer
    ) -> None:
        self._domains, self._words, self._offer = domains, words, offer
        linked = {int(n) for n, _ in offer.numbers if n.is_integer() and 1 <= n <= _LARGEST_COUNT}
        self._counts = one_of(sorted({*_COUNTS, *linked}))

    def schema(self) -> Schema:
        plans = [self._query(domain) for domain in self._domains.values()]
        plans += self._compared()
        if "note" in self._domains:
            plans.append(self._search())
        plans += self._clarify()
        plans.append(object_of({"action": const("refuse"), "reason": one_of(get_args(Reason))}))
        definitions: dict[str, Schema] = {
            "count": self._counts,
            "stay": one_of([*_places(self._offer.stays), "this"]),
            "repeated": object_of({"by": const("name"), "at_least": _COUNT, "at_most": _COUNT}, _REPEATED),
            "pick": _pick(["first", "last", "nth"]),
            "pick-measured": _pick(["first", "last", "nth", "min", "max"]),
            **SHARED,
        }
        definitions |= {f"fields-{d}": one_of(a.fields) for d, a in self._domains.items()}
        definitions |= {f"worded-{d}": one_of(a.worded) for d, a in self._domains.items()}
        definitions |= {f"where-{d}": {"anyOf": list(self._conditions(a))} for d, a in self._domains.items()}
        definitions["related"] = {"anyOf": [self._related(at) for at in self._domains.values()]}
        return {"$defs": definitions, "anyOf": plans}

    # -- plans -----------------------------------------------------------------------------------------

    def _query(self, at: Askable) -> Schema:
        events, optional = self._events(at)
        optional = [*optional, "related"]
        return object_of(
            {
                "action": const("query_records"),
                "who": one_of(self._offer.who),
                **events,
                "related": list_of(ref("related"), _RELATED),
                "ask": {"anyOf": list(asks(at, self._earlier_of(at), len(self._offer.numbers)))},
            },
            optional,
        )

    def _compared(self) -> Iterable[Schema]:
        """A value's place among all patients as old as the named one: the only way to ask about others, too."""
        stay = self._domains.get("admission")
        if self._offer.who != ("patient",) or stay is None or not self._offer.numbers:
            return
        events, left_out = self._events(stay)
        same = object_of(events | {"relation": const("same_age"), "whose": const("patient")}, left_out)
        for at in self._domains.values():
            if at.measured:
                events, left_out = self._events(at)
                head = {"action": const("query_records"), "who": const("all")}
                related = list_of(same, 1)
                rest = {"related": related, "ask": {"anyOf": list(percentiles(len(self._offer.numbers)))}}
                yield object_of({**head, **events, **rest}, left_out)

    def _search(self) -> Schema:
        optional: dict[str, Schema] = {}
        if places := self._usable("note"):
            optional["values"] = list_of(one_of(places), _VALUES)
        if self._offer.periods:
            optional["period"] = one_of(_places(self._offer.periods))
        return object_of(
            {"action": const("search_notes"), "who": one_of(self._offer.who), **optional}, optional
        )

    def _clarify(self) -> Iterable[Schema]:
        if "patient" not in self._offer.who:
            yield object_of({"action": const("clarify"), "about": const("patient")})
        asked = [place for place, offered in enumerate(self._offer.values, 1) if offered.concept is None]
        if asked:
            parts = {"action": const("clarify"), "about": const("value"), "value": one_of(asked)}
            yield object_of(parts)

    # -- parts of a query ------------------------------------------------------------------------------

    def _usable(self, domain: Domain) -> list[int]:
        return [p for p in self._offer.of_domain(domain) if self._offer.values[p - 1].concept is not None]

    def _period(self, at: Askable) -> dict[str, Schema]:
        if not self._offer.periods:
            return {}
        period = {"period": one_of(_places(self._offer.periods))}
        return period | ({"period_on": one_of(["end", "overlap"])} if at.ends else {})

    def _conditions(self, at: Askable) -> Iterable[Schema]:
        fields = ref(f"fields-{at.domain}")
        yield object_of({"field": fields, "op": one_of(["known", "unknown"])})
        if numbers := _places(self._offer.numbers):
            if at.numeric:
                parts = {
                    "field": one_of(at.numeric),
                    "op": one_of(_COMPARISONS),
                    "number": one_of(numbers),
                }
                yield object_of(parts, ["op"])
            if at.numeric and len(numbers) > 1:
                both = {"number": one_of(numbers), "upper": one_of(numbers)}
                yield object_of({"field": one_of(at.numeric), "op": one_of(["between", "outside"]), **both})
            if "age" in at.fields:
                yield object_of({"field": const("age"), "op": const("decade"), "number": one_of(numbers)})
        words = {f: self._words[f] for f in at.fields if f in self._words}
        if at.measured:
            words["value"] = sorted(RANGE_WORDS)
        for field, choices in words.items():
            yield object_of({"field": const(field), "op": const("!="), "word": one_of(choices)}, ["op"])

    def _events(self, at: Askable) -> tuple[dict[str, Schema], list[str]]:
        """The parts that every set of events has, and which of them may be left out."""
        optional: dict[str, Schema] = {}
        if places := self._usable(at.domain):
            optional["values"] = list_of(one_of(places), _VALUES)
        optional |= self._period(at)
        optional["stay"] = ref("stay")
        optional["where"] = list_of(ref(f"where-{at.domain}"), _CONDITIONS)
        if at.ends:
            optional["status"] = one_of(["active", "ended"])
        optional["repeated"] = ref("repeated")
        optional["pick"] = ref("pick-measured" if at.measured else "pick")
        return {"domain": const(at.domain), **optional}, list(optional)

    def _related(self, at: Askable) -> Schema:
        events, left_out = self._events(at)
        tail = {
            "relation": one_of(relation for relation in get_args(Relation) if relation != "ever"),
            "within_days": _COUNT,
            "within_months": _COUNT,
            "same": one_of(["day", "month", "year"]),
            "negated": const(True),
            "each": const(True),
        }
        if "patient" in self._offer.who:
            tail["whose"] = const("patient")
        return object_of(events | tail, [*left_out, *tail])

    def _earlier_of(self, at: Askable) -> Schema:
        """Events of the same domain that an earlier value may be of."""
        parts: dict[str, Schema] = {}
        if places := self._usable(at.domain):
            parts["values"] = list_of(one_of(places), _VALUES)
        parts |= self._period(at)
        parts["stay"] = ref("stay")
        return object_of({"domain": const(at.domain), **parts}, parts)


def _pick(which: Iterable[str]) -> Schema:
    return object_of(
        {"which": one_of(which), "n": _COUNT, "then": one_of(["first", "last"]), "each": const("name")},
        ["n", "then", "each"],
    )


def _places(items: Sequence[object]) -> list[int]:
    return list(range(1, len(items) + 1))
