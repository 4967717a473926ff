"""Where each domain of the typed query lives in the record store, read from ``domains.yaml``."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import cast, get_args

import yaml

from agent.query.model import Domain
from knowledge.errors import NotInSchema

Tables = Mapping[str, tuple[str, ...]]  # table to its columns, as ``RecordStore.tables`` gives them


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a domain: a column of ``table``; ``table`` is joined where it is not the domain's own."""

    table: str
    column: str


@dataclass(frozen=True, slots=True)
class Binding:
    """One domain's place in the store; the keys of ``domains.yaml`` are explained there."""

    domain: Domain
    table: str
    key: str
    time: str
    end: str | None
    value: str | None
    text: str | None
    unit: str | None
    low: str | None
    high: str | None
    joins: Mapping[str, str]
    fields: Mapping[str, Field]
    detail: Mapping[str, str]
    distinct_items: bool
    closed: tuple[str, ...]
    ends_with_admission: bool
    label_en: tuple[str, str]
    label_zh: str

    def field(self, name: str, tables: Tables) -> Field:
        """The column behind a field of this domain, or of the patient or admission that it belongs to.

        Raises:
            NotInSchema: there is no such field, or the store has no column for it.
        """
        field = self.fields.get(name) or shared_fields().get(name)
        if field is None:
            raise NotInSchema(f"The records have no field {name!r} for {self.label_en[1]}.")
        if field.column not in tables.get(field.table, ()):
            raise NotInSchema(f"This store does not hold the field {name!r} of {self.label_en[1]}.")
        return field

    def has(self, column: str | None, tables: Tables) -> bool:
        """Whether the store's table has this column."""
        return column is not None and column in tables.get(self.table, ())

    def details(self, tables: Tables) -> Mapping[str, str]:
        """What this store has of the columns that an event's evidence brings along."""
        return {name: column for name, column in self.detail.items() if self.has(column, tables)}

    def require(self, tables: Tables) -> None:
        """Raise ``NotInSchema`` where the store has no such table."""
        if self.table not in tables:
            raise NotInSchema(f"This store does not hold {self.label_en[1]} (it has no table {self.table}).")


@cache
def _document() -> dict:
    return yaml.safe_load(files("agent.query").joinpath("domains.yaml").read_text(encoding="utf-8"))


@cache
def shared_fields() -> Mapping[str, Field]:
    """The fields that every domain can reach through its patient, its admission or its charge."""
    shared = _document()["shared"]
    return MappingProxyType(
        {name: Field(table, column) for table, names in shared.items() for name, column in names.items()}
    )


@cache
def bindings() -> Mapping[Domain, Binding]:
    """All domains, in the order of ``domains.yaml``."""
    return MappingProxyType(
        {
            cast(Domain, name): _binding(cast(Domain, name), raw)
            for name, raw in _document()["domains"].items()
        }
    )


def binding(domain: Domain, tables: Tables) -> Binding:
    """One domain's place in this store.

    Raises:
        NotInSchema: the store has no table for it.
    """
    found = bindings()[domain]
    found.require(tables)
    return found


def _binding(domain: Domain, raw: dict) -> Binding:
    if domain not in get_args(Domain):
        raise ValueError(f"domains.yaml names an unknown domain {domain!r}")
    fields = {}
    for name, column in raw["fields"].items():
        table, dot, joined = column.partition(".")
        fields[name] = Field(table, joined) if dot else Field(raw["table"], column)
    return Binding(
        domain=domain,
        table=raw["table"],
        key=raw.get("key", "row_id"),
        time=raw["time"],
        end=raw.get("end"),
        value=raw.get("value"),
        text=raw.get("text"),
        unit=raw.get("unit"),
        low=raw.get("low"),
        high=raw.get("high"),
        joins=MappingProxyType(raw.get("joins", {})),
        fields=MappingProxyType(fields),
        detail=MappingProxyType(raw.get("detail", {})),
        distinct_items=raw.get("distinct_items", False),
        closed=tuple(raw.get("closed", ())),
        ends_with_admission=raw.get("ends_with_admission", False),
        label_en=tuple(raw["label"]["en"]),
        label_zh=raw["label"]["zh"],
    )
