"""What a concept stands for in one store beyond its names: coded diagnoses, procedure titles, drugs.

A stroke is on record as "Cerebral infarction due to embolism of …", an antibiotic as "Ceftriaxone", a gastroscopy
as "Inspection of Upper Intestinal Tract, …". The codes, title patterns and members of the terminology lead
there. Only values that occur in events are read, once for each opened store.
"""

import re
import sqlite3
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property

from agent.planning.link import Candidate
from agent.query.model import Domain
from knowledge.store.store import RecordStore
from knowledge.terminology.concepts import Concept
from knowledge.terminology.terminology import Terminology

_SYSTEMS = {"icd10": "icd10", "icd9": "icd9", "icd10pcs": "icd10", "icd9proc": "icd9"}
_CODED: Mapping[Domain, tuple[str, str]] = {
    "diagnosis": (
        "diagnoses_icd",
        "SELECT long_title, icd_code, n FROM (SELECT icd_code, count(*) AS n FROM diagnoses_icd GROUP BY icd_code)"
        " JOIN d_icd_diagnoses USING (icd_code)",
    ),
    "procedure": (
        "procedures_icd",
        "SELECT long_title, icd_code, n FROM (SELECT icd_code, count(*) AS n FROM procedures_icd GROUP BY icd_code)"
        " JOIN d_icd_procedures USING (icd_code)",
    ),
}
_DRUGS: tuple[tuple[str, Domain, str, str], ...] = (
    ("prescriptions", "drug", "name", "SELECT drug, '', count(*) FROM prescriptions GROUP BY drug"),
    (
        "inputevents",
        "input",
        "name",
        "SELECT label, '', sum(n) FROM (SELECT itemid, count(*) AS n FROM inputevents GROUP BY itemid)"
        " JOIN d_items USING (itemid) GROUP BY label",
    ),
    ("allergies", "allergy", "substance", "SELECT substance, '', count(*) FROM allergies GROUP BY substance"),
)
_SCORES = {"code": 0.975, "title": 0.965, "class": 0.96, "ingredient": 0.95}
_SHORTEST_NAME = 3
# Where a drug's name may begin in a value: at its start, after a strength or a release time, after a mark that
# parts the ingredients; "Insulin Aspart Protamine" is no protamine.
_BEFORE = r"(?:^(?:[\d.,%]+\s*(?:hr|hour|mg|ml|g|mcg|unt)?\s+)*|[-/+,(\[]\s*|\b(?:and|with)\s+)"
_WORD = re.compile(r"[a-z0-9]+")
_ALLERGY = re.compile(r"allerg|anaphyla|reaction|intoleran|过敏|不耐受|不良反应", re.IGNORECASE)
_ALLERGIC = re.compile(r"过敏史?|\ballerg(?:y|ies|ic)\b", re.IGNORECASE)
_ALLERGIC_TO = re.compile(
    r"\b(?:allerg(?:y|ies|ic)|anaphyla\w+|intoleran\w+|reactions?)\s+(?:to|against)\s+(?:(?:the|any)\s+)?$",
    re.IGNORECASE,
)
_IS_ALLERGIC = re.compile(r"\s*类?(?:药物?)?\s*(?:过敏|不耐受)|\s*-?\s*(?:allerg|intoleran)", re.IGNORECASE)
_CULTURE = re.compile(r"resist|sensitiv|suscept|cover|耐药|敏感|药敏|覆盖", re.IGNORECASE)
_ANTI_INFECTIVES = ("J01", "J02")  # ATC: classes that cultures are tested against


@dataclass(frozen=True, slots=True)
class _Value:
    """A value that events of the store hold."""

    domain: Domain
    field: str
    text: str
    code: str
    count: int


