"""Reads OBO Graphs JSON (``hp-basic.json``): terms, and the hierarchy, which may stand without them."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from knowledge.errors import ImportFailure
from knowledge.ontologies.codes import code_of, curie, namespace
from knowledge.ontologies.entries import Coding, End, Entry, Form, Left, Related, Release, Term
from knowledge.ontologies.lines import text_of
from knowledge.ontologies.obo import exact_synonym

_VERSION = re.compile(r"releases/([^/]+)/")
_LARGEST = 512 << 20
_M = TypeVar("_M", bound=BaseModel)


def recognise(head: str) -> bool:
    """Whether the beginning of a file is that of an OBO Graphs document."""
    return bool(re.match(r'\s*\{\s*"(graphs|meta|@context)"', head)) and '"graphs"' in head


def describe(path: Path) -> Release:
    """Which ontology and version the graph names."""
    graph = _graph(path)
    meta = graph.get("meta")
    version = str(meta.get("version") or "") if isinstance(meta, dict) else ""
    found = _VERSION.search(version)
    name = path.name.split(".")[0].lower()
    year = re.search(r"(19|20)\d\d", found[1]) if found else None
    return Release(
        name, f"Ontology graph {name}", found[1] if found else version, int(year[0]) if year else None
    )


class _Synonym(BaseModel):
    pred: str = ""
    val: str = ""


class _Xref(BaseModel):
    val: str = ""


class _Meta(BaseModel):
    synonyms: list[_Synonym] = []
    xrefs: list[_Xref] = []
    deprecated: bool = False


class _Node(BaseModel):
    id: str
    lbl: str | None = None
    type: str = "CLASS"
    meta: _Meta | None = None


class _Edge(BaseModel):
    sub: str
    pred: str
    obj: str


def read(path: Path) -> Iterator[Entry]:
    """The terms and is_a relations of the first graph of a document.

    Raises:
        ImportFailure: the file cannot be read or is no such document.
    """
    graph = _graph(path)
    defined: set[str] = set()
    parents: dict[str, list[str]] = {}
    for edge in _each(graph, "edges", _Edge):
        if isinstance(edge, Left):
            yield edge
        elif edge.pred == "is_a":
            parents.setdefault(curie(edge.sub), []).append(curie(edge.obj))
        else:
            yield Left(curie(edge.sub), "a relation other than is_a")
    for node in _each(graph, "nodes", _Node):
        if isinstance(node, Left):
            yield node
            continue
        if node.type != "CLASS" or not node.lbl:
            continue
        ref = curie(node.id)
        if node.meta is not None and node.meta.deprecated:
            yield Left(ref, "an obsolete term")
        elif namespace(ref) is None:
            yield Left(ref, f"no type is known for terms of {ref.partition(':')[0]!r} (namespaces.tsv)")
        else:
            defined.add(ref)
            yield _term(ref, node.lbl, node.meta or _Meta(), parents.get(ref, []))
    for ref, kinds in parents.items():
        if ref not in defined:
            for kind in kinds:
                yield Related(End(ref), "is_a", End(kind), place=ref)


def _each(graph: dict[str, Any], what: str, model: type[_M]) -> Iterator[_M | Left]:
    listed = graph.get(what) or []
    for number, entry in enumerate(listed if isinstance(listed, list) else [listed]):
        try:
            yield model.model_validate(entry)
        except ValidationError:
            yield Left(f"{what}[{number}]", f"no {what.removesuffix('s')} as OBO Graphs writes them")


def _term(ref: str, label: str, meta: _Meta, parents: Sequence[str]) -> Term:
    forms = []
    for synonym in meta.synonyms:
        if value := synonym.val.strip():
            exact = synonym.pred == "hasExactSynonym"
            forms.append(exact_synonym(value) if exact else Form(value, "en", "related"))
    found = (code_of(xref.val) for xref in meta.xrefs)
    codes = tuple(dict.fromkeys(Coding(*code) for code in found if isinstance(code, tuple)))
    return Term(ref=ref, en=label, forms=tuple(forms), codes=codes, parents=tuple(parents))


def _graph(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _LARGEST:
            raise ImportFailure(
                f"The file {path} is too large to be read at once; import the OBO file instead."
            )
        with text_of(path) as text:
            graph = json.load(text)["graphs"][0]
        if not isinstance(graph, dict):
            raise TypeError
    except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        raise ImportFailure(f"The file {path} is no OBO Graphs document with a graph in it.") from error
    return graph
