"""Which values of the store a mention means: one, several that mean the same, or a question back."""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.answer import Language
from agent.planning.intent import kind_of
from agent.planning.link import Candidate, Link
from agent.planning.phrases import phrase
from agent.query.model import Concept, Domain

_NEAR = 0.06  # scores this close to the best are as good
_DOMINANT = 3  # a value recorded so many times more often than any other is the one that is meant
_BY_CONCEPT = frozenset({"name", "translation", "synonym", "abbreviation", "stand_in", "absent", "typo"})
_LISTED = 3
_OPTIONS = 6
_MEASURED: frozenset[Domain] = frozenset({"lab", "vital"})


@dataclass(frozen=True, slots=True)
class Choice:
    """The values that a mention means, and what has to be said about it; or the options to ask with."""

    domain: Domain | None
    concept: Concept | None
    assumption: str | None = None
    options: tuple[str, ...] = ()


def choose(link: Link, kind: str, language: Language) -> Choice:
    """Choose among the candidates of one kind.

    A lab or vital sign is one value: the dominant one, else the exactly named one, else the most frequent lab
    of one concept, else all vital signs of one concept (blood pressure: systolic, diastolic, mean), else the
    user is asked. Drugs, diagnoses and the like are all values that the words cover ("diabetes" is every
    diabetes diagnosis on record).
    """
    candidates = [candidate for candidate in link.candidates if kind_of(candidate) == kind]
    used = [candidate for candidate in candidates if candidate.count] or candidates
    best = max(used, key=lambda candidate: (candidate.score, candidate.count))
    if kind == "measure":
        return _one(link, best, used, language)
    return _covered(link, best, used, language)


def choose_in(link: Link, domain: Domain, field: str, language: Language) -> Choice:
    """Choose among the candidates of one field of one domain.

    Words that are a value of the record, case and spacing aside, mean exactly that value; the others that they
    could cover are named in the assumption. Otherwise it is as in :func:`choose`.

    Args:
        link: the mention.
        domain: where it is to be a value.
        field: of that domain, in the terms of ``domains.yaml``.
        language: of the assumption.

    Returns:
        The choice; without domain, concept and options where the mention is no value of that field.
    """
    candidates = [c for c in link.candidates if c.domain == domain and c.field == field]
    if not candidates:
        return Choice(None, None)
    used = [candidate for candidate in candidates if candidate.count] or candidates
    # A name that the record never uses is meant all the same where it is a full one ("dextrose 50%": none was
    # given); of a measurement or a bare ingredient, it stands for what the record does have.
    bare = domain in _MEASURED or len(link.text.split()) == 1
    exact = [c for c in (used if bare else candidates) if c.is_name or is_same(c.value, link.text)]
    if exact:
        others = [candidate for candidate in used if candidate not in exact and candidate.count]
        return _exactly(link, exact, others, language)
    best = max(used, key=lambda candidate: (candidate.score, candidate.count))
    if domain in _MEASURED:
        return _one(link, best, used, language)
    if best.how == "token" and len(used) > 1 and not all(_begins(c.value, link.text) for c in used):
        options = tuple(dict.fromkeys(c.value for c in used))[:_OPTIONS]  # "sulfate" is a part of many drugs
        return Choice(None, None, options=options)
    return _covered(link, best, used, language)


def is_same(value: str, said: str) -> bool:
    """Whether words are a value, case and spacing aside."""
    return _plain(value) == _plain(said)


def _begins(value: str, said: str) -> bool:
    """Whether a value begins with words: "Insulin Lispro" is of "insulin"."""
    return _plain(value).startswith(_plain(said).rstrip("s"))


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _exactly(
    link: Link, exact: Sequence[Candidate], others: Sequence[Candidate], language: Language
) -> Choice:
    if not others:
        return _all(link, exact, language)
    named = sorted(others, key=lambda c: (-c.score, -c.count))
    values = _listed(tuple(dict.fromkeys(c.value for c in named)), language)
    said = phrase(language, "exactly", said=link.text, values=exact[0].value, others=values)
    return Choice(exact[0].domain, _concept(link, exact), said)


def _covered(link: Link, best: Candidate, used: Sequence[Candidate], language: Language) -> Choice:
    near = [c for c in used if c.domain == best.domain and c.field == best.field]
    if best.how == "exact" or best.how == "typo":
        near = [c for c in near if c.score >= best.score - _NEAR]
    return _all(link, near, language)


def _one(link: Link, best: Candidate, used: Sequence[Candidate], language: Language) -> Choice:
    near = sorted((c for c in used if c.score >= best.score - _NEAR), key=lambda c: -c.count)
    first, rest = near[0], near[1:]
    if not rest:
        return _all(link, [first], language)
    if first.count >= _DOMINANT * max(1, rest[0].count):
        others = ", ".join(c.value for c in rest[:_LISTED])
        said = phrase(language, "preferred", said=link.text, values=first.value, others=others)
        return Choice(first.domain, _concept(link, [first]), said)
    exact = [c for c in near if c.how == "exact"]
    if len(exact) == 1:
        return _all(link, exact, language)
    labs = [c for c in near if c.domain == "lab" and c.count]
    if labs and not exact and all(c.how in _BY_CONCEPT for c in near):
        others = ", ".join(c.value for c in near if c != labs[0])
        said = phrase(language, "preferred", said=link.text, values=labs[0].value, others=others)
        return Choice(labs[0].domain, _concept(link, labs[:1]), said)
    same = [c for c in near if c.domain == first.domain]
    if not exact and all(c.how in _BY_CONCEPT for c in near):
        return _all(link, same, language)
    return Choice(None, None, options=tuple(dict.fromkeys(c.value for c in near))[:_OPTIONS])


def _all(link: Link, candidates: Sequence[Candidate], language: Language) -> Choice:
    ordered = sorted(candidates, key=lambda c: (-c.score, -c.count))
    concept = _concept(link, ordered)
    values = _listed(concept.values, language)
    said = None
    if ordered[0].how == "typo":
        said = phrase(language, "misspelt", said=link.text, values=values)
    elif [value.casefold() for value in concept.values] != [link.text.casefold()]:
        said = phrase(language, "mapped", said=link.text, values=values)
    return Choice(ordered[0].domain, concept, said)


def _listed(values: Sequence[str], language: Language) -> str:
    listed = ", ".join(values[:_LISTED])
    if len(values) <= _LISTED:
        return listed
    return phrase(language, "and_more", values=listed, n=len(values) - _LISTED)


def _concept(link: Link, candidates: Sequence[Candidate]) -> Concept:
    values = tuple(dict.fromkeys(candidate.value for candidate in candidates))
    return Concept(field=candidates[0].field, values=values, said=link.text)
