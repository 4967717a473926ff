"""References and codes as releases write them, brought to the names of code systems that the graph uses."""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import StringIO

_OBO_IRI = re.compile(r"<?https?://purl\.obolibrary\.org/obo/([A-Za-z]+)_(\w+)>?")


@dataclass(frozen=True, slots=True)
class Namespace:
    """What the terms of a prefix are: their type, and the term below which they are that, if not all are."""

    type: str
    root: str | None


@dataclass(frozen=True, slots=True)
class _System:
    system: str
    pattern: re.Pattern[str]


def curie(text: str) -> str:
    """``HP:0000118`` from an address such as ``http://purl.obolibrary.org/obo/HP_0000118``; else the text itself."""
    match = _OBO_IRI.fullmatch(text.strip())
    return f"{match[1]}:{match[2]}" if match else text.strip()


def code_of(reference: str) -> tuple[str, str] | str:
    """The code system and code of a cross-reference.

    Returns:
        ``("icd10", "I50.9")``, or why the reference is no code.
    """
    prefix, colon, code = reference.partition(":")
    code = code.strip()
    if not colon or not code:
        return "a cross-reference that is not written system:code"
    system = _systems().get(prefix.strip().upper())
    if system is None:
        starred = (one for name, one in _systems().items() if name.endswith("*"))
        names = (name[:-1] for name in _systems() if name.endswith("*"))
        system = next(
            (one for name, one in zip(names, starred, strict=True) if prefix.upper().startswith(name)), None
        )
    if system is None:
        return f"a cross-reference to {prefix!r}, a code system that is not in code_systems.tsv"
    if not system.pattern.fullmatch(code):
        return f"a cross-reference to {system.system} that is no single code of it"
    return system.system, code


def own_code(reference: str) -> tuple[str, str] | None:
    """The code that a reference is, where it is one: ``("doid", "1612")`` for ``DOID:1612``."""
    if re.fullmatch(r"DB\d{5}", reference):
        return "drugbank", reference
    found = code_of(reference)
    return found if isinstance(found, tuple) else None


def namespace(reference: str) -> Namespace | None:
    """What the terms with the prefix of this id are, as far as ``namespaces.tsv`` knows."""
    if re.fullmatch(r"DB\d{5}", reference):
        return _namespaces().get("DB")
    return _namespaces().get(reference.partition(":")[0])


@cache
def _systems() -> Mapping[str, _System]:
    return {
        row["prefix"]: _System(row["system"], re.compile(row["pattern"])) for row in rows("code_systems.tsv")
    }


@cache
def _namespaces() -> Mapping[str, Namespace]:
    return {row["prefix"]: Namespace(row["type"], row["root"] or None) for row in rows("namespaces.tsv")}


@cache
def rows(table: str) -> Sequence[Mapping[str, str]]:
    """The rows of a table of this package."""
    text = files("knowledge.ontologies").joinpath(table).read_text("utf-8")
    return list(csv.DictReader(StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE))
