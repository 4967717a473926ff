"""Which drugs belong to which class, and which classes to which: by their ATC codes and the lists of members."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from knowledge.terminology.concepts import Concept

_BY_CODE = "WHO ATC index"


def class_members(concepts: Sequence[Concept]) -> Iterator[tuple[str, str, str]]:
    """Member, class and what says so; only the nearest classes, the others follow from those.

    A drug belongs to a class if an ATC code of it lies under one of the class, or the class lists its name. A class
    belongs to another if each of its codes lies under one of the other.
    """
    classes = {concept.id: concept for concept in concepts if concept.type == "drug_class"}
    with_code: dict[str, set[str]] = defaultdict(set)
    listing: dict[str, set[str]] = defaultdict(set)
    for group in classes.values():
        for code in _atc(group):
            with_code[code].add(group.id)
        for member in group.members:
            if not member.startswith("!"):
                listing[member.casefold()].add(group.id)
    wider = {
        group.id: set.intersection(*above) - {group.id}
        for group in classes.values()
        if (above := [_above(code, with_code) for code in _atc(group)])
    }
    for drug in (concept for concept in concepts if concept.type == "drug"):
        by_code = {group for code in _atc(drug) for group in _above(code, with_code)}
        yield from ((drug.id, group, _BY_CODE) for group in _nearest(by_code, wider))
        named = {group for name in (drug.en, *drug.synonyms_en) for group in listing.get(name.casefold(), ())}
        yield from ((drug.id, group, classes[group].source) for group in sorted(named - by_code))
    for group, above in wider.items():
        # Two classes with the same codes are one inside the other only by their lists, so neither is.
        strictly = {one for one in above if group not in wider.get(one, ())}
        yield from ((group, one, _BY_CODE) for one in _nearest(strictly, wider))


def _atc(concept: Concept) -> tuple[str, ...]:
    return tuple(code for system, code in concept.codes if system == "atc")


def _above(code: str, with_code: Mapping[str, set[str]]) -> set[str]:
    """The classes that have the code or one that it lies under."""
    return set().union(*(with_code.get(code[:length], ()) for length in range(1, len(code) + 1)))


def _nearest(groups: set[str], wider: Mapping[str, set[str]]) -> list[str]:
    passed = {
        above for group in groups for above in wider.get(group, ()) if group not in wider.get(above, ())
    }
    return sorted(groups - passed)
