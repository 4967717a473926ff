"""Which measured concept a name in a condition means.

``eGFR`` and ``potassium`` are names of one lab or vital; ``age`` is no measurement, yet conditions ask for it. The
names themselves are the terminology's, or the graph's.
"""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Protocol

AGE = "age"
"""The id under which a patient's age stands among the values."""
_MEASURED = ("lab", "vital")


class _Named(Protocol):
    @property
    def id(self) -> str: ...

    @property
    def type(self) -> str: ...


def resolver(named: Callable[[str], Iterable[_Named]]) -> Callable[[str], str | None]:
    """From a name in a condition to the id of what is measured; None where it means none or several.

    Args:
        named: what a form names, such as ``Terminology.named`` or ``KnowledgeGraph.named``.
    """

    @cache
    def resolve(name: str) -> str | None:
        if name.casefold() == AGE:
            return AGE
        measured = {concept.id for concept in named(name) if concept.type in _MEASURED}
        return measured.pop() if len(measured) == 1 else None

    return resolve
