"""Nouns of the domains: what stands beside a name that would be no name alone.

"void" is a verb and "l" a letter; "void output" and "l lab test" are values of the record.
"""

import re
from collections.abc import Iterator, Mapping

from agent.query.model import Domain

_NOUNS: Mapping[Domain, str] = {
    "lab": r"(?:lab(?:oratory)?\s+)?(?:tests?|values?|levels?|results?|measurements?)|lab|化验|检验|检查|水平|值",
    "vital": r"(?:values?|readings?|measurements?|levels?)|测量值|读数",
    "output": r"outputs?|output amounts?|drainage|出量|引流量?",
    "input": r"inputs?|intakes?|infusions?|入量|输注",
}
_AFTER = {domain: re.compile(rf"\s*\b(?:{nouns})(?![a-z])") for domain, nouns in _NOUNS.items()}
_BEFORE = {
    domain: re.compile(
        rf"(?:(?:{nouns}|percentile(?: rank(?:ing)?)?)\s+(?:of|for|in)|tested\s+(?:on|for|in))\s+(?:an?\s+|the\s+)?$"
    )
    for domain, nouns in _NOUNS.items()
}
_LETTER = re.compile(r"(?<![\w'’./+-])[b-z](?![\w'’./+-])")


def noun_after(text: str, end: int, domain: Domain) -> int:
    """How many characters of a lower-case ``text`` after ``end`` are a noun of the domain; 0 for none."""
    found = _AFTER[domain].match(text, end) if domain in _AFTER else None
    return found.end() - end if found else 0


def is_beside_noun(text: str, start: int, end: int, domain: Domain) -> bool:
    """Whether a noun of the domain stands directly after or before a mention in a lower-case text."""
    if domain not in _AFTER:
        return False
    return bool(noun_after(text, end, domain) or _BEFORE[domain].search(text[:start]))


def letters(text: str) -> Iterator[tuple[int, int]]:
    """Places of single letters of a lower-case text that stand beside a noun of the laboratory."""
    for match in _LETTER.finditer(text):
        if is_beside_noun(text, *match.span(), "lab"):
            yield match.span()
