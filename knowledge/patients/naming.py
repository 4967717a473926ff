"""From the record's wording to concepts: codes, drug names, items, allergens, organisms.

What no source names keeps the record's wording, so that nothing of a patient is lost.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property, lru_cache

from knowledge.graph import KnowledgeGraph, Node
from knowledge.patients.model import KIND_OF_TYPE, Kind

_BLOOD = frozenset({"", "blood", "serum", "plasma", "whole blood"})
_SYSTEMS = {  # (table, system of the store) to the system of the graph
    ("diagnoses_icd", "icd10"): "icd10",
    ("diagnoses_icd", "icd9"): "icd9",
    ("procedures_icd", "icd10"): "icd10pcs",
    ("procedures_icd", "icd9"): "icd9proc",
}
_PARTS = re.compile(r"[/+,(\[\]);&-]+|\b(?:and|with|in)\b", re.IGNORECASE)
_STRENGTH = re.compile(r"^(?:[\d.,%]+\s*(?:hr|hour|mg|mcg|ml|g|unt|units?)?\s+)+", re.IGNORECASE)
_LONGEST_CHINESE = 14  # characters of a drug's name that are tried
_PROBLEMS = frozenset({"disease", "finding"})
_DRUGS = frozenset({"drug"})
_CLASSES = frozenset({"drug_class"})


@dataclass(frozen=True, slots=True)
class Named:
    """What a wording means: a concept, or the wording itself."""

    concept: str | None
    name: str
    kind: Kind


class Naming:
    """Names concepts with the knowledge graph, each wording once.

    Args:
        graph: opened; knows codes and names.
    """

    def __init__(self, graph: KnowledgeGraph) -> None:
        self._graph = graph

    def coded(self, table: str, code: str, title: str | None) -> tuple[Named, ...]:
        """The concepts of a diagnosis or procedure; a code may stand for several (hypertensive heart failure)."""
        kind: Kind = "problem" if table == "diagnoses_icd" else "procedure"
        types = _PROBLEMS if kind == "problem" else frozenset({"procedure"})
        found = self._coded(table, code.lower(), types) or self._called(title or "", types)
        return _names(found) or (Named(None, title or code, kind),)

    def drug(self, wording: str, code: str | None = None) -> tuple[Named, ...]:
        """The active ingredients of a drug as a row names it."""
        return _names(self._ingredients(wording, (code or "").lower())) or (Named(None, wording, "drug"),)

    def allergen(self, wording: str, code: str | None = None) -> tuple[Named, ...]:
        """What a patient is allergic to: a drug, a class of drugs, or the wording."""
        # "Penicillin" on a list of allergies means the class: who reacts to one is spared them all.
        classes = self._called(wording, _CLASSES) or self._called(f"{wording}s", _CLASSES)
        found = classes or self._ingredients(wording, (code or "").lower())
        return _names(found) or (Named(None, wording, "drug"),)

    def organism(self, wording: str) -> tuple[Named, ...]:
        """What grew."""
        found = self._called(wording, frozenset({"organism"}))
        if not found:  # "STAPH AUREUS COAG +": the name stands first
            words = wording.split()
            shorter = (" ".join(words[:end]) for end in range(len(words) - 1, 0, -1))
            found = next(filter(None, (self._called(form, frozenset({"organism"})) for form in shorter)), ())
        return _names(found) or (Named(None, wording, "organism"),)

    def item(self, label: str, fluid: str | None, code: str | None, types: Collection[str]) -> str | None:
        """The one concept that an item measures; a fluid other than blood must be part of the name.

        Args:
            label: of the item.
            fluid: ``None`` where the store does not say.
            code: ``loinc|2160-0``.
            types: of concepts that the item's table can hold.
        """
        kind = frozenset(types)
        if (fluid or "").strip().lower() not in _BLOOD:
            return _only(self._called(f"{fluid} {label}", kind) or self._called(f"{label}, {fluid}", kind))
        system, _, value = (code or "").partition("|")
        found = [n for n in self._graph.by_code(system, value) if n.type in kind] if value else []
        return _only(found) or self._narrowest(self._called(label, kind))

    def _narrowest(self, nodes: Collection[Node]) -> str | None:
        """Of the concepts that a label names the one with fewest: "systolic" is listed for blood pressure, too."""
        labels = {n.id: sum(name.kind == "label" for name in self._graph.names(n.id)) for n in nodes}
        least = [one for one, count in labels.items() if count == min(labels.values())]
        return least[0] if len(least) == 1 else None

    def _coded(self, table: str, code: str, types: frozenset[str]) -> tuple[Node, ...]:
        system, _, value = code.partition("|")
        known = _SYSTEMS.get((table, system), system)
        found = [node for node in self._by_code(known, value.upper()) if node.type in types]
        wider = (
            {above for node in found for above in self._graph.ancestors(node.id)} if len(found) > 1 else ()
        )
        return tuple(node for node in found if node.id not in wider)

    @cached_property
    def _by_code(self):
        return lru_cache(maxsize=100_000)(self._graph.by_code)

    @cached_property
    def _named(self):
        return lru_cache(maxsize=100_000)(self._graph.named)

    def _called(self, form: str, types: frozenset[str]) -> tuple[Node, ...]:
        return tuple(node for node in self._named(form.strip()) if node.type in types)

    @cached_property
    def _ingredients(self):
        return lru_cache(maxsize=100_000)(self._find_ingredients)

    def _find_ingredients(self, wording: str, code: str) -> tuple[Node, ...]:
        system, _, value = code.partition("|")
        if system == "atc" and value:
            found = tuple(n for n in self._graph.by_code("atc", value.upper()) if n.type == "drug")
            if found:
                return found
        whole = self._called(wording, _DRUGS)
        if whole:
            return whole
        parts = [_STRENGTH.sub("", f"{part.strip()} ").strip() for part in _PARTS.split(wording)]
        found = {node.id: node for part in parts for node in self._first_drug(part)}
        return tuple(found.values()) or self._called(wording, _CLASSES)  # "Insulin"

    def _first_drug(self, text: str) -> tuple[Node, ...]:
        """The drug that a text begins with; "Insulin Aspart Protamine" is no protamine. Anywhere in Chinese."""
        words = text.split()
        for end in range(len(words), 0, -1):
            found = self._called(" ".join(words[:end]), _DRUGS)
            if found:
                return found
        if text.isascii():
            return ()
        for length in range(min(len(text), _LONGEST_CHINESE), 1, -1):
            for start in range(len(text) - length + 1):
                found = self._called(text[start : start + length], _DRUGS)
                if found:
                    return found
        return ()


def _names(nodes: Collection[Node]) -> tuple[Named, ...]:
    return tuple(Named(node.id, node.en, KIND_OF_TYPE[node.type]) for node in nodes)


def _only(nodes: Collection[Node]) -> str | None:
    """The concept, where a form means just one: a result of the wrong analyte is worse than none."""
    ids = {node.id for node in nodes}
    return ids.pop() if len(ids) == 1 else None
