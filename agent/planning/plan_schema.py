"""The JSON Schema of the plans that fit one question: what a model can write under its grammar.

Every string is one of a list, every list has a length, every number is a position or a small count. So
whatever a model writes ends, parses, and points at something that is there.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

from agent.planning.askable import Askable
from agent.planning.form import Reason, Relation
from agent.planning.offer import Offer
from agent.query.base import RANGE_WORDS
from agent.query.model import Bucket, Domain, Unit

Schema = dict[str, Any]
_FIELDS, _VALUES, _CONDITIONS, _RELATED = 6, 3, 2, 2  # the most of each in a plan
_COUNTS = (*range(1, 11), 20, 30, 50, 100, 200)
_LARGEST_COUNT = 1000
_SURVIVED_DAYS = (7, 14, 28, 30, 60, 90, 91, 180, 182, 365, 730, 1095, 1825)  # as studies report them
_COUNT: Schema = {"$ref": "#/$defs/count"}
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


def longest(schema: Schema) -> int:
    """The most characters, and so the most tokens, that a text of the schema has; all of them are ASCII."""
    definitions: dict[str, int] = {}
    for name, part in schema.get("$defs", {}).items():  # each refers to none or to earlier ones
        definitions[name] = _longest(part, definitions)
    return _longest(schema, definitions)


class _Writer:
    def __init__(
        self, domains: Mapping[Domain, Askable], words: Mapping[str, Sequence[str]], offer: Offer
    ) -> None:
        self._domains, self._words, self._offer = domains, words, offer
        linked = {int(n) for n, _ in offer.numbers if n.is_integer() and 1 <= n <= _LARGEST_COUNT}
        self._counts = _one_of(sorted({*_COUNTS, *linked}))

    def schema(self) -> Schema:
        plans = [self._query(domain) for domain in self._domains.values()]
        plans += self._compared()
        if "note" in self._domains:
            plans.append(self._search())
        plans += self._clarify()
        plans.append(_object({"action": _const("refuse"), "reason": _one_of(get_args(Reason))}))
        definitions: dict[str, Schema] = {
            "count": self._counts,
            "stay": _one_of([*_places(self._offer.stays), "this"]),
            "repeated": _object({"by": _const("name"), "at_least": _COUNT, "at_most": _COUNT}, _REPEATED),
            "pick": _pick(["first", "last", "nth"]),
            "pick-measured": _pick(["first", "last", "nth", "min", "max"]),
        }
        definitions |= {f"fields-{d}": _one_of(a.fields) for d, a in self._domains.items()}
        definitions |= {f"worded-{d}": _one_of(a.worded) for d, a in self._domains.items()}
        definitions |= {f"where-{d}": {"anyOf": list(self._conditions(a))} for d, a in self._domains.items()}
        definitions["related"] = {"anyOf": [self._related(at) for at in self._domains.values()]}
        return {"$defs": definitions, "anyOf": plans}

    # -- plans -----------------------------------------------------------------------------------------

    def _query(self, at: Askable) -> Schema:
        events, optional = self._events(at)
        optional = [*optional, "related"]
        return _object(
            {
                "action": _const("query_records"),
                "who": _one_of(self._offer.who),
                **events,
                "related": _list(_ref("related"), _RELATED),
                "ask": {"anyOf": list(self._asks(at))},
            },
            optional,
        )

    def _compared(self) -> Iterable[Schema]:
        """A value's place among all patients as old as the named one: the only way to ask about others, too."""
        stay = self._domains.get("admission")
        if self._offer.who != ("patient",) or stay is None or not self._offer.numbers:
            return
        events, left_out = self._events(stay)
        same = _object(events | {"relation": _const("same_age"), "whose": _const("patient")}, left_out)
        for at in self._domains.values():
            if at.measured:
                events, left_out = self._events(at)
                head = {"action": _const("query_records"), "who": _const("all")}
                related = {"type": "array", "items": same, "minItems": 1, "maxItems": 1}
                rest = {"related": related, "ask": {"anyOf": list(self._percentiles())}}
                yield _object({**head, **events, **rest}, left_out)

    def _search(self) -> Schema:
        optional: dict[str, Schema] = {}
        if places := self._usable("note"):
            optional["values"] = _list(_one_of(places), _VALUES)
        if self._offer.periods:
            optional["period"] = _one_of(_places(self._offer.periods))
        return _object(
            {"action": _const("search_notes"), "who": _one_of(self._offer.who), **optional}, optional
        )

    def _clarify(self) -> Iterable[Schema]:
        if "patient" not in self._offer.who:
            yield _object({"action": _const("clarify"), "about": _const("patient")})
        asked = [place for place, offered in enumerate(self._offer.values, 1) if offered.concept is None]
        if asked:
            parts = {"action": _const("clarify"), "about": _const("value"), "value": _one_of(asked)}
            yield _object(parts)

    # -- parts of a query ------------------------------------------------------------------------------

    def _usable(self, domain: Domain) -> list[int]:
        return [p for p in self._offer.of_domain(domain) if self._offer.values[p - 1].concept is not None]

    def _period(self, at: Askable) -> dict[str, Schema]:
        if not self._offer.periods:
            return {}
        period = {"period": _one_of(_places(self._offer.periods))}
        return period | ({"period_on": _one_of(["end", "overlap"])} if at.ends else {})

    def _conditions(self, at: Askable) -> Iterable[Schema]:
        fields = _ref(f"fields-{at.domain}")
        yield _object({"field": fields, "op": _one_of(["known", "unknown"])})
        if numbers := _places(self._offer.numbers):
            if at.numeric:
                parts = {
                    "field": _one_of(at.numeric),
                    "op": _one_of(_COMPARISONS),
                    "number": _one_of(numbers),
                }
                yield _object(parts, ["op"])
            if at.numeric and len(numbers) > 1:
                both = {"number": _one_of(numbers), "upper": _one_of(numbers)}
                yield _object({"field": _one_of(at.numeric), "op": _one_of(["between", "outside"]), **both})
            if "age" in at.fields:
                yield _object({"field": _const("age"), "op": _const("decade"), "number": _one_of(numbers)})
        words = {f: self._words[f] for f in at.fields if f in self._words}
        if at.measured:
            words["value"] = sorted(RANGE_WORDS)
        for field, choices in words.items():
            yield _object({"field": _const(field), "op": _const("!="), "word": _one_of(choices)}, ["op"])

    def _events(self, at: Askable) -> tuple[dict[str, Schema], list[str]]:
        """The parts that every set of events has, and which of them may be left out."""
        optional: dict[str, Schema] = {}
        if places := self._usable(at.domain):
            optional["values"] = _list(_one_of(places), _VALUES)
        optional |= self._period(at)
        optional["stay"] = _ref("stay")
        optional["where"] = _list(_ref(f"where-{at.domain}"), _CONDITIONS)
        if at.ends:
            optional["status"] = _one_of(["active", "ended"])
        optional["repeated"] = _ref("repeated")
        optional["pick"] = _ref("pick-measured" if at.measured else "pick")
        return {"domain": _const(at.domain), **optional}, list(optional)

    def _related(self, at: Askable) -> Schema:
        events, left_out = self._events(at)
        tail = {
            "relation": _one_of(relation for relation in get_args(Relation) if relation != "ever"),
            "within_days": _COUNT,
            "within_months": _COUNT,
            "same": _one_of(["day", "month", "year"]),
            "negated": _const(True),
            "each": _const(True),
        }
        if "patient" in self._offer.who:
            tail["whose"] = _const("patient")
        return _object(events | tail, [*left_out, *tail])

    def _asks(self, at: Askable) -> Iterable[Schema]:
        fields = _ref(f"fields-{at.domain}")
        worded = _ref(f"worded-{at.domain}")
        orders = ["time_desc", *(["value", "value_desc"] if at.measured else [])]
        yield _ask(
            "rows",
            {"fields": _list(fields, _FIELDS)},
            also=_list(fields, _FIELDS),
            distinct=_const(False),
            order=_one_of(orders),
            limit=_COUNT,
        )
        yield _ask("count", of=_one_of(["names", "patients", "admissions"]))
        yield _ask("exists", none=_const(True))
        yield from self._figures(at)
        if at.measured:
            yield _ask(
                "change",
                earlier_of=self._earlier_of(at),
                earlier=_ref("pick-measured"),
                later=_ref("pick-measured"),
                as_comparison=_one_of(["<", ">", "="]),
            )
            yield _ask("trend")
            yield from self._percentiles()
        by = ["patients", *(["cost"] if "cost" in at.fields else [])]
        yield _ask("top", n=_COUNT, field=worded, by=_one_of(by), show_count=_const(False))
        figures = _one_of(["patients", "admissions", *(["mean", "min", "max", "sum"] if at.numeric else [])])
        group = {"figure": figures, "field": _one_of(at.numeric or at.fields), "share": _const(True)}
        if not at.numeric:
            del group["field"]
        yield _ask(
            "survival",
            {"days": _one_of(_SURVIVED_DAYS)},
            by=_const("name"),
            n=_COUNT,
            show_rate=_const(False),
        )
        yield _ask("group", {"by": worded}, **group, show_group=_const(False))
        yield _ask("group", {"bucket": _one_of(get_args(Bucket))}, **group, show_group=_const(False))
        what = {"what": _const("duration")} if at.ends else {}
        yield _ask("elapsed", unit=_one_of(get_args(Unit)), **what)
        if at.domain == "input":
            yield _ask("balance", per=_const("day"))
        if at.domain == "admission":
            yield _ask("readmission", days=_COUNT, bucket=_one_of(get_args(Bucket)))

    def _percentiles(self) -> Iterable[Schema]:
        if places := _places(self._offer.numbers):
            yield _ask("percentile", {"number": _one_of(places)})

    def _earlier_of(self, at: Askable) -> Schema:
        """Events of the same domain that an earlier value may be of."""
        parts: dict[str, Schema] = {}
        if places := self._usable(at.domain):
            parts["values"] = _list(_one_of(places), _VALUES)
        parts |= self._period(at)
        parts["stay"] = _ref("stay")
        return _object({"domain": _const(at.domain), **parts}, parts)

    def _figures(self, at: Askable) -> Iterable[Schema]:
        function = {"function": _one_of(["mean", "min", "max", "sum", "median"])}
        per = _one_of(["patient", "admission", "day", "month", "year"])
        counted = ["count", "patients", "admissions"]
        if at.numeric:
            rest = {"per": per, "inner": _one_of(["mean", "min", "max", *counted])}
            field = {"field": _one_of(at.numeric)}
            if at.measured:  # the value unless another field is named
                yield _ask("statistic", function, **field, **rest)
            else:
                yield _ask("statistic", function | field, **rest)
        yield _ask("statistic", function | {"per": per, "inner": _one_of(counted)})


