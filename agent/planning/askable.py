"""What can be asked of one store: its domains with the fields that compile for it.

The query compiler itself is asked, so what a model is offered can always be looked up.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from agent.query.compile import compile
from agent.query.domains import Binding, Tables, bindings, shared_fields
from agent.query.model import ClinicalQuery, Domain, Events, Rows
from knowledge.errors import QueryRejected

_ANY_NOW = "2100-12-31 23:59:00"  # what compiles does not depend on when
_STANDARD = ("time", "end", "value", "unit", "duration", "subject_id", "hadm_id")
_NUMERIC = ("value", "duration", "age", "cost", "rank", "rate")


@dataclass(frozen=True, slots=True)
class Askable:
    """One domain of a store.

    Attributes:
        fields: all that can be listed.
        own: those that only this domain has, for display.
        numeric: those that are numbers.
        measured: its events have a number of their own (``value``).
        ends: its events have an end.
    """

    domain: Domain
    label: str
    fields: tuple[str, ...]
    own: tuple[str, ...]
    numeric: tuple[str, ...]
    measured: bool
    ends: bool

    @property
    def worded(self) -> tuple[str, ...]:
        """The fields that are words: what things can be counted and grouped by."""
        return tuple(field for field in self.fields if field not in {*_NUMERIC, "time", "end", "unit"})


def askable(tables: Tables) -> Mapping[Domain, Askable]:
    """The domains of a store, in the order of ``domains.yaml``."""
    here = (_askable(at, tables) for at in bindings().values() if at.table in tables)
    return {one.domain: one for one in here if one.fields}


def _askable(at: Binding, tables: Tables) -> Askable:
    candidates = dict.fromkeys((*_STANDARD, *at.fields, *shared_fields()))
    fields = tuple(field for field in candidates if _compiles(at, field, tables))
    measured = at.has(at.value, tables)
    return Askable(
        domain=at.domain,
        label=at.label_en[1],
        fields=fields,
        own=tuple(f for f in fields if f in at.fields or f in _STANDARD[:5]),
        numeric=tuple(f for f in _NUMERIC if f in fields and (measured or f != "value")),
        measured=measured,
        ends=at.has(at.end, tables),
    )


def _compiles(at: Binding, field: str, tables: Tables) -> bool:
    columns = {"time": (at.time,), "end": (at.end,), "value": (at.value, at.text), "unit": (at.unit,)}
    if field in columns and not any(at.has(column, tables) for column in columns[field]):
        return False
    try:
        compile(ClinicalQuery(ask=Rows(fields=(field,)), of=Events(domain=at.domain)), tables, _ANY_NOW)
    except QueryRejected:
        return False
    return True
