"""Which drugs belong to which class, and which classes to which: by their ATC codes and the lists of members."""

from collections.abc import Iterator, Sequence

from knowledge.terminology.concepts import Concept

_BY_CODE = "WHO ATC index"


def class_members(concepts: Sequence[Concept]) -> Iterator[tuple[str, str, str]]:
    """Member, class and what says so; only the nearest classes, the others follow from those.

    A drug belongs to a class if an ATC code of it lies under one of the class, or the class lists its name. A class
    belongs to another if each of its codes lies under one of the other.
    """
    classes = [concept for concept in concepts if concept.type == "drug_class"]
    codes = {concept.id: _atc(concept) for concept in concepts}
    wider = {
        group.id: {
            other.id
            for other in classes
            if other.id != group.id and _within(codes[group.id], codes[other.id], every=True)
        }
        for group in classes
    }
    drugs = [concept for concept in concepts if concept.type == "drug"]
    for member in (*drugs, *classes):
        if member.type == "drug":
            by_code = {
                group.id for group in classes if _within(codes[member.id], codes[group.id], every=False)
            }
        else:
            # Two classes with the same codes are one inside the other only by their lists, so neither is.
            by_code = {group for group in wider[member.id] if member.id not in wider[group]}
        passed = {above for group in by_code for above in wider[group] if group not in wider[above]}
        for group in sorted(by_code - passed):
            yield member.id, group, _BY_CODE
        for group in classes:
            if group.id not in by_code and member.type == "drug" and _listed(member, group):
                yield member.id, group.id, group.source


def _atc(concept: Concept) -> tuple[str, ...]:
    return tuple(code for system, code in concept.codes if system == "atc")


def _within(codes: Sequence[str], wider: Sequence[str], *, every: bool) -> bool:
    if not codes or not wider:
        return False
    test = all if every else any
    return test(any(code.startswith(prefix) for prefix in wider) for code in codes)


def _listed(drug: Concept, group: Concept) -> bool:
    names = {name.casefold() for name in (drug.en, *drug.synonyms_en)}
    return any(member.casefold() in names for member in group.members if not member.startswith("!"))
