"""Reads OBO Graphs JSON (``hp-basic.json``): terms, and the hierarchy, which may stand without them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from knowledge.errors import ImportFailure
from knowledge.ontologies.codes import code_of, curie, namespace
from knowledge.ontologies.entries import Coding, End, Entry, Form, Left, Related, Release, Term
from knowledge.ontologies.lines import text_of
from knowledge.ontologies.obo import exact_synonym

_VERSION = re.compile(r"releases/([^/]+)/")
_LARGEST = 512 << 20


def recognise(head: str) -> bool:
    """Whether the beginning of a file is that of an OBO Graphs document."""
    return bool(re.match(r'\s*\{\s*"(graphs|meta|@context)"', head)) and '"graphs"' in head


def describe(path: Path) -> Release:
    """Which ontology and version the graph names."""
    graph = _graph(path)
    version = str((graph.get("meta") or {}).get("version") or "")
    found = _VERSION.search(version)
    name = path.name.split(".")[0].lower()
    year = re.search(r"(19|20)\d\d", found[1]) if found else None
    return Release(
        name, f"Ontology graph {name}", found[1] if found else version, int(year[0]) if year else None
    )


def read(path: Path) -> Iterator[Entry]:
    """The terms and is_a relations of the first graph of a document.

    Raises:
        ImportFailure: the file cannot be read or is no such document.
    """
    graph = _graph(path)
    defined: set[str] = set()
    parents: dict[str, list[str]] = {}
    for edge in graph.get("edges") or ():
        if edge.get("pred") == "is_a":
            parents.setdefault(curie(str(edge.get("sub"))), []).append(curie(str(edge.get("obj"))))
        else:
            yield Left(curie(str(edge.get("sub"))), "a relation other than is_a")
    for node in graph.get("nodes") or ():
        ref = curie(str(node.get("id", "")))
        if node.get("type", "CLASS") != "CLASS" or not node.get("lbl"):
            continue
        meta = node.get("meta") or {}
        if meta.get("deprecated"):
            yield Left(ref, "an obsolete term")
        elif namespace(ref) is None:
            yield Left(ref, f"no type is known for terms of {ref.partition(':')[0]!r} (namespaces.tsv)")
        else:
            defined.add(ref)
            yield _term(ref, str(node["lbl"]), meta, parents.get(ref, ()))
    for ref, kinds in parents.items():
        if ref not in defined:
            for kind in kinds:
                yield Related(End(ref), "is_a", End(kind), place=ref)


def _term(ref: str, label: str, meta: dict[str, Any], parents: list[str] | tuple[()]) -> Term:
    forms = []
    for synonym in meta.get("synonyms") or ():
        if value := str(synonym.get("val") or "").strip():
            exact = synonym.get("pred") == "hasExactSynonym"
            forms.append(exact_synonym(value) if exact else Form(value, "en", "related"))
    found = (code_of(str(xref.get("val"))) for xref in meta.get("xrefs") or ())
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
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise ImportFailure(f"The file {path} is no OBO Graphs document with a graph in it.") from error
    return graph
