"""Which coded diagnoses a name covers, where words alone would take too many: portal hypertension is no hypertension.

A title that has the words of a name counts if its code lies under the codes of the named disease, is of a kind of it
or of what it is a kind of, or if the title says that the disease comes with another one ("anemia in chronic kidney
disease"). Any other title whose code belongs to another disease is that disease's, whatever words it shares. Titles
with codes that no concept has are judged by their words alone.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, cached_property
from importlib.resources import as_file, files

from agent.planning.expansion import Expansion
from agent.planning.link import Candidate
from knowledge.facts.facts import read_facts
from knowledge.terminology.concepts import Concept, read_table
from knowledge.terminology.terminology import Terminology

_DIAGNOSES = frozenset({"disease", "finding"})
_ICD = frozenset({"icd10", "icd9"})
_WHOLE = frozenset({"exact", "normalised", "absent"})


@cache
def narrower_names() -> Terminology:
    """Names that are narrower than the concept that knows them: "essential hypertension" is not all hypertension."""
    with as_file(files("agent.planning").joinpath("narrower_names.tsv")) as path:
        return Terminology(read_table(path))


class Coverage:
    """Tells titles of a disease from titles that only share its words. Safe to share: it only reads.

    Args:
        expansion: knows the codes and titles of the store's diagnoses.
        terminology: knows which codes are whose.
    """

    def __init__(self, expansion: Expansion, terminology: Terminology) -> None:
        self._expansion = expansion
        self._terminology = terminology

    def of(self, concepts: Sequence[Concept], candidates: Iterable[Candidate]) -> list[Candidate]:
        """The candidates of a mention without the diagnoses that are of other diseases.

        Args:
            concepts: what the mention names; without a disease among them all candidates stay.
            candidates: what its words lead to.
        """
        diseases = [concept for concept in concepts if concept.type in _DIAGNOSES]
        if not diseases or not all(_coded(concept) for concept in diseases):
            return list(candidates)
        named = [concept.id for concept in diseases]
        covered = {c.value.casefold() for concept in diseases for c in self._expansion.candidates(concept)}
        meant = _closure(self._kinds, named) | _closure(self._wider, named)
        beside = _beside(diseases)
        return [
            candidate
            for candidate in candidates
            if (candidate.domain, candidate.field) != ("diagnosis", "name")
            or not candidate.count
            or candidate.how in _WHOLE
            or candidate.is_name
            or candidate.value.casefold() in covered
            or beside.search(candidate.value)
            or not self._is_of_others(candidate.value, meant)
        ]

    def _is_of_others(self, title: str, meant: frozenset[str]) -> bool:
        owners = {owner for code in self._expansion.codes_of_diagnosis(title) for owner in self._owners(code)}
        return bool(owners) and owners.isdisjoint(meant)

    def _owners(self, code: str) -> Iterable[str]:
        """The concepts of the longest beginning of a code that any has, without those that are wider than another."""
        starts = (code[:end] for end in range(len(code), code.index("|") + 1, -1))
        found = set(next((self._by_code[start] for start in starts if start in self._by_code), ()))
        above = {wider for one in found for wider in _closure(self._wider, [one]) if wider != one}
        return found - above

    @cached_property
    def _by_code(self) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for concept in self._terminology.concepts:
            if concept.type in _DIAGNOSES:
                for system, code in concept.codes:
                    if system in _ICD:
                        found[f"{system}|{code.replace('.', '')}".lower()].append(concept.id)
        return found

    @cached_property
    def _kinds(self) -> Mapping[str, Sequence[str]]:
        """Concepts to their kinds: pneumonia to aspiration pneumonia."""
        known = {concept.id for concept in self._terminology.concepts}
        kinds: dict[str, list[str]] = defaultdict(list)
        with as_file(files("knowledge.facts").joinpath("tables", "is_a.tsv")) as table:
            for fact in read_facts(table, known):
                kinds[fact.object].append(fact.subject)
        return kinds

    @cached_property
    def _wider(self) -> Mapping[str, Sequence[str]]:
        wider: dict[str, list[str]] = defaultdict(list)
        for one, kinds in self._kinds.items():
            for kind in kinds:
                wider[kind].append(one)
        return wider


def _closure(steps: Mapping[str, Sequence[str]], concepts: Iterable[str]) -> frozenset[str]:
    """Everything that is reached from concepts, themselves included."""
    found: set[str] = set()
    left = list(concepts)
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            left += steps.get(one, ())
    return frozenset(found)


def _beside(concepts: Iterable[Concept]) -> re.Pattern[str]:
    """Where a title names one of the diseases beside another one: "with diabetic chronic kidney disease"."""
    names = "|".join(re.escape(name) for concept in concepts for name in (concept.en, *concept.synonyms_en))
    return re.compile(rf"\b(?:with|in) (?:\w+ )?(?:{names})\b", re.IGNORECASE)


def _coded(concept: Concept) -> bool:
    return any(system in _ICD for system, _ in concept.codes)
