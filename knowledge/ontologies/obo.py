"""Reads OBO 1.2/1.4 files: terms with synonyms by scope, cross-references, alternative ids and is_a.

A reader of its own, since the libraries that we know load a whole ontology before they give its first term.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from knowledge.errors import ImportFailure
from knowledge.graph.parts import NameKind
from knowledge.ontologies.codes import code_of, namespace
from knowledge.ontologies.entries import Coding, Entry, Form, Left, Release, Term
from knowledge.ontologies.lines import lines_of

_SYNONYM = re.compile(r'"((?:[^"\\]|\\.)*)"\s*(EXACT|NARROW|BROAD|RELATED)?\s*([^\[]*)')
_ESCAPE = re.compile(r"\\(.)")
_YEAR = re.compile(r"(19|20)\d\d")
_USED = frozenset(
    {"id", "name", "synonym", "xref", "alt_id", "is_a", "is_obsolete", "replaced_by", "consider"}
)
_SHORT = 6
_LONGEST_STANZA = 100_000  # lines; the longest that we know has some thousand
_TITLES = {
    "doid": "Human Disease Ontology",
    "hp": "Human Phenotype Ontology",
    "mondo": "Mondo Disease Ontology",
}


@dataclass(slots=True)
class _Stanza:
    line: int
    tags: dict[str, list[str]] = field(default_factory=dict)

    def one(self, tag: str) -> str:
        return self.tags.get(tag, [""])[0]


def recognise(head: str) -> bool:
    """Whether the beginning of a file is that of an OBO file."""
    return head.lstrip().startswith("format-version:") or head.lstrip().startswith("[Term]")


def describe(path: Path) -> Release:
    """Which ontology and version the header names."""
    header: dict[str, str] = {}
    for _, line in lines_of(path):
        if line.startswith("["):
            break
        tag, _, value = line.partition(":")
        header.setdefault(tag.strip(), value.strip())
    name = (header.get("ontology") or path.name.split(".")[0]).removesuffix(".obo").lower()
    version = header.get("data-version", "").rsplit("releases/", 1)[-1]
    year = _YEAR.search(version)
    return Release(name, _TITLES.get(name, f"Ontology {name}"), version, int(year[0]) if year else None)


def read(path: Path) -> Iterator[Entry]:
    """The terms of an OBO file; obsolete ones are left, with what replaces them.

    Raises:
        ImportFailure: the file cannot be read, or holds no term.
    """
    terms = 0
    for stanza in _stanzas(path):
        terms += 1
        yield from _entries(stanza)
    if not terms:
        raise ImportFailure(f"The file {path} holds no [Term]; is it an OBO file?")


def _stanzas(path: Path) -> Iterator[_Stanza]:
    stanza: _Stanza | None = None
    for number, line in lines_of(path):
        if line.startswith("["):
            if stanza is not None:
                yield stanza
            stanza = _Stanza(number) if line.strip() == "[Term]" else None
        elif stanza is not None and (colon := line.find(":")) > 0 and (tag := line[:colon]) in _USED:
            if number - stanza.line > _LONGEST_STANZA:
                raise ImportFailure(
                    f"The file {path}, line {stanza.line}: a [Term] of more than {_LONGEST_STANZA:,} lines is none."
                )
            stanza.tags.setdefault(tag, []).append(line[colon + 1 :].strip())
    if stanza is not None:
        yield stanza


def _entries(stanza: _Stanza) -> Iterator[Entry]:
    ref = _reference(stanza.one("id"))
    place = ref or f"line {stanza.line}"
    if not ref:
        yield Left(place, "a term without an id")
        return
    if stanza.one("is_obsolete").startswith("true"):
        yield _obsolete(ref, stanza)
        return
    name = _plain(stanza.one("name"))
    if not name:
        yield Left(place, "a term without a name")
        return
    if namespace(ref) is None:
        yield Left(place, f"no type is known for terms of {ref.partition(':')[0]!r} (namespaces.tsv)")
        return
    codes, faults = [], []
    for xref in stanza.tags.get("xref", ()):
        found = code_of(_reference(xref))
        if isinstance(found, tuple):
            codes.append(Coding(*found))
        else:
            faults.append(Left(place, found))
    yield Term(
        ref=ref,
        en=name,
        forms=tuple(_forms(stanza)),
        codes=tuple(dict.fromkeys(codes)),
        parents=tuple(map(_reference, stanza.tags.get("is_a", ()))),
        alternatives=tuple(map(_reference, stanza.tags.get("alt_id", ()))),
    )
    yield from faults


def _forms(stanza: _Stanza) -> Iterator[Form]:
    for synonym in stanza.tags.get("synonym", ()):
        match = _SYNONYM.match(synonym)
        if match is None or not (form := _plain(match[1])):
            continue
        scope, types = match[2] or "RELATED", match[3].split()
        if scope != "EXACT" or "obsolete_synonym" in types:
            yield Form(form, "en", "related")
        else:
            yield exact_synonym(form, abbreviation="abbreviation" in types)


def exact_synonym(form: str, *, abbreviation: bool = False) -> Form:
    """An English synonym; what looks like an abbreviation counts only in its case, so that words stay words."""
    short = len(form) <= _SHORT and " " not in form and form.upper() == form
    kind: NameKind = "abbreviation" if abbreviation or short else "synonym"
    return Form(form, "en", kind, exact=kind == "abbreviation")


def _obsolete(ref: str, stanza: _Stanza) -> Left:
    replaced, consider = stanza.tags.get("replaced_by", ()), stanza.tags.get("consider", ())
    if replaced:
        return Left(
            f"{ref} (now {', '.join(map(_reference, replaced))})", "an obsolete term that another replaces"
        )
    if consider:
        return Left(
            f"{ref} (see {', '.join(map(_reference, consider))})", "an obsolete term with others to consider"
        )
    return Left(ref, "an obsolete term without a replacement")


def _reference(value: str) -> str:
    """The id at the start of a value: without the comment after ``!``, modifiers and descriptions."""
    return _ESCAPE.sub(r"\1", value.split(" ! ")[0].split(" {")[0].split(' "')[0].strip())


def _plain(value: str) -> str:
    return " ".join(_ESCAPE.sub(lambda match: " " if match[1] in "nWt" else match[1], value).split())