def _ask(kind: str, required: Mapping[str, Schema] | None = None, **optional: Schema) -> Schema:
    return _object({"ask": _const(kind), **(required or {}), **optional}, optional)


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _pick(which: Iterable[str]) -> Schema:
    return _object(
        {"which": _one_of(which), "n": _COUNT, "then": _one_of(["first", "last"]), "each": _const("name")},
        ["n", "then", "each"],
    )


def _const(value: str | bool) -> Schema:
    return {"const": value}


def _one_of(values: Iterable[str | int]) -> Schema:
    return {"enum": list(values)}


def _list(items: Schema, most: int) -> Schema:
    return {"type": "array", "items": items, "minItems": 1, "maxItems": most}


def _object(parts: Mapping[str, Schema], optional: Iterable[str] = ()) -> Schema:
    left_out = set(optional)
    required = [name for name in parts if name not in left_out]
    return {"type": "object", "properties": dict(parts), "required": required, "additionalProperties": False}


def _places(items: Sequence[object]) -> list[int]:
    return list(range(1, len(items) + 1))


def _longest(schema: Schema, definitions: Mapping[str, int]) -> int:
    if "$ref" in schema:
        return definitions[schema["$ref"].rsplit("/", 1)[1]]
    if "anyOf" in schema:
        return max(_longest(option, definitions) for option in schema["anyOf"])
    if "const" in schema or "enum" in schema:
        choices = schema.get("enum", [schema.get("const")])
        return max(len(json.dumps(choice)) for choice in choices)
    if schema["type"] == "array":
        return 1 + schema["maxItems"] * (_longest(schema["items"], definitions) + 1)
    pairs = [len(json.dumps(name)) + 1 + _longest(s, definitions) for name, s in schema["properties"].items()]
    return 1 + sum(pair + 1 for pair in pairs)
