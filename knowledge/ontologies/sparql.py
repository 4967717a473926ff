"""Reads the tables that query services export of an ontology: hierarchy, cross-references, lay synonyms.

Their columns are the query's variables (``?x ?p ?y``); ids are addresses in angle brackets. They speak of terms
that must be known already.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from knowledge.ontologies.codes import code_of, curie
from knowledge.ontologies.entries import Called, Coded, Coding, End, Entry, Form, Left, Related, Release
from knowledge.ontologies.lines import table_of

_SUBCLASS = "<http://www.w3.org/2000/01/rdf-schema#subClassOf>"
EDGES = ("?x", "?p", "?y")
XREFS = ("?cls", "?xref")
SYNONYMS = ("?term", "?term_label", "?layperson")


def recogniser(columns: tuple[str, ...]) -> Callable[[str], bool]:
    """A test whether the beginning of a file is that of a table with exactly these columns."""
    return lambda head: tuple(head.split("\n", 1)[0].rstrip("\r").split("\t")) == columns


def describe(path: Path) -> Release:
    """The table is named after its folder and file; the form has no version."""
    name = f"{path.resolve().parent.name}-{path.name.split('.')[0]}".lower()
    return Release(name, f"Exported table {name}")


def read_edges(path: Path) -> Iterator[Entry]:
    """The hierarchy.

    Raises:
        ImportFailure: the file cannot be read, or a column is missing.
    """
    for line, row in table_of(path, EDGES):
        subject, object = curie(row["?x"]), curie(row["?y"])
        if row["?p"] != _SUBCLASS:
            yield Left(f"line {line}", "a relation other than subClassOf")
        else:
            yield Related(End(subject), "is_a", End(object), place=subject)


def read_xrefs(path: Path) -> Iterator[Entry]:
    """The codes of terms.

    Raises:
        ImportFailure: the file cannot be read, or a column is missing.
    """
    for _, row in table_of(path, XREFS):
        ref, found = curie(row["?cls"]), code_of(row["?xref"])
        yield Coded(ref, Coding(*found)) if isinstance(found, tuple) else Left(ref, found)


def read_synonyms(path: Path) -> Iterator[Entry]:
    """The words of lay people for terms.

    Raises:
        ImportFailure: the file cannot be read, or a column is missing.
    """
    for line, row in table_of(path, SYNONYMS):
        if not row["?layperson"]:
            yield Left(f"line {line}", "a row without a synonym")
        else:
            form = Form(row["?layperson"], "en", "synonym")
            yield Called(curie(row["?term"]), form, label=row["?term_label"] or None)