class Expansion:
    """The values of one store that concepts stand for. Safe to share: it only reads.

    Args:
        store: whose values are meant.
        terminology: knows which drugs are in a class.
    """

    def __init__(self, store: RecordStore, terminology: Terminology) -> None:
        self._store = store
        self._terminology = terminology
        self._known: dict[str, tuple[Candidate, ...]] = {}

    def candidates(self, concept: Concept) -> tuple[Candidate, ...]:
        """The values that a concept covers by code, title, class or drug name, as one group.

        All of them are meant together: a question about the concept is about any of them.
        """
        known = self._known.get(concept.id)
        if known is None:
            known = self._known[concept.id] = tuple(_distinct(self._of(concept)))
        return known

    def allergens(self, concept: Concept) -> tuple[Candidate, ...]:
        """The allergens that are the class of a drug: who is allergic to penicillin is listed under the class."""
        codes = [code for system, code in concept.codes if system == "atc"]
        classes = [
            (len(code), other)
            for other in self._terminology.concepts
            if concept.type == "drug" and other.type == "drug_class"
            for system, code in other.codes
            if system == "atc" and any(one.startswith(code) for one in codes)
        ]
        nearest = max((length for length, _ in classes), default=0)
        names = [name for length, one in classes if length == nearest for name in (one.en, *one.synonyms_en)]
        singular = [name.removesuffix("s") for name in names]
        return tuple(
            _distinct(
                _candidate(value, "class")
                for value in self._called((*names, *singular))
                if value.domain == "allergy"
            )
        )

    def codes_of_diagnosis(self, title: str) -> tuple[str, ...]:
        """The codes of a diagnosis of the store: ``icd10|i10``."""
        return self._codes.get(title.casefold(), ())

    @cached_property
    def _codes(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for value in self._diagnoses:
            title = value.text.casefold()
            found[title] = (*found.get(title, ()), value.code)
        return found

    def _of(self, concept: Concept) -> Iterator[Candidate]:
        if concept.type in {"disease", "finding"}:
            yield from self._by_code(concept, self._diagnoses)
        elif concept.type == "procedure":
            yield from self._by_code(concept, self._procedures)
            for value in self._procedures:
                words = set(_WORD.findall(value.text.lower()))
                if any(_fits(pattern, words) for pattern in concept.title_patterns):
                    yield _candidate(value, "title")
        elif concept.type in {"drug", "drug_class"}:
            how = "ingredient" if concept.type == "drug" else "class"
            outside = {member[1:] for member in concept.members if member.startswith("!")}
            for value in self._called(self._names(concept)):
                if outside.isdisjoint(_WORD.findall(value.text.lower())):
                    yield _candidate(value, how)

    def _by_code(self, concept: Concept, values: Sequence[_Value]) -> Iterator[Candidate]:
        codes = [value.code for value in values]
        for system, code in concept.codes:
            if system not in _SYSTEMS:
                continue
            prefix = f"{_SYSTEMS[system]}|{code.replace('.', '')}".lower()
            place = bisect_left(codes, prefix)
            while place < len(values) and codes[place].startswith(prefix):
                yield _candidate(values[place], "code")
                place += 1

    def _names(self, concept: Concept) -> Iterator[str]:
        """Names of a drug; of a class: its own (allergies name classes) and those of its drugs."""
        yield from (concept.en, *concept.synonyms_en)
        yield from (member for member in concept.members if not member.startswith("!"))
        yield from (text for text in concept.abbreviations if not text.startswith("="))
        if concept.type != "drug_class":
            return
        classes = tuple(code for system, code in concept.codes if system == "atc")
        for other in self._terminology.concepts:
            within = [code.startswith(classes) for system, code in other.codes if system == "atc"]
            if (other.type == "drug" and any(within)) or (
                other.type == "drug_class" and within and all(within)
            ):
                yield from (other.en, *other.synonyms_en, *other.labels)

    def _called(self, names: Iterable[str]) -> Iterator[_Value]:
        """The drugs of the store that have one of the names as an ingredient."""
        for name in dict.fromkeys(name.lower() for name in names if len(name) >= _SHORTEST_NAME):
            first = _WORD.findall(name)[:1]
            near = [
                value
                for word in first
                for form in (word, f"{word}s")
                for value in self._by_word.get(form, ())
            ]
            if near:
                pattern = re.compile(f"{_BEFORE}{re.escape(name)}s?(?![a-z0-9])", re.IGNORECASE)
                yield from (value for value in near if pattern.search(value.text))

    @cached_property
    def _by_word(self) -> Mapping[str, Sequence[_Value]]:
        """The drugs by each word of theirs: a class has hundreds of names, a store thousands of drugs."""
        found: dict[str, list[_Value]] = {}
        for value in self._drugs:
            for word in dict.fromkeys(_WORD.findall(value.text.lower())):
                found.setdefault(word, []).append(value)
        return found

    @cached_property
    def _diagnoses(self) -> Sequence[_Value]:
        return self._coded("diagnosis")

    @cached_property
    def _procedures(self) -> Sequence[_Value]:
        return self._coded("procedure")

    @cached_property
    def _drugs(self) -> Sequence[_Value]:
        held = self._store.tables  # an EHRSQL database has no allergies
        with closing(self._store.connect()) as connection:
            return [
                value
                for table, domain, field, query in _DRUGS
                if table in held
                for value in _read(connection, domain, field, query)
            ]

    def _coded(self, domain: Domain) -> Sequence[_Value]:
        table, query = _CODED[domain]
        if table not in self._store.tables:
            return ()
        with closing(self._store.connect()) as connection:
            return sorted(_read(connection, domain, "name", query), key=lambda value: value.code)


def is_allergen(question: str, start: int, end: int) -> bool:
    """Whether the words around a place say that what stands there is what somebody is allergic to."""
    return bool(_ALLERGIC_TO.search(question[:start]) or _IS_ALLERGIC.match(question[end:]))


def without_allergy(question: str) -> str:
    """The question without the words for allergies, place for place: 青霉素过敏 names a drug, too."""
    return _ALLERGIC.sub(lambda match: "," * len(match[0]), question)


def meant(concept: Concept, candidates: Iterable[Candidate], question: str) -> list[Candidate]:
    """The candidates of a concept that the words around it leave.

    A class of drugs is a word of everyday questions: it names allergens only where allergies are asked for, and
    no drug at all in "which antibiotics is it resistant to?", where it is the name of a column.
    """
    if concept.type != "drug_class":
        return list(candidates)
    if _CULTURE.search(question) and any(code.startswith(_ANTI_INFECTIVES) for _, code in concept.codes):
        return []
    asked = _ALLERGY.search(question) is not None
    return [candidate for candidate in candidates if asked or candidate.domain != "allergy"]


def _read(connection: sqlite3.Connection, domain: Domain, field: str, query: str) -> Iterator[_Value]:
    for text, code, count in connection.execute(query):
        yield _Value(domain, field, text, str(code).lower(), count)


def _candidate(value: _Value, how: str) -> Candidate:
    return Candidate(value.domain, value.field, value.text, _SCORES[how], how, value.count)


def _fits(pattern: Sequence[str], words: set[str]) -> bool:
    """Whether a title has all words of a pattern and none that it excludes; "-" parts words in titles."""
    for word in pattern:
        parts = set(_WORD.findall(word))
        if parts <= words if word.startswith("!") else not parts <= words:
            return False
    return True


def _distinct(candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    """Each value once: several codes may have one title, and a title may fit several patterns."""
    best: dict[tuple[str, str, str], Candidate] = {}
    for candidate in candidates:
        best.setdefault((candidate.domain, candidate.field, candidate.value.casefold()), candidate)
    return iter(best.values())
