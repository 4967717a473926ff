"""Reads a hospital's own tables: concepts and facts, in the columns of the core pack (``docs/knowledge.md``).

A table of facts is named after its relation (``treats.tsv``). A row without a source is rejected; so is one about a
concept that neither the graph nor the tables imported before know. Concepts may be named by id, or by a code
(``icd10:I50``, ``DOID:1612``).
"""

from collections.abc import Iterator
from pathlib import Path

from knowledge.errors import ConfigError, ImportFailure
from knowledge.facts import RELATIONS, review_facts
from knowledge.graph.build import scope_of
from knowledge.ontologies.entries import Coding, End, Entry, Form, Left, Related, Release, Term
from knowledge.ontologies.lines import table_of
from knowledge.terminology.concepts import COLUMNS as CONCEPT_COLUMNS
from knowledge.terminology.concepts import Concept, concept_of

_KEY_COLUMNS = frozenset({"id", "type", "en", "zh"})
_FACT_COLUMNS = frozenset({"subject", "object"})


class _Anything:
    """Takes every reference for known: whether the graph has it, is seen when the rows are put in."""

    def __contains__(self, _: object) -> bool:
        return True


def recognise_concepts(head: str) -> bool:
    """Whether the beginning of a file is that of a table of concepts."""
    return set(head.split("\n", 1)[0].rstrip("\r").split("\t")) >= _KEY_COLUMNS


def recognise_facts(head: str) -> bool:
    """Whether the beginning of a file is that of a table of facts."""
    return set(head.split("\n", 1)[0].rstrip("\r").split("\t")) >= _FACT_COLUMNS


def describe(path: Path) -> Release:
    """The table is named after its folder and file."""
    return Release(
        f"{path.resolve().parent.name}-{path.stem}".lower().replace(" ", "-"), f"Own table {path.stem}"
    )


def read_concepts(path: Path) -> Iterator[Entry]:
    """The concepts of a table; a row that is incomplete is left.

    Raises:
        ImportFailure: the file cannot be read, or a column is missing.
    """
    for line, row in table_of(path, CONCEPT_COLUMNS, quoted=False):
        try:
            yield _term(concept_of(row, f"line {line}"))
        except ConfigError as error:
            yield Left(f"line {line}", str(error).partition(": ")[2].rstrip("."))


def read_facts(path: Path) -> Iterator[Entry]:
    """The facts of a table; a row that is none is left.

    Raises:
        ImportFailure: the file cannot be read, is not named after a relation, or a column is missing.
    """
    if path.stem not in RELATIONS:
        raise ImportFailure(
            f"The table of facts {path} is not named after a relation. Call it one of: "
            f"{', '.join(f'{name}.tsv' for name in RELATIONS)}."
        )
    try:
        review = review_facts(path, _Anything())
    except ConfigError as error:
        raise ImportFailure(str(error)) from error
    for row in review.rejected:
        yield Left(f"line {row.line}", row.reason)
    for fact in review.facts:
        yield Related(
            End(fact.subject),
            fact.relation,
            End(fact.object),
            place=f"{fact.subject}, {fact.object}",
            condition=fact.condition,
            severity=fact.severity,
            detail=(fact.detail_en, fact.detail_zh) if fact.detail_en else None,
            citation=(fact.source, fact.section, fact.year),
        )


def _term(concept: Concept) -> Term:
    forms = [Form(form, "en", "synonym") for form in concept.synonyms_en]
    forms += [Form(form, "zh", "synonym") for form in concept.synonyms_zh]
    for form in concept.abbreviations:
        bare = form.removeprefix("=") or form
        forms.append(Form(bare, "en" if bare.isascii() else "zh", "abbreviation", exact=bare != form))
    forms += [Form(form, "en", "label", exact=len(form) <= 3) for form in concept.labels]
    return Term(
        ref=concept.id,
        en=concept.en,
        type=concept.type,
        zh=concept.zh,
        forms=tuple(forms),
        codes=tuple(Coding(system, code, scope_of(system)) for system, code in concept.codes),
        basis=concept.source,
    )
