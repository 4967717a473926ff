"""Finds what a question names: values of the store, patients, numbers and times, each with its place.

Values come from the value index (which knows the store's own spellings, parts and typos) and from the
terminology (which knows Chinese, synonyms and case-bound abbreviations such as "K"). What is ambiguous keeps
all its candidates, best first; choosing is for the planner.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, cached_property
from importlib.resources import files

from agent.answer import Language
from agent.planning.categories import Categories
from agent.planning.coverage import Coverage, narrower_names
from agent.planning.cues import note_types, verbs
from agent.planning.expansion import Expansion, is_allergen, meant, without_allergy
from agent.planning.intent import SLOT_FIELDS
from agent.planning.link import Candidate, Link, Linked
from agent.planning.nouns import letters, noun_after
from agent.planning.numbers import numbers
from agent.planning.operation import operations
from agent.planning.patients import PatientNames
from agent.planning.plausible import plausible
from agent.planning.sign_words import find_signs
from agent.planning.spelling import Spelling, back, is_opposite
from agent.planning.times import half_width, resolve_times
from agent.planning.vocabulary import is_common
from agent.query.domains import bindings
from agent.query.model import Domain
from agent.scope import Scope
from indexes.tokens import stop_words
from indexes.values import ValueIndex, ValueMatch, columns
from knowledge.store.store import RecordStore
from knowledge.terminology.concepts import Concept
from knowledge.terminology.terminology import Terminology, TermMatch

_UNUSED = 0.6  # "tf residual output", which only a dictionary has, gives way to the "tf residual" in it
_SLIP = 0.1  # what a misspelling takes off a score
_KEPT = 60  # candidates of one mention that are kept
_SUPERLATIVE = re.compile("最[高低大小多少早晚]")
_OF_TYPE: Mapping[str, frozenset[Domain]] = {
    "lab": frozenset({"lab", "vital"}),
    "vital": frozenset({"vital", "lab", "output"}),
    "drug": frozenset({"drug", "input", "allergy", "microbiology"}),
    "drug_class": frozenset({"drug", "input", "allergy"}),
    "disease": frozenset({"diagnosis"}),
    "finding": frozenset({"diagnosis", "observation"}),
    "procedure": frozenset({"procedure"}),
    "organism": frozenset({"microbiology"}),
}
_MAIN: Mapping[str, tuple[Domain, str]] = {
    "lab": ("lab", "name"),
    "vital": ("vital", "name"),
    "drug": ("drug", "name"),
    "drug_class": ("drug", "name"),
    "disease": ("diagnosis", "name"),
    "procedure": ("procedure", "name"),
    "organism": ("microbiology", "organism"),
}


class Linker:
    """Links questions to one store. Safe to share: it only reads.

    Args:
        store: whose patients are known by number, hospital number or name.
        values: the value index of that store.
        terminology: names of concepts in both languages.
    """

    def __init__(self, store: RecordStore, values: ValueIndex, terminology: Terminology) -> None:
        self._store = store
        self._values = values
        self._terminology = terminology
        self._expansion = Expansion(store, terminology)
        self._coverage = Coverage(self._expansion, terminology)

    @cached_property
    def _patients(self) -> PatientNames:
        return PatientNames.of(self._store)

    @cached_property
    def _spelling(self) -> Spelling:
        return Spelling(self._terminology.surface_forms(), self._values.words())

    @cached_property
    def _categories(self) -> Categories:
        return Categories.of(self._store)

    def link(self, question: str, language: Language, scope: Scope) -> Linked:
        """All that the question names.

        Args:
            question: as cleaned; every place in the result is into it.
            language: of the assumptions.
            scope: gives "now" and the patient whom "she" means.
        """
        names = [(m.start, m.end) for m in self._terminology.find(question) if m.how != "abbreviation"]
        times = tuple(  # a brand may be spelt like a time: the name of something known wins
            time
            for time in resolve_times(question, language, scope.now)
            if not any(start <= time.start and time.end <= end for start, end in names)
        )
        taken = [(time.start, time.end) for time in times]
        patients = self._patients.find(question, scope, taken)
        taken += [(patient.start, patient.end) for patient in patients]
        values = self._link_values(question, taken)
        subject = next((p.subject_id for p in patients if p.subject_id is not None), scope.patient)
        # "Postoperative infection" is a diagnosis, "after surgery" a time, although a ward may be called surgery.
        wider = [(link.start, link.end) for link in values if len(link.text.split()) > 1]
        since = operations(question, language, self._store, subject, scope.now, [*taken, *wider])
        times = tuple(sorted((*times, *since), key=lambda time: time.start))
        taken += [(time.start, time.end) for time in since]
        values = tuple(
            link for link in values if all(link.end <= t.start or link.start >= t.end for t in since)
        )
        taken += [(link.start, link.end) for link in values]
        types = tuple(
            Link(start, end, question[start:end], (Candidate("note", "type", name, 1.0, "name", 0),))
            for start, end, name in note_types(half_width(question))
            if all(end <= first or start >= last for first, last in taken)
        )
        found = numbers(question, [*taken, *((link.start, link.end) for link in types)])
        signs = find_signs(question, language, values, self._held) if subject is not None else ()
        everything = glossed(question, sorted((*values, *types), key=lambda link: link.start))
        return Linked(everything, times, patients, found, signs)

    def _held(self, name: str) -> list[Candidate]:
        """The values of the store that have a name."""
        return _candidates(self._values.exact(name, _columns()))

    def _link_values(self, question: str, taken: list[tuple[int, int]]) -> tuple[Link, ...]:
        # Times and patients must not be read as values, so they are blanked, place for place. So is "highest":
        # 最高血钾 is the highest potassium, and not hyperkalaemia.
        taken = [*taken, *(match.span() for match in _SUPERLATIVE.finditer(question))]
        text = _blank(question, taken)
        folded = half_width(text)
        no_values = [*_units(question), *verbs(folded)]
        found = list(self._named(text))
        terms = {(match.start, match.end): match for match in self._terms(text)}
        spelt = [place for place, match in terms.items() if match.how != "abbreviation"]
        corrected, places = self._spelling.correct(folded)
        for start, end, candidates in self._spelt(corrected) if places else ():
            if any(start <= first and last <= end for (first, last), _ in places):
                misspelt = [_as(c, round(c.score - _SLIP, 4), "typo") for c in candidates if c.count]
                found.append((*back(places, start, end), misspelt, False))
        for loose in (False, True):
            for span in self._values.spans(text, _columns(), loose=loose, limit=_KEPT):
                candidates = _candidates(span.matches)
                known = any(first <= span.start and span.end <= last for first, last in spelt)
                candidates = [  # a known name is not misspelt, and no word for its opposite
                    c for c in candidates if c.how != "typo" or not (known or is_opposite(c.value, span.text))
                ]
                term = terms.get((span.start, span.end))
                candidates = self._coverage.of(term.concepts if term else (), candidates)
                whole = [c for c in candidates if c.how not in {"token", "typo"} and c.count]
                if whole or not is_common(span.text):
                    found.append((span.start, span.end, candidates, not whole))
        found = [
            (
                start,
                end,
                self._but_allergies(folded[start:end], plausible(question, start, end, candidates)),
                loose,
            )
            for start, end, candidates, loose in found
            if not any(first <= start and end <= last for first, last in no_values)
            and all(end <= first or start >= last for first, last in taken)  # no name goes on behind a time
        ]
        found += [(m.start, m.end, list(m.candidates), False) for m in self._categories.find(text)]
        for start, end in letters(folded):
            named = [c for c in _candidates(self._values.exact(folded[start:end], _columns())) if c.count]
            found.append((start, end, [c for c in named if c.domain == "lab"], False))
        # Longer mentions first; a loose one (typo, part of a value) only where nothing else is.
        found.sort(key=lambda item: (item[3], -_weight(folded, *item[:3]), item[0]))
        spans: dict[tuple[int, int], list[Candidate]] = {}
        for start, end, candidates, _ in found:
            if (start, end) in spans:
                spans[start, end] += candidates
            elif candidates and all(end <= first or start >= last for first, last in spans):
                spans[start, end] = list(candidates)
        for (start, end), candidates in spans.items():
            if is_allergen(text, start, end):
                spans[start, end] = _allergens(candidates)
        return tuple(
            Link(start, end, question[start:end], tuple(_best(candidates)[:_KEPT]))
            for (start, end), candidates in sorted(
                ((_from_salt(text, start, candidates), end), candidates)
                for (start, end), candidates in spans.items()
            )
        )

    def _but_allergies(self, said: str, candidates: list[Candidate]) -> list[Candidate]:
        """Without diagnoses where words name allergies and the store keeps those: 药物过敏 is asked of its list.

        Read as a diagnosis that nobody coded, the question would be answered "none" beside a recorded allergy.
        """
        allergy = bindings()["allergy"]
        names = (allergy.label_zh, allergy.label_en[0].removesuffix("y"))
        if allergy.table not in self._store.tables or not any(name in said for name in names):
            return candidates
        return [candidate for candidate in candidates if candidate.domain != "diagnosis"]

    def _named(self, text: str) -> Iterator[tuple[int, int, list[Candidate], bool]]:
        """The concepts that a text names, each as its values of the store."""
        for match in self._terms(text):
            candidates = [
                candidate
                for concept in match.concepts
                for candidate in meant(concept, self._of_concept(concept, match.how), text)
            ]
            if is_allergen(text, match.start, match.end):
                allergens = [c for one in match.concepts for c in self._expansion.allergens(one)]
                allergens += [c for c in candidates if c.domain == "allergy" and c.count]
                candidates = allergens or candidates
            if candidates:
                yield match.start, match.end, candidates, False

    def _terms(self, text: str) -> list[TermMatch]:
        """The concepts that a text names; a narrower name wins over the name within it."""
        if "allergies" in self._store.tables:
            text = without_allergy(text)
        narrower = narrower_names().find(text)
        within = [(match.start, match.end) for match in narrower]
        others = self._terminology.find(text)
        return narrower + [m for m in others if all(m.end <= a or m.start >= b for a, b in within)]

    def _spelt(self, corrected: str) -> Iterator[tuple[int, int, list[Candidate]]]:
        """What a corrected text names: concepts, and values of the store in full."""
        for start, end, candidates, _ in self._named(corrected):
            yield start, end, candidates
        for span in self._values.spans(corrected, _columns(), limit=_KEPT):
            found = _candidates(span.matches)
            yield span.start, span.end, [replace(c, is_name=c.how == "exact") for c in found]

    def _of_concept(self, concept: Concept, how: str) -> Iterable[Candidate]:
        """The values of the store that a concept stands for, those that its labels name first."""
        domains = _OF_TYPE.get(concept.type, frozenset())
        found = False
        labelled = self._coverage.of((concept,), self._labelled(concept, how))
        for candidate in (*labelled, *self._expansion.candidates(concept)):
            if candidate.domain in domains:
                found = found or candidate.count > 0  # one that is never recorded hides no longer titles
                yield candidate
        if not found and concept.type in {"disease", "procedure", "finding", "drug", "organism"}:
            titled = _candidates(self._values.lookup(concept.en, _columns(), limit=_KEPT))
            for candidate in self._coverage.of((concept,), titled):
                if candidate.domain in domains and candidate.how in {"token", "normalised", "synonym"}:
                    found = True
                    yield _as(candidate, round(candidate.score * 0.95, 4), how)
        for stand_in in () if found else concept.stand_ins:
            for candidate in self._labelled(self._terminology.concept(stand_in), "stand_in"):
                if candidate.domain in domains and candidate.count:
                    found = True
                    yield candidate
        if not found and concept.type in _MAIN:
            # Known to medicine, never recorded here: the plan can say so, which a refusal would not.
            yield Candidate(*_MAIN[concept.type], concept.en, 0.9, "absent", 0)

    def _labelled(self, concept: Concept, how: str) -> Iterator[Candidate]:
        labels = dict.fromkeys((concept.en, *concept.labels, *concept.synonyms_en))
        matches = {label: self._values.exact(label, _columns()) for label in labels}
        # What the index knows as a synonym is of any concept that has the label: it counts without better.
        better = any(match.how != "synonym" and match.count for found in matches.values() for match in found)
        for position, label in enumerate(labels):
            is_name = position == 0 and how in {"name", "translation"}
            score = round((0.99 if how == "name" else 0.96) - 0.001 * min(position, 20), 4)
            named = [match for match in matches[label] if not (better and match.how == "synonym")]
            for candidate in _candidates(named):
                same = is_name and candidate.how in {"exact", "normalised"}
                yield replace(_as(candidate, score, how), is_name=same)


def _allergens(candidates: list[Candidate]) -> list[Candidate]:
    """The allergens among candidates, where the record has any: who reacts to it is asked, not who gets it."""
    listed = [candidate for candidate in candidates if candidate.domain == "allergy" and candidate.count]
    return listed or candidates


def _weight(text: str, start: int, end: int, candidates: Sequence[Candidate]) -> float:
    """The length of a mention, less for a value that the record never uses.

    The noun behind an exact name counts: in "oral gastric output" it belongs to "oral gastric", so that the
    concept "gastric output" does not win.
    """
    length = end - start
    exact = [c for c in candidates if c.how == "exact" and c.count]
    if exact and text[start:end].split()[0] not in stop_words():
        length += max(noun_after(text, end, candidate.domain) for candidate in exact)
    known = any(candidate.count or candidate.how == "absent" for candidate in candidates)
    return length * (1.0 if known else _UNUSED)


def _from_salt(text: str, start: int, candidates: Iterable[Candidate]) -> int:
    """Where the mention of a drug begins, its salt included, which Chinese puts first: 枸橼酸他莫昔芬."""
    if not any(candidate.domain in ("drug", "input") for candidate in candidates):
        return start
    salt = _salts().search(text[:start])
    return salt.start() if salt else start


@cache
def _salts() -> re.Pattern[str]:
    lines = files("agent.planning").joinpath("salts.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return re.compile(f"(?:{'|'.join(re.escape(line.split(chr(9))[0]) for line in lines)})+$")


def _units(question: str) -> list[tuple[int, int]]:
    """Places of units behind numbers: "mg" of "200 mg/dl" is no magnesium."""
    return [(end - len(unit), end) for _, end, _, unit in numbers(question, ()) if unit]


def _as(candidate: Candidate, score: float, how: str) -> Candidate:
    return replace(candidate, score=score, how=how)


def _blank(question: str, taken: Iterable[tuple[int, int]]) -> str:
    characters = list(question)
    for start, end in taken:
        for place in range(start, end):
            characters[place] = ","
    return "".join(characters)


def _candidates(matches: Iterable[ValueMatch]) -> list[Candidate]:
    found = []
    for match in matches:
        place = _places().get((match.table, match.column, match.events))
        if place is not None:
            found.append(Candidate(*place, match.value, match.score, match.how, match.count))
    return found


def _best(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Each value once, with its best score; values that the record uses come before those it does not."""
    best: dict[tuple[str, str, str], Candidate] = {}
    for candidate in candidates:
        key = (candidate.domain, candidate.field, candidate.value.casefold())
        if key not in best or candidate.score > best[key].score:
            best[key] = candidate
    return sorted(best.values(), key=lambda c: (c.count == 0, -c.score, -c.count, c.value))


