"""A stretch of a text that names something."""

from dataclasses import dataclass

from knowledge.mentions.names import NameTable


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of words (``last`` not included) that names these concepts.

    Attributes:
        type: of the concepts, where they agree; of a name that no table has, what its form says.
        defined: the text itself says what it means.
        open: it may mean something else.
    """

    first: int
    last: int
    concepts: tuple[str, ...]
    type: str | None
    defined: bool = False
    open: bool = False


def span_of(names: NameTable, first: int, last: int, concepts: tuple[str, ...]) -> Span:
    """The span of a name of these concepts."""
    types = {names.types[concept] for concept in concepts}
    return Span(first, last, concepts, types.pop() if len(types) == 1 else None)