@cache
def _places() -> dict[tuple[str, str, str], tuple[Domain, str]]:
    """(table, column, events) of a linkable column to the domain and field that an intent can ask for."""
    places: dict[tuple[str, str, str], tuple[Domain, str]] = {}
    for column in columns():
        for domain, binding in bindings().items():
            for field, place in binding.fields.items():
                here = (place.table, place.column) == (column.table, column.column)
                # Note types are words such as "admission": cues.py finds them, with their context.
                if (
                    here
                    and binding.table == column.events
                    and domain != "note"
                    and (domain, field) in SLOT_FIELDS
                ):
                    places.setdefault((column.table, column.column, column.events), (domain, field))
    return places


@cache
def _columns() -> frozenset[tuple[str, str]]:
    return frozenset((table, column) for table, column, _ in _places())


def glossed(question: str, links: Iterable[Link]) -> tuple[Link, ...]:
    """A name with its exact value in brackets behind it ("脾大（splenomegaly）") as one mention: of the value."""
    kept: list[Link] = []
    for link in links:
        before = kept[-1] if kept else None
        if (
            before is not None
            and question[before.end : link.start].strip() in ("(", "（")
            and question[link.end : link.end + 1] in (")", "）")
            and {c.domain for c in before.candidates} & {c.domain for c in link.candidates}
        ):
            end = link.end + 1
            kept[-1] = replace(link, start=before.start, end=end, text=question[before.start : end])
        else:
            kept.append(link)
    return tuple(kept)
